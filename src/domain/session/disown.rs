//! The link "This wasn't me" of a notice, with which the owner of a mailbox takes the account back. Its token holds the
//! session that the notice is about, an expiry and a tag over both, so nothing is stored: it proves access to the
//! mailbox until it expires, however often it is used.

use chrono::{DateTime, Utc};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    db::entity::sessions,
    domain::{
        Ctx,
        mail::message::Disown,
        vault::{self, Purpose, Vault},
    },
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

/// The session that a token is about. `None` if the token has expired or is not ours. Accesses no store.
pub fn parse(ctx: &Ctx, token: &str, now: DateTime<Utc>) -> Option<Uuid> {
    read(&ctx.vault, token, now)
}

fn issue(vault: &Vault, session: Uuid, now: DateTime<Utc>) -> Zeroizing<[u8; LENGTH]> {
    let mut token = Zeroizing::new([0; LENGTH]);
    token[..ID].copy_from_slice(session.as_bytes());
    token[ID..ID + EXPIRY].copy_from_slice(&(now + DISOWN).timestamp().to_be_bytes());
    let tag: [u8; TAG] = vault.tag(Purpose::Disown, &[&token[..ID + EXPIRY]]);
    token[ID + EXPIRY..].copy_from_slice(&tag);
    token
}

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
