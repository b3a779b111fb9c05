//! What the tokens of a client cannot do. The tests of the permissions page use every field with one.

use serde_json::json;

use super::{NOTES, Tokens, ada, answer, app, is_open, query, refresh, sign_in_to};
use crate::pages::browser::Browser;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_client_reads_the_own_account_and_changes_nothing() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let tokens = sign_in_to(&client, &signed_in.access, NOTES).await;
    let notes = client.with_bearer(&tokens.access);
    let read =
        notes.query("{ me { email role sessions { nodes { clientId current } } devices { id } } }", json!({})).await;
    assert_eq!(read.field("me")["email"], "ada@example.com");
    for query in [
        "mutation { updateProfile(input: { name: \"Eve\" }) { __typename } }",
        "mutation { changeEmail(input: { email: \"eve@example.com\" }) { __typename } }",
        "mutation { setPassword(input: { newPassword: \"seven otters at noon\" }) { __typename } }",
        "mutation { createApiKey(input: { name: \"Key\", scopes: [] }) { __typename } }",
        "mutation { endOtherSessions { count } }",
        "mutation { logout { __typename } }",
        "mutation { exportData { __typename } }",
        "mutation { deleteAccount(input: { email: \"ada@example.com\" }) { __typename } }",
        "{ me { auditEvents { totalCount } } }",
        "{ me { apiKeys { id } } }",
        "{ users { totalCount } }",
        "{ auditEvents { totalCount } }",
    ] {
        let answer = notes.query(query, json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (403, "INSUFFICIENT_SCOPE"), "{query}: {}", answer.text);
    }
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_client_of_an_administrator_has_no_power_over_others() {
    let app = app().await;
    app.make("root@example.com", doorcode::db::entity::Role::Admin).await;
    let eve = app.guest().sign_in("eve@example.com").await;
    let root = app.guest();
    let signed_in = root.sign_in("root@example.com").await;
    let tokens = sign_in_to(&root, &signed_in.access, NOTES).await;
    let notes = root.with_bearer(&tokens.access);
    assert_eq!(notes.me().await.field("me")["role"], "ADMIN");
    let other = notes.query(&format!("{{ user(id: \"{}\") {{ email }} }}", eve.user), json!({})).await;
    assert_eq!(other.code(), "NOT_FOUND", "{}", other.text);
    for (field, input) in [
        ("suspendUser", json!({ "id": eve.user, "version": 1, "reason": "none" })),
        ("createUser", json!({ "email": "new@example.com" })),
        ("endUserSessions", json!({ "id": eve.user })),
        ("deleteUser", json!({ "id": eve.user, "version": 1 })),
    ] {
        let answer = notes.change(field, input, "__typename").await;
        assert_eq!(answer.code(), "INSUFFICIENT_SCOPE", "{field}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_client_signs_in_nowhere() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let tokens = sign_in_to(&client, &signed_in.access, NOTES).await;
    let approved = answer(&client, Some(&tokens.access), &query(super::SHOP), true).await;
    assert_eq!((approved.status.as_u16(), approved.code()), (403, "INSUFFICIENT_SCOPE"));
    let mut browser = Browser::new(app.guest());
    let opened = browser.open(json!({ "refreshToken": tokens.refresh })).await;
    assert_eq!((opened.status.as_u16(), browser.cookie), (204, None), "the pages take no session of a client");
    // A sign-in with this token in the header replaces a session of the pages, but none of a client.
    client.with_bearer(&tokens.access).sign_in("ada@example.com").await;
    assert!(is_open(&client, NOTES, &tokens).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_key_approves_nothing() {
    let app = app().await;
    let (client, _) = ada(&app).await;
    let (key, _) = crate::api_keys::create(&client, &["PROFILE_READ"]).await;
    let refused = answer(&client, Some(&key), &query(NOTES), true).await;
    assert_eq!(refused.status, 401, "{}", refused.text);
    assert_eq!(app.count("authorization_codes", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ends_its_own_session_with_its_refresh_token() {
    let app = app().await;
    let (client, signed_in) = ada(&app).await;
    let first = sign_in_to(&client, &signed_in.access, NOTES).await;
    let tokens = Tokens::of(&refresh(&client, NOTES.0, &first.refresh).await);
    let ended = app.guest().change("logout", json!({ "refreshToken": tokens.refresh }), "__typename").await;
    assert_eq!(ended.field("logout")["__typename"], "LoggedOut");
    assert!(!is_open(&client, NOTES, &tokens).await);
    assert_eq!(client.me().await.status, 200);
}
