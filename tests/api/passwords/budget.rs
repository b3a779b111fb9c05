//! Guessing passwords: the budget of an account, of a known device, of a network and of the instance. A closed door is
//! only the door for passwords from unknown devices.

use chrono::{DateTime, Utc};
use doorcode::{limits::Rule, settings::ServeFlags};
use serde_json::{Value, json};

use super::{DAY, OTHER, PASSWORD, answer, call, events, login, owner, reset, sign_in_with, subjects};
use crate::harness::{Client, SignedIn, TestApp};

/// Limits of networks so wide that one client can do everything.
pub(super) fn wide(flags: &mut ServeFlags) {
    for rule in [Rule::SendPair, Rule::SendAddress, Rule::SendAddressDay, Rule::SendNetwork] {
        flags.limits.insert(rule, "10000/15m".into());
    }
    for rule in [Rule::PasswordNetwork, Rule::PasswordNetworkDay] {
        flags.limits.insert(rule, "10000/1m".into());
    }
}

/// Guesses wrong from new networks.
async fn guess_wrong(app: &TestApp, email: &str, times: usize) {
    for time in 0..times {
        let wrong = login(&app.guest(), email, OTHER).await;
        assert_eq!(wrong["__typename"], "InvalidCredentials", "guess {time}");
    }
}

