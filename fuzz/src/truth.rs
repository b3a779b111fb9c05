//! Invariants of every response: an allowed status, the standard JSON shape, a known error code, and no internal
//! details.

use axum::http::header;
use doorcode::graphql::error::Code;
use serde_json::Value;

use crate::{Answer, Asked};

/// Allowed statuses. Server errors are findings.
const STATUSES: [u16; 17] = [200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 422, 426, 429, 431];

/// Words that reveal internal details. An error message may contain one only if the request does.
const INTERNALS: [&str; 14] = [
    "panick",
    "SQL",
    "sqlx",
    "SeaORM",
    "sea_orm",
    "sqlite",
    "src/",
    ".rs",
    "constraint",
    "async_graphql",
    "serde",
    "unwrap",
    "thread '",
    "backtrace",
];

/// Checks the status and headers of a response on any path.
pub fn check(asked: &Asked<'_>, answer: &Answer) {
    let Answer { status, headers, text } = answer;
    assert!(STATUSES.contains(&status.as_u16()), "{status} for {:?}: {text}", asked.text);
    assert!(headers.contains_key("x-request-id"), "no request id for {:?}", asked.text);
    let nosniff = headers.get(header::X_CONTENT_TYPE_OPTIONS).is_some_and(|value| value == "nosniff");
    assert!(nosniff, "no security headers for {:?}", asked.text);
}

/// Checks a response of `/graphql`, including its body.
pub fn check_graphql(asked: &Asked<'_>, answer: &Answer) {
    check(asked, answer);
    let json: Value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
    let shape = json.as_object().unwrap_or_else(|| panic!("no JSON for {:?}: {}", asked.text, answer.text));
    assert!(
        shape.keys().all(|key| ["data", "errors", "extensions"].contains(&key.as_str())),
        "{:?}: {json}",
        asked.text
    );
    assert_eq!(shape.contains_key("data"), answer.status == 200, "{} for {:?}: {json}", answer.status, asked.text);
    let Some(errors) = shape.get("errors") else {
        assert!(shape.contains_key("data"), "{:?}: {json}", asked.text);
        return;
    };
    let errors = errors.as_array().expect("errors are a list");
    assert!(!errors.is_empty(), "{:?}: {json}", asked.text);
    errors.iter().for_each(|error| check_error(asked, error));
}

fn check_error(asked: &Asked<'_>, error: &Value) {
    let message = error["message"].as_str().expect("an error has a message");
    let code = error["extensions"]["code"].as_str().expect("an error has a code");
    assert!(error["extensions"]["requestId"].is_string(), "{:?}: {error}", asked.text);
    assert!(Code::ALL.iter().any(|known| known.as_str() == code), "{:?}: {error}", asked.text);
    assert_ne!(code, Code::Internal.as_str(), "{:?}: {error}", asked.text);
    for internal in INTERNALS {
        let told = message.contains(internal) && !asked.text.contains(internal);
        assert!(!told, "{:?}: {error} reveals {internal}", asked.text);
    }
}
