//! The contract of all rate limiters: in memory, on one Redis server, and on a Redis Cluster. The three must count
//! alike. These tests cover only the counting. `limits` tests the rules that use it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failed expectation makes the test fail"
)]

mod clocks;
mod eviction;
mod model;
mod outage;
pub(crate) mod own_redis;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    adapter::limiter::{memory::MemoryLimiter, redis::RedisLimiter},
    ports::{Charge, Limiter, Verdict},
};
use secrecy::SecretString;

use self::{
    clocks::{
        a_clock_jump_back_does_not_reset_limits, a_clock_jump_forward_locks_callers_out_for_at_most_one_window,
        two_replicas_a_minute_apart_share_one_count,
    },
    model::{a_refusal_returns_the_exact_time_of_the_next_admission, every_decision_agrees_with_a_naive_model},
};

const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);

/// The start time of each case. The cases do not use the real clock.
fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 123_456_000).unwrap()
}

fn after(seconds: i64) -> DateTime<Utc> {
    start() + TimeDelta::seconds(seconds)
}

/// A key that no other case and no earlier run uses.
fn key() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn charge(key: &str, limit: u32, window: Duration) -> Charge {
    Charge { rule: "test.rule", key: key.to_owned(), limit, window, cooldown: None, counts: true }
}

fn cooling(key: &str, limit: u32, window: Duration, cooldown: Duration) -> Charge {
    Charge { cooldown: Some(cooldown), ..charge(key, limit, window) }
}

async fn take(limiter: &dyn Limiter, charges: &[Charge], now: DateTime<Utc>) -> Verdict {
    limiter.take(charges, now).await.expect("the limiter responds")
}

async fn admits(limiter: &dyn Limiter, charge: &Charge, now: DateTime<Utc>) -> bool {
    matches!(take(limiter, std::slice::from_ref(charge), now).await, Verdict::Admitted { .. })
}

async fn refused_until(limiter: &dyn Limiter, charge: &Charge, now: DateTime<Utc>) -> DateTime<Utc> {
    match take(limiter, std::slice::from_ref(charge), now).await {
        Verdict::Refused { retry_at, .. } => retry_at,
        Verdict::Admitted { .. } => panic!("admitted at {now}, but the call must be refused"),
    }
}

/// Pseudo-random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }
}

// ---------------------------------------------------------------------------------------- running the cases

/// The URL in an environment variable. `None` if it is not set and such tests may be skipped; otherwise the test fails.
fn url_from(variable: &str) -> Option<SecretString> {
    if let Ok(url) = std::env::var(variable) {
        return Some(SecretString::from(url));
    }
    assert!(std::env::var("DOORCODE_TEST_EMBEDDED_ONLY").is_ok(), "{variable} is not set: run tests/run");
    eprintln!("skipped: {variable} is not set");
    None
}

macro_rules! contract {
    ($($case:ident),+ $(,)?) => {
        mod memory {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(std::sync::Arc::new(super::MemoryLimiter::new(10_000))).await;
            })+
        }
        contract!(@redis server "DOORCODE_TEST_REDIS_URL" $($case)+);
        contract!(@redis cluster "DOORCODE_TEST_REDIS_CLUSTER_URL" $($case)+);
    };
    (@redis $place:ident $variable:literal $($case:ident)+) => {
        mod $place {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                if let Some(url) = super::url_from($variable) {
                    super::$case(std::sync::Arc::new(super::RedisLimiter::new(&url).unwrap())).await;
                }
            })+
        }
    };
}

contract!(
    a_window_slides_unit_by_unit,
    a_refusal_returns_the_exact_time_of_the_next_admission,
    the_first_refusal_starts_a_cooldown_that_later_refusals_do_not_extend,
    a_reserved_share_is_kept_for_callers_with_the_full_limit,
    a_refused_call_gives_back_what_it_took,
    a_checking_charge_can_refuse_but_takes_nothing,
    a_refund_keeps_a_used_up_cooldown,
    a_refused_call_with_a_repeated_key_changes_nothing,
    the_refusal_names_the_charge_that_refuses_longest,
    concurrent_calls_are_admitted_exactly_up_to_the_limit,
    the_last_unit_of_a_limit_is_marked,
    a_large_limit_is_counted_exactly_and_never_frees_early,
    a_clock_jump_back_does_not_reset_limits,
    a_clock_jump_forward_locks_callers_out_for_at_most_one_window,
    two_replicas_a_minute_apart_share_one_count,
    a_limit_of_zero_never_admits,
    no_charges_are_admitted,
    every_decision_agrees_with_a_naive_model,
    it_answers_a_ping,
);

