//! Index for erasing users: events that have the keyed label of an address but no user. It is partial, because few
//! kinds have one.

use sea_orm_migration::prelude::*;

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Operators with a very large table may have created it before, concurrently.
        let sql = "CREATE INDEX IF NOT EXISTS audit_events_address_idx ON audit_events ((detail ->> 'address')) \
                   WHERE detail ->> 'address' IS NOT NULL";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DROP INDEX audit_events_address_idx").await.map(drop)
    }
}
