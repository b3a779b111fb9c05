//! Attacks on codes by one client, over a real socket. Attacks that need a test clock run in process: see `limits` for
//! guessing budgets and emails, `races` and `timing`.

use serde_json::{Value, json};

use super::{
    Allowed::{Harmless, InField, Refused},
    Attack,
    graphql::{few, has_full_limits},
    json_call, run_attacks,
    target::Target,
};

fn with_input(field: &str, kind: &str, input: &Value) -> Vec<u8> {
    let query = format!("mutation($i: {kind}!) {{ {field}(input: $i) {{ __typename ... on Problem {{ message }} }} }}");
    json_call(&json!({ "query": query, "variables": { "i": input } }).to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_codes_are_never_compared() {
    let target = Target::new(few).await;
    let challenge = target.program().login("ada@example.com").await.unwrap();
    let code = target.program().code_for("ada@example.com").await.unwrap();
    run_attacks(&target, "code", &codes(&challenge, &code)).await;
    has_full_limits(&target).await;
    assert_eq!(
        target.program().verify(&challenge, &code).await.unwrap()["__typename"],
        "SignedIn",
        "the code still works"
    );
}

fn codes(challenge: &str, code: &str) -> Vec<Attack> {
    let verify = |code: Value| with_input("verify", "VerifyInput", &json!({ "challenge": challenge, "code": code }));
    let input = Refused(422, "BAD_USER_INPUT");
    let number: u64 = code.parse().unwrap();
    let wrong_kinds = [
        ("a number", json!(number)),
        ("a float", json!(1.0e7)),
        ("a list with the right code", json!([code])),
        ("a list of a thousand codes", json!(vec![code; 1_000])),
        ("null", Value::Null),
        ("true", json!(true)),
        ("an object", json!({ "eq": code })),
        ("an object that is always true", json!({ "$ne": "" })),
    ];
    let mut attacks: Vec<_> = wrong_kinds
        .into_iter()
        .map(|(name, code)| Attack::new(format!("a code that is {name}"), verify(code), input.clone()))
        .collect();
    let wrong_texts = [
        ("nothing", String::new()),
        ("blanks", " ".repeat(8)),
        ("10 kB of digits", "1".repeat(10_000)),
        ("10 kB of spaces and the right code", format!("{}{code}", " ".repeat(10_000))),
        ("the right code and another digit", format!("{code}0")),
        ("the right code and a NUL", format!("{code}\0")),
        ("the right code with a sign", format!("+{code}")),
        ("full-width digits", "１２３４５６７８".into()),
        ("digits of another script", "١٢٣٤٥٦٧٨".into()),
        ("SQL", "' OR '1'='1".into()),
        ("a wildcard", "%%%%%%%%".into()),
        ("two codes", format!("{code},{code}")),
    ];
    attacks.extend(wrong_texts.into_iter().map(|(name, code)| {
        Attack::new(format!("a code that is {name}"), verify(json!(code)), InField("BAD_USER_INPUT"))
    }));
    for (name, input) in [
        ("no code", json!({ "challenge": challenge })),
        ("no challenge", json!({ "code": code })),
        ("an unknown field", json!({ "challenge": challenge, "code": code, "admin": true })),
        ("a string as the input", json!("x")),
        (
            "a list as the input",
            json!([{ "challenge": challenge, "code": code }, { "challenge": challenge, "code": code }]),
        ),
        ("a list as the challenge", json!({ "challenge": [challenge], "code": code })),
    ] {
        let bytes = with_input("verify", "VerifyInput", &input);
        attacks.push(Attack::new(name, bytes, Refused(422, "BAD_USER_INPUT")));
    }
    attacks
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_addresses_get_no_mail_and_are_not_counted() {
    let target = Target::new(few).await;
    let mut attacks = Vec::new();
    for (name, address) in addresses() {
        let bytes = with_input("login", "LoginInput", &json!({ "email": address }));
        attacks.push(Attack::new(format!("an address with {name}"), bytes, Harmless(200, "\"InvalidEmail\"")));
    }
    for (name, address) in [
        ("a list of addresses", json!(["a@example.com", "b@example.com"])),
        ("an address that is null", Value::Null),
        ("an address that is a number", json!(1)),
    ] {
        let bytes = with_input("login", "LoginInput", &json!({ "email": address }));
        attacks.push(Attack::new(name, bytes, Refused(422, "BAD_USER_INPUT")));
    }
    run_attacks(&target, "address", &attacks).await;
    has_full_limits(&target).await;
}

fn addresses() -> Vec<(&'static str, String)> {
    vec![
        ("no characters", String::new()),
        ("only spaces", "   ".into()),
        ("a second recipient", "a@example.com,b@example.com".into()),
        ("a second recipient after a space", "a@example.com b@example.com".into()),
        ("a second recipient after a semicolon", "a@example.com;b@example.com".into()),
        ("a header after a line break", "a@example.com\r\nBcc: b@example.com".into()),
        ("a line break", "a@example.com\n".into()),
        ("a NUL", "a@example.com\0".into()),
        ("a NUL before the @", "a\0@example.com".into()),
        ("angle brackets", "<a@example.com>".into()),
        ("a name and angle brackets", "Ada <a@example.com>".into()),
        ("a comment", "a(b)@example.com".into()),
        ("quotes", "\"a b\"@example.com".into()),
        ("an option of a mail program", "-oQ@example.com".into()),
        ("two @", "a@b@example.com".into()),
        ("no dot", "a@localhost".into()),
        ("an IP address", "a@[127.0.0.1]".into()),
        ("a letter of another script", "а@example.com".into()),
        ("full-width letters", "ａ@example.com".into()),
        ("right-to-left text", "a\u{202e}@example.com".into()),
        ("an escape sequence", "a\u{1b}[2J@example.com".into()),
        ("10 kB before the @", format!("{}@example.com", "a".repeat(10_000))),
        ("10 kB after the @", format!("a@{}.com", "b.".repeat(5_000))),
        ("a percent sign and a route", "a%b@@example.com".into()),
    ]
}
