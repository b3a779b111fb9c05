//! Resetting a password: what ends, what is forgotten, and that a sign-in under way does not survive it.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use doorcode::{
    adapter::limiter::memory::{DEFAULT_ENTRIES, MemoryLimiter},
    db::entity::{Role, UserStatus},
    limits::Rule,
    ports::{Charge, Limiter, LimiterUnavailable, Verdict},
};
use serde_json::json;
use tokio::sync::Semaphore;

use super::{
    OTHER, PASSWORD, answer, call, disown_token, events, kind, login, owner, password_session, request_reset, reset,
    status, text,
};
use crate::harness::{SignedIn, TestApp, eventually, other_than};

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_ends_everything_on_every_replica_at_once_and_signs_in() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let owner = owner(&app, "ada@example.com").await;
    let second = password_session(&app, "ada@example.com", PASSWORD).await;
    let asked = owner.change("changeEmail", json!({ "email": "next@example.com" }), "... on CodeSent { challenge }");
    let pending = asked.await.field("changeEmail")["challenge"].clone();
    let pending_code = app.last_code_for("next@example.com").await;
    let under_way = app.guest();
    let challenge = under_way.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    assert_eq!(status(&owner.via(&replica)).await, 200);
    let mails = app.mails_for("ada@example.com").await.len();
    app.clock.pass(60.0);

    let device = app.guest();
    let signed_in = reset(&app, &device, "ada@example.com", OTHER).await;
    let is = SignedIn::read(&signed_in);
    assert_eq!((&signed_in["isNewUser"], &is.user), (&json!(false), &owner.is.user));
    assert_eq!(signed_in["session"]["methods"], json!(["EMAIL_CODE"]));
    assert_eq!(signed_in["user"]["passwordChangedAt"], signed_in["session"]["createdAt"]);
    for gone in [&owner, &second] {
        assert_eq!(status(&gone.via(&replica)).await, 401, "on another replica");
        assert_eq!(status(gone).await, 401);
        assert_eq!(gone.via(&replica).refresh(&gone.is.refresh).await["__typename"], "SessionEnded");
    }
    assert_eq!(app.count("sessions", "end_reason = 'PASSWORD_RESET'").await, 2);
    assert_eq!(app.count("devices", "1 = 1").await, 1, "only the new one");
    assert_eq!(kind(&under_way, "verify", json!({ "challenge": challenge, "code": code })).await, "CodeExpired");
    let late = json!({ "challenge": pending, "code": pending_code });
    let new = device.with_bearer(&is.access);
    assert_eq!(kind(&new, "confirmEmail", late).await, "CodeExpired");

    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);
    let news = app.mails_for("ada@example.com").await;
    // The code, the notice of the reset, and one of the sign-in just now.
    assert_eq!(news.len(), mails + 3, "the reset itself sends one notice");
    assert!(news[1].code.is_none() && news[1].text.contains("#disown="), "{}", news[1].text);
    assert_eq!((events(&app, "PASSWORD_RESET_REQUESTED").await, events(&app, "PASSWORD_RESET").await), (1, 1));
    let delete = call(&new, "deleteAccount", json!({ "email": "ada@example.com" })).await;
    assert_eq!(delete["__typename"], "AccountDeleted", "a reset is a recent sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_device_that_resets_gets_a_new_token_and_the_old_one_is_unknown() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let is = SignedIn::read(&reset(&app, &owner, "ada@example.com", OTHER).await);
    assert_ne!(is.device, owner.is.device);
    assert_eq!(app.count("devices", "1 = 1").await, 1);
    let before = app.mails_for("ada@example.com").await.len();
    SignedIn::read(&login(&owner, "ada@example.com", OTHER).await);
    assert_eq!(app.mails_for("ada@example.com").await.len(), before + 1, "the old token is a new device");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_password_gets_one_by_a_reset() {
    let app = TestApp::new().await;
    app.guest().sign_in("ada@example.com").await;
    let signed_in = reset(&app, &app.guest(), "ada@example.com", OTHER).await;
    assert_eq!(signed_in["user"]["hasPassword"], true);
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_never_creates_an_account_and_looks_the_same_for_every_address() {
    let app = TestApp::new().await;
    owner(&app, "known@example.com").await;
    app.make("suspended@example.com", Role::User).await;
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    let mut seen = Vec::new();
    for email in ["known@example.com", "stranger@example.com", "suspended@example.com"] {
        app.drain_outbox().await;
        let (guest, before) = (app.guest(), app.mails_for(email).await.len());
        app.take_statements();
        let sent = call(&guest, "requestPasswordReset", json!({ "email": email })).await;
        let names = sent.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        seen.push((sent["__typename"].clone(), sent["attemptsLeft"].clone(), names, app.take_statements()));
        assert_eq!(app.mails_for(email).await.len() - before, usize::from(email == "known@example.com"), "{email}");
        let input = json!({ "challenge": sent["challenge"], "code": "12345678", "newPassword": OTHER });
        assert_eq!(call(&guest, "resetPassword", input).await["attemptsLeft"], 2, "{email}");
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
    assert_eq!(app.count("users", "1 = 1").await, 2);
    assert_eq!(kind(&app.guest(), "requestPasswordReset", json!({ "email": "nothing" })).await, "InvalidEmail");
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_suspended_after_the_request_is_not_signed_in() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let guest = app.guest();
    let challenge = request_reset(&guest, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    app.set_status("ada@example.com", UserStatus::Suspended).await;
    let input = json!({ "challenge": challenge, "code": code, "newPassword": OTHER });
    assert_eq!(kind(&guest, "resetPassword", input).await, "CodeExpired");
    app.set_status("ada@example.com", UserStatus::Active).await;
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_weak_password_costs_no_try_a_wrong_code_does_and_a_code_works_once() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let guest = app.guest();
    let challenge = request_reset(&guest, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let input = |code: &str, password: &str| json!({ "challenge": challenge, "code": code, "newPassword": password });
    for _ in 0..5 {
        for weak in ["short", "ada@example.com", "password"] {
            assert_eq!(kind(&guest, "resetPassword", input(&code, weak)).await, "WeakPassword");
            assert_eq!(kind(&guest, "resetPassword", input(&other_than(&code), weak)).await, "WeakPassword");
        }
    }
    let wrong = call(&guest, "resetPassword", input(&other_than(&code), OTHER)).await;
    assert_eq!((&wrong["__typename"], &wrong["attemptsLeft"]), (&json!("InvalidCode"), &json!(2)));
    assert_eq!(answer(&guest, "resetPassword", input("12", OTHER)).await.code(), "BAD_USER_INPUT");
    SignedIn::read(&call(&guest, "resetPassword", input(&code, OTHER)).await);
    assert_eq!(kind(&guest, "resetPassword", input(&code, PASSWORD)).await, "CodeExpired");
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);

    let late = request_reset(&guest, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    app.clock.pass(301.0);
    let input = json!({ "challenge": late, "code": code, "newPassword": PASSWORD });
    assert_eq!(kind(&guest, "resetPassword", input).await, "CodeExpired");
}

#[tokio::test(flavor = "multi_thread")]
async fn once_the_tries_of_codes_are_spent_the_mail_of_a_reset_has_a_link_that_counts_as_recent() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::GuessAccount, "1/1d".into());
    })
    .await;
    owner(&app, "ada@example.com").await;
    let guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    guest.verify(&challenge, &other_than(&code)).await;
    request_reset(&guest, "ada@example.com").await;
    let token = app.last_link_for("ada@example.com").await;
    let is = SignedIn::read(&guest.verify_link(&token).await);
    let set = call(&guest.with_bearer(&is.access), "setPassword", json!({ "newPassword": OTHER })).await;
    assert_eq!(set["__typename"], "PasswordSet");
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);
}

