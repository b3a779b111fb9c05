//! Challenges: the rows behind one-time codes. The guessing budget is the sum of their units. `count.rs` counts and
//! commits every attempt before this file compares its code. Codes are stored only as keyed hashes.

mod login_lookup;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, Value,
    sea_query::{Expr, ExprTrait},
};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

mod count;

pub(in crate::domain) use count::{Aim, Counted, Try, count_try};
pub(super) use login_lookup::{LoginLookup, Target, look_up};

use super::budget::{DAY, MONTH, month};
use crate::{
    db::{self, entity::email_codes},
    domain::{
        Ctx, batch,
        credential::password::Registration,
        mail::template::Locale,
        vault::{self, Digest, Macs, Purpose as Key},
    },
    email_address::EmailAddress,
    error::Result,
    limits::Limits,
};

/// Length of a challenge handle: 128 random bits. A code works only together with its challenge's handle.
pub(in crate::domain) const HANDLE_BYTES: usize = 16;

/// The keyed hash of an email address, which identifies it in budgets and rate limits.
pub(in crate::domain) fn address_key(ctx: &Ctx, email: &str) -> Macs {
    ctx.vault.macs(Key::Address, &[email.as_bytes()])
}

/// The budget that wrong attempts are charged to: the known device's or the address's. An email change has no device.
/// It is also charged to the user's budget, which is the sum over the user's challenges.
pub(in crate::domain) fn budget_key(ctx: &Ctx, address_key: &Macs, device: Option<Uuid>) -> Macs {
    match device {
        Some(device) => ctx.vault.macs(Key::Address, &[b"device", device.as_bytes()]),
        None => address_key.clone(),
    }
}

/// During secret rotation, moves a budget to its newest key, under which it is found after the older secrets are
/// removed. Locks rows in the same order as `lock_ledger`.
async fn migrate_budget(ctx: &Ctx, db: &impl ConnectionTrait, key: &Macs) -> Result<()> {
    if key.older.is_empty() {
        return Ok(());
    }
    let older = db::numbered(2, key.older.len());
    let lock = for_update(ctx);
    let sql = format!(
        "UPDATE email_codes SET budget_key = $1 WHERE id IN \
         (SELECT id FROM email_codes WHERE budget_key IN ({older}) ORDER BY id{lock})"
    );
    let values = key.all().map(|key| key.clone().into());
    db.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}

/// The SQL clause that locks selected rows. SQLite has a single writer and needs none.
fn for_update(ctx: &Ctx) -> &'static str {
    if ctx.db.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" }
}

/// The SQL clause that locks selected rows and leaves those that another transaction has locked.
pub(super) fn skip_locked(ctx: &Ctx) -> &'static str {
    if ctx.db.backend() == DbBackend::Postgres { " FOR UPDATE SKIP LOCKED" } else { "" }
}

/// Parameters of a new challenge.
pub(in crate::domain) struct Fresh<'a> {
    pub purpose: Purpose,
    pub email: &'a EmailAddress,
    pub address_key: &'a Macs,
    /// The known device that requests the code.
    pub device_id: Option<Uuid>,
    /// Whether the code is a fixed test code.
    pub fixed: bool,
    pub locale: Option<Locale>,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
    /// What a registration leaves until its code is entered.
    pub registration: Option<&'a Registration>,
}

/// Writes a new challenge for a code. Returns the challenge and its handle. One statement, two during secret rotation.
pub(in crate::domain) async fn issue(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    fresh: Fresh<'_>,
    code: &SecretString,
    now: DateTime<Utc>,
) -> Result<(email_codes::Model, String)> {
    let Fresh { purpose, email, address_key, device_id, fixed, locale, remember, registration } = fresh;
    let handle = vault::random::<HANDLE_BYTES>(&*ctx.entropy);
    let budget_key = budget_key(ctx, address_key, device_id);
    migrate_budget(ctx, db, &budget_key).await?;
    let id = ctx.new_id(now);
    let challenge = email_codes::Model {
        id,
        handle_hash: vault::sha256(&*handle),
        purpose: purpose.as_str().to_owned(),
        address_key: address_key.newest.clone(),
        budget_key: budget_key.newest,
        email: email.as_str().to_owned(),
        device_id,
        fixed,
        code_hash: code_hash(ctx, &*handle, email, purpose, code),
        earlier_hash: None,
        earlier_expires_at: None,
        expires_at: now + ctx.settings.limits.code_ttl,
        attempts: 0,
        units: 0,
        attempted_at: None,
        created_at: now,
        consumed_at: None,
        user_id: purpose.user_id(),
        locale: locale.map(|locale| locale.as_str().to_owned()),
        remember,
        sealed: registration.map(|registration| registration.seal(ctx, id)).transpose()?,
    };
    db::insert(db, challenge.clone()).await?;
    Ok((challenge, vault::encode(&*handle)))
}

