//! People after they signed in: what they change of themselves, what administrators do to them, and what is left of
//! them in the end.

mod admin;
pub(crate) mod email_change;
mod ends;
mod own;
mod stale;
pub(crate) mod undo;

/// What the mutations that change somebody answer with.
const SAVED: &str = "__typename ... on UserSaved { user { id email name role status version deletedAt } } \
    ... on Problem { message }";
