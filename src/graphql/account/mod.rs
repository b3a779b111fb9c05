//! What people see and do with their own account.

pub(super) mod device;
pub(super) mod profile;
pub(super) mod session;
