//! What a password may consist of: lengths, characters, and the reasons to refuse one.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::{OTHER, PASSWORD, answer, call, kind, login, owner, request_reset};
use crate::harness::{SignedIn, TestApp};

/// Registers with a password, and returns the reasons to refuse it.
async fn reasons(app: &TestApp, password: &str) -> Value {
    let result = call(&app.guest(), "register", json!({ "email": "ada@example.com", "password": password })).await;
    match result["__typename"].as_str() {
        Some("CodeSent") => json!([]),
        Some("WeakPassword") => {
            assert_eq!(result["code"], "WEAK_PASSWORD");
            result["reasons"].clone()
        }
        _ => panic!("{result}"),
    }
}

/// Sets the password of an account, and signs in with what was typed.
async fn set_then_type(app: &TestApp, set: &str, typed: &str) -> bool {
    let person = app.guest();
    let person = person.with_bearer(&person.sign_in("ada@example.com").await.access);
    assert_eq!(kind(&person, "setPassword", json!({ "newPassword": set })).await, "PasswordSet", "{set:?}");
    app.clock.pass(901.0);
    login(&app.guest(), "ada@example.com", typed).await["__typename"] == "SignedIn"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_has_eight_to_256_characters_whatever_their_size() {
    let app = TestApp::with(super::budget::wide).await;
    for (character, name) in [("x", "ASCII"), ("ß", "two bytes"), ("湖", "three bytes"), ("🦦", "four bytes")] {
        let of = |length: usize| ["q", "w", "7", "é"].iter().cycle().take(length - 1).copied().collect::<String>();
        for (length, expected) in
            [(7, json!(["TOO_SHORT"])), (8, json!([])), (256, json!([])), (257, json!(["TOO_LONG"]))]
        {
            let password = format!("{}{character}", of(length));
            assert_eq!(password.chars().count(), length);
            assert_eq!(reasons(&app, &password).await, expected, "{length} of {name}");
        }
    }
    let longer = TestApp::with(|flags| flags.password_min = Some("15".into())).await;
    assert_eq!(reasons(&longer, "otters-at-noon").await, json!(["TOO_SHORT"]));
    assert_eq!(reasons(&longer, "otters-at-noons").await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_length_counts_after_composition() {
    let app = TestApp::new().await;
    let decomposed = |count: usize| "e\u{301}".repeat(count);
    assert_eq!(reasons(&app, &format!("q{}", decomposed(6))).await, json!(["TOO_SHORT"]), "thirteen typed, seven read");
    assert_eq!(reasons(&app, &format!("qw8zk{}", decomposed(251))).await, json!([]), "507 typed, 256 read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_256_characters_of_four_bytes_works_and_its_last_one_counts() {
    let app = TestApp::new().await;
    let long: String = ["🦦", "🌙", "🪜"].iter().cycle().take(256).copied().collect();
    let shorter: String = long.chars().take(255).collect();
    assert!(!set_then_type(&app, &long, &shorter).await);
    SignedIn::read(&login(&app.guest(), "ada@example.com", &long).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn composed_and_decomposed_characters_are_one_password() {
    let app = TestApp::new().await;
    let (composed, decomposed) = ("\u{fc}ber f\u{fc}nf Fl\u{fc}sse", "u\u{308}ber fu\u{308}nf Flu\u{308}sse");
    assert!(set_then_type(&app, composed, decomposed).await);
    assert!(set_then_type(&app, decomposed, composed).await);
    assert!(!set_then_type(&app, composed, "uber funf Flusse").await);
    assert!(
        !set_then_type(&app, "ﬁve otters at noon", "five otters at noon").await,
        "a ligature is no pair of letters"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn blanks_nul_and_case_are_part_of_a_password() {
    let app = TestApp::new().await;
    for (set, typed) in [
        ("  seven otters  ", "seven otters"),
        ("seven otters", "seven otters "),
        ("seven otters", "sevenotters"),
        ("seven otters", "Seven otters"),
        ("seven\u{0}otters", "seven"),
        ("seven\u{0}otters", "seven\u{0}badgers"),
        ("seven\tbadgers\n", "seven badgers"),
        ("          ", "         "),
    ] {
        assert!(!set_then_type(&app, set, typed).await, "{set:?} {typed:?}");
        SignedIn::read(&login(&app.guest(), "ada@example.com", set).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_of_any_size_gets_an_answer() {
    let app = TestApp::new().await;
    owner(&app, "eve@example.com").await;
    let long = "seven otters ".repeat(1_000);
    assert_eq!(reasons(&app, &long).await, json!(["TOO_LONG"]));
    assert_eq!(login(&app.guest(), "eve@example.com", &long).await["__typename"], "InvalidCredentials");
    let huge = "x".repeat(64 * 1024);
    for (field, input) in [
        ("register", json!({ "email": "ada@example.com", "password": huge })),
        ("login", json!({ "email": "eve@example.com", "password": huge })),
        ("resetPassword", json!({ "challenge": "x", "code": "12345678", "newPassword": huge })),
    ] {
        let refused = answer(&app.guest(), field, input).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (413, "DOCUMENT_TOO_LARGE"), "{field}");
    }
    assert_eq!(app.count("password_tries", "1 = 1").await, 1, "only the one that was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_reasons_come_at_once_and_the_policy_is_not_asked_at_sign_in() {
    let app = TestApp::with(|flags| flags.brand = Some("Otter".into())).await;
    assert_eq!(reasons(&app, "123456").await, json!(["TOO_SHORT", "COMMON"]));
    assert_eq!(reasons(&app, "PASSWORD1").await, json!(["COMMON"]));
    let short = json!({ "email": "qwvzx@example.com", "password": "qwvzx" });
    assert_eq!(call(&app.guest(), "register", short).await["reasons"], json!(["TOO_SHORT", "CONTAINS_IDENTITY"]));
    for built in ["ada@example.com", "Ada@Example.com1!", "otter2026!", "1otter1otter"] {
        let found = reasons(&app, built).await;
        assert_eq!(found, json!(["CONTAINS_IDENTITY"]), "{built}");
    }
    let named = json!({ "email": "ada@example.com", "password": "Lovelace1815", "name": "Augusta Lovelace" });
    assert_eq!(call(&app.guest(), "register", named).await["reasons"], json!(["CONTAINS_IDENTITY"]));
    assert_eq!(reasons(&app, "Lovelace1815").await, json!([]), "without that name");
    assert_eq!(app.count("email_codes", "1 = 1").await, 1, "a refused password mails nothing");
    for password in ["123", "password", &"y".repeat(300)] {
        assert_eq!(login(&app.guest(), "ada@example.com", password).await["__typename"], "InvalidCredentials");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn register_set_and_reset_ask_the_same_policy_about_what_they_know() {
    let app = TestApp::new().await;
    app.make("ada@example.com", Role::User).await;
    let guest = app.guest();
    let person = guest.with_bearer(&guest.sign_in("ada@example.com").await.access);
    let named = person.change("updateProfile", json!({ "name": "Augusta Lovelace" }), "__typename").await;
    assert_eq!(named.field("updateProfile")["__typename"], "ProfileUpdated");
    let set = async |password: &str| call(&person, "setPassword", json!({ "newPassword": password })).await;
    assert_eq!(set("Lovelace1815").await["reasons"], json!(["CONTAINS_IDENTITY"]), "the stored name");
    assert_eq!(set("ada@example.com").await["reasons"], json!(["CONTAINS_IDENTITY"]));
    assert_eq!(set("123456").await["reasons"], json!(["TOO_SHORT", "COMMON"]));

    let challenge = request_reset(&guest, "ada@example.com").await;
    let input = |password: &str| json!({ "challenge": challenge, "code": "12345678", "newPassword": password });
    let weak = call(&guest, "resetPassword", input("ada@example.com")).await;
    assert_eq!(weak["reasons"], json!(["CONTAINS_IDENTITY"]));
    assert_eq!(call(&guest, "resetPassword", input("123456")).await["reasons"], json!(["TOO_SHORT", "COMMON"]));
    assert_eq!(app.count("email_codes", "attempts > 0").await, 1, "only the sign-in: a weak password costs no try");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_password_or_one_with_a_challenge_is_an_error_in_every_field_at_once() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    app.drain_outbox().await;
    let fields = async |input: Value| {
        let refused = answer(&guest, "login", input).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (200, "BAD_USER_INPUT"), "{}", refused.text);
        let problems = refused.json["errors"][0]["extensions"]["problems"].as_array().cloned().unwrap_or_default();
        problems.iter().map(|problem| problem["field"].clone()).collect::<Vec<_>>()
    };
    let email = "ada@example.com";
    assert_eq!(fields(json!({ "email": email, "password": "" })).await, ["password"]);
    assert_eq!(fields(json!({ "email": email, "password": PASSWORD, "challenge": challenge })).await, ["challenge"]);
    let both = json!({ "email": email, "password": "", "challenge": challenge });
    assert_eq!(fields(both).await, ["password", "challenge"]);
    assert_eq!(app.count("outbox", "1 = 1").await, 1, "only the first mail");
    assert_eq!(app.count("password_tries", "1 = 1").await, 0);
    let name = json!({ "email": email, "password": OTHER, "name": "x".repeat(101) });
    assert_eq!(answer(&guest, "register", name).await.code(), "BAD_USER_INPUT");
    let sent = call(&guest, "login", json!({ "email": email, "password": null })).await;
    assert_eq!(sent["__typename"], "CodeSent", "without a password a code is mailed");
}

#[tokio::test(flavor = "multi_thread")]
async fn half_of_a_surrogate_pair_is_no_password_and_a_whole_pair_is_one_character() {
    let app = TestApp::new().await;
    let ask = async |field: &str, argument: &str, text: &str| {
        let query =
            format!("mutation {{ {field}(input: {{ email: \"ada@example.com\", {argument} }}) {{ __typename }} }}");
        let by_literal = app.guest().query(&query.replace("TEXT", text), json!({})).await;
        let by_json = format!(r#"{{"query":"{}"}}"#, query.replace('"', "\\\"").replace("TEXT", text));
        (by_literal, app.guest().post(by_json).await)
    };
    for field in ["register", "login"] {
        for half in [r"\ud83e", r"\udda6", r"\udda6\ud83e", r"\ud83e\ud83e"] {
            let (literal, json) = ask(field, "password: \"seven otters TEXT\"", half).await;
            for refused in [literal, json] {
                assert_eq!(refused.status, 400, "{field} {half}: {}", refused.text);
            }
        }
    }
    assert_eq!(app.count("password_tries", "1 = 1").await + app.count("email_codes", "1 = 1").await, 0);
    for answer in <[_; 2]>::from(ask("register", "password: \"seven7 TEXT\"", r"\ud83e\udda6").await) {
        assert_eq!(answer.field("register")["__typename"], "CodeSent", "eight characters: {}", answer.text);
    }
    for answer in <[_; 2]>::from(ask("register", "password: \"seven TEXT\"", r"\ud83e\udda6").await) {
        assert_eq!(answer.field("register")["__typename"], "WeakPassword", "seven characters: {}", answer.text);
    }
}
