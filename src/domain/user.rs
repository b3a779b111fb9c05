//! People: who may have an account, and how one comes to be. Sessions and permissions are elsewhere.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::{
    Ctx, Error, Result,
    audit::{self, Event, Kind},
    email_address::EmailAddress,
};
use crate::{
    config::SignUp,
    db::{
        self,
        entity::{Role, UserStatus, users},
    },
};

/// Whether the sign-up policy lets this address make an account.
pub fn may_sign_up(policy: &SignUp, email: &EmailAddress) -> bool {
    match policy {
        SignUp::Open => true,
        SignUp::Closed => false,
        SignUp::Domains(domains) => domains.iter().any(|domain| domain == email.domain()),
    }
}

/// The person behind a proved address, made now if they are new and may sign up; whether they are new. `None` when
/// nobody may sign in with it. One statement, which also notes the sign-in.
pub async fn admit(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    email: &EmailAddress,
    now: DateTime<Utc>,
) -> Result<Option<(users::Model, bool)>> {
    let new_id = ctx.new_id(now);
    let statement = if may_sign_up(&ctx.settings.signup, email) {
        let role = sea_orm::ActiveEnum::to_value(&ctx.settings.default_role);
        let sql = "INSERT INTO users (id, email, role, status, created_at, updated_at, last_sign_in_at) \
             VALUES ($1, $2, $3, 'ACTIVE', $4, $4, $4) \
             ON CONFLICT (email) DO UPDATE SET last_sign_in_at = excluded.last_sign_in_at \
             WHERE users.status = 'ACTIVE' RETURNING *";
        let values = [new_id.into(), email.as_str().into(), role.into(), now.into()];
        db::statement(ctx.db.backend(), sql, values)
    } else {
        let sql = "UPDATE users SET last_sign_in_at = $2 WHERE email = $1 AND status = 'ACTIVE' RETURNING *";
        db::statement(ctx.db.backend(), sql, [email.as_str().into(), now.into()])
    };
    let user = users::Entity::find().from_raw_sql(statement).one(db).await?;
    Ok(user.map(|user| {
        let is_new = user.id == new_id;
        (user, is_new)
    }))
}

/// Makes an account from the command line.
pub async fn create(ctx: &Ctx, email: &EmailAddress, role: Role) -> Result<users::Model> {
    let now = ctx.now();
    let user = users::Model {
        id: ctx.new_id(now),
        email: email.as_str().to_owned(),
        name: None,
        role,
        status: UserStatus::Active,
        created_at: now,
        updated_at: now,
        last_sign_in_at: None,
    };
    let tx = ctx.db.begin().await?;
    db::insert(&tx, user.clone()).await?;
    record_change(ctx, &tx, now, user.id, serde_json::json!({ "created": true, "role": role_name(role) })).await?;
    tx.commit().await?;
    Ok(user)
}

/// Changes role or status from the command line; sessions feel it on their next request.
pub async fn change(
    ctx: &Ctx,
    email: &EmailAddress,
    role: Option<Role>,
    status: Option<UserStatus>,
) -> Result<users::Model> {
    let now = ctx.now();
    let tx = ctx.db.begin().await?;
    let before = users::Entity::find()
        .filter(users::Column::Email.eq(email.as_str()))
        .lock_exclusive()
        .one(&tx)
        .await?
        .ok_or(Error::NotFound)?;
    let mut change = before.clone().into_active_model();
    let after = users::Model {
        role: role.unwrap_or(before.role),
        status: status.unwrap_or(before.status),
        updated_at: now,
        ..before.clone()
    };
    change.role = Set(after.role);
    change.status = Set(after.status);
    change.updated_at = Set(now);
    users::Entity::update(change).exec(&tx).await?;
    let detail = serde_json::json!({
        "role": [role_name(before.role), role_name(after.role)],
        "status": [status_name(before.status), status_name(after.status)],
    });
    record_change(ctx, &tx, now, after.id, detail).await?;
    tx.commit().await?;
    Ok(after)
}

/// The newest accounts, for the command line.
pub async fn newest(ctx: &Ctx, most: u64) -> Result<Vec<users::Model>> {
    Ok(users::Entity::find().order_by_desc(users::Column::Id).limit(most).all(ctx.db.read()).await?)
}

/// A role as it is written everywhere.
pub fn role_name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}

/// A status as it is written everywhere.
pub fn status_name(status: UserStatus) -> String {
    sea_orm::ActiveEnum::to_value(&status)
}

async fn record_change(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    user: Uuid,
    detail: serde_json::Value,
) -> Result<()> {
    let event = Event { kind: Kind::UserChanged, origin: None, actor: None, subject: Some(user), detail };
    audit::record(ctx, db, now, &[event]).await
}
