//! Counts what is in use at the moment, such as bytes or waiting requests, per key. A key is a network or a session,
//! for example, and each key has a maximum. Dropping a [`Share`] subtracts its amount again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

pub(super) struct Tally<K>(Arc<Mutex<HashMap<K, usize>>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<K: Copy + Eq + Hash> Tally<K> {
    /// Creates a share with an amount of zero, which counts for these keys with these maximums.
    pub(super) fn share(&self, bounds: impl IntoIterator<Item = (K, usize)>) -> Share<K> {
        Share { counts: Arc::clone(&self.0), bounds: bounds.into_iter().collect(), amount: 0 }
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> HashMap<K, usize> {
        self.0.lock().unwrap().clone()
    }
}

/// An amount that counts for several keys until the share is dropped.
pub(super) struct Share<K: Copy + Eq + Hash> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    bounds: Arc<[(K, usize)]>,
    amount: usize,
}

impl<K: Copy + Eq + Hash> Share<K> {
    /// Adds `more` for all keys and returns true. If a key would exceed its maximum, adds nothing and returns false.
    #[must_use]
    pub(super) fn grow(&mut self, more: usize) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = |(key, most): &(K, usize)| counts.get(key).copied().unwrap_or_default() + more <= *most;
        let fits = self.bounds.iter().all(has_room);
        if fits {
            for (key, _) in self.bounds.iter() {
                *counts.entry(*key).or_default() += more;
            }
            self.amount += more;
        }
        fits
    }

    /// Moves up to `amount` into a new share with the same keys.
    pub(super) fn split(&mut self, amount: usize) -> Self {
        let amount = amount.min(self.amount);
        self.amount -= amount;
        Self { counts: Arc::clone(&self.counts), bounds: Arc::clone(&self.bounds), amount }
    }
}

impl<K: Copy + Eq + Hash> Drop for Share<K> {
    fn drop(&mut self) {
        if self.amount == 0 {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, _) in self.bounds.iter() {
            if let Some(count) = counts.get_mut(key) {
                *count = count.saturating_sub(self.amount);
                // Remove unused keys. Otherwise the map would keep an entry for every client.
                if *count == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}
