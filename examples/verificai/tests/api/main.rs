//! Tests of the whole application through its router, in process. Each test has its own database: SQLite, or PostgreSQL
//! with `DOORCODE_TEST_STACK=servers`. Those in `drill` take long, and run with `tests/run --all`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod analyses;
mod bodies;
mod cache;
mod cost;
mod drill;
mod fair;
mod faults;
mod harness;
mod keys;
mod kills;
mod migrations;
mod permissions;
mod process;
mod program;
mod progress;
mod prompts;
mod provider;
mod proxy;
mod usage;
