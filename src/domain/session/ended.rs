//! Sessions that are over. Their rows are kept for some time (see [`super::retention`]).

use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use crate::{
    db::entity::sessions,
    domain::{
        Ctx,
        access::ReadAccess,
        range_query::{self, Slice, Union, aside},
    },
    error::Result,
};

/// Lists the sessions of several users that are over, newest first: one slice per user, in the order of `wanted`. One
/// statement per hundred users.
pub async fn list(ctx: &Ctx, wanted: &[(ReadAccess, Slice)]) -> Result<Vec<Vec<sessions::Model>>> {
    let now = ctx.now();
    let part = |union: &mut Union, number, (access, slice): &(ReadAccess, Slice)| {
        let (user, now) = (union.bind(access.user_id()), union.bind(now));
        let over = aside(format!("(ended_at IS NOT NULL OR idle_expires_at <= {now})"));
        let tail = slice.tail(union);
        format!("SELECT {number} AS part, sessions.* FROM sessions WHERE user_id = {user}{over}{tail}")
    };
    range_query::read_each(ctx, wanted, part, |row| sessions::Model::from_query_result(row, "")).await
}

/// Counts the sessions of each user that are over; users without any are left out. One statement.
pub async fn count(ctx: &Ctx, users: &[ReadAccess]) -> Result<HashMap<Uuid, u64>> {
    let over = Condition::any()
        .add(sessions::Column::EndedAt.is_not_null())
        .add(sessions::Column::IdleExpiresAt.lte(ctx.now()));
    let over = sessions::Entity::find()
        .filter(sessions::Column::UserId.is_in(users.iter().map(|access| access.user_id())))
        .filter(over);
    range_query::count_each(ctx, over, sessions::Column::UserId).await
}
