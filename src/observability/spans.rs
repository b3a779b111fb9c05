//! Creates all trace spans, with their names and fields. Without a collector, creating a span only checks a flag. Spans
//! never contain the values in database statements, email addresses or credentials.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use opentelemetry::{
    Context, KeyValue, global,
    propagation::TextMapPropagator,
    trace::{Span as _, SpanContext, SpanKind, Status, TraceContextExt, Tracer},
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::{Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The `tracing` target of all spans in this module. The log excludes this target, and traces contain no other.
pub const TARGET: &str = module_path!();

/// The W3C Trace Context header. We ignore the `tracestate` header: clients control its value, and every span would
/// contain it.
pub const HEADER: &str = "traceparent";

static ON: AtomicBool = AtomicBool::new(false);

/// Enables spans, when a collector is set.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Whether traces are collected. We keep our own flag instead of asking the subscriber whether a span is enabled.
/// Asking without creating the span would break the subscriber's filter state for the next log line.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// Creates a span if traces are collected.
macro_rules! span {
    ($($span:tt)+) => {
        if is_on() { info_span!($($span)+) } else { Span::none() }
    };
}

/// Creates the span of an HTTP request. The span continues the client's trace if `traceparent` is valid.
pub fn request(method: &str, route: &str, request_id: &str, traceparent: Option<&str>) -> Span {
    let span = span!(
        "request",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        request_id
    );
    if !span.is_disabled() {
        span.record("otel.name", format!("{method} {route}"));
        // An invalid header starts a new trace.
        let parent = traceparent.and_then(read).map(|outside| Context::new().with_remote_span_context(outside));
        drop(span.set_parent(parent.unwrap_or_default()));
    }
    span
}

/// Records the response status in a request span.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// Creates the span of a GraphQL operation. `operation` is our label for the operation, `name` is the client's.
pub fn operation(kind: &str, operation: &str, name: Option<&str>) -> Span {
    let span = span!(
        "operation",
        otel.name = Empty,
        graphql.operation.type = kind,
        graphql.operation.name = name,
        doorcode.outcome = Empty
    );
    if !span.is_disabled() {
        let title = if kind == operation { kind.to_owned() } else { format!("{kind} {operation}") };
        span.record("otel.name", title);
    }
    span
}

/// Records the outcome in an operation or delivery span.
pub fn came_to(span: &Span, outcome: &str) {
    span.record("doorcode.outcome", outcome);
}

/// Creates the span of a root resolver.
pub fn resolver(parent: &str, field: &str) -> Span {
    span!("resolver", otel.name = format!("{parent}.{field}"))
}

/// Creates the span of a batch read, which loads what all resolvers on one level of the response need.
pub fn batch(what: &'static str, keys: usize) -> Span {
    span!("batch", otel.name = what, keys)
}

/// Creates the span of a limiter call.
pub fn limiter<I>(call: &'static str, store: &'static str, rules: impl FnOnce() -> I) -> Span
where
    I: Iterator<Item = &'static str>,
{
    let span = span!("limiter", otel.name = call, otel.kind = "client", db.system.name = store, rules = Empty);
    if !span.is_disabled() {
        span.record("rules", rules().collect::<Vec<_>>().join(","));
    }
    span
}

/// Creates the span of an email delivery. The span starts a new trace, linked to the request that queued the email.
pub fn delivery(kind: &str, attempt: i32, queued_by: Option<&str>) -> Span {
    let span = span!(
        parent: None,
        "delivery",
        otel.name = format!("deliver {kind}"),
        otel.kind = "consumer",
        attempt,
        doorcode.outcome = Empty
    );
    if !span.is_disabled()
        && let Some(queued_by) = queued_by.and_then(read)
    {
        span.add_link(queued_by);
    }
    span
}

/// Creates the span of an SMTP conversation.
pub fn conversation() -> Span {
    span!("smtp", otel.kind = "client", network.protocol.name = "smtp")
}

/// Records a finished database statement as a span, within a trace only. `sql` contains placeholders instead of values.
pub fn statement(sql: &str, system: &'static str, took: Duration, failed: bool) {
    if !is_on() {
        return;
    }
    // Use the OpenTelemetry context: the current `tracing` span may belong to a library and not be part of the trace.
    let parent = Context::current();
    if !parent.span().span_context().is_sampled() {
        return;
    }
    // The statement has already finished, so build its span directly. Spans use system time, because the domain's clock
    // may be a test clock.
    let end = opentelemetry::time::now();
    let tracer = global::tracer("doorcode");
    let builder = tracer
        .span_builder(title(sql))
        .with_kind(SpanKind::Client)
        .with_start_time(end.checked_sub(took).unwrap_or(end))
        .with_attributes([KeyValue::new("db.system.name", system), KeyValue::new("db.query.text", sql.to_owned())]);
    let mut span = tracer.build_with_context(builder, &parent);
    if failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
}

/// Returns the verb and the table name of a statement, such as `SELECT users`.
fn title(sql: &str) -> String {
    let mut words = sql.split_whitespace();
    let verb = words.next().unwrap_or_default().to_ascii_uppercase();
    let table = if verb == "UPDATE" {
        words.next()
    } else {
        let after: Vec<_> = words.collect();
        // If the statement reads from a subquery, use the first table in the subquery.
        let mut pairs = after.windows(2).filter(|pair| matches!(pair[0], "FROM" | "INTO") && !pair[1].starts_with('('));
        pairs.next().map(|pair| pair[1])
    };
    let name: String = table.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if name.is_empty() { verb } else { format!("{verb} {name}") }
}

/// Returns the current span as a `traceparent` header value. `None` outside a trace.
pub fn here() -> Option<String> {
    is_on().then(|| text(Context::current().span().span_context())).flatten()
}

/// Returns this span as a `traceparent` header value. `None` if the span is not part of a trace.
pub fn written(span: &Span) -> Option<String> {
    text(span.context().span().span_context())
}

fn text(context: &SpanContext) -> Option<String> {
    let flags = context.trace_flags().to_u8();
    context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
}

fn read(traceparent: &str) -> Option<SpanContext> {
    let context = HashMap::from([(HEADER.to_owned(), traceparent.to_owned())]);
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &context);
    let context = context.span().span_context().clone();
    context.is_valid().then_some(context)
}

/// Returns the trace ID in a `traceparent` header value, if the ID is valid.
pub fn id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    let is_valid = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_valid.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_named_by_its_verb_and_table() {
        for (sql, expected) in [
            ("SELECT \"users\".\"id\" FROM \"users\" WHERE 1", "SELECT users"),
            ("UPDATE email_codes SET attempts = attempts + 1", "UPDATE email_codes"),
            ("INSERT INTO \"audit_events\" (\"id\") VALUES ($1)", "INSERT audit_events"),
            ("DELETE FROM outbox", "DELETE outbox"),
            ("SELECT * FROM (SELECT * FROM \"sessions\" LIMIT 5) AS s", "SELECT sessions"),
            ("SELECT 1", "SELECT"),
            ("", ""),
        ] {
            assert_eq!(title(sql), expected, "{sql}");
        }
    }

    #[test]
    fn only_valid_trace_ids_are_accepted() {
        let id_of = |text| id(text);
        assert_eq!(
            id_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            Some("0af7651916cd43dd8448eb211c80319c")
        );
        for text in
            ["", "00", "00-short-b7ad6b7169203331-01", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"]
        {
            assert_eq!(id_of(text), None, "{text}");
        }
        assert_eq!(id_of(&format!("00-{}\u{1b}[2J-1-01", "a".repeat(28))), None);
    }
}
