//! Taking an address back, with the token that came to it: whoever reads the old mailbox gets the account again. The way
//! never leads to whoever took it: the earlier of two changes outranks the later one, in whichever order they are undone.

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
        device,
        mail::message::Message,
        session::{self, EndReason},
        sign_in::{challenge, send_limit},
        transaction::Work,
        user::{
            manage::{next, write},
            notice, parked,
        },
        vault::{self, Digest},
    },
    error::Result,
};

/// What became of taking an address back.
pub enum Undone {
    /// The account has its old address again and is signed out everywhere.
    Restored {
        /// Whether its owner can sign in; not if an administrator keeps them out.
        may_sign_in: bool,
    },
    /// The old address belongs to another account by now, so this one has none: nobody can sign in to it.
    Parked,
    /// Expired, used, or never existed.
    Expired,
    /// A limit refused.
    Wait(Wait),
}

/// Takes an address back: the account gets it again, every session ends, and every device is forgotten.
pub async fn undo(ctx: &Ctx, viewer: &Viewer, token: &str) -> Result<Undone> {
    let now = ctx.now();
    let Some(token) = vault::decode::<TOKEN_BYTES>(token) else {
        return missed(ctx, viewer, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, &viewer.origin, now).await? {
        return Ok(Undone::Wait(wait));
    }
    match find(ctx, &vault::sha256(&*token), now).await? {
        Some(change) => take_back(ctx, viewer, &change, now).await,
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

async fn take_back(ctx: &Ctx, viewer: &Viewer, change: &email_changes::Model, now: DateTime<Utc>) -> Result<Undone> {
    let work = Work::begin(ctx).await?;
    // The person first, as everywhere: two tokens of one person wait for each other here and nowhere else.
    let Some(before) = users::Entity::find_by_id(change.user_id).lock_exclusive().one(&*work).await? else {
        return Ok(Undone::Expired);
    };
    if !use_up(&work, change, now).await? {
        return Ok(Undone::Expired);
    }
    challenge::void_changes(&*work, change.user_id, now).await?;
    let mut after = next(&before, now);
    let is_free = make_room(ctx, &work, viewer, change, now).await?;
    after.email = if is_free { change.old_email.clone() } else { parked(before.id) };
    if left_by_thief(&work, &before, change).await? {
        (after.status, after.deleted_at) = (UserStatus::Active, None);
    }
    write(&*work, &after).await?;
    let ended = session::end_all(&*work, change.user_id, EndReason::EmailChangeUndone, now).await?;
    device::forget_all(&*work, change.user_id).await?;
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

/// Uses up a change and every later one of the same person: their notices went to whoever took the account. Earlier ones
/// stay good for their own time.
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

/// Uses up every change of a person: an administrator decided on the address.
pub(in crate::domain::user) async fn void_all(work: &Work, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    use email_changes::Column;
    email_changes::Entity::update_many()
        .col_expr(Column::UndoneAt, Expr::value(now))
        .filter(Column::UserId.eq(user_id))
        .filter(Column::UndoneAt.is_null())
        .exec(&**work)
        .await?;
    challenge::void_changes(&**work, user_id, now).await
}

/// Whether nobody else has the old address any more. Owners who find themselves shut out sign in first, and so make a new
/// account; whoever did that read the same mailbox, so it gives way. Nobody with a history or with power does.
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

/// Whether the account was deleted by whoever had it after the change, and by no administrator.
async fn left_by_thief(work: &Work, before: &users::Model, change: &email_changes::Model) -> Result<bool> {
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
