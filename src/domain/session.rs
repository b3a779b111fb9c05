//! Sessions: opened by a sign-in, looked up on every request, ended at once. Rotation of refresh tokens is in
//! `session/refresh.rs`. Nothing here trusts a token without asking the database.

pub mod refresh;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::Expr,
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Ctx, Error, Result,
    audit::{self, Event, Kind},
    policy::{Origin, Person, SignedIn},
    token::Claims,
    user,
};
use crate::db::{
    self,
    entity::{UserStatus, sessions, users},
};
use refresh::RefreshToken;

/// `lastSeenAt` is written at most this often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Why a session ended, as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The person signed out.
    SignedOut,
    /// The person ended it from another session.
    EndedElsewhere,
    /// A newer sign-in took its place.
    Replaced,
    /// An old refresh token was presented.
    TokenReused,
}

impl EndReason {
    const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "SIGNED_OUT",
            Self::EndedElsewhere => "ENDED_ELSEWHERE",
            Self::Replaced => "REPLACED",
            Self::TokenReused => "TOKEN_REUSED",
        }
    }
}

/// What opens a session.
pub struct Opening<'a> {
    /// The code or link that proved the person: no second session can be written for it.
    pub credential_id: Uuid,
    /// `otp` or `link`.
    pub method: &'static str,
    /// From which device.
    pub device_id: Uuid,
    /// From where.
    pub origin: &'a Origin,
}

/// Opens a session. One statement.
pub async fn open(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &users::Model,
    opening: Opening<'_>,
    now: DateTime<Utc>,
) -> Result<(sessions::Model, RefreshToken)> {
    let id = ctx.new_id(now);
    let token = RefreshToken::generate(ctx, id);
    let expires_at = now + ctx.settings.tokens.session_max;
    let session = sessions::Model {
        id,
        user_id: user.id,
        device_id: Some(opening.device_id),
        credential_id: opening.credential_id,
        method: opening.method.to_owned(),
        created_at: now,
        last_seen_at: now,
        idle_expires_at: (now + ctx.settings.tokens.refresh_idle).min(expires_at),
        expires_at,
        ended_at: None,
        end_reason: None,
        user_agent: opening.origin.user_agent.clone(),
        ip_address: Some(opening.origin.ip.to_string()),
        refresh_hash: token.hash(),
        previous_hash: None,
        rotated_at: None,
        successor: None,
    };
    db::insert(db, session.clone()).await?;
    Ok((session, token))
}

/// The person and session behind a verified access token, if the session lives, the person may sign in and the role
/// is still the one in the token. One statement, and once a minute a second that notes the time.
pub async fn look_up(ctx: &Ctx, claims: &Claims) -> Result<SignedIn> {
    let now = ctx.now();
    let signed_in = find(ctx, claims.sid).await?.ok_or(Error::Unauthenticated)?;
    let valid = is_live(&signed_in, now)
        && signed_in.user.id == claims.sub
        && user::role_name(signed_in.user.role) == claims.role;
    if !valid {
        return Err(Error::Unauthenticated);
    }
    if now - signed_in.session.last_seen_at >= SEEN_EVERY {
        note_seen(ctx, signed_in.session.id, now).await;
    }
    Ok(signed_in)
}

async fn find(ctx: &Ctx, id: Uuid) -> Result<Option<SignedIn>> {
    let row = sessions::Entity::find_by_id(id).find_also_related(users::Entity).one(ctx.db.read()).await?;
    Ok(row.and_then(|(session, user)| Some(SignedIn { user: user?, session })))
}

fn is_live(signed_in: &SignedIn, now: DateTime<Utc>) -> bool {
    let SignedIn { user, session } = signed_in;
    user.status == UserStatus::Active
        && session.ended_at.is_none()
        && now < session.idle_expires_at
        && now < session.expires_at
}

/// A request does not fail for a time that could not be noted; the log says so.
async fn note_seen(ctx: &Ctx, id: Uuid, now: DateTime<Utc>) {
    let noted = sessions::Entity::update_many()
        .col_expr(sessions::Column::LastSeenAt, Expr::value(now))
        .filter(sessions::Column::Id.eq(id))
        .filter(sessions::Column::LastSeenAt.lte(now - SEEN_EVERY))
        .exec(ctx.db.write())
        .await;
    if let Err(error) = noted.map_err(Error::from) {
        tracing::warn!(%error, session = %id, "could not note when a session was last seen");
    }
}

/// Ends the session that the person came with.
pub async fn sign_out(ctx: &Ctx, person: Person<'_>) -> Result<sessions::Model> {
    end_own(ctx, person, person.session().id, EndReason::SignedOut).await
}

