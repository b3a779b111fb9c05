//! Caches of an application: in memory for one process, in Redis for several.

pub mod memory;
pub mod redis;
