//! The progress of an analysis, as a subscription.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_graphql::{Context, ID, SimpleObject, Subscription};
use doorcode::{
    domain::Ctx,
    error::Error,
    graphql::{
        error::{ApiError, Code},
        parts,
    },
};
use futures_util::stream::{self, Stream};
use tokio::time::sleep;
use uuid::Uuid;

use super::ANALYSIS;
use crate::{
    analysis::{self, Own},
    values::AnalysisStatus,
};

/// How often a subscription reads the progress. The worker may be another process, so there is no event to wait for.
const PROGRESS: Duration = Duration::from_secs(1);
/// Maximum number of these subscriptions of a user in a process, because each one asks the database.
const MAX_OPEN: usize = 2;

/// The number of open subscriptions of each user.
type Open = Arc<Mutex<HashMap<Uuid, usize>>>;

/// One of a user's open subscriptions. Dropping it makes room for another one.
struct Slot {
    open: Open,
    user: Uuid,
}

impl Slot {
    /// Takes a slot, unless the user has [`MAX_OPEN`].
    fn take(open: &Open, user: Uuid) -> Option<Self> {
        let mut counts = open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(user).or_default();
        if *count >= MAX_OPEN {
            return None;
        }
        *count += 1;
        Some(Self { open: Arc::clone(open), user })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.user);
            }
        }
    }
}

/// The progress of an analysis.
#[derive(SimpleObject)]
struct AnalysisProgress {
    /// The ID of the analysis.
    id: ID,
    /// The state.
    status: AnalysisStatus,
    /// How much of the current attempt is done, in percent.
    progress: i32,
    /// How often a worker has started it.
    attempts: i32,
}

impl AnalysisProgress {
    fn of(own: &Own) -> Self {
        let (id, status) = (ANALYSIS.encode(own.id), own.status);
        Self { id, status, progress: own.progress, attempts: own.attempts }
    }
}

#[derive(Default)]
pub(super) struct AnalysisSubscription {
    open: Open,
}

#[Subscription]
impl AnalysisSubscription {
    /// Sends the progress of one of your analyses now and after each change, and completes when the analysis ends. One
    /// statement a second, so a user can have 2 of these subscriptions. Another one fails with `RATE_LIMITED`.
    async fn analysis_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the analysis.")] id: ID,
    ) -> Result<impl Stream<Item = Result<AnalysisProgress, ApiError>> + 'static, ApiError> {
        let (domain, viewer) = parts(ctx);
        let person = viewer.person()?;
        let full = || ApiError::new(Code::RateLimited, format!("You can follow {MAX_OPEN} analyses at a time."));
        let slot = Slot::take(&self.open, person.user().id).ok_or_else(full)?;
        let own = analysis::find(domain, *person, ANALYSIS.decode("id", &id)?).await?;
        let domain = Arc::clone(ctx.data_unchecked::<Arc<Ctx>>());
        Ok(stream::unfold(Some((own, true, slot)), move |state| {
            let domain = Arc::clone(&domain);
            async move {
                let (own, is_first, slot) = state?;
                let own = if is_first { Ok(own) } else { changed(&domain, own).await };
                Some(match own {
                    Ok(own) => {
                        (Ok(AnalysisProgress::of(&own)), own.finished_at.is_none().then_some((own, false, slot)))
                    }
                    Err(error) => (Err(error.into()), None),
                })
            }
        }))
    }
}

/// Waits for the next change of an analysis.
async fn changed(ctx: &Ctx, own: Own) -> Result<Own, Error> {
    let state = |own: &Own| (own.status, own.progress, own.attempts);
    loop {
        sleep(PROGRESS).await;
        match analysis::refresh(ctx, &own).await {
            Ok(again) if state(&again) != state(&own) => return Ok(again),
            Ok(_) | Err(Error::Unavailable(_)) => {}
            Err(error) => return Err(error),
        }
    }
}
