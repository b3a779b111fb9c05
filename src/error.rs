//! The error type of the domain. `graphql/error.rs` decides what clients see of it.

use std::{borrow::Cow, fmt::Display};

/// Why an operation failed. Expected outcomes are not errors but variants of `Ok`.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Not signed in, or no longer.
    #[error("not signed in")]
    Unauthenticated,
    /// Signed in, but not allowed.
    #[error("not allowed")]
    Forbidden,
    /// The API key lacks the scope for this, or no scope allows it.
    #[error("the API key does not allow this")]
    InsufficientScope,
    /// Allowed only shortly after signing in.
    #[error("the sign-in is too old for this")]
    ReauthenticationRequired,
    /// The settings turn this way to sign in off.
    #[error("this way to sign in is turned off")]
    MethodDisabled,
    /// Missing, or hidden from this caller.
    #[error("not found")]
    NotFound,
    /// Changed by someone else in the meantime.
    #[error("conflict")]
    Conflict,
    /// The input is invalid: all its flaws, at least one.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Flaw>),
    /// The process cannot start, or a command cannot use a file. The message is for the operator.
    #[error("{0}")]
    Startup(String),
    /// A dependency is unavailable or too slow. Can be retried.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// Not available on this server until the operator adds what is missing. The text is for the caller.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A bug. The text is for the log only.
    #[error("internal: {0}")]
    Internal(String),
}

/// What is wrong with one input field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Name of the input field.
    pub field: Cow<'static, str>,
    /// What is wrong, in a sentence.
    pub message: String,
}

fn sentences(flaws: &[Flaw]) -> String {
    let sentences: Vec<_> = flaws.iter().map(|flaw| format!("{}: {}", flaw.field, flaw.message)).collect();
    sentences.join("; ")
}

impl Error {
    /// An [`Error::Invalid`] with one flaw.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![Flaw { field: field.into(), message: message.into() }])
    }

    /// A setting that does not work. `wrong` is the rest of a sentence that starts with the variable.
    pub fn setting(variable: &str, wrong: impl Display) -> Self {
        Self::Startup(format!("{variable} {wrong}"))
    }
}

/// The result of every domain function.
pub type Result<T, E = Error> = std::result::Result<T, E>;
