//! What the hourly purge walks: indexes that hold only rows which still have something to forget, so that a purge costs
//! what it forgets and never what the table holds.
//! None is over a column that a request of a signed-in person writes: PostgreSQL then writes every index of the row.

use sea_orm_migration::prelude::*;

/// See the file's comment.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Name and the rest. The purge says the conditions in the same words (`forget_addresses` and `purge` in `domain/`).
const INDEXES: [(&str, &str); 5] = [
    (
        "audit_events_forget_idx",
        "audit_events (at) WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL OR refusal_key IS NOT NULL",
    ),
    // Not `last_seen_at`, which every active person writes once a minute.
    ("sessions_forget_idx", "sessions (created_at) WHERE ip_address IS NOT NULL"),
    ("devices_forget_idx", "devices (last_used_at) WHERE ip_address IS NOT NULL"),
    ("devices_expires_at_idx", "devices (expires_at)"),
    ("email_codes_forget_idx", "email_codes (expires_at) WHERE email <> ''"),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, rest) in INDEXES {
            // Whoever has a very large table may have made it beforehand, while everybody went on writing.
            let sql = format!("CREATE INDEX IF NOT EXISTS {name} ON {rest}");
            manager.get_connection().execute_unprepared(&sql).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, _) in INDEXES {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {name}")).await?;
        }
        Ok(())
    }
}
