//! Rate limiters: one counts in memory, for a single process; the other in Redis, for several. Both use the algorithm
//! in `window`.

pub mod measured;
pub mod memory;
pub mod redis;
mod window;
