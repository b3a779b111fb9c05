//! The queue for hashing: floods of passwords slow down only each other. The unit tests of the hasher have its bounds.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use doorcode::limits::Rule;
use futures_util::future::{join, join_all};

use super::{OTHER, PASSWORD, answer, credentials, outcome, owner};
use crate::harness::{Client, TestApp};

/// A cost of more than a hundred milliseconds on the fastest machine.
const SLOW: &str = "m=19456,t=16,p=1";
/// What a hash with it takes at least.
const LEAST: Duration = Duration::from_millis(80);
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

/// Waits until this many attempts are counted, which each of them is in its slot, before its hash.
async fn counted(app: &TestApp, attempts: i64) -> Instant {
    let start = Instant::now();
    while app.count("password_tries", "1 = 1").await < attempts {
        assert!(start.elapsed() < Duration::from_secs(20), "fewer than {attempts} attempts are counted");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Instant::now()
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
async fn a_network_hashes_one_password_at_a_time_even_if_a_request_is_cancelled() {
    let app = slow_app(SLOW).await;
    let guest = app.guest();
    for (round, cancel) in [(0, false), (1, true)] {
        let before = 2 * round;
        let first = async {
            let attempt = attempt(&guest, "one@example.com");
            if cancel {
                tokio::select! {
                    _ = attempt => {}
                    _ = counted(&app, before + 1) => {}
                }
            } else {
                attempt.await;
            }
        };
        let second = async {
            let first = counted(&app, before + 1).await;
            let (outcome, second) = join(attempt(&guest, "two@example.com"), counted(&app, before + 2)).await;
            assert_eq!(outcome, "InvalidCredentials");
            second - first
        };
        let ((), apart) = join(first, second).await;
        assert!(apart > LEAST, "{apart:?} between the two, cancelled: {cancel}");
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 4, "the cancelled one stays counted");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_from_one_network_is_refused_at_once_and_leaves_room_for_its_known_devices() {
    let app = slow_app(SLOW).await;
    let owner = owner(&app, "ada@example.com").await;
    let (network, done) = (app.guest(), AtomicBool::new(false));
    let flood = join_all((0..20).map(|number| {
        let (network, done) = (network.clone(), &done);
        async move {
            while !done.load(Ordering::SeqCst) {
                attempt(&network, &format!("user{number}@example.com")).await;
                // Otherwise the refusals alone would use both cores of a debug build, and no hash would run.
                tokio::time::sleep(AT_ONCE).await;
            }
        }
    }));
    let probes = async {
        let mut fastest = Duration::MAX;
        for number in 0..30 {
            let start = Instant::now();
            let probe = answer(&network, "login", credentials(&network, "bob@example.com", OTHER)).await;
            if outcome(&probe, "login") == "UNAVAILABLE" {
                assert_eq!(probe.headers["retry-after"], "2", "{number}");
                fastest = fastest.min(start.elapsed());
            }
        }
        assert_eq!(attempt(&app.guest(), "elsewhere@example.com").await, "InvalidCredentials", "another network");
        let known = network.with_device(&owner.device);
        let start = Instant::now();
        answer(&known, "login", credentials(&known, "ada@example.com", PASSWORD)).await;
        done.store(true, Ordering::SeqCst);
        (fastest, start.elapsed())
    };
    let (_, (fastest, waited)) = join(flood, probes).await;
    assert!(fastest < AT_ONCE, "{fastest:?}");
    assert!(waited > AT_ONCE, "a known device has a place to wait: {waited:?}");
}
