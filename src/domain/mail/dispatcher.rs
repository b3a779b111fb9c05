//! Scheduling of deliveries. Each attempt holds a slot. One recipient domain gets at most a quarter of the slots, so a
//! slow domain cannot block the others. Letters to one address are sent in sequence, because people use the last one
//! that arrives. A decoy holds a slot like any letter: otherwise the arrival of the next mail would reveal it to
//! someone who requested both.
//!
//! A claimed letter whose domain has no free slot waits here. If too many wait, or one waits too long, it is released
//! to the outbox with a later due time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::{
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep},
};

use super::{
    attempt::{Attempted, Claimed, Recipient, jitter},
    outbox,
};
use crate::{domain::Ctx, error::Result, ports::MailTransport};

/// Maximum number of concurrent attempts.
const SLOTS: usize = 32;
/// Maximum number of slots per recipient domain: a quarter.
const SLOTS_OF_DOMAIN: u8 = 8;
/// Maximum number of claimed letters waiting for a slot: in total, and per domain (a quarter).
const WAITING: usize = 64;
const WAITING_OF_DOMAIN: usize = 16;
/// Maximum number of letters per claim or settle statement.
const BATCH: usize = 16;
/// Duration of a claim: longer than a wait plus an attempt, so it expires only if its worker is gone.
const CLAIM: TimeDelta = TimeDelta::seconds(90);
/// Maximum wait of a claimed letter for a slot.
const MAX_WAIT: TimeDelta = TimeDelta::seconds(30);
/// Maximum delay of a released letter.
const MAX_DELAY: TimeDelta = TimeDelta::seconds(60);
/// Lower bound for the estimated duration of an attempt.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(20);
/// Polling interval when no notification arrives.
const POLL_EVERY: Duration = Duration::from_secs(1);
/// Number of failed tries to store outcomes before shutdown gives up. A letter without a stored outcome is sent again.
const LAST_TRIES: u32 = 5;

/// An attempt under way.
struct Slot {
    recipient: Recipient,
    since: Instant,
}

/// The claimed letters of this process.
pub(super) struct Dispatcher {
    ctx: Arc<Ctx>,
    transport: Arc<dyn MailTransport>,
    attempts: JoinSet<Attempted>,
    slots: HashMap<Id, Slot>,
    /// Oldest first.
    waiting: VecDeque<Claimed>,
    /// Outcomes not stored yet.
    unsettled: Vec<Attempted>,
    /// Per domain: when the last released letter is due again.
    due_again: HashMap<String, DateTime<Utc>>,
    /// Whether the outbox may hold due letters.
    may_have_due: bool,
    polled_at: Instant,
}

impl Dispatcher {
    pub(super) fn new(ctx: Arc<Ctx>, transport: Arc<dyn MailTransport>) -> Self {
        Self {
            ctx,
            transport,
            attempts: JoinSet::new(),
            slots: HashMap::new(),
            waiting: VecDeque::new(),
            unsettled: Vec::new(),
            due_again: HashMap::new(),
            may_have_due: true,
            polled_at: Instant::now(),
        }
    }

    /// Notes that letters may be due.
    pub(super) fn wake(&mut self) {
        self.may_have_due = true;
    }

    /// When to poll the outbox next.
    pub(super) fn next_poll(&self) -> Instant {
        self.polled_at + POLL_EVERY
    }

    /// Stores outcomes, fills slots and claims letters. Returns whether there may be more to do now. A failed step is
    /// retried at the next poll.
    pub(super) async fn work(&mut self) -> bool {
        // First: an outcome that is not stored leads to a second delivery when the claim expires.
        if let Err(error) = self.settle().await {
            tracing::warn!(%error, "cannot store the outcome of mails");
            self.polled_at = Instant::now();
            return false;
        }
        self.fill();
        if self.unsettled.is_empty() && self.may_have_due && self.slots.len() < SLOTS {
            if let Err(error) = self.claim().await {
                tracing::warn!(%error, "cannot read the outbox");
                self.may_have_due = false;
            }
            self.fill();
        }
        !self.unsettled.is_empty() || (self.may_have_due && self.slots.len() < SLOTS)
    }

    /// Waits until an attempt ends; forever if there is none.
    pub(super) async fn attempt_ended(&mut self) {
        match self.attempts.join_next_with_id().await {
            Some(ended) => self.free(ended),
            None => std::future::pending().await,
        }
    }

    /// Claims due letters: some more than there are free slots, so that the next free slot needs no statement.
    pub(super) async fn claim(&mut self) -> Result<u64> {
        let now = self.ctx.now();
        self.polled_at = Instant::now();
        let room = (SLOTS - self.slots.len()) + WAITING.saturating_sub(self.waiting.len());
        let most = room.min(BATCH);
        let limit = i64::try_from(most).unwrap_or_default();
        let rows = outbox::claim(&self.ctx, limit, now, now + CLAIM).await?;
        self.may_have_due = rows.len() == most;
        let taken = rows.len() as u64;
        self.waiting.extend(rows.into_iter().map(|row| Claimed::open(&self.ctx, row)));
        Ok(taken)
    }

