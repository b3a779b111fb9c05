//! Users who change, read and export their own account.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use crate::harness::TestApp;

const PROFILE: &str = "__typename ... on ProfileUpdated { user { name locale version } }";
const EXPORT: &str = "mutation { exportData { __typename ... on DataExported { data } } }";

#[tokio::test(flavor = "multi_thread")]
async fn users_can_change_their_name_and_mail_language() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", Role::User).await;
    let input = json!({ "name": "  Ada <img src=x> {{7*7}} ", "locale": "ja" });
    let answer = person.change("updateProfile", input, PROFILE).await;
    let expected = json!({ "name": "Ada <img src=x> {{7*7}}", "locale": "ja", "version": 2 });
    assert_eq!(answer.field("updateProfile")["user"], expected);
    let left = person.change("updateProfile", json!({}), PROFILE).await;
    assert_eq!(left.field("updateProfile")["user"], expected, "an omitted field is unchanged");
    app.guest().sign_in("ada@example.com").await;
    let notice = &app.mails_for("ada@example.com").await[0];
    assert!(notice.code.is_none() && notice.html.contains("lang=\"ja\""), "{}", notice.html);
    let cleared = person.change("updateProfile", json!({ "name": null, "locale": null }), PROFILE).await;
    assert_eq!(cleared.field("updateProfile")["user"]["name"], Value::Null);

    let wrong = person.change("updateProfile", json!({ "name": " ", "locale": "xx" }), PROFILE).await;
    assert_eq!(wrong.code(), "BAD_USER_INPUT");
    assert_eq!(wrong.json["errors"][0]["extensions"]["problems"].as_array().unwrap().len(), 2);
    for name in ["a\r\nBcc: x@example.com", "\u{202e}gnp.exe", "x\u{0}", &"x".repeat(101)] {
        let refused = person.change("updateProfile", json!({ "name": name }), PROFILE).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT", "{name:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_can_only_read_their_own_account() {
    let app = TestApp::new().await;
    let guest = app.person("guest@example.com", Role::Guest).await;
    assert_eq!(guest.me().await.field("me")["role"], "GUEST");
    assert_eq!(guest.change("updateProfile", json!({ "name": "x" }), PROFILE).await.code(), "FORBIDDEN");
    let delete = guest.change("deleteAccount", json!({ "email": "guest@example.com" }), "__typename").await;
    assert_eq!(delete.code(), "FORBIDDEN");
    let anonymous = app.guest().change("updateProfile", json!({ "name": "x" }), PROFILE).await;
    assert_eq!(anonymous.code(), "UNAUTHENTICATED");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_requested_at_sign_in_is_kept() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let sent = guest.login_with(json!({ "email": "hans@example.com", "locale": "de-CH" })).await;
    let challenge = sent.field("login")["challenge"].as_str().unwrap().to_owned();
    let code = app.last_code_for("hans@example.com").await;
    let signed_in = crate::harness::SignedIn::read(&guest.verify(&challenge, &code).await);
    let me = guest.with_bearer(&signed_in.access).query("{ me { locale } }", json!({})).await;
    assert_eq!(me.field("me")["locale"], "de");
    let again = app.guest().sign_in("hans@example.com").await;
    let me = guest.with_bearer(&again.access).query("{ me { locale } }", json!({})).await;
    assert_eq!(me.field("me")["locale"], "de", "a sign-in without a language changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_sign_in_from_a_new_device_sends_a_notice() {
    let app = TestApp::new().await;
    let first = app.guest().sign_in("ada@example.com").await;
    assert_eq!(app.mails_for("ada@example.com").await.len(), 1, "the first sign-in sends no notice");
    let known = app.guest().with_device(&first.device);
    known.sign_in("ada@example.com").await;
    assert_eq!(app.mails_for("ada@example.com").await.len(), 2);
    let stranger = app.guest();
    stranger.sign_in("ada@example.com").await;
    let mails = app.mails_for("ada@example.com").await;
    assert_eq!(mails.len(), 4, "plus the code and the notice");
    assert!(mails[0].code.is_none() && mails[0].text.contains(&stranger.ip.to_string()), "{}", mails[0].text);
    let link = format!("{}/#disown=", app.ctx().settings.issuer());
    assert!(mails[0].text.lines().any(|line| line.starts_with(&link)), "{}", mails[0].text);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_contains_all_stored_data_and_no_secret() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let person = app.person("ada@example.com", Role::Guest).await;
    let id = &person.signed_in.user;
    let raised = admin.change("updateUser", json!({ "id": id, "name": "Ada" }), super::SAVED).await;
    assert_eq!(raised.field("updateUser")["user"]["name"], "Ada");
    app.guest().login_with(json!({ "email": "ada@example.com", "password": "not the password" })).await;
    let answer = person.query(EXPORT, json!({})).await;
    let data = &answer.field("exportData")["data"];
    assert_eq!(data["user"]["email"], "ada@example.com");
    assert_eq!((data["sessions"].as_array().unwrap().len(), data["devices"].as_array().unwrap().len()), (1, 1));
    let events = data["auditEvents"].as_array().unwrap();
    let changed = events.iter().find(|event| event["kind"] == "USER_CHANGED").unwrap();
    assert_eq!(
        (&changed["byYou"], &changed["ipAddress"]),
        (&json!(false), &Value::Null),
        "the administrator's address is not included"
    );
    let wrong = events.iter().find(|event| event["kind"] == "WRONG_PASSWORD").unwrap();
    assert_eq!(wrong["detail"], json!({}), "only administrators see the hash of an address");
    let own = events.iter().find(|event| event["kind"] == "SIGNED_IN").unwrap();
    assert_eq!((&own["byYou"], &own["ipAddress"]), (&json!(true), &json!(person.ip.to_string())));
    let text = answer.text.to_lowercase();
    assert!(!text.contains("hash") && !text.contains("admin@example.com") && !text.contains(&admin.ip.to_string()));
    assert!(!answer.text.contains(&person.signed_in.device) && !answer.text.contains(&person.signed_in.refresh));
    assert_eq!(app.count("audit_events", "kind = 'DATA_EXPORTED'").await, 1);
}
