//! Threads with a low priority. A hash keeps a core busy for tens of milliseconds; on threads of normal priority, every
//! other request would wait for it.

use tokio::{
    runtime::{Builder, Handle, Runtime},
    task::JoinHandle,
};

use crate::error::{Error, Result};

/// How much lower the priority is. At 10, Linux still gives a hash about a tenth of a core that other threads want, so
/// that a flood of other requests cannot stop password sign-in.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// A runtime that runs no tasks. Only its threads for blocking calls are used.
pub(super) struct Threads {
    handle: Handle,
    /// `None` once dropped.
    runtime: Option<Runtime>,
}

impl Threads {
    pub(super) fn new(count: usize) -> Result<Self> {
        let runtime = Builder::new_current_thread()
            .max_blocking_threads(count)
            .thread_name("hash")
            .on_thread_start(lower_priority)
            .build()
            .map_err(|error| Error::Startup(format!("starting the threads that hash passwords: {error}")))?;
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime) })
    }

    pub(super) fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        self.handle.spawn_blocking(work)
    }
}

impl Drop for Threads {
    /// Does not wait for the threads: an async worker must not block.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Lowers the priority of this thread. Only Linux has a priority per thread; elsewhere the whole process would get it.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::warn!(%error, "cannot lower the priority of a thread that hashes passwords");
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{getpid, getpriority_process};

    use super::*;

    #[tokio::test]
    async fn hashes_have_a_lower_priority_than_the_rest_of_the_process() {
        let threads = Threads::new(1).unwrap();
        let of_hash = threads.run(|| rustix::process::nice(0).unwrap()).await.unwrap();
        assert_eq!(of_hash, getpriority_process(Some(getpid())).unwrap() + NICENESS);
    }
}
