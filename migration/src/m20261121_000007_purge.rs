//! Partial indexes for the hourly purge: they contain only rows with something left to purge, so the cost depends on
//! these and not on the table.
//! None is over a column that signed-in requests update, because PostgreSQL would then write every index of the row.

use sea_orm_migration::prelude::*;

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Name and definition. The conditions must match the SQL of the purge (`forget_addresses` and `purge` in `domain/`).
const INDEXES: [(&str, &str); 5] = [
    (
        "audit_events_forget_idx",
        "audit_events (at) WHERE ip_address IS NOT NULL OR user_agent IS NOT NULL OR refusal_key IS NOT NULL",
    ),
    // Not `last_seen_at`, which is updated once a minute for every active user.
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
            // Operators with a very large table may have created it before, concurrently.
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
