//! What users keep to prove who they are.

pub mod api_key;
pub mod password;
