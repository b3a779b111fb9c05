//! Counters of a cache.

use prometheus_client::metrics::counter::Counter;

/// Counts the lookups in a cache.
pub struct Lookups {
    hits: Counter,
    misses: Counter,
}

impl Lookups {
    pub(super) fn new(hits: Counter, misses: Counter) -> Self {
        Self { hits, misses }
    }

    /// Counts a lookup with this result, and returns the result.
    pub fn count<T>(&self, found: Option<T>) -> Option<T> {
        if found.is_some() {
            self.hits.inc()
        } else {
            self.misses.inc()
        };
        found
    }
}
