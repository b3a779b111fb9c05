//! The content that every installation starts with: `seed.json` has 40 poses, 8 preset sequences and 10 achievements.

use sea_orm_migration::{
    prelude::*,
    sea_orm::{Statement, prelude::Uuid},
};
use serde::Deserialize;
use serde_json::Value as Json;

pub(super) struct Catalogue;

impl MigrationName for Catalogue {
    fn name(&self) -> &'static str {
        "m20261129_000002_catalogue"
    }
}

#[derive(Deserialize)]
struct Seed {
    poses: Vec<Pose>,
    sequences: Vec<Sequence>,
    achievements: Vec<(String, String, String, i32, String)>,
}

#[derive(Deserialize)]
struct Pose {
    name: String,
    sanskrit: String,
    category: String,
    difficulty: String,
    description: String,
    instructions: Json,
    benefits: Json,
    avoid: Json,
    areas: Json,
}

#[derive(Deserialize)]
struct Sequence {
    name: String,
    description: String,
    difficulty: String,
    focus: String,
    style: String,
    /// Names of poses, with seconds.
    poses: Vec<(String, i32)>,
}

/// The first millisecond of 2026: everything of users is newer.
const START: u32 = 1_767_225_600;

/// The id of a row of the catalogue: a UUID v7 of the start.
fn id(table: u16, row: usize) -> Uuid {
    Uuid::from_u128(
        ((u128::from(START) * 1_000) << 80) | (0x7000 << 64) | (0x8000 << 48) | (u128::from(table) << 32) | row as u128,
    )
}

fn broken(error: &impl ToString) -> DbErr {
    DbErr::Custom(format!("seed.json: {}", error.to_string()))
}

#[async_trait::async_trait]
impl MigrationTrait for Catalogue {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let seed: Seed = serde_json::from_str(include_str!("../../seed.json")).map_err(|error| broken(&error))?;
        let poses = seed.poses.iter().enumerate().map(|(row, pose)| {
            let search = format!("{} {}", pose.name, pose.sanskrit).to_lowercase();
            let texts = [&pose.name, &pose.sanskrit, &search, &pose.category, &pose.difficulty, &pose.description];
            let lists = [&pose.instructions, &pose.benefits, &pose.avoid, &pose.areas, &Json::Array(Vec::new())];
            let mut values = vec![id(0, row).into()];
            values.extend(texts.map(|text| Value::from(text.clone())));
            values.extend(lists.map(|list| Value::from(list.clone())));
            values
        });
        insert(manager, "poses", poses.collect()).await?;
        let presets = seed.sequences.iter().enumerate().map(|(row, preset)| {
            let seconds: i32 = preset.poses.iter().map(|(_, seconds)| seconds).sum();
            let created_at = sea_orm_migration::sea_orm::prelude::DateTimeUtc::from_timestamp(START.into(), 0);
            let texts = [&preset.name, &preset.description, &preset.difficulty, &preset.focus, &preset.style];
            let mut values = vec![id(1, row).into(), Value::Uuid(None), "PRESET".into()];
            values.extend(texts.map(|text| Value::from(text.clone())));
            values.extend([seconds.into(), created_at.into()]);
            values
        });
        insert(manager, "sequences", presets.collect()).await?;
        let mut steps: Vec<Vec<Value>> = Vec::new();
        for (row, preset) in seed.sequences.iter().enumerate() {
            for (position, (name, seconds)) in (0_i32..).zip(&preset.poses) {
                let pose = seed.poses.iter().position(|pose| pose.name == *name).ok_or_else(|| broken(name))?;
                let step = [id(1, row).into(), position.into(), id(0, pose).into(), (*seconds).into(), "".into()];
                steps.push(step.into());
            }
        }
        insert(manager, "sequence_poses", steps).await?;
        let achievements = seed.achievements.into_iter().enumerate();
        let achievements = achievements.map(|(row, (name, description, rule, threshold, badge))| {
            vec![id(2, row).into(), name.into(), description.into(), rule.into(), threshold.into(), badge.into()]
        });
        insert(manager, "achievements", achievements.collect()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let database = manager.get_connection();
        // Sequences of users use the poses.
        for table in ["achievements", "sequences", "poses"] {
            database.execute_unprepared(&format!("DELETE FROM {table}")).await?;
        }
        Ok(())
    }
}

/// Inserts rows that have all columns of a table, in the order of its definition.
async fn insert(manager: &SchemaManager<'_>, table: &str, rows: Vec<Vec<Value>>) -> Result<(), DbErr> {
    let database = manager.get_connection();
    for row in rows {
        let places: Vec<_> = (1..=row.len()).map(|number| format!("${number}")).collect();
        let sql = format!("INSERT INTO {table} VALUES ({})", places.join(", "));
        database.execute_raw(Statement::from_sql_and_values(manager.get_database_backend(), sql, row)).await?;
    }
    Ok(())
}
