//! The GraphQL side. Resolvers parse ids, make one domain call and map its outcome; they decide nothing. The roots and
//! the schema are in `schema`, errors in `error`, ids, cursors and pages in `relay`; every other file is one subject.

mod device;
pub mod error;
mod inbox;
mod node;
mod relay;
mod schema;
mod session;
mod sign_in;
mod user;

use std::sync::Arc;

use async_graphql::Context;

use crate::domain::{Ctx, policy::Viewer};
pub use schema::{Api, Mutation, Query, Subscription, sdl};

/// What every resolver starts from.
fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}
