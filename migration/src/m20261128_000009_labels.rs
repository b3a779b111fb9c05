//! What erasing people looks for: events that name nobody but have the keyed label of an address. Few kinds have one, so
//! the index is partial.

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
        // As in the steps before: whoever has a very large table may have made it beforehand.
        let sql = "CREATE INDEX IF NOT EXISTS audit_events_address_idx ON audit_events ((detail ->> 'address')) \
                   WHERE detail ->> 'address' IS NOT NULL";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX audit_events_address_idx").await.map(drop)
    }
}
