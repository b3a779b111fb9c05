//! What a key with `PEOPLE_WRITE` can change.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{create, revoke};
use crate::harness::{Answer, Client, TestApp};

const SCOPE: &str = "INSUFFICIENT_SCOPE";

async fn change(robot: &Client<'_>, field: &str, input: Value) -> Answer {
    robot.change(field, input, "__typename ... on UserSaved { user { id } }").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_invites_renames_suspends_and_restores_without_a_recent_sign_in() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let (key, id) = create(&admin, &["PEOPLE_WRITE"]).await;
    app.clock.pass(24.0 * 3600.0);
    let robot = app.guest().with_bearer(&key);
    let made = change(&robot, "createUser", json!({ "email": "new@example.com" })).await;
    let user = made.field("createUser")["user"]["id"].clone();
    assert_eq!(app.mails_for("new@example.com").await.len(), 1, "an invitation");
    change(&robot, "updateUser", json!({ "id": user, "name": "New" })).await.field("updateUser");
    change(&robot, "suspendUser", json!({ "id": user, "reason": "left" })).await.field("suspendUser");
    let restore = robot.change("restoreUser", json!({ "id": user }), "user { id }").await;
    assert_eq!(restore.field("restoreUser")["user"]["id"], user);
    let status = json!({ "id": user, "status": "SUSPENDED" });
    change(&robot, "updateUser", status).await.field("updateUser");
    let by_key = "detail ->> 'apiKey' IS NOT NULL AND actor_id = (SELECT user_id FROM api_keys)";
    assert_eq!(app.count("audit_events", by_key).await, 6, "the trail names the key: its creation and five changes");
    assert_eq!(
        change(&robot, "createUser", json!({ "email": "new@example.com" })).await.field("createUser")["__typename"],
        "EmailTaken"
    );
    let admin = app.guest().with_bearer(&app.guest().sign_in("admin@example.com").await.access);
    revoke(&admin, &id).await.field("revokeApiKey");
    assert_eq!(change(&robot, "createUser", json!({ "email": "x@example.com" })).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_changes_no_role_address_or_administrator_and_deletes_and_undeletes_nobody() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let other = app.person("other@example.com", Role::Admin).await.signed_in.user;
    let user = app.person("user@example.com", Role::User).await.signed_in.user;
    let gone = app.person("gone@example.com", Role::User).await.signed_in.user;
    admin.change("deleteUser", json!({ "id": gone }), "__typename").await.field("deleteUser");
    let (key, _) = create(&admin, &["PEOPLE_WRITE", "PEOPLE_READ", "PROFILE_READ", "AUDIT_READ"]).await;
    let robot = app.guest().with_bearer(&key);
    let before = app.count("audit_events", "kind LIKE 'USER_%'").await;
    let me = &admin.signed_in.user;
    for (field, input) in [
        ("createUser", json!({ "email": "new@example.com", "role": "MANAGER" })),
        ("createUser", json!({ "email": "new@example.com", "role": "ADMIN" })),
        ("updateUser", json!({ "id": user, "role": "USER" })),
        ("updateUser", json!({ "id": user, "role": "ADMIN" })),
        ("updateUser", json!({ "id": user, "role": "GUEST", "name": "U" })),
        ("updateUser", json!({ "id": user, "email": "thief@example.com" })),
        ("updateUser", json!({ "id": me, "email": "thief@example.com" })),
        ("updateUser", json!({ "id": me, "name": "Me" })),
        ("updateUser", json!({ "id": other, "name": "Other" })),
        ("updateUser", json!({ "id": other, "status": "SUSPENDED" })),
        ("suspendUser", json!({ "id": other })),
        ("suspendUser", json!({ "id": me })),
        ("restoreUser", json!({ "id": gone })),
        ("restoreUser", json!({ "id": other })),
        ("deleteUser", json!({ "id": user })),
        ("endUserSessions", json!({ "id": user })),
    ] {
        let answer = robot.change(field, input.clone(), "__typename").await;
        let denied = answer.code() == SCOPE || (answer.code() == "BAD_USER_INPUT" && input["id"] == json!(me));
        assert!(denied, "{field} {input}: {}", answer.text);
    }
    assert_eq!(app.count("audit_events", "kind LIKE 'USER_%'").await, before, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_write_but_not_read_gets_only_ids_back() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let (key, _) = create(&admin, &["PEOPLE_WRITE", "PROFILE_READ"]).await;
    let robot = app.guest().with_bearer(&key);
    let user = app.person("user@example.com", Role::User).await.signed_in.user;
    for field in ["email", "name", "sessions { totalCount }", "devices { ipAddress }", "apiKeys { id }"] {
        let selection = format!("... on UserSaved {{ user {{ {field} }} }}");
        let answer = robot.change("updateUser", json!({ "id": user, "name": "Robot" }), &selection).await;
        assert_eq!(answer.code(), SCOPE, "{field}: {}", answer.text);
    }
    assert_eq!(app.count("users", "name = 'Robot'").await, 0, "refused before the change");
}
