//! API keys. Each belongs to a user and goes with them.

use sea_orm_migration::{
    prelude::*,
    schema::{blob, blob_null, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid},
};

use crate::parts::{create, drop, ends_after_start, index, partial_index, reference, thirty_two_bytes};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let table = Table::create()
            .table("api_keys")
            .col(pk_uuid("id"))
            .col(uuid("user_id"))
            .col(text("name"))
            .col(blob("key_hash"))
            .col(blob_null("previous_hash"))
            .col(timestamp_with_time_zone_null("previous_until"))
            .col(text("scopes"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("expires_at"))
            .col(timestamp_with_time_zone_null("last_used_at"))
            .col(timestamp_with_time_zone_null("revoked_at"))
            .check(thirty_two_bytes(backend, "api_keys", "key_hash"))
            .check(thirty_two_bytes(backend, "api_keys", "previous_hash"))
            .check(ends_after_start("api_keys", "expires_at"))
            .foreign_key(&mut reference("api_keys", "user_id", "users", ForeignKeyAction::Cascade))
            .take();
        let indexes = [
            index("api_keys", &["user_id", "id"]),
            partial_index("api_keys", "expires_at", "expires_at IS NOT NULL"),
            partial_index("api_keys", "revoked_at", "revoked_at IS NOT NULL"),
        ];
        create(manager, table, indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["api_keys"]).await
    }
}
