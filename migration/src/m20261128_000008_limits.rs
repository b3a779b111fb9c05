//! For limits: indexes a user's codes for address changes, and records whether a sign-in link was mailed.

use sea_orm_migration::{prelude::*, schema::boolean};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // The index may already exist: operators with a very large table can create it in advance, concurrently.
        db.execute_unprepared(
            "CREATE INDEX IF NOT EXISTS email_codes_person_idx ON email_codes (user_id, attempted_at) \
             WHERE user_id IS NOT NULL",
        )
        .await?;
        // Existing links count as mailed: most were, and all expire within a day.
        let mailed = boolean("mailed").default(true).take();
        manager.alter_table(Table::alter().table("sign_in_links").add_column(mailed).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("sign_in_links").drop_column("mailed").take()).await?;
        manager.get_connection().execute_unprepared("DROP INDEX email_codes_person_idx").await?;
        Ok(())
    }
}
