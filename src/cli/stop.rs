//! SIGTERM and Ctrl-C. Most commands exit at once, which is the default for a process. They still need a handler,
//! because process 1 of a container ignores signals that have no handler.

use std::{process, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};

use super::print::complain;

/// How long to wait for the final message, or for a command to stop, before exiting.
const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Exits the process on a signal. Work in progress may or may not be completed.
pub(super) struct ExitOnSignal(JoinHandle<()>);

impl ExitOnSignal {
    /// Starts the handler as a separate task, so that it runs even while the command is blocked on I/O.
    pub(super) fn install() -> Result<Self, String> {
        let signal = next_signal()?;
        Ok(Self(tokio::spawn(async move {
            signal.await;
            // Standard error may block too.
            let message = "interrupted: check whether the command took effect before you repeat it";
            drop(timeout(EXIT_TIMEOUT, spawn_blocking(|| complain(message))).await);
            process::exit(1);
        })))
    }

    /// Returns a channel that tells the command to stop. The process exits [`EXIT_TIMEOUT`] after the signal at the
    /// latest.
    pub(super) fn into_stop_with_timeout(self) -> Result<watch::Receiver<bool>, String> {
        let stop = self.into_stop()?;
        let mut stopped = stop.clone();
        tokio::spawn(async move {
            drop(stopped.wait_for(|stop| *stop).await);
            sleep(EXIT_TIMEOUT).await;
            process::exit(0);
        });
        Ok(stop)
    }

    /// Returns a channel that tells the command to stop. There is no time limit.
    pub(super) fn into_stop(self) -> Result<watch::Receiver<bool>, String> {
        let stop = stop_signal()?;
        self.0.abort();
        Ok(stop)
    }
}

/// Becomes true on SIGTERM or Ctrl-C.
pub fn stop_signal() -> Result<watch::Receiver<bool>, String> {
    let signal = next_signal()?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        signal.await;
        tracing::info!("stopping: finishing requests in progress");
        sender.send_replace(true);
    });
    Ok(receiver)
}

/// Installs handlers for both signals. The future waits for the first.
fn next_signal() -> Result<impl Future<Output = ()> + Send, String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
