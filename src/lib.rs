//! Doorcode, a self-hosted sign-in service: an e-mail address, an eight-digit code, signed in.
//!
//! The modules in reading order. `config` is every setting. `ports` are the four things that differ between a test and
//! a fleet, `adapter` what stands behind them, `app` the only place that chooses, `finding` what the doctor tells, `files` how a named file is read. `domain` is what Doorcode does,
//! `db` how it reaches its tables. `graphql` and `http` are the way in, `cli` the other one.
//!
//! One direction: `http`, `graphql` → `domain` → `ports`, `db`; `adapter` → `ports`. A test reads the `use` lines.
//!
//! # In an application of yours
//!
//! Doorcode's roots merge with those of another async-graphql schema, and Doorcode's edge serves the result within its
//! own bounds. `examples/notes` is a whole application with a table, migrations and tests. What it needs:
//!
//! - [`graphql::Query`], [`graphql::Mutation`], [`graphql::Subscription`], and in development [`graphql::InboxQuery`]: the
//!   roots; [`graphql::Api::of`] bounds the merged schema, [`http::Server::of`] and [`app::App::serve_api`] serve it.
//! - [`graphql::parts`]: in a resolver, the [`domain::Ctx`] with settings, database and clock, and the
//!   [`domain::access::Viewer`] who asks. [`domain::access::Viewer::person`] and [`domain::access::Member::require`] give
//!   the proofs that your functions take.
//! - [`graphql::error::ApiError`]: errors with our codes; every [`error::Error`] becomes one, and so does a database's.
//! - [`graphql::relay`]: ids of your own kinds, pages and connections.
//! - [`app::App::prepare_with`] and [`db::migrate::up_with`]: your migrations, beside ours.
//!
//! Everything else is public for the tests, and may change with any version.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_graphql::{Context, MergedObject, Object, Schema};
//! use doorcode::{domain::Ctx, graphql::{self, Api, error::ApiError, parts}};
//!
//! #[derive(Default)]
//! struct Greetings;
//!
//! #[Object]
//! impl Greetings {
//!     /// For whoever is signed in.
//!     async fn greeting(&self, ctx: &Context<'_>) -> Result<String, ApiError> {
//!         let (_, viewer) = parts(ctx);
//!         Ok(format!("Hello, {}!", viewer.person()?.user().email))
//!     }
//! }
//!
//! #[derive(MergedObject, Default)]
//! struct Query(graphql::Query, Greetings);
//!
//! fn api(ctx: &Arc<Ctx>) -> Api {
//!     Api::of(Schema::build(Query::default(), graphql::Mutation::default(), graphql::Subscription::default()), ctx)
//! }
//! ```

pub mod email_address;
pub mod error;
pub mod files;
pub mod limits;
pub mod observability;
pub mod ports;
pub mod settings;

pub mod db;
pub mod domain;

pub mod graphql;
pub mod http;

pub mod adapter;
pub mod app;
pub mod cli;
pub mod doctor;
pub mod seed;
