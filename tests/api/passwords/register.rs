//! Registering: no account and no password before the mailbox is proved, and the same answer for every address.

use doorcode::{
    db::entity::{Role, UserStatus},
    limits::Rule,
};
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, call, kind, login, owner, register, subjects, text};
use crate::harness::{SignedIn, TestApp};

async fn verify(app: &TestApp, challenge: &str, code: &str) -> Value {
    call(&app.guest(), "verify", json!({ "challenge": challenge, "code": code })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_becomes_an_account_with_its_password_and_name_once_its_code_is_entered() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let input = json!({ "email": " Ada@Example.COM ", "password": PASSWORD, "name": " Ada Lovelace " });
    let sent = call(&guest, "register", input).await;
    assert_eq!((&sent["__typename"], &sent["email"]), (&json!("CodeSent"), &json!("ada@example.com")));
    assert_eq!((&sent["codeLength"], &sent["attemptsLeft"]), (&json!(8), &json!(3)));
    for table in ["users", "passwords", "sessions"] {
        assert_eq!(app.count(table, "1 = 1").await, 0, "{table}");
    }
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["code"], "INVALID_CREDENTIALS");

    let code = app.last_code_for("ada@example.com").await;
    let signed_in = call(&guest, "verify", json!({ "challenge": sent["challenge"], "code": code })).await;
    let user = &signed_in["user"];
    assert_eq!((&signed_in["isNewUser"], &user["name"]), (&json!(true), &json!("Ada Lovelace")));
    assert_eq!((&user["email"], &user["hasPassword"]), (&json!("ada@example.com"), &json!(true)));
    assert_eq!(user["passwordChangedAt"], signed_in["session"]["createdAt"]);
    assert_eq!(signed_in["session"]["methods"], json!(["EMAIL_CODE"]), "the password was not asked for");
    let again = login(&app.guest(), "Ada@example.com", PASSWORD).await;
    assert_eq!((&again["isNewUser"], &again["user"]["id"]), (&json!(false), &user["id"]));
    assert_eq!(app.count("email_codes", "sealed IS NOT NULL").await, 0, "nothing waits any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_an_address_with_an_account_signs_in_and_discards_password_and_name() {
    let app = TestApp::new().await;
    app.guest().sign_in("code@example.com").await;
    let with_password = owner(&app, "pass@example.com").await;
    let fresh = call(&app.guest(), "register", json!({ "email": "new@example.com", "password": OTHER })).await;
    for email in ["code@example.com", "pass@example.com"] {
        let input = json!({ "email": email, "password": OTHER, "name": "Mallory" });
        let sent = call(&app.guest(), "register", input).await;
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&sent), names(&fresh), "nothing shows that there is an account");
        assert_ne!(subjects(&app, email).await[0], subjects(&app, "new@example.com").await[0], "only the mail says so");
        let code = app.last_code_for(email).await;
        let signed_in = verify(&app, &text(&sent["challenge"]), &code).await;
        assert_eq!((&signed_in["isNewUser"], &signed_in["user"]["name"]), (&json!(false), &Value::Null));
        assert_eq!(signed_in["user"]["hasPassword"], email == "pass@example.com");
        assert_eq!(login(&app.guest(), email, OTHER).await["__typename"], "InvalidCredentials");
    }
    let kept = login(&app.guest(), "pass@example.com", PASSWORD).await;
    assert_eq!(kept["user"]["id"], with_password.is.user.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_registrations_of_one_address_the_first_completed_one_decides() {
    let app = TestApp::new().await;
    let first = register(&app.guest(), "ada@example.com", PASSWORD).await;
    let first_code = app.last_code_for("ada@example.com").await;
    let second = register(&app.guest(), "ada@example.com", OTHER).await;
    let second_code = app.last_code_for("ada@example.com").await;
    assert!(SignedIn::read(&verify(&app, &second, &second_code).await).is_new);
    assert!(!SignedIn::read(&verify(&app, &first, &first_code).await).is_new);
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    SignedIn::read(&login(&app.guest(), "ada@example.com", OTHER).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_registers_first_never_sets_the_owners_password() {
    let app = TestApp::new().await;
    let theirs = register(&app.guest(), "ada@example.com", PASSWORD).await;
    let owner = app.guest();
    let challenge = owner.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let signed_in = verify(&app, &challenge, &code).await;
    assert_eq!((&signed_in["isNewUser"], &signed_in["user"]["hasPassword"]), (&json!(true), &json!(false)));
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
    assert_eq!(verify(&app, &theirs, &code).await["__typename"], "InvalidCode", "their handle, the owner's code");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_never_sets_a_password() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::SendAddressDay, "1/1d".into());
    })
    .await;
    register(&app.guest(), "ada@example.com", PASSWORD).await;
    let token = app.last_link_for("ada@example.com").await;
    assert!(SignedIn::read(&app.guest().verify_link(&token).await).is_new);
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
    assert_eq!(login(&app.guest(), "ada@example.com", PASSWORD).await["__typename"], "InvalidCredentials");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_sign_up_is_limited_a_registration_is_a_decoy_with_the_same_answer_and_work() {
    for policy in ["closed", "domains:example.org"] {
        let app = TestApp::with(|flags| flags.signup = Some(policy.into())).await;
        app.make("known@example.com", Role::User).await;
        app.make("suspended@example.com", Role::User).await;
        app.set_status("suspended@example.com", UserStatus::Suspended).await;
        let (mut seen, before) = (Vec::new(), app.mails_for("known@example.com").await.len());
        for email in ["known@example.com", "stranger@example.com", "suspended@example.com"] {
            app.drain_outbox().await;
            app.take_statements();
            let challenge = register(&app.guest(), email, PASSWORD).await;
            seen.push(app.take_statements());
            if email != "known@example.com" {
                assert_eq!(app.mails_for(email).await.iter().filter(|mail| mail.code.is_some()).count(), 0, "{email}");
                assert_eq!(verify(&app, &challenge, "12345678").await["attemptsLeft"], 2, "as for a real one");
            }
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
        assert_eq!(app.mails_for("known@example.com").await.len(), before + 1);
        assert_eq!(app.count("users", "1 = 1").await, 2);
        assert_eq!(app.count("passwords", "1 = 1").await, 0);
    }
    let app = TestApp::with(|flags| flags.signup = Some("domains:example.org".into())).await;
    owner(&app, "ada@example.org").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_expires_with_its_code() {
    let app = TestApp::new().await;
    let challenge = register(&app.guest(), "ada@example.com", PASSWORD).await;
    let code = app.last_code_for("ada@example.com").await;
    app.clock.pass(301.0);
    assert_eq!(verify(&app, &challenge, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("users", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_follows_the_limits_of_codes() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..3 {
        register(&guest, "ada@example.com", PASSWORD).await;
    }
    let refused = call(&guest, "register", json!({ "email": "ada@example.com", "password": PASSWORD })).await;
    assert_eq!((&refused["__typename"], &refused["retryAfter"]), (&json!("RateLimited"), &json!(900)), "{refused}");
    let input = json!({ "email": "no address", "password": PASSWORD });
    assert_eq!(kind(&guest, "register", input).await, "InvalidEmail");
}
