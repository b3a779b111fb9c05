//! What runs by itself: erasing refresh successors after their grace, counting refusals, reading signing keys anew,
//! purging what is over.
//! Nothing here decides how long anything is kept; the owners of the tables do.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::watch;

use super::{Ctx, audit, device, keys, mail::outbox, session, sign_in, token, user};
use crate::error::Result;

const TICK: Duration = Duration::from_secs(10);
const RELOAD_EVERY: u64 = 6;
const PURGE_EVERY: u64 = 360;
/// Finished mail and sessions stay this long for whoever looks into a problem.
const KEPT: TimeDelta = TimeDelta::days(30);
const MAIL_KEPT: TimeDelta = TimeDelta::days(1);

/// Runs until `stop` says so. A chore that fails is told and tried again at its next turn.
pub async fn run(ctx: Arc<Ctx>, mut stop: watch::Receiver<bool>) {
    for tick in 1u64.. {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.changed() => return,
        }
        tell("erasing refresh successors", session::erase_successors(&ctx).await);
        tell("counting refusals", audit::refusals::write_counts(&ctx).await);
        if tick.is_multiple_of(RELOAD_EVERY) {
            tell("reading signing keys", token::reload(&ctx).await);
        }
        if tick.is_multiple_of(PURGE_EVERY) {
            // A replica that still has another secret in front may have sealed them under that one meanwhile.
            tell("sealing signing keys anew", keys::reseal(&ctx).await);
            // It may have much to do; what is left when the process stops is the next one's.
            tokio::select! {
                purged = purge(&ctx) => tell("purging", purged.map(drop)),
                _ = stop.changed() => return,
            }
        }
    }
}

/// What is left to do when the last request is answered.
pub async fn finish(ctx: &Ctx) {
    tell("counting refusals", audit::refusals::write_counts(ctx).await);
}

fn tell(chore: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, chore, "housekeeping failed and will try again");
    }
}

/// What a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Expired challenges.
    pub challenges: u64,
    /// Expired or used links.
    pub links: u64,
    /// Finished mail and decoys.
    pub mails: u64,
    /// Sessions over for thirty days.
    pub sessions: u64,
    /// Devices past their time.
    pub devices: u64,
    /// Changes of address that cannot be undone any more.
    pub email_changes: u64,
    /// People who were deleted long enough ago, erased for good.
    pub people: u64,
    /// Audit events older than the trail is kept.
    pub events: u64,
}

/// Deletes what is over, and takes client addresses out of what is older than they may be kept: of each at most as much
/// as `batch` does in a run, the next purge does the rest. A part that fails keeps none of the others from being done;
/// the first failure is told in the end.
pub async fn purge(ctx: &Ctx) -> Result<Purged> {
    let now = ctx.now();
    let before = |kept: Duration| now - TimeDelta::from_std(kept).unwrap_or(KEPT);
    let kept_since = before(ctx.settings.ip_retention);
    let mut failure = None;
    let mut part = |outcome: Result<u64>| {
        outcome.unwrap_or_else(|error| {
            tracing::warn!(%error, "a part of the purge failed");
            failure.get_or_insert(error);
            0
        })
    };
    let purged = Purged {
        challenges: part(sign_in::challenge::purge(ctx, now).await),
        links: part(sign_in::link::purge(ctx, now).await),
        mails: part(outbox::purge(ctx, now - MAIL_KEPT).await),
        sessions: part(session::purge(ctx, now - KEPT).await),
        devices: part(device::purge(ctx, now).await),
        email_changes: part(user::email_change::purge(ctx, now).await),
        people: part(user::erase::erase_deleted(ctx, before(ctx.settings.erase_after)).await),
        events: part(audit::purge(ctx, before(ctx.settings.audit_retention)).await),
    };
    for outcome in [
        keys::purge(ctx, now).await,
        audit::forget_addresses(ctx, kept_since).await,
        session::forget_addresses(ctx, kept_since).await,
        device::forget_addresses(ctx, kept_since).await,
    ] {
        part(outcome.map(|()| 0));
    }
    tracing::info!(?purged, "purged");
    failure.map_or(Ok(purged), Err)
}
