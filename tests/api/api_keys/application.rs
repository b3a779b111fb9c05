//! Scopes that an application adds. A scope opens the application's fields and none of Doorcode's.

use doorcode::{
    app::Overrides,
    db::entity::Role,
    domain::access::{Grant, Scope},
};
use serde_json::json;

use super::{create, created, revoke, works};
use crate::harness::TestApp;

const INBOX: Scope = Scope { name: "INBOX_READ", role: Role::Manager };
/// The development inbox stands for a field of the application: no scope of Doorcode's opens it. The second grant tries
/// to open Doorcode's own fields.
const GRANTS: &[Grant] = &[
    Grant { scope: INBOX, fields: &["Query.inbox", "InboxMessage.*"] },
    Grant { scope: INBOX, fields: &["User.*", "User.apiKeys", "Mutation.createApiKey", "Mutation.setPassword"] },
];

async fn app() -> TestApp {
    TestApp::built(Overrides { grants: GRANTS, ..Overrides::default() }, |_| {}).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_of_an_application_opens_its_fields_to_keys_whose_owner_has_the_role() {
    let app = app().await;
    let inbox = "{ inbox(first: 1) { to subject } }";
    for (role, scopes, opens) in [
        (Role::Manager, vec!["INBOX_READ"], true),
        (Role::User, vec!["INBOX_READ"], false),
        (Role::Admin, vec!["PROFILE_READ", "PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"], false),
    ] {
        let owner = app.person(&format!("{role:?}@example.com").to_lowercase(), role).await;
        let (key, id) = create(&owner, &scopes).await;
        let answer = app.guest().with_bearer(&key).query(inbox, json!({})).await;
        if opens {
            assert_eq!(answer.field("inbox").as_array().unwrap().len(), 1);
        } else {
            assert_eq!(answer.code(), "INSUFFICIENT_SCOPE", "{role:?} {scopes:?}");
        }
        revoke(&owner, &id).await.field("revokeApiKey");
    }
    let owner = app.person("late@example.com", Role::Manager).await;
    for scope in ["inbox_read", "INBOX_WRITE", "INBOX_READ "] {
        let input = json!({ "name": "Inbox", "scopes": [scope] });
        assert_eq!(owner.change("createApiKey", input, "__typename").await.code(), "BAD_USER_INPUT", "{scope}");
    }
    let both = created(&owner, json!({ "name": "Inbox", "scopes": ["INBOX_READ", "PROFILE_READ"] })).await;
    assert_eq!(both["apiKey"]["scopes"], json!(["PROFILE_READ", "INBOX_READ"]), "Doorcode's first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_of_an_application_opens_none_of_doorcodes_fields() {
    let app = app().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let (key, _) = create(&manager, &["INBOX_READ"]).await;
    let robot = app.guest().with_bearer(&key);
    assert!(works(&app.guest(), &key).await);
    for query in [
        "{ me { email } }",
        "{ me { apiKeys { id } } }",
        "{ users(first: 1) { totalCount } }",
        "mutation { createApiKey(input: { name: \"N\", scopes: [] }) { __typename } }",
        "mutation { setPassword(input: { newPassword: \"seven otters at noon\" }) { __typename } }",
    ] {
        let answer = robot.query(query, json!({})).await;
        assert_eq!(answer.code(), "INSUFFICIENT_SCOPE", "{query}: {}", answer.text);
    }
    assert_eq!(app.count("api_keys", "1 = 1").await, 1);
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
}
