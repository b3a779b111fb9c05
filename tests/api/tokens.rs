//! Access tokens: their claims, and that the server only accepts an unchanged, unexpired token of an open session.
//! `rotation` tests signing keys, and `forged` tests forged headers and claims.

mod forge;
mod forged;
pub(crate) mod rotation;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{
    db::entity::{Role, UserStatus, sessions, users},
    domain::user::manage::Change,
    limits::Rule,
    ports::Clock,
};
use forge::{Forge, read};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp, set};

fn is_refused(answer: &Answer, why: &str) {
    assert_eq!(answer.status.as_u16(), 401, "{why}: {}", answer.text);
    assert_eq!(answer.code(), "UNAUTHENTICATED", "{why}");
    assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{why}");
    assert!(answer.json["data"].is_null(), "{why}: {}", answer.text);
}

/// The claims of a token, unchecked.
pub(crate) fn claims(token: &str) -> Value {
    read(token).1
}

async fn refused(guest: &Client<'_>, token: &str, why: &str) {
    is_refused(&guest.with_bearer(token).me().await, why);
}

async fn accepted(guest: &Client<'_>, token: &str, why: &str) {
    let answer = guest.with_bearer(token).me().await;
    assert_eq!(answer.status.as_u16(), 200, "{why}: {}", answer.text);
    assert!(answer.field("me")["id"].is_string(), "{why}: {}", answer.text);
}

