//! What is counted and timed, for whoever watches: the metrics by name, and the only place that writes them as text.
//! Every label is a word of ours: no address, no id and nothing that a stranger chose ever becomes one, so their number
//! is bounded. Nothing here asks anything of a store; what must be asked is given to it as [`Observed`].

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

pub use process::most_files;

/// Of answers and operations, in seconds: from what memory answers to the time that an operation has.
const OF_REQUESTS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// Of round trips to a store.
const OF_TRIPS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0];
/// Of conversations with mail servers.
const OF_MAILS: [f64; 9] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// The content type of what [`Metrics::text`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Label = (&'static str, Cow<'static, str>);
type Counters<const N: usize> = Family<[Label; N], Counter>;
type Timers = Family<[Label; 1], HistogramWithExemplars<[Label; 1]>, Exemplary>;
type Gauges<const N: usize> = Family<[Label; N], Gauge>;

/// Makes timers of requests, with exemplars.
#[derive(Clone)]
struct Exemplary;

impl MetricConstructor<HistogramWithExemplars<[Label; 1]>> for Exemplary {
    fn new_metric(&self) -> HistogramWithExemplars<[Label; 1]> {
        HistogramWithExemplars::new(OF_REQUESTS.into_iter())
    }
}

/// The board that everything is counted on: one a process. A clone is another handle to the same.
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
    not_told: Counter,
    panics: Counter,
    connections: Gauge,
    subscriptions: Gauge,
    looked_up: LookedUp,
}

/// What is not counted as it happens but looked up when somebody asks.
struct LookedUp {
    letters: Gauge,
    oldest_letter: Gauge<f64, AtomicU64>,
    sessions: Gauge,
    key_age: Gauge,
    pools: Gauges<2>,
    pool_bounds: Gauges<1>,
    ready: Gauges<1>,
}

/// What was looked up for somebody who asks. What could not be is left as it was, and readiness tells why.
#[derive(Default)]
pub struct Observed {
    /// Letters that wait in the outbox, and how long the oldest of them has.
    pub outbox: Option<(u64, Duration)>,
    /// Sessions that live.
    pub sessions: Option<u64>,
    /// Since when the signing key signs.
    pub key_age: Option<Duration>,
    /// The pools of database connections.
    pub pools: Vec<Pool>,
    /// The parts that readiness has, and whether they are well.
    pub ready: Vec<(&'static str, bool)>,
    /// How often anything panicked.
    pub panics: u64,
}

/// A pool of connections as it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Which one.
    pub name: &'static str,
    /// Connections that wait for work.
    pub idle: u32,
    /// Connections that work.
    pub used: u32,
    /// The most that there may be.
    pub most: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        let board = Board::new();
        // What is there from the start can be seen to begin: whoever watches sees differences.
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
    /// An answer left.
    pub fn answered(&self, route: &'static str, status: u16, took: Duration, trace: Option<&str>) {
        self.0.answers.get_or_create(&[of("route", route), of("status", status.to_string())]).inc();
        self.0.answer_times.get_or_create(&[of("route", route)]).observe(took.as_secs_f64(), exemplar(trace), None);
    }

    /// An operation of GraphQL came to its outcome. Both words are ours, never the client's.
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

    /// A limit refused.
    pub fn refused(&self, rule: &'static str) {
        self.0.refusals.get_or_create(&[of("rule", rule)]).inc();
    }

    /// A mail was charged to this part of the day's.
    pub fn budgeted(&self, part: &'static str) {
        self.0.budget.get_or_create(&[of("part", part)]).inc();
    }

    /// Something was recorded in the audit trail.
    pub fn happened(&self, kind: &str) {
        self.0.events.get_or_create(&[of("kind", kind.to_owned())]).inc();
    }

    /// A letter came to this.
    pub fn mailed(&self, kind: &str, outcome: &'static str) {
        self.0.mails.get_or_create(&[of("kind", kind.to_owned()), of("outcome", outcome)]).inc();
    }

    /// A conversation with a mail server took so long.
    pub fn delivered_in(&self, took: Duration) {
        self.0.delivery_times.observe(took.as_secs_f64());
    }

    /// A statement ran.
    pub fn stated(&self, took: Duration, failed: bool) {
        self.0.statements.get_or_create(&[outcome(failed)]).inc();
        self.0.statement_times.observe(took.as_secs_f64());
    }

