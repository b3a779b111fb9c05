//! Charges callers for operations, `api.caller` and `api.network`. Each process counts for itself: this bounds work, not
//! guesses, and costs no round trip.

use super::Bearer;
use crate::{
    domain::{Ctx, access::Origin},
    graphql::error::{ApiError, Code},
    http::response::Refusal,
    limits::Rule,
    ports::{Charge, Verdict},
};

/// An answer counts as one operation more for each time that it has so many bytes.
const COMMON_ANSWER: u64 = 64 * 1024;

/// What one operation of a caller is charged to. A session has an allowance of its own, and all sessions of a network share
/// a larger one, so that more sessions do not mean more work without end.
pub(crate) struct Meter(Vec<Charge>);

impl Meter {
    pub(crate) fn of(ctx: &Ctx, origin: &Origin, bearer: &Bearer) -> Self {
        let limits = &ctx.settings.limits;
        let Bearer::Claims(claims) = bearer else {
            return Self(limits.by_network(Rule::ApiCaller, origin.ip));
        };
        let mut charges = vec![limits.charge(Rule::ApiCaller, claims.sid.to_string())];
        charges.extend(limits.by_network(Rule::ApiNetwork, origin.ip));
        Self(charges)
    }

    /// Charges one operation.
    pub(crate) async fn charge(&self, ctx: &Ctx) -> Result<(), Refusal> {
        let now = ctx.now();
        match ctx.local_limiter.take(&self.0, now).await {
            Ok(Verdict::Admitted { .. }) => Ok(()),
            Ok(Verdict::Refused { charge, retry_at }) => {
                ctx.metrics.refused(self.0[charge].rule);
                let seconds = (retry_at - now).num_seconds() + 1;
                Err(Refusal::new(Code::RateLimited, "Too many requests.").retry_after(seconds))
            }
            Err(error) => Err(ApiError::from(crate::error::Error::Unavailable(error.to_string())).into()),
        }
    }

    /// Charges an answer by its length, as many operations as it has parts of a common length: what is as much work as
    /// many counts as many. An answer that cannot be charged is not sent.
    pub(crate) async fn weigh(&self, ctx: &Ctx, bytes: u64) -> Result<(), Refusal> {
        for _ in 0..bytes / COMMON_ANSWER {
            self.charge(ctx).await?;
        }
        Ok(())
    }
}
