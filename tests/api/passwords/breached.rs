//! The operator's list of breached passwords: where it is asked, and what happens when it cannot be read.

use std::{fs::File, path::PathBuf};

use aws_lc_rs::digest;
use doorcode::{db::entity::Role, domain::credential::password::policy::breached::Hashes};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{OTHER, PASSWORD, answer, call, kind, login, owner, request_reset};
use crate::harness::{SignedIn, TestApp};

/// A password that is refused only because it is on the list.
const BREACHED: &str = "nine herons on a wire";

/// The SHA-1 of a password in hexadecimal digits.
pub(crate) fn sha1(password: &str) -> String {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
}

/// A list of these passwords.
fn list_of(passwords: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("breached.filter");
    let list: String = passwords.iter().map(|password| sha1(password) + ":3\r\n").collect();
    Hashes::read(list.as_bytes(), folder.path()).unwrap().write(&out, || {}).unwrap();
    (folder, out)
}

async fn app_with(file: &std::path::Path) -> TestApp {
    TestApp::with(|flags| flags.breached_passwords = Some(file.display().to_string())).await
}

fn registration(password: &str) -> Value {
    json!({ "email": "new@example.com", "password": password })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breached_password_is_refused_at_register_set_and_reset() {
    let (_folder, file) = list_of(&[BREACHED]);
    let app = app_with(&file).await;
    let guest = app.guest();
    let weak = call(&guest, "register", registration(BREACHED)).await;
    assert_eq!((&weak["__typename"], &weak["reasons"]), (&json!("WeakPassword"), &json!(["BREACHED"])));
    assert_eq!(weak["message"], "This password is known from a data breach. Choose another one.");
    assert_eq!(app.count("email_codes", "1 = 1").await + app.count("outbox", "1 = 1").await, 0, "nothing is mailed");
    assert_eq!(kind(&guest, "register", registration(PASSWORD)).await, "CodeSent");

    let owner = owner(&app, "ada@example.com").await;
    for current in [None, Some(PASSWORD), Some(OTHER)] {
        let weak = call(&owner, "setPassword", json!({ "currentPassword": current, "newPassword": BREACHED })).await;
        assert_eq!(weak["reasons"], json!(["BREACHED"]), "{current:?}");
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 0, "a refused password costs no try of the current one");
    assert_eq!(kind(&owner, "setPassword", json!({ "newPassword": OTHER })).await, "PasswordSet");

    let challenge = request_reset(&guest, "ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let input = |password: &str| json!({ "challenge": challenge, "code": code, "newPassword": password });
    let weak = call(&guest, "resetPassword", input(BREACHED)).await;
    assert_eq!(weak["reasons"], json!(["BREACHED"]));
    assert_eq!(app.count("email_codes", "purpose = 'RESET_PASSWORD' AND attempts > 0").await, 0);
    SignedIn::read(&call(&guest, "resetPassword", input(PASSWORD)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_is_one_reason_among_others_and_compares_exactly_after_composition() {
    let (_folder, file) =
        list_of(&["123456", "ada@example.com", "\u{fc}ber f\u{fc}nf Fl\u{fc}sse", "  seven herons  "]);
    let app = app_with(&file).await;
    let reasons = async |password: &str| {
        let input = json!({ "email": "ada@example.com", "password": password });
        call(&app.guest(), "register", input).await["reasons"].clone()
    };
    assert_eq!(reasons("123456").await, json!(["TOO_SHORT", "COMMON", "BREACHED"]));
    assert_eq!(reasons("ada@example.com").await, json!(["BREACHED", "CONTAINS_IDENTITY"]));
    assert_eq!(reasons("u\u{308}ber fu\u{308}nf Flu\u{308}sse").await, json!(["BREACHED"]));
    assert_eq!(reasons("  seven herons  ").await, json!(["BREACHED"]));
    for other in ["seven herons", "  Seven herons  ", "\u{dc}ber f\u{fc}nf Fl\u{fc}sse"] {
        assert_eq!(reasons(other).await, Value::Null, "{other}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_became_known_still_signs_in() {
    let (_folder, file) = list_of(&[PASSWORD]);
    let app = TestApp::new().await;
    owner(&app, "ada@example.com").await;
    let replica = app.replica_with(|flags| flags.breached_passwords = Some(file.display().to_string())).await;
    let guest = app.guest().via(&replica);
    SignedIn::read(&login(&guest, "ada@example.com", PASSWORD).await);
    assert_eq!(call(&guest, "register", registration(PASSWORD)).await["reasons"], json!(["BREACHED"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_list_cannot_be_read_no_password_is_set_and_the_old_one_signs_in() {
    let (_folder, file) = list_of(&[BREACHED, PASSWORD, OTHER]);
    let app = TestApp::new().await;
    app.make("ada@example.com", Role::User).await;
    let owner = owner(&app, "eve@example.com").await;
    let replica = app.replica_with(|flags| flags.breached_passwords = Some(file.display().to_string())).await;
    File::options().write(true).open(&file).unwrap().set_len(100).unwrap();
    let guest = app.guest().via(&replica);
    let challenge = request_reset(&guest, "ada@example.com").await;
    let reset = json!({ "challenge": challenge, "code": "12345678", "newPassword": OTHER });
    for (field, input) in [("register", registration(OTHER)), ("resetPassword", reset)] {
        assert_eq!(answer(&guest, field, input).await.code(), "UNAVAILABLE", "{field}");
    }
    let set = answer(&owner.client.clone().via(&replica), "setPassword", json!({ "newPassword": OTHER })).await;
    assert_eq!(set.code(), "UNAVAILABLE");
    SignedIn::read(&login(&guest, "eve@example.com", PASSWORD).await);
}
