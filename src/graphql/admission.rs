//! What is under way in a process: so many operations and events at once, each for so long. Whoever finds all places
//! taken waits, and the wait is part of their time. Nothing here knows what is executed.

use std::{borrow::Cow, sync::Arc, time::Duration};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry,
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::error::{ApiError, Code};

/// An operation that takes longer gives its caller a way out; what it had not committed is rolled back.
const TIME: Duration = Duration::from_secs(2);
/// The largest operation has some tens of megabytes while it is executed, and a database answers a few at once.
const PLACES: usize = 64;

/// Why there was no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimedOut {
    /// All places were taken, and nothing was begun.
    InQueue,
    /// Whatever it waited for did not come.
    Unfinished,
}

/// The places of a process.
#[derive(Clone)]
pub(super) struct Admission(Arc<Semaphore>);

impl Default for Admission {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(PLACES)))
    }
}

impl Admission {
    /// Does some work as soon as there is a place for it, or gives up in time.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        let deadline = Instant::now() + TIME;
        // The places are never closed, so another error cannot be.
        let _place = timeout_at(deadline, self.0.acquire()).await.map_err(|_| TimedOut::InQueue)?;
        timeout_at(deadline, work).await.map_err(|_| TimedOut::Unfinished)
    }
}

/// Something that a subscription tells, answered under the bounds of an operation.
pub(super) struct Bounded<T>(pub T);

impl<T: OutputType> OutputType for Bounded<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        let answer = ctx.data_unchecked::<Admission>().run(self.0.resolve(ctx, field)).await;
        answer.unwrap_or_else(|_| {
            tracing::error!("an event could not be told in time");
            let error = ApiError::new(Code::Unavailable, "There was no time to tell this. Ask for it.");
            Err(async_graphql::Error::from(error).into_server_error(field.pos))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_in_time_is_sent_away_and_a_place_comes_back() {
        let under_way = Admission::default();
        assert_eq!(
            under_way.run(pending::<()>()).await,
            Err(TimedOut::Unfinished),
            "nothing takes longer than its time"
        );
        let all: Vec<_> = (0..PLACES).map(|_| under_way.0.try_acquire().unwrap()).collect();
        assert_eq!(under_way.run(async {}).await, Err(TimedOut::InQueue), "there was no place");
        drop(all);
        assert!(under_way.run(async {}).await.is_ok(), "and now there is");
    }
}
