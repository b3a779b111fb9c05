//! The one error type: what went wrong, for the caller to act on. What a client may see of it is decided in
//! `graphql/error.rs`.

use std::{borrow::Cow, fmt::Display};

/// Why an operation could not give its outcome. Expected outcomes are not errors: they are `Ok` enums.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or not any more.
    #[error("not signed in")]
    Unauthenticated,
    /// Signed in, but not allowed.
    #[error("not allowed")]
    Forbidden,
    /// Allowed, but only soon after signing in.
    #[error("the sign-in is too old for this")]
    ReauthenticationRequired,
    /// Absent, or hidden from this viewer.
    #[error("not found")]
    NotFound,
    /// Somebody else was faster.
    #[error("conflict")]
    Conflict,
    /// The caller's input is wrong: all that is wrong with it, never nothing.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Flaw>),
    /// What keeps the process from starting, in sentences for its operator: a setting, or a server that one names.
    #[error("{0}")]
    Startup(String),
    /// Database, limiter or time: worth trying again.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Not available on this server until its operator adds what is missing. The text is for the caller.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A fault of ours. The text is for the log alone.
    #[error("internal: {0}")]
    Internal(String),
}

/// What is wrong with a field of the caller's input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The input field, as the caller knows it.
    pub field: Cow<'static, str>,
    /// What is wrong with it, for a person.
    pub message: String,
}

fn sentences(flaws: &[Flaw]) -> String {
    let sentences: Vec<_> = flaws.iter().map(|flaw| format!("{}: {}", flaw.field, flaw.message)).collect();
    sentences.join("; ")
}

impl Error {
    /// One thing is wrong with the caller's input.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Flaw { field: field.into(), message: message.into() }])
    }

    /// A setting that does not work; `wrong` goes on with a sentence that begins with the variable.
    pub fn setting(variable: &str, wrong: impl Display) -> Self {
        Self::Startup(format!("{variable} {wrong}"))
    }
}

/// The result of every domain function.
pub type Result<T, E = Error> = std::result::Result<T, E>;
