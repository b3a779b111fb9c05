//! Records every request when it ends: as an access log line, in the metrics and as a trace span. Values from the
//! client are truncated and sanitized in the log, and are never used as metric labels.

pub(super) mod sampling;

use std::{net::IpAddr, time::Duration};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderValue, Method, StatusCode},
    response::Response,
};
use tracing::Span;

use super::{
    Server,
    caller::Caller,
    request_outcome::{RequestOutcome, loggable},
    response::RequestId,
};
use crate::observability::spans;
use sampling::{Skipped, Source};

const TRACE_RESPONSE: &str = "traceresponse";

/// What the access log needs to know about a request in progress.
pub(super) struct LogEntry {
    method: Method,
    path: String,
    route: &'static str,
    id: RequestId,
    pub client: Caller,
    pub span: Span,
    /// The `traceparent` sent by the client.
    incoming: Option<String>,
}

impl LogEntry {
    pub(super) fn begin(server: &Server, request: &Request, id: &RequestId) -> Self {
        let incoming = request.headers().get(spans::HEADER).and_then(|value| value.to_str().ok());
        let route = route(request);
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route,
            id: id.clone(),
            client: Caller::of(request, &server.ctx.settings.trusted_proxies),
            span: spans::request(known(request.method()), route, &id.0, incoming),
            incoming: incoming.map(ToOwned::to_owned),
        }
    }

    pub(super) fn end(self, server: &Server, response: &mut Response, took: Duration) {
        let here = spans::written(&self.span);
        let status = response.status().as_u16();
        spans::answered(&self.span, status);
        if let Some(value) = here.as_deref().and_then(|here| HeaderValue::from_str(here).ok()) {
            response.headers_mut().insert(TRACE_RESPONSE, value);
        }
        let trace_id = here.as_deref().or(self.incoming.as_deref()).and_then(spans::id);
        let exemplar = here.as_deref().filter(|here| here.ends_with("-01")).and_then(spans::id);
        server.ctx.metrics.answered(self.route, status, took, exemplar);
        let record = response.extensions().get::<RequestOutcome>();
        if let Some(record) = record {
            server.ctx.metrics.operated(record.operation(), record.outcome(), took, exemplar);
        }
        server.sampler.rotate(server.ctx.now()).into_iter().for_each(Skipped::log);
        let source = source(record, self.client.0);
        // Log every internal error, because internal errors are rare. A 503 is sampled like other responses, because
        // any client can cause many of them.
        let is_fault = status == StatusCode::INTERNAL_SERVER_ERROR.as_u16();
        if !is_fault && source.is_some_and(|source| !server.sampler.should_log(source)) {
            return;
        }
        tracing::info!(
            method = %loggable(self.method.as_str()),
            path = %loggable(&self.path),
            status,
            micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
            request_id = self.id.0,
            client = %self.client.0,
            operation = record.map(|record| display(record.operation())),
            name = record.and_then(|record| record.name.as_deref()),
            outcome = record.map(|record| display(record.outcome())),
            user = record.and_then(|record| record.user).map(display),
            session = record.and_then(|record| record.session).map(display),
            api_key = record.and_then(|record| record.api_key).map(display),
            trace_id,
            "request"
        );
    }
}

/// Returns the network or session whose sampling limit a log line counts against. `None` for a signed-in user, whose
/// requests `api.caller` already limits. A request that was refused before its session was looked up counts against the
/// session that its token names.
fn source(record: Option<&RequestOutcome>, client: IpAddr) -> Option<Source> {
    match record.map_or((None, None), |record| (record.user, record.session)) {
        (Some(_), _) => None,
        (None, Some(session)) => Some(Source::Session(session)),
        (None, None) => Some(Source::Network(client)),
    }
}

/// Returns the metric label for the route.
fn route(request: &Request) -> &'static str {
    match request.extensions().get::<MatchedPath>().map(MatchedPath::as_str) {
        Some("/graphql") => "graphql",
        Some("/health") => "health",
        Some("/ready") => "ready",
        Some("/metrics") => "metrics",
        Some("/.well-known/jwks.json") => "jwks",
        Some("/pages/session") => "session",
        Some("/" | "/graphiql" | "/inbox" | "/.well-known/change-password") => "page",
        Some(path) if path.starts_with("/assets") => "asset",
        _ => "other",
    }
}

/// Returns the method for the span. All unknown methods have the same name, because clients can send any method.
fn known(method: &Method) -> &str {
    let all = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if all.contains(method) { method.as_str() } else { "_OTHER" }
}
