//! Which letter is sent next. Every letter has a slot of its own for as long as its attempt takes, and a slot is filled
//! again as soon as it is free. One recipient domain has a quarter of the slots at most, so one that hangs holds up no
//! other. Letters to one address leave one after the other, because people use the last one that arrives. A decoy holds a slot as a letter does: nothing here can tell them apart, because the arrival of the next mail
//! would tell it to whoever asked for both.
//!
//! A claimed letter whose domain has no free slot waits here. When too many wait, or for too long, it goes back to the
//! outbox until its turn may have come.

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
    attempt::{Attempted, Claimed, Recipient, half_to_whole},
    outbox,
};
use crate::{domain::Ctx, error::Result, ports::MailTransport};

/// Number of attempts at once.
const SLOTS: usize = 32;
/// Number of them that one recipient domain may have: a quarter.
const SLOTS_OF_DOMAIN: u8 = 8;
/// Number of claimed letters that wait for a slot, and of those of one domain: a quarter, too.
const WAITING: usize = 64;
const WAITING_OF_DOMAIN: usize = 16;
/// Number of letters that one statement claims or settles.
const BATCH: usize = 16;
/// How long a claim lasts: longer than a wait and an attempt together, so that it ends only when its worker is gone.
const CLAIM: TimeDelta = TimeDelta::seconds(90);
/// How long a claimed letter may wait for a slot.
const LONGEST_WAIT: TimeDelta = TimeDelta::seconds(30);
/// How far ahead the turn of a released letter may lie.
const LATEST_TURN: TimeDelta = TimeDelta::seconds(60);
/// The shortest attempt that is reckoned with.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(20);
/// How often the table is looked at when nothing tells that it was filled.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A letter that left must be noted, or it would leave again: worth several tries before a stop.
const LAST_TRIES: u32 = 5;

/// An attempt that is under way.
struct Slot {
    recipient: Recipient,
    since: Instant,
}

