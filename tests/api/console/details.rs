//! `AuditEvent.details`: the details of events as fields, beside the JSON.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::{
    api_keys::create,
    harness::{Client, TestApp, other_than},
};

const DETAILS: &str = "changes { field before after } reason method rule field attempt addressHash sessionIds deviceId \
    apiKeyIds apiKeyName scopes clientId erased";

/// The details of the newest event of a kind.
async fn newest(client: &Client<'_>, kind: &str) -> Value {
    let query =
        format!("{{ auditEvents(first: 1, filter: {{ kinds: [{kind}] }}) {{ nodes {{ details {{ {DETAILS} }} }} }} }}");
    let answer = client.query(&query, json!({})).await;
    answer.field("auditEvents")["nodes"][0]["details"].clone()
}

/// What the details of an event without any have.
fn with(fields: Value) -> Value {
    let mut details = json!({
        "changes": [], "reason": null, "method": null, "rule": null, "field": null, "attempt": null,
        "addressHash": null, "sessionIds": [], "deviceId": null, "apiKeyIds": [], "apiKeyName": null, "scopes": [],
        "clientId": null, "erased": false,
    });
    if let Value::Object(fields) = fields {
        details.as_object_mut().unwrap().extend(fields);
    }
    details
}

#[tokio::test(flavor = "multi_thread")]
async fn details_are_fields() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (user, session) = (&ada.signed_in.user, &ada.signed_in.session);
    let devices = ada.query("{ me { devices { id } } }", json!({})).await;
    let device = &devices.field("me")["devices"][0]["id"];
    let signed_in = json!({ "method": "EMAIL_CODE", "sessionIds": [session], "deviceId": device });
    assert_eq!(newest(&admin, "SIGNED_IN").await, with(signed_in));

    let change = |before: Value, after: &str, field: &str| json!({ "field": field, "before": before, "after": after });
    let input = json!({ "id": user, "name": "Ada", "role": "MANAGER" });
    admin.change("updateUser", input, "__typename").await.field("updateUser");
    let changes = json!([change(Value::Null, "Ada", "name"), change(json!("USER"), "MANAGER", "role")]);
    assert_eq!(newest(&admin, "USER_CHANGED").await, with(json!({ "changes": changes })));
    let input = json!({ "id": user, "reason": "Spam, ticket 4711" });
    admin.change("suspendUser", input, "__typename").await.field("suspendUser");
    let suspended =
        json!({ "changes": [change(json!("ACTIVE"), "SUSPENDED", "status")], "reason": "Spam, ticket 4711" });
    assert_eq!(newest(&admin, "USER_CHANGED").await, with(suspended));
    let ended = json!({ "reason": "SUSPENDED", "sessionIds": [session] });
    assert_eq!(newest(&admin, "SESSION_ENDED").await, with(ended));

    let input = json!({ "email": "bob@example.com", "name": "Bob" });
    admin.change("createUser", input, "__typename").await.field("createUser");
    let first = |field, after| change(Value::Null, after, field);
    let created = json!([first("email", "bob@example.com"), first("name", "Bob"), first("role", "USER")]);
    assert_eq!(newest(&admin, "USER_CREATED").await, with(json!({ "changes": created })));

    let guest = app.guest();
    let challenge = guest.challenge("stranger@example.com").await;
    let code = app.last_code_for("stranger@example.com").await;
    guest.verify(&challenge, &other_than(&code)).await;
    let hash = app.ctx().vault.address_label("stranger@example.com");
    assert_eq!(newest(&admin, "CODE_REQUESTED").await, with(json!({ "addressHash": hash })));
    assert_eq!(newest(&admin, "WRONG_CODE").await, with(json!({ "addressHash": hash, "attempt": 1 })));
    guest.verify(&challenge, &code).await;
    guest.verify(&challenge, &code).await;
    assert_eq!(newest(&admin, "EXPIRED_CODE").await, with(json!({ "method": "EMAIL_CODE" })));
    for _ in 0..4 {
        guest.login("limit@example.com").await;
    }
    assert_eq!(newest(&admin, "LIMIT_REFUSED").await, with(json!({ "rule": "send.pair" })));
    let bob = app.person("carl@example.com", Role::User).await;
    bob.query("{ users { totalCount } }", json!({})).await;
    assert_eq!(newest(&admin, "PERMISSION_DENIED").await, with(json!({ "field": "users" })));

    // A manager sees no hash.
    let manager = app.person("manager@example.com", Role::Manager).await;
    assert_eq!(newest(&manager, "WRONG_CODE").await, with(json!({ "attempt": 1 })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_details_of_api_keys_and_to_api_keys_are_fields() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let scopes = ["PEOPLE_WRITE", "PEOPLE_READ", "AUDIT_READ"];
    let (key, id) = create(&admin, &scopes).await;
    let robot = app.guest().with_bearer(&key);
    let created = newest(&robot, "API_KEY_CREATED").await;
    assert_eq!(created["apiKeyIds"], json!([id]));
    assert!(created["apiKeyName"].is_string() && created["changes"] == json!([]), "{created}");
    assert_eq!(created["scopes"], json!(["PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"]));
    let input = json!({ "email": "bob@example.com", "name": "Bob" });
    robot.change("createUser", input, "__typename").await.field("createUser");
    let created = newest(&robot, "USER_CREATED").await;
    assert_eq!((&created["apiKeyIds"], &created["apiKeyName"]), (&json!([id]), &Value::Null));
    assert_eq!(created["changes"].as_array().unwrap().len(), 3, "{created}");

    let (key, _) = create(&admin, &["PEOPLE_READ"]).await;
    let query = "{ auditStatistics(from: \"2026-01-01T00:00:00Z\", before: \"2026-01-02T00:00:00Z\") { intervals } }";
    let refused = app.guest().with_bearer(&key).query(query, json!({})).await;
    assert_eq!(refused.code(), "INSUFFICIENT_SCOPE");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_details_of_an_erased_user_are_gone() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    ada.change("updateProfile", json!({ "name": "Ada" }), "__typename").await.field("updateProfile");
    let input = json!({ "id": ada.signed_in.user });
    admin.change("deleteUser", input, "__typename").await.field("deleteUser");
    app.clock.pass(31.0 * 86_400.0);
    doorcode::domain::housekeeping::purge(app.ctx()).await.unwrap();
    let admin = admin.with_bearer(&app.guest().sign_in("admin@example.com").await.access);
    assert_eq!(newest(&admin, "PROFILE_CHANGED").await, with(json!({ "erased": true })));
    let left = "kind = 'PROFILE_CHANGED' AND (session_id IS NOT NULL OR network IS NOT NULL)";
    assert_eq!(app.count("audit_events", left).await, 0);
}
