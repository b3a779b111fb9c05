//! Passwords in what a running server emits: spans as they are exported, metrics, log lines at every level, errors and
//! mails. `canary.rs` searches the tables.

use std::fs;

use serde_json::{Value, json};

use super::{collector::Collector, post};
use crate::{
    passwords::breached::sha1,
    program::{Home, Program},
};

const EMAIL: &str = "dora@example.com";
const FIRST: &str = "canary-First7-pass";
const SECOND: &str = "canary-Second-pass";
const THIRD: &str = "canary-Third3-pass";
const WRONG: &str = "canary-Wrong9-pass";
const BREACHED: &str = "canary-Known2-pass";
const SHORT: &str = "cnry-pw";

/// Whether bytes contain one of the passwords, or the start of a hash of one.
fn found_in(bytes: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    [FIRST, SECOND, THIRD, WRONG, BREACHED, SHORT, "$argon2"].into_iter().find(|secret| text.contains(secret))
}

/// Calls a mutation, and checks that its response repeats no password.
async fn call(program: &Program, bearer: &str, field: &str, input: Value) -> Value {
    let argument = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
    let more = match field {
        "register" | "requestPasswordReset" => "... on CodeSent { challenge }",
        "verify" => "... on SignedIn { tokens { accessToken } }",
        _ => "",
    };
    let selection = format!("__typename ... on Problem {{ message }} {more}");
    let query = format!("mutation($i: {argument}!) {{ {field}(input: $i) {{ {selection} }} }}");
    let headers = [("authorization", format!("Bearer {bearer}"))];
    let headers: Vec<_> =
        headers.iter().filter(|_| !bearer.is_empty()).map(|(name, it)| (*name, it.as_str())).collect();
    let text = post(program, &json!({ "query": query, "variables": { "i": input } }), &headers).await.text().await;
    let text = text.unwrap();
    assert_eq!(found_in(text.as_bytes()), None, "{field}: {text}");
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["data"][field].clone()
}

/// Types a password in every place where one belongs, and in some where none does.
async fn type_passwords(program: &Program) {
    let guest = async |field: &str, input: Value| call(program, "", field, input).await;
    let kind = |answer: &Value| answer["__typename"].as_str().unwrap_or_default().to_owned();
    for password in [SHORT, BREACHED, &format!("{WRONG}{}", "x".repeat(300))] {
        let weak = guest("register", json!({ "email": EMAIL, "password": password })).await;
        assert_eq!(kind(&weak), "WeakPassword");
    }
    let sent = guest("register", json!({ "email": EMAIL, "password": FIRST, "name": "Dora" })).await;
    let code = program.code_for(EMAIL).await.unwrap();
    let signed_in = guest("verify", json!({ "challenge": sent["challenge"], "code": code })).await;
    let bearer = signed_in["tokens"]["accessToken"].as_str().unwrap();
    for (email, password, expected) in [
        (EMAIL, FIRST, "SignedIn"),
        (EMAIL, WRONG, "InvalidCredentials"),
        ("nobody@example.com", WRONG, "InvalidCredentials"),
        (WRONG, FIRST, "InvalidEmail"),
    ] {
        assert_eq!(kind(&guest("login", json!({ "email": email, "password": password })).await), expected);
    }
    for misplaced in [
        json!({ "email": EMAIL, "challenge": WRONG, "password": FIRST }),
        json!({ "email": EMAIL, "deviceToken": WRONG, "locale": FIRST }),
        json!({ "email": EMAIL, "password": { "value": WRONG } }),
        json!({ "email": EMAIL, WRONG: FIRST }),
    ] {
        guest("login", misplaced).await;
    }
    let inline = format!("mutation {WRONG:?} {{ login(input: {{ email: 1, password: \"{WRONG}\" }}) {{ {THIRD} }} }}");
    let refused = post(program, &json!({ "query": inline }), &[("traceparent", WRONG)]).await.text().await.unwrap();
    assert_eq!(found_in(refused.as_bytes()), None, "{refused}");
    for (current, new, expected) in
        [(WRONG, SECOND, "InvalidCredentials"), (FIRST, BREACHED, "WeakPassword"), (FIRST, SECOND, "PasswordSet")]
    {
        let input = json!({ "currentPassword": current, "newPassword": new });
        assert_eq!(kind(&call(program, bearer, "setPassword", input).await), expected);
    }
    let sent = guest("requestPasswordReset", json!({ "email": EMAIL })).await;
    let code = program.code_for(EMAIL).await.unwrap();
    for (code, password, expected) in [
        (&*crate::harness::other_than(&code), WRONG, "InvalidCode"),
        (&*code, SHORT, "WeakPassword"),
        (&*code, THIRD, "SignedIn"),
    ] {
        let input = json!({ "challenge": sent["challenge"], "code": code, "newPassword": password });
        assert_eq!(kind(&guest("resetPassword", input).await), expected);
    }
    for _ in 0..21 {
        guest("login", json!({ "email": EMAIL, "password": WRONG })).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_in_a_span_a_metric_a_log_line_an_error_or_a_mail() {
    let (collector, home) = (Collector::start().await, Home::new().await);
    fs::write(home.folder.path().join("list.txt"), sha1(BREACHED)).unwrap();
    home.good(&["breached", "build", "list.txt", "breached.filter"]);
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()),
        ("DOORCODE_LOG", "trace".to_owned()),
        ("DOORCODE_BREACHED_PASSWORDS", "breached.filter".to_owned()),
        ("DOORCODE_PASSWORD_COST", "m=1024,t=1,p=1".to_owned()),
        // Other tests on this machine spend the limits of its network.
        ("DOORCODE_LIMIT_PASSWORD_NETWORK", "100000/1m".to_owned()),
        ("DOORCODE_LIMIT_PASSWORD_NETWORK_DAY", "100000/1d".to_owned()),
    ];
    let program = home.start_with(|command| _ = command.envs(variables)).await;
    type_passwords(&program).await;
    let inbox = format!("{{ inbox(to: \"{EMAIL}\", first: 50) {{ subject text html }} }}");
    let mails = program.call(&inbox, json!({})).await.unwrap()["data"]["inbox"].clone();
    let metrics = format!("http://127.0.0.1:{}/metrics", program.ops);
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    let printed = program.stopped();
    let spans = collector.received();
    for (what, bytes, proof) in [
        ("span", &*spans, "Mutation.resetPassword"),
        ("metric", metrics.as_bytes(), "operation=\"setPassword\""),
        ("log line", printed.as_bytes(), "PASSWORD_RESET"),
        ("mail", mails.to_string().as_bytes(), "password"),
    ] {
        assert_eq!(found_in(bytes), None, "in a {what}");
        assert!(String::from_utf8_lossy(bytes).contains(proof), "no {what} was searched");
    }
}
