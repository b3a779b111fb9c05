//! The GraphQL side. Resolvers parse ids, make one domain call and map its outcome; they decide nothing. The roots and
//! the schema are in `schema`, errors in `error`, ids, cursors and pages in `relay`; every other file is one subject.

mod account;
mod admin;
mod admission;
pub(crate) mod document;
pub mod error;
mod federation;
mod inbox;
mod live;
mod loader;
mod node;
pub(crate) mod outcome_label;
pub mod relay;
mod schema;
mod sign_in;
mod traced;
mod user;

use std::sync::Arc;

use async_graphql::Context;

use crate::domain::{Ctx, access::Viewer};
pub use admission::TimedOut;
pub use document::{Validated, validate};
pub use inbox::InboxQuery;
pub use schema::{Api, Mutation, Query, Subscription, sdl, subgraph_sdl};

/// What every resolver starts from, an application's too: what the domain stands on, and who asks.
pub fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}
