//! Sign-in for other applications: the registered clients, their authorization codes, and the session that a client's
//! session was opened from.

use sea_orm_migration::{
    prelude::*,
    schema::{
        blob, pk_uuid, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

use crate::parts::{create, drop, ends_after_start, index, partial_index, reference, thirty_two_bytes};

/// See the file's comment.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let clients = Table::create()
            .table("clients")
            .col(text("id").primary_key().take())
            .col(text("name"))
            .col(text("redirect_uris"))
            .col(text_null("audience"))
            .col(text_null("logo"))
            .col(timestamp_with_time_zone("created_at"))
            .take();
        create(manager, clients, []).await?;
        let codes = Table::create()
            .table("authorization_codes")
            .col(pk_uuid("id"))
            .col(blob("code_hash"))
            .col(text("client_id"))
            .col(text("redirect_uri"))
            .col(blob("challenge"))
            .col(uuid("session_id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("expires_at"))
            .col(timestamp_with_time_zone_null("used_at"))
            .col(uuid_null("opened_session_id"))
            .check(thirty_two_bytes(backend, "authorization_codes", "code_hash"))
            .check(thirty_two_bytes(backend, "authorization_codes", "challenge"))
            .check(ends_after_start("authorization_codes", "expires_at"))
            .foreign_key(&mut reference("authorization_codes", "session_id", "sessions", ForeignKeyAction::Cascade))
            .take();
        let indexes = [index("authorization_codes", &["expires_at"]), index("authorization_codes", &["session_id"])];
        create(manager, codes, indexes).await?;
        let parent = Table::alter().table("sessions").add_column(uuid_null("parent_id")).take();
        manager.alter_table(parent).await?;
        for column in ["client_id", "parent_id"] {
            manager.create_index(of_clients(column)).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["client_id", "parent_id"] {
            manager
                .drop_index(Index::drop().name(format!("sessions_{column}_idx")).table("sessions").to_owned())
                .await?;
        }
        manager.alter_table(Table::alter().table("sessions").drop_column("parent_id").take()).await?;
        drop(manager, &["authorization_codes", "clients"]).await
    }
}

/// Few sessions belong to a client.
fn of_clients(column: &'static str) -> IndexCreateStatement {
    let condition = if column == "client_id" { "client_id IS NOT NULL" } else { "parent_id IS NOT NULL" };
    partial_index("sessions", column, condition)
}
