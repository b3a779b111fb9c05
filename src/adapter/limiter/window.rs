//! The algorithm of both limiters: one key's log of units in a sliding window, its cooldown, and the combined result of
//! several keys. `limiter.lua` implements the same log in Redis, and one contract suite tests both. It has no storage,
//! clock or I/O.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, Utc};

use crate::ports::{Charge, Verdict};

/// Up to this limit, each unit keeps its exact time. Above it, times are rounded up to this many granules per window,
/// which bounds the log. Rounding may count a unit a little longer, never shorter.
const GRANULES: i64 = 256;

/// Maximum lag of a caller's clock behind the newest unit, in microseconds, before it counts as a clock jump (see
/// [`Log::rewind`]). Calls within it are dated to the newest unit, so two replicas cannot expire each other's units in
/// turn.
pub(crate) const SKEW: i64 = 120_000_000;

/// Maximum duration in microseconds: a hundred years. Redis computes in doubles.
const LONGEST: i64 = 100 * 366 * 24 * 3_600 * 1_000_000;

/// The numbers of a charge, in microseconds.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) limit: u32,
    pub(crate) window: i64,
    pub(crate) cooldown: i64,
    pub(crate) granule: i64,
    pub(crate) counts: bool,
}

impl Terms {
    pub(crate) fn of(charge: &Charge) -> Self {
        let window = micros(charge.window);
        let coarse = i64::from(charge.limit) > GRANULES;
        Self {
            limit: charge.limit,
            window,
            cooldown: charge.cooldown.map_or(0, micros),
            granule: if coarse { window / GRANULES + 1 } else { 1 },
            counts: charge.counts,
        }
    }
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(LONGEST).min(LONGEST)
}

/// The result for one key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// A unit was taken; the receipt can give it back.
    Admitted(Receipt),
    /// A unit was available but not taken, because the charge only peeks.
    Open,
    /// Refused until this time, in microseconds.
    Refused(i64),
}

/// The unit that was taken, and the state before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    /// Whether it was the last unit of the limit.
    pub(crate) last: bool,
    /// Its time in the log.
    pub(crate) time: i64,
    /// Its sequence number.
    pub(crate) seq: i64,
    /// The fields of [`Log`] before the admission.
    pub(crate) latest: i64,
    pub(crate) refused: bool,
    pub(crate) cooldown_until: i64,
}

/// The log of one key: its units, oldest first, and its cooldown.
#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<(i64, u32)>,
    total: u32,
    /// Time of the latest admission.
    latest: i64,
    seq: i64,
    /// Whether a refusal has started a cooldown since the latest admission.
    refused: bool,
    cooldown_until: i64,
    /// The terms of the latest call, for eviction only.
    terms: Option<Terms>,
}

impl Log {
    /// Takes a unit, or returns when one will be available.
    pub(crate) fn take(&mut self, terms: Terms, now: i64) -> Answer {
        self.terms = Some(terms);
        if now < self.latest - SKEW {
            self.rewind(now);
        }
        let now = now.max(self.latest);
        // Limits a cooldown to its current length, in case a clock or the setting changed.
        self.cooldown_until = self.cooldown_until.min(now + terms.cooldown);
        while let Some(&(time, count)) = self.entries.front()
            && time + terms.window <= now
        {
            self.entries.pop_front();
            self.total -= count;
        }
        let has_room = self.total < terms.limit && now >= self.cooldown_until;
        match (has_room, terms.counts) {
            (true, true) => Answer::Admitted(self.admit(terms, now)),
            (true, false) => Answer::Open,
            (false, _) => Answer::Refused(self.refuse(terms, now)),
        }
    }

    /// After a clock jump, future units count as taken now: they stay counted, for at most one window from now.
    fn rewind(&mut self, now: i64) {
        let mut count = 0;
        while let Some(&(time, held)) = self.entries.back()
            && time > now
        {
            self.entries.pop_back();
            count += held;
        }
        if count > 0 {
            self.append(now, count);
        }
        self.latest = now;
    }

