//! Answers in one shape: GraphQL's. A refusal by the edge, an error of a field and a fault of ours all look alike:
//! `{"errors": [{"message", "extensions": {"code", "requestId"}}]}`. Nothing of a fault's reason is in it.

pub(super) mod backpressure;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::request_outcome::RequestOutcome;
use crate::{
    graphql::{
        document::Refused,
        error::{ApiError, Code},
    },
    http::response::backpressure::Frames,
};

/// What the client gets to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MediaType {
    /// `application/graphql-response+json`, whatever came of the request.
    GraphQlResponse,
    /// `application/json`, whatever came of the request.
    Json,
    /// `application/json` for what went well and the other for what was refused: for clients that do not name the newer
    /// type. Anything between us and them can refuse as well, so of a refusal the type says that it is ours.
    Legacy,
}

impl MediaType {
    fn of(self, status: StatusCode) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::Legacy if status.is_success() => "application/json; charset=utf-8",
            Self::Legacy | Self::GraphQlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    /// What `Accept` allows; `None` when it allows nothing that we have. A client that names the newer type gets the one
    /// that it prefers, and at equal weight the newer. One that does not, or says nothing at all, knows no better.
    pub(super) fn negotiate(accept: Option<&str>) -> Option<Self> {
        let Some(accept) = accept else {
            return Some(Self::Legacy);
        };
        let newer = preference("application/graphql-response+json", accept);
        let older = preference("application/json", accept);
        match (newer.weight, older.weight) {
            (0, 0) => None,
            (_, 1..) if !newer.is_named() => Some(Self::Legacy),
            (newer, older) if older > newer => Some(Self::Json),
            _ => Some(Self::GraphQlResponse),
        }
    }
}

/// What a client thinks of a media type. The more specific range counts, and of two alike the heavier.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Preference {
    specific: u8,
    /// In thousandths.
    weight: u16,
}

impl Preference {
    const NAMED: u8 = 3;

    const fn is_named(self) -> bool {
        self.specific == Self::NAMED
    }
}

/// What the most specific range that fits a media type says of it; nothing when none fits.
fn preference(kind: &str, accept: &str) -> Preference {
    let mut best = Preference::default();
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let specific = match parts.next().unwrap_or_default().to_ascii_lowercase().as_str() {
            range if range == kind => Preference::NAMED,
            "application/*" => 2,
            "*/*" => 1,
            _ => continue,
        };
        let weight =
            parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q="))).map_or(1000, weight);
        best = best.max(Preference { specific, weight });
    }
    best
}

/// Whether `Accept` names HTML, as browsers do for a page.
pub(super) fn accepts_html(accept: &str) -> bool {
    let html = preference("text/html", accept);
    html.is_named() && html.weight > 0
}

fn weight(text: &str) -> u16 {
    let thousandths = text.parse::<f32>().unwrap_or(0.0).clamp(0.0, 1.0) * 1000.0;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let weight = thousandths as u16;
    weight
}

/// The request's id, where every answer can find it.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub String);

/// The status that goes with a code when the whole request is refused, which is what GraphQL over HTTP asks for,
/// whatever the client accepts: 400 for what cannot be read, 422 for what cannot be run, 5xx for what is our fault.
/// There is no 200 for clients of `application/json`, which drafts once had: without `data` the status must be 4xx or
/// 5xx. Whoever is refused for who they are, or for how much they ask, gets the status of HTTP itself. In one thing we
/// keep our own contract: JSON that is no request is 400 and not 422, for it has the code of what is no JSON.
const fn status(code: Code) -> StatusCode {
    match code {
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::ReauthenticationRequired => StatusCode::FORBIDDEN,
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

/// A request refused as a whole.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// At least one.
    errors: Vec<ApiError>,
    status: StatusCode,
    retry_after: Option<i64>,
}

impl Refusal {
    pub(super) fn new(code: Code, message: impl Into<String>) -> Self {
        Self::from(ApiError::new(code, message))
    }

    /// The guard's bounds other than bytes are about the document, not about the payload.
    pub(super) fn document(message: impl Into<String>) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..Self::new(Code::DocumentTooLarge, message) }
    }

    /// The request is for another host.
    pub(super) fn misdirected(message: impl Into<String>) -> Self {
        Self { status: StatusCode::MISDIRECTED_REQUEST, ..Self::new(Code::BadRequest, message) }
    }

    pub(super) fn retry_after(self, seconds: i64) -> Self {
        Self { retry_after: Some(seconds.max(1)), ..self }
    }

    /// Adds to the message of the first error.
    pub(super) fn say(&mut self, more: &str) {
        if let Some(first) = self.errors.first_mut() {
            first.message.push_str(more);
        }
    }

    /// The code of the first error.
    pub(super) fn code(&self) -> Code {
        self.errors.first().map_or(Code::Internal, |error| error.code)
    }

    /// The list of errors that clients get to read.
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

    pub(super) fn answer(self, id: &RequestId, media: MediaType) -> Response {
        let body = json!({ "errors": self.errors(id) });
        let Self { status, retry_after, .. } = self;
        let mut answer = json_answer(status, media, &body);
        let retry_after = retry_after.or((status == StatusCode::SERVICE_UNAVAILABLE).then_some(2));
        if let Some(seconds) = retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        answer
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self { status: status(error.code), errors: vec![error], retry_after: None }
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
        Self { errors, status, retry_after: None }
    }
}

