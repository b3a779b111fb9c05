//! Fictional users for development. The same seed creates the same users, with the same ids, names, addresses, sign-ins
//! and events, on any machine and day. Only expiry of sessions and deletion dates depend on the current time. Refused
//! in production.

mod names;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;
use uuid::Uuid;

use super::{
    domain::{Ctx, audit::Kind, user},
    email_address::EmailAddress,
    error::{Error, Result},
};
use crate::{
    db::{
        self,
        digest::Digest,
        entity::{Method, Role, UserStatus, audit_events, authentications, sessions, users},
    },
    settings::Mode,
};

/// Users per insert statement. Their 2,000 events have 22,000 values; the limit is 32,766 on SQLite and 65,535 on
/// PostgreSQL.
const ROWS: usize = 1_000;
const BATCH: u64 = 20_000;
/// Latest creation date: 2026-11-01.
const END: i64 = 1_793_491_200;
/// Period in which accounts are created.
const SPAN: TimeDelta = TimeDelta::days(3 * 365);

/// Creates users, and reports their number after each transaction.
///
/// # Errors
/// In production, or if users of this seed exist.
pub async fn seed(ctx: &Ctx, count: u64, seed: u64, mut progress: impl FnMut(u64)) -> Result<()> {
    if ctx.settings.mode == Mode::Production {
        return Err(Error::invalid("DOORCODE_MODE", "fictional users can be created in development only"));
    }
    let first = Random::new(seed, 0).user(seed, 0).email;
    let first = EmailAddress::parse(&first).map_err(|error| Error::Internal(error.to_string()))?;
    match user::id_of(ctx, &first).await {
        Err(Error::NotFound) => {}
        Err(error) => return Err(error),
        Ok(_) => {
            let message = format!("users of this seed already exist, such as {}: use another seed", first.as_str());
            return Err(Error::invalid("--seed", message));
        }
    }
    if ctx.db.backend() == DbBackend::Sqlite {
        // Inserts touch all index pages. A large cache avoids reading them again and again.
        ctx.db.write().execute_unprepared("PRAGMA cache_size = -500000").await?;
    }
    let now = ctx.now();
    let mut created = 0;
    while created < count {
        let end = count.min(created + BATCH);
        let tx = ctx.db.begin().await?;
        let mut rows = Rows::default();
        for index in created..end {
            rows.add(seed, index, now);
            if rows.users.len() == ROWS || index + 1 == end {
                std::mem::take(&mut rows).write(&tx).await?;
            }
        }
        tx.commit().await?;
        created = end;
        progress(created);
    }
    Ok(())
}

/// Rows to be inserted.
#[derive(Default)]
struct Rows {
    users: Vec<users::Model>,
    sessions: Vec<sessions::Model>,
    proofs: Vec<authentications::Model>,
    events: Vec<audit_events::Model>,
}

impl Rows {
    fn add(&mut self, seed: u64, index: u64, now: DateTime<Utc>) {
        let mut random = Random::new(seed, index);
        let mut user = random.user(seed, index);
        if user.status == UserStatus::Deleted {
            user.deleted_at = Some(now.max(user.created_at));
        }
        if let Some(at) = user.last_sign_in_at.filter(|_| random.percent() < 60) {
            let session = random.session(&user, at, now);
            let proof_id = random.id(at);
            self.proofs.push(authentications::Model {
                proof_id,
                session_id: session.id,
                method: Method::EmailCode,
                at,
            });
            self.sessions.push(session);
        }
        if random.percent() < 70 {
            self.events.push(random.event(&user, Kind::SignedUp, user.created_at));
            let at = user.last_sign_in_at.unwrap_or(user.updated_at);
            self.events.push(random.event(&user, Kind::SignedIn, at));
        }
        self.users.push(user);
    }

    async fn write(self, db: &impl ConnectionTrait) -> Result<()> {
        db::insert_all(db, self.users).await?;
        db::insert_all(db, self.sessions).await?;
        db::insert_all(db, self.proofs).await?;
        db::insert_all(db, self.events).await
    }
}

/// Deterministic random numbers for one user of a seed. Not for secrets.
struct Random(u64);

