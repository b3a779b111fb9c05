//! Codes of one purpose for another, and sending a code again for every purpose.

use doorcode::{db::entity::UserStatus, limits::Rule};
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, call, kind, login, owner, register, request_reset, text};
use crate::harness::{Client, SignedIn, TestApp, other_than};

/// A challenge of each purpose, with its code and the mutation that completes it.
async fn challenges(app: &TestApp, client: &Client<'_>) -> Vec<(&'static str, String, String)> {
    let code = async |email: &str| app.last_code_for(email).await;
    let sign_in = client.challenge("ada@example.com").await;
    let mut all = vec![("verify", sign_in, code("ada@example.com").await)];
    let registration = register(client, "new@example.com", PASSWORD).await;
    all.push(("verify", registration, code("new@example.com").await));
    let reset = request_reset(client, "ada@example.com").await;
    all.push(("resetPassword", reset, code("ada@example.com").await));
    let asked = client.change("changeEmail", json!({ "email": "next@example.com" }), "... on CodeSent { challenge }");
    let change = text(&asked.await.field("changeEmail")["challenge"]);
    all.push(("confirmEmail", change, code("next@example.com").await));
    all
}

fn input(field: &str, challenge: &str, code: &str) -> Value {
    let mut input = json!({ "challenge": challenge, "code": code });
    if field == "resetPassword" {
        input["newPassword"] = OTHER.into();
    }
    input
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_one_purpose_is_as_good_as_none_for_another() {
    let app = TestApp::new().await;
    let owner = owner(&app, "ada@example.com").await;
    let all = challenges(&app, &owner).await;
    for (purpose, challenge, code) in &all {
        for field in ["verify", "resetPassword", "confirmEmail"].into_iter().filter(|field| field != purpose) {
            assert_eq!(kind(&owner, field, input(field, challenge, code)).await, "CodeExpired", "{purpose} as {field}");
        }
    }
    assert_eq!(app.count("email_codes", "attempts > 0 AND consumed_at IS NULL").await, 0, "and costs no try");
    for (field, challenge, code) in &all {
        let anonymous = app.guest();
        let client = if *field == "confirmEmail" { &owner.client } else { &anonymous };
        if *field == "resetPassword" {
            continue; // It would end the session that changes the address.
        }
        let done = kind(client, field, input(field, challenge, code)).await;
        assert!(["SignedIn", "EmailChanged"].contains(&done.as_str()), "{field}: {done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_can_be_sent_again_for_every_purpose_and_both_codes_share_the_tries() {
    let app = TestApp::with(super::budget::wide).await;
    for at in 0..4 {
        let ada = format!("{at}ada@example.com");
        let owner = owner(&app, &ada).await;
        let all = challenges(&app, &owner).await;
        let (field, challenge, first) = all.into_iter().nth(at).unwrap();
        let anonymous = app.guest();
        let client = if field == "confirmEmail" { &owner.client } else { &anonymous };
        let wrong = call(client, field, input(field, &challenge, &other_than(&first))).await;
        assert_eq!(wrong["__typename"], "InvalidCode", "{field}");
        app.clock.pass(60.0);
        let sent = call(&anonymous, "resendCode", json!({ "challenge": challenge })).await;
        assert_eq!((&sent["__typename"], &sent["challenge"]), (&json!("CodeSent"), &json!(challenge)), "{field}");
        assert_eq!((&sent["attemptsLeft"], &sent["codeLength"]), (&json!(2), &json!(8)), "{field}");
        let email = text(&sent["email"]);
        let mails = app.mails_for(&email).await;
        assert_eq!(
            mails[0].subject.replace(mails[0].code.as_deref().unwrap(), ""),
            mails[1].subject.replace(&first, "")
        );
        let code = if at % 2 == 0 { first } else { app.last_code_for(&email).await };
        let done = kind(client, field, input(field, &challenge, &code)).await;
        assert!(["SignedIn", "EmailChanged"].contains(&done.as_str()), "{field}: {done}");
        assert_eq!(kind(&anonymous, "resendCode", json!({ "challenge": challenge })).await, "CodeExpired", "used");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_keeps_its_password_remember_and_language_when_its_code_is_sent_again() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let input =
        json!({ "email": "ada@example.com", "password": PASSWORD, "name": "Ada", "remember": false, "locale": "de" });
    let challenge = text(&call(&guest, "register", input).await["challenge"]);
    call(&app.guest(), "resendCode", json!({ "challenge": challenge })).await;
    let mails = app.mails_for("ada@example.com").await;
    assert_eq!(mails.len(), 2);
    assert!(mails[0].html.contains("lang=\"de\""), "{}", mails[0].html);
    let code = mails[0].code.clone().unwrap();
    let signed_in = call(&guest, "verify", json!({ "challenge": challenge, "code": code })).await;
    assert_eq!((&signed_in["user"]["name"], &signed_in["session"]["remembered"]), (&json!("Ada"), &json!(false)));
    SignedIn::read(&login(&app.guest(), "ada@example.com", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_with_the_challenge_of_another_purpose_gets_a_new_one() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let registration = register(&guest, "ada@example.com", PASSWORD).await;
    let code = app.last_code_for("ada@example.com").await;
    let sent = guest.resend("ada@example.com", &registration).await;
    assert_ne!(sent["challenge"], registration.as_str());
    assert_eq!(kind(&guest, "verify", input("verify", &registration, &code)).await, "SignedIn");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_expired_and_used_up_challenges_get_one_answer_and_are_limited() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::VerifyNetwork, "5/1m".into());
    })
    .await;
    let guest = app.guest();
    let old = register(&guest, "old@example.com", PASSWORD).await;
    app.clock.pass(301.0);
    let spent = register(&guest, "spent@example.com", PASSWORD).await;
    let code = app.last_code_for("spent@example.com").await;
    for _ in 0..3 {
        assert_eq!(kind(&guest, "verify", input("verify", &spent, &other_than(&code))).await, "InvalidCode");
    }
    let mails = app.count("outbox", "1 = 1").await;
    for challenge in ["", "nonsense", "AAAAAAAAAAAAAAAAAAAAAA", &old, &spent] {
        assert_eq!(kind(&guest, "resendCode", json!({ "challenge": challenge })).await, "CodeExpired", "{challenge}");
    }
    assert_eq!(kind(&guest, "resendCode", json!({ "challenge": old })).await, "RateLimited");
    assert_eq!(app.count("outbox", "1 = 1").await, mails, "nothing is mailed");
}

#[tokio::test(flavor = "multi_thread")]
async fn sending_again_follows_the_limits_and_is_a_decoy_where_the_first_mail_was() {
    let app = TestApp::new().await;
    owner(&app, "gone@example.com").await;
    app.set_status("gone@example.com", UserStatus::Suspended).await;
    let before = app.mails_for("gone@example.com").await.len();
    let guest = app.guest();
    for email in ["gone@example.com", "stranger@example.com"] {
        let challenge = request_reset(&guest, email).await;
        for _ in 0..2 {
            assert_eq!(kind(&guest, "resendCode", json!({ "challenge": challenge })).await, "CodeSent", "{email}");
        }
        assert_eq!(kind(&guest, "resendCode", json!({ "challenge": challenge })).await, "RateLimited", "{email}");
    }
    assert_eq!(app.mails_for("gone@example.com").await.len(), before);
    assert_eq!(app.mails_for("stranger@example.com").await.len(), 0);
}
