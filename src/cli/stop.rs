//! How a command ends when it is told to, by SIGTERM or Ctrl-C. Most end where they stand, as a program does that asks for
//! no signals; they have to ask all the same, for the first process of a container outlives each that it does not ask
//! for. Nothing waits here for what a command is doing.

use std::{process, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};

use super::print::complain;

/// How long a last word may take, or the end of something that nobody reads.
const MOMENT: Duration = Duration::from_secs(1);

/// The end of a command where it stands. Of what it had under way it is not known whether it was done.
pub(super) struct Ending(JoinHandle<()>);

impl Ending {
    /// From now on. In a task of its own, which hears of a signal also while the command waits for a file or a reader.
    pub(super) fn begin() -> Result<Self, String> {
        let told = told()?;
        Ok(Self(tokio::spawn(async move {
            told.await;
            // Nobody may be reading that either.
            let said = spawn_blocking(|| complain("told to stop: look whether it was done before you do it again"));
            drop(timeout(MOMENT, said).await);
            process::exit(1);
        })))
    }

    /// Leaves it to the command, which is told instead and then has a moment to end.
    pub(super) fn soon(self) -> Result<watch::Receiver<bool>, String> {
        let stop = self.take_over()?;
        let mut told = stop.clone();
        tokio::spawn(async move {
            drop(told.wait_for(|stop| *stop).await);
            sleep(MOMENT).await;
            process::exit(0);
        });
        Ok(stop)
    }

    /// Leaves it to the command, which is told instead and takes its time.
    pub(super) fn take_over(self) -> Result<watch::Receiver<bool>, String> {
        let stop = stop_signal()?;
        self.0.abort();
        Ok(stop)
    }
}

/// Turns true at SIGTERM or Ctrl-C.
pub fn stop_signal() -> Result<watch::Receiver<bool>, String> {
    let told = told()?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        told.await;
        tracing::info!("stopping: finishing what is under way");
        sender.send_replace(true);
    });
    Ok(receiver)
}

/// Asks for both signals, and waits for one.
fn told() -> Result<impl Future<Output = ()> + Send, String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
