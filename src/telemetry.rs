//! Logs and traces: where they go and what they look like. Lines go to standard error, JSON in production and readable
//! in a terminal; spans go to a collector, where there is one. Nothing here decides what is told; no value that signs
//! anybody in ever reaches it.

mod traces;

use std::{
    panic::PanicHookInfo,
    sync::atomic::{AtomicU64, Ordering},
};

use tracing_subscriber::{EnvFilter, Layer, Registry, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{Log, LogFormat, Traces},
    trace,
};
pub use traces::Collector;

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Starts the log, and the traces where somebody collects them. Called once, before anything else can have something to
/// say. The collector gets what is left when the process ends by what this gives.
pub async fn start(log: &Log, traces: Option<&Traces>) -> Result<Collector, String> {
    let collector = Collector::connect(traces).await?;
    // The setting wins over our own word on libraries that say too much, but spans are not for the log.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{},{}=off", log.filter, trace::TARGET))
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
