//! The five things that differ between a test, a laptop and a fleet, as traits: time, randomness, the limiter, the way
//! a mail leaves and the bus between replicas. Each has at least two real implementations in `adapter`.
//! This file never chooses one; `app.rs` does.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;

/// The only source of the present moment.
pub trait Clock: Send + Sync {
    /// Now, in UTC, truncated to microseconds (what both databases keep).
    fn now(&self) -> DateTime<Utc>;
}

/// The only source of randomness. Every value it gives is unpredictable in production.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);
}

/// One unit taken from one allowance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The rule's name as documented, such as `send.pair`; it is part of the key.
    pub rule: &'static str,
    /// Who is charged. Never an address in clear: callers pass keyed hashes or networks.
    pub key: String,
    /// How many units fit into the window for this caller.
    pub limit: u32,
    /// The sliding window.
    pub window: Duration,
    /// How long the first refusal after an admission keeps the door shut at least.
    pub cooldown: Option<Duration>,
    /// Whether the unit is taken. A charge that only asks is refused like any other and leaves nothing behind.
    pub counts: bool,
}

/// What the limiter says of a set of charges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every charge was taken. `last` tells for each charge, by position as a bit, whether it was the
    /// last unit that its window allows.
    Admitted {
        /// Bit `i` is set when charge `i` left nothing in its allowance; never when it only asked.
        last: u32,
    },
    /// At least one rule refused, and nothing stays taken from any.
    Refused {
        /// Position of the charge that refuses for the longest.
        charge: usize,
        /// One moment after which the same call is admitted, unless others come between.
        retry_at: DateTime<Utc>,
    },
}

/// The limiter cannot be asked. Callers refuse: a limit that cannot be checked is a closed door.
#[derive(Debug, thiserror::Error)]
#[error("the limiter is unavailable: {0}")]
pub struct LimiterUnavailable(pub String);

/// Counts units per key in sliding windows, atomically per key.
#[async_trait]
pub trait Limiter: Send + Sync {
    /// Takes one unit from every charge that counts, or from none. One round trip when all admit, one more to give
    /// back when one refuses. `now` comes from the caller's clock.
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable>;

    /// Whether the limiter answers, for readiness.
    async fn ping(&self) -> Result<(), LimiterUnavailable>;
}

/// A mail ready to leave.
#[derive(Clone)]
pub struct Mail {
    /// The outbox row, which becomes the Message-ID's left part.
    pub id: uuid::Uuid,
    /// Canonical recipient.
    pub to: String,
    /// Subject line, from a template.
    pub subject: String,
    /// Plain-text part.
    pub text: String,
    /// HTML part.
    pub html: String,
    /// The code in the mail, for the development inbox alone.
    pub code: Option<String>,
}

/// Why a mail did not leave.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryFailure {
    /// Worth trying again: refused connection, time-out, a 4xx answer.
    #[error("temporary: {0}")]
    Temporary(String),
    /// Not worth it: a 5xx answer to this very mail.
    #[error("permanent: {0}")]
    Permanent(String),
}

/// Takes a mail to its next hop.
#[async_trait]
pub trait MailTransport: Send + Sync {
    /// Delivers one mail; `Ok` means the next hop has taken responsibility for it.
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure>;

    /// Does the work of `deliver` without sending anything: takes as long, and ends, as a recent delivery to the same
    /// domain did. `draw` is a random number that chooses which one.
    async fn rehearse(&self, mail: &Mail, draw: u64) -> Result<(), DeliveryFailure>;
}

/// What comes over the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusMessage {
    /// A message as somebody published it, this replica included.
    Message(Bytes),
    /// Messages may have been missed here: the way to the other replicas was broken, or this listener too slow.
    Gap,
}

/// The other replicas cannot be told.
#[derive(Debug, thiserror::Error)]
#[error("the bus is unavailable: {0}")]
pub struct BusUnavailable(pub String);

/// Carries short messages to every replica that listens, at most once each. Nothing is kept for those who are away.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Tells everybody. Listeners of this replica have heard it even when this fails. Answers within a second or two.
    async fn publish(&self, message: Bytes) -> Result<(), BusUnavailable>;

    /// What is published from now on. Never ends while the bus lives.
    fn subscribe(&self) -> BoxStream<'static, BusMessage>;
}