/// Maximum number of errors in one answer, however many fields have one.
const MOST_ERRORS: usize = 10;

/// Maximum size of an answer in bytes, because the cost of an operation counts fields and not what is in them. The longest
/// honest one is a copy of everything about a person, with a thousand events.
pub(super) const LARGEST_ANSWER: usize = 4 * 1024 * 1024;

/// The answer to an executed request.
pub(super) fn executed(
    response: async_graphql::Response,
    id: &RequestId,
    (media, cost): (MediaType, Option<u64>),
    record: &mut RequestOutcome,
) -> Result<Response, Refusal> {
    let extensions = cost.map(|cost| Extensions { cost });
    let outcome = Outcome { extensions, ..Outcome::of(response, id) };
    record.executed(&outcome.errors);
    // With `data`, even if it is null, the request was executed: errors of its fields leave it at 200. The specification
    // says that in one place and 294 in another; every client and every proxy knows 200.
    let status = if outcome.data.is_some() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut body = Frames::within(LARGEST_ANSWER);
    serde_json::to_writer(&mut body, &outcome).map_err(|_| {
        let message = format!(
            "The answer would have more than {LARGEST_ANSWER} bytes: ask for less. A change was made all the same."
        );
        Refusal::document(message)
    })?;
    Ok((status, [(header::CONTENT_TYPE, media.of(status))], body.into_body()).into_response())
}

/// What came of an operation: errors get the request's id and a code, and a request that was not executed at all, which
/// has an error of the library that belongs to no field, has no `data`. Serialized as it is, for `data` has its fields in
/// the order of the document.
#[derive(Serialize)]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<async_graphql::Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<async_graphql::ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extensions: Option<Extensions>,
}

/// What only a development server tells.
#[derive(Serialize)]
struct Extensions {
    /// The cost of the operation, of which there is a maximum.
    cost: u64,
}

impl Outcome {
    pub(super) fn of(response: async_graphql::Response, id: &RequestId) -> Self {
        let async_graphql::Response { data, mut errors, .. } = response;
        let is_executed = errors.iter().all(|error| has_code(error) || !error.path.is_empty());
        errors.truncate(MOST_ERRORS);
        let errors = errors.into_iter().map(|error| complete(error, id)).collect();
        Self { data: is_executed.then_some(data), errors, extensions: None }
    }

    /// Whether the first response of a subscription says that there will be no other.
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

/// Whether an error is ours.
fn has_code(error: &async_graphql::ServerError) -> bool {
    error.extensions.as_ref().is_some_and(|extensions| extensions.get("code").is_some())
}

fn complete(mut error: async_graphql::ServerError, id: &RequestId) -> async_graphql::ServerError {
    if !has_code(&error) {
        // Every error of ours has a code, and documents and variables are checked before. What is left is an argument
        // whose type is a scalar of an application. The library's message repeats the value.
        error.message = String::from("An argument has a wrong value.");
        error.extensions.get_or_insert_default().set("code", Code::BadUserInput.as_str());
    }
    error.extensions.get_or_insert_default().set("requestId", id.0.as_str());
    error
}

fn json_answer(status: StatusCode, media: MediaType, body: &impl Serialize) -> Response {
    let mut answer = (status, Json(body)).into_response();
    answer.headers_mut().insert(header::CONTENT_TYPE, media.of(status));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_names_html_and_other_clients_do_not() {
        for accept in ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "text/HTML;q=0.1"] {
            assert!(accepts_html(accept), "{accept}");
        }
        for accept in ["", "*/*", "text/*", "text/html;q=0", "text/htmlx", "application/json"] {
            assert!(!accepts_html(accept), "{accept}");
        }
    }

    #[test]
    fn the_accept_header_is_read_with_its_weights() {
        use MediaType::{GraphQlResponse, Json, Legacy};
        let cases = [
            (None, Some(Legacy)),
            (Some("*/*"), Some(Legacy)),
            (Some("application/*"), Some(Legacy)),
            (Some("application/json"), Some(Legacy)),
            (Some("application/json;charset=utf-8;q=0.1"), Some(Legacy)),
            (Some("*/*;q=0.1, application/json"), Some(Legacy)),
            (Some("application/json, application/graphql-response+json"), Some(GraphQlResponse)),
            (Some("application/json, application/graphql-response+json;q=0.9"), Some(Json)),
            (Some("application/json;q=0, */*"), Some(GraphQlResponse)),
            (Some("application/json;q=0, application/graphql-response+json;q=0.1"), Some(GraphQlResponse)),
            (Some("application/graphql-response+json;q=0.5, application/json;q=0.9"), Some(Json)),
            (Some("application/graphql-response+json;q=0, */*"), Some(Json)),
            (Some("application/*;Q=0.5, application/graphql-response+json;q=0.4"), Some(Json)),
            (Some("text/html, application/json;q=0"), None),
            (Some("*/*;q=0"), None),
            (Some("text/html"), None),
            (Some(""), None),
        ];
        for (accept, expected) in cases {
            assert_eq!(MediaType::negotiate(accept), expected, "{accept:?}");
        }
    }
}
