//! Errors as clients see them. Clients get a code from a closed list and a message; the cause of a fault goes to the
//! log only. `ApiError` has no `Display`, so `?` accepts only errors with a mapping.

use async_graphql::{ErrorExtensionValues, Name, Pos, Value};

use crate::error::{Error, Flaw};

/// The closed list of `extensions.code`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The access token is invalid, or missing where one is required.
    Unauthenticated,
    /// The user's role does not allow this.
    Forbidden,
    /// The API key lacks the scope for this, or no scope allows it.
    InsufficientScope,
    /// The sign-in is too old for this.
    ReauthenticationRequired,
    /// Does not exist, or the caller has no access to it.
    NotFound,
    /// A concurrent change.
    Conflict,
    /// The settings turn this way to sign in off.
    MethodDisabled,
    /// Invalid input; `extensions.field` names the first invalid field.
    BadUserInput,
    /// The body is not one JSON object with a `query`.
    BadRequest,
    /// A syntax error in the document.
    ParseFailed,
    /// The document does not fit the schema.
    ValidationFailed,
    /// Not a POST request.
    MethodNotAllowed,
    /// The client accepts none of our media types.
    NotAcceptable,
    /// The request body did not arrive in time.
    Timeout,
    /// The request body is not JSON.
    UnsupportedMediaType,
    /// The request exceeds a limit on documents, arguments or cost.
    DocumentTooLarge,
    /// A rate limit refused the request before execution.
    RateLimited,
    /// The database or the limiter is down, or time ran out.
    Unavailable,
    /// A fault of the server.
    Internal,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 19] = [
        Self::Unauthenticated,
        Self::Forbidden,
        Self::InsufficientScope,
        Self::ReauthenticationRequired,
        Self::NotFound,
        Self::Conflict,
        Self::MethodDisabled,
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

    /// The value in `extensions.code`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::InsufficientScope => "INSUFFICIENT_SCOPE",
            Self::ReauthenticationRequired => "REAUTHENTICATION_REQUIRED",
            Self::NotFound => "NOT_FOUND",
            Self::Conflict => "CONFLICT",
            Self::MethodDisabled => "METHOD_DISABLED",
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

/// An error in a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code.
    pub code: Code,
    /// The message for the user. Contains nothing the user may not know.
    pub message: String,
    /// The invalid fields of the input.
    pub flaws: Vec<Flaw>,
    /// The position in the document.
    pub at: Option<Pos>,
}

impl ApiError {
    /// An error with this message.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), flaws: Vec::new(), at: None }
    }

    /// An error about one field of the input.
    pub fn input(field: &'static str, message: impl Into<String>) -> Self {
        Self::flawed(vec![Flaw { field: field.into(), message: message.into() }])
    }
}

impl ApiError {
    pub(super) fn flawed(flaws: Vec<Flaw>) -> Self {
        let sentences: Vec<_> = flaws.iter().map(|flaw| flaw.message.as_str()).collect();
        Self { code: Code::BadUserInput, message: sentences.join(" "), flaws, at: None }
    }

    /// The `extensions` without the request id: the code, the first invalid field, and all invalid fields.
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
            Error::Forbidden => Self::new(Code::Forbidden, "You don't have permission to do this."),
            Error::InsufficientScope => Self::new(Code::InsufficientScope, "This API key is not allowed to do this."),
            Error::ReauthenticationRequired => {
                let message =
                    "This needs a sign-in by email within the last ten minutes. Sign in with a code, then try again.";
                Self::new(Code::ReauthenticationRequired, message)
            }
            Error::NotFound => Self::new(Code::NotFound, "Not found, or you don't have access to it."),
            Error::MethodDisabled => Self::new(
                Code::MethodDisabled,
                "Passwords are turned off on this server. Sign in with a code by email.",
            ),
            Error::Conflict => {
                Self::new(Code::Conflict, "Someone else changed this meanwhile. Load it again and retry.")
            }
            Error::Invalid(flaws) => Self::flawed(flaws),
            Error::Unavailable(why) => {
                tracing::error!(why, "unavailable");
                Self::new(Code::Unavailable, "The service is temporarily unavailable. Try again in a few seconds.")
            }
            Error::Unsupported(what) => Self::new(Code::Unavailable, what),
            Error::Internal(why) | Error::Startup(why) => {
                tracing::error!(why, "internal error");
                Self::new(Code::Internal, "Something went wrong on our side. Please report it with the request ID.")
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
