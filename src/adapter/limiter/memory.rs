//! The in-memory limiter, for a single process. The number of keys is bounded: it evicts expired keys first, then those
//! that are least dangerous to forget. Several replicas need Redis.

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

/// A map of counters behind one lock. A take needs about a microsecond, so sharding would gain little. One lock makes
/// takes atomic: a unit that is given back was never visible.
pub struct MemoryLimiter {
    max_entries: usize,
    logs: Mutex<HashMap<String, Log>>,
}

impl MemoryLimiter {
    /// A limiter with at most `max_entries` keys (minimum 1).
    pub fn new(max_entries: usize) -> Self {
        Self { max_entries: max_entries.max(1), logs: Mutex::new(HashMap::new()) }
    }

    /// Number of keys.
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
        // Evict before taking: a new key would be the first to go.
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

/// Evicts an eighth of the map, to amortise the cost over later keys: expired logs first, then the least dangerous.
fn make_room(logs: &mut HashMap<String, Log>, max_entries: usize, fresh: usize, now: i64) {
    let keep = max_entries.saturating_sub(max_entries.div_ceil(8).max(fresh));
    logs.retain(|_, log| !log.is_expired(now));
    let Some(excess) = logs.len().checked_sub(keep).filter(|excess| *excess > 0) else {
        return;
    };
    let mut dangers: Vec<(u32, i64)> = logs.values().map(|log| log.danger(now)).collect();
    let (_, &mut bound, _) = dangers.select_nth_unstable(excess - 1);
    // Several logs may be equal to the threshold; evict only as many as needed.
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
