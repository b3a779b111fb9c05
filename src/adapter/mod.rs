//! Adapters: implementations of the traits in `ports`. Only `app` and `doctor` use them.

pub mod bus;
pub mod cache;
pub mod limiter;
pub mod mail;
pub mod system;
