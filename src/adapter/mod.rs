//! Implementations of the ports, one file each. Only `app` and `doctor` name them.

pub mod bus;
pub mod limiter;
pub mod mail;
pub mod system;
