//! A code is for one purpose: presented for another, it is as unknown as any, and costs nothing but a miss.

use serde_json::{Value, json};

use super::{OTHER, PASSWORD, answer, call, guess, kind, many_mails, owner, register, request_reset, reset};
use crate::{
    harness::{Client, SignedIn, TestApp},
    people::email_change,
};

const PURPOSES: [&str; 4] = ["sign in", "register", "reset", "change address"];

/// Requests a code for a purpose, and returns its challenge and digits.
async fn request(app: &TestApp, person: &Client<'_>, purpose: &str) -> (String, String) {
    let (guest, email) = (app.guest(), "ada@example.com");
    let challenge = match purpose {
        "sign in" => guest.challenge(email).await,
        "register" => register(&guest, email, OTHER).await,
        "reset" => request_reset(&guest, email).await,
        _ => {
            let challenge = email_change::challenge(person, "new@example.com").await;
            return (challenge, app.last_code_for("new@example.com").await);
        }
    };
    (challenge, app.last_code_for(email).await)
}

/// Presents a code where codes of these purposes are accepted.
async fn present(person: &Client<'_>, field: &str, challenge: &str, code: &str) -> Value {
    let input = match field {
        "resetPassword" => json!({ "challenge": challenge, "code": code, "newPassword": OTHER }),
        _ => json!({ "challenge": challenge, "code": code }),
    };
    answer(person, field, input).await.field(field).clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_of_one_purpose_is_unknown_for_every_other() {
    let app = TestApp::with(many_mails).await;
    let owner = owner(&app, "ada@example.com").await;
    let person = app.guest().with_bearer(&owner.access);
    for purpose in PURPOSES {
        let (challenge, code) = request(&app, &person, purpose).await;
        for (field, accepted) in [
            ("verify", &["sign in", "register"][..]),
            ("resetPassword", &["reset"]),
            ("confirmEmail", &["change address"]),
        ] {
            if !accepted.contains(&purpose) {
                let refused = present(&person, field, &challenge, &code).await;
                assert_eq!(kind(&refused), "CodeExpired", "the code to {purpose}, at {field}");
            }
        }
        // A link never comes from digits, and `login` goes on with no challenge of another purpose.
        assert_eq!(kind(&person.verify_link(&challenge).await), "CodeExpired");
        if purpose != "sign in" {
            let other = person.resend("ada@example.com", &challenge).await;
            assert_ne!(other["challenge"], challenge.as_str(), "{purpose}");
        }
    }
    assert_eq!(app.count("email_codes", "units > 0").await, 0, "and none was counted as a guess");
    assert_eq!(guess(&app, "ada@example.com", PASSWORD).await, "SignedIn", "the password is the owner's");
    person.me().await.field("me");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resent_code_keeps_its_purpose_and_its_spent_attempts() {
    let app = TestApp::with(many_mails).await;
    owner(&app, "ada@example.com").await;
    let guest = app.guest();
    let challenge = request_reset(&guest, "ada@example.com").await;
    assert_eq!(reset(&guest, &challenge, "00000000", OTHER).await["attemptsLeft"], 2);
    let resent = call(&guest, "resendCode", json!({ "challenge": challenge })).await;
    assert_eq!(resent["challenge"], challenge.as_str());
    let code = app.last_code_for("ada@example.com").await;
    assert_eq!(kind(&guest.verify(&challenge, &code).await), "CodeExpired");
    assert_eq!(reset(&guest, &challenge, "00000000", OTHER).await["attemptsLeft"], 1);
    SignedIn::read(&reset(&guest, &challenge, &code, OTHER).await);
    assert_eq!(kind(&reset(&guest, &challenge, &code, PASSWORD).await), "CodeExpired", "a replay");
    assert_eq!(guess(&app, "ada@example.com", OTHER).await, "SignedIn");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_for_an_unknown_address_mails_nothing_and_makes_no_account() {
    let app = TestApp::with(many_mails).await;
    let guest = app.guest();
    let challenge = request_reset(&guest, "stranger@example.com").await;
    assert!(app.mails_for("stranger@example.com").await.is_empty());
    assert_eq!(kind(&reset(&guest, &challenge, "00000000", OTHER).await), "InvalidCode");
    assert_eq!(app.count("users", "1 = 1").await + app.count("passwords", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fixed_test_code_never_sets_a_password() {
    use doorcode::ports::Clock;
    let until = (crate::harness::ManualClock::starting_now().now() + chrono::TimeDelta::days(9)).format("%Y-%m-%d");
    let app = TestApp::with(|flags| {
        many_mails(flags);
        flags.test_codes = Some(format!("review@example.com=83120475@{until}"));
    })
    .await;
    let guest = app.guest();
    let challenge = register(&guest, "review@example.com", OTHER).await;
    assert_eq!(kind(&guest.verify(&challenge, "83120475").await), "InvalidCode");
    let reviewer = SignedIn::read(&guest.verify(&guest.challenge("review@example.com").await, "83120475").await);
    let challenge = request_reset(&guest, "review@example.com").await;
    assert_eq!(kind(&reset(&guest, &challenge, "83120475", OTHER).await), "InvalidCode");
    // One challenge for both: a fixed code added to a registration.
    let planted = register(&guest, "review@example.com", OTHER).await;
    let other = guest.resend("review@example.com", &planted).await;
    assert_ne!(other["challenge"], planted.as_str());
    assert_eq!(kind(&guest.verify(&planted, "83120475").await), "InvalidCode");
    let person = guest.with_bearer(&reviewer.access);
    let set = answer(&person, "setPassword", json!({ "newPassword": OTHER })).await;
    assert_eq!(set.code(), "REAUTHENTICATION_REQUIRED", "a password would outlive the code");
    assert_eq!(app.count("passwords", "1 = 1").await, 0);
    app.clock.pass(20.0 * super::DAY);
    assert_eq!(guess(&app, "review@example.com", OTHER).await, "InvalidCredentials");
}
