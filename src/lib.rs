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
//! You can merge your own async-graphql root types with Doorcode's, and serve the merged schema with Doorcode's limits.
//! `docs/build-on/library.md` begins with a complete application. `examples/yogaflow` and `examples/verificai` are larger
//! ones. They use:
//!
//! - [`cli::Application`]: the `main` function.
//! - [`graphql::Api::merged`]: merges root types.
//! - [`graphql::parts`]: returns, in a resolver, the [`domain::Ctx`] with settings, database and clock, and the
//!   [`domain::access::Viewer`], who sent the request. [`domain::access::Viewer::person`] and
//!   [`domain::access::Member::require`] check permissions.
//! - [`graphql::error::ApiError`]: errors with Doorcode's codes. [`error::Error`] and database errors convert to it.
//!   [`domain::Check`] collects invalid fields.
//! - [`graphql::relay`]: IDs for your own types, pages and connections.
//! - [`graphql::Batch`] and [`graphql::load`]: load the values of many objects in one statement.
//! - [`domain::access::Grant`]: a scope for API keys.
//! - [`app::Task`]: work that starts and stops with the server, or runs alone as a command.
//! - [`graphql::Api::with_large_body`]: a mutation whose body can be large. [`ports::Cache`]: a cache that replicas share.
//! - [`app::App`] with [`app::Overrides`], and [`http::router`]: the application in process, for tests.
//!
//! All other items are public for tests only, and may change in any version.
//!
//! ```
//! use std::sync::Arc;
//!
//! use async_graphql::{Context, EmptyMutation, EmptySubscription, Object};
//! use doorcode::{domain::Ctx, graphql::{Api, error::ApiError, parts}};
//!
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
//! fn api(ctx: &Arc<Ctx>) -> Api {
//!     Api::merged(Greetings, EmptyMutation, EmptySubscription, ctx)
//! }
//! ```

pub mod email_address;
pub mod error;
pub mod files;
pub mod limits;
pub mod observability;
pub mod ports;
pub mod redirect_uri;
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
