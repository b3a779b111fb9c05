//! Known devices: browsers that signed in before and therefore have separate rate limits. A device token rotates at
//! every sign-in and is stored only as a hash. It never signs a user in.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, sea_query::Expr};
use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Ctx,
    access::{Origin, Person, ReadAccess, Viewer},
    audit::{self, Event, Kind},
    batch,
    range_query::{self, Union},
    transaction::Work,
    user,
    vault::{self, Digest},
};
use crate::{
    db::{self, entity::devices},
    error::{Error, Result},
    limits,
};

const TOKEN_BYTES: usize = 32;

/// The hash of a presented device token; `None` if the token is malformed.
pub fn token_hash(token: &str) -> Option<Digest> {
    vault::decode::<TOKEN_BYTES>(token).map(|bytes| vault::sha256(&*bytes))
}

/// The stored device of a sign-in.
pub struct Remembered {
    /// The id of the device.
    pub id: Uuid,
    /// The token to present at the next `login`.
    pub token: SecretString,
    /// Whether the device is new to this user: never seen before, or removed since its `login`.
    pub is_new: bool,
}

/// Stores the device of a sign-in with a new token. A device that its owner removed after `login` gets a new id.
/// One statement, or two for a removed device.
pub async fn remember(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user_id: Uuid,
    known: Option<Uuid>,
    origin: &Origin,
    now: DateTime<Utc>,
) -> Result<Remembered> {
    let token = vault::random::<TOKEN_BYTES>(&*ctx.entropy);
    let device = devices::Model {
        id: known.unwrap_or_else(|| ctx.new_id(now)),
        user_id,
        token_hash: vault::sha256(&*token),
        created_at: now,
        last_used_at: now,
        expires_at: now + limits::DEVICE_LIFETIME,
        user_agent: origin.user_agent.clone(),
        ip_address: Some(origin.ip.to_string()),
    };
    let token = vault::encode(&*token).into();
    if known.is_some() && renew(db, &device).await? {
        return Ok(Remembered { id: device.id, token, is_new: false });
    }
    let id = if known.is_some() { ctx.new_id(now) } else { device.id };
    db::insert(db, devices::Model { id, ..device }).await?;
    Ok(Remembered { id, token, is_new: true })
}

/// Updates the device's row for a sign-in. Returns whether the user still has the device.
async fn renew(db: &impl ConnectionTrait, device: &devices::Model) -> Result<bool> {
    use devices::Column;
    let renewed = devices::Entity::update_many()
        .col_expr(Column::TokenHash, Expr::value(device.token_hash.clone()))
        .col_expr(Column::LastUsedAt, Expr::value(device.last_used_at))
        .col_expr(Column::ExpiresAt, Expr::value(device.expires_at))
        .col_expr(Column::UserAgent, Expr::value(device.user_agent.clone()))
        .col_expr(Column::IpAddress, Expr::value(device.ip_address.clone()))
        .filter(Column::Id.eq(device.id))
        .filter(Column::UserId.eq(device.user_id))
        .exec(db)
        .await?;
    Ok(renewed.rows_affected == 1)
}

/// Lists a user's devices, most recently used first.
pub async fn list(ctx: &Ctx, access: ReadAccess, most: u64) -> Result<Vec<devices::Model>> {
    Ok(list_each(ctx, &[access], most).await?.pop().unwrap_or_default())
}

/// Lists the devices of several users, most recently used first. One statement per hundred users.
pub async fn list_each(ctx: &Ctx, users: &[ReadAccess], most: u64) -> Result<Vec<Vec<devices::Model>>> {
    let now = ctx.now();
    let part = |union: &mut Union, number, access: &ReadAccess| {
        let (user, now, most) = (union.bind(access.user_id()), union.bind(now), union.limit(most));
        format!(
            "SELECT {number} AS part, devices.* FROM devices WHERE user_id = {user} AND expires_at > {now} \
             ORDER BY last_used_at DESC, id DESC LIMIT {most}"
        )
    };
    range_query::read_each(ctx, users, part, |row| devices::Model::from_query_result(row, "")).await
}

/// Finds a device that the viewer may read. Fails with [`Error::NotFound`] if it is missing or hidden.
pub async fn find_seen(ctx: &Ctx, viewer: &Viewer, id: Uuid, field: &'static str) -> Result<devices::Model> {
    viewer.identified()?;
    let device = devices::Entity::find_by_id(id).one(ctx.db.read()).await?;
    // Check access even if the device does not exist: an unknown id then costs the same and leaves the same audit
    // record as another user's device.
    let owner = device.as_ref().map_or(Uuid::nil(), |device| device.user_id);
    let access = ReadAccess::require(ctx, viewer, owner, field).await?;
    let owner = user::list::find_each(ctx, &[access]).await?;
    device.filter(|_| !owner.is_empty()).ok_or(Error::NotFound)
}

/// Removes one of the user's own devices. Its next sign-in counts as one from an unknown device.
pub async fn forget(ctx: &Ctx, person: Person<'_>, id: Uuid) -> Result<()> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let gone = devices::Entity::delete_many()
        .filter(devices::Column::Id.eq(id))
        .filter(devices::Column::UserId.eq(person.user().id))
        .exec(&*work)
        .await?;
    if gone.rows_affected == 0 {
        return Err(Error::NotFound);
    }
    let user = Some(person.user().id);
    record_forgotten(ctx, &work, now, person.origin(), user, id, "by its owner").await?;
    work.commit(ctx).await?;
    Ok(())
}

/// Removes all devices of a user.
pub(super) async fn forget_all(db: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    devices::Entity::delete_many().filter(devices::Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
}

/// Removes a device after too many wrong codes from it.
pub async fn distrust(ctx: &Ctx, work: &Work, origin: &Origin, id: Uuid) -> Result<()> {
    let gone = devices::Entity::delete_by_id(id).exec(&**work).await?;
    if gone.rows_affected > 0 {
        record_forgotten(ctx, work, ctx.now(), origin, None, id, "too many wrong codes").await?;
    }
    Ok(())
}

/// Deletes expired devices.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM devices WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM devices", old, &[now.into()]).await
}

/// Removes the IP address from devices last used before `before`.
pub async fn forget_addresses(ctx: &Ctx, before: DateTime<Utc>) -> Result<()> {
    let old = "SELECT id FROM devices WHERE ip_address IS NOT NULL AND last_used_at < $1 ORDER BY last_used_at";
    batch::run(ctx, "UPDATE devices SET ip_address = NULL", old, &[before.into()]).await?;
    Ok(())
}

async fn record_forgotten(
    ctx: &Ctx,
    work: &Work,
    now: DateTime<Utc>,
    origin: &Origin,
    user: Option<Uuid>,
    device: Uuid,
    why: &str,
) -> Result<()> {
    let detail = serde_json::json!({ "device": device, "why": why });
    let event =
        Event { kind: Kind::DeviceForgotten, origin: Some(origin), actor: user, subject: user, detail, email: None };
    audit::record(ctx, work, now, &[event]).await
}
