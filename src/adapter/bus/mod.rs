//! Live events between processes: in memory for one process, over Redis for several.

pub mod memory;
pub mod redis;
