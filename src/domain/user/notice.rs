//! Mails that tell people what happened to their account. Some kinds can be switched off by a setting, those that warn of
//! a loss cannot. None holds a secret but the way to undo a change of address, which has its own file.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::ConnectionTrait;

use super::is_parked;
use crate::{
    db::entity::users,
    domain::{
        Ctx,
        access::Origin,
        mail::{
            outbox::{self, Letter, Message},
            template::Locale,
        },
    },
    error::Result,
};

/// A notice that could not be delivered for so long is no news any more.
const NEWS: TimeDelta = TimeDelta::days(2);
/// What can still be acted upon is worth delivering for longer.
const WEEK: TimeDelta = TimeDelta::days(7);

/// Queues a letter to a person's address, unless this kind is switched off. One statement.
pub(in crate::domain) async fn queue(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &users::Model,
    message: Message,
    origin: Option<&Origin>,
    now: DateTime<Utc>,
) -> Result<()> {
    let notices = ctx.settings.notices;
    let (wanted, good_for) = match message {
        Message::NewDevice => (notices.new_device, NEWS),
        Message::RoleChanged { .. } => (notices.role_change, NEWS),
        Message::EmailChanged { .. } | Message::EmailIsNow => (notices.email_change, NEWS),
        Message::AccountDeleted => (true, NEWS),
        _ => (true, WEEK),
    };
    if wanted { send(ctx, db, user, message, origin, now, now + good_for).await } else { Ok(()) }
}

/// Queues a letter to a person's address, if it reaches anybody.
pub(super) async fn send(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &users::Model,
    message: Message,
    origin: Option<&Origin>,
    now: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<()> {
    if is_parked(user) {
        return Ok(());
    }
    let locale = Locale::negotiate(user.locale.as_deref());
    let letter = Letter { to: &user.email, message, locale, origin, expires_at, deliver: true };
    outbox::enqueue(ctx, db, letter, now).await
}
