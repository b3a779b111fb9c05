//! The GraphQL schema: Doorcode's root types merged with those of this application. Resolvers parse the input, check
//! access, and make one call.

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

struct Note(note::Model);

/// A note, visible only to its owner.
#[Object]
impl Note {
    /// The ID of the note.
    async fn id(&self) -> ID {
        NOTE.encode(self.0.id)
    }

    /// The text.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// The time at which the note was written.
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
    /// Lists your notes, newest first.
    async fn notes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Note>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let notes = note::list(domain, viewer.person()?, &page.slice()).await?;
        Ok(Connection::new(&page, notes, |note| relay::cursor(note.id), Note, ()))
    }
}

/// Input of `addNote`.
#[derive(InputObject)]
struct AddNoteInput {
    /// The text (1 to 2,000 characters).
    text: String,
}

/// The result of `addNote`.
#[derive(SimpleObject)]
struct AddNoteResult {
    /// The new note.
    note: Note,
}

/// Input of `deleteNote`.
#[derive(InputObject)]
struct DeleteNoteInput {
    /// The ID of one of your notes.
    id: ID,
}

/// The result of `deleteNote`.
#[derive(SimpleObject)]
struct DeleteNoteResult {
    /// The ID of the deleted note.
    note_id: ID,
}

#[derive(Default)]
struct NotesMutation;

#[Object]
impl NotesMutation {
    /// Adds a note. Requires the role USER.
    async fn add_note(&self, ctx: &Context<'_>, input: AddNoteInput) -> Result<AddNoteResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "addNote").await?;
        Ok(AddNoteResult { note: Note(note::add(domain, member, &input.text).await?) })
    }

    /// Deletes one of your notes. Requires the role USER. Fails with `NOT_FOUND` for any other note.
    async fn delete_note(&self, ctx: &Context<'_>, input: DeleteNoteInput) -> Result<DeleteNoteResult, ApiError> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "deleteNote").await?;
        note::delete(domain, member, NOTE.decode("id", &input.id)?).await?;
        Ok(DeleteNoteResult { note_id: input.id })
    }
}

#[derive(MergedObject, Default)]
struct Query(graphql::Query, NotesQuery);

/// The query root of development servers, which have the inbox.
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