/// A new code to store.
pub(in crate::domain) struct NewCode {
    pub hash: Digest,
    /// Whether the code is a fixed test code.
    pub fixed: bool,
}

/// Adds a new code to a live challenge. The current code stays valid until it expires. Both share the attempts, which
/// are never reset. `None` if the challenge is no longer live.
pub(in crate::domain) async fn add_code(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: Uuid,
    code: NewCode,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    use email_codes::Column;
    let changed = email_codes::Entity::update_many()
        .col_expr(Column::EarlierHash, Expr::col(Column::CodeHash))
        .col_expr(Column::EarlierExpiresAt, Expr::col(Column::ExpiresAt))
        .col_expr(Column::CodeHash, Expr::value(code.hash))
        .col_expr(Column::Fixed, Expr::col(Column::Fixed).or(code.fixed))
        .col_expr(Column::ExpiresAt, Expr::value(now + ctx.settings.limits.code_ttl))
        .filter(Column::Id.eq(id))
        .filter(is_live(ctx, now))
        .exec_with_returning(db)
        .await?;
    Ok(changed.into_iter().next())
}

fn is_live(ctx: &Ctx, now: DateTime<Utc>) -> sea_orm::Condition {
    use email_codes::Column;
    sea_orm::Condition::all()
        .add(Column::ConsumedAt.is_null())
        .add(Column::Attempts.lt(tries(&ctx.settings.limits)))
        .add(Column::ExpiresAt.gt(now))
}

/// What a code may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::domain) enum Purpose {
    SignIn,
    /// Registering: signing in, with a password for the account if that is new.
    Register,
    /// Setting another password.
    ResetPassword,
    /// To change this user's email address to the new one.
    ChangeEmail(Uuid),
}

impl Purpose {
    /// The stored name, also part of every code's hash.
    pub(in crate::domain) const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Register => "register",
            Self::ResetPassword => "reset_password",
            Self::ChangeEmail(_) => "change_email",
        }
    }

    /// What is stored, read back.
    pub(super) fn of(row: &email_codes::Model) -> Option<Self> {
        let all = [Self::SignIn, Self::Register, Self::ResetPassword];
        match row.user_id {
            Some(user_id) => Some(Self::ChangeEmail(user_id)),
            None => all.into_iter().find(|purpose| purpose.as_str() == row.purpose),
        }
    }

    /// The only user who may use the code; `None` for a sign-in.
    pub(in crate::domain) const fn user_id(self) -> Option<Uuid> {
        match self {
            Self::SignIn | Self::Register | Self::ResetPassword => None,
            Self::ChangeEmail(user_id) => Some(user_id),
        }
    }
}

/// The keyed hash of a code. It also covers the handle, the address and the purpose, so that a hash copied to another
/// row is useless.
pub(in crate::domain) fn code_hash(
    ctx: &Ctx,
    handle: &[u8],
    email: &EmailAddress,
    purpose: Purpose,
    code: &SecretString,
) -> Digest {
    let parts: [&[u8]; 4] =
        [handle, email.as_str().as_bytes(), purpose.as_str().as_bytes(), code.expose_secret().as_bytes()];
    ctx.vault.mac(Key::Code, &parts)
}

