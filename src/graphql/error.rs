//! Errors as clients see them: a code from one closed list and a sentence. The reasons of a fault go to the log, once;
//! nothing of them reaches a client. `ApiError` has no `Display`, so that only errors somebody mapped get through `?`.

use async_graphql::{ErrorExtensionValues, Interface, Name, Pos, SimpleObject, Value};
use chrono::{DateTime, Utc};

use crate::{
    domain::Wait,
    error::{Error, Flaw},
};

/// The closed list of `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A bad bearer, or none where one is needed.
    Unauthenticated,
    /// Signed in, but not allowed.
    Forbidden,
    /// Allowed, but only soon after signing in.
    ReauthenticationRequired,
    /// Absent or hidden.
    NotFound,
    /// Somebody else was faster.
    Conflict,
    /// Wrong input; `extensions.field` names it.
    BadUserInput,
    /// The body is not one JSON object with a `query`.
    BadRequest,
    /// Not GraphQL.
    ParseFailed,
    /// Not of this schema.
    ValidationFailed,
    /// Not POST.
    MethodNotAllowed,
    /// No answer type that the client accepts.
    NotAcceptable,
    /// The body came too slowly.
    Timeout,
    /// Not JSON.
    UnsupportedMediaType,
    /// Too many bytes, or one of the guard's other bounds.
    DocumentTooLarge,
    /// Refused before execution.
    RateLimited,
    /// Database, limiter or time.
    Unavailable,
    /// A fault of ours.
    Internal,
}

impl Code {
    /// The whole list.
    pub const ALL: [Self; 17] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::ReauthenticationRequired,
        Self::NotFound,
        Self::Conflict,
        Self::BadUserInput,
        Self::BadRequest,
        Self::ParseFailed,
        Self::ValidationFailed,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::Timeout,
        Self::UnsupportedMediaType,
        Self::DocumentTooLarge,
        Self::RateLimited,
        Self::Unavailable,
        Self::Internal,
    ];

    /// As it stands in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::ReauthenticationRequired => "REAUTHENTICATION_REQUIRED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::BadRequest => "BAD_REQUEST",
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::MethodNotAllowed => "METHOD_NOT_ALLOWED",
            Self::NotAcceptable => "NOT_ACCEPTABLE",
            Self::Timeout => "TIMEOUT",
            Self::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
            Self::DocumentTooLarge => "DOCUMENT_TOO_LARGE",
            Self::RateLimited => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error on its way to a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// Which.
    pub code: Code,
    /// For a person; never more than they may know.
    pub message: String,
    /// What is wrong with the input, field by field.
    pub flaws: Vec<Flaw>,
    /// Where in the document.
    pub at: Option<Pos>,
}

impl ApiError {
    /// An error with a sentence of our own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), flaws: Vec::new(), at: None }
    }

    /// Wrong input in a field.
    pub fn input(field: &'static str, message: impl Into<String>) -> Self {
        Self::flawed(vec![Flaw { field: field.into(), message: message.into() }])
    }
}

impl ApiError {
    pub(super) fn flawed(flaws: Vec<Flaw>) -> Self {
        let sentences: Vec<_> = flaws.iter().map(|flaw| flaw.message.as_str()).collect();
        Self { code: Code::BadUserInput, message: sentences.join(" "), flaws, at: None }
    }

