//! The credentials that a user keeps.

pub mod password;
