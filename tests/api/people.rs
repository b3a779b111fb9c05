//! User accounts after sign-in: changes by the user, changes by administrators, and what remains after deletion.

mod admin;
pub(crate) mod email_change;
mod ends;
mod own;
mod stale;
pub(crate) mod undo;

/// Selection for the result of mutations that change a user.
const SAVED: &str = "__typename ... on UserSaved { user { id email name role status version deletedAt } } \
    ... on Problem { message }";
