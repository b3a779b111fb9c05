//! Users, their devices and their sessions. Everything is deleted with its user.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, blob_null, blob_uniq, pk_uuid, text, text_null, text_uniq, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null, uuid_uniq,
    },
};

use crate::parts::{
    canonical_email, create, drop, ends_after_start, index, one_of, partial_index, reference, thirty_two_bytes,
};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, users(), []).await?;
        create(manager, devices(manager), [index("devices", &["user_id"])]).await?;
        create(
            manager,
            sessions(manager),
            [
                index("sessions", &["user_id", "created_at"]),
                index("sessions", &["device_id"]),
                index("sessions", &["expires_at"]),
                // For clean-up: successors after their grace period, and ended sessions.
                partial_index("sessions", "rotated_at", "successor IS NOT NULL"),
                partial_index("sessions", "ended_at", "ended_at IS NOT NULL"),
            ],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["sessions", "devices", "users"]).await
    }
}

fn users() -> TableCreateStatement {
    Table::create()
        .table("users")
        .col(pk_uuid("id"))
        .col(text_uniq("email"))
        .col(text_null("name"))
        .col(text("role"))
        .col(text("status"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(timestamp_with_time_zone_null("last_sign_in_at"))
        .check(canonical_email("users"))
        .check(one_of("users", "role", &["GUEST", "USER", "MANAGER", "ADMIN"]))
        .check(one_of("users", "status", &["ACTIVE", "SUSPENDED", "DELETED"]))
        .take()
}

fn devices(manager: &SchemaManager) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    Table::create()
        .table("devices")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(blob_uniq("token_hash"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_used_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(text_null("user_agent"))
        .col(text_null("ip_address"))
        .check(thirty_two_bytes(backend, "devices", "token_hash"))
        .check(ends_after_start("devices", "expires_at"))
        .foreign_key(&mut reference("devices", "user_id", "users", ForeignKeyAction::Cascade))
        .take()
}

fn sessions(manager: &SchemaManager) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    Table::create()
        .table("sessions")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(uuid_null("device_id"))
        .col(uuid_uniq("credential_id"))
        .col(text("method"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("last_seen_at"))
        .col(timestamp_with_time_zone("idle_expires_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("ended_at"))
        .col(text_null("end_reason"))
        .col(text_null("user_agent"))
        .col(text_null("ip_address"))
        .col(blob("refresh_hash"))
        .col(blob_null("previous_hash"))
        .col(timestamp_with_time_zone_null("rotated_at"))
        .col(blob_null("successor"))
        .check(thirty_two_bytes(backend, "sessions", "refresh_hash"))
        .check(thirty_two_bytes(backend, "sessions", "previous_hash"))
        .check(ends_after_start("sessions", "idle_expires_at"))
        .check(ends_after_start("sessions", "expires_at"))
        .foreign_key(&mut reference("sessions", "user_id", "users", ForeignKeyAction::Cascade))
        // Removing a device ends its sessions with an update and keeps their rows.
        .foreign_key(&mut reference("sessions", "device_id", "devices", ForeignKeyAction::SetNull))
        .take()
}
