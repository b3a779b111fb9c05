//! The queue for hashing: bounded for all, for a network and for strangers, so that floods of passwords slow down only
//! each other. Times are compared with the time of one hash on this machine.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use doorcode::limits::Rule;
use futures_util::future::{join, join_all};

use super::{OTHER, PASSWORD, answer, credentials, outcome, owner};
use crate::harness::{Client, TestApp};

/// A cost of some dozens of milliseconds, several times that on a busy machine.
const SLOW: &str = "m=19456,t=6,p=1";
const AT_ONCE: Duration = Duration::from_millis(100);

async fn slow_app(cost: &str) -> TestApp {
    TestApp::with(|flags| {
        flags.password_cost = Some(cost.into());
        for rule in [Rule::GuessPassword, Rule::GuessPasswordMonth, Rule::PasswordNetwork, Rule::PasswordNetworkDay] {
            flags.limits.insert(rule, "100000/1d".into());
        }
        flags.limits.insert(Rule::ApiCaller, "100000/1m".into());
    })
    .await
}

async fn attempt(client: &Client<'_>, email: &str) -> String {
    outcome(&answer(client, "login", credentials(client, email, OTHER)).await, "login")
}

/// The shortest of three times of one hash.
async fn one_hash(app: &TestApp) -> Duration {
    let mut least = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(attempt(&app.guest(), "nobody@example.com").await, "InvalidCredentials");
        least = least.min(start.elapsed());
    }
    least
}

#[tokio::test(flavor = "multi_thread")]
async fn other_requests_are_answered_while_sixty_four_passwords_wait() {
    let app = slow_app("m=19456,t=2,p=1").await;
    let person = app.guest().with_bearer(&owner(&app, "ada@example.com").await.access);
    let guests: Vec<_> = (0..64).map(|_| app.guest()).collect();
    let emails: Vec<_> = (0..64).map(|number| format!("user{number}@example.com")).collect();
    let done = AtomicBool::new(false);
    let logins = async {
        let seen = join_all(guests.iter().zip(&emails).map(|(guest, email)| attempt(guest, email))).await;
        done.store(true, Ordering::SeqCst);
        seen
    };
    let reads = async {
        let (mut count, mut longest) = (0, Duration::ZERO);
        while !done.load(Ordering::SeqCst) {
            let start = Instant::now();
            person.me().await.field("me");
            (count, longest) = (count + 1, longest.max(start.elapsed()));
        }
        (count, longest)
    };
    let (seen, (count, longest)) = join(logins, reads).await;
    assert!(seen.iter().all(|outcome| ["InvalidCredentials", "UNAVAILABLE"].contains(&outcome.as_str())), "{seen:?}");
    assert!(count > 10, "{count} while the passwords were hashed");
    assert!(longest < Duration::from_secs(1), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_hashes_one_password_at_a_time() {
    let app = slow_app(SLOW).await;
    let alone = one_hash(&app).await;
    let guest = app.guest();
    let start = Instant::now();
    let seen = join(attempt(&guest, "one@example.com"), attempt(&guest, "two@example.com")).await;
    assert_eq!(seen, ("InvalidCredentials".into(), "InvalidCredentials".into()));
    assert!(start.elapsed() > alone * 16 / 10, "{:?} for two, {alone:?} for one", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_request_keeps_its_slot_until_its_hash_is_done() {
    let app = slow_app(SLOW).await;
    let alone = one_hash(&app).await;
    let guest = app.guest();
    let start = Instant::now();
    let cancelled = tokio::time::timeout(alone * 3 / 10, attempt(&guest, "one@example.com")).await;
    assert!(cancelled.is_err(), "it was cancelled while it hashed");
    assert_eq!(attempt(&guest, "two@example.com").await, "InvalidCredentials");
    assert!(start.elapsed() > alone * 16 / 10, "{:?} for both, {alone:?} for one", start.elapsed());
    assert_eq!(app.count("password_tries", "1 = 1").await, 5, "the cancelled one stays counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_network_is_refused_at_once_and_leaves_room_for_its_known_devices() {
    let app = slow_app(SLOW).await;
    let owner = owner(&app, "ada@example.com").await;
    let network = app.guest();
    let flood = async {
        let start = Instant::now();
        let attempts = (0..64).map(|number| {
            let network = network.clone();
            async move { (attempt(&network, &format!("user{number}@example.com")).await, start.elapsed()) }
        });
        join_all(attempts).await
    };
    let known = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let known = network.with_device(&owner.device);
        let start = Instant::now();
        answer(&known, "login", credentials(&known, "ada@example.com", PASSWORD)).await;
        start.elapsed()
    };
    let elsewhere = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        attempt(&app.guest(), "elsewhere@example.com").await
    };
    let (flood, (waited, elsewhere)) = join(flood, join(known, elsewhere)).await;
    // Those that found a place but no slot are refused much later.
    let refused =
        flood.iter().filter(|(outcome, after)| outcome == "UNAVAILABLE" && *after < Duration::from_millis(1_400));
    assert!(refused.count() >= 32, "{flood:?}");
    assert!(waited > AT_ONCE, "the known device has a place to wait: {waited:?}");
    assert_eq!(elsewhere, "InvalidCredentials", "another network has its own turn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_strangers_at_once_and_has_places_for_known_devices() {
    let app = slow_app(SLOW).await;
    let owner = owner(&app, "ada@example.com").await;
    let cores = std::thread::available_parallelism().unwrap().get();
    let crowd: Vec<_> = (0..cores * 40).map(|_| app.guest()).collect();
    let done = AtomicBool::new(false);
    let flood = join_all(crowd.iter().map(|guest| async {
        while !done.load(Ordering::SeqCst) {
            attempt(guest, "ada@example.com").await;
        }
    }));
    let probes = async {
        let mut fastest = Duration::MAX;
        for number in 0..20 {
            let stranger = app.guest();
            let start = Instant::now();
            let input = credentials(&stranger, "bob@example.com", OTHER);
            let probe = answer(&stranger, "login", input).await;
            if outcome(&probe, "login") == "UNAVAILABLE" {
                assert_eq!(probe.headers["retry-after"], "2", "{number}");
                fastest = fastest.min(start.elapsed());
            }
        }
        let known = app.guest().with_device(&owner.device);
        let start = Instant::now();
        answer(&known, "login", credentials(&known, "ada@example.com", PASSWORD)).await;
        done.store(true, Ordering::SeqCst);
        (fastest, start.elapsed())
    };
    let (_, (fastest, waited)) = join(flood, probes).await;
    assert!(fastest < AT_ONCE, "{fastest:?}");
    assert!(waited > fastest * 3, "a known device waits for its place: {waited:?}, {fastest:?} without one");
}
