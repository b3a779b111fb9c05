//! Black-box tests of Doorcode in one binary: the real router in process, on the real database and limiter of the stack
//! that `tests/run` chose. Neither is mocked.

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

mod arrival;
mod attacks;
mod audit;
mod canary;
mod certificates;
mod contract;
mod cost;
mod dispatch;
mod documents;
mod faults;
mod federation;
mod guard;
mod limits;
mod lists;
mod live;
mod mail;
mod people;
mod permissions;
mod problems;
mod purge;
mod races;
mod runbooks;
mod secrets;
mod sessions;
mod sign_in;
mod sign_in_options;
mod slow;
mod telemetry;
mod timing;
mod tls;
mod tokens;
mod upgrade;

mod house;
mod program;
