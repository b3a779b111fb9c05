//! Rate limits for signed-in users. When the shared limiter is unavailable, the in-process limiter takes over.
//! `sign_in/send_limit.rs` charges anonymous callers, and refuses them in that case.

use chrono::{DateTime, Utc};

use super::{Ctx, Wait, access::Origin, audit};
use crate::{
    error::{Error, Result},
    limits::Rule,
    ports::Verdict,
};

/// Charges one unit. Returns the wait if none was left, after recording the refusal in the audit trail.
pub async fn take(ctx: &Ctx, origin: &Origin, rule: Rule, key: String, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let charge = ctx.settings.limits.charge(rule, key);
    let charges = std::slice::from_ref(&charge);
    let verdict = match ctx.limiter.take(charges, now).await {
        Ok(verdict) => verdict,
        Err(error) => {
            tracing::warn!(%error, rule = rule.name(), "shared limiter unavailable: using the limit of this process");
            ctx.local_limiter.take(charges, now).await.map_err(|error| Error::Unavailable(error.to_string()))?
        }
    };
    let Verdict::Refused { retry_at, .. } = verdict else {
        return Ok(None);
    };
    audit::record_refusal(ctx, now, origin, rule.name(), &charge.key, charge.window).await?;
    Ok(Some(Wait { now, retry_at }))
}
