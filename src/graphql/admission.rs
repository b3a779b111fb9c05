//! Admission control: limits how many operations and subscription events a process executes at the same time, and for
//! how long. Each needs a slot. If no slot is free, an operation waits until its deadline.

use std::{borrow::Cow, sync::Arc, time::Duration};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::error::{ApiError, Code};

/// Time limit for one operation, including the wait for a slot. When the time is up, open transactions are rolled back.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Number of slots. The largest operation uses tens of megabytes, and a database runs only a few statements at once.
const SLOTS: usize = 64;

/// Why an operation timed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedOut {
    /// The operation got no slot, so nothing was executed.
    InQueue,
    /// The operation got a slot but did not finish in time.
    Unfinished,
}

/// The slots of a process.
#[derive(Clone)]
pub(super) struct Admission(Arc<Semaphore>);

impl Default for Admission {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SLOTS)))
    }
}

impl Admission {
    /// Waits for a slot and runs the work, both within the time limit.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        let deadline = Instant::now() + TIMEOUT;
        // The semaphore is never closed, so an error here can only be the timeout.
        let _slot = timeout_at(deadline, self.0.acquire()).await.map_err(|_| TimedOut::InQueue)?;
        timeout_at(deadline, work).await.map_err(|_| TimedOut::Unfinished)
    }
}

/// A subscription event. It is resolved in a slot and within the time limit, like an operation.
pub(super) struct Bounded<T>(pub T);

impl<T: OutputType> OutputType for Bounded<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let resolved = ctx.data_unchecked::<Admission>().run(self.0.resolve(ctx, field)).await;
        resolved.unwrap_or_else(|_| {
            tracing::error!("a subscription event timed out");
            let error = ApiError::new(Code::Unavailable, "This event was not delivered in time. Query it instead.");
            Err(async_graphql::Error::from(error).into_server_error(field.pos))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn operations_time_out_in_the_queue_and_while_running() {
        let admission = Admission::default();
        assert_eq!(admission.run(pending::<()>()).await, Err(TimedOut::Unfinished), "an operation has a time limit");
        let all: Vec<_> = (0..SLOTS).map(|_| admission.0.try_acquire().unwrap()).collect();
        assert_eq!(admission.run(async {}).await, Err(TimedOut::InQueue), "no slot is free");
        drop(all);
        assert!(admission.run(async {}).await.is_ok(), "slots are free again");
    }
}
