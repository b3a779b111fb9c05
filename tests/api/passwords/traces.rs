//! What passwords leave behind: who sees that there is one, the export, the audit trail, mails, metrics and the purge.

use std::{collections::BTreeSet, sync::Arc};

use doorcode::{
    db::entity::{Role, email_codes, passwords},
    domain::housekeeping,
    http::{self, Server},
};
use sea_orm::EntityTrait;
use serde_json::json;

use super::{DAY, OTHER, PASSWORD, call, disown_token, events, kind, login, owner, register, reset, subjects};
use crate::harness::{Client, SignedIn, TestApp};

#[tokio::test(flavor = "multi_thread")]
async fn only_the_user_and_administrators_see_whether_there_is_a_password() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let changed_at = stored(&app).await.changed_at.timestamp_micros();
    let fields = "hasPassword passwordChangedAt";
    let seen = async |client: &Client<'_>, id: &str| {
        let answer = client.query(&format!("{{ user(id: \"{id}\") {{ {fields} }} }}"), json!({})).await;
        answer.field("user").clone()
    };
    let me = owner.query(&format!("{{ me {{ {fields} }} }}"), json!({})).await.field("me").clone();
    assert_eq!(me["hasPassword"], true);
    let at: chrono::DateTime<chrono::Utc> = me["passwordChangedAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(at.timestamp_micros(), changed_at);
    let admin = app.person("root@example.com", Role::Admin).await;
    let manager = app.person("boss@example.com", Role::Manager).await;
    assert_eq!(seen(&owner, &owner.is.user).await, me);
    assert_eq!(seen(&admin, &owner.is.user).await, me);
    let nothing = json!({ "hasPassword": null, "passwordChangedAt": null });
    assert_eq!(seen(&manager, &owner.is.user).await, nothing);
    let none = json!({ "hasPassword": false, "passwordChangedAt": null });
    assert_eq!(seen(&admin, &manager.signed_in.user).await, none);
    assert_eq!(seen(&manager, &manager.signed_in.user).await, none, "one's own");
    let all = format!("{{ users(first: 10) {{ nodes {{ email {fields} }} }} }}");
    app.take_statements();
    let list = admin.query(&all, json!({})).await;
    assert_eq!(app.take_statements().len(), 3, "one statement for all passwords");
    let with: Vec<_> =
        list.field("users")["nodes"].as_array().unwrap().iter().filter(|user| user["hasPassword"] == true).collect();
    assert_eq!(with.len(), 1);
}

