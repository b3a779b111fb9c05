//! Doorcode, a self-hosted sign-in service: users sign in with a code by email or a password.
//!
//! Modules:
//!
//! - `settings` loads and validates all settings.
//! - `ports` defines traits for what differs between tests and production, such as the clock and the mail transport.
//!   `adapter` implements these traits, and `app` chooses the implementations.
//! - `domain` contains the business logic, and `db` the tables.
//! - `graphql` and `http` serve the API and the pages.
//! - `cli` is the command line, `doctor` the checks of `doorcode doctor`, and `seed` creates test data.
//!
//! Dependencies go one way: `http` and `graphql` use `domain`, `domain` uses `ports` and `db`, and `adapter` uses
//! `ports`. A test checks the `use` lines.
//!
//! # Embedding
//!
//! You can merge Doorcode's root types into your own async-graphql schema, and serve the merged schema with Doorcode's
//! limits. `examples/notes` is a complete application with a table, migrations and tests. It uses:
//!
//! - [`graphql::Query`], [`graphql::Mutation`], [`graphql::Subscription`], and in development [`graphql::InboxQuery`]:
//!   the root types. [`graphql::Api::of`] applies limits to the merged schema. [`http::Server::of`] and
//!   [`app::App::serve_api`] serve the merged schema.
//! - [`graphql::parts`]: returns, in a resolver, the [`domain::Ctx`] with settings, database and clock, and the
//!   [`domain::access::Viewer`], who sent the request. [`domain::access::Viewer::person`] and
//!   [`domain::access::Member::require`] check permissions.
//! - [`graphql::error::ApiError`]: errors with Doorcode's codes. [`error::Error`] and database errors convert to it.
//! - [`graphql::relay`]: IDs for your own types, pages and connections.
//! - [`app::App::prepare_with`] and [`db::migrate::up_with`]: apply your migrations after Doorcode's.
//!
//! All other items are public for tests only, and may change in any version.
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
//!     /// Greets the signed-in user.
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
