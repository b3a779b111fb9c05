//! Counts what each caller asks, `api.caller`, in each process for itself: it bounds work, not guesses, and costs no round
//! trip.

use super::{answer::Refusal, viewer::Bearer};
use crate::{
    domain::{
        Ctx,
        policy::{Origin, network},
    },
    graphql::error::{ApiError, Code},
    ports::{Charge, Verdict},
};

/// An answer counts as one operation more for each time that it has so many bytes.
const COMMON_ANSWER: u64 = 64 * 1024;

/// What one caller is charged.
pub(super) struct Meter(Charge);

impl Meter {
    pub(super) fn of(ctx: &Ctx, origin: &Origin, bearer: &Bearer) -> Self {
        let quota = ctx.settings.limits.api_caller;
        let key = match bearer {
            Bearer::Claims(claims) => claims.sid.to_string(),
            _ => network(origin.ip, 64),
        };
        Self(Charge { rule: "api.caller", key, limit: quota.count, window: quota.window, cooldown: None })
    }

    /// Charges one operation.
    pub(super) async fn charge(&self, ctx: &Ctx) -> Result<(), Refusal> {
        let now = ctx.now();
        match ctx.local_limiter.take(std::slice::from_ref(&self.0), now).await {
            Ok(Verdict::Admitted { .. }) => Ok(()),
            Ok(Verdict::Refused { retry_at, .. }) => {
                ctx.metrics.refused(self.0.rule);
                let seconds = (retry_at - now).num_seconds() + 1;
                Err(Refusal::new(Code::RateLimited, "Too many requests.").retry_after(seconds))
            }
            Err(error) => Err(ApiError::from(crate::domain::Error::Unavailable(error.to_string())).into()),
        }
    }

    /// Charges an answer by its length, as many operations as it has parts of a common length: what is as much work as
    /// many counts as many. It is given all the same.
    pub(super) async fn weigh(&self, ctx: &Ctx, bytes: u64) {
        for _ in 0..bytes / COMMON_ANSWER {
            if self.charge(ctx).await.is_err() {
                break;
            }
        }
    }
}
