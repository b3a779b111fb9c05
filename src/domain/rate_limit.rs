//! What people who are signed in may do how often. When the shared limiter is away they go on under a bound of this
//! process; strangers are charged in `sign_in/send_limit.rs`, where that closes the door.

use chrono::{DateTime, Utc};

use super::{Ctx, Wait, access::Origin, audit};
use crate::{
    error::{Error, Result},
    limits::Rule,
    ports::Verdict,
};

/// Charges one unit; the wait if there was none left. A refusal is noted in the audit trail.
pub async fn take(ctx: &Ctx, origin: &Origin, rule: Rule, key: String, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let charge = ctx.settings.limits.charge(rule, key);
    let charges = std::slice::from_ref(&charge);
    let verdict = match ctx.limiter.take(charges, now).await {
        Ok(verdict) => verdict,
        Err(error) => {
            tracing::warn!(%error, rule = rule.name(), "going on under this process's own limit");
            ctx.local_limiter.take(charges, now).await.map_err(|error| Error::Unavailable(error.to_string()))?
        }
    };
    let Verdict::Refused { retry_at, .. } = verdict else {
        return Ok(None);
    };
    audit::record_refusal(ctx, now, origin, rule.name(), &charge.key, charge.window).await?;
    Ok(Some(Wait { now, retry_at }))
}
