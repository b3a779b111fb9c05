//! Notes: an application with one table. Users see only their own notes.

use std::process::ExitCode;

use async_graphql::{Context, EmptySubscription, ID, Object, SimpleObject};
use doorcode::{
    cli::Application,
    db,
    domain::access::Member,
    error::Error,
    graphql::{Api, error::ApiError, parts, relay::OwnKind},
};
use sea_orm::{QueryOrder, QuerySelect, entity::prelude::*};
use sea_orm_migration::prelude as migrate;

#[sea_orm::model]
#[derive(Clone, Debug, DeriveEntityModel)]
#[sea_orm(table_name = "notes")]
struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Uuid,
    user_id: Uuid,
    text: String,
}

impl ActiveModelBehavior for ActiveModel {}

const NOTE: OwnKind = OwnKind::new('n');

/// A note, visible only to its owner.
#[derive(SimpleObject)]
struct Note {
    id: ID,
    text: String,
}

struct NotesQuery;

#[Object]
impl NotesQuery {
    /// Your newest notes.
    async fn notes(&self, ctx: &Context<'_>) -> Result<Vec<Note>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let mine = Entity::find().filter(Column::UserId.eq(viewer.person()?.user().id)).order_by_desc(Column::Id);
        let rows = mine.limit(100).all(domain.db.read()).await.map_err(Error::from)?;
        Ok(rows.into_iter().map(|Model { id, text, .. }| Note { id: NOTE.encode(id), text }).collect())
    }
}

struct NotesMutation;

#[Object]
impl NotesMutation {
    /// Adds a note of 1 to 2,000 characters. Requires the role USER.
    async fn add_note(&self, ctx: &Context<'_>, text: String) -> Result<Note, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "addNote").await?;
        let text = text.trim().to_owned();
        if !(1..=2_000).contains(&text.chars().count()) {
            return Err(ApiError::input("text", "A note must have 1 to 2,000 characters."));
        }
        let row = Model { id: domain.new_id(domain.now()), user_id: member.user().id, text };
        db::insert(domain.db.write(), row.clone()).await?;
        Ok(Note { id: NOTE.encode(row.id), text: row.text })
    }
}

/// The table. Erasing a user erases their notes.
#[derive(migrate::DeriveMigrationName)]
struct CreateNotes;

#[async_trait::async_trait]
impl migrate::MigrationTrait for CreateNotes {
    async fn up(&self, manager: &migrate::SchemaManager) -> Result<(), DbErr> {
        let sql = "CREATE TABLE notes (id uuid PRIMARY KEY, text text NOT NULL, \
                   user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE); \
                   CREATE INDEX notes_user_id_id_idx ON notes (user_id, id)";
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }
}

struct Migrator;

impl migrate::MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn migrate::MigrationTrait>> {
        vec![Box::new(CreateNotes)]
    }

    fn migration_table_name() -> migrate::DynIden {
        migrate::IntoIden::into_iden("notes_migrations")
    }
}

fn main() -> ExitCode {
    Application::new("Notes", |ctx| Api::merged(NotesQuery, NotesMutation, EmptySubscription, ctx)).main::<Migrator>()
}
