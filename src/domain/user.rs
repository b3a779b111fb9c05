//! Users: who may sign up, and how an account is created or found at sign-in. Each later operation on an account has a
//! file in `user/`.

mod by;
pub mod change_detail;
pub mod email_change;
pub mod erase;
pub mod export;
pub mod import;
pub mod list;
pub(in crate::domain) mod lock;
pub mod manage;
pub mod move_out;
pub mod name;
pub mod notice;
pub mod profile;
pub mod reset_link;
pub mod search;
pub(in crate::domain) mod take_back;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, Statement};
use uuid::Uuid;

use self::name::Name;
use super::{
    Ctx,
    access::{Manager, ReadAccess, Viewer, scope},
};
use crate::{
    db::{
        self,
        entity::{Role, UserStatus, users},
    },
    email_address::EmailAddress,
    error::{Error, Result},
    settings::SignUp,
};

/// Whether the sign-up policy allows a new account with this address.
pub fn may_sign_up(policy: &SignUp, email: &EmailAddress) -> bool {
    match policy {
        SignUp::Open => true,
        SignUp::Closed => false,
        SignUp::Domains(domains) => domains.iter().any(|domain| domain == email.domain()),
    }
}

/// A user who may sign in.
pub struct Admitted {
    /// The user.
    pub user: users::Model,
    /// Whether this sign-in created the account.
    pub is_new: bool,
    /// Whether the user signed in before, from any device.
    pub was_here: bool,
}

/// A proven email address.
pub struct Proved<'a> {
    /// The email address.
    pub email: &'a EmailAddress,
    /// Whether a fixed test code proved it. Such a code signs in users with role USER at most.
    pub fixed: bool,
    /// The requested language.
    pub locale: Option<&'a str>,
    /// The name for a new account.
    pub name: Option<&'a Name>,
}

/// Finds the user with a proven address, or creates one if the sign-up policy allows it. `None` if sign-in with this
/// address is not allowed. One statement, which also updates the time of the last sign-in, and sets the requested
/// language if the user has none.
pub async fn admit(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    proved: Proved<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Admitted>> {
    let Proved { email, fixed, locale, name } = proved;
    // Check the role again: it may have changed since the code was requested.
    let may =
        if fixed { "users.status = 'ACTIVE' AND users.role IN ('GUEST', 'USER')" } else { "users.status = 'ACTIVE'" };
    let new_id = ctx.new_id(now);
    let statement = if may_sign_up(&ctx.settings.signup, email) {
        let role = role_name(ctx.settings.default_role);
        let sql = format!(
            "INSERT INTO users (id, email, role, status, created_at, updated_at, last_sign_in_at, locale, name, name_key) \
             VALUES ($1, $2, $3, 'ACTIVE', $4, $4, $4, $5, $6, $7) \
             ON CONFLICT (email) DO UPDATE SET last_sign_in_at = excluded.last_sign_in_at, \
             locale = COALESCE(users.locale, excluded.locale) \
             WHERE {may} {RETURNING}"
        );
        let (name, key) = (name.map(Name::as_str), name.map(Name::key).unwrap_or_default());
        let values =
            [new_id.into(), email.as_str().into(), role.into(), now.into(), locale.into(), name.into(), key.into()];
        db::statement(ctx.db.backend(), &sql, values)
    } else {
        let sql = format!(
            "UPDATE users SET last_sign_in_at = $2, locale = COALESCE(locale, $3) \
             WHERE email = $1 AND {may} {RETURNING}"
        );
        db::statement(ctx.db.backend(), &sql, [email.as_str().into(), now.into(), locale.into()])
    };
    read_admitted(db, statement, Some(new_id)).await
}

/// Lets a user in who is known by id. `None` if they may not sign in. One statement, which also locks the user and
/// updates the time of the last sign-in.
pub async fn admit_again(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Admitted>> {
    let sql = format!("UPDATE users SET last_sign_in_at = $2 WHERE id = $1 AND status = 'ACTIVE' {RETURNING}");
    read_admitted(db, db::statement(ctx.db.backend(), &sql, [id.into(), now.into()]), None).await
}

const RETURNING: &str = "RETURNING *, EXISTS (SELECT 1 FROM devices d WHERE d.user_id = users.id) \
     OR EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id) AS was_here";

async fn read_admitted(
    db: &impl ConnectionTrait,
    statement: Statement,
    new_id: Option<Uuid>,
) -> Result<Option<Admitted>> {
    let Some(row) = db.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let user = users::Model::from_query_result(&row, "")?;
    Ok(Some(Admitted { is_new: Some(user.id) == new_id, was_here: row.try_get("", "was_here")?, user }))
}

/// Finds a user that the viewer may read. Fails with [`Error::NotFound`] if the user is missing or hidden.
pub async fn find_seen(
    ctx: &Ctx,
    viewer: &Viewer,
    id: Uuid,
    field: &'static str,
) -> Result<(users::Model, ReadAccess)> {
    let access = ReadAccess::require(ctx, viewer, id, field).await?;
    let user = users::Entity::find_by_id(id).one(ctx.db.read()).await?;
    user.filter(|user| access.shows(user)).map(|user| (user, access)).ok_or(Error::NotFound)
}

/// The same by email address. Callers who may read only themselves get the same for every other address, whether or not
/// somebody has it.
pub async fn find_seen_by_email(
    ctx: &Ctx,
    viewer: &Viewer,
    email: &EmailAddress,
    field: &'static str,
) -> Result<(users::Model, ReadAccess)> {
    let me = viewer.identified()?.user();
    if me.email == email.as_str() {
        return find_seen(ctx, viewer, me.id, field).await;
    }
    let manager = Manager::require(ctx, viewer, scope::PEOPLE_READ, field).await.map_err(|error| match error {
        Error::Forbidden | Error::InsufficientScope => Error::NotFound,
        other => other,
    })?;
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(ctx.db.read()).await?;
    let seen = user.map(|user| (manager.access_to(user.id), user)).filter(|(access, user)| access.shows(user));
    seen.map(|(access, user)| (user, access)).ok_or(Error::NotFound)
}

/// The id of the user with an email address, for the command line.
pub async fn id_of(ctx: &Ctx, email: &EmailAddress) -> Result<Uuid> {
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(ctx.db.read()).await?;
    user.map(|user| user.id).ok_or(Error::NotFound)
}

const PARKED: &str = "@parked.invalid";

/// An undeliverable address, for an account that nobody may sign in to.
fn parked(id: Uuid) -> String {
    format!("{id}{PARKED}")
}

/// Whether the user has an undeliverable address.
fn is_parked(user: &users::Model) -> bool {
    user.email.ends_with(PARKED)
}

/// The stored and published name of a role.
pub fn role_name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}

/// The stored and published name of a status.
pub fn status_name(status: UserStatus) -> String {
    sea_orm::ActiveEnum::to_value(&status)
}
