//! API keys: a program sends one instead of an access token and acts for its owner, within its scopes and the owner's
//! role. The table has only hashes. `api_key/manage.rs` creates, rotates and revokes keys.

pub mod manage;
mod token;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, PaginatorTrait, QueryFilter, sea_query::Expr,
};
use uuid::Uuid;

use crate::{
    db::entity::{UserStatus, api_keys, users},
    domain::{
        Ctx,
        access::{KeyHolder, ReadAccess, Viewer},
        batch,
        range_query::{self, Union},
        user,
    },
    error::{Error, Result},
};
pub use token::{PREFIX, Presented, id_of, prefix};

/// Minimum time between two writes of `lastUsedAt`.
const USED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Finds a key and its owner. One statement; at most once a minute a second one, which updates `lastUsedAt`.
///
/// # Errors
/// [`Error::Unauthenticated`] if the key is unknown, revoked or expired, or its owner may not sign in.
pub async fn look_up(ctx: &Ctx, presented: &Presented) -> Result<KeyHolder> {
    let now = ctx.now();
    let found =
        api_keys::Entity::find_by_id(presented.id()).find_also_related(users::Entity).one(ctx.db.read()).await?;
    let Some((key, Some(user))) = found else { return Err(Error::Unauthenticated) };
    if !matches(&key, presented, now) || !is_live(&key, now) || user.status != UserStatus::Active {
        return Err(Error::Unauthenticated);
    }
    if key.last_used_at.is_none_or(|at| now - at >= USED_EVERY) {
        note_used(ctx, key.id, now).await;
    }
    Ok(KeyHolder { user, key })
}

/// Whether this is the key's secret, or the one before its latest rotation while both work.
fn matches(key: &api_keys::Model, presented: &Presented, now: DateTime<Utc>) -> bool {
    let is_previous =
        || key.previous_until.is_some_and(|until| now < until) && key.previous_hash.as_ref() == Some(presented.hash());
    key.key_hash == *presented.hash() || is_previous()
}

/// Whether a key is neither revoked nor expired.
pub fn is_live(key: &api_keys::Model, now: DateTime<Utc>) -> bool {
    key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at)
}

fn live_of(user_id: Uuid, now: DateTime<Utc>) -> Condition {
    use api_keys::Column;
    let unexpired = Condition::any().add(Column::ExpiresAt.is_null()).add(Column::ExpiresAt.gt(now));
    Condition::all().add(Column::UserId.eq(user_id)).add(Column::RevokedAt.is_null()).add(unexpired)
}

/// Updates `lastUsedAt`. A failure is only logged: it must not fail the request.
async fn note_used(ctx: &Ctx, id: Uuid, now: DateTime<Utc>) {
    use api_keys::Column;
    let stale = Condition::any().add(Column::LastUsedAt.is_null()).add(Column::LastUsedAt.lte(now - USED_EVERY));
    let noted = api_keys::Entity::update_many()
        .col_expr(Column::LastUsedAt, Expr::value(now))
        .filter(Column::Id.eq(id))
        .filter(stale)
        .exec(ctx.db.write())
        .await;
    if let Err(error) = noted.map_err(Error::from) {
        tracing::warn!(%error, key = %id, "could not update when an API key was last used");
    }
}

/// Lists the keys of several users, those that are not revoked first, then newest first. One statement per hundred
/// users.
pub async fn list_each(ctx: &Ctx, users: &[ReadAccess], most: u64) -> Result<Vec<Vec<api_keys::Model>>> {
    let part = |union: &mut Union, number, access: &ReadAccess| {
        let (user, most) = (union.bind(access.user_id()), union.limit(most));
        format!(
            "SELECT {number} AS part, api_keys.* FROM api_keys WHERE user_id = {user} \
             ORDER BY revoked_at IS NOT NULL, id DESC LIMIT {most}"
        )
    };
    range_query::read_each(ctx, users, part, |row| api_keys::Model::from_query_result(row, "")).await
}

/// Finds a key that the viewer may see: their own, or any as an administrator. Never with an API key.
pub async fn find_seen(ctx: &Ctx, viewer: &Viewer, id: Uuid, field: &'static str) -> Result<api_keys::Model> {
    viewer.person()?;
    let key = api_keys::Entity::find_by_id(id).one(ctx.db.read()).await?;
    // An unknown id and another user's key cost the same and leave the same audit record.
    let owner = key.as_ref().map_or(Uuid::nil(), |key| key.user_id);
    let access = ReadAccess::require(ctx, viewer, owner, field).await?;
    let owner = user::list::find_each(ctx, &[access]).await?;
    key.filter(|_| access.shows_credentials() && !owner.is_empty()).ok_or(Error::NotFound)
}

/// Deletes keys that were revoked or expired before `over_since`.
pub async fn purge(ctx: &Ctx, over_since: DateTime<Utc>) -> Result<u64> {
    let mut gone = 0;
    // One statement for each column, because each column has its own index.
    for over in ["expires_at", "revoked_at"] {
        let old = format!("SELECT id FROM api_keys WHERE {over} < $1 ORDER BY {over}");
        gone += batch::run(ctx, "DELETE FROM api_keys", &old, &[over_since.into()]).await?;
    }
    Ok(gone)
}

async fn count_live(db: &impl ConnectionTrait, user_id: Uuid, now: DateTime<Utc>) -> Result<u64> {
    Ok(api_keys::Entity::find().filter(live_of(user_id, now)).count(db).await?)
}
