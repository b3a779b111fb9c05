//! Types and mutations for one's own account.

pub(super) mod api_key;
pub(super) mod device;
pub(super) mod password;
pub(super) mod profile;
pub(super) mod session;
