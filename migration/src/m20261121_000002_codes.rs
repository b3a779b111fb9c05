//! One-time codes and sign-in links. No foreign keys: they exist for addresses without an account too.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, blob_null, blob_uniq, boolean, pk_uuid, text, timestamp_with_time_zone, timestamp_with_time_zone_null,
        uuid_null,
    },
};

use crate::parts::{at_least, canonical_email, counter, create, drop, ends_after_start, index, thirty_two_bytes};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(
            manager,
            email_codes(manager),
            // The first is for the guessing budget: units charged to a key since a time.
            [index("email_codes", &["budget_key", "attempted_at"]), index("email_codes", &["expires_at"])],
        )
        .await?;
        create(manager, sign_in_links(manager), [index("sign_in_links", &["expires_at"])]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["sign_in_links", "email_codes"]).await
    }
}

fn email_codes(manager: &SchemaManager) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    // No check that a code expires after its creation: invalidating one early writes the current time, and replicas'
    // clocks may differ by more than the challenge's age.
    Table::create()
        .table("email_codes")
        .col(pk_uuid("id"))
        .col(blob_uniq("handle_hash"))
        .col(text("purpose"))
        .col(blob("address_key"))
        .col(blob("budget_key"))
        .col(text("email"))
        .col(uuid_null("device_id"))
        .col(boolean("fixed"))
        .col(blob("code_hash"))
        .col(blob_null("earlier_hash"))
        .col(timestamp_with_time_zone_null("earlier_expires_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(counter("attempts", 0))
        .col(counter("units", 0))
        .col(timestamp_with_time_zone_null("attempted_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("consumed_at"))
        .check(thirty_two_bytes(backend, "email_codes", "handle_hash"))
        .check(thirty_two_bytes(backend, "email_codes", "address_key"))
        .check(thirty_two_bytes(backend, "email_codes", "budget_key"))
        .check(thirty_two_bytes(backend, "email_codes", "code_hash"))
        .check(thirty_two_bytes(backend, "email_codes", "earlier_hash"))
        .check(canonical_email("email_codes"))
        .check(at_least("email_codes", "attempts", 0))
        .check(at_least("email_codes", "units", 0))
        .take()
}

fn sign_in_links(manager: &SchemaManager) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    Table::create()
        .table("sign_in_links")
        .col(pk_uuid("id"))
        .col(blob_uniq("address_key"))
        .col(text("email"))
        .col(blob_uniq("token_hash"))
        .col(blob("sealed"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("consumed_at"))
        .check(thirty_two_bytes(backend, "sign_in_links", "address_key"))
        .check(thirty_two_bytes(backend, "sign_in_links", "token_hash"))
        .check(canonical_email("sign_in_links"))
        .check(ends_after_start("sign_in_links", "expires_at"))
        .take()
}
