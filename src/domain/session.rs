//! Opens, looks up, lists and ends sessions. Every request looks its session up in the database, so ending a session
//! takes effect at once. `session/refresh.rs` rotates refresh tokens.

pub mod authentication;
pub mod disown;
mod end_by_admin;
mod end_reason;
pub mod ended;
pub mod for_client;
pub mod live_access;
pub mod reader;
pub mod refresh;
pub mod retention;

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    UpdateMany,
    sea_query::{Expr, SimpleExpr},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    Ctx,
    access::{Origin, Person, ReadAccess, SignedIn, Viewer},
    audit::{self, Event, Kind},
    range_query::{self, Slice, Union},
    token::Claims,
    transaction::Work,
    user,
};
use crate::{
    db::{
        self,
        entity::{Method, UserStatus, authentications, sessions, users},
    },
    error::{Error, Result},
};
pub use end_by_admin::end_by_admin;
pub use end_reason::EndReason;
pub(crate) use end_reason::end_reasons;
use refresh::RefreshToken;

/// Minimum time between two writes of `lastSeenAt`.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Parameters of a new session.
pub struct Opening<'a> {
    /// The code, link or attempt that was used. The database allows one session for each.
    pub proof_id: Uuid,
    /// How the user signed in.
    pub method: Method,
    /// Whether the session lasts as long as the settings allow, and not only a day.
    pub remember: bool,
    /// The device that signed in.
    pub device_id: Uuid,
    /// Where the sign-in came from.
    pub origin: &'a Origin,
}

/// Opens a session and returns it with its first refresh token. Two statements.
pub async fn open(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &users::Model,
    opening: Opening<'_>,
    now: DateTime<Utc>,
) -> Result<(sessions::Model, RefreshToken)> {
    let id = ctx.new_id(now);
    let token = RefreshToken::generate(ctx, id);
    let tokens = &ctx.settings.tokens;
    let expires_at = now + if opening.remember { tokens.session_max } else { tokens.session_short };
    let session = sessions::Model {
        id,
        user_id: user.id,
        device_id: Some(opening.device_id),
        created_at: now,
        last_seen_at: now,
        idle_expires_at: (now + tokens.refresh_idle).min(expires_at),
        expires_at,
        ended_at: None,
        end_reason: None,
        user_agent: opening.origin.user_agent.clone(),
        ip_address: Some(opening.origin.ip.to_string()),
        refresh_hash: token.hash(),
        previous_hash: None,
        rotated_at: None,
        successor: None,
        remembered: opening.remember,
        client_id: None,
        disowned_at: None,
        parent_id: None,
    };
    db::insert(db, session.clone()).await?;
    let Opening { proof_id, method, .. } = opening;
    authentication::record(db, authentications::Model { proof_id, session_id: id, method, at: now }).await?;
    Ok((session, token))
}

/// Finds the user and session of a verified access token. At most one statement, which [`reader::Reader`] shares among
/// the requests of a moment; at most once a minute a second one, which updates `lastSeenAt`.
///
/// # Errors
/// [`Error::Unauthenticated`] if the session is over, the user may not sign in, or the role differs from the token's.
pub async fn look_up(ctx: &Ctx, claims: &Claims) -> Result<SignedIn> {
    let now = ctx.now();
    let signed_in = ctx.sessions.find(claims.sid).await?.ok_or(Error::Unauthenticated)?;
    let valid = is_live(&signed_in, now)
        && signed_in.user.id == claims.sub
        && user::role_name(signed_in.user.role) == claims.role
        && signed_in.session.client_id == claims.client_id;
    if !valid {
        return Err(Error::Unauthenticated);
    }
    if now - signed_in.session.last_seen_at >= SEEN_EVERY {
        note_seen(ctx, signed_in.session.id, now).await;
    }
    Ok(signed_in)
}

/// Finds a session, its user and the methods that opened it. One statement.
async fn find_with_methods(ctx: &Ctx, id: Uuid) -> Result<Option<(SignedIn, Vec<Method>)>> {
    let rows = sessions::Entity::find_by_id(id)
        .find_also_related(users::Entity)
        .find_also(sessions::Entity, authentications::Entity)
        .all(ctx.db.read())
        .await?;
    let methods = rows.iter().filter_map(|(_, _, proof)| Some(proof.as_ref()?.method)).collect();
    let row = rows.into_iter().next();
    Ok(row.and_then(|(session, user, _)| Some((SignedIn { user: user?, session }, methods))))
}

fn is_live(signed_in: &SignedIn, now: DateTime<Utc>) -> bool {
    let SignedIn { user, session } = signed_in;
    user.status == UserStatus::Active && is_open(session, now)
}

