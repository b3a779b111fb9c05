//! Traits for what differs between tests, development and production: clock, randomness, limiter, mail transport,
//! the bus between replicas and the cache of an application. `adapter` implements these traits, and `app` chooses the implementations.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

/// The only source of the current time.
pub trait Clock: Send + Sync {
    /// The current time in UTC, truncated to microseconds, the precision of both databases.
    fn now(&self) -> DateTime<Utc>;
}

/// The only source of randomness. The production implementation is cryptographically secure.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// One unit charged to one rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Name of the rule, such as `send.pair`. The limiter counts each pair of rule and key separately.
    pub rule: &'static str,
    /// Who is charged: a network, an ID, or the keyed hash of an email address. Never a plain email address.
    pub key: String,
    /// Maximum number of units in the window.
    pub limit: u32,
    /// Length of the sliding window.
    pub window: Duration,
    /// After a unit is admitted, the next refusal lasts at least this long.
    pub cooldown: Option<Duration>,
    /// Whether the limiter counts the unit. If false, the limiter only checks whether a unit is available.
    pub counts: bool,
}

/// Result of one limiter call, over all of its charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every charge was admitted.
    Admitted {
        /// Bit `i` is set if charge `i` used the last unit of its limit. Never set for a charge that does not count.
        last: u32,
    },
    /// At least one rule refused, and no unit was counted.
    Refused {
        /// Index of the refused charge with the latest retry time.
        charge: usize,
        /// When the same call would be admitted, unless another call uses the unit first.
        retry_at: DateTime<Utc>,
    },
}

/// The limiter did not respond or failed. Callers must refuse the request.
#[derive(Debug, thiserror::Error)]
#[error("the limiter is unavailable: {0}")]
pub struct LimiterUnavailable(pub String);

/// Counts units per key in sliding windows. Each key is updated atomically. A call with several keys may not be atomic
/// as a whole.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Counts one unit for every charge with `counts`. If any charge is refused, no unit is counted. A remote limiter
    /// makes one round trip, or two if a charge is refused. `now` comes from the caller's clock.
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable>;

    /// Checks that the limiter responds, for the readiness endpoint.
    async fn ping(&self) -> Result<(), LimiterUnavailable>;
}

/// An email ready to be sent.
#[derive(Clone)]
pub struct Mail {
    /// ID of the outbox row. It is also the local part of the Message-ID.
    pub id: uuid::Uuid,
    /// Recipient's email address, in canonical form.
    pub to: String,
    /// Subject line, from a template.
    pub subject: String,
    /// Plain-text part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// The PNG image that the HTML part shows as [`Mail::LOGO`]. It is part of the email.
    pub logo: Option<Bytes>,
    /// The code in the email, for the development inbox only.
    pub code: Option<String>,
}

impl Mail {
    /// The name (`Content-ID`) of the logo in an email.
    pub const LOGO: &str = "logo@doorcode";
}

/// Why an email was not sent.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFailure {
    /// Retrying may help: the connection was refused, the server timed out, or it replied with a temporary error.
    #[error("temporary: {0}")]
    Temporary(String),
    /// Retrying cannot help: the server rejected this email or its recipient.
    #[error("permanent: {0}")]
    Permanent(String),
}

/// Sends email.
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Sends one email. `Ok` means that the next hop has accepted it.
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure>;

    /// Rehearses a delivery: simulates `deliver` without sending, for a decoy (an outbox row whose recipient must not
    /// get an email). A rehearsal takes as long as a recent delivery to the same domain and returns the same result.
    /// The random number `draw` selects which delivery to imitate.
    async fn rehearse(&self, mail: &Mail, draw: u64) -> Result<(), DeliveryFailure>;
}

/// A message from the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusMessage {
    /// A message published by any replica, including this one.
    Message(Bytes),
    /// Messages before this point may be missing: the connection was lost, or this subscriber was too slow.
    Gap,
}

/// A message could not be published to the other replicas.
#[derive(Debug, thiserror::Error)]
#[error("the bus is unavailable: {0}")]
pub struct BusUnavailable(pub String);

/// Publishes short messages to all replicas. A disconnected replica misses messages, and a retry can deliver a message
/// twice.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes a message and returns within two seconds. Subscribers in this process receive the message even if
    /// publishing it to other replicas fails.
    async fn publish(&self, message: Bytes) -> Result<(), BusUnavailable>;

    /// Returns all messages from now on. The stream ends only when the bus is dropped.
    fn subscribe(&self) -> BoxStream<'static, BusMessage>;
}

/// A cache for an application: values of a few kilobytes under keys that it chooses. Replicas with `REDIS_URL` share the
/// entries, so that removing one removes it for all. A call takes 100 ms at most, and never fails: while Redis is away,
/// nothing is found and nothing is kept, and a removal can be lost. So cache what cannot change, or compare a cached value
/// with the database in the statement that relies on it.
#[async_trait]
pub trait Cache: Send + Sync {
    /// The value, unless it expired or was removed.
    async fn get(&self, key: &str) -> Option<Bytes>;

    /// Keeps a value for at most this time. Values above 512 KiB may be ignored.
    async fn set(&self, key: &str, value: Bytes, ttl: Duration);

    /// Removes a value.
    async fn remove(&self, key: &str);
}
