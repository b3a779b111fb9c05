//! All metrics, and their text format. Labels have a fixed set of values: never an address, an ID or client input, so
//! their cardinality is bounded. This module queries no database; callers query it and pass the values as [`Observed`].

mod lookups;
mod process;

use std::{
    borrow::Cow,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        exemplar::HistogramWithExemplars,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::{Metric, Registry},
};

pub use lookups::Lookups;
pub use process::most_files;

/// Buckets for requests and operations, in seconds.
const REQUEST_BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Buckets for calls to the database or the limiter, in seconds.
const STORE_BUCKETS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];
/// Buckets for SMTP conversations, in seconds.
const MAIL_BUCKETS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Label = (&'static str, Cow<'static, str>);
type Counters<const N: usize> = Family<[Label; N], Counter>;
type Timers = Family<[Label; 1], HistogramWithExemplars<[Label; 1]>, Exemplary>;
type Gauges<const N: usize> = Family<[Label; N], Gauge>;

/// Creates request histograms with exemplars, which link a bucket to a trace.
#[derive(Clone)]
struct Exemplary;

impl MetricConstructor<HistogramWithExemplars<[Label; 1]>> for Exemplary {
    fn new_metric(&self) -> HistogramWithExemplars<[Label; 1]> {
        HistogramWithExemplars::new(REQUEST_BUCKETS.into_iter())
    }
}

/// The metrics of a process. Clones share the same metrics.
#[derive(Clone)]
pub struct Metrics(Arc<Board>);

struct Board {
    registry: Registry,
    answers: Counters<2>,
    answer_times: Timers,
    operations: Counters<2>,
    operation_times: Timers,
    refusals: Counters<1>,
    budget: Counters<1>,
    events: Counters<1>,
    mails: Counters<2>,
    delivery_times: Histogram,
    statements: Counters<1>,
    statement_times: Histogram,
    limiter_times: Family<[Label; 1], Histogram, fn() -> Histogram>,
    lookups: Counters<2>,
    not_told: Counter,
    panics: Counter,
    connections: Gauge,
    subscriptions: Gauge,
    sampled: Sampled,
}

/// Metrics whose values are read at each scrape, from the database, the pools and the readiness check.
struct Sampled {
    letters: Gauge,
    oldest_letter: Gauge<f64, AtomicU64>,
    sessions: Gauge,
    key_age: Gauge,
    pools: Gauges<2>,
    pool_bounds: Gauges<1>,
    ready: Gauges<1>,
}

/// Values read for a scrape. `None` means that the value could not be read; the metric then keeps its last value.
#[derive(Default)]
pub struct Observed {
    /// Number of queued emails, and the age of the oldest.
    pub outbox: Option<(u64, Duration)>,
    /// Number of open sessions.
    pub sessions: Option<u64>,
    /// How long the current signing key has been signing.
    pub key_age: Option<Duration>,
    /// Database connection pools.
    pub pools: Vec<Pool>,
    /// The parts of the readiness check, and whether each is healthy.
    pub ready: Vec<(&'static str, bool)>,
    /// Number of panics since the process started.
    pub panics: u64,
}

/// Current state of a connection pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Name of the pool.
    pub name: &'static str,
    /// Idle connections.
    pub idle: u32,
    /// Connections in use.
    pub used: u32,
    /// Maximum size.
    pub most: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        let board = Board::new();
        // Create important time series at zero. A series that appears with its first event would hide that event from
        // rate queries.
        for failed in [false, true] {
            drop(board.statements.get_or_create(&[outcome(failed)]));
            drop(board.limiter_times.get_or_create(&[outcome(failed)]));
        }
        for rule in ["send.instance", "guess.account"] {
            drop(board.refusals.get_or_create(&[of("rule", rule)]));
        }
        for part in ["open", "shared", "reserve"] {
            drop(board.budget.get_or_create(&[of("part", part)]));
        }
        for operation in ["login", "verify", "refresh", "query"] {
            for outcome in ["INTERNAL", "UNAVAILABLE"] {
                drop(board.operations.get_or_create(&[of("operation", operation), of("outcome", outcome)]));
            }
        }
        Self(Arc::new(board))
    }
}

