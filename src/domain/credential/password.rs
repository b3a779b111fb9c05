//! Passwords.

pub mod policy;