    /// Shuts down: releases waiting letters and finishes attempts under way.
    pub(super) async fn stop(mut self) {
        for letter in std::mem::take(&mut self.waiting) {
            let due = letter.row.next_attempt_at;
            self.unsettled.push(letter.release(due));
        }
        self.finish().await;
    }

    /// Runs until no letter waits and no attempt is under way.
    pub(super) async fn finish(&mut self) {
        let mut failures = 0;
        loop {
            match self.settle().await {
                Ok(()) => self.fill(),
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "cannot store the outcome of mails");
                }
            }
            if !self.attempts.is_empty() {
                self.attempt_ended().await;
            } else if self.unsettled.is_empty() {
                return;
            } else if failures >= LAST_TRIES {
                let letters = self.unsettled.len();
                return tracing::error!(letters, "gave up storing the outcome of mails: they may be sent again");
            } else {
                sleep(Duration::from_millis(200) * failures).await;
            }
        }
    }

    /// Frees the slot of an ended attempt.
    fn free(&mut self, ended: Result<(Id, Attempted), JoinError>) {
        let id = match ended {
            Ok((id, attempted)) => {
                self.unsettled.push(attempted);
                id
            }
            Err(error) => {
                tracing::error!("mail delivery panicked; it will be retried when its claim expires");
                error.id()
            }
        };
        let Some(Slot { recipient: Recipient { domain, .. }, .. }) = self.slots.remove(&id) else { return };
        // Released letters of this domain can be sent before the next poll.
        let now = self.ctx.now();
        let has_released = self.due_again.get(&domain).is_some_and(|last| *last > now);
        self.may_have_due |= has_released && self.waiting_for(&domain) == 0;
    }

    /// Stores outcomes in batches, including those of attempts that have just ended.
    async fn settle(&mut self) -> Result<()> {
        while let Some(ended) = self.attempts.try_join_next_with_id() {
            self.free(ended);
        }
        while !self.unsettled.is_empty() {
            let batch = self.unsettled.len().min(BATCH);
            let letters = self.unsettled.iter().take(batch);
            outbox::settle(&self.ctx, letters.map(|letter| (&letter.row, &letter.outcome))).await?;
            for letter in self.unsettled.drain(..batch) {
                letter.report(&self.ctx);
            }
        }
        Ok(())
    }

    /// Starts waiting letters in free slots, and releases those that waited too long or exceed the limits.
    fn fill(&mut self) {
        while self.slots.len() < SLOTS {
            let next = self.waiting.iter().position(|letter| self.can_start(&letter.recipient));
            let Some(letter) = next.and_then(|next| self.waiting.remove(next)) else { break };
            self.start(letter);
        }
        let now = self.ctx.now();
        for letter in std::mem::take(&mut self.waiting) {
            let left = letter.row.claimed_until.map_or(TimeDelta::zero(), |until| until - now);
            let has_time = left > CLAIM - MAX_WAIT;
            let has_room =
                self.waiting.len() < WAITING && self.waiting_for(&letter.recipient.domain) < WAITING_OF_DOMAIN;
            if has_time && has_room {
                self.waiting.push_back(letter);
            } else {
                let turn = self.next_due(&letter.recipient.domain, now);
                self.unsettled.push(letter.release(turn));
            }
        }
    }

    fn start(&mut self, letter: Claimed) {
        let slot = Slot { recipient: letter.recipient.clone(), since: Instant::now() };
        let (ctx, transport) = (Arc::clone(&self.ctx), Arc::clone(&self.transport));
        let attempt = self.attempts.spawn(async move { letter.attempt(&ctx, &*transport).await });
        self.slots.insert(attempt.id(), slot);
    }

    /// Whether a letter to this recipient may start now.
    fn can_start(&self, wanted: &Recipient) -> bool {
        let of_domain = self.slots.values().filter(|slot| slot.recipient.domain == wanted.domain);
        let mut of_address = of_domain.clone().filter(|slot| slot.recipient.address == wanted.address);
        of_domain.count() < usize::from(SLOTS_OF_DOMAIN) && of_address.next().is_none()
    }

    fn waiting_for(&self, domain: &str) -> usize {
        self.waiting.iter().filter(|letter| letter.recipient.domain == domain).count()
    }

    /// When a released letter is due again: after the letters before it, at the domain's current speed. If that is too
    /// early, it costs one statement.
    fn next_due(&mut self, domain: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let slots = self.slots.values().filter(|slot| slot.recipient.domain == domain);
        let attempt = slots.map(|slot| slot.since.elapsed()).max().unwrap_or_default().max(SHORTEST_ATTEMPT);
        let step = TimeDelta::from_std(attempt).unwrap_or(MAX_DELAY) / i32::from(SLOTS_OF_DOMAIN);
        let before = i32::try_from(self.waiting_for(domain)).unwrap_or(i32::MAX);
        let first = now + step * before;
        self.due_again.retain(|_, turn| *turn > now);
        let turn = self.due_again.get(domain).map_or(first, |last| first.max(*last)) + step;
        let latest = now + MAX_DELAY;
        self.due_again.insert(domain.to_owned(), turn.min(latest));
        if turn < latest { turn } else { now + jitter(&self.ctx, MAX_DELAY) }
    }
}
