//! Guessing: the budgets of accounts and networks, for one attacker and for many at once.

use std::collections::BTreeMap;

use doorcode::limits::Rule;
use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{DAY, OTHER, PASSWORD, answer, credentials, guess, kind, login, outcome, owner};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn passwords_cannot_be_guessed_by_aliases_or_in_a_batch() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let one = |name: &str, password: &str| {
        format!("{name}: login(input: {{ email: \"ada@example.com\", password: \"{password}\" }}) {{ __typename }}")
    };
    let aliases: Vec<_> = (0..100).map(|number| one(&format!("a{number}"), PASSWORD)).collect();
    let document = format!("mutation {{ {} }}", aliases.join(" "));
    let refused = app.guest().query(&document, json!({})).await;
    assert!(refused.status.is_client_error() && refused.json["data"].is_null(), "{}", refused.text);
    let single = json!({ "query": format!("mutation {{ {} }}", one("a", PASSWORD)) });
    for batch in [json!([single, single]), json!([single])] {
        let refused = app.guest().post(batch.to_string()).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, "BAD_REQUEST"));
    }
    let fragment =
        format!("mutation {{ ...F }} fragment F on Mutation {{ {} {} }}", one("a", OTHER), one("b", PASSWORD));
    assert!(app.guest().query(&fragment, json!({})).await.status.is_client_error());
    assert_eq!(app.count("password_tries", "1 = 1").await, 0, "none was compared");
    assert_eq!(app.count("sessions", "1 = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_gets_twenty_guesses_a_day_and_a_hundred_a_month_from_all_networks() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let mut compared = Vec::new();
    for _ in 0..29 {
        let mut today = 0;
        for _ in 0..22 {
            today += u32::from(guess(&app, "ADA@example.com ", OTHER).await == "InvalidCredentials");
        }
        compared.push(today);
        app.clock.pass(DAY + 1.0);
    }
    assert_eq!(compared[..6], [20, 20, 20, 20, 20, 0]);
    assert_eq!(compared.iter().sum::<u32>(), 100);
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "RateLimited", "the right one is not compared either");
    app.clock.pass(2.0 * DAY);
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "InvalidCredentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_gets_ten_guesses_a_minute_and_a_hundred_a_day_at_ten_thousand_accounts() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "1000000/1h".into()))).await;
    owner(&app, "user9@example.com").await;
    let guest = app.guest();
    let spray = async |accounts: std::ops::Range<u32>| {
        let mut seen = BTreeMap::new();
        for number in accounts {
            let answer = login(&guest, &format!("user{number}@example.com"), OTHER).await;
            *seen.entry(kind(&answer).to_owned()).or_insert(0) += 1;
        }
        seen
    };
    let minute = spray(0..10_000).await;
    assert_eq!(minute, BTreeMap::from([("InvalidCredentials".into(), 10), ("RateLimited".into(), 9_990)]));
    assert_eq!(app.count("password_tries", "1 = 1").await, 10, "refused ones write nothing");
    let mut compared = 10;
    for _ in 0..20 {
        app.clock.pass(61.0);
        compared += spray(0..12).await.get("InvalidCredentials").copied().unwrap_or(0);
    }
    assert_eq!(compared, 100);
    assert_eq!(kind(&login(&guest, "user9@example.com", PASSWORD).await), "RateLimited");
    assert_eq!(guess(&app, "user9@example.com", PASSWORD).await, "SignedIn", "another network is not charged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wide_ipv6_network_does_not_multiply_its_guesses() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::PasswordNetwork, "2/1m".into()))).await;
    let (guest, prefix) = (app.guest(), app.v6_prefix());
    let mut compared = 0;
    for subnet in 0..40 {
        // Eight /64s of each of five /56s: 2 for a /64, 8 for a /56, 32 for the /48.
        let here = guest.at_ip(&format!("{prefix}:{:x}::1", ((subnet / 8) << 8) | (subnet % 8)));
        for number in 0..3 {
            let answer = login(&here, &format!("user{subnet}-{number}@example.com"), OTHER).await;
            compared += u32::from(kind(&answer) == "InvalidCredentials");
        }
    }
    assert_eq!(compared, 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_has_a_ceiling_that_known_devices_are_exempt_from() {
    let app = TestApp::alone(|flags| drop(flags.limits.insert(Rule::PasswordInstance, "5/1d".into()))).await;
    let owner = owner(&app, "ada@example.com").await;
    for number in 0..5 {
        assert_eq!(guess(&app, &format!("user{number}@example.com"), OTHER).await, "InvalidCredentials");
    }
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "RateLimited");
    let known = app.guest().with_device(&owner.device);
    assert_eq!(kind(&login(&known, "ada@example.com", PASSWORD).await), "SignedIn");
}

/// The results of this many concurrent guesses, through two replicas.
async fn at_once(app: &TestApp, count: usize, password: &str) -> BTreeMap<String, usize> {
    let replicas = [app.replica().await, app.replica().await];
    let guesses = (0..count).map(|number| {
        let guest = app.guest().via(&replicas[number % 2]);
        async move {
            let answer = answer(&guest, "login", credentials(&guest, "ada@example.com", password)).await;
            outcome(&answer, "login")
        }
    });
    let mut seen = BTreeMap::new();
    for outcome in join_all(guesses).await {
        *seen.entry(outcome).or_default() += 1;
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_guesses_at_once_over_two_replicas_never_compare_more_than_the_budget() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::GuessPassword, "5/1d".into()))).await;
    owner(&app, "ada@example.com").await;
    app.drain_outbox().await;
    let seen = at_once(&app, 64, OTHER).await;
    assert_eq!(seen.get("InvalidCredentials"), Some(&5), "{seen:?}");
    // The queue for hashing is full for some of them.
    let refused: usize = ["RateLimited", "UNAVAILABLE"].iter().filter_map(|outcome| seen.get(*outcome)).sum();
    assert_eq!(refused, 59, "{seen:?}");
    assert_eq!(app.count("password_tries", "1 = 1").await, 5);
    assert_eq!(app.count("outbox", "state = 'PENDING'").await, 1, "one notice");
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_at_once_spend_no_budget() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let seen = at_once(&app, 16, PASSWORD).await;
    assert_eq!(seen, BTreeMap::from([("SignedIn".into(), 16)]));
    assert_eq!(app.count("password_tries", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_refused_while_the_limiter_is_away() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    app.limiter.away.store(true, std::sync::atomic::Ordering::SeqCst);
    for guest in [app.guest(), app.guest().with_device(&owner.device)] {
        for password in [PASSWORD, OTHER] {
            let refused = answer(&guest, "login", credentials(&guest, "ada@example.com", password)).await;
            assert_eq!(refused.code(), "UNAVAILABLE");
            assert_eq!(refused.headers["retry-after"], "2");
            assert_eq!(refused.json["data"]["login"], Value::Null);
        }
        let input = json!({ "email": "new@example.com", "password": PASSWORD });
        assert_eq!(answer(&guest, "register", input).await.code(), "UNAVAILABLE");
    }
    let person = app.guest().with_bearer(&owner.access);
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    assert_eq!(answer(&person, "setPassword", input).await.code(), "UNAVAILABLE");
    assert_eq!(app.count("password_tries", "1 = 1").await, 0, "not counted");
    app.limiter.away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "SignedIn", "and not changed");
}
