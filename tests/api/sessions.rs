//! Sessions and refresh tokens: rotation and its grace period, reuse, lifetimes, limits, and every way to end a
//! session. Known devices are in `devices`, limiter outages in `away`.

mod away;
mod devices;
mod ending;
mod reading;
mod times;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{
    db::entity::{UserStatus, sessions},
    domain::{session, vault},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp};

/// Refreshes a session, which must succeed. Returns the new access and refresh tokens.
async fn refreshed(client: &Client<'_>, token: &str) -> (String, String) {
    let answer = client.refresh(token).await;
    assert_eq!(answer["__typename"], "Refreshed", "{answer}");
    let text = |name: &str| answer["tokens"][name].as_str().unwrap().to_owned();
    (text("accessToken"), text("refreshToken"))
}

async fn is_over(client: &Client<'_>, token: &str) {
    let answer = client.refresh(token).await;
    assert_eq!(answer["__typename"], "SessionEnded", "{answer}");
}

async fn status_of_me(client: &Client<'_>, access: &str) -> u16 {
    client.with_bearer(access).me().await.status.as_u16()
}

async fn log_out_with(client: &Client<'_>, refresh: &str) -> Value {
    let query = "mutation($input: LogoutInput) { logout(input: $input) { __typename ... on LoggedOut { sessionId } } }";
    let answer = client.query(query, json!({ "input": { "refreshToken": refresh } })).await;
    answer.field("logout").clone()
}

async fn only_session(app: &TestApp) -> sessions::Model {
    let mut rows = sessions::Entity::find().all(app.ctx().db.read()).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.remove(0)
}

