//! The business logic of Doorcode, independent of HTTP and GraphQL. [`Ctx`] holds everything it depends on.

pub mod access;
pub mod audit;
pub mod batch;
pub mod client;
pub mod credential;
pub mod device;
pub mod housekeeping;
pub mod keys;
pub mod live;
pub mod mail;
pub mod range_query;
pub mod rate_limit;
pub mod session;
pub mod sign_in;
pub mod token;
pub mod transaction;
pub mod user;
pub mod vault;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{
    db::Db,
    error::{Error, Flaw, Result},
    observability::metrics::Metrics,
    ports::{Cache, Clock, Entropy, Limiter},
    settings::Settings,
};

/// A change to an optional field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// Leave the field as it is.
    #[default]
    Keep,
    /// Remove the value.
    Clear,
    /// Set the value.
    Set(T),
}

/// Collects validation errors so that the caller gets all of them at once.
#[derive(Debug, Default)]
pub struct Check(Vec<Flaw>);

impl Check {
    /// Returns the value, or records the error for `field` and returns `None`.
    pub fn field<T, E: ToString>(&mut self, field: &'static str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.0.push(Flaw { field: field.into(), message: error.to_string() })).ok()
    }

    /// Fails with [`Error::Invalid`] if any error was recorded.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// Returns `value`, or fails with [`Error::Invalid`] if it is missing or any error was recorded.
    pub fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.0)),
        }
    }
}

/// A refusal by a rate limit; the same call can succeed later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Current time on the clock that decided.
    pub now: DateTime<Utc>,
    /// Earliest time at which the same call is admitted.
    pub retry_at: DateTime<Utc>,
}

/// The dependencies of the domain: one instance per process, shared by every request.
pub struct Ctx {
    /// The settings, read once at startup.
    pub settings: Settings,
    /// The database.
    pub db: Db,
    /// Reads the sessions of requests.
    pub sessions: session::reader::Reader,
    /// The only source of time.
    pub clock: Arc<dyn Clock>,
    /// The only source of randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The rate limiter that all replicas share.
    pub limiter: Arc<dyn Limiter>,
    /// The in-process rate limiter: for request volume, and as a fallback when the shared limiter is unavailable.
    pub local_limiter: Arc<dyn Limiter>,
    /// A cache for an application. Doorcode does not use it.
    pub cache: Arc<dyn Cache>,
    /// Hashing and encryption with the server secret.
    pub vault: vault::Vault,
    /// The scopes that an application adds for API keys.
    pub grants: &'static [access::Grant],
    /// Hashes passwords, a few at a time.
    pub hasher: credential::password::hasher::Hasher,
    /// The operator's list of breached passwords.
    pub breached: Option<Arc<credential::password::policy::breached::BreachedPasswords>>,
    /// The signing keys of access tokens.
    pub keyring: token::Keyring,
    /// Publishes committed events to subscribers.
    pub live: live::Live,
    /// The metrics.
    pub metrics: Metrics,
    /// Recent refusals whose counts still have to be written to the audit trail.
    pub refusals: audit::refusals::Refusals,
    /// Wakes the mail delivery loop.
    pub outbox_filled: Notify,
    /// Timestamp and counter of the latest id.
    pub last_tick: AtomicU64,
    /// The inbox that replaces a mail server in development.
    pub inbox: Option<Arc<mail::inbox::Inbox>>,
}

impl Ctx {
    /// The current time.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Creates a UUID v7. Ids from one process always increase, even within a millisecond and when the clock is set
    /// back: a 12-bit counter follows the timestamp, and the rest is random.
    pub fn new_id(&self, now: DateTime<Utc>) -> Uuid {
        let tick = u64::try_from(now.timestamp_millis()).unwrap_or_default() << COUNTER_BITS;
        let next = |last: u64| Some(tick.max(last + 1));
        let last = self.last_tick.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        let tick = tick.max(last + 1);
        let mut tail = vault::random::<10>(&*self.entropy);
        // The builder uses only the low 12 bits of the first two bytes.
        [tail[0], tail[1]] = [(tick >> 8).to_be_bytes()[7], tick.to_be_bytes()[7]];
        uuid::Builder::from_unix_timestamp_millis(tick >> COUNTER_BITS, &tail).into_uuid()
    }
}

/// Width of the id counter: 4,096 ordered ids per millisecond. Further ids borrow from the next millisecond.
const COUNTER_BITS: u32 = 12;

/// Whether the database schema is the version this program was built for.
pub async fn schema_is_current(ctx: &Ctx) -> Result<bool> {
    crate::db::migrate::is_current(&ctx.db).await
}
