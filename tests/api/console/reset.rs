//! `sendPasswordReset`: a link that signs in once, after which the user sets a password.

use doorcode::db::entity::{Role, UserStatus};
use serde_json::json;

use crate::harness::{Answer, Client, SignedIn, TestApp};

const PASSWORD: &str = "seven otters at noon";
const OTHER: &str = "a ladder for the moon";

async fn send(client: &Client<'_>, user: &str) -> Answer {
    let selection = "__typename ... on PasswordResetSent { user { email } } ... on RateLimited { retryAfter }";
    client.change("sendPasswordReset", json!({ "id": user }), selection).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> String {
    let input = json!({ "email": email, "password": password });
    let answer = app.guest().change("login", input, "__typename").await;
    answer.field("login")["__typename"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_signs_in_with_the_link_and_sets_a_password() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    ada.change("setPassword", json!({ "newPassword": PASSWORD }), "__typename").await.field("setPassword");
    app.clock.pass(660.0);
    assert_eq!(send(&admin, &ada.signed_in.user).await.code(), "REAUTHENTICATION_REQUIRED");
    let admin = admin.with_bearer(&app.guest().sign_in("admin@example.com").await.access);
    let answer = send(&admin, &ada.signed_in.user).await;
    assert_eq!(answer.field("sendPasswordReset")["user"]["email"], "ada@example.com");

    let mail = app.mails_for("ada@example.com").await.into_iter().next().unwrap();
    assert_eq!(mail.subject, "Set a new password for Doorcode");
    assert!(!mail.text.contains(&admin.ip.to_string()), "a mail never shows where an administrator is");
    let token = app.last_link_for("ada@example.com").await;
    assert_eq!(login(&app, "ada@example.com", PASSWORD).await, "SignedIn", "until then, nothing changes");
    let signed_in = SignedIn::read(&app.guest().verify_link(&token).await);
    assert_eq!(signed_in.user, ada.signed_in.user);
    let person = app.guest().with_bearer(&signed_in.access);
    let set = person.change("setPassword", json!({ "newPassword": OTHER }), "__typename").await;
    assert_eq!(set.field("setPassword")["__typename"], "PasswordSet", "without the current password");
    assert_eq!(login(&app, "ada@example.com", PASSWORD).await, "InvalidCredentials");
    assert_eq!(login(&app, "ada@example.com", OTHER).await, "SignedIn");
    assert_eq!(app.guest().verify_link(&token).await["__typename"], "CodeExpired", "a link works once");

    let query =
        "{ auditEvents(filter: { kinds: [PASSWORD_RESET_SENT] }) { nodes { actor { email } subject { email } } } }";
    let sent = admin.query(query, json!({})).await;
    let expected = json!([{ "actor": { "email": "admin@example.com" }, "subject": { "email": "ada@example.com" } }]);
    assert_eq!(sent.field("auditEvents")["nodes"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_gets_three_links_an_hour() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await.signed_in.user;
    let bob = app.person("bob@example.com", Role::User).await.signed_in.user;
    for _ in 0..3 {
        assert_eq!(send(&admin, &ada).await.field("sendPasswordReset")["__typename"], "PasswordResetSent");
    }
    let links = app.mails_for("ada@example.com").await.iter().filter(|mail| mail.text.contains("#link=")).count();
    assert_eq!(links, 3);
    let refused = send(&admin, &ada).await;
    assert_eq!(refused.field("sendPasswordReset")["__typename"], "RateLimited");
    assert_eq!(app.mails_for("ada@example.com").await.iter().filter(|mail| mail.text.contains("#link=")).count(), 3);
    assert_eq!(app.refused("LIMIT_REFUSED").await, 1);
    assert_eq!(send(&admin, &bob).await.field("sendPasswordReset")["__typename"], "PasswordResetSent");
    app.clock.pass(3_601.0);
    let admin = admin.with_bearer(&app.guest().sign_in("admin@example.com").await.access);
    assert_eq!(send(&admin, &ada).await.field("sendPasswordReset")["__typename"], "PasswordResetSent");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_user_of_a_server_with_passwords_gets_a_link() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await.signed_in.user;
    app.set_status("ada@example.com", UserStatus::Suspended).await;
    let mails = app.mails_for("ada@example.com").await.len();
    let answer = send(&admin, &ada).await;
    assert_eq!(answer.code(), "BAD_USER_INPUT");
    assert_eq!(answer.json["errors"][0]["extensions"]["field"], "id");
    assert_eq!(send(&admin, &admin.signed_in.session).await.code(), "BAD_USER_INPUT");
    assert_eq!(send(&admin, "00000000-0000-7000-8000-000000000001").await.code(), "NOT_FOUND");
    assert_eq!(app.mails_for("ada@example.com").await.len(), mails);
    assert_eq!(app.count("audit_events", "kind = 'PASSWORD_RESET_SENT'").await, 0);

    let app = TestApp::with(|flags| flags.methods = Some("code".into())).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    assert_eq!(send(&admin, &admin.signed_in.user).await.code(), "METHOD_DISABLED");
}
