//! User management: versions, soft deletion, languages, indexes for lists, and email address changes that can be
//! undone.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob_uniq, pk_uuid, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
    },
    sea_orm::DbBackend,
};

use crate::parts::{check, create, drop, ends_after_start, index, reference, thirty_two_bytes};

/// The migration.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// Lists of users are read by role and status, then in their order. So each page is a few index ranges, whatever the
/// filter.
const LISTS: [&str; 3] = ["created_at, id", "email, id", "name_key, id"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        let deleted = check("users", "deleted_at", "deleted_at IS NULL OR status = 'DELETED'");
        add(manager, "users", ColumnDef::new("version").integer().not_null().default(1)).await?;
        add(manager, "users", ColumnDef::new("name_key").text().not_null().default("")).await?;
        add(manager, "users", &mut text_null("locale")).await?;
        add(manager, "users", timestamp_with_time_zone_null("deleted_at").check(deleted)).await?;
        // Accounts deleted before this migration are erased in time, too.
        db.execute_unprepared("UPDATE users SET deleted_at = updated_at WHERE status = 'DELETED'").await?;
        add(manager, "email_codes", &mut uuid_null("user_id")).await?;
        add(manager, "email_codes", &mut text_null("locale")).await?;
        db.execute_unprepared("UPDATE users SET name_key = lower(name) WHERE name IS NOT NULL").await?;
        let postgres = manager.get_database_backend() == DbBackend::Postgres;
        if postgres {
            // Byte order, so that a prefix is an index range as in SQLite.
            for column in ["email", "name_key"] {
                db.execute_unprepared(&format!(r#"ALTER TABLE users ALTER COLUMN {column} TYPE text COLLATE "C""#))
                    .await?;
            }
        }
        for order in LISTS {
            let name = order.split(',').next().unwrap_or_default();
            db.execute_unprepared(&format!("CREATE INDEX users_list_{name}_idx ON users (role, status, {order})"))
                .await?;
        }
        // A user who never signed in sorts at the beginning of time. SQLite can only use an index on plain columns
        // here, so there the expression is a generated column.
        let key = if postgres {
            "COALESCE(last_sign_in_at, TIMESTAMPTZ '1970-01-01 00:00:00+00')"
        } else {
            let key = "TEXT GENERATED ALWAYS AS (COALESCE(last_sign_in_at, '1970-01-01T00:00:00+00:00')) VIRTUAL";
            db.execute_unprepared(&format!("ALTER TABLE users ADD COLUMN last_sign_in_key {key}")).await?;
            "last_sign_in_key"
        };
        let sql = format!("CREATE INDEX users_list_last_sign_in_at_idx ON users (role, status, {key}, id)");
        db.execute_unprepared(&sql).await?;
        // The open sessions of a user, however many have ended.
        db.execute_unprepared("CREATE INDEX sessions_open_idx ON sessions (user_id, id) WHERE ended_at IS NULL")
            .await?;
        db.execute_unprepared("CREATE INDEX users_deleted_at_idx ON users (deleted_at) WHERE deleted_at IS NOT NULL")
            .await?;
        let indexes = [index("email_changes", &["user_id"]), index("email_changes", &["expires_at"])];
        create(manager, email_changes(manager), indexes).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop(manager, &["email_changes"]).await?;
        let db = manager.get_connection();
        for name in ["list_created_at", "list_email", "list_name_key", "list_last_sign_in_at", "deleted_at"] {
            db.execute_unprepared(&format!("DROP INDEX users_{name}_idx")).await?;
        }
        db.execute_unprepared("DROP INDEX sessions_open_idx").await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared(r#"ALTER TABLE users ALTER COLUMN email TYPE text COLLATE "default""#).await?;
        } else {
            db.execute_unprepared("ALTER TABLE users DROP COLUMN last_sign_in_key").await?;
        }
        let columns = [
            ("users", ["version", "name_key", "locale", "deleted_at"].as_slice()),
            ("email_codes", ["user_id", "locale"].as_slice()),
        ];
        for (table, columns) in columns {
            for column in columns {
                let change = Table::alter().table(table).drop_column(*column).take();
                manager.alter_table(change).await?;
            }
        }
        Ok(())
    }
}

async fn add(manager: &SchemaManager<'_>, table: &'static str, column: &mut ColumnDef) -> Result<(), DbErr> {
    manager.alter_table(Table::alter().table(table).add_column(column.take()).take()).await
}

fn email_changes(manager: &SchemaManager) -> TableCreateStatement {
    let backend = manager.get_database_backend();
    Table::create()
        .table("email_changes")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(text("old_email"))
        .col(text("new_email"))
        .col(blob_uniq("token_hash"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("expires_at"))
        .col(timestamp_with_time_zone_null("undone_at"))
        .check(thirty_two_bytes(backend, "email_changes", "token_hash"))
        .check(ends_after_start("email_changes", "expires_at"))
        .check(check("email_changes", "old_email", "old_email = lower(old_email) AND length(old_email) <= 254"))
        .check(check("email_changes", "new_email", "new_email = lower(new_email) AND length(new_email) <= 254"))
        .foreign_key(&mut reference("email_changes", "user_id", "users", ForeignKeyAction::Cascade))
        .take()
}
