//! Mails that tell people what happened to their account. Some kinds can be switched off by a setting, those that warn of
//! a loss cannot. None holds a secret but the way to undo a change of address, which has its own file.

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

/// Queues a letter to a person's address, unless this kind is switched off. One statement.
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
