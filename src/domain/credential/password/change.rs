//! Setting, changing and removing one's own password. It takes the current password or a recent sign-in by email.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    hasher::Hash,
    policy::{Password, Weakness},
    tries, weaknesses,
};
use crate::{
    db::entity::users,
    domain::{
        Ctx, Wait,
        access::{Member, Recent},
        audit::{self, Event, Kind},
        mail::message::Message,
        session::{self, EndReason, disown},
        sign_in::password::{Checked, check, look_up},
        transaction::Work,
        user::{lock::lock_own, name::Name, notice},
    },
    email_address::EmailAddress,
    error::{Error, Result},
    limits::network,
};

/// The outcome of a change.
pub enum Changed {
    /// Done.
    Done,
    /// The current password is wrong, and the attempt was counted.
    Wrong,
    /// The new password is refused.
    Weak(Vec<Weakness>),
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Sets the caller's password and ends their other sessions.
///
/// # Errors
/// [`Error::ReauthenticationRequired`] without the current password and without a recent sign-in by email.
pub async fn set(ctx: &Ctx, member: Member<'_>, current: Option<Password>, new: Password) -> Result<Changed> {
    let user = member.user();
    let email = EmailAddress::parse(&user.email).ok();
    let name = user.name.as_deref().and_then(|name| Name::parse(name).ok());
    let network = network(member.origin().ip, 64);
    let slot = ctx.hasher.slot(ctx.hasher.enter(&network, true).await?).await?;
    let (weaknesses, slot) = weaknesses(ctx, slot, &new, email.as_ref(), name.as_ref()).await?;
    if !weaknesses.is_empty() {
        return Ok(Changed::Weak(weaknesses));
    }
    // Comparing the current password takes a turn of its own.
    drop(slot);
    let attempt = match authorize(ctx, member, current, "setPassword").await? {
        Ok(attempt) => attempt,
        Err(refused) => return Ok(refused),
    };
    let slot = ctx.hasher.slot(ctx.hasher.enter(&network, true).await?).await?;
    let (hash, _) = ctx.hasher.hash(slot, new, &*ctx.entropy).await?;
    write(ctx, member, attempt.as_deref(), Some(&hash)).await?;
    Ok(Changed::Done)
}

/// Removes the caller's password and ends their other sessions. They sign in with a code from then on.
///
/// # Errors
/// As for [`set`].
pub async fn remove(ctx: &Ctx, member: Member<'_>, current: Option<Password>) -> Result<Changed> {
    let attempt = match authorize(ctx, member, current, "removePassword").await? {
        Ok(attempt) => attempt,
        Err(refused) => return Ok(refused),
    };
    write(ctx, member, attempt.as_deref(), None).await?;
    Ok(Changed::Done)
}

/// Checks the current password if there is one, and the age of the sign-in otherwise.
async fn authorize(
    ctx: &Ctx,
    member: Member<'_>,
    current: Option<Password>,
    field: &'static str,
) -> Result<Result<Option<Box<tries::Try>>, Changed>> {
    let now = ctx.now();
    let Some(current) = current else {
        Recent::require(ctx, member, field).await?;
        // A fixed code proves no mailbox, and a password would outlive it.
        let is_fixed = ctx.settings.test_code(&member.user().email, now).is_some();
        return if is_fixed { Err(Error::ReauthenticationRequired) } else { Ok(Ok(None)) };
    };
    let email = EmailAddress::parse(&member.user().email).map_err(|_| Error::Unauthenticated)?;
    let account = look_up(ctx, email, None, now).await?.on_device(member.session().device_id);
    Ok(match check(ctx, member.origin(), &account, current, now).await? {
        Checked::Right { attempt, .. } => Ok(Some(attempt)),
        Checked::Wrong => Err(Changed::Wrong),
        Checked::Wait(wait) => Err(Changed::Wait(wait)),
    })
}

/// Writes the change in one transaction with the end of the other sessions, the event and the notice. A session that
/// was ended in the meantime, by a reset for example, changes nothing.
async fn write(ctx: &Ctx, member: Member<'_>, attempt: Option<&tries::Try>, hash: Option<&Hash>) -> Result<()> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let user = lock_own(&work, member).await?;
    if let Some(attempt) = attempt {
        tries::take_back(&*work, attempt).await?;
    }
    let kind = match hash {
        Some(hash) => {
            super::store(ctx, &*work, user.id, hash, now).await?;
            Kind::PasswordSet
        }
        None if super::remove(&*work, user.id).await? => Kind::PasswordRemoved,
        // There was none.
        None => return work.commit(ctx).await,
    };
    announce(ctx, &work, member, &user, kind, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(())
}

async fn announce(
    ctx: &Ctx,
    work: &Work,
    member: Member<'_>,
    user: &users::Model,
    kind: Kind,
    now: DateTime<Utc>,
) -> Result<()> {
    let ended = session::end_all_but(&**work, member.session(), EndReason::PasswordChanged, now).await?;
    audit::record(ctx, work, now, &[Event::own(kind, *member, json!({ "sessions": ended }))]).await?;
    let disown = disown::link(ctx, member.session(), now);
    let message = match kind {
        Kind::PasswordRemoved => Message::PasswordRemoved(disown),
        _ => Message::PasswordChanged(disown),
    };
    notice::queue(ctx, &**work, user, message, Some(member.origin()), now).await
}