impl Random {
    fn new(seed: u64, index: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index));
        // Spreads the states of neighbouring indexes.
        random.0 = random.draw();
        random
    }

    /// `SplitMix64`.
    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.draw() % end.max(1)
    }

    fn percent(&mut self) -> u64 {
        self.below(100)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let index = self.below(all.len() as u64);
        &all[usize::try_from(index).unwrap_or_default()]
    }

    fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.draw()) << 64 | u128::from(self.draw())).to_be_bytes()
    }

    fn id(&mut self, at: DateTime<Utc>) -> Uuid {
        let mut tail = [0; 10];
        tail.copy_from_slice(&self.bytes()[..10]);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or_default(), &tail)
            .into_uuid()
    }

    fn between(&mut self, start: DateTime<Utc>, end: DateTime<Utc>) -> DateTime<Utc> {
        let span = u64::try_from((end - start).num_microseconds().unwrap_or_default()).unwrap_or_default();
        start + TimeDelta::microseconds(i64::try_from(self.below(span)).unwrap_or_default())
    }

    fn user(&mut self, seed: u64, index: u64) -> users::Model {
        let end = DateTime::from_timestamp(END, 0).unwrap_or_default();
        let created_at = self.between(end - SPAN, end);
        let (given, given_ascii) = self.one_of(&names::GIVEN);
        let (family, family_ascii) = self.one_of(&names::FAMILY);
        let domain = self.one_of(&["example.com", "example.org", "example.net"]);
        let name = (self.percent() < 90).then(|| format!("{given} {family}"));
        let last_sign_in_at = (self.percent() < 85).then(|| self.between(created_at, end));
        let role = match self.below(1_000) {
            0 => Role::Admin,
            1..10 => Role::Manager,
            10..100 => Role::Guest,
            _ => Role::User,
        };
        let status = match self.percent() {
            0 => UserStatus::Deleted,
            1..5 => UserStatus::Suspended,
            _ => UserStatus::Active,
        };
        users::Model {
            id: self.id(created_at),
            email: format!("{given_ascii}.{family_ascii}.{seed}-{index}@{domain}"),
            name_key: name.as_deref().map(user::name::key).unwrap_or_default(),
            name,
            role,
            status,
            created_at,
            updated_at: created_at,
            last_sign_in_at,
            version: 1,
            locale: self.one_of(&[None, Some("en"), Some("de"), Some("fr"), Some("es"), Some("ja")]).map(Into::into),
            deleted_at: None,
            external_id: None,
        }
    }

    /// A session whose token is unknown to everyone.
    fn session(&mut self, user: &users::Model, at: DateTime<Utc>, now: DateTime<Utc>) -> sessions::Model {
        let expires_at = now.max(at) + TimeDelta::days(30);
        sessions::Model {
            id: self.id(at),
            user_id: user.id,
            device_id: None,
            created_at: at,
            last_seen_at: at,
            idle_expires_at: expires_at,
            expires_at,
            ended_at: None,
            end_reason: None,
            user_agent: Some(self.one_of(&["Firefox/140.0", "Chrome/140.0", "Safari/19.0"]).to_string()),
            ip_address: Some(self.address()),
            refresh_hash: Digest::new([self.bytes(), self.bytes()].concat()),
            previous_hash: None,
            rotated_at: None,
            successor: None,
            remembered: true,
            client_id: None,
            disowned_at: None,
            parent_id: None,
        }
    }

    fn event(&mut self, user: &users::Model, kind: Kind, at: DateTime<Utc>) -> audit_events::Model {
        audit_events::Model {
            id: self.id(at),
            at,
            kind: kind.as_str().into(),
            actor_id: Some(user.id),
            subject_id: Some(user.id),
            ip_address: Some(self.address()),
            network: Some("198.51.100.0/24".to_owned()),
            session_id: None,
            user_agent: None,
            request_id: None,
            detail: json!({ "seeded": true }),
            count: 1,
            refusal_key: None,
        }
    }

    /// An IP address reserved for documentation.
    fn address(&mut self) -> String {
        format!("198.51.100.{}", self.below(256))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::domain::user::name::Name;

    #[test]
    fn a_seed_always_creates_the_same_valid_users() {
        let users = |seed| (0..2_000).map(move |index| Random::new(seed, index).user(seed, index));
        let emails: HashSet<_> = users(1).chain(users(2)).map(|user| user.email).collect();
        assert_eq!(emails.len(), 4_000);
        let ids: HashSet<_> = users(1).chain(users(2)).map(|user| user.id).collect();
        assert_eq!(ids.len(), 4_000);
        for (user, again) in users(1).zip(users(1)) {
            assert_eq!(user, again);
            assert_eq!(EmailAddress::parse(&user.email).unwrap().as_str(), user.email);
            let name = user.name.as_deref().map(|name| Name::parse(name).unwrap());
            assert_eq!(name.as_ref().map(Name::as_str), user.name.as_deref());
            assert_eq!(name.map(|name| name.key()).unwrap_or_default(), user.name_key);
            assert_eq!(user.id.get_version_num(), 7);
            let (seconds, nanos) = user.id.get_timestamp().unwrap().to_unix();
            let millis = seconds * 1_000 + u64::from(nanos) / 1_000_000;
            assert_eq!(u64::try_from(user.created_at.timestamp_millis()).unwrap(), millis);
            assert!(user.last_sign_in_at.is_none_or(|at| at >= user.created_at));
        }
        assert_eq!(
            Random::new(1, 0).user(1, 0).email,
            "sebnem.ivanova.1-0@example.net",
            "users of a seed must not change"
        );
    }
}
