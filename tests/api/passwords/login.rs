//! Signing in with a password: what opens a session, and that everything else is refused in one way.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use doorcode::db::entity::UserStatus;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

use super::{
    DAY, OTHER, PASSWORD, answer, call, events, login, owner, password_session, register, request_reset, sign_in_with,
    status, text,
};
use crate::harness::{Client, SignedIn, TestApp};

fn claims(access: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(access.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn at(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_a_session_that_says_so() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    app.clock.pass(3_600.0);
    let signed_in = login(&app.guest(), " ADA@example.com", PASSWORD).await;
    let session = &signed_in["session"];
    assert_eq!((&signed_in["isNewUser"], &signed_in["user"]["id"]), (&json!(false), &json!(owner.is.user)));
    assert_eq!((&session["methods"], &session["remembered"]), (&json!(["PASSWORD"]), &json!(true)));
    assert_eq!((&session["clientId"], &session["authenticatedAt"]), (&Value::Null, &session["createdAt"]));
    assert_eq!(at(&session["createdAt"]).timestamp(), app.ctx().now().timestamp());
    let claims = claims(&text(&signed_in["tokens"]["accessToken"]));
    assert_eq!((&claims["amr"], &claims["auth_time"]), (&json!(["pwd"]), &json!(app.ctx().now().timestamp())));
    let refreshed = app.guest().refresh(&text(&signed_in["tokens"]["refreshToken"])).await;
    let again = self::claims(&text(&refreshed["tokens"]["accessToken"]));
    assert_eq!(again["amr"], json!(["pwd"]), "a refresh keeps the methods");
    assert_eq!(self::claims(&owner.is.access)["amr"], json!(["otp"]));
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_IN' AND CAST(detail AS TEXT) LIKE '%\"pwd\"%'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_one_answer_after_the_same_work() {
    let app = TestApp::new().await;
    for name in ["wrong", "suspended", "deleted"] {
        owner(&app, &format!("{name}@example.com")).await;
    }
    app.guest().sign_in("none@example.com").await;
    app.set_status("suspended@example.com", UserStatus::Suspended).await;
    app.sql("UPDATE users SET status = 'DELETED', deleted_at = updated_at WHERE email = 'deleted@example.com'").await;
    app.drain_outbox().await;
    let mut seen = Vec::new();
    for (name, password) in
        [("wrong", OTHER), ("unknown", PASSWORD), ("none", PASSWORD), ("suspended", PASSWORD), ("deleted", PASSWORD)]
    {
        let guest = app.guest();
        app.take_statements();
        app.limiter.calls.swap(0, Ordering::SeqCst);
        let refused = answer(&guest, "login", sign_in_with(&guest, &format!("{name}@example.com"), password)).await;
        let headers: Vec<_> = refused.headers.keys().map(ToString::to_string).collect();
        let calls = app.limiter.calls.swap(0, Ordering::SeqCst);
        seen.push((name, (refused.status, refused.json, headers, app.take_statements(), calls)));
    }
    assert_eq!(seen[0].1.1["data"]["login"]["code"], "INVALID_CREDENTIALS");
    for (name, refused) in &seen {
        assert_eq!(refused, &seen[0].1, "{name}");
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 5, "each is counted");
    assert_eq!(app.count("outbox", "state = 'PENDING'").await, 0, "nothing is mailed");
    assert_eq!(events(&app, "WRONG_PASSWORD").await, 5);
    app.set_status("suspended@example.com", UserStatus::Active).await;
    SignedIn::read(&login(&app.guest(), "suspended@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn right_passwords_cost_no_tries_and_clear_none() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    login(&app.guest(), "ada@example.com", OTHER).await;
    for _ in 0..25 {
        SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
        SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 1, "only the wrong one");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_new_device_causes_a_notice_and_each_sign_in_replaces_the_device_token() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let before = app.mails_for("ada@example.com").await.len();
    let known = SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    assert_ne!(known.device, owner.is.device);
    assert_eq!(app.mails_for("ada@example.com").await.len(), before, "a known device");
    let stranger = app.guest();
    SignedIn::read(&login(&stranger, "ada@example.com", PASSWORD).await);
    let mails = app.mails_for("ada@example.com").await;
    assert_eq!(mails.len(), before + 1);
    assert!(mails[0].code.is_none() && mails[0].text.contains(&stranger.ip.to_string()), "{}", mails[0].text);
    assert!(mails[0].text.contains("#disown="));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_bearer_is_ignored_and_a_good_one_of_the_same_user_is_replaced() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let again = SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    assert_eq!(status(&owner).await, 401, "replaced");
    assert_eq!(status(&app.guest().with_bearer(&again.access)).await, 200);
    SignedIn::read(&login(&owner, "ada@example.com", PASSWORD).await);
    let other = self::owner(&app, "eve@example.com").await;
    SignedIn::read(&login(&other, "ada@example.com", PASSWORD).await);
    assert_eq!(status(&other).await, 200, "of another user");

    let bad = app.guest().with_bearer("nonsense");
    register(&bad, "new@example.com", PASSWORD).await;
    let challenge = request_reset(&bad, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    assert_eq!(call(&bad, "resendCode", json!({ "challenge": challenge })).await["__typename"], "CodeSent");
    let input = json!({ "challenge": challenge, "code": code, "newPassword": OTHER });
    SignedIn::read(&call(&bad, "resetPassword", input).await);
    let refused = answer(&bad, "setPassword", json!({ "newPassword": OTHER })).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (401, "UNAUTHENTICATED"));
}

/// Signs in by each way, with or without `remember`.
async fn by_every_way(app: &TestApp, remember: Option<bool>) -> Vec<(&'static str, Value)> {
    let with = |mut input: Value| {
        if let Some(remember) = remember {
            input["remember"] = remember.into();
        }
        input
    };
    let guest = app.guest();
    let mut all = Vec::new();
    for (way, asks) in [
        ("code", ("login", json!({ "email": "ada@example.com" }))),
        ("registration", ("register", json!({ "email": "eve@example.com", "password": PASSWORD }))),
    ] {
        let sent = call(&guest, asks.0, with(asks.1)).await;
        let code = app.last_code_for(sent["email"].as_str().unwrap()).await;
        let input = json!({ "challenge": sent["challenge"], "code": code });
        all.push((way, call(&guest, "verify", input).await));
    }
    all.push(("password", call(&guest, "login", with(sign_in_with(&guest, "eve@example.com", PASSWORD))).await));
    let challenge = request_reset(&guest, "eve@example.com").await;
    let code = app.last_code_for("eve@example.com").await;
    let input = json!({ "challenge": challenge, "code": code, "newPassword": OTHER });
    all.push(("reset", call(&guest, "resetPassword", with(input)).await));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn without_remember_a_session_ends_a_day_after_it_began_by_every_way() {
    for remember in [Some(false), Some(true), None] {
        let app = TestApp::new().await;
        let lasts = remember != Some(false);
        let mut tokens = Vec::new();
        for (way, signed_in) in by_every_way(&app, remember).await {
            let session = &signed_in["session"];
            assert_eq!(session["remembered"], lasts, "{way}");
            let length = at(&session["expiresAt"]) - at(&session["createdAt"]);
            assert_eq!(length, if lasts { TimeDelta::days(7) } else { TimeDelta::days(1) }, "{way}");
            assert_eq!(at(&session["expiresAt"]), at(&signed_in["tokens"]["refreshExpiresAt"]), "{way}");
            tokens.push((way, text(&signed_in["tokens"]["refreshToken"])));
        }
        // The reset ended the two sessions of the same user before it.
        tokens.retain(|(way, _)| ["code", "reset"].contains(way));
        app.clock.pass(DAY - 1.0);
        for (way, token) in &mut tokens {
            let refreshed = app.guest().refresh(token).await;
            assert_eq!(refreshed["__typename"], "Refreshed", "{way}");
            *token = text(&refreshed["tokens"]["refreshToken"]);
        }
        app.clock.pass(2.0);
        for (way, token) in &tokens {
            let expected = if lasts { "Refreshed" } else { "SessionEnded" };
            assert_eq!(app.guest().refresh(token).await["__typename"], expected, "{way}, remember {remember:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_length_of_a_session_without_remember_is_a_setting() {
    let app = TestApp::with(|flags| flags.session_short = Some("2h".into())).await;
    owner(&app, "ada@example.com").await;
    let input = json!({ "email": "ada@example.com", "password": PASSWORD, "remember": false });
    let is = SignedIn::read(&call(&app.guest(), "login", input).await);
    app.clock.pass(7_199.0);
    assert_eq!(app.guest().refresh(&is.refresh).await["__typename"], "Refreshed");
    app.clock.pass(2.0);
    assert_eq!(status(&app.guest().with_bearer(&is.access)).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_methods_of_a_session_are_visible_to_its_user_and_to_managers() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let owner = password_session(&app, "ada@example.com", PASSWORD).await;
    let manager = app.person("boss@example.com", doorcode::db::entity::Role::Manager).await;
    let fields = "sessions(first: 10) { nodes { methods authenticatedAt createdAt remembered clientId } }";
    let read = async |client: &Client<'_>, query: &str| {
        let answer = client.query(query, json!({})).await;
        answer.json["data"].as_object().unwrap().values().next().unwrap()["sessions"]["nodes"].clone()
    };
    let own = read(&owner, &format!("{{ me {{ {fields} }} }}")).await;
    assert_eq!((&own[0]["methods"], &own[1]["methods"]), (&json!(["PASSWORD"]), &json!(["EMAIL_CODE"])));
    let seen = read(&manager, &format!("{{ user(id: \"{}\") {{ {fields} }} }}", owner.is.user)).await;
    assert_eq!(seen, own);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_limiter_no_password_is_compared() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    app.limiter.away.store(true, Ordering::SeqCst);
    for password in [PASSWORD, OTHER] {
        let refused = answer(&app.guest(), "login", sign_in_with(&app.guest(), "ada@example.com", password)).await;
        assert_eq!(refused.code(), "UNAVAILABLE");
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 0);
    app.limiter.away.store(false, Ordering::SeqCst);
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}
