//! Checks whether a subscriber still has access, and finds the sessions that an event ended. A subscription is not a
//! request: it neither updates `lastSeenAt` nor keeps a session alive.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::is_live;
use crate::{
    db::entity::{Role, sessions, users},
    domain::{Ctx, access::SignedIn},
    error::Result,
};

/// Maximum number of ended sessions reported for one event.
const MAX_ENDED: u64 = 100;

/// A subscriber as their access token describes them.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// The user's id.
    pub user: Uuid,
    /// The session's id.
    pub session: Uuid,
    /// The role when the subscription began.
    pub role: Role,
}

impl Holder {
    /// The holder of a session that was just looked up.
    pub fn of(signed_in: &SignedIn) -> Self {
        Self { user: signed_in.user.id, session: signed_in.session.id, role: signed_in.user.role }
    }
}

/// Whether a session still gives access to live events.
#[derive(Clone, Debug)]
pub enum LiveAccess {
    /// Access continues.
    Holds,
    /// The session is open, but the user's role differs from the one in the token.
    OtherRole,
    /// The session is over. `None` if it was purged or belongs to another user.
    Over(Option<Box<SignedIn>>),
}

/// Makes the same checks as `session::look_up`, without updating `lastSeenAt`. At most one statement.
pub async fn check(ctx: &Ctx, holder: Holder) -> Result<LiveAccess> {
    let found = ctx.sessions.find(holder.session).await?.filter(|found| found.user.id == holder.user);
    Ok(match found {
        Some(found) if !is_live(&found, ctx.now()) => LiveAccess::Over(Some(Box::new(found))),
        Some(found) if found.user.role != holder.role => LiveAccess::OtherRole,
        Some(_) => LiveAccess::Holds,
        None => LiveAccess::Over(None),
    })
}

/// Finds a user's sessions that ended with an event at `at`: event and end have the same timestamp. One statement.
pub async fn ended_at(ctx: &Ctx, user_id: Uuid, at: DateTime<Utc>) -> Result<Vec<SignedIn>> {
    let ended = sessions::Entity::find()
        .find_also_related(users::Entity)
        .filter(sessions::Column::UserId.eq(user_id))
        .filter(sessions::Column::EndedAt.eq(at))
        .order_by_asc(sessions::Column::Id)
        .limit(MAX_ENDED);
    let rows = ended.all(ctx.db.read()).await?;
    Ok(rows.into_iter().filter_map(|(session, user)| Some(SignedIn { user: user?, session })).collect())
}
