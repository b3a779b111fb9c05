//! Bearer tokens. An invalid token makes the request fail, except for the four operations that clients use to get a new
//! token while the old one is still attached.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use super::{failed_in_field, refused};
use crate::harness::{Answer, Client, SignedIn, TestApp, other_than};

const ID: &str = "U0000000000000000000000";

/// A document without variables for every operation that requires a valid bearer token or none.
fn strict(session: &str) -> Vec<String> {
    vec![
        "{ me { id } }".into(),
        "{ __typename }".into(),
        format!("{{ node(id: \"{session}\") {{ id }} }}"),
        "{ inbox { id } }".into(),
        "mutation { logout { __typename } }".into(),
        "mutation { logout(input: { refreshToken: \"x\" }) { __typename } }".into(),
        format!("mutation {{ endSession(input: {{ id: \"{session}\" }}) {{ session {{ id }} }} }}"),
        "mutation { endOtherSessions { count } }".into(),
        format!("mutation {{ forgetDevice(input: {{ id: \"{ID}\" }}) {{ deviceId }} }}"),
    ]
}

fn unauthenticated(answer: &Answer, what: &str) {
    refused(answer, 401, "UNAUTHENTICATED", what);
    assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{what}");
}

async fn person<'a>(app: &'a TestApp, email: &str) -> (Client<'a>, SignedIn) {
    let guest = app.guest();
    let signed_in = guest.sign_in(email).await;
    (guest, signed_in)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_bearer_fails_every_operation_except_four() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    let (header, rest) = ada.access.split_once('.').unwrap();
    let tampered = format!("{header}.A{rest}");
    let (other, gone) = person(&app, "gone@example.com").await;
    other.with_bearer(&gone.access).logout().await.field("logout");
    for (what, token) in [
        ("garbage", "x"),
        ("empty", ""),
        ("tampered", tampered.as_str()),
        ("a refresh token", ada.refresh.as_str()),
        ("a device token", ada.device.as_str()),
        ("an ended session", gone.access.as_str()),
    ] {
        for document in strict(&ada.session) {
            let answer = guest.with_bearer(token).query(&document, json!({})).await;
            unauthenticated(&answer, &format!("{what}: {document}"));
        }
    }
    let me = guest.with_bearer(&ada.access).me().await;
    assert_eq!(me.field("me")["id"], ada.user.as_str(), "none of these requests ended the session");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_tokens_other_schemes_and_duplicate_headers_are_bad_bearers() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    for value in [
        format!("Basic {}", ada.access),
        ada.access.clone(),
        "Bearer".to_owned(),
        format!("Bearer {0} {0}", ada.access),
    ] {
        let mut client = guest.clone();
        client.headers.insert("authorization", value.parse().unwrap());
        unauthenticated(&client.me().await, &value[..12.min(value.len())]);
    }
    let mut two = guest.with_bearer(&ada.access);
    let good = format!("Bearer {}", ada.access).parse().unwrap();
    two.headers.insert("authorization", good);
    unauthenticated(&two.me().await, "two headers");
    let mut lower = guest.clone();
    lower.headers.insert("authorization", format!("bearer {}", ada.access).parse().unwrap());
    assert_eq!(lower.me().await.field("me")["id"], ada.user.as_str());
    app.clock.pass(16.0 * 60.0);
    unauthenticated(&guest.with_bearer(&ada.access).me().await, "expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn login_verify_verify_link_and_refresh_ignore_an_invalid_bearer() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    let lost = app.guest().with_bearer("not.a.token");
    let challenge = lost.challenge("bob@example.com").await;
    let code = app.last_code_for("bob@example.com").await;
    let wrong = lost.verify(&challenge, &other_than(&code)).await;
    assert_eq!(wrong["__typename"], "InvalidCode");
    SignedIn::read(&lost.verify(&challenge, &code).await);
    assert_eq!(lost.verify_link("nothing").await["__typename"], "CodeExpired");
    assert_eq!(lost.refresh("nothing").await["__typename"], "SessionEnded");
    app.clock.pass(16.0 * 60.0);
    let expired = guest.with_bearer(&ada.access);
    assert_eq!(expired.refresh(&ada.refresh).await["__typename"], "Refreshed");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bearer_me_is_null_and_protected_fields_fail() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    let me = guest.me().await;
    assert_eq!(me.json, json!({ "data": { "me": Value::Null } }));
    let node = guest.query(&format!("{{ node(id: \"{}\") {{ id }} }}", ada.user), json!({})).await;
    failed_in_field(&node, &json!(["node"]), "UNAUTHENTICATED");
    assert_eq!(node.json["data"], json!({ "node": null }));
    let device = guest.with_bearer(&ada.access);
    let device = device.query("{ me { devices { id } } }", json!({})).await;
    let device = device.field("me")["devices"][0]["id"].as_str().unwrap().to_owned();
    for (field, document) in [
        ("logout", "mutation { logout { __typename } }".to_owned()),
        ("endOtherSessions", "mutation { endOtherSessions { count } }".to_owned()),
        (
            "endSession",
            format!("mutation {{ endSession(input: {{ id: \"{}\" }}) {{ session {{ id }} }} }}", ada.session),
        ),
        ("forgetDevice", format!("mutation {{ forgetDevice(input: {{ id: \"{device}\" }}) {{ deviceId }} }}")),
    ] {
        let answer = guest.query(&document, json!({})).await;
        failed_in_field(&answer, &json!([field]), "UNAUTHENTICATED");
        assert_eq!(answer.json["data"], Value::Null, "{field} is not nullable, so `data` is null");
        assert!(!answer.headers.contains_key("www-authenticate"), "{field}");
    }
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn outages_are_reported_as_unavailable_without_details() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    app.limiter.away.store(true, Ordering::SeqCst);
    let answer = guest.login_with(json!({ "email": "bob@example.com" })).await;
    failed_in_field(&answer, &json!(["login"]), "UNAVAILABLE");
    assert!(!answer.text.contains("simulated"), "{}", answer.text);
    app.limiter.away.store(false, Ordering::SeqCst);
    app.ctx().db.clone().close().await.unwrap();
    let answer = guest.login_with(json!({ "email": "bob@example.com" })).await;
    failed_in_field(&answer, &json!(["login"]), "UNAVAILABLE");
    let answer = guest.with_bearer(&ada.access).me().await;
    refused(&answer, 503, "UNAVAILABLE", "a bearer token whose lookup fails");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_internal_error_does_not_reveal_its_cause() {
    let app = TestApp::new().await;
    let (guest, ada) = person(&app, "ada@example.com").await;
    app.sql("ALTER TABLE email_codes RENAME TO gone").await;
    let answer = guest.login_with(json!({ "email": "bob@example.com" })).await;
    failed_in_field(&answer, &json!(["login"]), "INTERNAL");
    assert!(!answer.text.contains("email_codes"), "{}", answer.text);
    app.sql("ALTER TABLE sessions RENAME TO gone_too").await;
    let answer = guest.with_bearer(&ada.access).me().await;
    refused(&answer, 500, "INTERNAL", "no sessions table");
    assert!(!answer.text.contains("table") && !answer.text.contains("sessions"), "{}", answer.text);
}
