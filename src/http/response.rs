//! The format of responses. Every error response has the shape of GraphQL errors, whether HTTP handling or a resolver
//! failed: `{"errors": [{"message", "extensions": {"code", "requestId"}}]}`. Errors never include internal details.

pub(super) mod accept;
pub(super) mod backpressure;
pub(super) mod rate_limit;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::request_outcome::RequestOutcome;
use crate::{
    domain::Wait,
    graphql::{
        document::Refused,
        error::{ApiError, Code},
    },
    http::response::{accept::MediaType, backpressure::Frames, rate_limit::Exceeded},
    ports::Charge,
};

/// The request ID, as a request extension.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub String);

impl RequestId {
    /// The id that the middleware gave the request.
    pub(super) fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().cloned().unwrap_or_else(|| Self(String::new()))
    }
}

/// Returns the HTTP status of a request that was refused as a whole, as the GraphQL over HTTP specification requires:
/// 400 if the request cannot be read, 422 if it cannot be executed, and 5xx if the server is at fault. Authentication
/// errors and rate limits use the usual HTTP status. Older drafts allowed status 200 for `application/json` clients,
/// but a response without `data` must have a 4xx or 5xx status. There is one deviation from the specification: JSON
/// that is not a valid request gets 400 instead of 422, because it has the same error code as invalid JSON.
const fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::InsufficientScope | Code::ReauthenticationRequired | Code::MethodDisabled => {
            StatusCode::FORBIDDEN
        }
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::Conflict => StatusCode::CONFLICT,
        Code::BadUserInput | Code::ValidationFailed => StatusCode::UNPROCESSABLE_ENTITY,
        Code::BadRequest | Code::ParseFailed => StatusCode::BAD_REQUEST,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Code::Timeout => StatusCode::REQUEST_TIMEOUT,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::DocumentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The wait in seconds if the refusal names none.
const fn default_retry_after(status: StatusCode) -> Option<i64> {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Some(2),
        StatusCode::TOO_MANY_REQUESTS => Some(10),
        _ => None,
    }
}

/// The errors of a request that was refused as a whole.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// At least one error.
    errors: Vec<ApiError>,
    status: StatusCode,
    retry_after: Option<i64>,
    exceeded: Option<Exceeded>,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::from(ApiError::new(code, message))
    }

    /// Refuses a document that exceeds a limit other than the size of the body. The status is 422 instead of 413.
    pub(super) fn document(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::new(Code::DocumentTooLarge, message) }
    }

    /// Refuses a request for a host that this server does not serve, with status 421.
    pub(super) fn misdirected(message: impl Into<String>) -> Self {
        Self { status: StatusCode::MISDIRECTED_REQUEST, ..Self::new(Code::BadRequest, message) }
    }

    /// A rate limit refused the request, which can succeed after this many seconds.
    pub(super) fn rate_limited(charge: &Charge, seconds: i64) -> Self {
        Self { exceeded: Some(charge.into()), ..Self::too_many(seconds) }
    }

    /// A rate limit of the domain refused the request.
    pub(super) fn wait(wait: &Wait) -> Self {
        Self::too_many((wait.retry_at - wait.now).num_seconds() + 1)
    }

    fn too_many(seconds: i64) -> Self {
        Self::new(Code::RateLimited, "Too many requests. Try again later.").retry_after(seconds)
    }

    pub(super) fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }

    /// Appends to the message of the first error.
    pub(super) fn say(&mut self, more: &str) {
        if let Some(first) = self.errors.first_mut() {
            first.message.push_str(more);
        }
    }

    /// The code of the first error.
    pub(super) fn code(&self) -> Code {
        self.errors.first().map_or(Code::Internal, |error| error.code)
    }

    /// The message of the first error.
    pub(super) fn message(&self) -> &str {
        self.errors.first().map_or("", |error| &error.message)
    }

    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The number of seconds in `Retry-After`.
    pub(super) fn seconds(&self) -> Option<i64> {
        self.retry_after.or(default_retry_after(self.status))
    }

    /// The `errors` array of the response.
    pub(super) fn errors(&self, id: &RequestId) -> serde_json::Value {
        let written = self.errors.iter().map(|error| {
            let mut extensions = error.extensions();
            extensions.set("requestId", id.0.as_str());
            let mut written = json!({ "message": error.message, "extensions": extensions });
            if let Some(at) = error.at {
                written["locations"] = json!([at]);
            }
            written
        });
        written.collect()
    }

    pub(super) fn respond(self, id: &RequestId, media: MediaType) -> Response {
        let body = json!({ "errors": self.errors(id) });
        let code = self.code();
        let seconds = self.seconds();
        let Self { status, exceeded, .. } = self;
        let mut response = json_response(status, media, &body);
        if let Some(seconds) = seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            if let Some(exceeded) = exceeded {
                exceeded.add_to(response.headers_mut(), seconds);
            }
        }
        let challenge = match code {
            Code::Unauthenticated => Some("Bearer error=\"invalid_token\""),
            Code::InsufficientScope => Some("Bearer error=\"insufficient_scope\""),
            _ => None,
        };
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { status: status(error.code), errors: vec![error], retry_after: None, exceeded: None }
    }
}

