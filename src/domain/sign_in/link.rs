//! Sign-in links, which replace codes in mails when the daily mails or the guessing budget of an address run out. A
//! link has 256 random bits and works once, within a day. An address has at most one valid link; further requests mail
//! the same link again. Opening the page does not use the link: only its button calls `verify`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use secrecy::SecretString;

use super::{Outcome, Proof, Subject, challenge, finish, missed, record_if_expired, send_limit};
use crate::{
    db::{
        self,
        entity::{Method, sign_in_links},
    },
    domain::{
        Ctx,
        access::Viewer,
        batch,
        transaction::Work,
        vault::{self, Digest, Purpose},
    },
    email_address::EmailAddress,
    error::{Error, Result},
    limits::LINK_LIFETIME,
    ports::Entropy,
};

const TOKEN_BYTES: usize = 32;

/// SQL condition for replacing the existing link with the new one.
const IS_REPLACED: &str = "sign_in_links.consumed_at IS NOT NULL OR sign_in_links.expires_at <= $6 \
    OR (excluded.mailed AND NOT sign_in_links.mailed)";

pub(in crate::domain) struct Issued {
    pub url: SecretString,
    pub expires_at: DateTime<Utc>,
    /// Whether this request created the link. Of several concurrent requests, only one does.
    pub is_new: bool,
}

/// Returns the address's valid link, or creates one. The link expires a day from now, as the mail says. A mailed link
/// replaces a decoy's link. One statement, and one more if an older version of Doorcode created the link.
pub(in crate::domain) async fn issue(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    address_key: &Digest,
    email: &EmailAddress,
    mailed: bool,
    now: DateTime<Utc>,
) -> Result<Issued> {
    let token = vault::random::<TOKEN_BYTES>(&*ctx.entropy);
    // Store the token encrypted, so that the next mail can contain the same link. Another request for the address then
    // neither invalidates the link nor adds a second one.
    let sealed = ctx.vault.seal(Purpose::Link, address_key.as_bytes(), &*token, &*ctx.entropy)?;
    let sql = "INSERT INTO sign_in_links (id, address_key, email, token_hash, sealed, created_at, expires_at, mailed) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
         ON CONFLICT (address_key) DO UPDATE SET \
         id = CASE WHEN {dead} THEN excluded.id ELSE sign_in_links.id END, \
         token_hash = CASE WHEN {dead} THEN excluded.token_hash ELSE sign_in_links.token_hash END, \
         sealed = CASE WHEN {dead} THEN excluded.sealed ELSE sign_in_links.sealed END, \
         created_at = CASE WHEN {dead} THEN excluded.created_at ELSE sign_in_links.created_at END, \
         expires_at = CASE WHEN excluded.mailed OR {dead} THEN excluded.expires_at ELSE sign_in_links.expires_at END, \
         consumed_at = CASE WHEN {dead} THEN NULL ELSE sign_in_links.consumed_at END, \
         mailed = CASE WHEN {dead} THEN excluded.mailed ELSE sign_in_links.mailed END \
         RETURNING *"
        .replace("{dead}", IS_REPLACED);
    let expires_at = now + if mailed { LINK_LIFETIME } else { decoy_lifetime(&*ctx.entropy) };
    let id = ctx.new_id(now);
    let values = [
        id.into(),
        address_key.clone().into(),
        email.as_str().into(),
        ctx.vault.mac(Purpose::LinkToken, &[&*token]).into(),
        sealed.into(),
        now.into(),
        expires_at.into(),
        mailed.into(),
    ];
    let row = sign_in_links::Entity::find()
        .from_raw_sql(db::statement(ctx.db.backend(), &sql, values))
        .one(db)
        .await?
        .ok_or_else(|| Error::Internal("the upsert of a link returned no row".into()))?;
    let token = ctx
        .vault
        .open(Purpose::Link, address_key.as_bytes(), &row.sealed)
        .ok_or_else(|| Error::Internal(format!("no server secret opens link {}", row.id)))?;
    let hash = ctx.vault.mac(Purpose::LinkToken, &[&*token]);
    if row.token_hash != hash {
        // An older version of Doorcode hashed the token differently. Update the hash so that the mailed link works.
        sign_in_links::Entity::update_many()
            .col_expr(sign_in_links::Column::TokenHash, Expr::value(hash))
            .filter(sign_in_links::Column::Id.eq(row.id))
            .exec(db)
            .await?;
    }
    let url = vault::link(ctx.settings.issuer(), "link", &token);
    Ok(Issued { url, expires_at: now + LINK_LIFETIME, is_new: row.id == id })
}

