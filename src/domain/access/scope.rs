//! The scopes of API keys. A key can do what its scopes allow and its owner's current role allows. Sessions of other
//! applications have the first scope and no other.

use crate::db::entity::Role;

/// A permission that an API key can have. An application defines its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The name, in capitals, as in `createApiKey`.
    pub name: &'static str,
    /// The lowest role of an owner whose keys can use the scope.
    pub role: Role,
}

/// Read the owner's account, sessions and devices.
pub const PROFILE_READ: Scope = Scope { name: "PROFILE_READ", role: Role::Guest };
/// Read users, with their sessions and devices.
pub const PEOPLE_READ: Scope = Scope { name: "PEOPLE_READ", role: Role::Manager };
/// Create, rename, suspend and restore users who are not administrators.
pub const PEOPLE_WRITE: Scope = Scope { name: "PEOPLE_WRITE", role: Role::Admin };
/// Read audit events: those about the owner, or all of them if the owner is a manager.
pub const AUDIT_READ: Scope = Scope { name: "AUDIT_READ", role: Role::Guest };

impl Scope {
    /// Doorcode's own scopes.
    pub const ALL: [Self; 4] = [PROFILE_READ, PEOPLE_READ, PEOPLE_WRITE, AUDIT_READ];
}

/// A scope of an application, and the fields that keys with it may use.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// The scope.
    pub scope: Scope,
    /// Fields of the application's schema, such as `Query.notes`, or `Note.*` for every field of a type. Fields of
    /// Doorcode's types cannot be granted.
    pub fields: &'static [&'static str],
}
