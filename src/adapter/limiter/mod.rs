//! Rate limit counters: in memory for one process, in Redis for several. `window` is the algorithm of both.

pub mod measured;
pub mod memory;
pub mod redis;
mod window;
