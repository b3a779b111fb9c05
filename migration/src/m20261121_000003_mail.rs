//! The outbox: queued mail, and for a while its outcome.

use sea_orm_migration::{
    prelude::*,
    schema::{blob_null, pk_uuid, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null},
};

use crate::parts::{at_least, counter, create, drop, ends_after_start, one_of, partial_index};

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
            .table("outbox")
            .col(pk_uuid("id"))
            .col(text("kind"))
            .col(text("state"))
            .col(blob_null("sealed"))
            .col(counter("attempts", 0))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("next_attempt_at"))
            .col(timestamp_with_time_zone_null("claimed_until"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("finished_at"))
            .col(text_null("last_error"))
            .check(one_of("outbox", "state", &["PENDING", "SENT", "EXPIRED", "FAILED", "DECOY"]))
            .check(at_least("outbox", "attempts", 0))
            .check(ends_after_start("outbox", "expires_at"))
            .take();
        create(
            manager,
            table,
            [
                partial_index("outbox", "next_attempt_at", "state = 'PENDING'"),
                partial_index("outbox", "finished_at", "finished_at IS NOT NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["outbox"]).await
    }
}
