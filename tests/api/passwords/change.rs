//! Setting, changing and removing one's own password, and what a sign-in with a password alone does not allow.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, answer, call, events, kind, login, owner, password_session, status, subjects, text};
use crate::harness::{Client, SignedIn, TestApp};

async fn refused(client: &Client<'_>, field: &str, input: Value) {
    let answer = client.change(field, input, "__typename").await;
    assert_eq!(answer.code(), "REAUTHENTICATION_REQUIRED", "{field}: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recent_sign_in_by_email_sets_a_first_password_and_ends_the_other_sessions() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let other = app.guest();
    let other = other.with_bearer(&other.sign_in("ada@example.com").await.access);
    let person = app.guest();
    let person = person.with_bearer(&person.sign_in("ada@example.com").await.access);
    let before = subjects(&app, "ada@example.com").await.len();
    let set = call(&person, "setPassword", json!({ "newPassword": PASSWORD })).await;
    assert_eq!((&set["__typename"], &set["user"]["hasPassword"]), (&json!("PasswordSet"), &json!(true)));
    assert!(set["user"]["passwordChangedAt"].is_string());
    assert_eq!((status(&person).await, status(&other.via(&replica)).await), (200, 401));
    assert_eq!(app.count("sessions", "end_reason = 'PASSWORD_CHANGED'").await, 1);
    assert_eq!(app.count("devices", "1 = 1").await, 2, "devices stay known");
    let mails = app.mails_for("ada@example.com").await;
    assert_eq!(mails.len(), before + 1);
    assert!(mails[0].code.is_none() && mails[0].text.contains("#disown="), "{}", mails[0].text);
    assert_eq!(events(&app, "PASSWORD_SET").await, 1);
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_current_password_changes_and_removes_it_at_any_time() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let person = password_session(&app, "ada@example.com", PASSWORD).await;
    app.clock.pass(700.0);
    let input = |current: &str| json!({ "currentPassword": current, "newPassword": OTHER });
    assert_eq!(call(&person, "setPassword", input(OTHER)).await["code"], "INVALID_CREDENTIALS");
    assert_eq!(app.count("password_tries", "1 = 1").await, 1, "counted");
    assert_eq!(events(&app, "WRONG_PASSWORD").await, 1);
    let changed_at = async || call(&person, "setPassword", input(PASSWORD)).await["user"]["passwordChangedAt"].clone();
    let at = text(&changed_at().await);
    assert!(at > (app.ctx().now() - chrono::TimeDelta::seconds(1)).to_rfc3339(), "{at}");
    assert_eq!(app.count("password_tries", "1 = 1").await, 1, "a right one costs nothing");
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    let later = password_session(&app, "ada@example.com", OTHER).await;

    for wrong in [PASSWORD, ""] {
        let result = call(&person, "removePassword", json!({ "currentPassword": wrong })).await;
        assert_eq!(result["__typename"], "InvalidCredentials");
    }
    let removed = call(&person, "removePassword", json!({ "currentPassword": OTHER })).await;
    assert_eq!(removed["user"], json!({ "hasPassword": false, "passwordChangedAt": null }));
    assert_eq!((status(&person).await, status(&later).await), (200, 401));
    assert_eq!(login(&app.guest(), "ada@example.com", OTHER).await["__typename"], "InvalidCredentials");
    assert!(!app.guest().sign_in("ada@example.com").await.is_new, "a code always works");
    assert_eq!((events(&app, "PASSWORD_SET").await, events(&app, "PASSWORD_REMOVED").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn removing_a_password_that_does_not_exist_changes_nothing() {
    let app = TestApp::new().await;
    let other = app.guest();
    let other = other.with_bearer(&other.sign_in("ada@example.com").await.access);
    let person = app.guest();
    let person = person.with_bearer(&person.sign_in("ada@example.com").await.access);
    let before = subjects(&app, "ada@example.com").await.len();
    assert_eq!(kind(&person, "removePassword", json!({})).await, "PasswordRemoved");
    assert_eq!(status(&other).await, 200);
    assert_eq!(events(&app, "PASSWORD_REMOVED").await, 0);
    assert_eq!(subjects(&app, "ada@example.com").await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_with_a_password_alone_is_never_recent() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    app.set_role("ada@example.com", Role::Admin).await;
    let person = password_session(&app, "ada@example.com", PASSWORD).await;
    let (me, email) = (json!(person.is.user), json!("next@example.com"));
    for (field, input) in [
        ("changeEmail", json!({ "email": email })),
        ("deleteAccount", json!({ "email": "ada@example.com" })),
        ("setPassword", json!({ "newPassword": OTHER })),
        ("removePassword", json!({})),
        ("createUser", json!({ "email": email })),
        ("updateUser", json!({ "id": me, "name": "Ada" })),
        ("suspendUser", json!({ "id": me })),
        ("deleteUser", json!({ "id": me })),
    ] {
        refused(&person, field, input).await;
    }
    let export = person.query("mutation { exportData { __typename } }", json!({})).await;
    assert_eq!(export.code(), "REAUTHENTICATION_REQUIRED");
    assert_eq!(app.refused("PERMISSION_DENIED").await, 9);
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    assert_eq!(kind(&person, "setPassword", input).await, "PasswordSet");
    refused(&person, "changeEmail", json!({ "email": email })).await;
    // A code, with the token attached, opens a session that is recent and ends this one.
    let again = person.sign_in("ada@example.com").await;
    assert_eq!(status(&person).await, 401);
    assert_eq!(kind(&person.with_bearer(&again.access), "changeEmail", json!({ "email": email })).await, "CodeSent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_by_email_is_recent_for_ten_minutes() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    app.clock.pass(599.0);
    assert_eq!(kind(&owner, "setPassword", json!({ "newPassword": OTHER })).await, "PasswordSet");
    app.clock.pass(2.0);
    refused(&owner, "setPassword", json!({ "newPassword": PASSWORD })).await;
    refused(&owner, "removePassword", json!({})).await;
    let token = text(&app.guest().refresh(&owner.is.refresh).await["tokens"]["accessToken"]);
    refused(&app.guest().with_bearer(&token), "removePassword", json!({})).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_current_password_is_compared_within_the_budget_of_the_device() {
    let app = TestApp::with(super::budget::wide).await;
    let owner = owner(&app, "ada@example.com").await;
    for _ in 0..20 {
        login(&app.guest(), "ada@example.com", OTHER).await;
    }
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "RateLimited");
    let input = json!({ "currentPassword": PASSWORD, "newPassword": OTHER });
    assert_eq!(kind(&owner, "setPassword", input).await, "PasswordSet", "their own device has its own budget");
}

#[tokio::test(flavor = "multi_thread")]
async fn guests_and_strangers_set_no_password() {
    let app = TestApp::new().await;
    let guest = app.person("guest@example.com", Role::Guest).await;
    for (field, input) in [("setPassword", json!({ "newPassword": OTHER })), ("removePassword", json!({}))] {
        assert_eq!(answer(&guest, field, input.clone()).await.code(), "FORBIDDEN");
        assert_eq!(answer(&app.guest(), field, input).await.code(), "UNAUTHENTICATED");
    }
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
}
