//! Rotation of signing keys: under load, with several replicas, with unknown key ids, and with a changed server secret.

use std::{collections::HashSet, sync::Arc};

use doorcode::{
    app::{App, Overrides},
    domain::{keys, mail::delivery, token},
    http::{self, Server},
    ports::Clock,
};
use futures_util::future::join_all;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    accepted,
    forge::{Forge, kid},
    refused, unlimited,
};
use crate::harness::{Client, Replica, SignedIn, TestApp};

async fn published(client: &Client<'_>) -> HashSet<String> {
    let answer = client.get("/.well-known/jwks.json").await;
    let keys = answer.json["keys"].as_array().unwrap();
    keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

async fn refreshed(client: &Client<'_>, token: &str) -> (String, String) {
    let answer = client.refresh(token).await;
    let text = |name: &str| answer["tokens"][name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text("accessToken"), text("refreshToken"))
}

/// Another process on the same database, with these server secrets.
pub(crate) async fn process_with(app: &TestApp, secrets: &[&SecretString]) -> Replica {
    let mut settings = app.ctx().settings.clone();
    settings.secrets = secrets.iter().map(|secret| (*secret).clone()).collect();
    let overrides =
        Overrides { clock: Some(app.clock.clone()), limiter: Some(app.limiter.clone()), ..Overrides::default() };
    let app = App::build(settings, overrides).await.unwrap();
    app.prepare().await.unwrap();
    let router = http::router(&Server::new(Arc::clone(&app.ctx)));
    Replica { app, router }
}

/// Delivers the queued mail of a process, and returns the code in the newest email to an address.
pub(crate) async fn last_code_at(process: &Replica, email: &str) -> String {
    while delivery::deliver_due(&process.app.ctx, &process.app.transport).await.unwrap() > 0 {}
    let mails = process.app.ctx.inbox.as_ref().unwrap().list(Some(email), 1);
    mails.first().and_then(|mail| mail.code.clone()).expect("an email with a code")
}

async fn sign_in_at(client: &Client<'_>, process: &Replica, email: &str) -> SignedIn {
    let challenge = client.challenge(email).await;
    SignedIn::read(&client.verify(&challenge, &last_code_at(process, email).await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn valid_tokens_are_accepted_during_a_key_rotation_under_load() {
    let app = unlimited("EdDSA").await;
    let replica = app.replica().await;
    let clients = [app.guest(), app.guest().via(&replica)];
    let signed_in = clients[0].sign_in("ada@example.com").await;
    let old = kid(&signed_in.access);
    let (mut access, mut refresh) = (signed_in.access, signed_in.refresh);
    let mut living = vec![(app.clock.now(), access.clone())];
    let load = async |tokens: &[(_, String)]| {
        let calls = (0..40).map(|number| (&clients[number % 2], &tokens[number % tokens.len()].1));
        join_all(calls.map(|(client, token)| accepted(client, token, "under load"))).await;
    };
    let (next, ()) = tokio::join!(keys::rotate(app.ctx()), load(&living));
    let next = next.unwrap().id.to_string();
    let started = app.clock.now();
    for minute in 1..=30 {
        app.clock.pass(60.0);
        // Each process reloads its keys every minute. Do so during requests.
        let (here, there, ()) = tokio::join!(token::reload(app.ctx()), token::reload(&replica.app.ctx), load(&living));
        here.unwrap();
        there.unwrap();
        for client in &clients {
            let keys = published(client).await;
            assert!(keys.contains(&next), "minute {minute}: published");
            assert_eq!(keys.contains(&old), minute < 26, "minute {minute}: retired when its last token has expired");
        }
        (access, refresh) = refreshed(&clients[minute % 2], &refresh).await;
        let expected = if minute < 10 { &old } else { &next };
        assert_eq!(&kid(&access), expected, "minute {minute}: published ten minutes before it signs");
        living.push((app.clock.now(), access));
        living.retain(|(made, _)| app.clock.now() - *made < chrono::TimeDelta::minutes(14));
    }
    assert!(app.clock.now() - started == chrono::TimeDelta::minutes(30));
    keys::purge(app.ctx(), app.clock.now()).await.unwrap();
    let left = keys::list(app.ctx()).await.unwrap();
    assert_eq!((left.len(), left[0].id.to_string()), (1, next));
    load(&living).await;
    assert_eq!(
        app.count("audit_events", "kind = 'KEY_ROTATED'").await,
        2,
        "two keys were created: the first and the next"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_missed_a_rotation_loads_the_key_on_the_first_token() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    keys::rotate(app.ctx()).await.unwrap();
    token::reload(app.ctx()).await.unwrap();
    app.clock.pass(600.0);
    let (access, _) = refreshed(&guest, &signed_in.refresh).await;
    assert_ne!(kid(&access), kid(&signed_in.access));
    accepted(&guest.via(&replica), &access, "the replica looks up the unknown key").await;
    accepted(&guest.via(&replica), &signed_in.access, "the token of the old key still works").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_key_verifies_nothing_even_before_it_is_purged() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let forge = Forge::of(&app, &signed_in.access).await;
    keys::rotate(app.ctx()).await.unwrap();
    let mut verified = None;
    for seconds in [25.0 * 60.0, 60.0] {
        // Test processes do not reload keys on a schedule. After this, the process knows when the old key ends.
        token::reload(app.ctx()).await.unwrap();
        app.clock.pass(seconds);
        let now = app.clock.now().timestamp();
        let fresh = forge.claiming(json!({ "iat": now, "nbf": now, "exp": now + 900 }));
        if seconds > 60.0 {
            accepted(&guest, &fresh, "before the key retires").await;
            verified = Some(fresh);
        } else {
            refused(&guest, &fresh, "after the key has retired").await;
            refused(&guest, &verified.take().unwrap(), "the same, for a token that was verified before").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_key_ids_cause_at_most_one_database_lookup_in_five_seconds() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let forge = Forge::of(&app, &signed_in.access).await;
    let unknown: Vec<String> = (0..50).map(|_| forge.headed(json!({ "kid": Uuid::new_v4() }))).collect();
    let statements = || app.take_statements().len();
    app.clock.pass(6.0);
    for round in 0..3 {
        statements();
        for token in &unknown {
            refused(&guest, token, "an unknown key").await;
        }
        assert_eq!(statements(), 1, "round {round}: one lookup for requests in sequence");
        app.clock.pass(4.0);
        join_all(unknown.iter().map(|token| refused(&guest, token, "an unknown key"))).await;
        assert_eq!(statements(), 0, "round {round}: no lookup within five seconds of the last");
        app.clock.pass(6.0);
        join_all(unknown.iter().map(|token| refused(&guest, token, "an unknown key"))).await;
        assert_eq!(statements(), 1, "round {round}: one lookup for concurrent requests");
        app.clock.pass(6.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_started_together_accept_each_others_first_tokens() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let replicas = [app.replica().await, app.replica().await, app.replica().await];
    app.sql("DELETE FROM signing_keys").await;
    let started = join_all(replicas.iter().map(|replica| token::prepare(&replica.app.ctx))).await;
    assert!(started.into_iter().all(|outcome| outcome.is_ok()));
    assert_eq!(app.count("signing_keys", "1 = 1").await, 1, "one replica created the key, and the others use it");
    let mut refresh = signed_in.refresh;
    for replica in &replicas {
        let access;
        (access, refresh) = refreshed(&guest.via(replica), &refresh).await;
        for other in &replicas {
            accepted(&guest.via(other), &access, "a token of another replica").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_algorithm_creates_a_key_and_old_tokens_stay_valid() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let mut settings = app.ctx().settings.clone();
    settings.tokens.algorithm = doorcode::settings::TokenAlgorithm::Es256;
    for _ in 0..2 {
        let overrides = Overrides { clock: Some(app.clock.clone()), ..Overrides::default() };
        let other = App::build(settings.clone(), overrides).await.unwrap();
        other.prepare().await.unwrap();
        let router = http::router(&Server::new(Arc::clone(&other.ctx)));
        let replica = Replica { app: other, router };
        accepted(&guest.via(&replica), &signed_in.access, "signed with the old key").await;
        assert_eq!(published(&guest.via(&replica)).await.len(), 2);
    }
    assert_eq!(app.count("signing_keys", "1 = 1").await, 2, "the second start uses the new key of the first");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_with_an_old_secret_and_are_resealed_with_the_newest() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let old = app.ctx().settings.secrets[0].clone();
    let new = SecretString::from("a new secret of more than thirty-two bytes");

    let secrets = [&new, &old];
    let started = tokio::join!(process_with(&app, &secrets), process_with(&app, &secrets));
    let (access, refresh) = refreshed(&guest.via(&started.1), &signed_in.refresh).await;
    // A process with only the old secret reloads its keys. It cannot decrypt the resealed key, but keeps using its
    // copy.
    token::reload(app.ctx()).await.unwrap();
    let newest = process_with(&app, &[&new]).await;
    for client in [guest.via(&started.0), guest.clone(), guest.via(&newest)] {
        accepted(&client, &signed_in.access, "signed before the key was resealed").await;
        accepted(&client, &access, "signed with the same key afterwards").await;
    }
    assert_eq!(app.count("signing_keys", "1 = 1").await, 1, "no new key was needed");

    let other = SecretString::from("a secret that none of the others ever knew");
    let foreign = process_with(&app, &[&other]).await;
    let elsewhere = guest.via(&foreign);
    assert_eq!(app.count("signing_keys", "1 = 1").await, 2);
    for token in [&signed_in.access, &access] {
        refused(&elsewhere, token, "this process cannot decrypt the key").await;
    }
    let fresh = published(&elsewhere).await;
    assert!(!fresh.contains(&kid(&access)) && fresh.len() == 1);
    let own = sign_in_at(&elsewhere, &foreign, "eve@example.com").await;
    accepted(&elsewhere, &own.access, "the process accepts its own tokens immediately").await;
    assert_eq!(
        guest.via(&foreign).refresh(&refresh).await["__typename"],
        "SessionEnded",
        "the refresh token was created with an unknown secret"
    );
    accepted(&guest.via(&newest), &access, "the failed refresh did not end the session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_key_created_with_a_fast_clock_does_not_block_sign_ins() {
    let app = TestApp::new().await;
    app.clock.pass(-600.0);
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    accepted(&guest, &signed_in.access, "a token signed before the creation time of the key").await;
}
