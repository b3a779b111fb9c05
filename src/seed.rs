//! People who do not exist, in any number, for trying things out: the same number makes the same people, with the same
//! ids, names, addresses, sign-ins and events, on any machine and any day. Only what must not be over yet, sessions and
//! deletions, counts from today. Nobody can sign in as one of them unless mail for their addresses arrives somewhere.
//! Never in production.

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
        entity::{Role, UserStatus, audit_events, sessions, users},
    },
    settings::Mode,
};

/// People whose rows go into three statements together. Of two thousand events the values are 22,000; SQLite takes
/// 32,766 in a statement, PostgreSQL 65,535.
const ROWS: usize = 1_000;
/// People in a transaction.
const BATCH: u64 = 20_000;
/// When the last of them came: the first of November 2026.
const END: i64 = 1_793_491_200;
/// The first came so much earlier.
const SPAN: TimeDelta = TimeDelta::days(3 * 365);

/// Makes people, and tells from time to time how many there are.
pub async fn seed(ctx: &Ctx, people: u64, number: u64, mut progress: impl FnMut(u64)) -> Result<()> {
    if ctx.settings.mode == Mode::Production {
        return Err(Error::invalid("DOORCODE_MODE", "people who do not exist are made in development only"));
    }
    let first = Chance::of(number, 0).person(number, 0).email;
    let first = EmailAddress::parse(&first).map_err(|error| Error::Internal(error.to_string()))?;
    match user::id_of(ctx, &first).await {
        Err(Error::NotFound) => {}
        Err(error) => return Err(error),
        Ok(_) => {
            let message = format!("these people are there already, such as {}: take another number", first.as_str());
            return Err(Error::invalid("--seed", message));
        }
    }
    if ctx.db.backend() == DbBackend::Sqlite {
        // Rows go all over the indexes: with the two megabytes that do for a server, pages would be read again and again.
        ctx.db.write().execute_unprepared("PRAGMA cache_size = -500000").await?;
    }
    let now = ctx.now();
    let mut made = 0;
    while made < people {
        let end = people.min(made + BATCH);
        let tx = ctx.db.begin().await?;
        let mut rows = Rows::default();
        for index in made..end {
            rows.add(number, index, now);
            if rows.users.len() == ROWS || index + 1 == end {
                std::mem::take(&mut rows).write(&tx).await?;
            }
        }
        tx.commit().await?;
        made = end;
        progress(made);
    }
    Ok(())
}

/// Rows about to be written.
#[derive(Default)]
struct Rows {
    users: Vec<users::Model>,
    sessions: Vec<sessions::Model>,
    events: Vec<audit_events::Model>,
}

impl Rows {
    fn add(&mut self, number: u64, index: u64, now: DateTime<Utc>) {
        let mut chance = Chance::of(number, index);
        let mut person = chance.person(number, index);
        if person.status == UserStatus::Deleted {
            person.deleted_at = Some(now.max(person.created_at));
        }
        if let Some(at) = person.last_sign_in_at.filter(|_| chance.percent() < 60) {
            self.sessions.push(chance.session(&person, at, now));
        }
        if chance.percent() < 70 {
            self.events.push(chance.event(&person, Kind::SignedUp, person.created_at));
            let at = person.last_sign_in_at.unwrap_or(person.updated_at);
            self.events.push(chance.event(&person, Kind::SignedIn, at));
        }
        self.users.push(person);
    }

    async fn write(self, db: &impl ConnectionTrait) -> Result<()> {
        db::insert_all(db, self.users).await?;
        db::insert_all(db, self.sessions).await?;
        db::insert_all(db, self.events).await
    }
}

/// Chance that can be repeated: a number and a person always draw the same. Good for variety, and for nothing secret.
struct Chance(u64);

impl Chance {
    fn of(number: u64, index: u64) -> Self {
        let mut chance = Self(number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(index));
        // Neighbours begin next to each other, and are far apart after a draw.
        chance.0 = chance.draw();
        chance
    }

    /// By `SplitMix64`.
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

    /// A UUID v7 of a moment.
    fn id(&mut self, at: DateTime<Utc>) -> Uuid {
        let mut tail = [0; 10];
        tail.copy_from_slice(&self.bytes()[..10]);
        uuid::Builder::from_unix_timestamp_millis(u64::try_from(at.timestamp_millis()).unwrap_or_default(), &tail)
            .into_uuid()
    }

    /// Some moment between two.
    fn between(&mut self, start: DateTime<Utc>, end: DateTime<Utc>) -> DateTime<Utc> {
        let span = u64::try_from((end - start).num_microseconds().unwrap_or_default()).unwrap_or_default();
        start + TimeDelta::microseconds(i64::try_from(self.below(span)).unwrap_or_default())
    }

    fn person(&mut self, number: u64, index: u64) -> users::Model {
        let end = DateTime::from_timestamp(END, 0).unwrap_or_default();
        let created_at = self.between(end - SPAN, end);
        let (given, word) = self.one_of(&names::GIVEN);
        let (family, other_word) = self.one_of(&names::FAMILY);
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
            email: format!("{word}.{other_word}.{number}-{index}@{domain}"),
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
        }
    }

    /// A session that nobody has a token of.
    fn session(&mut self, person: &users::Model, at: DateTime<Utc>, now: DateTime<Utc>) -> sessions::Model {
        let expires_at = now.max(at) + TimeDelta::days(30);
        sessions::Model {
            id: self.id(at),
            user_id: person.id,
            device_id: None,
            credential_id: self.id(at),
            method: "otp".into(),
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
        }
    }

    fn event(&mut self, person: &users::Model, kind: Kind, at: DateTime<Utc>) -> audit_events::Model {
        audit_events::Model {
            id: self.id(at),
            at,
            kind: kind.as_str().into(),
            actor_id: Some(person.id),
            subject_id: Some(person.id),
            ip_address: Some(self.address()),
            user_agent: None,
            request_id: None,
            detail: json!({ "seeded": true }),
            count: 1,
            refusal_key: None,
        }
    }

    /// One of the addresses that are for examples.
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
    fn a_number_always_makes_the_same_people_with_addresses_and_names_as_people_have() {
        let people = |number| (0..2_000).map(move |index| Chance::of(number, index).person(number, index));
        let emails: HashSet<_> = people(1).chain(people(2)).map(|person| person.email).collect();
        assert_eq!(emails.len(), 4_000);
        let ids: HashSet<_> = people(1).chain(people(2)).map(|person| person.id).collect();
        assert_eq!(ids.len(), 4_000);
        for (person, again) in people(1).zip(people(1)) {
            assert_eq!(person, again);
            assert_eq!(EmailAddress::parse(&person.email).unwrap().as_str(), person.email);
            let name = person.name.as_deref().map(|name| Name::parse(name).unwrap());
            assert_eq!(name.as_ref().map(Name::as_str), person.name.as_deref());
            assert_eq!(name.map(|name| name.key()).unwrap_or_default(), person.name_key);
            assert_eq!(person.id.get_version_num(), 7);
            let (seconds, nanos) = person.id.get_timestamp().unwrap().to_unix();
            let millis = seconds * 1_000 + u64::from(nanos) / 1_000_000;
            assert_eq!(u64::try_from(person.created_at.timestamp_millis()).unwrap(), millis);
            assert!(person.last_sign_in_at.is_none_or(|at| at >= person.created_at));
        }
        assert_eq!(
            Chance::of(1, 0).person(1, 0).email,
            "sebnem.ivanova.1-0@example.net",
            "pinned, so that nobody's people change by chance"
        );
    }
}
