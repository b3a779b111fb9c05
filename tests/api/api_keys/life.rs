//! Creating, using, rotating, revoking and purging keys.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{CREATED, KEY, create, created, revoke, rotate, works};
use crate::harness::TestApp;

const HOUR: f64 = 3600.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_shown_once_and_then_listed_without_its_secret() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let input = json!({ "name": " Backup ", "scopes": ["AUDIT_READ", "PROFILE_READ", "AUDIT_READ"] });
    let made = created(&ada, input).await;
    let key = made["key"].as_str().unwrap();
    let stored = &made["apiKey"];
    assert_eq!(stored["name"], "Backup");
    assert_eq!(stored["scopes"], json!(["PROFILE_READ", "AUDIT_READ"]), "each once, in a fixed order");
    assert_eq!((&stored["expiresAt"], &stored["lastUsedAt"]), (&Value::Null, &Value::Null));
    let prefix = stored["prefix"].as_str().unwrap();
    assert!(key.starts_with(&format!("{prefix}_")) && key.len() == prefix.len() + 73, "{key}");
    let listed = ada.query(&format!("{{ me {{ apiKeys {{ {KEY} }} }} }}"), json!({})).await;
    assert_eq!(listed.field("me")["apiKeys"], json!([stored]));
    let node = ada.query(&format!("{{ node(id: {}) {{ ... on ApiKey {{ {KEY} }} }} }}", stored["id"]), json!({})).await;
    assert_eq!(node.field("node"), stored);
    assert!(works(&app.guest(), key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_a_key_needs_a_recent_sign_in_and_mails_a_notice_that_can_take_the_account_back() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &["PROFILE_READ"]).await;
    let mail = app.mails_for("ada@example.com").await.into_iter().next().unwrap();
    assert_eq!(mail.subject, "A new API key for your Doorcode account");
    let token = mail.text.split_once("#disown=").unwrap().1.split_whitespace().next().unwrap().to_owned();
    app.clock.pass(601.0);
    for (field, input) in
        [("createApiKey", json!({ "name": "Late", "scopes": [] })), ("rotateApiKey", json!({ "id": "K" }))]
    {
        assert_eq!(ada.change(field, input, "__typename").await.code(), "REAUTHENTICATION_REQUIRED", "{field}");
    }
    assert!(works(&app.guest(), &key).await);
    app.guest().change("disownSession", json!({ "token": token }), "__typename").await.field("disownSession");
    assert!(!works(&app.guest(), &key).await, "the owner of the mailbox revoked it");
    assert_eq!(app.count("audit_events", "kind = 'API_KEY_CREATED'").await, 1);
    assert_eq!(app.count("audit_events", "kind = 'API_KEY_REVOKED'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_flaws_of_a_new_key_are_named_at_once() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let wrong = json!({ "name": " ", "scopes": ["PROFILE_READ", "EVERYTHING"], "expiresAt": "2020-01-01T00:00:00Z" });
    let answer = ada.change("createApiKey", wrong, "__typename").await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    let problems = answer.json["errors"][0]["extensions"]["problems"].as_array().unwrap();
    let fields: Vec<_> = problems.iter().map(|problem| problem["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["name", "scopes", "expiresAt"]);
    for scopes in [json!(["profile_read"]), json!(["PROFILE_READ AUDIT_READ"]), json!([""])] {
        let answer = ada.change("createApiKey", json!({ "name": "Key", "scopes": scopes }), "__typename").await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{scopes}");
    }
    assert_eq!(app.count("api_keys", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_expires_to_the_second() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let expiry = app.ctx().now() + chrono::TimeDelta::seconds(100);
    let input = json!({ "name": "Short", "scopes": [], "expiresAt": expiry.to_rfc3339() });
    let key = created(&ada, input).await["key"].as_str().unwrap().to_owned();
    app.clock.pass(99.0);
    assert!(works(&app.guest(), &key).await);
    app.clock.pass(1.0);
    assert!(!works(&app.guest(), &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_key_keeps_its_place_and_the_old_secret_works_for_the_overlap() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let guest = app.guest();
    let (first, id) = create(&ada, &["PROFILE_READ"]).await;
    let answer = rotate(&ada, &id, 60).await;
    let rotated = answer.field("rotateApiKey");
    assert_eq!((&rotated["apiKey"]["id"], &rotated["apiKey"]["scopes"]), (&json!(id), &json!(["PROFILE_READ"])));
    let second = rotated["key"].as_str().unwrap();
    app.clock.pass(59.0);
    assert!(works(&guest, &first).await && works(&guest, second).await);
    app.clock.pass(1.0);
    assert!(!works(&guest, &first).await && works(&guest, second).await);
    let third = rotate(&ada, &id, 60).await.field("rotateApiKey")["key"].as_str().unwrap().to_owned();
    let fourth = rotate(&ada, &id, 0).await.field("rotateApiKey")["key"].as_str().unwrap().to_owned();
    for (key, expected) in [(first.as_str(), false), (second, false), (&third, false), (&fourth, true)] {
        assert_eq!(works(&guest, key).await, expected, "without an overlap only the newest works");
    }
    for overlap in [-1, 7 * 24 * 3600 + 1] {
        assert_eq!(rotate(&ada, &id, overlap).await.code(), "BAD_USER_INPUT", "{overlap}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_stops_at_once_on_every_replica_and_with_it_the_one_before() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (first, id) = create(&ada, &[]).await;
    let second = rotate(&ada, &id, 3600).await.field("rotateApiKey")["key"].as_str().unwrap().to_owned();
    let there = app.guest().via(&replica);
    assert!(works(&there, &first).await && works(&there, &second).await);
    let revoked = revoke(&ada, &id).await;
    let at = revoked.field("revokeApiKey")["apiKey"]["revokedAt"].clone();
    assert!(at.is_string());
    assert!(!works(&there, &first).await && !works(&there, &second).await);
    assert_eq!(revoke(&ada, &id).await.field("revokeApiKey")["apiKey"]["revokedAt"], at, "again");
    assert_eq!(app.count("audit_events", "kind = 'API_KEY_REVOKED'").await, 1);
    assert_eq!(rotate(&ada, &id, 60).await.code(), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_latest_use_is_written_at_most_once_a_minute() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &[]).await;
    app.take_statements();
    for (seconds, statements) in [(0.0, 2), (59.0, 1), (1.0, 2), (0.0, 1)] {
        app.clock.pass(seconds);
        assert!(works(&app.guest(), &key).await);
        assert_eq!(app.take_statements().len(), statements, "after {seconds} s");
    }
    let listed = ada.query("{ me { apiKeys { lastUsedAt } } }", json!({})).await;
    assert!(listed.field("me")["apiKeys"][0]["lastUsedAt"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_can_have_twenty_keys_and_make_ten_an_hour() {
    let app = TestApp::new().await;
    app.make("ada@example.com", Role::User).await;
    let mut ada = app.guest().with_bearer(&app.guest().sign_in("ada@example.com").await.access);
    let mut ids = Vec::new();
    for _ in 0..2 {
        for _ in 0..10 {
            ids.push(create(&ada, &[]).await.1);
        }
        let limited = ada.change("createApiKey", json!({ "name": "Key", "scopes": [] }), CREATED).await;
        assert_eq!(limited.field("createApiKey")["__typename"], "RateLimited");
        assert_eq!(rotate(&ada, &ids[0], 0).await.field("rotateApiKey")["__typename"], "RateLimited");
        app.clock.pass(HOUR + 1.0);
        ada = app.guest().with_bearer(&app.guest().sign_in("ada@example.com").await.access);
    }
    let input = || json!({ "name": "Key", "scopes": [] });
    assert_eq!(ada.change("createApiKey", input(), CREATED).await.code(), "BAD_USER_INPUT");
    revoke(&ada, &ids[3]).await.field("revokeApiKey");
    assert_eq!(ada.change("createApiKey", input(), CREATED).await.field("createApiKey")["__typename"], "ApiKeyCreated");
    assert_eq!(ada.change("createApiKey", input(), CREATED).await.code(), "BAD_USER_INPUT");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_has_its_own_limit_and_wrong_keys_share_that_of_strangers() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(doorcode::limits::Rule::ApiCaller, "5/1m".into());
    })
    .await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (one, _) = create(&ada, &[]).await;
    let (other, _) = create(&ada, &[]).await;
    let guest = app.guest().at_ip("198.51.100.7");
    let status = async |key: &str| guest.with_bearer(key).query("{ me { id } }", json!({})).await.status.as_u16();
    for expected in [200, 200, 200, 200, 200, 429] {
        assert_eq!(status(&one).await, expected);
    }
    assert_eq!(status(&other).await, 200, "another key");
    app.sql("UPDATE api_keys SET revoked_at = created_at").await;
    for expected in [401, 401, 401, 401, 401, 429] {
        assert_eq!(status(&other).await, expected, "a wrong key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_exported_purged_after_thirty_days_and_erased_with_their_owner() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (_, id) = create(&ada, &["PROFILE_READ"]).await;
    create(&ada, &[]).await;
    let copy = ada.query("mutation { exportData { ... on DataExported { data } } }", json!({})).await;
    let keys = &copy.field("exportData")["data"]["apiKeys"];
    assert_eq!((keys.as_array().unwrap().len(), &keys[1]["scopes"]), (2, &json!(["PROFILE_READ"])));
    assert!(!copy.text.contains("hash"), "{}", copy.text);
    revoke(&ada, &id).await.field("revokeApiKey");
    let purged = async || doorcode::domain::housekeeping::purge(app.ctx()).await.unwrap().api_keys;
    app.clock.pass(30.0 * 24.0 * HOUR);
    assert_eq!(purged().await, 0);
    app.clock.pass(1.0);
    assert_eq!(purged().await, 1);
    assert_eq!(app.count("api_keys", "1 = 1").await, 1);
    app.sql("DELETE FROM users WHERE email = 'ada@example.com'").await;
    assert_eq!(app.count("api_keys", "1 = 1").await, 0);
}
