//! The spans that traces are made of, each with its name and its fields. While nobody collects traces all of this is
//! nothing: a span that is not made costs the look at one flag. No span ever holds a value of a statement, an address
//! or anything that signs somebody in. Where spans go is in `traces`.

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

/// What all spans in this file have as their target, so that the log does not show them and traces show nothing else.
pub const TARGET: &str = module_path!();

/// The header of W3C Trace Context. The other one, `tracestate`, would be in every span, and a stranger writes what is in it.
pub const HEADER: &str = "traceparent";

static ON: AtomicBool = AtomicBool::new(false);

/// Spans are made from now on.
pub fn turn_on() {
    ON.store(true, Ordering::Relaxed);
}

/// Whether anybody collects traces. A flag of our own: asking the subscriber about a span that is then not made would
/// spoil what it remembers for the next line of the log.
pub fn is_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// A span of ours while somebody collects them, else none.
macro_rules! span {
    ($($span:tt)+) => {
        if is_on() { info_span!($($span)+) } else { Span::none() }
    };
}

/// A request over HTTP. It goes on with the trace that its header names.
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
        // A context that cannot be read is none, and then a trace begins here.
        let parent = traceparent.and_then(read).map(|outside| Context::new().with_remote_span_context(outside));
        drop(span.set_parent(parent.unwrap_or_default()));
    }
    span
}

/// Notes how a request was answered.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// An operation of GraphQL. `operation` is a word of ours, `name` what the client calls it.
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

/// Notes what an operation came to.
pub fn came_to(span: &Span, outcome: &str) {
    span.record("doorcode.outcome", outcome);
}

/// A resolver at the root of an operation.
pub fn resolver(parent: &str, field: &str) -> Span {
    span!("resolver", otel.name = format!("{parent}.{field}"))
}

/// The resolvers of one level that read together.
pub fn batch(what: &'static str, keys: usize) -> Span {
    span!("batch", otel.name = what, keys)
}

/// A call of the limiter.
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

/// The delivery of a letter: a trace of its own, linked to the request that queued it.
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

/// A conversation with a mail server.
pub fn conversation() -> Span {
    span!("smtp", otel.kind = "client", network.protocol.name = "smtp")
}

/// A statement that just ended, with its text, where the values are placeholders. Only as a part of a trace: what runs by
/// itself makes none.
pub fn statement(sql: &str, system: &'static str, took: Duration, failed: bool) {
    if !is_on() {
        return;
    }
    // Not the log's current span, which may be a library's that is no part of the trace.
    let parent = Context::current();
    if !parent.span().span_context().is_sampled() {
        return;
    }
    // The span is of the past, so it is not one that can be entered. A collector wants the system's time, whatever clock
    // the domain has.
    let end = opentelemetry::time::now();
    let tracer = global::tracer("doorcode");
    let begun = tracer
        .span_builder(title(sql))
        .with_kind(SpanKind::Client)
        .with_start_time(end.checked_sub(took).unwrap_or(end))
        .with_attributes([KeyValue::new("db.system.name", system), KeyValue::new("db.query.text", sql.to_owned())]);
    let mut span = tracer.build_with_context(begun, &parent);
    if failed {
        span.set_status(Status::error(""));
    }
    span.end_with_timestamp(end);
}

/// What a statement does, and to which table.
fn title(sql: &str) -> String {
    let mut words = sql.split_whitespace();
    let verb = words.next().unwrap_or_default().to_ascii_uppercase();
    let table = if verb == "UPDATE" {
        words.next()
    } else {
        let after: Vec<_> = words.collect();
        // What is read from a list of statements in parentheses is read from the first table in them.
        let mut pairs = after.windows(2).filter(|pair| matches!(pair[0], "FROM" | "INTO") && !pair[1].starts_with('('));
        pairs.next().map(|pair| pair[1])
    };
    let name: String = table.unwrap_or_default().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    if name.is_empty() { verb } else { format!("{verb} {name}") }
}

/// Where in a trace this is, as the header `traceparent` writes it; nothing outside of one.
pub fn here() -> Option<String> {
    is_on().then(|| text(Context::current().span().span_context())).flatten()
}

/// Where in a trace a span is.
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

/// The id of the trace in what `traceparent` says; nothing when it says nothing.
pub fn id(traceparent: &str) -> Option<&str> {
    let id = traceparent.split('-').nth(1)?;
    let harmless = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    harmless.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_called_by_what_it_does_and_to_which_table() {
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
    fn only_what_a_trace_is_called_by_is_taken_for_its_id() {
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