    /// The `extensions` beside the request id: the code, the first field that is wrong, and all of them.
    pub fn extensions(&self) -> ErrorExtensionValues {
        let mut values = ErrorExtensionValues::default();
        values.set("code", self.code.as_str());
        if let Some(first) = self.flaws.first() {
            values.set("field", &*first.field);
            let problem = |flaw: &Flaw| {
                let parts = [("field", flaw.field.clone().into_owned()), ("message", flaw.message.clone())];
                Value::Object(parts.into_iter().map(|(name, text)| (Name::new(name), Value::String(text))).collect())
            };
            values.set("problems", Value::List(self.flaws.iter().map(problem).collect()));
        }
        values
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::Unauthenticated => Self::new(Code::Unauthenticated, "Sign in first."),
            Error::Forbidden => Self::new(Code::Forbidden, "You may not do this."),
            Error::ReauthenticationRequired => {
                let message = "Sign in again first: this needs a sign-in of the last ten minutes.";
                Self::new(Code::ReauthenticationRequired, message)
            }
            Error::NotFound => Self::new(Code::NotFound, "There is no such thing, or not for you."),
            Error::Conflict => Self::new(Code::Conflict, "Somebody else changed this at the same time. Try again."),
            Error::Invalid(flaws) => Self::flawed(flaws),
            Error::Unavailable(why) => {
                tracing::error!(why, "unavailable");
                Self::new(Code::Unavailable, "This does not work at the moment. Try again in a few seconds.")
            }
            Error::Unsupported(what) => Self::new(Code::Unavailable, what),
            Error::Internal(why) | Error::Startup(why) => {
                tracing::error!(why, "internal error");
                Self::new(Code::Internal, "Something went wrong on our side. The request id helps us find out what.")
            }
        }
    }
}

impl From<ApiError> for async_graphql::Error {
    fn from(error: ApiError) -> Self {
        let extensions = Some(error.extensions());
        Self { extensions, ..Self::new(error.message) }
    }
}

/// An outcome that the person can act on. Select `... on Problem { message }` in every result, so that problems added
/// later are readable too.
#[derive(Interface)]
#[graphql(field(name = "message", ty = "&String", desc = "What to tell the person."))]
pub(super) enum Problem {
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    SessionEnded(SessionEnded),
    EmailTaken(EmailTaken),
    LastAdmin(LastAdmin),
}

/// What was typed is not an e-mail address.
#[derive(SimpleObject)]
pub(super) struct InvalidEmail {
    /// What to tell the person.
    pub message: String,
}

/// Too many, too fast.
#[derive(SimpleObject)]
pub(super) struct RateLimited {
    /// What to tell the person.
    pub message: String,
    /// Seconds to wait.
    pub retry_after: i32,
    /// The moment after which the same call is admitted, unless others come between.
    pub retry_at: DateTime<Utc>,
}

impl From<Wait> for RateLimited {
    fn from(wait: Wait) -> Self {
        let millis = (wait.retry_at - wait.now).num_milliseconds().max(1);
        let seconds = i32::try_from((millis + 999) / 1000).unwrap_or(i32::MAX);
        let minutes = (seconds + 59) / 60;
        let span = if seconds < 90 { format!("{seconds} seconds") } else { format!("{minutes} minutes") };
        Self { message: format!("Too many tries. Try again in {span}."), retry_after: seconds, retry_at: wait.retry_at }
    }
}

/// The code is wrong; the try was counted.
#[derive(SimpleObject)]
pub(super) struct InvalidCode {
    /// What to tell the person.
    pub message: String,
    /// Tries that this challenge still has.
    pub attempts_left: i32,
}

/// The code is expired, used, used up, or never existed: one answer.
#[derive(SimpleObject)]
pub(super) struct CodeExpired {
    /// What to tell the person.
    pub message: String,
}

/// The session is over, or the token was never one of ours: sign in again.
#[derive(SimpleObject)]
pub(super) struct SessionEnded {
    /// What to tell the person.
    pub message: String,
}

/// Somebody else has this address.
#[derive(SimpleObject)]
pub(super) struct EmailTaken {
    /// What to tell the person.
    pub message: String,
}

/// Nobody would be left who may change people.
#[derive(SimpleObject)]
pub(super) struct LastAdmin {
    /// What to tell the person.
    pub message: String,
}

impl InvalidCode {
    pub(super) fn new(attempts_left: u32) -> Self {
        let message = "This code is not right. Look at the latest mail again.".into();
        Self { message, attempts_left: i32::try_from(attempts_left).unwrap_or(i32::MAX) }
    }
}

impl CodeExpired {
    pub(super) fn new() -> Self {
        Self { message: "This code does not work any more. Ask for a new one.".into() }
    }
}

impl EmailTaken {
    pub(super) fn new() -> Self {
        Self { message: "Somebody else has this address.".into() }
    }
}

impl LastAdmin {
    pub(super) fn new() -> Self {
        Self { message: "This is the last active administrator. Make another one first.".into() }
    }
}
