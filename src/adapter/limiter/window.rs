//! The arithmetic of both limiters: one key's log of units in a sliding window, its cooldown, and what many
//! keys together answer. `limiter.lua` is the same log in Redis, and the contract suite holds both to one
//! behaviour. Nothing here stores a key, asks a clock or talks to anybody.

use std::{collections::VecDeque, time::Duration};

use chrono::{DateTime, Utc};

use crate::ports::{Charge, Verdict};

/// Up to this limit each unit keeps its own time; above it times are rounded up to this many granules a
/// window, so that no log grows without bound. Rounding up means a unit may bind a little longer, never shorter.
const GRANULES: i64 = 256;

/// How far behind the newest unit a caller's clock may be and still be taken for a replica that is merely
/// slow, in microseconds. Its calls count as made at the newest unit's time, so two replicas can't take turns in
/// letting each other's units expire; only what a slow one took before the fast one came ages early, once.
/// Further behind, a clock has jumped: see [`Log::rewind`].
pub(crate) const SKEW: i64 = 120_000_000;

/// Longest span that is told from "for ever", in microseconds: a hundred years. Redis computes in doubles.
const LONGEST: i64 = 100 * 366 * 24 * 3_600 * 1_000_000;

/// A charge's numbers, in microseconds.
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

/// What one key said.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// The unit is taken; the receipt gives exactly it back.
    Admitted(Receipt),
    /// There was a unit, and it was not taken: the charge only asked.
    Open,
    /// No unit was taken. Admitted again at this moment, in microseconds.
    Refused(i64),
}

/// Which unit was taken, and what the admission changed besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    /// Whether the unit was the last of its limit.
    pub(crate) last: bool,
    /// The time it is logged under.
    pub(crate) time: i64,
    /// The number of this admission.
    pub(crate) seq: i64,
    /// The fields of [`Log`] as they were.
    pub(crate) latest: i64,
    pub(crate) refused: bool,
    pub(crate) cooldown_until: i64,
}

/// One key: its units, oldest first, and its cooldown.
#[derive(Default)]
pub(crate) struct Log {
    entries: VecDeque<(i64, u32)>,
    total: u32,
    /// The newest moment at which a unit was admitted.
    latest: i64,
    seq: i64,
    /// Whether a refusal has already started a cooldown since the last admission.
    refused: bool,
    cooldown_until: i64,
    /// The latest caller's terms, for eviction alone.
    terms: Option<Terms>,
}

impl Log {
    /// Takes a unit, or says when there is one.
    pub(crate) fn take(&mut self, terms: Terms, now: i64) -> Answer {
        self.terms = Some(terms);
        if now < self.latest - SKEW {
            self.rewind(now);
        }
        let now = now.max(self.latest);
        // No cooldown outlasts its own length, whatever a clock or an older setting said.
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

    /// Units recorded while a clock ran ahead count as taken now. They can't be told from fresh ones, so the
    /// door stays as narrow as it was; and they bind no longer than one window from here.
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

    /// Adds units at the newest end. An entry never stands before an older one, and equal times are one entry.
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

    /// The first moment at which less than the limit is left in the window. A limit of nothing never has
    /// room: it is told to ask again after a window.
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

    /// Gives back one unit, as if it had never been taken.
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
            // Nobody was admitted since: what the admission cleared comes back, unless a refusal has set it anew.
            self.latest = self.latest.min(receipt.latest);
            if !self.refused {
                self.refused = receipt.refused;
                self.cooldown_until = receipt.cooldown_until;
            }
        }
    }

    /// The entry of that time, or the newest if a rewind has dated the unit back since.
    fn position_of(&self, time: i64) -> Option<usize> {
        let newest = self.entries.len().checked_sub(1)?;
        let position = self.entries.iter().rposition(|&(found, _)| found <= time)?;
        (position == newest || self.entries[position].0 == time).then_some(position)
    }

    /// Whether forgetting this log changes no later answer.
    pub(crate) fn is_blank(&self) -> bool {
        self.total == 0 && !self.refused
    }

    /// Whether everything in it is past at this moment.
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        let window = self.terms.map_or(0, |terms| terms.window);
        let newest = self.entries.back().map_or(i64::MIN, |&(time, _)| time);
        newest.saturating_add(window) <= now && self.cooldown_until <= now
    }

    /// How dangerous it is to forget this log: the share of its allowance that is spent, out of 1,000, and
    /// then how fresh it is. A key that holds many units is dangerous whatever its limit, for nobody makes such
    /// keys cheaply: else a flood of strangers' keys would push out the count of the whole instance.
    pub(crate) fn danger(&self, now: i64) -> (u32, i64) {
        const MANY: u32 = 64;
        let limit = self.terms.map_or(1, |terms| terms.limit).clamp(1, MANY);
        let share = if self.cooldown_until > now { 1_000 } else { self.total.min(limit) * 1_000 / limit };
        (share, self.latest)
    }
}

/// What the answers of all charges, in their order, mean together.
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