impl Metrics {
    /// Counts an HTTP response.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration, trace: Option<&str>) {
        self.0.answers.get_or_create(&[of("route", route), of("status", status.to_string())]).inc();
        self.0.answer_times.get_or_create(&[of("route", route)]).observe(took.as_secs_f64(), exemplar(trace), None);
    }

    /// Counts a GraphQL operation. Both labels must be fixed values, never client input.
    pub fn operated(
        &self,
        operation: Cow<'static, str>,
        outcome: Cow<'static, str>,
        took: Duration,
        trace: Option<&str>,
    ) {
        self.0.operations.get_or_create(&[("operation", operation.clone()), ("outcome", outcome)]).inc();
        let times = self.0.operation_times.get_or_create(&[("operation", operation)]);
        times.observe(took.as_secs_f64(), exemplar(trace), None);
    }

    /// Counts a refusal by a limit.
    pub fn refused(&self, rule: &'static str) {
        self.0.refusals.get_or_create(&[of("rule", rule)]).inc();
    }

    /// Counts an email charged to this part of the daily budget.
    pub fn budgeted(&self, part: &'static str) {
        self.0.budget.get_or_create(&[of("part", part)]).inc();
    }

    /// Counts an audit event.
    pub fn happened(&self, kind: &str) {
        self.0.events.get_or_create(&[of("kind", kind.to_owned())]).inc();
    }

    /// Counts a delivery attempt.
    pub fn mailed(&self, kind: &str, outcome: &'static str) {
        self.0.mails.get_or_create(&[of("kind", kind.to_owned()), of("outcome", outcome)]).inc();
    }

    /// Records the duration of an SMTP conversation.
    pub fn delivered_in(&self, took: Duration) {
        self.0.delivery_times.observe(took.as_secs_f64());
    }

    /// Records a database statement.
    pub fn stated(&self, took: Duration, failed: bool) {
        self.0.statements.get_or_create(&[outcome(failed)]).inc();
        self.0.statement_times.observe(took.as_secs_f64());
    }

    /// Records a limiter call.
    pub fn limited(&self, took: Duration, failed: bool) {
        self.0.limiter_times.get_or_create(&[outcome(failed)]).observe(took.as_secs_f64());
    }

    /// The counters of a cache.
    pub fn lookups(&self, cache: &'static str) -> Lookups {
        let counter = |result| self.0.lookups.get_or_create(&[of("cache", cache), of("result", result)]).clone();
        Lookups::new(counter("hit"), counter("miss"))
    }

    /// Counts live events that were dropped.
    pub fn not_told(&self, events: u64) {
        self.0.not_told.inc_by(events);
    }

    /// Counts a connection as open until the guard is dropped.
    pub fn connected(&self) -> Present {
        Present::of(&self.0.connections)
    }

    /// Counts a subscription as open until the guard is dropped.
    pub fn subscribed(&self) -> Present {
        Present::of(&self.0.subscriptions)
    }

    /// Sets the observed values and returns all metrics in the `OpenMetrics` text format.
    pub fn text(&self, observed: Observed) -> Result<String, fmt::Error> {
        self.0.panics.inner().store(observed.panics, Ordering::Relaxed);
        self.0.sampled.set(observed);
        let mut text = String::new();
        encode(&mut text, &self.0.registry).map(|()| text)
    }
}

/// A guard that counts a connection or subscription as open until the guard is dropped.
pub struct Present(Gauge);

