//! Signing keys of access tokens, sealed with the server secret.

use sea_orm_migration::{
    prelude::*,
    schema::{blob, json_binary_null, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

use crate::parts::{create, drop, index, one_of};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("signing_keys")
            .col(pk_uuid("id"))
            .col(text("algorithm"))
            .col(blob("sealed"))
            .col(json_binary_null("public_jwk"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("signs_from"))
            .col(timestamp_with_time_zone_null("retires_at"))
            .check(one_of("signing_keys", "algorithm", &["EdDSA", "ES256", "RS256", "HS256"]))
            .take();
        create(manager, table, [index("signing_keys", &["signs_from"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["signing_keys"]).await
    }
}
