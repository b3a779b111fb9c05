//! The link "This wasn't me" of a notice, with which the owner of a mailbox takes the account back. Its token holds the
//! session that the notice is about, an expiry and a tag over both, so only the time of its use
//! is stored.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::EndReason;
use crate::{
    db::entity::{sessions, users},
    domain::{
        Ctx, Wait,
        access::Viewer,
        audit::{self, Event, Kind},
        mail::message::Disown,
        sign_in::send_limit,
        transaction::Work,
        user::take_back::take_back,
        vault::{self, Purpose, Vault},
    },
    error::Result,
    limits::DISOWN,
};

const ID: usize = 16;
const EXPIRY: usize = 8;
const TAG: usize = 16;
const LENGTH: usize = ID + EXPIRY + TAG;

/// The link to mail about a session.
pub(in crate::domain) fn link(ctx: &Ctx, session: &sessions::Model, now: DateTime<Utc>) -> Disown {
    let token = issue(&ctx.vault, session.id, now);
    Disown(vault::link(ctx.settings.issuer(), "disown", &*token))
}

/// The outcome of disowning a session.
pub enum Outcome {
    /// The account is signed out everywhere and has no password.
    Disowned,
    /// The token is expired, used or not ours.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Takes the account back: ends every session, forgets every device, removes the password and voids all codes and
/// links.
pub async fn disown(ctx: &Ctx, viewer: &Viewer, token: &str) -> Result<Outcome> {
    let (origin, now) = (&viewer.origin, ctx.now());
    if let Some(wait) = send_limit::take_verify(ctx, origin, now).await? {
        return Ok(Outcome::Wait(wait));
    }
    let done = match read(&ctx.vault, token, now) {
        Some(session) => take_back_session(ctx, viewer, session, now).await?,
        None => false,
    };
    if done {
        return Ok(Outcome::Disowned);
    }
    let refused = send_limit::take_miss(ctx, origin, now).await?;
    Ok(refused.map_or(Outcome::Expired, Outcome::Wait))
}

async fn take_back_session(ctx: &Ctx, viewer: &Viewer, id: Uuid, now: DateTime<Utc>) -> Result<bool> {
    let Some(session) = sessions::Entity::find_by_id(id).one(ctx.db.read()).await? else { return Ok(false) };
    let work = Work::begin(ctx).await?;
    let user = users::Entity::find_by_id(session.user_id).lock_exclusive().one(&*work).await?;
    let used = sessions::Entity::update_many()
        .col_expr(sessions::Column::DisownedAt, Expr::value(now))
        .filter(sessions::Column::Id.eq(id))
        .filter(sessions::Column::DisownedAt.is_null())
        .exec(&*work)
        .await?;
    let Some(user) = user.filter(|_| used.rows_affected == 1) else { return Ok(false) };
    let ended = take_back(ctx, &work, &user, EndReason::Disowned, now).await?;
    let detail = json!({ "session": id, "sessions": ended });
    let (origin, email) = (Some(&viewer.origin), Some(user.email.as_str()));
    let event = Event { kind: Kind::SessionDisowned, origin, actor: None, subject: Some(user.id), detail, email };
    audit::record(ctx, &work, now, &[event]).await?;
    work.commit(ctx).await?;
    Ok(true)
}

/// Voids the links about all sessions of a user, because a thief may have received them. One statement.
pub(in crate::domain) async fn void_all(db: &impl ConnectionTrait, user_id: Uuid, now: DateTime<Utc>) -> Result<()> {
    sessions::Entity::update_many()
        .col_expr(sessions::Column::DisownedAt, Expr::value(now))
        .filter(sessions::Column::UserId.eq(user_id))
        .filter(sessions::Column::DisownedAt.is_null())
        .exec(db)
        .await?;
    Ok(())
}

fn issue(vault: &Vault, session: Uuid, now: DateTime<Utc>) -> Zeroizing<[u8; LENGTH]> {
    let mut token = Zeroizing::new([0; LENGTH]);
    token[..ID].copy_from_slice(session.as_bytes());
    token[ID..ID + EXPIRY].copy_from_slice(&(now + DISOWN).timestamp().to_be_bytes());
    let tag: [u8; TAG] = vault.tag(Purpose::Disown, &[&token[..ID + EXPIRY]]);
    token[ID + EXPIRY..].copy_from_slice(&tag);
    token
}

/// The session that a token is about. `None` if the token has expired or is not ours.
fn read(vault: &Vault, token: &str, now: DateTime<Utc>) -> Option<Uuid> {
    let token = vault::decode::<LENGTH>(token)?;
    let (body, tag) = token.split_last_chunk::<TAG>()?;
    let (id, expiry) = body.split_first_chunk::<ID>()?;
    let expiry = i64::from_be_bytes(expiry.try_into().ok()?);
    let is_ours = vault.tag_matches(Purpose::Disown, &[body], *tag);
    (is_ours && now.timestamp() < expiry).then(|| Uuid::from_bytes(*id))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use secrecy::SecretString;

    use super::*;

    const SESSION: Uuid = Uuid::from_u128(7);

    fn vault(secrets: &[&str]) -> Vault {
        let secrets: Vec<_> = secrets.iter().map(|secret| SecretString::from(secret.repeat(8))).collect();
        Vault::new(&secrets).unwrap()
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000, 900_000_000).unwrap()
    }

    fn token() -> String {
        vault::encode(&*issue(&vault(&["abcd"]), SESSION, now()))
    }

    #[test]
    fn a_token_names_its_session_for_seven_days() {
        let after = |time| read(&vault(&["abcd"]), &token(), now() + time);
        assert_eq!(after(TimeDelta::zero()), Some(SESSION));
        assert_eq!(after(TimeDelta::days(7) - TimeDelta::seconds(1)), Some(SESSION));
        assert_eq!(after(TimeDelta::days(7)), None);
        assert_eq!(after(TimeDelta::days(700)), None);
    }

    #[test]
    fn a_token_is_valid_under_every_secret_of_the_server_and_no_other() {
        let valid = |secrets: &[&str]| read(&vault(secrets), &token(), now()).is_some();
        assert!(valid(&["abcd"]) && valid(&["new1", "abcd"]));
        assert!(!valid(&["new1"]));
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused() {
        let vault = vault(&["abcd"]);
        let token = issue(&vault, SESSION, now());
        for at in 0..LENGTH {
            let mut changed = *token;
            changed[at] ^= 1;
            assert_eq!(read(&vault, &vault::encode(&changed), now()), None, "byte {at}");
        }
    }

    #[test]
    fn a_token_with_a_tag_for_another_purpose_is_refused() {
        let vault = vault(&["abcd"]);
        let mut token = issue(&vault, SESSION, now());
        let tag: [u8; TAG] = vault.tag(Purpose::RefreshTag, &[&token[..ID + EXPIRY]]);
        token[ID + EXPIRY..].copy_from_slice(&tag);
        assert_eq!(read(&vault, &vault::encode(&*token), now()), None);
    }

    #[test]
    fn a_token_of_another_length_is_refused() {
        let token = token();
        for text in ["", &token[1..], &token[..token.len() - 1], &format!("{token}A"), &format!(" {token}")] {
            assert_eq!(read(&vault(&["abcd"]), text, now()), None, "{text}");
        }
    }
}