/// Updates `lastSeenAt`. A failure is only logged: it must not fail the request.
async fn note_seen(ctx: &Ctx, id: Uuid, now: DateTime<Utc>) {
    let noted = sessions::Entity::update_many()
        .col_expr(sessions::Column::LastSeenAt, Expr::value(now))
        .filter(sessions::Column::Id.eq(id))
        .filter(sessions::Column::LastSeenAt.lte(now - SEEN_EVERY))
        .exec(ctx.db.write())
        .await;
    if let Err(error) = noted.map_err(Error::from) {
        tracing::warn!(%error, session = %id, "could not update when a session was last seen");
    }
}

/// Ends the caller's current session.
pub async fn sign_out(ctx: &Ctx, person: Person<'_>) -> Result<sessions::Model> {
    end_own(ctx, person, person.session().id, EndReason::SignedOut).await
}

/// Ends one of the caller's sessions. [`Error::NotFound`] if it is missing or belongs to another user.
pub async fn end(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<sessions::Model> {
    end_own(ctx, person, id, EndReason::EndedElsewhere).await
}

async fn end_own(ctx: &Ctx, person: Person<'_>, id: Uuid, reason: EndReason) -> Result<sessions::Model> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let me = person.user().id;
    let ended = if reason == EndReason::SignedOut {
        let mine = Condition::all().add(sessions::Column::Id.eq(id)).add(sessions::Column::UserId.eq(me));
        end_where(&*work, mine, reason, now).await?
    } else {
        // A session that its user ends from another one may be someone else's, with all that was opened from it.
        for_client::end_with_children(&work, (me, id), reason, now).await?
    };
    let kind = if reason == EndReason::SignedOut { Kind::SignedOut } else { Kind::SessionEnded };
    record_ends(ctx, &work, now, kind, person.origin(), &ended).await?;
    work.commit(ctx).await?;
    match ended.into_iter().find(|session| session.id == id) {
        Some(session) => Ok(session),
        // Already ended: return it again, so that the call is idempotent.
        None => find_own(ctx, person, id).await,
    }
}

/// Ends all of the caller's sessions except the current one. Returns how many ended.
pub async fn end_others(ctx: &Ctx, person: Person<'_>) -> Result<usize> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    // Otherwise a client could open a session at the same time, which this statement would not see.
    user::lock::lock_row(&work, person.user().id).await?;
    let ended = end_all_but(&*work, person.session(), EndReason::EndedElsewhere, now).await?;
    if !ended.is_empty() {
        let detail = json!({ "sessions": ended, "reason": EndReason::EndedElsewhere.as_str() });
        audit::record(ctx, &work, now, &[Event::own(Kind::SessionEnded, person, detail)]).await?;
    }
    work.commit(ctx).await?;
    Ok(ended.len())
}

/// Ends all open sessions of a user. Returns their ids.
pub(super) async fn end_all(
    db: &impl ConnectionTrait,
    user_id: Uuid,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let ended = end_where(db, sessions::Column::UserId.eq(user_id).into(), reason, now).await?;
    Ok(ended.iter().map(|session| session.id).collect())
}

/// Ends all open sessions of several users. Returns the ids of the sessions of each user who had one. One statement.
pub(super) async fn end_all_of(
    db: &impl ConnectionTrait,
    users: &[Uuid],
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut ended = HashMap::<_, Vec<_>>::new();
    if !users.is_empty() {
        let theirs = sessions::Column::UserId.is_in(users.iter().copied()).into();
        for session in end_where(db, theirs, reason, now).await? {
            ended.entry(session.user_id).or_default().push(session.id);
        }
    }
    Ok(ended)
}

/// Ends all open sessions of a user except `kept`. Returns their ids.
pub(super) async fn end_all_but(
    db: &impl ConnectionTrait,
    kept: &sessions::Model,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    let others = Condition::all().add(sessions::Column::UserId.eq(kept.user_id)).add(sessions::Column::Id.ne(kept.id));
    let ended = end_where(db, others, reason, now).await?;
    Ok(ended.iter().map(|session| session.id).collect())
}

/// Ends a session that a newer sign-in of the same user replaces. Returns whether it was still open.
pub async fn replace(db: &impl ConnectionTrait, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let ended = end_where(db, sessions::Column::Id.eq(id).into(), EndReason::Replaced, now).await?;
    Ok(!ended.is_empty())
}

/// Lists open sessions of several users, newest first: one slice per user, in the order of `wanted`. One statement per
/// hundred users.
pub async fn list_open(ctx: &Ctx, wanted: &[(ReadAccess, Slice)]) -> Result<Vec<Vec<sessions::Model>>> {
    let now = ctx.now();
    let part = |union: &mut Union, number, (access, slice): &(ReadAccess, Slice)| {
        let (user, now) = (union.bind(access.user_id()), union.bind(now));
        let tail = slice.tail(union);
        format!(
            "SELECT {number} AS part, sessions.* FROM sessions \
             WHERE user_id = {user} AND ended_at IS NULL AND idle_expires_at > {now}{tail}"
        )
    };
    range_query::read_each(ctx, wanted, part, |row| sessions::Model::from_query_result(row, "")).await
}

/// Counts the open sessions of each user; users without any are left out. One statement.
pub async fn count_open(ctx: &Ctx, users: &[ReadAccess]) -> Result<HashMap<Uuid, u64>> {
    let open = sessions::Entity::find()
        .filter(sessions::Column::UserId.is_in(users.iter().map(|access| access.user_id())))
        .filter(open_now(ctx.now()));
    range_query::count_each(ctx, open, sessions::Column::UserId).await
}

/// Counts the open sessions of all users, up to `most`.
pub async fn count_live(ctx: &Ctx, most: u64) -> Result<u64> {
    let sql = format!(
        "SELECT COUNT(*) AS live FROM (\
         SELECT 1 FROM sessions WHERE ended_at IS NULL AND idle_expires_at > $1 LIMIT {most}) AS counted"
    );
    let row = ctx.db.read().query_one_raw(db::statement(ctx.db.backend(), &sql, [ctx.now().into()])).await?;
    let live = row.map(|row| row.try_get::<i64>("", "live")).transpose()?.unwrap_or_default();
    Ok(u64::try_from(live).unwrap_or_default())
}

fn open_now(now: DateTime<Utc>) -> Condition {
    Condition::all().add(sessions::Column::EndedAt.is_null()).add(sessions::Column::IdleExpiresAt.gt(now))
}

/// Lists all stored sessions of a user, open or not, newest first.
pub async fn list_all(ctx: &Ctx, access: ReadAccess) -> Result<Vec<sessions::Model>> {
    let all = sessions::Entity::find().filter(sessions::Column::UserId.eq(access.user_id()));
    Ok(all.order_by_desc(sessions::Column::Id).all(ctx.db.read()).await?)
}

/// Lists a user's sessions, open ones first, then newest first. One statement.
pub async fn list_open_first(ctx: &Ctx, access: ReadAccess, most: u64) -> Result<Vec<sessions::Model>> {
    let is_open: SimpleExpr = Expr::case(open_now(ctx.now()), 0).finally(1).into();
    let sessions = sessions::Entity::find()
        .filter(sessions::Column::UserId.eq(access.user_id()))
        .order_by_asc(is_open)
        .order_by_desc(sessions::Column::Id)
        .limit(most);
    Ok(sessions.all(ctx.db.read()).await?)
}

/// Whether a session is open at `now`.
pub fn is_open(session: &sessions::Model, now: DateTime<Utc>) -> bool {
    session.ended_at.is_none() && now < session.idle_expires_at && now < session.expires_at
}

async fn find_own(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<sessions::Model> {
    sessions::Entity::find_by_id(id)
        .filter(sessions::Column::UserId.eq(person.user().id))
        .one(ctx.db.read())
        .await?
        .ok_or(Error::NotFound)
}

/// Finds a session that the viewer may read, open or not, with its user. One statement.
pub async fn find_seen(ctx: &Ctx, viewer: &Viewer, id: Uuid, field: &'static str) -> Result<(SignedIn, ReadAccess)> {
    viewer.identified()?;
    let found = ctx.sessions.find(id).await?;
    // Check access even if the session does not exist: an unknown id then leaves the same audit record as another
    // user's session.
    let owner = found.as_ref().map_or(Uuid::nil(), |found| found.user.id);
    let access = ReadAccess::require(ctx, viewer, owner, field).await?;
    found.filter(|found| access.shows(&found.user)).map(|found| (found, access)).ok_or(Error::NotFound)
}

/// The statement that ends the sessions that match `which` and are still open, so that concurrent calls end each
/// session only once.
fn ending(which: Condition, reason: EndReason, now: DateTime<Utc>) -> UpdateMany<sessions::Entity> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::EndedAt, Expr::value(now))
        .col_expr(sessions::Column::EndReason, Expr::value(reason.as_str()))
        .col_expr(sessions::Column::Successor, Expr::value(Option::<Vec<u8>>::None))
        .filter(which)
        .filter(sessions::Column::EndedAt.is_null())
}

/// Ends sessions and returns them.
async fn end_where(
    db: &impl ConnectionTrait,
    which: Condition,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<sessions::Model>> {
    Ok(ending(which, reason, now).exec_with_returning(db).await?)
}

/// Records the end of sessions. One statement, none without sessions.
async fn record_ends(
    ctx: &Ctx,
    work: &Work,
    now: DateTime<Utc>,
    kind: Kind,
    origin: &Origin,
    ended: &[sessions::Model],
) -> Result<()> {
    let event = |session: &sessions::Model| {
        let user = Some(session.user_id);
        let detail = json!({ "session": session.id, "reason": session.end_reason });
        Event { kind, origin: Some(origin), actor: user, subject: user, detail, email: None }
    };
    audit::record(ctx, work, now, &ended.iter().map(event).collect::<Vec<_>>()).await
}