// ---------------------------------------------------------------------------------------- the cases

async fn a_window_slides_unit_by_unit(limiter: Arc<dyn Limiter>) {
    let charge = charge(&key(), 3, QUARTER);
    for second in [0, 60, 120] {
        assert!(admits(&*limiter, &charge, after(second)).await);
    }
    assert_eq!(refused_until(&*limiter, &charge, after(180)).await, after(900));
    assert_eq!(refused_until(&*limiter, &charge, after(899)).await, after(900));
    assert!(admits(&*limiter, &charge, after(900)).await, "the first unit has left the window");
    assert_eq!(refused_until(&*limiter, &charge, after(900)).await, after(960), "only the first unit has left");
    assert!(admits(&*limiter, &charge, after(960)).await);
    assert!(admits(&*limiter, &charge, after(5_000)).await, "all units have left");
}

async fn the_first_refusal_starts_a_cooldown_that_later_refusals_do_not_extend(limiter: Arc<dyn Limiter>) {
    let charge = cooling(&key(), 3, QUARTER, Duration::from_mins(5));
    for second in [0, 1, 2] {
        assert!(admits(&*limiter, &charge, after(second)).await);
    }
    assert_eq!(refused_until(&*limiter, &charge, after(800)).await, after(1_100), "the cooldown outlasts the window");
    assert_eq!(
        refused_until(&*limiter, &charge, after(1_000)).await,
        after(1_100),
        "the window has room, but the cooldown continues"
    );
    assert_eq!(refused_until(&*limiter, &charge, after(1_099)).await, after(1_100));
    assert!(admits(&*limiter, &charge, after(1_100)).await);
    for second in [1_101, 1_102] {
        assert!(admits(&*limiter, &charge, after(second)).await);
    }
    assert_eq!(
        refused_until(&*limiter, &charge, after(1_110)).await,
        after(2_000),
        "the admission allows a new cooldown"
    );
    assert_eq!(
        refused_until(&*limiter, &charge, after(1_900)).await,
        after(2_000),
        "no second cooldown without an admission"
    );
}

async fn a_reserved_share_is_kept_for_callers_with_the_full_limit(limiter: Arc<dyn Limiter>) {
    let key = key();
    let (stranger, known) = (charge(&key, 8, MINUTE), charge(&key, 10, MINUTE));
    for second in 0..8 {
        assert!(admits(&*limiter, &stranger, after(second)).await);
    }
    assert_eq!(refused_until(&*limiter, &stranger, after(10)).await, after(60));
    assert!(admits(&*limiter, &known, after(10)).await);
    assert_eq!(
        refused_until(&*limiter, &stranger, after(11)).await,
        after(61),
        "two units must leave before a stranger is admitted"
    );
    assert!(admits(&*limiter, &known, after(12)).await);
    assert_eq!(refused_until(&*limiter, &known, after(13)).await, after(60));
    assert_eq!(refused_until(&*limiter, &stranger, after(13)).await, after(62));
    assert!(admits(&*limiter, &stranger, after(62)).await);
}

async fn a_refused_call_gives_back_what_it_took(limiter: Arc<dyn Limiter>) {
    let (wide, narrow, late) = (charge(&key(), 2, MINUTE), charge(&key(), 1, QUARTER), charge(&key(), 3, MINUTE));
    assert!(admits(&*limiter, &narrow, after(0)).await);
    assert!(admits(&*limiter, &wide, after(1)).await);
    for second in 2..20 {
        let verdict = take(&*limiter, &[wide.clone(), narrow.clone(), late.clone()], after(second)).await;
        assert_eq!(verdict, Verdict::Refused { charge: 1, retry_at: after(900) });
    }
    let verdict = take(&*limiter, &[wide.clone(), late.clone()], after(20)).await;
    assert_eq!(verdict, Verdict::Admitted { last: 0b01 }, "one of two units was free, and all of three");
    assert_eq!(refused_until(&*limiter, &wide, after(21)).await, after(61), "the earlier unit is unchanged");
}

