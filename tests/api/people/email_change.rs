//! Changing one's own address.

use doorcode::db::entity::Role;
use doorcode::limits::Rule;
use serde_json::{Value, json};

use crate::harness::{Client, TestApp, other_than};

const CONFIRMED: &str = "__typename ... on EmailChanged { user { id email } } ... on InvalidCode { attemptsLeft } \
    ... on Problem { message }";
const SENT: &str = "__typename ... on CodeSent { challenge email codeLength attemptsLeft expiresAt } \
    ... on Problem { message }";

async fn ask(person: &Client<'_>, email: &str) -> Value {
    person.change("changeEmail", json!({ "email": email }), SENT).await.field("changeEmail").clone()
}

pub(crate) async fn challenge(person: &Client<'_>, email: &str) -> String {
    let sent = ask(person, email).await;
    sent["challenge"].as_str().unwrap_or_else(|| panic!("{sent}")).to_owned()
}

pub(crate) async fn confirm(person: &Client<'_>, challenge: &str, code: &str) -> Value {
    let input = json!({ "challenge": challenge, "code": code });
    person.change("confirmEmail", input, CONFIRMED).await.field("confirmEmail").clone()
}

/// A complete change of address.
pub(crate) async fn change(app: &TestApp, person: &Client<'_>, email: &str) {
    let challenge = challenge(person, email).await;
    let code = app.last_code_for(email).await;
    assert_eq!(confirm(person, &challenge, &code).await["__typename"], "EmailChanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_changes_with_the_code_sent_to_the_new_one() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    let elsewhere = app.guest().sign_in("old@example.com").await;
    let sent = ask(&person, "New@Example.com").await;
    assert_eq!((&sent["email"], &sent["codeLength"]), (&json!("new@example.com"), &json!(8)));
    let mails = app.mails_for("new@example.com").await;
    assert_eq!(mails.len(), 1);
    assert!(!mails[0].subject.contains("sign-in"), "{}", mails[0].subject);
    let code = mails[0].code.clone().unwrap();
    let challenge = sent["challenge"].as_str().unwrap();
    let wrong = confirm(&person, challenge, &other_than(&code)).await;
    assert_eq!((&wrong["__typename"], &wrong["attemptsLeft"]), (&json!("InvalidCode"), &json!(2)));
    let changed = confirm(&person, challenge, &code).await;
    assert_eq!(changed["user"], json!({ "id": person.signed_in.user, "email": "new@example.com" }));
    assert_eq!(confirm(&person, challenge, &code).await["__typename"], "CodeExpired", "a code works once");

    assert_eq!(person.me().await.field("me")["email"], "new@example.com", "this session stays open");
    assert_eq!(app.guest().with_bearer(&elsewhere.access).me().await.code(), "UNAUTHENTICATED", "others end");
    assert_eq!(app.guest().sign_in("new@example.com").await.user, person.signed_in.user);
    let stranger = app.guest().sign_in("old@example.com").await;
    assert!(stranger.is_new, "the old address is free");
    assert_eq!(app.count("audit_events", "kind = 'EMAIL_CHANGED'").await, 1);
    assert_eq!(app.count("audit_events", "kind = 'WRONG_CODE' AND subject_id IS NOT NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_to_a_taken_address_gets_the_same_response_but_no_mail() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    app.person("taken@example.com", Role::User).await;
    app.take_statements();
    let free = ask(&person, "free@example.com").await;
    let of_free = app.take_statements();
    let taken = ask(&person, "taken@example.com").await;
    assert_eq!(app.take_statements(), of_free, "the same work");
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!((names(&free), &free["expiresAt"]), (names(&taken), &taken["expiresAt"]));
    assert_eq!(of_free.len(), 5, "viewer, whether it is taken, challenge, mail, event: {of_free:#?}");
    assert_eq!(app.mails_for("taken@example.com").await.len(), 1, "the code of its owner's sign-in");
    assert_eq!(app.mails_for("free@example.com").await.len(), 1);
    assert_eq!(ask(&person, "old@example.com").await["__typename"], "InvalidEmail");
    assert_eq!(ask(&person, "nobody").await["__typename"], "InvalidEmail");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_of_two_concurrent_confirmations_gets_an_address() {
    for _ in 0..5 {
        let app = TestApp::new().await;
        let one = app.person("one@example.com", Role::User).await;
        let two = app.person("two@example.com", Role::User).await;
        let first = challenge(&one, "wanted@example.com").await;
        let first_code = app.last_code_for("wanted@example.com").await;
        let second = challenge(&two, "wanted@example.com").await;
        let second_code = app.last_code_for("wanted@example.com").await;
        let (first, second) = tokio::join!(confirm(&one, &first, &first_code), confirm(&two, &second, &second_code));
        let mut names = [first["__typename"].as_str().unwrap(), second["__typename"].as_str().unwrap()];
        names.sort_unstable();
        assert_eq!(names, ["EmailChanged", "EmailTaken"]);
        assert_eq!(app.count("users", "email = 'wanted@example.com'").await, 1);
        assert_eq!(app.count("email_codes", "purpose = 'change_email' AND consumed_at IS NULL").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_confirmations_change_the_address_once() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::VerifyNetwork, "1000/1m".into()))).await;
    let person = app.person("old@example.com", Role::User).await;
    let challenge = challenge(&person, "new@example.com").await;
    let code = app.last_code_for("new@example.com").await;
    let answers = futures_util::future::join_all((0..64).map(|_| confirm(&person, &challenge, &code))).await;
    let changed = answers.iter().filter(|answer| answer["__typename"] == "EmailChanged").count();
    assert_eq!(changed, 1);
    assert_eq!(app.count("email_changes", "1 = 1").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_only_works_for_its_user_and_purpose() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    let thief = app.person("thief@example.com", Role::User).await;
    let for_change = challenge(&person, "new@example.com").await;
    let code = app.last_code_for("new@example.com").await;
    assert_eq!(confirm(&thief, &for_change, &code).await["__typename"], "CodeExpired");
    assert_eq!(app.guest().verify(&for_change, &code).await["__typename"], "CodeExpired", "it does not sign in");
    let for_sign_in = app.guest().challenge("fresh@example.com").await;
    let sign_in_code = app.last_code_for("fresh@example.com").await;
    assert_eq!(confirm(&person, &for_sign_in, &sign_in_code).await["__typename"], "CodeExpired");
    assert_eq!(app.count("email_codes", "attempts > 0 AND consumed_at IS NULL").await, 0, "nothing was counted");
    assert_eq!(confirm(&person, &for_change, &code).await["__typename"], "EmailChanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_codes_are_charged_to_the_user_and_the_address() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    let challenge = challenge(&person, "victim@example.com").await;
    let code = app.last_code_for("victim@example.com").await;
    for left in [2, 1, 0] {
        assert_eq!(confirm(&person, &challenge, &other_than(&code)).await["attemptsLeft"], left);
    }
    assert_eq!(confirm(&person, &challenge, &code).await["__typename"], "CodeExpired");
    let both = "purpose = 'change_email' AND units = 3 AND budget_key = address_key AND user_id IS NOT NULL";
    assert_eq!(app.count("email_codes", both).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_to_a_new_address_is_rate_limited_like_any_other() {
    let app = TestApp::new().await;
    let person = app.person("old@example.com", Role::User).await;
    for _ in 0..3 {
        challenge(&person, "victim@example.com").await;
    }
    assert_eq!(ask(&person, "victim@example.com").await["__typename"], "RateLimited");
    assert_eq!(app.mails_for("victim@example.com").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_up_domains_also_restrict_address_changes() {
    let app = TestApp::with(|flags| flags.signup = Some("domains:example.com".into())).await;
    let person = app.person("old@example.com", Role::User).await;
    assert_eq!(ask(&person, "old@example.org").await["__typename"], "InvalidEmail");
    assert_eq!(ask(&person, "new@example.com").await["__typename"], "CodeSent");
}
