//! The outside world behind the ports: clock and randomness of the system, two limiters and a watch on them, two ways for a mail to leave,
//! two buses.
//! Only `app.rs` names what is in here.

mod certificate;
pub mod collector;
pub mod inbox;
pub mod measured_limiter;
pub mod memory_bus;
pub mod memory_limiter;
pub mod place;
pub mod public;
pub mod redis_bus;
pub mod redis_limiter;
mod sliding_window;
pub mod smtp;
pub mod system;
pub mod tls_files;
