//! The read that starts a sign-in. One statement, the same for every email address, so that its cost does not reveal
//! whether an account exists.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{HANDLE_BYTES, Purpose, tries};
use crate::{
    db::{
        self,
        entity::{Role, UserStatus},
    },
    domain::{
        Ctx,
        sign_in::budget::{day, month},
        vault::{self, Digest, Macs},
    },
    error::{Error, Result},
};

#[derive(Debug, FromQueryResult)]
pub(in crate::domain::sign_in) struct LoginLookup {
    pub status: Option<UserStatus>,
    pub role: Option<Role>,
    /// The language of the account.
    pub locale: Option<String>,
    /// When the account was created.
    pub since: Option<DateTime<Utc>>,
    /// The presented device, if this account knows it.
    pub device_id: Option<Uuid>,
    pub device_user_id: Option<Uuid>,
    /// The challenge to resend for, if it is live and belongs to this address.
    pub challenge_id: Option<Uuid>,
    /// Whether the address's valid sign-in link was mailed; `None` if there is no valid link.
    pub link_mailed: Option<bool>,
    /// Units of the address's budget spent within the shorter window.
    pub day_units: i64,
    /// Units of the address's budget spent within the longer window.
    pub month_units: i64,
}

/// What a request for a code presents.
pub(in crate::domain::sign_in) struct Target {
    /// Hash of the presented device token.
    pub device_hash: Option<Digest>,
    /// The device that requested the first code, for a resend.
    pub device_id: Option<Uuid>,
    /// The handle of the challenge to resend for.
    pub handle: Option<Zeroizing<[u8; HANDLE_BYTES]>>,
    pub purpose: Purpose,
}

/// Looks up account, device, challenge to resend for, sign-in link and budgets of an address. One statement.
pub(in crate::domain::sign_in) async fn look_up(
    ctx: &Ctx,
    email: &str,
    address_key: &Macs,
    target: &Target,
    now: DateTime<Utc>,
) -> Result<LoginLookup> {
    let keys = db::numbered(10, 1 + address_key.older.len());
    let spent = format!(
        "(SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes WHERE budget_key IN ({keys}) AND attempted_at > "
    );
    let sql = format!(
        "SELECT u.status, u.role, u.locale, u.created_at AS since, d.id AS device_id, d.user_id AS device_user_id, c.id AS challenge_id, l.mailed AS link_mailed, \
         {spent} $4) AS day_units, {spent} $5) AS month_units \
         FROM (SELECT 1 AS one) AS base \
         LEFT JOIN users u ON u.email = $1 \
         LEFT JOIN devices d ON d.user_id = u.id AND (d.token_hash = $2 OR d.id = $8) AND d.expires_at > $6 \
         LEFT JOIN email_codes c ON c.handle_hash = $3 AND c.address_key IN ({keys}) AND c.purpose = $9 \
         AND c.consumed_at IS NULL AND c.attempts < $7 AND c.expires_at > $6 \
         LEFT JOIN sign_in_links l ON l.address_key IN ({keys}) AND l.consumed_at IS NULL AND l.expires_at > $6 \
         ORDER BY l.mailed DESC LIMIT 1"
    );
    let values = [
        email.into(),
        target.device_hash.clone().into(),
        target.handle.as_ref().map(|handle| vault::sha256(&**handle)).into(),
        (now - day(&ctx.settings.limits)).into(),
        (now - month(&ctx.settings.limits)).into(),
        now.into(),
        tries(&ctx.settings.limits).into(),
        target.device_id.into(),
        target.purpose.as_str().into(),
    ];
    let values = values.into_iter().chain(address_key.all().map(|key| key.clone().into()));
    let row = LoginLookup::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).one(ctx.db.read()).await?;
    row.ok_or_else(|| Error::Internal("the login lookup returned no row".into()))
}
