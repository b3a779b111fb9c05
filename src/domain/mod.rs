//! What Doorcode does, without a word about HTTP or GraphQL. [`Ctx`] is all that it stands on.

pub mod access;
pub mod audit;
pub mod batch;
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
    ports::{Clock, Entropy, Limiter},
    settings::Settings,
};

/// What a change says of something that may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Edit<T> {
    /// Nothing: it stays.
    #[default]
    Keep,
    /// From now on there is none.
    Clear,
    /// From now on it is this.
    Set(T),
}

/// Gathers what is wrong with an input, so that all of it is told at once.
#[derive(Debug, Default)]
pub struct Check(Vec<Flaw>);

impl Check {
    /// The value, or nothing and a flaw noted.
    pub fn field<T, E: ToString>(&mut self, field: &'static str, value: Result<T, E>) -> Option<T> {
        value.map_err(|error| self.0.push(Flaw { field: field.into(), message: error.to_string() })).ok()
    }

    /// Goes on if nothing was wrong.
    pub fn done(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }

    /// Goes on with a value that must be there if nothing was wrong.
    pub fn finish<T>(self, value: Option<T>) -> Result<T> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.0)),
        }
    }
}

/// A refusal by a limit that the person can wait out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// Now, by the clock that decided.
    pub now: DateTime<Utc>,
    /// The moment after which the same call is admitted.
    pub retry_at: DateTime<Utc>,
}

/// What the domain stands on: one of it a process, shared by every request.
pub struct Ctx {
    /// The settings, read once.
    pub settings: Settings,
    /// The database.
    pub db: Db,
    /// The only clock.
    pub clock: Arc<dyn Clock>,
    /// The only randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The limiter that all replicas share.
    pub limiter: Arc<dyn Limiter>,
    /// A limiter of this process alone: for volume of calls, and where the shared one is away.
    pub local_limiter: Arc<dyn Limiter>,
    /// The server secret at work.
    pub vault: vault::Vault,
    /// The keys of access tokens.
    pub keyring: token::Keyring,
    /// Where committed events are told.
    pub live: live::Live,
    /// What is counted, for whoever watches.
    pub metrics: Metrics,
    /// What was refused lately, and is to be counted.
    pub refusals: audit::refusals::Refusals,
    /// Wakes the delivery loop.
    pub outbox_filled: Notify,
    /// Time and counter of the latest id.
    pub last_tick: AtomicU64,
    /// The development inbox, where there is one.
    pub inbox: Option<Arc<mail::inbox::Inbox>>,
}

impl Ctx {
    /// Now.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A UUID v7 of this moment. Ids of one process go up even within a millisecond, and when the clock is set back: the
    /// twelve bits after the time are a counter, the rest is random.
    pub fn new_id(&self, now: DateTime<Utc>) -> Uuid {
        let tick = u64::try_from(now.timestamp_millis()).unwrap_or_default() << COUNTER_BITS;
        let next = |last: u64| Some(tick.max(last + 1));
        let last = self.last_tick.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or_default();
        let tick = tick.max(last + 1);
        let mut tail = vault::random::<10>(&*self.entropy);
        // The builder takes the low twelve bits of the first two bytes.
        [tail[0], tail[1]] = [(tick >> 8).to_be_bytes()[7], tick.to_be_bytes()[7]];
        uuid::Builder::from_unix_timestamp_millis(tick >> COUNTER_BITS, &tail).into_uuid()
    }
}

/// How many ids of one millisecond are told apart by their order; more of them borrow from the next one.
const COUNTER_BITS: u32 = 12;

/// Whether the database has the schema that this program was built for.
pub async fn schema_is_current(ctx: &Ctx) -> Result<bool> {
    crate::db::migrate::is_current(&ctx.db).await
}
