//! Tests of the whole application through its router, in process. Each test has its own database: SQLite, or PostgreSQL
//! with `DOORCODE_TEST_STACK=servers`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod cost;
mod harness;
mod keys;
mod migrations;
mod permissions;
mod poses;
mod practices;
mod scale;
mod sequences;
mod sign_in;