async fn a_checking_charge_can_refuse_but_takes_nothing(limiter: Arc<dyn Limiter>) {
    let (two, other) = (charge(&key(), 2, MINUTE), charge(&key(), 3, MINUTE));
    let asks = Charge { counts: false, ..two.clone() };
    for second in 0..5 {
        let verdict = take(&*limiter, &[asks.clone(), other.clone(), asks.clone()], after(second)).await;
        match second {
            0..3 => assert_eq!(verdict, Verdict::Admitted { last: if second == 2 { 0b010 } else { 0 } }),
            _ => assert_eq!(verdict, Verdict::Refused { charge: 1, retry_at: after(60) }),
        }
    }
    assert!(admits(&*limiter, &two, after(5)).await);
    assert!(admits(&*limiter, &asks, after(6)).await);
    assert!(admits(&*limiter, &two, after(7)).await, "both units were still free");
    assert_eq!(refused_until(&*limiter, &asks, after(8)).await, after(65));
    assert_eq!(refused_until(&*limiter, &two, after(8)).await, after(65));
    assert!(admits(&*limiter, &asks, after(65)).await);
    assert!(admits(&*limiter, &two, after(65)).await);
    // If one charge of a call refuses, the limiter returns the units of the other charges, also if the refusing charge
    // only checks (`counts: false`).
    let full = Charge { limit: 1, counts: false, ..two.clone() };
    let free = charge(&key(), 1, MINUTE);
    assert!(matches!(take(&*limiter, &[free.clone(), full], after(66)).await, Verdict::Refused { charge: 1, .. }));
    assert!(admits(&*limiter, &free, after(66)).await);
}

async fn a_refund_keeps_a_used_up_cooldown(limiter: Arc<dyn Limiter>) {
    let pair = cooling(&key(), 1, MINUTE, Duration::from_secs(10));
    let full = charge(&key(), 1, QUARTER);
    assert!(admits(&*limiter, &full, after(0)).await);
    assert!(admits(&*limiter, &pair, after(0)).await);
    assert_eq!(refused_until(&*limiter, &pair, after(55)).await, after(65));
    // At second 70 a unit of `pair` is taken and returned. This must not count as an admission, so `pair` cannot start
    // another cooldown.
    let verdict = take(&*limiter, &[pair.clone(), full.clone()], after(70)).await;
    assert_eq!(verdict, Verdict::Refused { charge: 1, retry_at: after(900) });
    let nothing = Charge { limit: 0, ..pair.clone() };
    assert_eq!(refused_until(&*limiter, &nothing, after(71)).await, after(131), "no new cooldown was set");
    assert!(admits(&*limiter, &pair, after(72)).await);
    // A refused call takes no units, but the cooldown of the refusing charge starts.
    let free = charge(&key(), 5, MINUTE);
    let verdict = take(&*limiter, &[free, pair.clone()], after(130)).await;
    assert_eq!(verdict, Verdict::Refused { charge: 1, retry_at: after(140) });
    assert_eq!(refused_until(&*limiter, &pair, after(139)).await, after(140));
}

async fn a_refused_call_with_a_repeated_key_changes_nothing(limiter: Arc<dyn Limiter>) {
    let (twice, full) = (charge(&key(), 4, MINUTE), charge(&key(), 1, QUARTER));
    assert!(admits(&*limiter, &twice, after(0)).await);
    assert!(admits(&*limiter, &full, after(0)).await);
    let verdict = take(&*limiter, &[twice.clone(), full, twice.clone()], after(1)).await;
    assert_eq!(verdict, Verdict::Refused { charge: 1, retry_at: after(900) });
    for second in 2..5 {
        assert!(admits(&*limiter, &twice, after(second)).await);
    }
    assert_eq!(refused_until(&*limiter, &twice, after(6)).await, after(60));
}

