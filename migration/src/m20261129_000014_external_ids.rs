//! The id that an imported user had in the system they came from.

use sea_orm_migration::{prelude::*, schema::text_null};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

const INDEX: &str = "users_external_id_idx";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = Table::alter().table("users").add_column(text_null("external_id")).take();
        manager.alter_table(column).await?;
        let sql = format!("CREATE UNIQUE INDEX {INDEX} ON users (external_id) WHERE external_id IS NOT NULL");
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&format!("DROP INDEX {INDEX}")).await?;
        manager.alter_table(Table::alter().table("users").drop_column("external_id").take()).await
    }
}
