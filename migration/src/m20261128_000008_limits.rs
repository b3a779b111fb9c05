//! What limits count by: the codes of a person for changes of address.

use sea_orm_migration::prelude::*;

/// See the file's comment.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        // As in the step before: whoever has a very large table may have made it beforehand.
        db.execute_unprepared(
            "CREATE INDEX IF NOT EXISTS email_codes_person_idx ON email_codes (user_id, attempted_at) \
             WHERE user_id IS NOT NULL",
        )
        .await?;
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX email_codes_person_idx").await?;
        Ok(())
    }
}