/// An application without a practical operation limit, for tests with thousands of requests.
async fn unlimited(alg: &str) -> TestApp {
    TestApp::with(|flags| {
        flags.limits.insert(Rule::ApiCaller, "1000000/1m".into());
        flags.token_alg = Some(alg.to_owned());
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_has_exactly_the_documented_claims() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let opened = app.clock.now().timestamp();
    let user = users::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap();
    let session = sessions::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap();
    let (header, claims) = read(&signed_in.access);
    let kid = doorcode::domain::keys::list(app.ctx()).await.unwrap()[0].id;
    assert_eq!(header, json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": kid }));
    let jti = claims["jti"].clone();
    assert!(jti.as_str().unwrap().parse::<uuid::Uuid>().is_ok());
    let expected = json!({
        "iss": "http://localhost:4000", "aud": "http://localhost:4000", "sub": user.id, "sid": session.id,
        "iat": opened, "nbf": opened, "exp": opened + 900, "auth_time": opened, "amr": ["otp"], "role": "USER",
        "jti": jti,
    });
    assert_eq!(claims, expected);

    app.clock.pass(100.0);
    let refreshed = guest.refresh(&signed_in.refresh).await;
    let (_, later) = read(refreshed["tokens"]["accessToken"].as_str().unwrap());
    assert_ne!(later["jti"], jti, "every token has a unique id");
    assert_eq!(later["auth_time"], opened, "a refresh does not change the time of the sign-in");
    assert_eq!((later["iat"].as_i64(), later["exp"].as_i64()), (Some(opened + 100), Some(opened + 1000)));
    let expires_at: chrono::DateTime<chrono::Utc> = refreshed["tokens"]["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(expires_at.timestamp(), opened + 1000, "`expiresAt` matches the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn issuer_audience_and_lifetime_follow_the_settings() {
    let app = TestApp::with(|flags| {
        flags.public_url = Some("https://login.example.com/".into());
        flags.token_audience = Some("https://api.example.com".into());
        flags.access_ttl = Some("5m".into());
    })
    .await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let (_, claims) = read(&signed_in.access);
    assert_eq!(claims["iss"], "https://login.example.com");
    assert_eq!(claims["aud"], "https://api.example.com");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    accepted(&guest, &signed_in.access, "the token is valid for its audience").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_keys_verify_tokens_of_every_public_algorithm() {
    for (name, algorithm) in [("EdDSA", Algorithm::EdDSA), ("ES256", Algorithm::ES256), ("RS256", Algorithm::RS256)] {
        let app = unlimited(name).await;
        let guest = app.guest();
        let signed_in = guest.sign_in("ada@example.com").await;
        let answer = guest.get("/.well-known/jwks.json").await;
        assert_eq!(answer.headers["content-type"], "application/jwk-set+json");
        let keys = answer.json["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        for secret in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
            assert!(keys[0].get(secret).is_none(), "{name}: {secret} is published");
        }
        assert_eq!((&keys[0]["use"], &keys[0]["alg"]), (&json!("sig"), &json!(name)));
        let set: JwkSet = serde_json::from_value(answer.json.clone()).unwrap();
        let header = jsonwebtoken::decode_header(&signed_in.access).unwrap();
        assert_eq!(header.alg, algorithm);
        let jwk =
            set.find(header.kid.as_deref().unwrap()).expect("the published keys contain the key with the token's id");
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&["http://localhost:4000"]);
        validation.set_issuer(&["http://localhost:4000"]);
        validation.set_required_spec_claims(&["exp", "nbf", "aud", "iss", "sub"]);
        let key = DecodingKey::from_jwk(jwk).unwrap();
        jsonwebtoken::decode::<Value>(&signed_in.access, &key, &validation).unwrap();
        accepted(&guest, &signed_in.access, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_secret_is_never_published() {
    let app = unlimited("HS256").await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    assert_eq!(guest.get("/.well-known/jwks.json").await.json, json!({ "keys": [] }));
    assert_eq!(read(&signed_in.access).0["alg"], "HS256");
    accepted(&guest, &signed_in.access, "HS256").await;
    let forge = Forge::of(&app, &signed_in.access).await;
    accepted(&guest, &forge.claiming(json!({})), "the forging code works").await;
    for secret in forge.public_bytes().into_iter().chain([vec![0; 32]]) {
        let key = jsonwebtoken::EncodingKey::from_secret(&secret);
        let token = forge::sign_with(&key, Algorithm::HS256, &forge.header, &forge.claims);
        refused(&guest, &token, "a guessable secret").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_any_bit_flipped_is_refused() {
    for alg in ["EdDSA", "ES256", "HS256"] {
        let app = unlimited(alg).await;
        let guest = app.guest();
        let token = guest.sign_in("ada@example.com").await.access;
        let segments: Vec<Vec<u8>> = token.split('.').map(|segment| URL_SAFE_NO_PAD.decode(segment).unwrap()).collect();
        for (number, segment) in segments.iter().enumerate() {
            for bit in 0..segment.len() * 8 {
                let mut flipped = segments.clone();
                flipped[number][bit / 8] ^= 1 << (bit % 8);
                let flipped: Vec<String> = flipped.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
                refused(&guest, &flipped.join("."), &format!("{alg}: segment {number}, bit {bit}")).await;
            }
        }
        accepted(&guest, &token, "unchanged").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_has_one_spelling() {
    let app = unlimited("EdDSA").await;
    let guest = app.guest();
    let token = guest.sign_in("ada@example.com").await.access;
    for at in 0..token.len() {
        for bit in 0..7 {
            let mut flipped = token.clone().into_bytes();
            flipped[at] ^= 1 << bit;
            if flipped[at].is_ascii_graphic() {
                let flipped = String::from_utf8(flipped).unwrap();
                refused(&guest, &flipped, &format!("character {at}, bit {bit}")).await;
            }
        }
    }
    let parts: Vec<_> = token.split('.').collect();
    for other in [
        format!("{token}="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{}", parts[2]),
        parts[..2].join("."),
        format!("{}.{}.", parts[0], parts[1]),
        format!("..{}", parts[2]),
        "..".into(),
        ".".into(),
        "a.b.c".into(),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{} {}", parts[0], token),
        format!("{token},{token}"),
        format!("\"{token}\""),
    ] {
        refused(&guest, &other, &other).await;
    }
    accepted(&guest, &token, "unchanged").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_header_is_one_bearer_in_any_case() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let token = guest.sign_in("ada@example.com").await.access;
    let with = |values: &[String]| {
        let mut client = guest.clone();
        for value in values {
            client.headers.append("authorization", value.parse().unwrap());
        }
        client
    };
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        let answer = with(&[format!("{scheme} {token}")]).me().await;
        assert_eq!(answer.field("me")["email"], "ada@example.com", "{scheme}");
    }
    for values in [
        vec![format!("Bearer {token}"), format!("Bearer {token}")],
        vec![format!("Bearer {token}"), "Bearer x".into()],
        vec!["Basic eDp5".into(), format!("Bearer {token}")],
        vec![format!("Basic {token}")],
        vec![format!("DPoP {token}")],
        vec![token.clone()],
        vec!["Bearer".into()],
        vec!["Bearer ".into()],
        vec![String::new()],
        vec![format!("Bearer {token} {token}")],
        vec![format!("Bearer {token}, Bearer {token}")],
        vec![format!("Bearer\t{token}")],
    ] {
        is_refused(&with(&values).me().await, &format!("{values:?}"));
    }
    let mut bytes = guest.clone();
    bytes.headers.insert("authorization", axum::http::HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    is_refused(&bytes.me().await, "bytes that are not text");
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_different_kinds_are_not_interchangeable() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let challenge = guest.challenge("ada@example.com").await;
    for (token, what) in [
        (&signed_in.refresh, "a refresh token"),
        (&signed_in.device, "a device token"),
        (&signed_in.session, "a session's id"),
        (&signed_in.user, "a user's id"),
        (&challenge, "a challenge"),
    ] {
        refused(&guest, token, what).await;
    }
    for token in [&signed_in.access, &signed_in.device, &signed_in.session, &challenge] {
        assert_eq!(guest.refresh(token).await["__typename"], "SessionEnded");
    }
    for token in [&signed_in.access, &signed_in.refresh, &signed_in.session] {
        guest.with_device(token).login("ada@example.com").await;
        let link = guest.verify_link(token).await;
        assert_eq!(link["__typename"], "CodeExpired");
    }
    assert_eq!(app.count("email_codes", "device_id IS NOT NULL").await, 0);
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
    accepted(&guest, &signed_in.access, "none of these tokens ended the session").await;
    assert_eq!(guest.refresh(&signed_in.refresh).await["__typename"], "Refreshed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_expires_on_time() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let token = guest.sign_in("ada@example.com").await.access;
    app.clock.pass(899.0);
    accepted(&guest, &token, "one second before the end of the leeway").await;
    app.clock.pass(7.0);
    refused(&guest, &token, "after the leeway").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_suspended_or_changed_users_are_refused_on_the_next_request() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let guest = app.guest();
    app.make("boss@example.com", Role::Admin).await;
    app.make("other@example.com", Role::Admin).await;
    let signed_in = guest.sign_in("boss@example.com").await;
    let elsewhere = guest.via(&replica);
    assert_eq!(read(&signed_in.access).1["role"], "ADMIN");
    accepted(&elsewhere, &signed_in.access, "the other replica accepts the token").await;

    app.set_role("boss@example.com", Role::User).await;
    refused(&elsewhere, &signed_in.access, "the role was lowered").await;
    refused(&guest, &signed_in.access, "this replica refuses it, too").await;
    let refreshed = elsewhere.refresh(&signed_in.refresh).await;
    let access = refreshed["tokens"]["accessToken"].as_str().unwrap();
    assert_eq!(read(access).1["role"], "USER");
    accepted(&guest, access, "with the current role").await;
    app.set_role("boss@example.com", Role::Manager).await;
    refused(&elsewhere, access, "the role was raised").await;

    let other = guest.sign_in("boss@example.com").await;
    let suspended = Change { status: Some(UserStatus::Suspended), ..Change::default() };
    set(&replica.app.ctx, "boss@example.com", suspended).await;
    refused(&guest, &other.access, "suspended on the other replica").await;
    refused(&elsewhere, &other.access, "the other replica refuses the token as well").await;
    assert_eq!(guest.refresh(&other.refresh).await["__typename"], "SessionEnded");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_on_one_replica_takes_effect_on_all() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let guest = app.guest();
    for _ in 0..2 {
        let signed_in = guest.sign_in("ada@example.com").await;
        let elsewhere = guest.via(&replica);
        accepted(&elsewhere, &signed_in.access, "before the sign-out").await;
        guest.with_bearer(&signed_in.access).logout().await.field("logout");
        refused(&elsewhere, &signed_in.access, "after the sign-out").await;
        assert_eq!(elsewhere.refresh(&signed_in.refresh).await["__typename"], "SessionEnded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_access_token_outlives_its_session() {
    let app = TestApp::with(|flags| {
        flags.access_ttl = Some("1h".into());
        flags.refresh_idle = Some("90m".into());
        flags.session_max = Some("90m".into());
    })
    .await;
    let guest = app.guest();
    let opened = app.clock.now().timestamp();
    let signed_in = guest.sign_in("ada@example.com").await;
    app.clock.pass(3_000.0);
    let refreshed = guest.refresh(&signed_in.refresh).await;
    let access = refreshed["tokens"]["accessToken"].as_str().unwrap();
    assert_eq!(read(access).1["exp"], opened + 5_400, "the token expires with the session");
    app.clock.pass(2_399.0);
    accepted(&guest, access, "one second before the end").await;
    app.clock.pass(1.0);
    refused(&guest, access, "the leeway does not extend the session").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_access_token_outlives_an_idle_limit_shorter_than_itself() {
    let app = TestApp::with(|flags| {
        flags.access_ttl = Some("1h".into());
        flags.refresh_idle = Some("30m".into());
        flags.session_max = Some("1d".into());
    })
    .await;
    let guest = app.guest();
    let opened = app.clock.now().timestamp();
    let signed_in = guest.sign_in("ada@example.com").await;
    assert_eq!(
        read(&signed_in.access).1["exp"],
        opened + 1_800,
        "other services, which only check the published keys, must not accept the token for longer than Doorcode does"
    );
    app.clock.pass(1_799.0);
    accepted(&guest, &signed_in.access, "one second before the end").await;
    app.clock.pass(1.0);
    refused(&guest, &signed_in.access, "the session was idle for too long").await;
}
