//! The schema: Doorcode's roots merged with the application's own. Resolvers parse, ask for a proof, make one call and
//! map what comes back; they decide nothing.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MergedObject, MergedSubscription, Object, Schema, SimpleObject};
use chrono::{DateTime, Utc};
use doorcode::{
    domain::{Ctx, access::Member},
    graphql::{
        self, Api, InboxQuery,
        error::ApiError,
        parts,
        relay::{self, Connection, Listed, OwnKind, Page},
    },
};

use crate::note;

const NOTE: OwnKind = OwnKind::new('n');

/// What one wrote down for oneself.
struct Note(note::Model);

/// What one wrote down for oneself.
#[Object]
impl Note {
    /// Opaque and typed.
    async fn id(&self) -> ID {
        NOTE.encode(self.0.id)
    }

    /// What it says.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// When it was written.
    async fn created_at(&self) -> DateTime<Utc> {
        self.0.created_at
    }
}

impl Listed for Note {
    const NAME: &'static str = "Note";
    type List = ();

    async fn count(ctx: &Context<'_>, (): &()) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        Ok(note::count(domain, viewer.person()?).await?)
    }
}

#[derive(Default)]
struct NotesQuery;

#[Object]
impl NotesQuery {
    /// One's own notes, latest first.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Note>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let notes = note::list(domain, viewer.person()?, &page.slice()).await?;
        Ok(Connection::new(&page, notes, |note| relay::cursor(note.id), Note, ()))
    }
}

/// A new note.
#[derive(InputObject)]
struct AddNoteInput {
    /// What it says.
    text: String,
}

/// What became of `addNote`.
#[derive(SimpleObject)]
struct AddNoteResult {
    /// The note.
    note: Note,
}

/// Which note.
#[derive(InputObject)]
struct DeleteNoteInput {
    /// Of the note.
    id: ID,
}

/// What became of `deleteNote`.
#[derive(SimpleObject)]
struct DeleteNoteResult {
    /// Of the note that is gone.
    note_id: ID,
}

#[derive(Default)]
struct NotesMutation;

#[Object]
impl NotesMutation {
    /// Writes a note.
    async fn add_note(&self, ctx: &Context<'_>, input: AddNoteInput) -> Result<AddNoteResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "addNote").await?;
        Ok(AddNoteResult { note: Note(note::add(domain, member, &input.text).await?) })
    }

    /// Deletes a note of one's own.
    async fn delete_note(&self, ctx: &Context<'_>, input: DeleteNoteInput) -> Result<DeleteNoteResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "deleteNote").await?;
        note::delete(domain, member, NOTE.decode("id", &input.id)?).await?;
        Ok(DeleteNoteResult { note_id: input.id })
    }
}

#[derive(MergedObject, Default)]
struct Query(graphql::Query, NotesQuery);

/// Only development has the inbox, so it has a root of its own.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct DevelopmentQuery(graphql::Query, InboxQuery, NotesQuery);

#[derive(MergedObject, Default)]
struct Mutation(graphql::Mutation, NotesMutation);

#[derive(MergedSubscription, Default)]
struct Subscription(graphql::Subscription);

/// The API for [`doorcode::http::Server::of`].
pub fn api(ctx: &Arc<Ctx>) -> Api {
    let (mutation, subscription) = (Mutation::default(), Subscription::default());
    if ctx.inbox.is_some() {
        Api::of(Schema::build(DevelopmentQuery::default(), mutation, subscription), ctx)
    } else {
        Api::of(Schema::build(Query::default(), mutation, subscription), ctx)
    }
}
