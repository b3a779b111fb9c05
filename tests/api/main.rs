//! Everything that is tested of Doorcode from outside its files, in one binary: the real router called in process, on
//! the real database and limiter of the stack that `tests/run` chose. Nothing here is a mock of either.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a broken expectation is how a test speaks"
)]

mod harness;

mod connection;
mod database;
mod rows;
mod schema;

mod limiter_contract;
mod smtp;
mod smtp_server;

mod cost;
mod races;
mod sign_in;
