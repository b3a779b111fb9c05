//! Starts logging and tracing. Log lines go to standard error, and spans to a collector if one is set. Code that logs
//! must never pass credentials.

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

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// How log lines show email addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogEmails {
    /// As a keyed hash, which is the same in all lines about an address. Computing the hash of an address requires the
    /// server secret.
    Hashed,
    /// In plain text.
    Plain,
}

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct Log {
    /// `DOORCODE_LOG`, a valid filter.
    pub filter: String,
    /// `DOORCODE_LOG_FORMAT`.
    pub format: LogFormat,
    /// `DOORCODE_LOG_EMAILS`.
    pub emails: LogEmails,
}

/// Settings of traces.
#[derive(Clone, Debug)]
pub struct Traces {
    /// `OTEL_EXPORTER_OTLP_ENDPOINT` with the path for traces appended.
    pub endpoint: Url,
    /// `OTEL_EXPORTER_OTLP_HEADERS`.
    pub headers: Vec<(String, SecretString)>,
    /// `OTEL_SERVICE_NAME`.
    pub service: String,
    /// `DOORCODE_TRACE_RATIO`: the share of requests that are traced, 0 to 1.
    pub ratio: f64,
}

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Starts logging and, if `traces` is set, tracing. Call this once, before any code logs. Call [`Collector::finish`] at
/// the end of the process to send the remaining spans.
pub async fn start(log: &Log, traces: Option<&Traces>) -> Result<Collector, String> {
    let collector = Collector::connect(traces).await?;
    // The default for a noisy library comes first, so that DOORCODE_LOG can override it. Spans are never logged.
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
    layers.try_init().map_err(|error| format!("cannot start logging: {error}"))?;
    std::panic::set_hook(Box::new(log_panic));
    Ok(collector)
}

/// Number of panics since the process started.
pub fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

/// Logs a panic as one line, even if the panic message contains line breaks.
fn log_panic(panic: &PanicHookInfo<'_>) {
    PANICS.fetch_add(1, Ordering::Relaxed);
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, words = panic.payload_as_str().map(tracing::field::debug), "a panic");
}