    /// The limiter was asked.
    pub fn limited(&self, took: Duration, failed: bool) {
        self.0.limiter_times.get_or_create(&[outcome(failed)]).observe(took.as_secs_f64());
    }

    /// So many live events were not told to those who listen.
    pub fn not_told(&self, events: u64) {
        self.0.not_told.inc_by(events);
    }

    /// A connection, until what this gives is dropped.
    pub fn connected(&self) -> Present {
        Present::of(&self.0.connections)
    }

    /// A subscription, until what this gives is dropped.
    pub fn subscribed(&self) -> Present {
        Present::of(&self.0.subscriptions)
    }

    /// Everything as text, with what was looked up for it.
    pub fn text(&self, observed: Observed) -> Result<String, fmt::Error> {
        self.0.panics.inner().store(observed.panics, Ordering::Relaxed);
        self.0.looked_up.set(observed);
        let mut text = String::new();
        encode(&mut text, &self.0.registry).map(|()| text)
    }
}

/// Counts for as long as it is there.
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
        add(r, "doorcode_build_info", "The version that runs", build);
        r.register_collector(Box::new(process::Process));
        let trip_times: fn() -> Histogram = || Histogram::new(OF_TRIPS);
        Self {
            answers: add(r, "doorcode_http_requests", "Answers over HTTP", Family::default()),
            answer_times: add(
                r,
                "doorcode_http_request_duration_seconds",
                "From a request's headers to its answer",
                Family::new_with_constructor(Exemplary),
            ),
            operations: add(r, "doorcode_operations", "GraphQL operations and what they came to", Family::default()),
            operation_times: add(
                r,
                "doorcode_operation_duration_seconds",
                "From a request's headers to the outcome of its operation",
                Family::new_with_constructor(Exemplary),
            ),
            refusals: add(r, "doorcode_refusals", "Calls that a limit refused", Family::default()),
            budget: add(
                r,
                "doorcode_mail_budget",
                "Mails by the part of the day's that they came from",
                Family::default(),
            ),
            events: add(r, "doorcode_events", "Events recorded in the audit trail", Family::default()),
            mails: add(r, "doorcode_mails", "What became of letters, try by try", Family::default()),
            delivery_times: add(
                r,
                "doorcode_mail_delivery_duration_seconds",
                "A conversation with the mail server",
                Histogram::new(OF_MAILS),
            ),
            statements: add(r, "doorcode_database_statements", "Statements", Family::default()),
            statement_times: add(
                r,
                "doorcode_database_statement_duration_seconds",
                "A statement, without the wait for a connection",
                trip_times(),
            ),
            limiter_times: add(
                r,
                "doorcode_limiter_call_duration_seconds",
                "A call of the limiter: a round trip to Redis, or none",
                Family::new_with_constructor(trip_times),
            ),
            not_told: add(r, "doorcode_live_dropped", "Live events that were not told", Counter::default()),
            panics: add(r, "doorcode_panics", "Faults of ours that ended a request", Counter::default()),
            connections: add(r, "doorcode_connections", "Connections that are open", Gauge::default()),
            subscriptions: add(r, "doorcode_subscriptions", "Subscriptions that run", Gauge::default()),
            looked_up: LookedUp::new(r),
            registry,
        }
    }
}

impl LookedUp {
    fn new(r: &mut Registry) -> Self {
        Self {
            letters: add(r, "doorcode_outbox_letters", "Letters that wait, of all replicas", Gauge::default()),
            oldest_letter: add(
                r,
                "doorcode_outbox_oldest_seconds",
                "How long the oldest letter that waits has",
                Gauge::default(),
            ),
            sessions: add(
                r,
                "doorcode_sessions_live",
                "Sessions that live, of all replicas, counted up to a million once a minute",
                Gauge::default(),
            ),
            key_age: add(
                r,
                "doorcode_signing_key_age_seconds",
                "Since when the key signs that signs now",
                Gauge::default(),
            ),
            pools: add(r, "doorcode_database_connections", "Connections to the database", Family::default()),
            pool_bounds: add(
                r,
                "doorcode_database_connections_max",
                "The most connections to the database that there may be",
                Family::default(),
            ),
            ready: add(r, "doorcode_ready", "Whether a part was well when last looked at", Family::default()),
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
        for (part, well) in observed.ready {
            self.ready.get_or_create(&[of("part", part)]).set(well.into());
        }
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}