impl Present {
    fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Present {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn of(name: &'static str, value: impl Into<Cow<'static, str>>) -> Label {
    (name, value.into())
}

fn outcome(failed: bool) -> Label {
    of("outcome", if failed { "failed" } else { "ok" })
}

fn exemplar(trace: Option<&str>) -> Option<[Label; 1]> {
    trace.map(|id| [of("trace_id", id.to_owned())])
}

impl Board {
    fn new() -> Self {
        let mut registry = Registry::default();
        let r = &mut registry;
        let build = Gauges::<1>::default();
        build.get_or_create(&[of("version", env!("CARGO_PKG_VERSION"))]).set(1);
        add(r, "doorcode_build_info", "Version of the running server", build);
        r.register_collector(Box::new(process::Process));
        let trip_times: fn() -> Histogram = || Histogram::new(STORE_BUCKETS);
        Self {
            answers: add(r, "doorcode_http_requests", "HTTP responses", Family::default()),
            answer_times: add(
                r,
                "doorcode_http_request_duration_seconds",
                "Time from the headers of a request to its response",
                Family::new_with_constructor(Exemplary),
            ),
            operations: add(r, "doorcode_operations", "GraphQL operations by outcome", Family::default()),
            operation_times: add(
                r,
                "doorcode_operation_duration_seconds",
                "Time from the headers of a request to the outcome of its operation",
                Family::new_with_constructor(Exemplary),
            ),
            refusals: add(r, "doorcode_refusals", "Calls refused by a rate limit", Family::default()),
            budget: add(
                r,
                "doorcode_mail_budget",
                "Emails by the part of the daily budget that they used",
                Family::default(),
            ),
            events: add(r, "doorcode_events", "Events recorded in the audit trail", Family::default()),
            mails: add(r, "doorcode_mails", "Email delivery attempts by outcome", Family::default()),
            delivery_times: add(
                r,
                "doorcode_mail_delivery_duration_seconds",
                "Duration of SMTP conversations",
                Histogram::new(MAIL_BUCKETS),
            ),
            statements: add(r, "doorcode_database_statements", "Database statements", Family::default()),
            statement_times: add(
                r,
                "doorcode_database_statement_duration_seconds",
                "Duration of database statements, without the wait for a connection",
                trip_times(),
            ),
            limiter_times: add(
                r,
                "doorcode_limiter_call_duration_seconds",
                "Duration of limiter calls (a round trip to Redis, or in memory)",
                Family::new_with_constructor(trip_times),
            ),
            lookups: add(r, "doorcode_cache_lookups", "Lookups in a cache", Family::default()),
            not_told: add(r, "doorcode_live_dropped", "Live events not delivered to subscribers", Counter::default()),
            panics: add(r, "doorcode_panics", "Panics", Counter::default()),
            connections: add(r, "doorcode_connections", "Open connections", Gauge::default()),
            subscriptions: add(r, "doorcode_subscriptions", "Open subscriptions", Gauge::default()),
            sampled: Sampled::new(r),
            registry,
        }
    }
}

impl Sampled {
    fn new(r: &mut Registry) -> Self {
        Self {
            letters: add(r, "doorcode_outbox_letters", "Emails in the outbox, for all replicas", Gauge::default()),
            oldest_letter: add(
                r,
                "doorcode_outbox_oldest_seconds",
                "Age of the oldest email in the outbox",
                Gauge::default(),
            ),
            sessions: add(
                r,
                "doorcode_sessions_live",
                "Open sessions, for all replicas, counted once a minute up to one million",
                Gauge::default(),
            ),
            key_age: add(
                r,
                "doorcode_signing_key_age_seconds",
                "How long the current signing key has been signing",
                Gauge::default(),
            ),
            pools: add(r, "doorcode_database_connections", "Database connections", Family::default()),
            pool_bounds: add(
                r,
                "doorcode_database_connections_max",
                "Maximum number of database connections",
                Family::default(),
            ),
            ready: add(r, "doorcode_ready", "Whether a part was healthy at the last check", Family::default()),
        }
    }

    fn set(&self, observed: Observed) {
        let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        if let Some((letters, oldest)) = observed.outbox {
            self.letters.set(whole(letters));
            self.oldest_letter.set(oldest.as_secs_f64());
        }
        if let Some(sessions) = observed.sessions {
            self.sessions.set(whole(sessions));
        }
        if let Some(age) = observed.key_age {
            self.key_age.set(whole(age.as_secs()));
        }
        for Pool { name, idle, used, most } in observed.pools {
            for (state, count) in [("idle", idle), ("used", used)] {
                self.pools.get_or_create(&[of("pool", name), of("state", state)]).set(count.into());
            }
            self.pool_bounds.get_or_create(&[of("pool", name)]).set(most.into());
        }
        for (part, is_healthy) in observed.ready {
            self.ready.get_or_create(&[of("part", part)]).set(is_healthy.into());
        }
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}
