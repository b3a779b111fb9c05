//! Accounts for the memory that this process holds because of clients. This module allocates nothing. It only counts
//! bytes and refuses to exceed a limit.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tokio::sync::Notify;

/// A limit that many connections share, for one kind of memory such as requests or responses.
pub(crate) struct Pool {
    taken: AtomicUsize,
    most: usize,
    pressed: Notify,
}

impl Pool {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { taken: AtomicUsize::new(0), most, pressed: Notify::new() })
    }

    /// Reserves bytes, or returns `None` if there is no room.
    pub(crate) fn charge(self: &Arc<Self>, bytes: usize) -> Option<Charge> {
        self.take(bytes, self.most).then(|| Charge { pool: Arc::clone(self), bytes })
    }

    /// Whether more than three quarters of the pool are reserved, so that connections should be evicted.
    pub(crate) fn is_scarce(&self) -> bool {
        self.taken.load(Relaxed) > self.scarce()
    }

    /// Returns how many bytes must be released until half of the pool is free.
    pub(crate) fn excess(&self) -> usize {
        self.taken.load(Relaxed).saturating_sub(self.most / 2)
    }

    /// Resolves when the pool becomes scarce.
    pub(crate) async fn pressed(&self) {
        self.pressed.notified().await;
    }

    const fn scarce(&self) -> usize {
        self.most / 4 * 3
    }

    fn take(&self, bytes: usize, most: usize) -> bool {
        let taken =
            self.taken.fetch_update(Relaxed, Relaxed, |taken| taken.checked_add(bytes).filter(|after| *after <= most));
        if taken.map_or(true, |before| before.saturating_add(bytes) > self.scarce()) {
            self.pressed.notify_one();
        }
        taken.is_ok()
    }
}

/// Bytes reserved in a pool. Dropping the charge releases them.
pub(crate) struct Charge {
    pool: Arc<Pool>,
    bytes: usize,
}

impl Charge {
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Grows to `bytes`. Returns false if there is no room.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> bool {
        self.grow_within(bytes, self.pool.most)
    }

    /// Grows like `grow_to`, but only while a quarter of the pool stays free.
    pub(crate) fn grow_while_plenty(&mut self, bytes: usize) -> bool {
        self.grow_within(bytes, self.pool.scarce())
    }

    fn grow_within(&mut self, bytes: usize, most: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let has_room = more == 0 || self.pool.take(more, most);
        if has_room {
            self.bytes += more;
        }
        has_room
    }

    /// Releases everything above `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        drop(self.split(self.bytes.saturating_sub(bytes)));
    }

    /// Moves up to `bytes` into a new charge.
    pub(crate) fn split(&mut self, bytes: usize) -> Self {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        Self { pool: Arc::clone(&self.pool), bytes }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.pool.taken.fetch_sub(self.bytes, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[test]
    fn a_pool_never_exceeds_its_limit_and_drops_release_everything() {
        let pool = Pool::new(100);
        let mut one = pool.charge(60).unwrap();
        assert!(pool.charge(41).is_none());
        let two = pool.charge(40).unwrap();
        assert!(!one.grow_to(61));
        one.shrink_to(10);
        assert!(one.grow_to(20) && one.bytes() == 20);
        let part = one.split(5);
        drop((one, two));
        assert_eq!(pool.taken.load(Relaxed), 5);
        drop(part);
        assert_eq!((pool.taken.load(Relaxed), pool.excess()), (0, 0));
    }

    #[tokio::test]
    async fn above_three_quarters_the_pool_signals_and_refuses_optional_growth() {
        let pool = Pool::new(100);
        let mut one = pool.charge(75).unwrap();
        let moment = Duration::from_millis(10);
        assert!(!pool.is_scarce() && timeout(moment, pool.pressed()).await.is_err());
        assert!(!one.grow_while_plenty(76) && one.grow_to(76));
        assert!(pool.is_scarce() && timeout(moment, pool.pressed()).await.is_ok());
        assert_eq!(pool.excess(), 26);
    }
}
