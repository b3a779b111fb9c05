//! Concurrent counts per key, such as a network or a session, each with a maximum. Dropping a share gives its count
//! back.

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
    /// An empty share with these keys and their maximums.
    pub(super) fn share(&self, bounds: impl IntoIterator<Item = (K, usize)>) -> Share<K> {
        Share { counts: Arc::clone(&self.0), bounds: bounds.into_iter().collect(), amount: 0 }
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> HashMap<K, usize> {
        self.0.lock().unwrap().clone()
    }
}

/// An amount counted for each of its keys until it is dropped.
pub(super) struct Share<K: Copy + Eq + Hash> {
    counts: Arc<Mutex<HashMap<K, usize>>>,
    bounds: Arc<[(K, usize)]>,
    amount: usize,
}

impl<K: Copy + Eq + Hash> Share<K> {
    /// Adds `more` to all keys, or to none if one would exceed its maximum.
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

    /// Moves part of the amount into a new share.
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
                // Without this, the map would grow with every client.
                if *count == 0 {
                    counts.remove(key);
                }
            }
        }
    }
}
