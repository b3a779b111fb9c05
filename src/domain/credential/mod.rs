//! What users keep to prove who they are.

pub mod password;