async fn stored(app: &TestApp) -> passwords::Model {
    passwords::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_says_when_the_password_was_set_and_nothing_of_it() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let answer = owner.query("mutation { exportData { ... on DataExported { data } } }", json!({})).await;
    let data = answer.field("exportData")["data"].to_string();
    assert!(data.contains("passwordChangedAt") && data.contains("otp"), "{data}");
    for secret in ["argon2", "$m=", "sealed", "hash", PASSWORD] {
        assert!(!data.contains(secret), "{secret} in {data}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_a_password_nor_its_hash_is_readable_in_the_database() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    register(&app.guest(), "new@example.com", PASSWORD).await;
    let waiting = email_codes::Entity::find().all(app.ctx().db.read()).await.unwrap();
    let sealed: Vec<_> = waiting.into_iter().filter_map(|row| row.sealed).chain([stored(&app).await.sealed]).collect();
    assert_eq!(sealed.len(), 2);
    for bytes in &sealed {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains("argon2") && !text.contains("otters"), "{text}");
    }
}

/// Everything that can happen to a password.
async fn everything(app: &TestApp) {
    let owner = owner(app, "ada@example.com").await;
    login(&app.guest(), "ada@example.com", OTHER).await;
    login(&app.guest(), "ada@example.com", OTHER).await;
    assert_eq!(kind(&owner, "setPassword", json!({ "newPassword": OTHER })).await, "PasswordSet");
    assert_eq!(kind(&owner, "removePassword", json!({})).await, "PasswordRemoved");
    SignedIn::read(&reset(app, &app.guest(), "ada@example.com", PASSWORD).await);
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
    let token = disown_token(app, "ada@example.com").await;
    assert_eq!(kind(&app.guest(), "disownSession", json!({ "token": token })).await, "SessionDisowned");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_in_the_users_audit_trail() {
    let app = TestApp::new().await;
    everything(&app).await;
    let back = app.guest().sign_in("ada@example.com").await;
    let query = "{ me { auditEvents(first: 50) { nodes { kind subject { id } count } } } }";
    let answer = app.guest().with_bearer(&back.access).query(query, json!({})).await;
    let trail = answer.field("me")["auditEvents"]["nodes"].as_array().unwrap().clone();
    let kinds: Vec<_> = trail.iter().map(|event| event["kind"].as_str().unwrap()).collect();
    // By its user, and with the account that was taken back.
    assert_eq!(kinds.iter().filter(|kind| **kind == "PASSWORD_REMOVED").count(), 2, "{kinds:?}");
    for kind in ["SESSION_DISOWNED", "PASSWORD_RESET", "PASSWORD_SET", "WRONG_PASSWORD", "SIGNED_UP"] {
        assert_eq!(kinds.iter().filter(|found| **found == kind).count(), 1, "{kind} in {kinds:?}");
    }
    assert_eq!((events(&app, "REGISTRATION_REQUESTED").await, events(&app, "PASSWORD_RESET_REQUESTED").await), (1, 1));
    assert_eq!(app.refused("WRONG_PASSWORD").await, 2, "one row that counts");
    assert_eq!(events(&app, "WRONG_PASSWORD").await, 1);
    let admin = app.person("root@example.com", Role::Admin).await;
    let kinds = ["REGISTRATION_REQUESTED", "WRONG_PASSWORD", "PASSWORD_RESET", "SESSION_DISOWNED"];
    let filter = format!("{{ auditEvents(filter: {{ kinds: [{}] }}) {{ nodes {{ kind }} }} }}", kinds.join(" "));
    let answer = admin.query(&filter, json!({})).await;
    assert_eq!(answer.field("auditEvents")["nodes"].as_array().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_password_sends_its_own_letter() {
    let app = TestApp::new().await;
    everything(&app).await;
    // Newest first: sign-in from a new device, the reset and its code, removal, change, registration.
    let subjects = subjects(&app, "ada@example.com").await;
    assert_eq!(subjects.len(), 6, "{subjects:#?}");
    assert_eq!(
        subjects.iter().collect::<BTreeSet<_>>().len(),
        5,
        "only the change and the reset look alike: {subjects:#?}"
    );
    let mails = app.mails_for("ada@example.com").await;
    let codes: Vec<_> = mails.iter().map(|mail| mail.code.is_some()).collect();
    assert_eq!(codes, [false, false, true, false, false, true]);
    for (mail, has_code) in mails.iter().zip(codes) {
        assert_eq!(mail.text.contains("#disown="), !has_code, "{}", mail.text);
        for secret in [PASSWORD, OTHER, "argon2"] {
            assert!(!mail.text.contains(secret) && !mail.html.contains(secret));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_registrations_and_proofs_are_purged_in_time() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    register(&app.guest(), "new@example.com", PASSWORD).await;
    login(&app.guest(), "ada@example.com", OTHER).await;
    app.clock.pass(2.0 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    assert_eq!(app.count("email_codes", "sealed IS NOT NULL").await, 0, "registrations are gone");
    assert_eq!(app.count("password_tries", "1 = 1").await, 1, "a budget still counts it");
    app.clock.pass(29.0 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    assert_eq!(app.count("password_tries", "1 = 1").await, 0);
    assert_eq!(app.count("authentications", "1 = 1").await, 1);
    app.clock.pass(60.0 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    assert_eq!((app.count("sessions", "1 = 1").await, app.count("authentications", "1 = 1").await), (0, 0));
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_user_leaves_no_password_and_no_proofs() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    call(&owner, "deleteAccount", json!({ "email": "ada@example.com" })).await;
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    app.clock.pass(31.0 * DAY);
    housekeeping::purge(app.ctx()).await.unwrap();
    for table in ["users", "passwords", "authentications"] {
        assert_eq!(app.count(table, "1 = 1").await, 0, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_operations_events_and_refusals_by_name() {
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    for _ in 0..20 {
        login(&app.guest(), "ada@example.com", OTHER).await;
    }
    login(&app.guest(), "ada@example.com", PASSWORD).await;
    let operations = http::ops_router(&Server::new(Arc::clone(&app.app.ctx)));
    let text = app.guest().via_router(operations).get("/metrics").await.text;
    for line in [
        "doorcode_operations_total{operation=\"register\",outcome=\"CodeSent\"} 1",
        "doorcode_operations_total{operation=\"login\",outcome=\"InvalidCredentials\"} 20",
        "doorcode_operations_total{operation=\"login\",outcome=\"RateLimited\"} 1",
        "doorcode_refusals_total{rule=\"guess.password\"} 1",
        "doorcode_events_total{kind=\"REGISTRATION_REQUESTED\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
    }
    assert!(!text.contains("ada@"), "no label holds an address");
}
