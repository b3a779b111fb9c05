//! What every answer carries, whatever gave it: a request id, the headers that its kind needs, a line in the log. A
//! panic anywhere below becomes an answer of the usual shape here.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tower_http::cors::{AllowOrigin, CorsLayer};
use uuid::Uuid;

use super::{
    Server,
    answer::{MediaType, Refusal, RequestId},
};
use crate::{config::Settings, graphql::error::Code};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 64;

/// The headers of answers that bring their own do not need.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Wraps every request.
pub(super) async fn wrap(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = RequestId(incoming_id(&request).unwrap_or_else(|| fresh_id(&server)));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    request.extensions_mut().insert(id.clone());
    let mut answer = AssertUnwindSafe(next.run(request)).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(request_id = id.0, "a handler panicked");
        Refusal::new(Code::Internal, "Something went wrong on our side.").answer(&id, MediaType::Json)
    });
    dress(&mut answer, &id, server.https);
    tracing::info!(
        %method,
        path = %loggable(&path),
        status = answer.status().as_u16(),
        micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX),
        request_id = id.0,
        "request"
    );
    answer
}

fn dress(answer: &mut Response, id: &RequestId, https: bool) {
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        headers.insert(REQUEST_ID, value);
    }
}

/// A caller's own id is kept when it cannot do harm in a log.
fn incoming_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(harmless)).then(|| id.to_owned())
}

fn fresh_id(server: &Server) -> String {
    Uuid::simple(server.ctx.new_id(server.ctx.now())).to_string()
}

/// A path as it may stand in a log: short, and without anything that a terminal obeys.
fn loggable(path: &str) -> String {
    path.chars().take(128).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// Which origins' scripts may read our answers: an exact list, and never with credentials.
pub(super) fn cors(settings: &Settings) -> CorsLayer {
    let origins = settings.cors_origins.iter().filter_map(|origin| origin.parse::<HeaderValue>().ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST, Method::GET])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, REQUEST_ID])
        .expose_headers([REQUEST_ID, header::RETRY_AFTER, header::WWW_AUTHENTICATE])
        .max_age(std::time::Duration::from_mins(10))
}
