//! The algorithm of both limiters: one key's log of units in a sliding window, its cooldown, and the combined result of
//! several keys. `limiter.lua` implements the same log in Redis, and one contract suite tests both limiters. This
//! module does no I/O and reads no clock.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, Utc};

use crate::ports::{Charge, Verdict};

/// Approximate maximum number of log entries for one window. If a rule allows at most this many units, each unit keeps
/// its exact time. Otherwise the window is divided into this many equal parts (granules), and each time is rounded up
/// to the end of its granule, so that units share entries. A rounded unit may count a little longer, but never shorter.
const GRANULES: i64 = 256;

/// How far a caller's clock may lag behind the latest admission, in microseconds (two minutes). A call that lags less
/// is treated as if it came at the time of that admission. A call that lags more is a clock jump (see
/// [`Log::rewind`]). Without this tolerance, two replicas whose clocks differ would rewind the log again and again.
pub(crate) const SKEW: i64 = 120_000_000;

/// Maximum duration in microseconds, a hundred years. Scripts in Redis use doubles, which represent a time plus this
/// duration exactly.
const LONGEST: i64 = 100 * 366 * 24 * 3_600 * 1_000_000;

/// The parameters of a charge. Durations are in microseconds.
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
    /// A unit was counted. The receipt can give it back.
    Admitted(Receipt),
    /// A unit was available but not counted, because the charge only checks.
    Open,
    /// Refused until this time, in microseconds.
    Refused(i64),
}

/// A unit that was counted, and the state of the log before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    /// Whether it was the last unit of the limit.
    pub(crate) last: bool,
    /// The time of the log entry that contains the unit.
    pub(crate) time: i64,
    /// The sequence number of the unit.
    pub(crate) seq: i64,
    /// The fields of [`Log`] before the admission.
    pub(crate) latest: i64,
    pub(crate) refused: bool,
    pub(crate) cooldown_until: i64,
}

/// The log of one key: its units, oldest first, and its cooldown.
#[derive(Default)]
pub(crate) struct Log {
    /// Times and the number of units at each.
    entries: VecDeque<(i64, u32)>,
    /// Number of units in all entries.
    total: u32,
    /// Time of the latest admission.
    latest: i64,
    /// Number of admissions so far.
    seq: i64,
    /// Whether a refusal has started a cooldown since the latest admission.
    refused: bool,
    cooldown_until: i64,
    /// The parameters of the latest call. Only eviction reads them.
    terms: Option<Terms>,
}

impl Log {
    /// Counts a unit, or returns the time at which a unit will be available.
    pub(crate) fn take(&mut self, terms: Terms, now: i64) -> Answer {
        self.terms = Some(terms);
        if now < self.latest - SKEW {
            self.rewind(now);
        }
        let now = now.max(self.latest);
        // A clock or the setting may have changed, so the cooldown never lasts longer than its current length from now.
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

    /// After a clock jump, moves all units that lie in the future to `now`. They still count, for one window from now.
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

    /// Adds units at a time, or to the newest entry if that is not older. Returns the time of the entry. Units with
    /// equal times share an entry.
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

    /// Returns the first time at which the window has room for a unit. With a limit of zero the window never has room;
    /// returns the end of one window from now.
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

    /// Gives back a unit, as if it had never been counted.
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
            // No unit was admitted since: restore the state before this one, unless a refusal has started a new
            // cooldown.
            self.latest = self.latest.min(receipt.latest);
            if !self.refused {
                self.refused = receipt.refused;
                self.cooldown_until = receipt.cooldown_until;
            }
        }
    }

    /// Returns the position of the entry with that time, or of the newest entry if a rewind has moved the unit there.
    fn position_of(&self, time: i64) -> Option<usize> {
        let newest = self.entries.len().checked_sub(1)?;
        let position = self.entries.iter().rposition(|&(found, _)| found <= time)?;
        (position == newest || self.entries[position].0 == time).then_some(position)
    }

    /// Whether the log can be dropped without changing later results.
    pub(crate) fn is_blank(&self) -> bool {
        self.total == 0 && !self.refused
    }

    /// Whether all units and the cooldown have expired.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        let window = self.terms.map_or(0, |terms| terms.window);
        let newest = self.entries.back().map_or(i64::MIN, |&(time, _)| time);
        newest.saturating_add(window) <= now && self.cooldown_until <= now
    }

    /// How much would be lost by evicting this log; the limiter evicts the logs with the lowest values first. The first
    /// number is how much of the limit is used, in thousandths. The second is the time of the latest admission, which
    /// breaks ties. A log with 64 or more units counts as fully used, even if its limit is higher: otherwise a flood of
    /// new keys could evict the counter of the whole instance, whose limit is very high. A log in a cooldown also
    /// counts as fully used.
    pub(crate) fn danger(&self, now: i64) -> (u32, i64) {
        const MANY: u32 = 64;
        let limit = self.terms.map_or(1, |terms| terms.limit).clamp(1, MANY);
        let share = if self.cooldown_until > now { 1_000 } else { self.total.min(limit) * 1_000 / limit };
        (share, self.latest)
    }
}

/// Combines the results of all charges in a call, in the order of the charges.
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
