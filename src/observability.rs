//! Logs and traces: where they go and what they look like. Lines go to standard error, JSON in production and readable
//! in a terminal; spans go to a collector, where there is one. Nothing here decides what is told; no value that signs
//! anybody in ever reaches it.

pub mod metrics;
pub mod spans;
mod traces;

use std::{
    panic::PanicHookInfo,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

use secrecy::SecretString;
pub use traces::Collector;
use url::Url;

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

/// How people's addresses stand in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEmails {
    /// As a keyed hash: lines of one address can be told to belong together, and by whoever has the address and the
    /// server secret to be of it.
    Hashed,
    /// As they are.
    Plain,
}

/// The log.
#[derive(Clone, Debug)]
pub struct Log {
    /// `DOORCODE_LOG`, already checked to be a filter.
    pub filter: String,
    /// `DOORCODE_LOG_FORMAT`.
    pub format: LogFormat,
    /// `DOORCODE_LOG_EMAILS`.
    pub emails: LogEmails,
}

/// Where traces go.
#[derive(Clone, Debug)]
pub struct Traces {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` with the path of traces.
    pub endpoint: Url,
    /// `OTEL_EXPORTER_OTLP_HEADERS`.
    pub headers: Vec<(String, SecretString)>,
    /// `OTEL_SERVICE_NAME`.
    pub service: String,
    /// `DOORCODE_TRACE_RATIO`: the share of requests that are traced, 0 to 1.
    pub ratio: f64,
}

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Starts the log, and the traces where somebody collects them. Called once, before anything else can have something to
/// say. The collector gets what is left when the process ends by what this gives.
pub async fn start(log: &Log, traces: Option<&Traces>) -> Result<Collector, String> {
    let collector = Collector::connect(traces).await?;
    // The setting wins over our own word on libraries that say too much, but spans are not for the log.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{},{}=off", log.filter, spans::TARGET))
        .map_err(|error| format!("DOORCODE_LOG: {error}"))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines: Box<dyn Layer<Registry> + Send + Sync> = match log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).with_filter(filter).boxed(),
        LogFormat::Text => {
            let in_colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
            lines.compact().with_ansi(in_colour).with_filter(filter).boxed()
        }
    };
    let layers = tracing_subscriber::registry().with(lines).with(collector.layer());
    layers.try_init().map_err(|error| format!("logging could not be started: {error}"))?;
    std::panic::set_hook(Box::new(tell_panic));
    Ok(collector)
}

/// How often anything panicked since the process began.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// A panic is one line like any other, whatever is in its words.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, words = panic.payload_as_str().map(tracing::field::debug), "a panic");
}
