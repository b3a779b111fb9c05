//! The in-memory limiter, for a single process. Several replicas need Redis. The number of keys is bounded: the limiter
//! evicts expired keys first, then the keys that have used the smallest part of their limit.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use super::window::{Answer, Log, Terms, verdict};
use crate::ports::{Charge, Limiter, LimiterUnavailable, Verdict};

/// Maximum number of keys: usually about 20 MB, at most 450 MB.
pub const DEFAULT_ENTRIES: usize = 100_000;

/// Counts units in a map behind one lock. A limiter call takes about a microsecond, so several locks would gain little.
/// The lock is held for the whole call, so other calls never see a unit that is given back later in the call.
pub struct MemoryLimiter {
    max_entries: usize,
    logs: Mutex<HashMap<String, Log>>,
}

impl MemoryLimiter {
    /// Creates a limiter that stores at most `max_entries` keys (minimum 1).
    pub fn new(max_entries: usize) -> Self {
        Self { max_entries: max_entries.max(1), logs: Mutex::new(HashMap::new()) }
    }

    /// Number of keys stored now.
    pub fn entries(&self) -> usize {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

#[async_trait]
impl Limiter for MemoryLimiter {
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable> {
        let now = now.timestamp_micros();
        let mut logs = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut answers = Vec::with_capacity(charges.len());
        let keys: Vec<String> = charges.iter().map(|charge| format!("{}:{}", charge.rule, charge.key)).collect();
        // Evict before counting. Afterwards, the new keys would be evicted first, because they have used the least.
        if logs.len() + keys.len() > self.max_entries {
            let fresh = keys.iter().filter(|key| !logs.contains_key(*key)).count();
            if logs.len() + fresh > self.max_entries {
                make_room(&mut logs, self.max_entries, fresh, now);
            }
        }
        for (charge, key) in charges.iter().zip(&keys) {
            let log = logs.entry(key.clone()).or_default();
            let answer = log.take(Terms::of(charge), now);
            if matches!(answer, Answer::Open) && log.is_blank() {
                logs.remove(key);
            }
            answers.push(answer);
        }
        let verdict = verdict(&answers);
        if matches!(verdict, Verdict::Refused { .. }) {
            give_back(&mut logs, &keys, &answers);
        }
        Ok(verdict)
    }

    async fn ping(&self) -> Result<(), LimiterUnavailable> {
        Ok(())
    }
}

fn give_back(logs: &mut HashMap<String, Log>, keys: &[String], answers: &[Answer]) {
    for (key, answer) in keys.iter().zip(answers).rev() {
        if let Answer::Admitted(receipt) = answer
            && let Some(log) = logs.get_mut(key)
        {
            log.give(receipt);
            if log.is_blank() {
                logs.remove(key);
            }
        }
    }
}

/// Evicts expired logs, then others in order of [`Log::danger`], until an eighth of the map is free. The next keys then
/// fit without another search for logs to evict.
fn make_room(logs: &mut HashMap<String, Log>, max_entries: usize, fresh: usize, now: i64) {
    let keep = max_entries.saturating_sub(max_entries.div_ceil(8).max(fresh));
    logs.retain(|_, log| !log.is_expired(now));
    let Some(excess) = logs.len().checked_sub(keep).filter(|excess| *excess > 0) else {
        return;
    };
    let mut dangers: Vec<(u32, i64)> = logs.values().map(|log| log.danger(now)).collect();
    let (_, &mut bound, _) = dangers.select_nth_unstable(excess - 1);
    // Several logs may have exactly the threshold value. Evict only as many of them as needed.
    let mut at_bound = excess - dangers.iter().filter(|danger| **danger < bound).count();
    logs.retain(|_, log| {
        let danger = log.danger(now);
        if danger == bound && at_bound > 0 {
            at_bound -= 1;
            return false;
        }
        danger >= bound
    });
}
