//! The GraphQL side. Resolvers parse ids, make one domain call and map its outcome; they decide nothing. The roots and
//! the schema are in `schema`, errors in `error`, ids, cursors and pages in `relay`; every other file is one subject.

mod admin;
mod audit;
mod device;
pub(crate) mod document;
pub mod error;
mod federation;
mod inbox;
mod live;
mod loader;
mod node;
mod people;
mod profile;
pub mod relay;
pub(crate) mod report;
mod schema;
mod session;
mod sign_in;
mod traced;
mod under_way;
mod user;

use std::sync::Arc;

use async_graphql::Context;

use crate::domain::{Ctx, policy::Viewer};
pub use document::{Validated, validate};
pub use inbox::InboxQuery;
pub use schema::{Api, Mutation, Query, Subscription, sdl, subgraph_sdl};
pub use under_way::Late;

/// What every resolver starts from, an application's too: what the domain stands on, and who asks.
pub fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}
