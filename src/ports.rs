//! Traits for what differs between tests, development and production: clock, randomness, limiter, mail transport and
//! the bus between replicas. `adapter` implements them, and `app` chooses.

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

/// The only source of randomness. Cryptographically secure in production.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// One unit charged to one rate limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// Name of the rule, such as `send.pair`. Part of the key.
    pub rule: &'static str,
    /// Who is charged: a keyed hash or a network, never a plain address.
    pub key: String,
    /// Maximum number of units in the window.
    pub limit: u32,
    /// The sliding window.
    pub window: Duration,
    /// Minimum duration of the first refusal after an admission.
    pub cooldown: Option<Duration>,
    /// Whether the unit is counted. Otherwise the limit is only checked.
    pub counts: bool,
}

/// Result of a set of charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every charge was admitted.
    Admitted {
        /// Bit `i` is set if charge `i` used the last unit of its limit. Never set for a charge that does not count.
        last: u32,
    },
    /// At least one rule refused, and no unit was counted.
    Refused {
        /// Index of the charge that refuses for the longest time.
        charge: usize,
        /// When the same call would be admitted, unless other calls come first.
        retry_at: DateTime<Utc>,
    },
}

/// The limiter does not answer. Callers must refuse the request.
#[derive(Debug, thiserror::Error)]
#[error("the limiter is unavailable: {0}")]
pub struct LimiterUnavailable(pub String);

/// Counts units per key in sliding windows. Atomic per key.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Counts one unit for every charge that counts, or for none. Takes one round trip, or two if a charge is refused.
    /// `now` comes from the caller's clock.
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable>;

    /// Whether the limiter answers, for readiness.
    async fn ping(&self) -> Result<(), LimiterUnavailable>;
}

/// An email ready to be sent.
#[derive(Clone)]
pub struct Mail {
    /// Id of the outbox row, and the left part of the Message-ID.
    pub id: uuid::Uuid,
    /// Canonical recipient.
    pub to: String,
    /// Subject line, from a template.
    pub subject: String,
    /// Plain-text part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// The code in the email, for the development inbox only.
    pub code: Option<String>,
}

/// Why an email was not sent.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFailure {
    /// Can be retried: refused connection, timeout or a 4xx reply.
    #[error("temporary: {0}")]
    Temporary(String),
    /// Cannot be retried: a 5xx reply to this email.
    #[error("permanent: {0}")]
    Permanent(String),
}

/// Sends email.
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Sends one email. `Ok` means that the next hop has accepted it.
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure>;

    /// Simulates `deliver` without sending: takes as long as a recent delivery to the same domain, with the same
    /// result. The random number `draw` selects that delivery.
    async fn rehearse(&self, mail: &Mail, draw: u64) -> Result<(), DeliveryFailure>;
}

/// A message from the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusMessage {
    /// A message published by any replica, including this one.
    Message(Bytes),
    /// Messages may be missing, because the connection was lost or this subscriber was too slow.
    Gap,
}

/// The bus cannot reach other replicas.
#[derive(Debug, thiserror::Error)]
#[error("the bus is unavailable: {0}")]
pub struct BusUnavailable(pub String);

/// Publishes short messages to all replicas, at most once each. Keeps nothing for disconnected replicas.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes a message. Subscribers in this process get it even on failure. Returns within two seconds.
    async fn publish(&self, message: Bytes) -> Result<(), BusUnavailable>;

    /// All messages from now on. Ends only with the bus.
    fn subscribe(&self) -> BoxStream<'static, BusMessage>;
}
