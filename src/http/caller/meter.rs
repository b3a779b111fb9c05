//! Charges operations to the caller: limits `api.caller` and `api.network`. Counted in this process, without a round
//! trip, because they bound work and not guessing.

use super::Bearer;
use crate::{
    domain::{Ctx, access::Origin},
    graphql::error::ApiError,
    http::response::Refusal,
    limits::Rule,
    ports::{Charge, Verdict},
};

/// Each such block of response bytes costs one more operation.
const RESPONSE_BLOCK: u64 = 64 * 1024;

/// The rate limits that one caller's operations count against: each session has its own, and all sessions of a
/// network share a larger one.
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
                Err(Refusal::rate_limited(&self.0[charge], seconds))
            }
            Err(error) => Err(ApiError::from(crate::error::Error::Unavailable(error.to_string())).into()),
        }
    }

    /// Charges a response by its length. If that fails, the response is not sent.
    pub(crate) async fn charge_response(&self, ctx: &Ctx, bytes: u64) -> Result<(), Refusal> {
        for _ in 0..bytes / RESPONSE_BLOCK {
            self.charge(ctx).await?;
        }
        Ok(())
    }
}
