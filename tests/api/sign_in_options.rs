//! What a client learns before anyone signs in.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::{contract::refused, harness::TestApp};

const QUERY: &str = "{ signInOptions { brand methods signUp codeLength passwordPolicy { minLength maxLength } } }";

async fn options(app: &TestApp) -> Value {
    app.guest().query(QUERY, json!({})).await.field("signInOptions").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_can_read_how_to_sign_in() {
    let defaults = TestApp::new().await;
    defaults.take_statements();
    let expected = json!({
        "brand": "Doorcode",
        "methods": ["EMAIL_CODE", "PASSWORD"],
        "signUp": "OPEN",
        "codeLength": 8,
        "passwordPolicy": { "minLength": 8, "maxLength": 256 },
    });
    assert_eq!(options(&defaults).await, expected);
    assert!(defaults.take_statements().is_empty(), "no statement");

    let other = TestApp::with(|flags| {
        flags.brand = Some("Example".into());
        flags.methods = Some("password, code".into());
        flags.signup = Some("domains:example.com".into());
        flags.code_length = Some("10".into());
        flags.password_min = Some("15".into());
    })
    .await;
    let expected = json!({
        "brand": "Example",
        "methods": ["EMAIL_CODE", "PASSWORD"],
        "signUp": "DOMAINS",
        "codeLength": 10,
        "passwordPolicy": { "minLength": 15, "maxLength": 256 },
    });
    assert_eq!(options(&other).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_passwords_there_is_no_policy_for_them() {
    let app = TestApp::with(|flags| {
        flags.methods = Some("code".into());
        flags.signup = Some("closed".into());
    })
    .await;
    let options = options(&app).await;
    assert_eq!(options["methods"], json!(["EMAIL_CODE"]));
    assert_eq!((&options["signUp"], &options["passwordPolicy"]), (&json!("CLOSED"), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_bearer_is_ignored_where_nothing_else_is_asked() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    person.logout().await.field("logout");
    for bad in [app.guest().with_bearer("nonsense"), (*person).clone()] {
        assert_eq!(bad.query(QUERY, json!({})).await.field("signInOptions")["brand"], "Doorcode");
        let both = bad.query("{ signInOptions { brand } me { id } }", json!({})).await;
        assert_eq!((both.status.as_u16(), both.code()), (401, "UNAUTHENTICATED"));
    }
}

const CHANGE_PASSWORD: &str = "/.well-known/change-password";

#[tokio::test(flavor = "multi_thread")]
async fn password_managers_are_redirected_to_the_form_for_a_new_password() {
    let app = TestApp::new().await;
    app.take_statements();
    for caller in [app.guest(), app.guest().with_bearer("nonsense")] {
        let answer = caller.get(CHANGE_PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (302, ""));
        assert_eq!(answer.headers["location"], "/account#change-password");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    assert!(app.take_statements().is_empty(), "no statement");
    assert_eq!(app.guest().get("/account").await.status.as_u16(), 200, "the page exists");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_passwords_there_is_no_form_to_redirect_to() {
    let app = TestApp::with(|flags| flags.methods = Some("code".into())).await;
    refused(&app.guest().get(CHANGE_PASSWORD).await, 404, "NOT_FOUND", "codes only");
}
