//! Users after sign-in: what they change themselves, what administrators do to them, and what remains after deletion.

mod admin;
pub(crate) mod email_change;
mod ends;
mod own;
mod stale;
pub(crate) mod undo;

/// The result of mutations that change a user.
const SAVED: &str = "__typename ... on UserSaved { user { id email name role status version deletedAt } } \
    ... on Problem { message }";
