//! A key follows its owner: role, status and account. Only the owner and administrators see it.

use doorcode::db::entity::{Role, UserStatus};
use serde_json::json;

use super::{create, revoke, rotate, works};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_or_deletion_of_the_owner_stops_the_key_at_once_on_another_replica() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let there = app.guest().via(&replica);
    for field in ["suspendUser", "deleteUser"] {
        let email = format!("{field}@example.com").to_lowercase();
        let owner = app.person(&email, Role::User).await;
        let (key, _) = create(&owner, &["PROFILE_READ"]).await;
        assert!(works(&there, &key).await);
        let input = json!({ "id": owner.signed_in.user });
        admin.change(field, input.clone(), "__typename").await.field(field);
        assert!(!works(&there, &key).await, "{field}");
        admin.change("restoreUser", input, "__typename").await.field("restoreUser");
        assert!(works(&there, &key).await, "a restored owner has the key again");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demotion_takes_scopes_away_at_once_on_another_replica_and_a_promotion_gives_them_back() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    app.make("other@example.com", Role::Admin).await;
    let owner = app.person("boss@example.com", Role::Admin).await;
    let target = app.person("target@example.com", Role::User).await.signed_in.user;
    let (key, _) = create(&owner, &["PROFILE_READ", "PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"]).await;
    let robot = app.guest().via(&replica).with_bearer(&key);
    let outcome = async |query: &str| {
        let answer = robot.query(query, json!({})).await;
        answer.json["errors"][0]["extensions"]["code"].as_str().unwrap_or("ok").to_owned()
    };
    let rename = format!("mutation {{ updateUser(input: {{ id: \"{target}\", name: \"T\" }}) {{ __typename }} }}");
    let queries = ["{ me { email } }", "{ users { totalCount } }", "{ auditEvents { totalCount } }", &rename];
    let denied = "INSUFFICIENT_SCOPE";
    for (role, expected) in [
        (Role::Admin, ["ok", "ok", "ok", "ok"]),
        (Role::Manager, ["ok", "ok", "ok", denied]),
        (Role::User, ["ok", denied, "FORBIDDEN", denied]),
        (Role::Guest, ["ok", denied, "FORBIDDEN", denied]),
        (Role::Admin, ["ok", "ok", "ok", "ok"]),
    ] {
        app.set_role("boss@example.com", role).await;
        for (query, expected) in queries.iter().zip(expected) {
            assert_eq!(outcome(query).await, expected, "{query} of a {role:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_user_reads_only_events_about_them() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let bob = app.person("bob@example.com", Role::User).await;
    let event = bob.query("{ me { auditEvents(first: 1) { nodes { id } } } }", json!({})).await;
    let event = event.field("me")["auditEvents"]["nodes"][0]["id"].clone();
    let (key, _) = create(&ada, &["AUDIT_READ"]).await;
    let robot = app.guest().with_bearer(&key);
    let own = robot.query("{ me { auditEvents { nodes { id kind } } } }", json!({})).await;
    let own = own.field("me")["auditEvents"]["nodes"][0]["id"].clone();
    let node = |id| format!("{{ node(id: {id}) {{ ... on AuditEvent {{ kind }} }} }}");
    assert_eq!(robot.query(&node(own), json!({})).await.field("node")["kind"], "API_KEY_CREATED");
    assert_eq!(robot.query(&node(event), json!({})).await.code(), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_and_administrators_see_and_revoke_a_key_and_only_the_owner_rotates_it() {
    let app = TestApp::new().await;
    let owner = app.person("owner@example.com", Role::User).await;
    let (key, id) = create(&owner, &[]).await;
    let query = format!("{{ user(id: \"{}\") {{ apiKeys {{ id }} }} }}", owner.signed_in.user);
    let node = format!("{{ node(id: \"{id}\") {{ id }} }}");
    for role in [Role::User, Role::Manager] {
        let other = app.person(&format!("{role:?}@example.com").to_lowercase(), role).await;
        assert_eq!(other.query(&node, json!({})).await.code(), "NOT_FOUND");
        assert_eq!(revoke(&other, &id).await.code(), "NOT_FOUND");
        assert_eq!(rotate(&other, &id, 0).await.code(), "NOT_FOUND");
        if role == Role::Manager {
            assert_eq!(other.query(&query, json!({})).await.field("user")["apiKeys"], json!([]));
        }
    }
    assert!(works(&app.guest(), &key).await);
    let admin = app.person("admin@example.com", Role::Admin).await;
    assert_eq!(rotate(&admin, &id, 0).await.code(), "NOT_FOUND");
    assert_eq!(admin.query(&query, json!({})).await.field("user")["apiKeys"][0]["id"], json!(id));
    app.clock.pass(700.0);
    revoke(&admin, &id).await.field("revokeApiKey");
    assert!(!works(&app.guest(), &key).await);
    let about = owner.query("{ me { auditEvents(first: 1) { nodes { kind actor { id } } } } }", json!({})).await;
    let event = &about.field("me")["auditEvents"]["nodes"][0];
    assert_eq!((&event["kind"], &event["actor"]), (&json!("API_KEY_REVOKED"), &json!(null)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_can_revoke_a_key_from_better_times() {
    let app = TestApp::new().await;
    let owner = app.person("owner@example.com", Role::User).await;
    let (key, id) = create(&owner, &["PROFILE_READ"]).await;
    app.set_role("owner@example.com", Role::Guest).await;
    let owner = app.guest().with_bearer(&app.guest().sign_in("owner@example.com").await.access);
    assert!(works(&app.guest(), &key).await);
    revoke(&owner, &id).await.field("revokeApiKey");
    assert!(!works(&app.guest(), &key).await);
    app.set_status("owner@example.com", UserStatus::Suspended).await;
}

/// The four ways to take an account back. `disownSession` is in `life.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn taking_an_account_back_revokes_its_keys() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let token = async |email: &str, link: &str| {
        let mails = app.mails_for(email).await;
        let text = mails.iter().find_map(|mail| mail.text.split_once(link)).unwrap().1;
        text.split_whitespace().next().unwrap().to_owned()
    };
    for way in ["undo", "administrator", "reset"] {
        let email = format!("{way}@example.com");
        let owner = app.person(&email, Role::User).await;
        let (key, _) = create(&owner, &["PROFILE_READ"]).await;
        match way {
            "undo" => {
                let sent = "... on CodeSent { challenge }";
                let asked = owner.change("changeEmail", json!({ "email": "thief@example.com" }), sent).await;
                let challenge = asked.field("changeEmail")["challenge"].clone();
                let code = app.last_code_for("thief@example.com").await;
                let input = json!({ "challenge": challenge, "code": code });
                owner.change("confirmEmail", input, "__typename").await.field("confirmEmail");
                assert!(works(&app.guest(), &key).await, "one's own change keeps the keys");
                let input = json!({ "token": token(&email, "#undo=").await });
                app.guest().change("undoEmailChange", input, "__typename").await.field("undoEmailChange");
            }
            "administrator" => {
                let input = json!({ "id": owner.signed_in.user, "email": "new@example.com" });
                admin.change("updateUser", input, "__typename").await.field("updateUser");
            }
            _ => {
                let sent = "... on CodeSent { challenge }";
                let asked = app.guest().change("requestPasswordReset", json!({ "email": email }), sent).await;
                let challenge = asked.field("requestPasswordReset")["challenge"].clone();
                let code = app.last_code_for(&email).await;
                let input = json!({ "challenge": challenge, "code": code, "newPassword": "seven otters at noon" });
                let reset = app.guest().change("resetPassword", input, "__typename").await;
                assert_eq!(reset.field("resetPassword")["__typename"], "SignedIn");
            }
        }
        assert!(!works(&app.guest(), &key).await, "{way}");
    }
    assert_eq!(app.count("audit_events", "kind = 'API_KEY_REVOKED'").await, 3);
}