impl From<Refusal> for async_graphql::Response {
    fn from(refusal: Refusal) -> Self {
        let written = refusal.errors.into_iter().map(|error| {
            let extensions = Some(error.extensions());
            async_graphql::ServerError { extensions, ..async_graphql::ServerError::new(error.message, error.at) }
        });
        Self::from_errors(written.collect())
    }
}

impl From<Refused> for Refusal {
    fn from(Refused(errors): Refused) -> Self {
        let status = match errors.first().map(|error| error.code) {
            Some(Code::DocumentTooLarge) | None => StatusCode::UNPROCESSABLE_ENTITY,
            Some(code) => status(code),
        };
        Self { errors, status, retry_after: None, exceeded: None }
    }
}

/// Maximum number of errors in a response.
const MAX_ERRORS: usize = 10;

/// Maximum response size in bytes. This limit is needed because the cost of a query counts fields and not their
/// content. The longest normal response is a user's data export with a thousand events.
pub(super) const MAX_RESPONSE: usize = 4 * 1024 * 1024;

/// Builds the HTTP response for an executed operation, and records its outcome.
pub(super) fn executed(
    response: async_graphql::Response,
    id: &RequestId,
    (media, cost): (MediaType, Option<u64>),
    record: &mut RequestOutcome,
) -> Result<Response, Refusal> {
    let extensions = cost.map(|cost| Extensions { cost });
    let outcome = Outcome { extensions, ..Outcome::of(response, id) };
    record.executed(&outcome.errors);
    // A response that contains `data` has status 200, even if `data` is null or fields failed. A specification draft
    // also mentions 294 for field errors, but clients and proxies only know 200.
    let status = if outcome.data.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut body = Frames::within(MAX_RESPONSE);
    serde_json::to_writer(&mut body, &outcome).map_err(|_| {
        let message =
            format!("The response exceeds {MAX_RESPONSE} bytes. Request less data. Any changes were still made.");
        Refusal::document(message)
    })?;
    let mut response = (status, [(header::CONTENT_TYPE, media.of(status))], body.into_body()).into_response();
    if let Some(wait) = default_retry_after(StatusCode::SERVICE_UNAVAILABLE).filter(|_| outcome.is_unavailable()) {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait));
    }
    Ok(response)
}

/// The result of an operation. Every error has a code and the request ID. If the library refused the request without
/// executing it (an error without code and path), there is no `data`. This type is serialized directly, because `data`
/// must keep the order of the fields in the document.
#[derive(Serialize)]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<async_graphql::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<async_graphql::ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions>,
}

/// Response extensions, which only development servers send.
#[derive(Serialize)]
struct Extensions {
    /// The cost of the operation, to compare with the maximum.
    cost: u64,
}

impl Outcome {
    pub(super) fn of(response: async_graphql::Response, id: &RequestId) -> Self {
        let async_graphql::Response { data, mut errors, .. } = response;
        let is_executed = errors.iter().all(|error| has_code(error) || !error.path.is_empty());
        errors.truncate(MAX_ERRORS);
        let errors = errors.into_iter().map(|error| complete(error, id)).collect();
        Self { data: is_executed.then_some(data), errors, extensions: None }
    }

    /// Whether every root field failed because a dependency is down or a queue is full.
    fn is_unavailable(&self) -> bool {
        use async_graphql::Value;
        let has_data =
            matches!(&self.data, Some(Value::Object(fields)) if fields.values().any(|field| *field != Value::Null));
        let code = Value::from(Code::Unavailable.as_str());
        let mut codes = self.errors.iter().map(|error| error.extensions.as_ref()?.get("code"));
        !has_data && !self.errors.is_empty() && codes.all(|found| found == Some(&code))
    }

    /// Whether the first response of a subscription is an error that ends it.
    pub(super) fn is_refused(&self) -> bool {
        !self.errors.is_empty() && matches!(self.data, None | Some(async_graphql::Value::Null))
    }
}

impl From<Outcome> for async_graphql::Response {
    fn from(outcome: Outcome) -> Self {
        let mut response = Self::new(outcome.data.unwrap_or_default());
        response.errors = outcome.errors;
        response
    }
}

/// Whether Doorcode, and not the library, created the error.
fn has_code(error: &async_graphql::ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

fn complete(mut error: async_graphql::ServerError, id: &RequestId) -> async_graphql::ServerError {
    if !has_code(&error) {
        // Doorcode's errors always have a code, and documents and variables have been checked before. The only
        // remaining error is an invalid argument for an application's custom scalar. The library's message would repeat
        // the value.
        error.message = String::from("An argument has an invalid value.");
        error.extensions.get_or_insert_default().set("code", Code::BadUserInput.as_str());
    }
    error.extensions.get_or_insert_default().set("requestId", id.0.as_str());
    error
}

fn json_response(status: StatusCode, media: MediaType, body: &impl Serialize) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, media.of(status));
    response
}