async fn reuses(app: &TestApp) -> i64 {
    app.count("audit_events", "kind = 'REFRESH_TOKEN_REUSED'").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refresh_gives_a_new_token_of_the_same_session() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let (mut refresh, mut seen) = (signed_in.refresh, std::collections::HashSet::new());
    for _ in 0..5 {
        app.clock.pass(60.0);
        let answer = guest.refresh(&refresh).await;
        assert_eq!(answer["session"]["id"], signed_in.session.as_str());
        answer["tokens"]["refreshToken"].as_str().unwrap().clone_into(&mut refresh);
        let access = answer["tokens"]["accessToken"].as_str().unwrap().to_owned();
        assert_eq!(status_of_me(&guest, &access).await, 200);
        assert!(seen.insert(refresh.clone()) && seen.insert(access), "all tokens are new");
    }
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_refresh_token_returns_the_same_successor_for_ten_seconds() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let guest = app.guest();
    let first = guest.sign_in("ada@example.com").await.refresh;
    let (_, second) = refreshed(&guest, &first).await;
    for (client, seconds) in [(guest.clone(), 0.0), (guest.via(&replica), 5.0), (guest.clone(), 5.0)] {
        app.clock.pass(seconds);
        let (access, again) = refreshed(&client, &first).await;
        assert_eq!(again, second);
        assert_eq!(status_of_me(&guest, &access).await, 200);
    }
    let (_, third) = refreshed(&guest, &second).await;
    assert_ne!(third, second);
    assert_eq!(reuses(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_refresh_token_ends_the_session_after_the_grace_period() {
    for erased in [false, true] {
        let app = TestApp::new().await;
        let guest = app.guest();
        let signed_in = guest.sign_in("ada@example.com").await;
        let (access, live) = refreshed(&guest, &signed_in.refresh).await;
        app.clock.pass(10.1);
        if erased {
            session::retention::erase_successors(app.ctx()).await.unwrap();
        }
        assert_eq!(status_of_me(&guest, &access).await, 200);
        is_over(&guest, &signed_in.refresh).await;
        assert_eq!(status_of_me(&guest, &access).await, 401, "the session ends immediately");
        assert_eq!(status_of_me(&guest, &signed_in.access).await, 401);
        is_over(&guest, &live).await;
        is_over(&guest, &signed_in.refresh).await;
        assert_eq!(reuses(&app).await, 1, "the reuse is recorded once");
        let row = only_session(&app).await;
        assert_eq!(row.end_reason.as_deref(), Some("TOKEN_REUSED"));
        assert_eq!(row.successor, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_two_generations_old_always_ends_the_session() {
    for seconds in [0.0, 3.0, 100_000.0] {
        let app = TestApp::new().await;
        let guest = app.guest();
        let first = guest.sign_in("ada@example.com").await.refresh;
        let (_, second) = refreshed(&guest, &first).await;
        let (access, third) = refreshed(&guest, &second).await;
        app.clock.pass(seconds);
        is_over(&guest, &first).await;
        assert_eq!(reuses(&app).await, 1);
        assert_eq!(status_of_me(&guest, &access).await, 401);
        for token in [&second, &third] {
            is_over(&guest, token).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invented_token_for_a_known_session_does_not_end_it() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let stranger = guest.sign_in("eve@example.com").await;
    let (mine, theirs) = (raw(&signed_in.refresh), raw(&stranger.refresh));
    assert_eq!(
        &mine[..16],
        only_id(&app, "ada@example.com").await.as_bytes(),
        "a thief with a copy of the table knows the session id"
    );
    let mut forged = vec![
        [&mine[..16], &[0; 48]].concat(),
        [&mine[..16], &theirs[16..]].concat(),
        [&mine[..48], &theirs[48..]].concat(),
        [&theirs[..16], &mine[16..]].concat(),
        [&mine[..16], &theirs[16..48], &mine[48..]].concat(),
    ];
    for at in 0..mine.len() * 8 {
        let mut flipped = mine.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        forged.push(flipped);
    }
    let audit = app.count("audit_events", "1 = 1").await;
    let calls = app.limiter.calls.load(std::sync::atomic::Ordering::SeqCst);
    app.take_statements();
    for bytes in &forged {
        let token = URL_SAFE_NO_PAD.encode(bytes);
        is_over(&guest, &token).await;
    }
    for garbage in ["", "x", " ", &"A".repeat(86), &"A".repeat(9_000), "../..", &format!("{}=", signed_in.refresh)] {
        is_over(&guest, garbage).await;
        assert_eq!(log_out_with(&guest, garbage).await["__typename"], "SessionEnded");
    }
    for bytes in forged.iter().take(40) {
        assert_eq!(log_out_with(&guest, &URL_SAFE_NO_PAD.encode(bytes)).await["__typename"], "SessionEnded");
    }
    assert_eq!(app.take_statements(), Vec::<String>::new(), "no forged token caused a database query");
    assert_eq!(app.limiter.calls.load(std::sync::atomic::Ordering::SeqCst), calls);
    assert_eq!(app.count("audit_events", "1 = 1").await, audit);
    for signed_in in [signed_in, stranger] {
        assert_eq!(status_of_me(&guest, &signed_in.access).await, 200);
        refreshed(&guest, &signed_in.refresh).await;
    }
}

fn raw(token: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(token).unwrap()
}

async fn only_id(app: &TestApp, email: &str) -> uuid::Uuid {
    let rows = sessions::Entity::find()
        .find_also_related(doorcode::db::entity::users::Entity)
        .all(app.ctx().db.read())
        .await
        .unwrap();
    let mut of = rows.into_iter().filter(|(_, user)| user.as_ref().is_some_and(|user| user.email == email));
    of.next().unwrap().0.id
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_table_never_holds_a_usable_token() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let first = guest.sign_in("ada@example.com").await.refresh;
    let (_, second) = refreshed(&guest, &first).await;
    let row = only_session(&app).await;
    assert_eq!(row.refresh_hash, vault::sha256(&raw(&second)));
    assert_eq!(row.previous_hash, Some(vault::sha256(&raw(&first))));
    let sealed = row.successor.clone().expect("the successor is kept for the grace period");
    let hashes = [row.refresh_hash.as_bytes(), row.previous_hash.as_ref().unwrap().as_bytes()];
    for column in hashes.into_iter().chain([&*sealed]) {
        for token in [&first, &second] {
            let random = &raw(token)[16..];
            for part in random.windows(8) {
                assert!(
                    !column.windows(8).any(|bytes| bytes == part),
                    "the table contains a part of a token in plain text"
                );
            }
            assert!(!column.windows(token.len()).any(|bytes| bytes == token.as_bytes()));
        }
        is_over(&guest, &URL_SAFE_NO_PAD.encode(column)).await;
    }
    let context = row.id.as_bytes();
    let opened =
        vault::open_as_holder(&raw(&first), context, &sealed).expect("the previous token decrypts its successor");
    assert_eq!(*opened, raw(&second));
    for key in hashes.into_iter().chain([&*raw(&second), context]) {
        assert!(vault::open_as_holder(key, context, &sealed).is_none(), "no value in the table decrypts the successor");
    }
    let other = uuid::Uuid::nil();
    assert!(
        vault::open_as_holder(&raw(&first), other.as_bytes(), &sealed).is_none(),
        "the successor cannot be decrypted in another row"
    );

    app.clock.pass(10.0);
    session::retention::erase_successors(app.ctx()).await.unwrap();
    assert!(only_session(&app).await.successor.is_some(), "the successor is kept until the grace period ends");
    assert_eq!(refreshed(&guest, &first).await.1, second);
    app.clock.pass(0.1);
    session::retention::erase_successors(app.ctx()).await.unwrap();
    assert_eq!(only_session(&app).await.successor, None, "the successor is erased after the grace period");
    refreshed(&guest, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_user_cannot_refresh_and_must_sign_in_again_afterwards() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    app.set_status("ada@example.com", UserStatus::Suspended).await;
    is_over(&guest, &signed_in.refresh).await;
    assert_eq!(status_of_me(&guest, &signed_in.access).await, 401);
    app.set_status("ada@example.com", UserStatus::Active).await;
    is_over(&guest, &signed_in.refresh).await;
    assert_eq!(reuses(&app).await, 0);
    let again = guest.sign_in("ada@example.com").await;
    refreshed(&guest, &again.refresh).await;
}
