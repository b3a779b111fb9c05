//! Eviction: which keys the in-memory limiter removes when it is full, and which it must keep.

use std::time::Duration;

use doorcode::{
    adapter::limiter::memory::MemoryLimiter,
    ports::{Charge, Verdict},
};

use super::{MINUTE, QUARTER, admits, after, charge, take};

#[tokio::test]
async fn a_flood_of_new_keys_does_not_evict_exhausted_keys() {
    let limiter = MemoryLimiter::new(1_000);
    let shut = charge("shut", 3, QUARTER);
    let instance = Charge { rule: "send.instance", ..charge("", 100_000, Duration::from_hours(24)) };
    for _ in 0..3 {
        assert!(admits(&limiter, &shut, after(0)).await);
    }
    for _ in 0..1_000 {
        assert!(admits(&limiter, &instance, after(0)).await);
    }
    for flood in 0..20_000 {
        assert!(admits(&limiter, &charge(&format!("flood {flood}"), 3, QUARTER), after(1)).await);
        assert!(limiter.entries() <= 1_000);
    }
    assert!(!admits(&limiter, &shut, after(2)).await, "an exhausted key stays exhausted");
    for _ in 0..99_000 {
        assert!(admits(&limiter, &instance, after(2)).await);
    }
    assert!(!admits(&limiter, &instance, after(2)).await, "no unit of the instance limit is lost");
}

#[tokio::test]
async fn expired_keys_are_evicted_before_live_keys() {
    let limiter = MemoryLimiter::new(100);
    for old in 0..50 {
        for _ in 0..3 {
            assert!(admits(&limiter, &charge(&format!("old {old}"), 3, MINUTE), after(0)).await);
        }
    }
    let faint: Vec<Charge> = (0..50).map(|live| charge(&format!("live {live}"), 50, QUARTER)).collect();
    for charge in &faint {
        assert!(admits(&limiter, charge, after(100)).await);
    }
    assert!(admits(&limiter, &charge("new", 3, MINUTE), after(120)).await);
    assert_eq!(limiter.entries(), 51, "the fifty live keys and the new one");
}

#[tokio::test]
async fn a_refused_call_leaves_no_key_behind() {
    let limiter = MemoryLimiter::new(100);
    let full = charge("full", 1, QUARTER);
    assert!(admits(&limiter, &full, after(0)).await);
    for stranger in 0..20 {
        let verdict = take(&limiter, &[charge(&stranger.to_string(), 3, MINUTE), full.clone()], after(1)).await;
        assert!(matches!(verdict, Verdict::Refused { charge: 1, .. }));
    }
    assert_eq!(limiter.entries(), 1);
    let asks = Charge { counts: false, ..charge("nobody", 3, MINUTE) };
    assert!(admits(&limiter, &asks, after(2)).await);
    assert_eq!(limiter.entries(), 1, "a charge that only checks adds no key either");
}