/// A limiter that holds callers of one address when it is asked about passwords.
struct Holding {
    inner: MemoryLimiter,
    ip: IpAddr,
    is_on: AtomicBool,
    is_held: AtomicBool,
    go: Semaphore,
}

struct Held(Arc<Holding>);

#[async_trait]
impl Limiter for Held {
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable> {
        let (Self(held), ip) = (self, self.0.ip.to_string());
        let is_meant = |charge: &Charge| charge.rule == Rule::PasswordNetwork.name() && charge.key.contains(&ip);
        if held.is_on.load(Ordering::SeqCst) && charges.iter().any(is_meant) {
            held.is_held.store(true, Ordering::SeqCst);
            held.go.acquire().await.unwrap().forget();
        }
        held.inner.take(charges, now).await
    }

    async fn ping(&self) -> Result<(), LimiterUnavailable> {
        self.0.inner.ping().await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_read_the_old_password_does_not_survive_its_replacement() {
    for way in ["reset", "change", "removal"] {
        let holding = Arc::new(Holding {
            inner: MemoryLimiter::new(DEFAULT_ENTRIES),
            ip: "192.0.2.77".parse().unwrap(),
            is_on: AtomicBool::new(false),
            is_held: AtomicBool::new(false),
            go: Semaphore::new(0),
        });
        let app = TestApp::limited_by(Box::new(Held(Arc::clone(&holding))), |_| {}).await;
        let owner = owner(&app, "ada@example.com").await;
        holding.is_on.store(true, Ordering::SeqCst);
        let thief = app.guest().at_ip("192.0.2.77");
        let late = async { login(&thief, "ada@example.com", PASSWORD).await };
        let replaced = async {
            eventually("the sign-in is under way", async || holding.is_held.load(Ordering::SeqCst)).await;
            let done = match way {
                "reset" => reset(&app, &app.guest(), "ada@example.com", OTHER).await["__typename"].clone(),
                "change" => kind(&owner, "setPassword", json!({ "newPassword": OTHER })).await.into(),
                _ => kind(&owner, "removePassword", json!({})).await.into(),
            };
            assert!(["SignedIn", "PasswordSet", "PasswordRemoved"].contains(&done.as_str().unwrap()), "{way}: {done}");
            holding.go.add_permits(8);
        };
        let (late, ()) =
            tokio::time::timeout(std::time::Duration::from_secs(20), async { tokio::join!(late, replaced) })
                .await
                .unwrap();
        assert_eq!(late["__typename"], "InvalidCredentials", "{way}");
        assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1, "{way}: the owner's");
        assert_eq!(app.count("password_tries", "1 = 1").await, 1, "{way}: it stays counted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_parallel_resets_with_one_code_one_wins() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let (one, other) = (app.guest(), app.guest());
    let challenge = request_reset(&one, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let input = |password: &str| json!({ "challenge": challenge, "code": code, "newPassword": password });
    let (first, second) = tokio::join!(
        call(&one, "resetPassword", input(OTHER)),
        call(&other, "resetPassword", input("another way around")),
    );
    let kinds = [text(&first["__typename"]), text(&second["__typename"])];
    assert!(kinds.contains(&"SignedIn".into()) && kinds.contains(&"CodeExpired".into()), "{kinds:?}");
    let password = if kinds[0] == "SignedIn" { OTHER } else { "another way around" };
    SignedIn::read(&login(&app.guest(), "ada@example.com", password).await);
    assert!(!disown_token(&app, "ada@example.com").await.is_empty());
}
