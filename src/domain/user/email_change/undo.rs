//! Undoes an email change with the token mailed to the old address, so the owner of the old mailbox gets the account
//! back. Undoing a change also voids all later ones, so a thief who changed the address cannot undo the owner's undo.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;

use super::TOKEN_BYTES;
use crate::{
    db::entity::{UserStatus, email_changes, users},
    domain::{
        Ctx, Wait,
        access::Viewer,
        audit::{self, Event, Kind},
        mail::message::Message,
        session::{self, EndReason, disown},
        sign_in::{challenge, send_limit},
        transaction::Work,
        user::{
            manage::{next, write},
            notice, parked, take_back,
        },
        vault::{self, Digest},
    },
    error::Result,
};

/// The outcome of an undo.
pub enum Undone {
    /// The account has its old address again, and all sessions have ended.
    Restored {
        /// Whether the user can sign in; `false` if an administrator suspended or deleted the account.
        may_sign_in: bool,
    },
    /// Another account has the old address by now. This account got an undeliverable one, so nobody can sign in to it.
    Parked,
    /// The token is expired, used or unknown.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Restores the old address, ends all sessions and removes all devices.
pub async fn undo(ctx: &Ctx, viewer: &Viewer, token: &str) -> Result<Undone> {
    let now = ctx.now();
    let Some(token) = vault::decode::<TOKEN_BYTES>(token) else {
        return missed(ctx, viewer, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, &viewer.origin, now).await? {
        return Ok(Undone::Wait(wait));
    }
    match find(ctx, &vault::sha256(&*token), now).await? {
        Some(change) => undo_change(ctx, viewer, &change, now).await,
        None => missed(ctx, viewer, now).await,
    }
}

async fn missed(ctx: &Ctx, viewer: &Viewer, now: DateTime<Utc>) -> Result<Undone> {
    let refused = send_limit::take_miss(ctx, &viewer.origin, now).await?;
    Ok(refused.map_or(Undone::Expired, Undone::Wait))
}

async fn find(ctx: &Ctx, token_hash: &Digest, now: DateTime<Utc>) -> Result<Option<email_changes::Model>> {
    use email_changes::Column;
    let live = email_changes::Entity::find()
        .filter(Column::TokenHash.eq(token_hash.clone()))
        .filter(Column::UndoneAt.is_null())
        .filter(Column::ExpiresAt.gt(now));
    Ok(live.one(ctx.db.read()).await?)
}

async fn undo_change(ctx: &Ctx, viewer: &Viewer, change: &email_changes::Model, now: DateTime<Utc>) -> Result<Undone> {
    let work = Work::begin(ctx).await?;
    // Lock the user first, as everywhere, so that two undos for one user run one after the other without a deadlock.
    let Some(before) = users::Entity::find_by_id(change.user_id).lock_exclusive().one(&*work).await? else {
        return Ok(Undone::Expired);
    };
    if !use_up(&work, change, now).await? {
        return Ok(Undone::Expired);
    }
    let mut after = next(&before, now);
    let is_free = make_room(ctx, &work, viewer, change, now).await?;
    after.email = if is_free { change.old_email.clone() } else { parked(before.id) };
    if deleted_by_thief(&work, &before, change).await? {
        (after.status, after.deleted_at) = (UserStatus::Active, None);
    }
    write(&*work, &after).await?;
    let ended = take_back::take_back(ctx, &work, &before, EndReason::EmailChangeUndone, now).await?;
    // The notices since the change went to the thief.
    disown::void_all(&*work, before.id, now).await?;
    let detail = json!({ "email": [before.email, after.email], "sessions": ended });
    record(ctx, &work, viewer, Kind::EmailChangeUndone, change.user_id, detail, now).await?;
    if before.email != after.email {
        notice::queue(ctx, &*work, &before, Message::EmailTakenBack, None, now).await?;
    }
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    let may_sign_in = after.status == UserStatus::Active;
    Ok(if is_free { Undone::Restored { may_sign_in } } else { Undone::Parked })
}

/// Marks a change and all later ones of the same user as undone, because the notices of later ones went to the thief.
/// Earlier changes stay valid. Returns whether this change was still open.
async fn use_up(work: &Work, change: &email_changes::Model, now: DateTime<Utc>) -> Result<bool> {
    use email_changes::Column;
    let used = email_changes::Entity::update_many()
        .col_expr(Column::UndoneAt, Expr::value(now))
        .filter(Column::UserId.eq(change.user_id))
        .filter(Column::CreatedAt.gte(change.created_at))
        .filter(Column::UndoneAt.is_null())
        .exec_with_returning(&**work)
        .await?;
    Ok(used.iter().any(|used| used.id == change.id))
}

/// Voids all open changes of a user and the links of notices, because an administrator has set the address.
pub(in crate::domain::user) async fn void_all(ctx: &Ctx, work: &Work, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    use email_changes::Column;
    email_changes::Entity::update_many()
        .col_expr(Column::UndoneAt, Expr::value(now))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::UndoneAt.is_null())
        .exec(&**work)
        .await?;
    challenge::void_changes(ctx, &**work, user_id, now).await?;
    disown::void_all(&**work, user_id, now).await
}

/// Frees the old address if possible, and returns whether it is free. An owner who is locked out may sign in and
/// thereby create a new account with the old address. That account has the same mailbox, so it is deleted. An account
/// is kept if it is older than the change or has a role above the default.
async fn make_room(
    ctx: &Ctx,
    work: &Work,
    viewer: &Viewer,
    change: &email_changes::Model,
    now: DateTime<Utc>,
) -> Result<bool> {
    let others = users::Entity::find()
        .filter(users::Column::Email.eq(change.old_email.as_str()))
        .filter(users::Column::Id.ne(change.user_id));
    let Some(holder) = others.lock_exclusive().one(&**work).await? else {
        return Ok(true);
    };
    if holder.created_at < change.created_at || holder.role > ctx.settings.default_role {
        return Ok(false);
    }
    let (email, status) = (parked(holder.id), UserStatus::Deleted);
    let detail = json!({ "email": [holder.email, email], "because": Kind::EmailChangeUndone.as_str() });
    write(&**work, &users::Model { email, status, deleted_at: Some(now), ..next(&holder, now) }).await?;
    session::end_all(&**work, holder.id, EndReason::EmailChangeUndone, now).await?;
    record(ctx, work, viewer, Kind::UserDeleted, holder.id, detail, now).await?;
    Ok(true)
}

/// Whether the account was deleted after the change by its holder at the time, not by an administrator.
async fn deleted_by_thief(work: &Work, before: &users::Model, change: &email_changes::Model) -> Result<bool> {
    let since = before.deleted_at.is_some_and(|at| at >= change.created_at);
    Ok(since && audit::deletion::was_own(&**work, before.id).await?)
}

async fn record(
    ctx: &Ctx,
    work: &Work,
    viewer: &Viewer,
    kind: Kind,
    subject: Uuid,
    detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = Event { kind, origin: Some(&viewer.origin), actor: None, subject: Some(subject), detail, email: None };
    audit::record(ctx, work, now, &[event]).await
}
