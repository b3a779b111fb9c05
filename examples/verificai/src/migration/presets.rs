//! The prompts that every installation starts with, from `seed.json`.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{
        Statement,
        prelude::{DateTimeUtc, Uuid},
    },
};
use serde::Deserialize;
use serde_json::{Value as Json, json};

pub(super) struct Presets;

impl MigrationName for Presets {
    fn name(&self) -> &'static str {
        "m20261130_000002_presets"
    }
}

#[derive(Deserialize)]
struct Preset {
    name: String,
    kind: String,
    text: String,
    variables: Json,
    model: String,
}

/// 1 January 2026, so that prompts of users are newer.
const START: u32 = 1_767_225_600;

/// The id of a preset: a UUID v7 of the start.
fn id(row: usize) -> Uuid {
    Uuid::from_u128(((u128::from(START) * 1_000) << 80) | (0x7000 << 64) | (0x8000 << 48) | row as u128)
}

#[async_trait::async_trait]
impl MigrationTrait for Presets {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let presets: Vec<Preset> = serde_json::from_str(include_str!("../../seed.json"))
            .map_err(|error| DbErr::Custom(format!("seed.json: {error}")))?;
        let created_at = DateTimeUtc::from_timestamp(START.into(), 0);
        let insert = async |table: &str, row: Vec<Value>| {
            let places: Vec<_> = (1..=row.len()).map(|number| format!("${number}")).collect();
            let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
            let statement = Statement::from_sql_and_values(manager.get_database_backend(), sql, row);
            manager.get_connection().execute_raw(statement).await.map(drop)
        };
        for (row, Preset { name, kind, text, variables, model }) in presets.into_iter().enumerate() {
            let prompt: [Value; 6] =
                [id(row).into(), Value::Uuid(None), name.into(), kind.into(), 1.into(), created_at.into()];
            insert("prompts", prompt.into()).await?;
            let parameters = json!({ "temperature": null, "max_tokens": null });
            let version: [Value; 7] = [
                id(row).into(),
                1.into(),
                text.into(),
                variables.into(),
                model.into(),
                parameters.into(),
                created_at.into(),
            ];
            insert("prompt_versions", version.into()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared("DELETE FROM prompts WHERE owner_id IS NULL").await.map(drop)
    }
}
