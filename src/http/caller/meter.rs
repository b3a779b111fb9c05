//! Charges operations to the caller, under the limits `api.caller` and `api.network`. These limits bound the work of
//! one process and do not protect against guessing, so each process counts in memory instead of asking Redis.

use super::Bearer;
use crate::{
    domain::{Ctx, access::Origin},
    graphql::error::ApiError,
    http::response::Refusal,
    limits::Rule,
    ports::{Charge, Verdict},
};

/// Number of bytes that are charged like one more operation.
const BLOCK: u64 = 64 * 1024;

/// The charges for one operation of a caller. Each session and API key has its own limit, and all of them in a network
/// share a larger one. Anonymous callers in a network share one limit.
pub(crate) struct Meter(Vec<Charge>);

impl Meter {
    pub(crate) fn of(ctx: &Ctx, origin: &Origin, bearer: &Bearer) -> Self {
        let limits = &ctx.settings.limits;
        let mut charges = match bearer {
            Bearer::Claims(claims) => vec![limits.charge(Rule::ApiCaller, claims.sid.to_string())],
            // The id of a key is not secret. Charged before the look-up, the key's limit could be used up by a stranger.
            Bearer::Presented(_) | Bearer::Key(_) => Vec::new(),
            Bearer::None | Bearer::Bad => return Self(limits.by_network(Rule::ApiCaller, origin.ip)),
        };
        charges.extend(limits.by_network(Rule::ApiNetwork, origin.ip));
        Self(charges)
    }

    /// Charges an API key that was looked up. Wrong keys share the limit of anonymous callers.
    pub(crate) async fn charge_key(&mut self, ctx: &Ctx, origin: &Origin, bearer: &Bearer) -> Result<(), Refusal> {
        let limits = &ctx.settings.limits;
        let own = match bearer {
            Bearer::Key(holder) => vec![limits.charge(Rule::ApiCaller, holder.key.id.to_string())],
            _ => limits.by_network(Rule::ApiCaller, origin.ip),
        };
        let own = Self(own);
        own.charge(ctx).await?;
        self.0.extend(own.0);
        Ok(())
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

    /// Charges one more operation for every 64 KiB of a response or a large body. If this fails, the response must not be
    /// sent.
    pub(crate) async fn charge_bytes(&self, ctx: &Ctx, bytes: u64) -> Result<(), Refusal> {
        for _ in 0..bytes / BLOCK {
            self.charge(ctx).await?;
        }
        Ok(())
    }
}
