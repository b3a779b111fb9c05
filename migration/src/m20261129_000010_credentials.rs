//! Many ways to sign in: each proof of a session is a row of `authentications`, passwords have a table, and so have the
//! tries that their guessing budget counts. Challenges carry what a registration waits with.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, blob_null, boolean, integer, pk_uuid, text, text_null, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null, uuid_uniq,
    },
    sea_orm::{DbBackend, Statement},
};

use crate::parts::{at_least, create, drop, ends_after_start, index, one_of, reference, thirty_two_bytes};

/// See the file's comment.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Columns of `sessions` that stay, in the order of the table.
const KEPT: &str = "id, user_id, device_id, created_at, last_seen_at, idle_expires_at, expires_at, ended_at, end_reason, \
                    user_agent, ip_address, refresh_hash, previous_hash, rotated_at, successor";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        db.execute_unprepared(
            "CREATE TEMPORARY TABLE proofs AS SELECT id, method, credential_id, created_at FROM sessions",
        )
        .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            for column in ["credential_id", "method"] {
                remove(manager, "sessions", column).await?;
            }
        } else {
            rebuild(manager, sessions(manager, &mut []), KEPT, &format!("SELECT {KEPT} FROM old_sessions")).await?;
        }
        add(manager, "sessions", boolean("remembered").default(true)).await?;
        add(manager, "sessions", &mut text_null("client_id")).await?;
        add(manager, "sessions", &mut timestamp_with_time_zone_null("disowned_at")).await?;
        create(manager, authentications(), [index("authentications", &["session_id", "at"])]).await?;
        db.execute_unprepared(
            "INSERT INTO authentications (session_id, method, proof_id, at) \
             SELECT id, method, credential_id, created_at FROM proofs",
        )
        .await?;
        db.execute_unprepared("DROP TABLE proofs").await?;
        create(manager, passwords(), []).await?;
        let tries = [index("password_tries", &["budget_key", "at"]), index("password_tries", &["at"])];
        create(manager, password_tries(manager), tries).await?;
        add(manager, "email_codes", boolean("remember").default(true)).await?;
        add(manager, "email_codes", &mut blob_null("sealed")).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        remove(manager, "email_codes", "sealed").await?;
        remove(manager, "email_codes", "remember").await?;
        // The purpose is part of every code's hash, so none of these codes signs in; their tries stay counted.
        db.execute_unprepared(
            "UPDATE email_codes SET purpose = 'sign_in' WHERE purpose IN ('register', 'reset_password')",
        )
        .await?;
        // The first proof of a session is the one that opened it.
        db.execute_unprepared(
            "CREATE TEMPORARY TABLE proofs AS SELECT session_id, method, proof_id FROM authentications a \
             WHERE at = (SELECT MIN(at) FROM authentications b WHERE b.session_id = a.session_id)",
        )
        .await?;
        drop(manager, &["password_tries", "passwords", "authentications"]).await?;
        let methods = &mut [uuid_uniq("credential_id"), text("method")];
        if manager.get_database_backend() == DbBackend::Postgres {
            for column in ["remembered", "client_id", "disowned_at"] {
                remove(manager, "sessions", column).await?;
            }
            add(manager, "sessions", &mut uuid_null("credential_id")).await?;
            add(manager, "sessions", &mut text_null("method")).await?;
            for sql in [
                "UPDATE sessions SET credential_id = p.proof_id, method = p.method FROM proofs p WHERE p.session_id = id",
                "ALTER TABLE sessions ALTER COLUMN credential_id SET NOT NULL, ALTER COLUMN method SET NOT NULL, \
                 ADD CONSTRAINT sessions_credential_id_key UNIQUE (credential_id)",
            ] {
                db.execute_unprepared(sql).await?;
            }
        } else {
            let columns = format!("{KEPT}, credential_id, method");
            let rows = format!(
                "SELECT {KEPT}, p.proof_id, p.method FROM old_sessions JOIN proofs p ON p.session_id = old_sessions.id"
            );
            rebuild(manager, sessions(manager, methods), &columns, &rows).await?;
        }
        db.execute_unprepared("DROP TABLE proofs").await.map(|_| ())
    }
}

/// Puts a new `sessions` in the place of the old one, with its rows and its indexes. SQLite cannot drop a unique
/// column.
async fn rebuild(
    manager: &SchemaManager<'_>,
    table: TableCreateStatement,
    columns: &str,
    rows: &str,
) -> Result<(), DbErr> {
    let db = manager.get_connection();
    let indexes = "SELECT sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'sessions' AND sql IS NOT NULL";
    let indexes = db.query_all_raw(Statement::from_string(DbBackend::Sqlite, indexes)).await?;
    // Nothing refers to `sessions` yet, or the rows that do are gone: dropping the table takes nothing else along.
    db.execute_unprepared("CREATE TEMPORARY TABLE old_sessions AS SELECT * FROM sessions").await?;
    drop(manager, &["sessions"]).await?;
    manager.create_table(table).await?;
    db.execute_unprepared(&format!("INSERT INTO sessions ({columns}) {rows}")).await?;
    db.execute_unprepared("DROP TABLE old_sessions").await?;
    for index in indexes {
        db.execute_unprepared(&index.try_get::<String>("", "sql")?).await?;
    }
    Ok(())
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: &mut ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column.take()).take()).await
}

async fn remove(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).drop_column(column).take()).await
}

fn sessions(manager: &SchemaManager<'_>, more: &mut [ColumnDef]) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    let mut table = Table::create();
    table
        .table("sessions")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(uuid_null("device_id"))
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
        .col(blob_null("successor"));
    for column in more {
        table.col(column.take());
    }
    table
        .check(thirty_two_bytes(backend, "sessions", "refresh_hash"))
        .check(thirty_two_bytes(backend, "sessions", "previous_hash"))
        .check(ends_after_start("sessions", "idle_expires_at"))
        .check(ends_after_start("sessions", "expires_at"))
        .foreign_key(&mut reference("sessions", "user_id", "users", ForeignKeyAction::Cascade))
        .foreign_key(&mut reference("sessions", "device_id", "devices", ForeignKeyAction::SetNull))
        .take()
}

fn authentications() -> TableCreateStatement {
    Table::create()
        .table("authentications")
        .col(uuid("session_id"))
        .col(text("method"))
        .col(uuid("proof_id").primary_key().take())
        .col(timestamp_with_time_zone("at"))
        .check(one_of("authentications", "method", &["otp", "link", "pwd"]))
        .foreign_key(&mut reference("authentications", "session_id", "sessions", ForeignKeyAction::Cascade))
        .take()
}

fn passwords() -> TableCreateStatement {
    Table::create()
        .table("passwords")
        .col(pk_uuid("user_id"))
        .col(blob("sealed"))
        .col(integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("changed_at"))
        .check(at_least("passwords", "version", 1))
        .foreign_key(&mut reference("passwords", "user_id", "users", ForeignKeyAction::Cascade))
        .take()
}

fn password_tries(manager: &SchemaManager<'_>) -> TableCreateStatement {
    Table::create()
        .table("password_tries")
        .col(pk_uuid("id"))
        .col(blob("budget_key"))
        .col(timestamp_with_time_zone("at"))
        .col(boolean("noticed").default(false).take())
        .check(thirty_two_bytes(manager.get_database_backend(), "password_tries", "budget_key"))
        .take()
}
