//! What a sign-in begins with: all that is known of an address, asked in one statement that is the same for every
//! address. Nothing here writes.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;

use super::tries;
use crate::{
    db::{
        self,
        entity::{Role, UserStatus},
    },
    domain::{
        Ctx,
        sign_in::budget::{day, month},
        vault::{Digest, Macs},
    },
    error::{Error, Result},
};

/// What `login` needs to know of an address, all in one statement that is the same for every address.
#[derive(Debug, FromQueryResult)]
pub(in crate::domain::sign_in) struct LoginLookup {
    /// The account's status, if there is one.
    pub status: Option<UserStatus>,
    /// The account's role, if there is one.
    pub role: Option<Role>,
    /// When the account was made.
    pub since: Option<DateTime<Utc>>,
    /// The presented device, if it is known for this very account.
    pub device_id: Option<Uuid>,
    /// The account, with the device.
    pub device_user_id: Option<Uuid>,
    /// The challenge to resend for, if it is live and of this address.
    pub challenge_id: Option<Uuid>,
    /// Whether the address's sign-in link was mailed, if it has one that is not over.
    pub link_mailed: Option<bool>,
    /// Units of the address's budget that the last day used.
    pub day_units: i64,
    /// The same for the last thirty days.
    pub month_units: i64,
}

/// Looks an address up: account, device, challenge to resend for, budget. One statement.
pub(in crate::domain::sign_in) async fn look_up(
    ctx: &Ctx,
    email: &str,
    address_key: &Macs,
    device_hash: Option<Digest>,
    handle_hash: Option<Digest>,
    now: DateTime<Utc>,
) -> Result<LoginLookup> {
    let keys = db::numbered(8, 1 + address_key.older.len());
    let spent = format!(
        "(SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes WHERE budget_key IN ({keys}) AND attempted_at > "
    );
    let sql = format!(
        "SELECT u.status, u.role, u.created_at AS since, d.id AS device_id, d.user_id AS device_user_id, c.id AS challenge_id, l.mailed AS link_mailed, \
         {spent} $4) AS day_units, {spent} $5) AS month_units \
         FROM (SELECT 1 AS one) AS base \
         LEFT JOIN users u ON u.email = $1 \
         LEFT JOIN devices d ON d.user_id = u.id AND d.token_hash = $2 AND d.expires_at > $6 \
         LEFT JOIN email_codes c ON c.handle_hash = $3 AND c.address_key IN ({keys}) AND c.purpose = 'sign_in' \
         AND c.consumed_at IS NULL AND c.attempts < $7 AND c.expires_at > $6 \
         LEFT JOIN sign_in_links l ON l.address_key IN ({keys}) AND l.consumed_at IS NULL AND l.expires_at > $6 \
         ORDER BY l.mailed DESC LIMIT 1"
    );
    let values = [
        email.into(),
        device_hash.into(),
        handle_hash.into(),
        (now - day(&ctx.settings.limits)).into(),
        (now - month(&ctx.settings.limits)).into(),
        now.into(),
        tries(&ctx.settings.limits).into(),
    ];
    let values = values.into_iter().chain(address_key.all().map(|key| key.clone().into()));
    let row = LoginLookup::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).one(ctx.db.read()).await?;
    row.ok_or_else(|| Error::Internal("a select without a condition gave no row".into()))
}
