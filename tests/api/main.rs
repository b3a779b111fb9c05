//! Black-box tests of Doorcode, in one binary. They call the real router in process, with a real database and limiter.
//! `tests/run` chooses SQLite and the in-memory limiter, or PostgreSQL and Redis.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed expectation makes the test fail")]

mod harness;

mod connection;
mod database;
mod rows;
mod schema;

mod limiter_contract;
mod smtp;
mod smtp_server;

mod api_keys;
mod arrival;
mod attacks;
mod audit;
mod canary;
mod certificates;
mod console;
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
mod oauth;
mod pages;
mod passwords;
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
