//! Mails to users about changes to their account. A setting can turn some kinds off, but not warnings about a loss of
//! access. Only the notice of an email change contains a secret, the undo link; see `email_change.rs`.

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

use super::is_parked;
use crate::{
    db::entity::users,
    domain::{
        Ctx,
        access::Origin,
        mail::{
            message::Message,
            outbox::{self, Letter},
            template::Locale,
        },
    },
    error::Result,
};

/// Queues a mail to a user unless this kind is turned off. At most one statement.
pub(in crate::domain) async fn queue(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &users::Model,
    message: Message,
    origin: Option<&Origin>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = message.row();
    if !(row.is_wanted)(&ctx.settings.notices) {
        return Ok(());
    }
    send(ctx, db, user, message, origin, now, now + row.good_for).await
}

/// Queues a mail to a user unless their address is undeliverable.
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
