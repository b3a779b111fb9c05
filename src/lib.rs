//! Doorcode, a self-hosted sign-in service: an e-mail address, an eight-digit code, signed in.
//!
//! The modules in reading order. `config` is every setting. `ports` are the four things that differ between a test and
//! a fleet, `adapter` what stands behind them, `app` the only place that chooses. `domain` is what Doorcode does,
//! `db` how it reaches its tables. `graphql` and `http` are the way in, `cli` the other one.
//!
//! One direction: `http`, `graphql` → `domain` → `ports`, `db`; `adapter` → `ports`. A test reads the `use` lines.

pub mod config;
pub mod ports;

pub mod db;
pub mod domain;

pub mod graphql;
pub mod http;

pub mod adapter;
pub mod app;
pub mod cli;
pub mod telemetry;