async fn the_refusal_names_the_charge_that_refuses_longest(limiter: Arc<dyn Limiter>) {
    let charges = [charge(&key(), 1, MINUTE), charge(&key(), 1, QUARTER), charge(&key(), 1, MINUTE * 2)];
    assert_eq!(take(&*limiter, &charges, after(0)).await, Verdict::Admitted { last: 0b111 });
    assert_eq!(take(&*limiter, &charges, after(1)).await, Verdict::Refused { charge: 1, retry_at: after(900) });
    assert_eq!(take(&*limiter, &charges, after(900)).await, Verdict::Admitted { last: 0b111 });
}

async fn concurrent_calls_are_admitted_exactly_up_to_the_limit(limiter: Arc<dyn Limiter>) {
    let charges = [charge(&key(), 10, MINUTE), charge(&key(), 1_000, MINUTE)];
    let crowd: Vec<_> = (0..64)
        .map(|_| {
            let (limiter, charges) = (Arc::clone(&limiter), charges.clone());
            tokio::spawn(async move { take(&*limiter, &charges, after(0)).await })
        })
        .collect();
    let mut admitted = 0;
    for person in crowd {
        admitted += u32::from(matches!(person.await.unwrap(), Verdict::Admitted { .. }));
    }
    assert_eq!(admitted, 10);
    // Ten of the thousand units stay taken. The units of the refused calls were returned.
    let mut left = 0;
    while admits(&*limiter, &charges[1], after(1)).await {
        left += 1;
    }
    assert_eq!(left, 990);
}

async fn the_last_unit_of_a_limit_is_marked(limiter: Arc<dyn Limiter>) {
    let charges = [charge(&key(), 3, MINUTE), charge(&key(), 2, MINUTE)];
    assert_eq!(take(&*limiter, &charges, after(0)).await, Verdict::Admitted { last: 0b00 });
    assert_eq!(take(&*limiter, &charges, after(1)).await, Verdict::Admitted { last: 0b10 });
    assert_eq!(take(&*limiter, &charges[..1], after(2)).await, Verdict::Admitted { last: 0b1 });
}

async fn a_large_limit_is_counted_exactly_and_never_frees_early(limiter: Arc<dyn Limiter>) {
    const LIMIT: u32 = 600;
    let charge = charge(&key(), LIMIT, MINUTE);
    let granule = TimeDelta::microseconds(60_000_000 / 256 + 1);
    let mut taken = Vec::new();
    for unit in 0..LIMIT {
        let now = start() + TimeDelta::milliseconds(i64::from(unit) * 50);
        assert!(admits(&*limiter, &charge, now).await, "unit {unit}");
        taken.push(now);
    }
    let mut now = after(31);
    for _ in 0..40 {
        let retry_at = refused_until(&*limiter, &charge, now).await;
        let exact = taken[taken.len() - LIMIT as usize] + TimeDelta::minutes(1);
        assert!(retry_at >= exact && retry_at <= exact + granule, "{retry_at} for {exact}");
        assert!(!admits(&*limiter, &charge, retry_at - TimeDelta::microseconds(1)).await);
        while admits(&*limiter, &charge, retry_at).await {
            taken.push(retry_at);
        }
        now = retry_at;
    }
}

async fn a_limit_of_zero_never_admits(limiter: Arc<dyn Limiter>) {
    let charge = charge(&key(), 0, MINUTE);
    assert_eq!(refused_until(&*limiter, &charge, after(0)).await, after(60));
    assert_eq!(refused_until(&*limiter, &charge, after(60)).await, after(120));
}

async fn no_charges_are_admitted(limiter: Arc<dyn Limiter>) {
    assert_eq!(take(&*limiter, &[], after(0)).await, Verdict::Admitted { last: 0 });
}

async fn it_answers_a_ping(limiter: Arc<dyn Limiter>) {
    limiter.ping().await.unwrap();
    limiter.ping().await.unwrap();
}