/// Compares a code with both codes of the challenge in constant time. Always compares both.
pub(in crate::domain) fn is_right(
    ctx: &Ctx,
    attempt: &Try,
    handle: &[u8; HANDLE_BYTES],
    code: &str,
    now: DateTime<Utc>,
) -> bool {
    let row = &attempt.challenge;
    let parts: [&[u8]; 4] = [handle, row.email.as_bytes(), row.purpose.as_bytes(), code.as_bytes()];
    let newest = ctx.vault.mac_matches(Key::Code, &parts, &row.code_hash);
    let earlier = ctx.vault.mac_matches(Key::Code, &parts, row.earlier_hash.as_ref().unwrap_or(&row.code_hash));
    let earlier_is_live = row.earlier_expires_at.is_some_and(|at| at > now);
    newest || (earlier && earlier_is_live)
}

/// Consumes the challenge. Of several concurrent right attempts, only one gets `true`. Returns the attempt's units to
/// the budget, because only wrong attempts cost units. One statement.
pub(in crate::domain) async fn consume(db: &impl ConnectionTrait, attempt: &Try, now: DateTime<Utc>) -> Result<bool> {
    use email_codes::Column;
    let consumed = email_codes::Entity::update_many()
        .col_expr(Column::ConsumedAt, Expr::value(now))
        .col_expr(Column::Units, Expr::col(Column::Units).sub(attempt.cost))
        .col_expr(Column::Sealed, Expr::value(Option::<Vec<u8>>::None))
        .filter(Column::Id.eq(attempt.challenge.id))
        .filter(Column::ConsumedAt.is_null())
        .exec(db)
        .await?;
    Ok(consumed.rows_affected == 1)
}

fn tries(limits: &Limits) -> i32 {
    i32::try_from(limits.code_tries).unwrap_or(i32::MAX)
}

/// Voids all open codes for an email change of a user. Locks them in the same order as an attempt does.
pub(in crate::domain) async fn void_changes(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user_id: Uuid,
    now: DateTime<Utc>,
) -> Result<()> {
    let lock = for_update(ctx);
    let sql = format!(
        "UPDATE email_codes SET consumed_at = $2 WHERE id IN (SELECT id FROM email_codes \
         WHERE user_id = $1 AND consumed_at IS NULL AND expires_at > $2 ORDER BY id{lock})"
    );
    db.execute_raw(db::statement(ctx.db.backend(), &sql, [user_id.into(), now.into()])).await?;
    Ok(())
}

/// Voids all open challenges of an address except those for an email change. One that is being used up right now is
/// left to its own transaction, which would otherwise wait for this one while this one waits for it.
pub(in crate::domain) async fn void_all(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    email: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let skip = skip_locked(ctx);
    let sql = format!(
        "UPDATE email_codes SET consumed_at = $2, sealed = NULL WHERE id IN (SELECT id FROM email_codes \
         WHERE email = $1 AND expires_at > $2 AND consumed_at IS NULL AND user_id IS NULL{skip})"
    );
    db.execute_raw(db::statement(ctx.db.backend(), &sql, [email.into(), now.into()])).await?;
    Ok(())
}

/// The live challenge of a handle, whatever its purpose. One statement.
pub(super) async fn find_live(
    ctx: &Ctx,
    handle_hash: &Digest,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    let live = email_codes::Entity::find()
        .filter(email_codes::Column::HandleHash.eq(handle_hash.clone()))
        .filter(is_live(ctx, now));
    Ok(live.one(ctx.db.read()).await?)
}

/// Deletes old challenges that no budget needs, and removes the email address from those that a budget still needs.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let delete = "DELETE FROM email_codes";
    let month_ago = now - month(&ctx.settings.limits).max(MONTH);
    let dead = [Value::from(now - DAY)];
    // Rows without an email address have units and stay until no budget counts them. Three statements instead of one,
    // so that none of them scans rows that stay.
    let unused = "SELECT id FROM email_codes WHERE email <> '' AND expires_at < $1 AND units = 0 ORDER BY expires_at";
    let used = "SELECT id FROM email_codes WHERE email <> '' AND expires_at < $1 AND units > 0 ORDER BY expires_at";
    let paid = "SELECT id FROM email_codes WHERE expires_at < $1 AND attempted_at < $1 ORDER BY expires_at";
    let gone = batch::run(ctx, delete, unused, &dead).await?;
    batch::run(ctx, "UPDATE email_codes SET email = '', sealed = NULL", used, &dead).await?;
    Ok(gone + batch::run(ctx, delete, paid, &[month_ago.into()]).await?)
}
