//! The cache for a single process: bounded in bytes, and entries expire.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use quick_cache::{Weighter, sync::Cache as Entries};
use tokio::time::Instant;

use crate::ports::Cache;

/// Maximum size of all entries in bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How many entries to expect. Only a hint.
const EXPECTED: usize = 2_000;

#[derive(Clone)]
struct Size;

impl Weighter<String, (Bytes, Instant)> for Size {
    fn weight(&self, key: &String, (value, _): &(Bytes, Instant)) -> u64 {
        (key.len() + value.len() + size_of::<(Bytes, Instant)>()) as u64
    }
}

/// Entries of this process. Those that are used least are removed first.
pub struct MemoryCache(Entries<String, (Bytes, Instant), Size>);

impl Default for MemoryCache {
    fn default() -> Self {
        Self(Entries::with_weighter(EXPECTED, MAX_BYTES, Size))
    }
}

#[async_trait]
impl Cache for MemoryCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let (value, expires) = self.0.get(key)?;
        if Instant::now() < expires {
            return Some(value);
        }
        self.0.remove(key);
        None
    }

    async fn set(&self, key: &str, value: Bytes, ttl: Duration) {
        self.0.insert(key.to_owned(), (value, Instant::now() + ttl));
    }

    async fn remove(&self, key: &str) {
        self.0.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn entries_expire_can_be_removed_and_are_bounded() {
        let cache = MemoryCache::default();
        let minute = Duration::from_mins(1);
        cache.set("a", Bytes::from_static(b"1"), minute).await;
        cache.set("b", Bytes::from_static(b"2"), minute).await;
        cache.set("c", Bytes::from_static(b"3"), Duration::ZERO).await;
        assert_eq!(cache.get("a").await.as_deref(), Some(&b"1"[..]));
        cache.remove("b").await;
        assert_eq!(cache.get("b").await, None);
        assert_eq!(cache.get("c").await, None, "it expired");
        for number in 0..100 {
            cache.set(&number.to_string(), Bytes::from(vec![0; 1024 * 1024]), minute).await;
        }
        assert!(cache.0.weight() <= MAX_BYTES, "{}", cache.0.weight());
    }
}
