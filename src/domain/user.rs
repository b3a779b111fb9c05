//! People: who may have an account, and how one comes to be. What is done to them later has a file for each idea;
//! sessions and permissions are elsewhere.

pub mod email_change;
pub mod erase;
pub mod export;
pub mod list;
mod lock;
pub mod manage;
pub mod name;
pub mod notice;
pub mod profile;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use super::{
    Ctx,
    access::{ReadAccess, Viewer},
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

/// Whether the sign-up policy lets this address make an account.
pub fn may_sign_up(policy: &SignUp, email: &EmailAddress) -> bool {
    match policy {
        SignUp::Open => true,
        SignUp::Closed => false,
        SignUp::Domains(domains) => domains.iter().any(|domain| domain == email.domain()),
    }
}

/// Somebody who may come in.
pub struct Admitted {
    /// Who.
    pub user: users::Model,
    /// Whether the account was made just now.
    pub is_new: bool,
    /// Whether they came in before, from any device.
    pub was_here: bool,
}

/// What proved an address.
pub struct Proved<'a> {
    /// The address.
    pub email: &'a EmailAddress,
    /// Whether a fixed test code did, which proves nobody above USER.
    pub fixed: bool,
    /// The language that was asked for.
    pub locale: Option<&'a str>,
}

/// The person behind a proved address, made now if they are new and may sign up. `None` when nobody may sign in with it.
/// One statement, which also notes the sign-in, and the language that they asked for if they never chose one.
pub async fn admit(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    proved: Proved<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Admitted>> {
    let Proved { email, fixed, locale } = proved;
    // The role is looked at here once more: it may have changed since the code was asked for.
    let may =
        if fixed { "users.status = 'ACTIVE' AND users.role IN ('GUEST', 'USER')" } else { "users.status = 'ACTIVE'" };
    let new_id = ctx.new_id(now);
    let returning = "RETURNING *, EXISTS (SELECT 1 FROM devices d WHERE d.user_id = users.id) \
         OR EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id) AS was_here";
    let statement = if may_sign_up(&ctx.settings.signup, email) {
        let role = role_name(ctx.settings.default_role);
        let sql = format!(
            "INSERT INTO users (id, email, role, status, created_at, updated_at, last_sign_in_at, locale) \
             VALUES ($1, $2, $3, 'ACTIVE', $4, $4, $4, $5) \
             ON CONFLICT (email) DO UPDATE SET last_sign_in_at = excluded.last_sign_in_at, \
             locale = COALESCE(users.locale, excluded.locale) \
             WHERE {may} {returning}"
        );
        let values = [new_id.into(), email.as_str().into(), role.into(), now.into(), locale.into()];
        db::statement(ctx.db.backend(), &sql, values)
    } else {
        let sql = format!(
            "UPDATE users SET last_sign_in_at = $2, locale = COALESCE(locale, $3) \
             WHERE email = $1 AND {may} {returning}"
        );
        db::statement(ctx.db.backend(), &sql, [email.as_str().into(), now.into(), locale.into()])
    };
    let Some(row) = db.query_one_raw(statement).await? else {
        return Ok(None);
    };
    let user = users::Model::from_query_result(&row, "")?;
    Ok(Some(Admitted { is_new: user.id == new_id, was_here: row.try_get("", "was_here")?, user }))
}

/// One person whom the viewer may see.
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

/// The id behind an address, for the command line.
pub async fn id_of(ctx: &Ctx, email: &EmailAddress) -> Result<Uuid> {
    let user = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(ctx.db.read()).await?;
    user.map(|user| user.id).ok_or(Error::NotFound)
}

const PARKED: &str = "@parked.invalid";

/// An address that no mail reaches, for an account that nobody is to sign in to.
fn parked(id: Uuid) -> String {
    format!("{id}{PARKED}")
}

/// Whether mail to this person would reach nobody.
fn is_parked(user: &users::Model) -> bool {
    user.email.ends_with(PARKED)
}

/// A role as it is written everywhere.
pub fn role_name(role: Role) -> String {
    sea_orm::ActiveEnum::to_value(&role)
}

/// A status as it is written everywhere.
pub fn status_name(status: UserStatus) -> String {
    sea_orm::ActiveEnum::to_value(&status)
}
