//! The GraphQL API. Resolvers parse IDs, make one domain call and map its result; they contain no business logic. The
//! root types are in `schema`, errors in `error`, problems in `problem`, IDs and connections in `relay`.

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
pub mod problem;
mod registration;
pub mod relay;
mod scalar;
mod schema;
mod sign_in;
mod sign_in_options;
mod traced;
mod user;

use std::sync::Arc;

use async_graphql::Context;

use crate::domain::{Ctx, access::Viewer};
pub use admission::TimedOut;
pub use document::{Validated, validate};
pub use inbox::InboxQuery;
pub use schema::{Api, Mutation, Query, Subscription, sdl, subgraph_sdl};

/// The domain context and the viewer, for resolvers of Doorcode and of applications.
pub fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}
