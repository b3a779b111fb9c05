//! A server without passwords: every operation about them says so, and codes work.

use doorcode::db::entity::Role;
use serde_json::json;

use super::{OTHER, PASSWORD, answer, kind, sign_in_with};
use crate::harness::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn where_passwords_are_off_every_operation_about_them_says_so_and_does_nothing() {
    let app = TestApp::with(|flags| flags.methods = Some("code".into())).await;
    let person = app.person("ada@example.com", Role::User).await;
    app.drain_outbox().await;
    let mails = app.count("outbox", "1 = 1").await;
    for (field, input) in [
        ("login", sign_in_with(&person, "ada@example.com", PASSWORD)),
        ("login", sign_in_with(&person, "ada@example.com", "")),
        ("register", json!({ "email": "new@example.com", "password": PASSWORD })),
        ("register", json!({ "email": "new@example.com", "password": "" })),
        ("requestPasswordReset", json!({ "email": "ada@example.com" })),
        ("resetPassword", json!({ "challenge": "x", "code": "12345678", "newPassword": OTHER })),
        ("setPassword", json!({ "newPassword": OTHER })),
        ("removePassword", json!({})),
    ] {
        let refused = answer(&person, field, input).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (200, "METHOD_DISABLED"), "{field}");
        assert_eq!(refused.json["data"], json!(null), "{field}");
    }
    assert_eq!(app.count("outbox", "1 = 1").await, mails);
    for table in ["passwords", "password_tries"] {
        assert_eq!(app.count(table, "1 = 1").await, 0, "{table}");
    }
    assert_eq!(kind(&app.guest(), "login", json!({ "email": "ada@example.com" })).await, "CodeSent");
    let me = person.query("{ me { hasPassword passwordChangedAt } }", json!({})).await;
    assert_eq!(me.field("me"), &json!({ "hasPassword": false, "passwordChangedAt": null }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_can_be_taken_back_where_passwords_are_off() {
    let app = TestApp::with(|flags| flags.methods = Some("code".into())).await;
    let person = app.person("ada@example.com", Role::User).await;
    app.guest().sign_in("ada@example.com").await;
    let token = super::disown_token(&app, "ada@example.com").await;
    assert_eq!(kind(&app.guest(), "disownSession", json!({ "token": token })).await, "SessionDisowned");
    assert_eq!(super::status(&person).await, 401);
}
