//! Sessions of other applications. Each was opened from a session of the pages, its parent, with the proofs, the time
//! and the end of the parent. It does not end when the user signs out of the pages, but with everything that may mean
//! that someone else has the parent.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait,
};
use uuid::Uuid;

use super::{
    EndReason, end_where, ending, is_live, record_ends,
    refresh::{RefreshToken, Refreshed},
};
use crate::{
    db::{
        self,
        entity::{authentications, sessions, users},
    },
    domain::{
        Ctx,
        access::{Origin, SignedIn},
        audit::Kind,
        transaction::Work,
        user::lock::lock_row,
    },
    error::Result,
};

/// Parameters of a new session.
pub(in crate::domain) struct Opening<'a> {
    /// Its id.
    pub id: Uuid,
    /// The session in which the user approved.
    pub parent: Uuid,
    /// The client.
    pub client_id: &'a str,
    /// The authorization code. The database allows one session for each.
    pub code: Uuid,
}

/// Opens a session of a client. `None` if the parent is over or the user may not sign in. Four statements.
pub(in crate::domain) async fn open(
    ctx: &Ctx,
    work: &Work,
    opening: Opening<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Refreshed>> {
    let Some((parent, proofs)) = lock_parent(work, opening.parent).await? else { return Ok(None) };
    if !is_live(&parent, now) || parent.session.client_id.is_some() {
        return Ok(None);
    }
    let SignedIn { user, session: parent } = parent;
    let token = RefreshToken::generate(ctx, opening.id);
    let session = sessions::Model {
        id: opening.id,
        client_id: Some(opening.client_id.to_owned()),
        parent_id: Some(parent.id),
        last_seen_at: now,
        idle_expires_at: (now + ctx.settings.tokens.refresh_idle).min(parent.expires_at),
        refresh_hash: token.hash(),
        previous_hash: None,
        rotated_at: None,
        successor: None,
        disowned_at: None,
        ..parent
    };
    db::insert(&**work, session.clone()).await?;
    let methods = proofs.iter().map(|proof| proof.method).collect();
    // One proof has the id of the code, so that the database refuses a second session for it.
    let copies = proofs.into_iter().enumerate().map(|(at, proof)| authentications::Model {
        proof_id: if at == 0 { opening.code } else { ctx.new_id(now) },
        session_id: opening.id,
        ..proof
    });
    db::insert_all(&**work, copies).await?;
    Ok(Some(Refreshed { signed_in: SignedIn { user, session }, methods, token }))
}

/// Locks a session with its user, so that neither ends before the new session is there to end with them, then reads
/// both. Two statements.
async fn lock_parent(work: &Work, id: Uuid) -> Result<Option<(SignedIn, Vec<authentications::Model>)>> {
    let locked = users::Entity::find()
        .join(JoinType::InnerJoin, sessions::Relation::User.def().rev())
        .filter(sessions::Column::Id.eq(id))
        .lock_exclusive();
    let Some(user) = locked.one(&**work).await? else { return Ok(None) };
    let rows = sessions::Entity::find_by_id(id).find_with_related(authentications::Entity).all(&**work).await?;
    let row = rows.into_iter().next();
    Ok(row.map(|(session, proofs)| (SignedIn { user, session }, proofs)))
}

/// The user of a session, open or not. One statement.
pub(in crate::domain) async fn user_of(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Uuid>> {
    Ok(sessions::Entity::find_by_id(id).one(db).await?.map(|session| session.user_id))
}

/// Ends a session of a user, and those that were opened from it. Locks the user as [`open`] does: otherwise a client
/// could open a session at the same time, which the second statement would not see. Two statements.
pub(super) async fn end_with_children(
    work: &Work,
    (user, id): (Uuid, Uuid),
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<sessions::Model>> {
    lock_row(work, user).await?;
    let either = Condition::any().add(sessions::Column::Id.eq(id)).add(sessions::Column::ParentId.eq(id));
    let which = Condition::all().add(sessions::Column::UserId.eq(user)).add(either);
    end_where(&**work, which, reason, now).await
}

/// Ends the session of a code that came back.
pub(in crate::domain) async fn end_reused(ctx: &Ctx, origin: &Origin, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let work = Work::begin(ctx).await?;
    let ended = end_where(&*work, sessions::Column::Id.eq(id).into(), EndReason::CodeReused, now).await?;
    record_ends(ctx, &work, now, Kind::AuthorizationCodeReused, origin, &ended).await?;
    work.commit(ctx).await
}

/// Ends all open sessions of a client, which can be one of each user. Returns how many ended.
pub(in crate::domain) async fn end_all(db: &impl ConnectionTrait, client_id: &str, now: DateTime<Utc>) -> Result<u64> {
    let which = sessions::Column::ClientId.eq(client_id).into();
    Ok(ending(which, EndReason::ClientRemoved, now).exec(db).await?.rows_affected)
}