/// The lifetime of a link that is never mailed. A real link ends when its owner uses it, and someone who spent the
/// daily quota of the address can see that, because one more mail is granted. So every second decoy also ends at a
/// random time within its day. Otherwise, the difference would reveal which addresses have an account.
fn decoy_lifetime(entropy: &dyn Entropy) -> Duration {
    let [coin, high, low] = *vault::random::<3>(entropy);
    let parts = u32::from(u16::from_be_bytes([high, low])) + 1;
    if coin % 2 == 0 { LINK_LIFETIME } else { LINK_LIFETIME / (1 << 16) * parts }
}

/// Signs in with a link. At most six statements and one limiter call. One more statement for the mail about a new
/// device, two more to replace a session; one more limiter call if the link is expired, used or unknown.
pub async fn verify(ctx: &Ctx, viewer: &Viewer, token: &str) -> Result<Outcome> {
    let outcome = attempt(ctx, viewer, token).await?;
    Ok(record_if_expired(ctx, viewer, Method::Link, outcome).await)
}

async fn attempt(ctx: &Ctx, viewer: &Viewer, token: &str) -> Result<Outcome> {
    let now = ctx.now();
    let Some(token) = vault::decode::<TOKEN_BYTES>(token) else {
        return missed(ctx, viewer, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, &viewer.origin, now).await? {
        return Ok(Outcome::Wait(wait));
    }
    let work = Work::begin(ctx).await?;
    let used = sign_in_links::Entity::update_many()
        .col_expr(sign_in_links::Column::ConsumedAt, Expr::value(now))
        .filter(sign_in_links::Column::TokenHash.is_in(ctx.vault.macs(Purpose::LinkToken, &[&*token]).all().cloned()))
        .filter(sign_in_links::Column::ConsumedAt.is_null())
        .filter(sign_in_links::Column::ExpiresAt.gt(now))
        .exec_with_returning(&*work)
        .await?;
    let Some(link) = used.into_iter().next() else {
        drop(work);
        return missed(ctx, viewer, now).await;
    };
    let email = EmailAddress::parse(&link.email)
        .map_err(|_| Error::Internal(format!("link {} has no valid email address", link.id)))?;
    let proof = Proof {
        subject: Subject::Mailbox { email, fixed: false, locale: None, registration: None },
        method: Method::Link,
        id: link.id,
        device_id: None,
        remember: true,
        is_announced: false,
    };
    let completed = finish(ctx, &work, viewer, proof, now).await?;
    work.commit(ctx).await?;
    Ok(completed.map_or(Outcome::Expired, |completed| Outcome::SignedIn(Box::new(completed))))
}

/// Voids the link of an address. One that is being used right now is left to its own transaction, as codes are: it
/// holds its link and waits for the user that this one holds. One statement.
pub(in crate::domain) async fn void(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    email: &str,
    now: DateTime<Utc>,
) -> Result<()> {
    let keys = challenge::address_key(ctx, email);
    let among = db::numbered(2, keys.all().count());
    let skip = challenge::skip_locked(ctx);
    let sql = format!(
        "UPDATE sign_in_links SET consumed_at = $1 WHERE id IN (SELECT id FROM sign_in_links \
         WHERE address_key IN ({among}) AND consumed_at IS NULL{skip})"
    );
    let values = [now.into()].into_iter().chain(keys.all().map(|key| key.clone().into()));
    db.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}

/// Deletes expired links.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM sign_in_links WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM sign_in_links", old, &[now.into()]).await
}