fn seconds_until(app: &TestApp, refused: &Value) -> f64 {
    assert_eq!(
        (&refused["__typename"], &refused["code"]),
        (&json!("RateLimited"), &json!("RATE_LIMITED")),
        "{refused}"
    );
    let at: DateTime<Utc> = refused["retryAt"].as_str().unwrap().parse().unwrap();
    (at - app.ctx().now()).as_seconds_f64()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_wrong_passwords_close_only_the_password_door_for_unknown_devices() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    guess_wrong(&app, "ada@example.com", 19).await;
    let mails = subjects(&app, "ada@example.com").await.len();
    guess_wrong(&app, "ada@example.com", 1).await;
    let refused = login(&app.guest(), "ada@example.com", PASSWORD).await;
    let wait = seconds_until(&app, &refused);
    assert!((DAY - 5.0..=DAY).contains(&wait), "{wait}");
    assert_eq!(login(&app.guest(), "ada@example.com", OTHER).await["__typename"], "RateLimited", "right or wrong");
    assert_eq!(subjects(&app, "ada@example.com").await.len(), mails + 1, "one notice");

    let known = SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    assert!(!app.guest().sign_in("ada@example.com").await.is_new, "a code works, with digits");
    assert_eq!(app.count("email_codes", "units > 0").await, 0, "wrong passwords cost no tries of codes");
    SignedIn::read(&reset(&app, &app.guest(), "ada@example.com", OTHER).await);
    assert_eq!(app.guest().with_bearer(&known.access).me().await.status, 401);
    assert_eq!(login(&app.guest(), "ada@example.com", OTHER).await["__typename"], "RateLimited", "only time opens it");

    app.clock.pass(wait + 1.0);
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);
    assert_eq!(app.refused("LIMIT_REFUSED").await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_cost_no_tries_of_passwords() {
    let app = TestApp::with(|flags| {
        wide(flags);
        flags.limits.insert(Rule::GuessAccount, "3/1d".into());
    })
    .await;
    owner(&app, "ada@example.com").await;
    let guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    for _ in 0..3 {
        guest.verify(&challenge, &crate::harness::other_than(&code)).await;
    }
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_wrong_passwords_in_thirty_days_close_the_door_too_with_one_notice_a_day() {
    let app = TestApp::with(wide).await;
    owner(&app, "ada@example.com").await;
    let first = subjects(&app, "ada@example.com").await.len();
    for day in 1..=5 {
        guess_wrong(&app, "ada@example.com", 20).await;
        assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "RateLimited");
        assert_eq!(subjects(&app, "ada@example.com").await.len(), first + day, "day {day}");
        app.clock.pass(DAY + 1.0);
    }
    let refused = login(&app.guest(), "ada@example.com", PASSWORD).await;
    let wait = seconds_until(&app, &refused);
    assert!((24.9 * DAY..25.0 * DAY).contains(&wait), "until the first leave the month: {wait}");
    app.clock.pass(wait + 1.0);
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_without_a_password_hears_of_a_closed_door() {
    let app = TestApp::new().await;
    app.guest().sign_in("ada@example.com").await;
    for email in ["ada@example.com", "stranger@example.com"] {
        let before = subjects(&app, email).await.len();
        guess_wrong(&app, email, 20).await;
        assert_eq!(login(&app.guest(), email, OTHER).await["__typename"], "RateLimited", "the same answer");
        assert_eq!(subjects(&app, email).await.len(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_has_a_hundred_tries_of_its_own_and_is_then_forgotten() {
    let app = TestApp::with(wide).await;
    let owner = owner(&app, "ada@example.com").await;
    for _ in 0..100 {
        assert_eq!(login(&owner, "ada@example.com", OTHER).await["__typename"], "InvalidCredentials");
    }
    let elsewhere = SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
    assert_eq!(app.count("devices", "1 = 1").await, 2);
    assert_eq!(login(&owner, "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials", "its last try");
    assert_eq!(app.count("devices", "1 = 1").await, 1, "forgotten");
    assert_eq!(events(&app, "DEVICE_FORGOTTEN").await, 1);
    SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    assert_eq!(app.guest().with_bearer(&elsewhere.access).me().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_device_token_of_another_account_gives_no_tries() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let thief = owner(&app, "eve@example.com").await;
    guess_wrong(&app, "ada@example.com", 20).await;
    let thief = app.guest().with_device(&thief.is.device);
    assert_eq!(login(&thief, "ada@example.com", PASSWORD).await["__typename"], "RateLimited");
}

async fn refused_by_network(client: &Client<'_>, email: &str) -> Value {
    let answer = answer(client, "login", sign_in_with(client, email, PASSWORD)).await;
    assert_eq!(answer.status, 200);
    answer.field("login").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_has_ten_wrong_passwords_a_minute_and_a_hundred_a_day() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let guesser = app.guest();
    let mut sprayed = 0;
    for minute in 0..10 {
        for _ in 0..10 {
            SignedIn::read(&login(&guesser, "ada@example.com", PASSWORD).await);
            sprayed += 1;
            let wrong = login(&guesser, &format!("p{sprayed}@example.com"), OTHER).await;
            assert_eq!(wrong["__typename"], "InvalidCredentials", "{sprayed}");
        }
        let refused = refused_by_network(&guesser, "ada@example.com").await;
        let wait = seconds_until(&app, &refused);
        if minute < 9 {
            assert!((0.0..=60.0).contains(&wait), "{wait}");
            SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
            app.clock.pass(wait + 1.0);
        }
    }
    app.clock.pass(61.0);
    let wait = seconds_until(&app, &refused_by_network(&guesser, "ada@example.com").await);
    assert!(wait > 0.9 * DAY, "{wait}");
    app.clock.pass(wait + 1.0);
    SignedIn::read(&login(&guesser, "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_instance_has_a_ceiling_for_wrong_passwords() {
    let app = TestApp::alone(|flags| {
        flags.limits.insert(Rule::PasswordInstance, "3/1d".into());
    })
    .await;
    owner(&app, "ada@example.com").await;
    for number in 0..3 {
        guess_wrong(&app, &format!("p{number}@example.com"), 1).await;
    }
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "RateLimited");
    assert!(!app.guest().sign_in("ada@example.com").await.is_new, "codes have limits of their own");
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_never_overdraw_the_budget() {
    let app = TestApp::with(wide).await;
    owner(&app, "ada@example.com").await;
    guess_wrong(&app, "ada@example.com", 12).await;
    let (app, clients) = (&app, (0..16).map(|_| app.guest()).collect::<Vec<_>>());
    let guesses = clients.iter().map(|client| async move {
        call(client, "login", sign_in_with(client, "ada@example.com", OTHER)).await["__typename"].clone()
    });
    let kinds = futures_util::future::join_all(guesses).await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "InvalidCredentials").count(), 8, "{kinds:?}");
    assert_eq!(app.count("password_tries", "1 = 1").await, 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_floods_the_queue_is_refused_uncounted_and_others_sign_in() {
    let app = TestApp::with(|flags| {
        wide(flags);
        flags.password_cost = Some("m=65536,t=3,p=1".into());
        flags.limits.insert(Rule::GuessPassword, "1000/1d".into());
        flags.limits.insert(Rule::GuessPasswordMonth, "1000/30d".into());
    })
    .await;
    let owner = owner(&app, "ada@example.com").await;
    let flood = app.guest();
    let guess = || async { answer(&flood, "login", sign_in_with(&flood, "eve@example.com", OTHER)).await };
    let guesses = futures_util::future::join_all((0..40).map(|_| guess()));
    let (answers, elsewhere) = tokio::join!(guesses, login(&owner, "ada@example.com", PASSWORD));
    SignedIn::read(&elsewhere);
    let (mut compared, mut refused) = (0, 0);
    for answer in answers {
        if answer.json["errors"].is_null() {
            assert_eq!(answer.field("login")["__typename"], "InvalidCredentials");
            compared += 1;
        } else {
            assert_eq!(answer.code(), "UNAVAILABLE", "{}", answer.text);
            refused += 1;
        }
    }
    assert!(refused >= 20 && compared >= 1, "{refused} refused, {compared} compared");
    let counted = app.count("password_tries", "1 = 1").await;
    assert!(counted >= compared && counted <= 20, "{counted} counted, {compared} compared");
}
