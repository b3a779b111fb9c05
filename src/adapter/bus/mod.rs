//! Buses that carry live events between processes: in memory for one process, over Redis for several.

pub mod memory;
pub mod redis;
