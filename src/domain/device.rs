//! Known devices: browsers that signed in before and so have allowances of their own. The token that proves a
//! device rotates at each sign-in and is kept as a hash alone; it never signs anybody in.

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

/// The hash of a presented device token, if it has the shape of one.
pub fn token_hash(token: &str) -> Option<Digest> {
    vault::decode::<TOKEN_BYTES>(token).map(|bytes| vault::sha256(&*bytes))
}

/// The device of a sign-in, as it is remembered.
pub struct Remembered {
    /// Which one.
    pub id: Uuid,
    /// What it presents at its next `login`.
    pub token: SecretString,
    /// Whether it is new to this person: it was never known, or it was forgotten since its `login`.
    pub is_new: bool,
}

/// Remembers the device of a sign-in under a fresh token. A device that its owner forgot while the code was on its way
/// gets a new id. One statement, two for a device that was forgotten.
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

/// Writes a sign-in to the row of its device; whether this person still has it.
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

/// The devices of a person, latest first.
pub async fn list(ctx: &Ctx, access: ReadAccess, most: u64) -> Result<Vec<devices::Model>> {
    Ok(list_each(ctx, &[access], most).await?.pop().unwrap_or_default())
}

/// The devices of each of these people, latest first. One statement for a hundred people.
pub async fn list_each(ctx: &Ctx, people: &[ReadAccess], most: u64) -> Result<Vec<Vec<devices::Model>>> {
    let now = ctx.now();
    let part = |union: &mut Union, number, access: &ReadAccess| {
        let (user, now, most) = (union.bind(access.user_id()), union.bind(now), union.limit(most));
        format!(
            "SELECT {number} AS part, devices.* FROM devices WHERE user_id = {user} AND expires_at > {now} \
             ORDER BY last_used_at DESC, id DESC LIMIT {most}"
        )
    };
    range_query::read_each(ctx, people, part, |row| devices::Model::from_query_result(row, "")).await
}

/// One device that the viewer may see.
pub async fn find_seen(ctx: &Ctx, viewer: &Viewer, id: Uuid, field: &'static str) -> Result<devices::Model> {
    viewer.person()?;
    let device = devices::Entity::find_by_id(id).one(ctx.db.read()).await?;
    // Also without an owner, so that an id which nobody has costs and leaves the same as one of somebody else.
    let owner = device.as_ref().map_or(Uuid::nil(), |device| device.user_id);
    let access = ReadAccess::require(ctx, viewer, owner, field).await?;
    let owner = user::list::find_each(ctx, &[access]).await?;
    device.filter(|_| !owner.is_empty()).ok_or(Error::NotFound)
}

/// Forgets a device of the person who asks: its next sign-in is a stranger's.
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

/// Forgets every device of a person.
pub(super) async fn forget_all(db: &impl ConnectionTrait, user_id: Uuid) -> Result<()> {
    devices::Entity::delete_many().filter(devices::Column::UserId.eq(user_id)).exec(db).await?;
    Ok(())
}

/// Forgets a device from which too many wrong codes came.
pub async fn distrust(ctx: &Ctx, work: &Work, origin: &Origin, id: Uuid) -> Result<()> {
    let gone = devices::Entity::delete_by_id(id).exec(&**work).await?;
    if gone.rows_affected > 0 {
        record_forgotten(ctx, work, ctx.now(), origin, None, id, "too many wrong codes").await?;
    }
    Ok(())
}

/// Deletes devices that nobody signed in from for so long that they are strangers again.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM devices WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM devices", old, &[now.into()]).await
}

/// Takes client addresses out of what is older than they may be kept.
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
