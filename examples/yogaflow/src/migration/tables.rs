//! The tables. Those of a user refer to `users`, so that erasing a user erases their rows.

use sea_orm_migration::{
    prelude::*,
    schema::{integer, json, pk_uuid, string_len, string_len_null, text, timestamp_with_time_zone, uuid, uuid_null},
};

pub(super) struct Tables;

impl MigrationName for Tables {
    fn name(&self) -> &'static str {
        "m20261129_000001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Tables {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        poses(manager).await?;
        sequences(manager).await?;
        practices(manager).await?;
        achievements(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "user_achievements",
            "achievements",
            "practice_sessions",
            "user_favorites",
            "sequence_poses",
            "sequences",
            "poses",
        ] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

/// A foreign key to the `id` of another table.
fn to(
    table: &'static str,
    column: &'static str,
    target: &'static str,
    on: ForeignKeyAction,
) -> ForeignKeyCreateStatement {
    let name = format!("{table}_{column}_fkey");
    ForeignKey::create().name(name).from(table, column).to(target, "id").on_delete(on).take()
}

/// An index whose name lists its columns.
fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(format!("{table}_{}_idx", columns.join("_"))).table(table).take();
    for column in columns {
        index.col(*column);
    }
    index
}

async fn poses(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("poses")
        .col(pk_uuid("id"))
        .col(text("name").unique_key())
        .col(text("sanskrit_name"))
        .col(text("search"))
        .col(string_len("category", 16))
        .col(string_len("difficulty", 16))
        .col(text("description"))
        .col(json("instructions"))
        .col(json("benefits"))
        .col(json("contraindications"))
        .col(json("target_areas"))
        .col(json("image_urls"))
        .take();
    manager.create_table(table).await
}

async fn sequences(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("sequences")
        .col(pk_uuid("id"))
        .col(uuid_null("owner_id"))
        .col(string_len("visibility", 16))
        .col(text("name"))
        .col(text("description"))
        .col(string_len("difficulty", 16))
        .col(string_len("focus_area", 16))
        .col(string_len("style", 16))
        .col(integer("seconds"))
        .col(timestamp_with_time_zone("created_at"))
        .foreign_key(&mut to("sequences", "owner_id", "users", ForeignKeyAction::Cascade))
        .take();
    manager.create_table(table).await?;
    manager.create_index(index("sequences", &["owner_id", "id"])).await?;
    manager.create_index(index("sequences", &["visibility", "id"])).await?;
    let table = Table::create()
        .table("sequence_poses")
        .col(uuid("sequence_id"))
        .col(integer("position"))
        .col(uuid("pose_id"))
        .col(integer("seconds"))
        .col(text("notes"))
        .primary_key(Index::create().col("sequence_id").col("position"))
        .foreign_key(&mut to("sequence_poses", "sequence_id", "sequences", ForeignKeyAction::Cascade))
        .foreign_key(&mut to("sequence_poses", "pose_id", "poses", ForeignKeyAction::NoAction))
        .take();
    manager.create_table(table).await?;
    manager.create_index(index("sequence_poses", &["pose_id"])).await?;
    let table = Table::create()
        .table("user_favorites")
        .col(uuid("user_id"))
        .col(uuid("sequence_id"))
        .primary_key(Index::create().col("user_id").col("sequence_id"))
        .foreign_key(&mut to("user_favorites", "user_id", "users", ForeignKeyAction::Cascade))
        .foreign_key(&mut to("user_favorites", "sequence_id", "sequences", ForeignKeyAction::Cascade))
        .take();
    manager.create_table(table).await?;
    manager.create_index(index("user_favorites", &["sequence_id"])).await
}

async fn practices(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("practice_sessions")
        .col(pk_uuid("id"))
        .col(uuid("user_id"))
        .col(uuid_null("sequence_id"))
        .col(text("name"))
        .col(string_len("style", 16))
        .col(timestamp_with_time_zone("started_at"))
        .col(ColumnDef::new("ended_at").timestamp_with_time_zone())
        .col(integer("seconds"))
        .col(text("notes"))
        .col(string_len_null("mood", 16))
        .foreign_key(&mut to("practice_sessions", "user_id", "users", ForeignKeyAction::Cascade))
        .foreign_key(&mut to("practice_sessions", "sequence_id", "sequences", ForeignKeyAction::SetNull))
        .take();
    manager.create_table(table).await?;
    manager.create_index(index("practice_sessions", &["user_id", "id"])).await?;
    manager.create_index(index("practice_sessions", &["user_id", "started_at"])).await?;
    manager.create_index(index("practice_sessions", &["sequence_id"])).await?;
    // A user has one practice in progress. The query builder has no partial index.
    let one = "CREATE UNIQUE INDEX practice_sessions_in_progress_key ON practice_sessions (user_id) \
               WHERE ended_at IS NULL";
    manager.get_connection().execute_unprepared(one).await.map(drop)
}

async fn achievements(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("achievements")
        .col(pk_uuid("id"))
        .col(text("name").unique_key())
        .col(text("description"))
        .col(string_len("rule", 16))
        .col(integer("threshold"))
        .col(text("badge"))
        .take();
    manager.create_table(table).await?;
    let table = Table::create()
        .table("user_achievements")
        .col(uuid("user_id"))
        .col(uuid("achievement_id"))
        .col(timestamp_with_time_zone("earned_at"))
        .primary_key(Index::create().col("user_id").col("achievement_id"))
        .foreign_key(&mut to("user_achievements", "user_id", "users", ForeignKeyAction::Cascade))
        .foreign_key(&mut to("user_achievements", "achievement_id", "achievements", ForeignKeyAction::Cascade))
        .take();
    manager.create_table(table).await?;
    manager.create_index(index("user_achievements", &["achievement_id"])).await
}
