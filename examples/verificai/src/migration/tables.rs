//! The tables. Those of a user refer to `users`, so that erasing a user erases their rows.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, date, integer, json, pk_uuid, string_len, string_len_null, text, timestamp_with_time_zone,
        timestamp_with_time_zone_null, uuid, uuid_null,
    },
};

pub(super) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m20261130_000001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        prompts(manager).await?;
        analyses(manager).await?;
        files(manager).await?;
        results(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "system_settings",
            "analysis_results",
            "analysis_texts",
            "analysis_files",
            "analyses",
            "prompt_versions",
            "prompts",
        ] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

/// A foreign key to the `id` of another table. Erasing that row erases this one.
fn to(table: &'static str, column: &'static str, target: &'static str) -> ForeignKeyCreateStatement {
    let name = format!("{table}_{column}_fkey");
    ForeignKey::create().name(name).from(table, column).to(target, "id").on_delete(ForeignKeyAction::Cascade).take()
}

async fn prompts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("prompts")
        .col(pk_uuid("id"))
        .col(uuid_null("owner_id"))
        .col(text("name"))
        .col(string_len("kind", 16))
        .col(integer("active_version"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut to("prompts", "owner_id", "users"))
        .take();
    manager.create_table(table).await?;
    let index = Index::create().name("prompts_owner_id_id_idx").table("prompts").col("owner_id").col("id").take();
    manager.create_index(index).await?;
    let table = Table::create()
        .table("prompt_versions")
        .col(uuid("prompt_id"))
        .col(integer("number"))
        .col(text("text"))
        .col(json("variables"))
        .col(string_len("model", 100))
        .col(json("parameters"))
        .col(timestamp_with_time_zone("created_at"))
        .primary_key(Index::create().col("prompt_id").col("number"))
        .foreign_key(&mut to("prompt_versions", "prompt_id", "prompts"))
        .take();
    manager.create_table(table).await
}

async fn analyses(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut version = ForeignKey::create()
        .name("analyses_prompt_version_fkey")
        .from("analyses", ("prompt_id", "prompt_version"))
        .to("prompt_versions", ("prompt_id", "number"))
        .on_delete(ForeignKeyAction::Cascade)
        .take();
    let table = Table::create()
        .table("analyses")
        .col(pk_uuid("id"))
        .col(uuid("owner_id"))
        .col(uuid("prompt_id"))
        .col(integer("prompt_version"))
        .col(string_len("status", 16))
        .col(integer("progress"))
        .col(integer("attempts"))
        .col(big_integer("turn"))
        .col(string_len("idempotency_key", 100))
        .col(string_len("request_hash", 64))
        .col(json("variables"))
        .col(uuid_null("lease_id"))
        .col(timestamp_with_time_zone_null("lease_until"))
        .col(timestamp_with_time_zone("ready_at"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone_null("started_at"))
        .col(timestamp_with_time_zone_null("finished_at"))
        .col(string_len_null("error", 1_000))
        .foreign_key(&mut to("analyses", "owner_id", "users"))
        .foreign_key(&mut version)
        .take();
    manager.create_table(table).await?;
    // The query builder has no partial index. Those of the queue hold only what workers look for, however many analyses
    // are finished.
    for sql in [
        "CREATE UNIQUE INDEX analyses_idempotency_key ON analyses (owner_id, idempotency_key)",
        "CREATE INDEX analyses_owner_id_id_idx ON analyses (owner_id, id)",
        "CREATE INDEX analyses_owner_id_status_id_idx ON analyses (owner_id, status, id)",
        "CREATE INDEX analyses_prompt_idx ON analyses (prompt_id, prompt_version)",
        "CREATE INDEX analyses_queued_idx ON analyses (turn, id) WHERE status = 'QUEUED'",
        "CREATE INDEX analyses_running_idx ON analyses (lease_until) WHERE status = 'RUNNING'",
        "CREATE INDEX analyses_unfinished_idx ON analyses (owner_id, turn) WHERE status IN ('QUEUED', 'RUNNING')",
    ] {
        manager.get_connection().execute_unprepared(sql).await?;
    }
    Ok(())
}

async fn files(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("analysis_files")
        .col(uuid("analysis_id"))
        .col(integer("position"))
        .col(text("name"))
        .col(integer("bytes"))
        .col(string_len("sha256", 64))
        .col(string_len("language", 16))
        .col(string_len("status", 16))
        .primary_key(Index::create().col("analysis_id").col("position"))
        .foreign_key(&mut to("analysis_files", "analysis_id", "analyses"))
        .take();
    manager.create_table(table).await?;
    let table = Table::create()
        .table("analysis_texts")
        .col(uuid("analysis_id"))
        .col(integer("position"))
        .col(text("text"))
        .primary_key(Index::create().col("analysis_id").col("position"))
        .foreign_key(&mut to("analysis_texts", "analysis_id", "analyses"))
        .take();
    manager.create_table(table).await
}

async fn results(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("analysis_results")
        .col(pk_uuid("analysis_id"))
        .col(uuid("owner_id"))
        .col(date("day"))
        .col(json("findings"))
        .col(big_integer("tokens_in"))
        .col(big_integer("tokens_out"))
        .col(string_len("model", 100))
        .col(big_integer("cost"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut to("analysis_results", "analysis_id", "analyses"))
        .foreign_key(&mut to("analysis_results", "owner_id", "users"))
        .take();
    manager.create_table(table).await?;
    let mut index = Index::create().name("analysis_results_owner_id_day_idx").table("analysis_results").take();
    manager.create_index(index.col("owner_id").col("day").take()).await?;
    let mut changed_by = ForeignKey::create()
        .name("system_settings_changed_by_fkey")
        .from("system_settings", "changed_by")
        .to("users", "id")
        .on_delete(ForeignKeyAction::SetNull)
        .take();
    let table = Table::create()
        .table("system_settings")
        .col(string_len("key", 40).primary_key())
        .col(json("value"))
        .col(uuid_null("changed_by"))
        .col(timestamp_with_time_zone("changed_at"))
        .foreign_key(&mut changed_by)
        .take();
    manager.create_table(table).await
}
