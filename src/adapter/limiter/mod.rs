//! Rate limit counters: in memory for one process, in Redis for several. Both use the algorithm in `window`.

pub mod measured;
pub mod memory;
pub mod redis;
mod window;