    fn admit(&mut self, terms: Terms, now: i64) -> Receipt {
        let (latest, refused, cooldown_until) = (self.latest, self.refused, self.cooldown_until);
        self.latest = now;
        self.refused = false;
        self.cooldown_until = 0;
        self.seq += 1;
        self.total += 1;
        let rounded = now + (terms.granule - now % terms.granule) % terms.granule;
        let time = self.append(rounded, 1);
        Receipt { last: self.total >= terms.limit, time, seq: self.seq, latest, refused, cooldown_until }
    }

    /// Appends units. Times never decrease, and equal times share an entry.
    fn append(&mut self, time: i64, count: u32) -> i64 {
        match self.entries.back_mut() {
            Some((newest, held)) if *newest >= time => {
                *held += count;
                *newest
            }
            _ => {
                self.entries.push_back((time, count));
                time
            }
        }
    }

    fn refuse(&mut self, terms: Terms, now: i64) -> i64 {
        if !self.refused && terms.cooldown > 0 {
            self.refused = true;
            self.cooldown_until = now + terms.cooldown;
        }
        self.room_at(terms, now).max(self.cooldown_until)
    }

    /// The first time with room in the window. A limit of zero never has room: retry after a window.
    fn room_at(&self, terms: Terms, now: i64) -> i64 {
        let mut left = self.total;
        if left < terms.limit {
            return now;
        }
        for &(time, count) in &self.entries {
            left -= count;
            if left < terms.limit {
                return time + terms.window;
            }
        }
        now + terms.window
    }

    /// Gives back a unit, as if it had never been taken.
    pub(crate) fn give(&mut self, receipt: &Receipt) {
        if let Some(position) = self.position_of(receipt.time)
            && let Some((_, held)) = self.entries.get_mut(position)
        {
            *held -= 1;
            self.total -= 1;
            if *held == 0 {
                self.entries.remove(position);
            }
        }
        if self.seq == receipt.seq {
            // No admission since: restore what it cleared, unless a refusal has started a new cooldown.
            self.latest = self.latest.min(receipt.latest);
            if !self.refused {
                self.refused = receipt.refused;
                self.cooldown_until = receipt.cooldown_until;
            }
        }
    }

    /// The entry of that time, or the newest one if a rewind has moved the unit.
    fn position_of(&self, time: i64) -> Option<usize> {
        let newest = self.entries.len().checked_sub(1)?;
        let position = self.entries.iter().rposition(|&(found, _)| found <= time)?;
        (position == newest || self.entries[position].0 == time).then_some(position)
    }

    /// Whether the log can be dropped without changing later results.
    pub(crate) fn is_blank(&self) -> bool {
        self.total == 0 && !self.refused
    }

    /// Whether all of its units have expired.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        let window = self.terms.map_or(0, |terms| terms.window);
        let newest = self.entries.back().map_or(i64::MIN, |&(time, _)| time);
        newest.saturating_add(window) <= now && self.cooldown_until <= now
    }

    /// The danger of evicting the log: the spent share of the allowance (of 1,000), then its recency. 64 units count as
    /// fully spent whatever the limit: such keys are costly to create, and a flood of new keys must not evict the count
    /// of the whole instance.
    pub(crate) fn danger(&self, now: i64) -> (u32, i64) {
        const MANY: u32 = 64;
        let limit = self.terms.map_or(1, |terms| terms.limit).clamp(1, MANY);
        let share = if self.cooldown_until > now { 1_000 } else { self.total.min(limit) * 1_000 / limit };
        (share, self.latest)
    }
}

/// Combines the results of all charges, in order.
pub(crate) fn verdict(answers: &[Answer]) -> Verdict {
    let mut refusal: Option<(usize, i64)> = None;
    let mut last = 0;
    for (position, answer) in answers.iter().enumerate() {
        match answer {
            Answer::Admitted(receipt) => {
                if receipt.last && position < 32 {
                    last |= 1 << position;
                }
            }
            Answer::Open => {}
            Answer::Refused(at) => {
                if refusal.is_none_or(|(_, longest)| *at > longest) {
                    refusal = Some((position, *at));
                }
            }
        }
    }
    match refusal {
        None => Verdict::Admitted { last },
        Some((charge, at)) => Verdict::Refused {
            charge,
            retry_at: DateTime::<Utc>::from_timestamp_micros(at).unwrap_or(DateTime::<Utc>::MAX_UTC),
        },
    }
}
