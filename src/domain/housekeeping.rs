//! Periodic tasks: erasing refresh successors after their grace period, writing refusal counts, reloading signing keys,
//! purging expired data. The owners of the tables decide the retention.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use tokio::sync::watch;

use super::{Ctx, audit, client, credential, device, keys, mail::outbox, session, sign_in, token, user};
use crate::error::Result;

const TICK: Duration = Duration::from_secs(10);
const RELOAD_EVERY: u64 = 6;
const PURGE_EVERY: u64 = 360;
/// Retention of ended sessions, for troubleshooting.
const KEPT: TimeDelta = TimeDelta::days(30);
const MAIL_KEPT: TimeDelta = TimeDelta::days(1);
/// Retention of authorization codes, so that a copy that comes back is noticed.
const CODES_KEPT: TimeDelta = TimeDelta::days(1);

/// Runs until `stop`. A failed task is logged and retried at its next turn.
pub async fn run(ctx: Arc<Ctx>, mut stop: watch::Receiver<bool>) {
    for tick in 1u64.. {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stop.changed() => return,
        }
        log_failure("erasing refresh successors", session::retention::erase_successors(&ctx).await);
        log_failure("counting refusals", audit::refusals::write_counts(&ctx).await);
        if tick.is_multiple_of(RELOAD_EVERY) {
            log_failure("reading signing keys", token::reload(&ctx).await);
        }
        if tick.is_multiple_of(PURGE_EVERY) {
            // During secret rotation, a replica with another current secret may have sealed keys.
            log_failure("resealing signing keys", keys::reseal(&ctx).await);
            log_failure("resealing passwords", credential::password::reseal(&ctx).await);
            // A purge may take long; after a shutdown, the next one continues.
            tokio::select! {
                purged = purge(&ctx) => log_failure("purging", purged.map(drop)),
                _ = stop.changed() => return,
            }
        }
    }
}

/// Final tasks after the last request.
pub async fn finish(ctx: &Ctx) {
    log_failure("counting refusals", audit::refusals::write_counts(ctx).await);
}

fn log_failure(chore: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, chore, "housekeeping failed and will be retried");
    }
}

/// Number of rows that a purge removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// Expired challenges.
    pub challenges: u64,
    /// Expired or used links.
    pub links: u64,
    /// Attempts with passwords that no budget counts any more.
    pub password_tries: u64,
    /// Finished mail and decoys.
    pub mails: u64,
    /// Sessions that ended over thirty days ago.
    pub sessions: u64,
    /// Authorization codes that expired over a day ago.
    pub authorization_codes: u64,
    /// API keys that were revoked or expired over thirty days ago.
    pub api_keys: u64,
    /// Expired devices.
    pub devices: u64,
    /// Email address changes that can no longer be undone.
    pub email_changes: u64,
    /// Deleted accounts, permanently erased.
    pub people: u64,
    /// Audit events older than the trail is kept.
    pub events: u64,
}

/// Deletes expired data and removes client addresses after their retention. Each part stops at the limit of `batch`;
/// the next purge continues. If a part fails, the others still run, and the first error is returned.
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
        password_tries: part(credential::password::tries::purge(ctx, now).await),
        mails: part(outbox::purge(ctx, now - MAIL_KEPT).await),
        sessions: part(session::retention::purge(ctx, now - KEPT).await),
        authorization_codes: part(client::code::purge(ctx, now - CODES_KEPT).await),
        api_keys: part(credential::api_key::purge(ctx, now - KEPT).await),
        devices: part(device::purge(ctx, now).await),
        email_changes: part(user::email_change::purge(ctx, now).await),
        people: part(user::erase::erase_deleted(ctx, before(ctx.settings.erase_after)).await),
        events: part(audit::purge(ctx, before(ctx.settings.audit_retention)).await),
    };
    for outcome in [
        keys::purge(ctx, now).await,
        audit::forget_addresses(ctx, kept_since).await,
        session::retention::forget_addresses(ctx, kept_since).await,
        device::forget_addresses(ctx, kept_since).await,
    ] {
        part(outcome.map(|()| 0));
    }
    tracing::info!(?purged, "purged");
    failure.map_or(Ok(purged), Err)
}
