//! The audit trail. No foreign keys: events outlive users.

use sea_orm_migration::{
    prelude::*,
    schema::{json_binary, pk_uuid, text, text_null, timestamp_with_time_zone, uuid_null},
};

use crate::parts::{at_least, counter, create, drop, index};

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
            .table("audit_events")
            .col(pk_uuid("id"))
            .col(timestamp_with_time_zone("at"))
            .col(text("kind"))
            .col(uuid_null("actor_id"))
            .col(uuid_null("subject_id"))
            .col(text_null("ip_address"))
            .col(text_null("user_agent"))
            .col(text_null("request_id"))
            .col(json_binary("detail"))
            .col(counter("count", 1))
            .col(text_null("refusal_key").unique_key().take())
            .check(at_least("audit_events", "count", 1))
            .take();
        create(
            manager,
            table,
            // Ids are chronological, so with each filter a page is an index range.
            [
                index("audit_events", &["subject_id", "id"]),
                index("audit_events", &["actor_id", "id"]),
                index("audit_events", &["kind", "id"]),
                index("audit_events", &["at"]),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["audit_events"]).await
    }
}
