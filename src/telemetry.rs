//! Logs: JSON lines in production, readable lines in a terminal. Nothing here decides what is told; no value that signs
//! anybody in ever reaches it.

use std::panic::PanicHookInfo;

use tracing_subscriber::EnvFilter;

use crate::config::{LogFormat, Settings};

/// Starts logging to standard error. Called once, before anything else can have something to say.
pub fn start(settings: &Settings) -> Result<(), String> {
    // The setting comes last and wins over our own word on libraries that say too much.
    let filter = EnvFilter::try_new(format!("sea_orm_migration=warn,{}", settings.log))
        .map_err(|error| format!("DOORCODE_LOG: {error}"))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    let started = match settings.log_format {
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Text => lines.compact().with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
    };
    started.map_err(|error| format!("logging could not be started: {error}"))?;
    std::panic::set_hook(Box::new(tell_panic));
    Ok(())
}

/// A panic is one line like any other, whatever is in its words.
fn tell_panic(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map(ToString::to_string);
    tracing::error!(at, words = panic.payload_as_str().map(tracing::field::debug), "a panic");
}
