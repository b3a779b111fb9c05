//! Tasks of an application: work that runs as long as the server runs, such as a queue, or alone as a command.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    domain::Ctx,
    error::{Error, Result},
};

/// How long shutdown waits for tasks.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A task of an application. The server starts it after the database is ready. Its name is also a command of the program,
/// which runs the task without serving.
///
/// ```
/// use doorcode::app::Task;
///
/// const CLEAN_UP: Task = Task {
///     name: "clean-up",
///     about: "deletes old notes",
///     run: |ctx, mut stop| {
///         Box::pin(async move {
///             while !*stop.borrow() {
///                 // One statement: DELETE FROM notes WHERE …
///                 ctx.db.ping().await?;
///                 drop(tokio::time::timeout(std::time::Duration::from_secs(60), stop.changed()).await);
///             }
///             Ok(())
///         })
///     },
/// };
/// # let _ = CLEAN_UP;
/// ```
#[derive(Clone, Copy)]
pub struct Task {
    /// The name, for the log and as a command.
    pub name: &'static str,
    /// What it does, for `--help`: `clean-up` deletes old notes.
    pub about: &'static str,
    /// Runs until the receiver becomes true, and then has five seconds to end. A task may end early. If it fails, the
    /// server stops with its error: a task handles the errors that it can survive.
    pub run: fn(Arc<Ctx>, watch::Receiver<bool>) -> BoxFuture<'static, Result<()>>,
}

/// The running tasks of a server.
pub(super) struct Running(JoinHandle<Result<()>>);

/// Starts tasks beside a server. Returns a receiver that becomes true when `stop` does, or when a task failed.
pub(super) fn run_beside(
    ctx: &Arc<Ctx>,
    tasks: &'static [Task],
    mut stop: watch::Receiver<bool>,
) -> (watch::Receiver<bool>, Running) {
    let (sender, stopped) = watch::channel(false);
    let mut running = JoinSet::new();
    for task in tasks {
        running.spawn((task.run)(Arc::clone(ctx), stopped.clone()));
    }
    let supervise = async move {
        let failed = tokio::select! {
            failed = first_failure(&mut running) => failed,
            _ = stop.wait_for(|stop| *stop) => Ok(()),
        };
        match &failed {
            // All tasks may have ended; the server runs on.
            Ok(()) => drop(stop.wait_for(|stop| *stop).await),
            Err(error) => tracing::error!(%error, "stopping, because a task of the application failed"),
        }
        sender.send_replace(true);
        let Ok(later) = timeout(STOP_TIMEOUT, first_failure(&mut running)).await else {
            tracing::warn!("a task did not stop in time and was cut off");
            return failed;
        };
        failed.and(later)
    };
    (stopped, Running(tokio::spawn(supervise)))
}

impl Running {
    /// Waits for the tasks, which have been stopped.
    pub(super) async fn finish(self) -> Result<()> {
        self.0.await.unwrap_or_else(|error| Err(broken(&error)))
    }
}

/// Runs one task, and gives it some time to end when `stop` becomes true.
pub(super) async fn run_alone(ctx: &Arc<Ctx>, task: &'static Task, mut stop: watch::Receiver<bool>) -> Result<()> {
    let mut running = JoinSet::new();
    running.spawn((task.run)(Arc::clone(ctx), stop.clone()));
    let too_long = async {
        drop(stop.wait_for(|stop| *stop).await);
        sleep(STOP_TIMEOUT).await;
    };
    tokio::select! {
        ended = first_failure(&mut running) => ended,
        () = too_long => {
            tracing::warn!("the task did not stop in time and was cut off");
            Ok(())
        }
    }
}

/// Waits until a task fails or all have ended.
async fn first_failure(running: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(ended) = running.join_next().await {
        ended.unwrap_or_else(|error| Err(broken(&error)))?;
    }
    Ok(())
}

/// A task that panicked. The panic has been logged.
fn broken(error: &JoinError) -> Error {
    Error::Internal(format!("a task of the application ended: {error}"))
}
