//! The GraphQL API. A resolver parses IDs, makes one domain call and converts the result. It contains no business
//! logic. `schema` defines the root types, `error` the errors, `problem` the problems, and `relay` the IDs and
//! connections.

mod account;
mod admin;
mod admission;
pub(crate) mod document;
pub mod error;
mod federation;
mod inbox;
mod key_access;
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
pub use loader::{Batch, load};
pub use schema::{Api, sdl, subgraph_sdl};

/// Returns the domain context and the viewer, who sent the request. Doorcode's resolvers and an application's resolvers
/// call this.
pub fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}
