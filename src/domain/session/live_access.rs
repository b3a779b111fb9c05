//! Whether somebody who listens still may, and which of their sessions ended. To listen is no request: nothing here
//! notes that a session was seen, and nothing keeps one alive.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{find, is_live};
use crate::{
    db::entity::{Role, sessions, users},
    domain::{Ctx, access::SignedIn},
    error::Result,
};

/// More sessions that end in one moment are not told one by one.
const MOST: u64 = 100;

/// Who listens, by which session and with which role: what an access token says of them.
#[derive(Clone, Copy, Debug)]
pub struct Holder {
    /// The person.
    pub user: Uuid,
    /// Their session.
    pub session: Uuid,
    /// What they might do when they began.
    pub role: Role,
}

impl Holder {
    /// As a look-up found them.
    pub fn of(signed_in: &SignedIn) -> Self {
        Self { user: signed_in.user.id, session: signed_in.session.id, role: signed_in.user.role }
    }
}

/// Whether a session still gives the right to listen.
#[derive(Clone, Debug)]
pub enum LiveAccess {
    /// It does.
    Holds,
    /// It lives, but the person's role is another than the one in the token.
    OtherRole,
    /// It is over; the session, unless it was purged or is not theirs.
    Over(Option<Box<SignedIn>>),
}

/// What `session::look_up` asks on every request, without noting that somebody was there. One statement.
pub async fn check(ctx: &Ctx, holder: Holder) -> Result<LiveAccess> {
    let found = find(ctx, holder.session).await?.filter(|found| found.user.id == holder.user);
    Ok(match found {
        Some(found) if !is_live(&found, ctx.now()) => LiveAccess::Over(Some(Box::new(found))),
        Some(found) if found.user.role != holder.role => LiveAccess::OtherRole,
        Some(_) => LiveAccess::Holds,
        None => LiveAccess::Over(None),
    })
}

/// The sessions of a person that ended with an event of that moment: both are written with one `now`. One statement.
pub async fn ended_at(ctx: &Ctx, person: Uuid, at: DateTime<Utc>) -> Result<Vec<SignedIn>> {
    let ended = sessions::Entity::find()
        .find_also_related(users::Entity)
        .filter(sessions::Column::UserId.eq(person))
        .filter(sessions::Column::EndedAt.eq(at))
        .order_by_asc(sessions::Column::Id)
        .limit(MOST);
    let rows = ended.all(ctx.db.read()).await?;
    Ok(rows.into_iter().filter_map(|(session, user)| Some(SignedIn { user: user?, session })).collect())
}
