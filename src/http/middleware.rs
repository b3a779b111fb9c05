//! Middleware for every request. It adds a request ID and security headers to the response, writes the access log line,
//! and turns panics into error responses. It rejects requests with an ambiguous `Host` or `Transfer-Encoding` header.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    body::HttpBody as _,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, Version, header},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    Server,
    access_log::LogEntry,
    response::{
        Refusal, RequestId,
        accept::MediaType,
        rate_limit::{RATE_LIMIT, RATE_LIMIT_POLICY},
    },
    server::ConnectionHandle,
};
use crate::{graphql::error::Code, settings::Settings};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const MAX_ID_LENGTH: usize = 64;

/// Content security policy for all responses except pages. If a browser opens such a response, it runs no script, loads
/// no resource and shows no frame.
pub(super) const DENY_ALL_POLICY: &str = "default-src 'none'; object-src 'none'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox";

/// Default response headers. They do not replace a header that a handler has set.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, DENY_ALL_POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub(super) async fn wrap(State(server): State<Arc<Server>>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let id = RequestId(incoming_id(&request).unwrap_or_else(|| fresh_id(&server)));
    let entry = LogEntry::begin(&server, &request, &id);
    request.extensions_mut().insert(id.clone());
    request.extensions_mut().insert(entry.client);
    let had_body = !request.body().is_end_stream();
    let mut response = if let Some(refused) = refuse_ambiguous(&request, &id) {
        refused
    } else {
        // Adds the request ID to every log line of this request. A user can quote the ID when reporting a problem.
        let request_span = tracing::error_span!("request", request_id = id.0);
        let handled =
            AssertUnwindSafe(next.run(request)).catch_unwind().instrument(entry.span.clone()).instrument(request_span);
        // The panic hook has already logged the panic.
        handled.await.unwrap_or_else(|_| {
            Refusal::new(Code::Internal, "Something went wrong on our side.").respond(&id, MediaType::Json)
        })
    };
    if ends_the_connection(&response, had_body) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    add_headers(&mut response, &id, server.https);
    entry.end(&server, &mut response, start.elapsed());
    response
}

/// Middleware for requests before startup completes. It writes no access log and cannot create random request IDs yet.
pub(super) async fn wrap_early(State(https): State<bool>, mut request: Request, next: Next) -> Response {
    let id = RequestId(incoming_id(&request).unwrap_or_else(|| "starting".to_owned()));
    request.extensions_mut().insert(id.clone());
    let mut response = match refuse_ambiguous(&request, &id) {
        Some(refused) => refused,
        None => next.run(request).await,
    };
    add_headers(&mut response, &id, https);
    response
}

/// Whether the connection must close after this response, because part of the request body may be unread.
fn ends_the_connection(response: &Response, had_body: bool) -> bool {
    had_body && matches!(response.status().as_u16(), 404..=408 | 413 | 415 | 421)
}

/// Rejects an ambiguous request and closes its connection. Behind a proxy, the next bytes on that connection may belong
/// to another client's request.
fn refuse_ambiguous(request: &Request, id: &RequestId) -> Option<Response> {
    let mut response = Refusal::new(Code::BadRequest, ambiguity(request)?).respond(id, MediaType::Json);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    Some(response)
}

/// Detects a request that a proxy in front of us may interpret differently (request smuggling). HTTP/1.1 requires
/// exactly one `Host` header. Production servers ignore that header, but a proxy may route by it. Requests that tests
/// create without a network connection need no `Host`.
fn ambiguity(request: &Request) -> Option<&'static str> {
    let hosts = request.headers().get_all(header::HOST).iter().count();
    let must = request.version() == Version::HTTP_11 && request.extensions().get::<ConnectionHandle>().is_some();
    if hosts > 1 || (hosts == 0 && must) {
        return Some("Send exactly one `Host` header.");
    }
    let mut codings = request.headers().get_all(header::TRANSFER_ENCODING).iter();
    let is_plain = codings.next().is_none_or(|coding| coding.as_bytes().eq_ignore_ascii_case(b"chunked"));
    (!is_plain || codings.next().is_some()).then_some("The only supported transfer coding is a single `chunked`.")
}

fn add_headers(response: &mut Response, id: &RequestId, https: bool) {
    let headers = response.headers_mut();
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

/// Returns the request ID that the caller sent, if it is safe to log.
fn incoming_id(request: &Request) -> Option<String> {
    let id = request.headers().get(REQUEST_ID)?.to_str().ok()?;
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    ((1..=MAX_ID_LENGTH).contains(&id.len()) && id.bytes().all(harmless)).then(|| id.to_owned())
}

fn fresh_id(server: &Server) -> String {
    Uuid::simple(server.ctx.new_id(server.ctx.now())).to_string()
}

/// Creates the CORS layer. It allows only the origins in the settings, and never allows cookies.
pub(super) fn cors(settings: &Settings) -> CorsLayer {
    let origins = settings.cors_origins.clone();
    let allow = move |origin: &HeaderValue, _: &_| origin.to_str().is_ok_and(|origin| origins.allow(origin));
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(allow))
        .allow_methods([Method::POST, Method::GET])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, REQUEST_ID])
        // A client whose clock is off learns the time from `Date`.
        .expose_headers([
            header::DATE,
            REQUEST_ID,
            header::RETRY_AFTER,
            RATE_LIMIT,
            RATE_LIMIT_POLICY,
            header::WWW_AUTHENTICATE,
        ])
        .max_age(std::time::Duration::from_mins(10))
}