/// The letters that this process has claimed.
pub(super) struct Dispatcher {
    ctx: Arc<Ctx>,
    transport: Arc<dyn MailTransport>,
    attempts: JoinSet<Attempted>,
    slots: HashMap<Id, Slot>,
    /// Oldest first.
    waiting: VecDeque<Claimed>,
    /// To be written to the table.
    unsettled: Vec<Attempted>,
    /// When the last of the released letters of a domain may come back.
    turns: HashMap<String, DateTime<Utc>>,
    /// Whether letters may be due that are not claimed yet.
    may_be_due: bool,
    looked_at: Instant,
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
            turns: HashMap::new(),
            may_be_due: true,
            looked_at: Instant::now(),
        }
    }

    /// Letters may be due.
    pub(super) fn look(&mut self) {
        self.may_be_due = true;
    }

    /// When to look for letters at the latest.
    pub(super) fn look_at(&self) -> Instant {
        self.looked_at + LOOK_EVERY
    }

    /// Settles, fills slots and claims. Whether there may be more to do now. What went wrong is tried again when the
    /// table is looked at the next time.
    pub(super) async fn work(&mut self) -> bool {
        // Before anything else is sent: what cannot be noted is sent again when its claim ends.
        if let Err(error) = self.settle().await {
            tracing::warn!(%error, "could not note what became of mails");
            self.looked_at = Instant::now();
            return false;
        }
        self.fill();
        if self.unsettled.is_empty() && self.may_be_due && self.slots.len() < SLOTS {
            if let Err(error) = self.claim().await {
                tracing::warn!(%error, "the outbox could not be read");
                self.may_be_due = false;
            }
            self.fill();
        }
        !self.unsettled.is_empty() || (self.may_be_due && self.slots.len() < SLOTS)
    }

    /// Waits until an attempt has ended; forever when none is under way.
    pub(super) async fn one_ends(&mut self) {
        match self.attempts.join_next_with_id().await {
            Some(ended) => self.free(ended),
            None => std::future::pending().await,
        }
    }

    /// Claims what is due: a few more than there are free slots, so that the next free slot needs no statement.
    pub(super) async fn claim(&mut self) -> Result<u64> {
        let now = self.ctx.now();
        self.looked_at = Instant::now();
        let room = (SLOTS - self.slots.len()) + WAITING.saturating_sub(self.waiting.len());
        let most = room.min(BATCH);
        let limit = i64::try_from(most).unwrap_or_default();
        let rows = outbox::claim(&self.ctx, limit, now, now + CLAIM).await?;
        self.may_be_due = rows.len() == most;
        let taken = rows.len() as u64;
        self.waiting.extend(rows.into_iter().map(|row| Claimed::open(&self.ctx, row)));
        Ok(taken)
    }

    /// Ends: what waits goes back, what is under way is finished.
    pub(super) async fn stop(mut self) {
        for letter in std::mem::take(&mut self.waiting) {
            let due = letter.row.next_attempt_at;
            self.unsettled.push(letter.release(due));
        }
        self.finish().await;
    }

    /// Goes on until nothing waits and nothing is under way.
    pub(super) async fn finish(&mut self) {
        let mut failures = 0;
        loop {
            match self.settle().await {
                Ok(()) => self.fill(),
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, failures, "could not note what became of mails");
                }
            }
            if !self.attempts.is_empty() {
                self.one_ends().await;
            } else if self.unsettled.is_empty() {
                return;
            } else if failures >= LAST_TRIES {
                let letters = self.unsettled.len();
                return tracing::error!(letters, "gave up noting what became of mails: they may be sent again");
            } else {
                sleep(Duration::from_millis(200) * failures).await;
            }
        }
    }

    /// An attempt has ended, and its slot is free.
    fn free(&mut self, ended: Result<(Id, Attempted), JoinError>) {
        let id = match ended {
            Ok((id, attempted)) => {
                self.unsettled.push(attempted);
                id
            }
            Err(error) => {
                tracing::error!("the delivery of a mail broke off; it will be tried again when its claim ends");
                error.id()
            }
        };
        let Some(Slot { recipient: Recipient { domain, .. }, .. }) = self.slots.remove(&id) else { return };
        // Letters of this domain were released, and there is room for them before the next look.
        let now = self.ctx.now();
        let are_away = self.turns.get(&domain).is_some_and(|last| *last > now);
        self.may_be_due |= are_away && self.waiting_for(&domain) == 0;
    }

    /// Writes what came of letters, as many at once as have ended meanwhile.
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

    /// Gives free slots to those who wait, and releases whom there is no room for.
    fn fill(&mut self) {
        while self.slots.len() < SLOTS {
            let next = self.waiting.iter().position(|letter| self.has_slot(&letter.recipient));
            let Some(letter) = next.and_then(|next| self.waiting.remove(next)) else { break };
            self.start(letter);
        }
        let now = self.ctx.now();
        for letter in std::mem::take(&mut self.waiting) {
            let left = letter.row.claimed_until.map_or(TimeDelta::zero(), |until| until - now);
            let has_time = left > CLAIM - LONGEST_WAIT;
            let has_room =
                self.waiting.len() < WAITING && self.waiting_for(&letter.recipient.domain) < WAITING_OF_DOMAIN;
            if has_time && has_room {
                self.waiting.push_back(letter);
            } else {
                let turn = self.turn(&letter.recipient.domain, now);
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

    /// Whether a letter to this recipient may have a slot.
    fn has_slot(&self, wanted: &Recipient) -> bool {
        let of_domain = self.slots.values().filter(|slot| slot.recipient.domain == wanted.domain);
        let mut of_address = of_domain.clone().filter(|slot| slot.recipient.address == wanted.address);
        of_domain.count() < usize::from(SLOTS_OF_DOMAIN) && of_address.next().is_none()
    }

    fn waiting_for(&self, domain: &str) -> usize {
        self.waiting.iter().filter(|letter| letter.recipient.domain == domain).count()
    }

    /// When a released letter should come back: when those before it are through, if the domain goes on as slowly as
    /// now. Too early costs a statement, and then the domain is known to be slower.
    fn turn(&mut self, domain: &str, now: DateTime<Utc>) -> DateTime<Utc> {
        let slots = self.slots.values().filter(|slot| slot.recipient.domain == domain);
        let attempt = slots.map(|slot| slot.since.elapsed()).max().unwrap_or_default().max(SHORTEST_ATTEMPT);
        let step = TimeDelta::from_std(attempt).unwrap_or(LATEST_TURN) / i32::from(SLOTS_OF_DOMAIN);
        let before = i32::try_from(self.waiting_for(domain)).unwrap_or(i32::MAX);
        let first = now + step * before;
        self.turns.retain(|_, turn| *turn > now);
        let turn = self.turns.get(domain).map_or(first, |last| first.max(*last)) + step;
        let latest = now + LATEST_TURN;
        self.turns.insert(domain.to_owned(), turn.min(latest));
        if turn < latest { turn } else { now + half_to_whole(&self.ctx, LATEST_TURN) }
    }
}