/// Ends one session of the person who asks. Somebody else's is as absent as none.
pub async fn end(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<sessions::Model> {
    end_own(ctx, person, id, EndReason::EndedElsewhere).await
}

async fn end_own(ctx: &Ctx, person: Person<'_>, id: Uuid, reason: EndReason) -> Result<sessions::Model> {
    let now = ctx.now();
    let tx = ctx.db.begin().await?;
    let mine = Condition::all().add(sessions::Column::Id.eq(id)).add(sessions::Column::UserId.eq(person.user().id));
    let Some(session) = end_where(&tx, mine, reason, now).await?.into_iter().next() else {
        drop(tx);
        // It ended before: the same answer again. Not theirs, or not there: not found.
        return find_own(ctx, person, id).await;
    };
    let kind = if reason == EndReason::SignedOut { Kind::SignedOut } else { Kind::SessionEnded };
    record_end(ctx, &tx, now, kind, person.origin(), &session).await?;
    tx.commit().await?;
    Ok(session)
}

/// Ends every session of the person but the one they came with; how many.
pub async fn end_others(ctx: &Ctx, person: Person<'_>) -> Result<usize> {
    let now = ctx.now();
    let tx = ctx.db.begin().await?;
    let others = Condition::all()
        .add(sessions::Column::UserId.eq(person.user().id))
        .add(sessions::Column::Id.ne(person.session().id));
    let ended = end_where(&tx, others, EndReason::EndedElsewhere, now).await?;
    if !ended.is_empty() {
        let user = Some(person.user().id);
        let ids: Vec<_> = ended.iter().map(|session| session.id).collect();
        let detail = json!({ "sessions": ids, "reason": EndReason::EndedElsewhere.as_str() });
        let event =
            Event { kind: Kind::SessionEnded, origin: Some(person.origin()), actor: user, subject: user, detail };
        audit::record(ctx, &tx, now, &[event]).await?;
    }
    tx.commit().await?;
    Ok(ended.len())
}

/// Ends the session that a newer sign-in of the same person replaces; whether it was still open.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let ended = end_where(db, sessions::Column::Id.eq(id).into(), EndReason::Replaced, now).await?;
    Ok(!ended.is_empty())
}

/// A part of a list of sessions, latest first.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// At most so many.
    pub most: u64,
    /// Only those opened before this one.
    pub older_than: Option<Uuid>,
    /// Only those opened after this one.
    pub newer_than: Option<Uuid>,
    /// Taken from the other end of the list, and in its order.
    pub oldest_first: bool,
}

/// The sessions of a person that are open now.
pub async fn list_open(ctx: &Ctx, user_id: Uuid, slice: Slice) -> Result<Vec<sessions::Model>> {
    let older = slice.older_than.map(|id| sessions::Column::Id.lt(id));
    let newer = slice.newer_than.map(|id| sessions::Column::Id.gt(id));
    let order = if slice.oldest_first { Order::Asc } else { Order::Desc };
    let rows = sessions::Entity::find()
        .filter(open_now(user_id, ctx.now()).add_option(older).add_option(newer))
        .order_by(sessions::Column::Id, order)
        .limit(slice.most);
    Ok(rows.all(ctx.db.read()).await?)
}

/// How many sessions of a person are open now.
pub async fn count_open(ctx: &Ctx, user_id: Uuid) -> Result<u64> {
    let open = sessions::Entity::find().filter(open_now(user_id, ctx.now()));
    Ok(open.count(ctx.db.read()).await?)
}

fn open_now(user_id: Uuid, now: DateTime<Utc>) -> Condition {
    Condition::all()
        .add(sessions::Column::UserId.eq(user_id))
        .add(sessions::Column::EndedAt.is_null())
        .add(sessions::Column::IdleExpiresAt.gt(now))
}

/// One session of the person who asks, open or not.
pub async fn find_own(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<sessions::Model> {
    sessions::Entity::find_by_id(id)
        .filter(sessions::Column::UserId.eq(person.user().id))
        .one(ctx.db.read())
        .await?
        .ok_or(Error::NotFound)
}

/// The guarded end: only sessions that are open, each once.
async fn end_where(
    db: &impl ConnectionTrait,
    which: Condition,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<sessions::Model>> {
    let ended = sessions::Entity::update_many()
        .col_expr(sessions::Column::EndedAt, Expr::value(now))
        .col_expr(sessions::Column::EndReason, Expr::value(reason.as_str()))
        .col_expr(sessions::Column::Successor, Expr::value(Option::<Vec<u8>>::None))
        .filter(which)
        .filter(sessions::Column::EndedAt.is_null())
        .exec_with_returning(db)
        .await?;
    Ok(ended)
}

async fn record_end(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    kind: Kind,
    origin: &Origin,
    session: &sessions::Model,
) -> Result<()> {
    let user = Some(session.user_id);
    let detail = json!({ "session": session.id, "reason": session.end_reason });
    audit::record(ctx, db, now, &[Event { kind, origin: Some(origin), actor: user, subject: user, detail }]).await
}

/// Deletes sessions that have been over for so long that nobody asks for them.
pub async fn purge(ctx: &Ctx, over_since: DateTime<Utc>) -> Result<u64> {
    let gone = sessions::Entity::delete_many()
        .filter(
            Condition::any()
                .add(sessions::Column::ExpiresAt.lt(over_since))
                .add(sessions::Column::EndedAt.lt(over_since)),
        )
        .exec(ctx.db.write())
        .await?;
    Ok(gone.rows_affected)
}

/// Takes client addresses out of what is older than they may be kept.
pub async fn forget_addresses(ctx: &Ctx, before: DateTime<Utc>) -> Result<()> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::IpAddress, Expr::value(Option::<String>::None))
        .filter(sessions::Column::IpAddress.is_not_null())
        .filter(sessions::Column::LastSeenAt.lt(before))
        .exec(ctx.db.write())
        .await?;
    Ok(())
}

/// Erases every successor whose grace is over, so that for all but those seconds a table reveals nothing.
pub async fn erase_successors(ctx: &Ctx) -> Result<()> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::Successor, Expr::value(Option::<Vec<u8>>::None))
        .filter(sessions::Column::Successor.is_not_null())
        .filter(sessions::Column::RotatedAt.lt(ctx.now() - refresh::GRACE))
        .exec(ctx.db.write())
        .await?;
    Ok(())
}
