//! What somebody with a key, a part of one or none tries.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{create, revoke, rotate, works};
use crate::harness::{Answer, Client, TestApp};

const ALL: [&str; 4] = ["PROFILE_READ", "PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"];
const SCOPE: &str = "INSUFFICIENT_SCOPE";

fn denied(answer: &Answer, what: &str) {
    assert_eq!((answer.status.as_u16(), answer.code()), (403, SCOPE), "{what}: {}", answer.text);
    assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"insufficient_scope\"", "{what}");
    assert!(answer.json["data"].is_null(), "{what}: {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_makes_lists_rotates_and_revokes_no_keys() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let (key, id) = create(&admin, &ALL).await;
    let robot = app.guest().with_bearer(&key);
    denied(&robot.change("createApiKey", json!({ "name": "More", "scopes": [] }), "__typename").await, "create");
    denied(&rotate(&robot, &id, 60).await, "rotate");
    denied(&revoke(&robot, &id).await, "revoke");
    for query in [
        "{ me { apiKeys { id } } }".to_owned(),
        "{ users { nodes { apiKeys { prefix } } } }".to_owned(),
        format!("{{ node(id: \"{id}\") {{ ... on ApiKey {{ name }} }} }}"),
    ] {
        denied(&robot.query(&query, json!({})).await, &query);
    }
    // Without fields of the key, the node itself is refused, as an unknown one.
    let node = robot.query(&format!("{{ node(id: \"{id}\") {{ id __typename }} }}"), json!({})).await;
    assert_eq!(node.code(), SCOPE, "{}", node.text);
    assert_eq!(app.count("api_keys", "revoked_at IS NULL AND previous_hash IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_aliases_and_introspection_hide_no_field_from_the_check() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let (key, _) = create(&admin, &[]).await;
    let robot = app.guest().with_bearer(&key);
    for query in [
        "{ me { email } }",
        "{ id: me { id: email } }",
        "{ me { ...F } } fragment F on User { ... { name } }",
        "{ me { id } ... on Query { users { totalCount } } }",
        "{ a: me { id } b: me { sessions { nodes { id } } } }",
        "{ me { id email @include(if: true) } }",
        "{ users { __typename } }",
        "{ auditEvents { __typename } }",
        "{ node(id: \"U\") { __typename } }",
        "{ user(email: \"admin@example.com\") { id } }",
        "{ inbox { id } }",
        "subscription { sessionEnded { id } }",
    ] {
        denied(&robot.query(query, json!({})).await, query);
    }
    for query in [
        "{ me { id email @skip(if: true) } }",
        "{ __schema { queryType { name } } }",
        "{ __typename me { __typename id } }",
    ] {
        assert_eq!(robot.query(query, json!({})).await.status, 200, "{query}");
    }
    let both = json!({ "query": "query A { me { id } } query B { me { email } }", "operationName": "B" });
    denied(&robot.post(both.to_string()).await, "the operation that runs is the one that is checked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_takes_no_part_in_signing_in_or_out() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &ALL).await;
    let robot = app.guest().with_bearer(&key);
    denied(&robot.logout().await, "logout");
    let input = json!({ "refreshToken": ada.signed_in.refresh });
    denied(&robot.change("logout", input, "__typename").await, "logout with a refresh token");
    assert_eq!(robot.refresh(&key).await["__typename"], "SessionEnded", "a key is no refresh token");
    assert_eq!(robot.refresh(&ada.signed_in.refresh).await["__typename"], "Refreshed", "the key is ignored");
    for (field, input) in [
        ("changeEmail", json!({ "email": "thief@example.com" })),
        ("setPassword", json!({ "newPassword": "seven otters at noon" })),
        ("deleteAccount", json!({ "email": "ada@example.com" })),
        ("updateProfile", json!({ "name": "Thief" })),
        ("endSession", json!({ "id": ada.signed_in.session })),
    ] {
        denied(&robot.change(field, input, "__typename").await, field);
    }
    denied(&robot.query("mutation { exportData { __typename } }", json!({})).await, "exportData");
    // A sign-in with the key attached neither ends a session nor replaces the key.
    robot.sign_in("ada@example.com").await;
    assert!(works(&app.guest(), &key).await);
    assert_eq!(ada.me().await.field("me")["id"], json!(ada.signed_in.user), "the session is open");
    let guest = app.guest();
    for token in [&key, &format!("Bearer {key}")] {
        let input = json!({ "email": "ada@example.com", "deviceToken": token });
        let sent = guest.change("login", input, "__typename").await;
        assert_eq!(sent.field("login")["__typename"], "CodeSent", "a key is no device token");
    }
}

/// Completes the text of a key with the right checksum.
fn summed(body: &str) -> String {
    let sum = doorcode::domain::vault::sha256_bytes(body.as_bytes());
    format!("{body}{:08x}", u32::from_be_bytes(*sum.first_chunk().unwrap()))
}

/// Changes one character, and repairs the checksum.
fn forged(key: &str, at: usize) -> String {
    let body = &key[..key.len() - 8];
    let other = if body.as_bytes()[at] == b'0' { '1' } else { '0' };
    summed(&format!("{}{other}{}", &body[..at], &body[at + 1..]))
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_keys_with_a_right_checksum_are_refused_with_one_statement() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &ALL).await;
    let (other, _) = create(&ada, &[]).await;
    let guest = app.guest();
    app.take_statements();
    let start = key.len() - 72;
    for at in [3, 20, start - 2, start, start + 40, key.len() - 9] {
        assert!(!works(&guest, &forged(&key, at)).await, "character {at}");
        assert_eq!(app.take_statements().len(), 1, "character {at}");
    }
    // The id of one key with the secret of another.
    let mixed = format!("{}{}", &key[..start], &other[start..]);
    assert!(!works(&guest, &mixed).await);
    assert_eq!(app.take_statements(), [] as [&str; 0], "its checksum is wrong");
    assert!(!works(&guest, &summed(&mixed[..mixed.len() - 8])).await);
    assert!(works(&guest, &key).await && works(&guest, &other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_with_a_wrong_checksum_reach_no_database() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(doorcode::limits::Rule::ApiCaller, "100000/1m".into());
    })
    .await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &ALL).await;
    app.take_statements();
    let body = &key[..key.len() - 8];
    for number in 0..10_000 {
        let wrong = format!("{body}{number:08x}");
        assert!(wrong == key || !works(&app.guest(), &wrong).await);
    }
    assert_eq!(app.take_statements(), [] as [&str; 0]);
    assert!(works(&app.guest(), &key).await, "the key is not locked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_counts_only_as_one_bearer_token_and_only_in_its_own_spelling() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &[]).await;
    let with = |value: String| {
        let mut client = app.guest();
        client.headers.insert("authorization", value.parse().unwrap());
        client
    };
    let status = async |client: Client<'_>| client.query("{ me { id } }", Value::Null).await.status.as_u16();
    assert_eq!(status(with(format!("bearer {key}"))).await, 200);
    for value in [
        key.clone(),
        format!("Basic {key}"),
        format!("Bearer {}", key.to_uppercase()),
        format!("Bearer {key} {key}"),
        format!("Bearer {key}."),
    ] {
        assert_eq!(status(with(value)).await, 401);
    }
    let mut two = app.guest().with_bearer(&ada.signed_in.access);
    two.headers.insert("authorization", format!("Bearer {key}").parse().unwrap());
    assert_eq!(status(two).await, 401, "a key beside an access token");
    for body in [json!({ "query": "{ me { id } }", "key": key }), json!({ "query": "{ me { id } }", "apiKey": key })] {
        let answer = app.guest().post(body.to_string()).await;
        assert!(answer.json["data"]["me"].is_null(), "{}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn knowing_the_id_of_a_key_neither_locks_it_nor_uses_up_its_limit() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(doorcode::limits::Rule::ApiCaller, "20/1m".into());
    })
    .await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &[]).await;
    let thief = app.guest().at_ip("198.51.100.66");
    for _ in 0..40 {
        let answer = thief.with_bearer(&forged(&key, key.len() - 9)).query("{ me { id } }", json!({})).await;
        assert!([401, 429].contains(&answer.status.as_u16()));
    }
    assert!(works(&app.guest().at_ip("198.51.100.7"), &key).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_fields_are_recorded_once_an_hour_with_the_key() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let (key, _) = create(&ada, &[]).await;
    let robot = app.guest().with_bearer(&key);
    for _ in 0..3 {
        denied(&robot.query("{ me { email } }", json!({})).await, "email");
    }
    assert_eq!(app.refused("PERMISSION_DENIED").await, 3);
    let recorded =
        "kind = 'PERMISSION_DENIED' AND detail ->> 'field' = 'User.email' AND detail ->> 'apiKey' IS NOT NULL";
    assert_eq!(app.count("audit_events", recorded).await, 1);
}

/// A revocation or demotion while a change by the key waits for its locks.
#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_revoked_while_its_change_runs_changes_nothing_more() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    for round in 0..5 {
        let (key, id) = create(&admin, &["PEOPLE_WRITE"]).await;
        let robot = app.guest().with_bearer(&key);
        let make = async |number: usize| {
            let input = json!({ "email": format!("new-{round}-{number}@example.com") });
            robot.change("createUser", input, "__typename").await
        };
        let (.., revoked) = tokio::join!(make(1), make(2), make(3), revoke(&admin, &id));
        revoked.field("revokeApiKey");
        let before = app.count("users", "1 = 1").await;
        assert_eq!(make(4).await.status, 401);
        assert_eq!(app.count("users", "1 = 1").await, before);
    }
}
