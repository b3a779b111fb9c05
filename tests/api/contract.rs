//! The HTTP and GraphQL contract that applies to all operations. Other modules test the individual operations.

mod bearer;
mod documents;
mod edge;
mod http;
mod ids;
pub(crate) mod schema;
mod user_by_email;

use axum::{
    body::Body,
    http::{Method, Request},
};
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

/// All values of `extensions.code`.
const CODES: [&str; 18] = [
    "INSUFFICIENT_SCOPE",
    "UNAUTHENTICATED",
    "FORBIDDEN",
    "NOT_FOUND",
    "CONFLICT",
    "REAUTHENTICATION_REQUIRED",
    "BAD_USER_INPUT",
    "BAD_REQUEST",
    "GRAPHQL_PARSE_FAILED",
    "GRAPHQL_VALIDATION_FAILED",
    "METHOD_NOT_ALLOWED",
    "NOT_ACCEPTABLE",
    "TIMEOUT",
    "UNSUPPORTED_MEDIA_TYPE",
    "DOCUMENT_TOO_LARGE",
    "RATE_LIMITED",
    "UNAVAILABLE",
    "METHOD_DISABLED",
];
const INTERNAL: &str = "INTERNAL";

/// Sends a request without the headers that a correct client adds.
async fn raw(
    client: &Client<'_>,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(body.into()).unwrap()).await
}

/// Posts a valid request with these headers.
async fn post_with(client: &Client<'_>, headers: &[(&str, &str)]) -> Answer {
    raw(client, Method::POST, "/graphql", headers, TYPENAME).await
}

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

fn body(query: &str) -> String {
    json!({ "query": query }).to_string()
}

/// Checks that every error has the standard shape.
#[track_caller]
pub(crate) fn check_errors(answer: &Answer, what: &str) {
    let id = answer.headers["x-request-id"].to_str().unwrap();
    let errors = answer.json["errors"]
        .as_array()
        .unwrap_or_else(|| panic!("{what}: no errors in {}: {}", answer.status, answer.text));
    assert!(!errors.is_empty(), "{what}");
    for error in errors {
        let message = error["message"].as_str().unwrap();
        assert!(!message.is_empty(), "{what}");
        let leaks = ["doorcode::", "src/", "SELECT", "sqlx", "panicked", "Did you mean", "async_graphql"];
        assert!(!leaks.iter().any(|leak| message.contains(leak)), "{what}: {message}");
        let code = error["extensions"]["code"].as_str().unwrap();
        assert!(CODES.contains(&code) || code == INTERNAL, "{what}: {code} is not in the list");
        assert_eq!(error["extensions"]["requestId"], id, "{what}");
        let known = ["code", "requestId", "field", "problems"];
        let extensions = error["extensions"].as_object().unwrap();
        assert!(extensions.keys().all(|key| known.contains(&key.as_str())), "{what}: {error}");
    }
}

/// Checks that the whole request is refused with this status and code, without `data`.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, what: &str) {
    let what = format!("{what}: {} {}", answer.status, answer.text);
    assert_eq!((answer.status.as_u16(), answer.code()), (status, code), "{what}");
    check_errors(answer, &what);
    let keys: Vec<_> = answer.json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["errors"], "{what}");
    assert_eq!(answer.headers["cache-control"], "no-store", "{what}");
    let kind = answer.headers["content-type"].to_str().unwrap();
    assert!(kind.contains("json"), "{what}");
}

/// Checks that a response with status 200 has an error with this code in a field.
#[track_caller]
pub(crate) fn failed_in_field(answer: &Answer, path: &Value, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (200, code), "{}", answer.text);
    check_errors(answer, &answer.text);
    assert_eq!(answer.json["errors"][0]["path"], *path, "{}", answer.text);
    assert!(answer.json.get("data").is_some(), "{}", answer.text);
}

/// Counts of everything that a guess, an email or a sign-in would change.
async fn counters(app: &TestApp) -> (u64, i64, i64, i64, i64) {
    let calls = app.limiter.calls.load(std::sync::atomic::Ordering::SeqCst);
    (
        calls,
        app.count("audit_events", "1 = 1").await,
        app.count("email_codes", "attempts > 0").await,
        app.count("email_codes", "1 = 1").await,
        app.count("sessions", "ended_at IS NULL").await,
    )
}
