//! Whether somebody who listens still may, and which of their sessions ended. To listen is no request: nothing here
//! notes that a session was seen, and nothing keeps one alive.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use super::{find, is_live};
use crate::{
    db::entity::{sessions, users},
    domain::{Ctx, Result, policy::SignedIn, token::Claims, user},
};

/// More sessions that end in one moment are not told one by one.
const MOST: u64 = 100;

/// Whether a session still gives the right to listen.
#[derive(Clone, Debug)]
pub enum Standing {
    /// It does.
    Holds,
    /// It lives, but the person's role is another than the one in the token.
    OtherRole,
    /// It is over; the session, unless it was purged or is not theirs.
    Over(Option<Box<SignedIn>>),
}

/// What `session::look_up` asks on every request, without noting that somebody was there. One statement.
pub async fn standing(ctx: &Ctx, claims: &Claims) -> Result<Standing> {
    let found = find(ctx, claims.sid).await?.filter(|found| found.user.id == claims.sub);
    Ok(match found {
        Some(found) if !is_live(&found, ctx.now()) => Standing::Over(Some(Box::new(found))),
        Some(found) if user::role_name(found.user.role) != claims.role => Standing::OtherRole,
        Some(_) => Standing::Holds,
        None => Standing::Over(None),
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
