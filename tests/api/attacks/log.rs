//! Log injection: sends line breaks and escape sequences in everything that an unauthenticated client can write, then
//! checks the raw bytes of the log.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    JSON,
    target::{Target, http, text},
};

/// Forged log lines, as text and as JSON.
const FORGED: [&str; 2] = [
    "2026-01-01T00:00:00.000000Z  INFO forged",
    r#"{"timestamp":"2026-01-01T00:00:00.000000Z","level":"INFO","message":"forged"}"#,
];
/// Control characters and sequences that a terminal interprets.
const OBEYED: [&str; 8] = ["\r\n", "\n", "\r", "\u{1b}[2J\u{1b}[31m", "\u{9b}31m", "\u{85}", "\u{202e}", "\u{2028}"];

#[tokio::test(flavor = "multi_thread")]
async fn input_cannot_forge_log_lines_or_move_the_cursor() {
    for format in ["text", "json"] {
        let target = Target::new(|command| {
            command.env("DOORCODE_LOG_FORMAT", format).env("DOORCODE_LOG", "info,doorcode=debug");
        })
        .await;
        let tokens = target.sign_in("ada@example.com").await;
        let bearer = format!("Bearer {}", tokens["accessToken"].as_str().unwrap());
        let from = target.program().printed_bytes().len();
        for obeyed in OBEYED {
            for forged in FORGED {
                write(&target, &bearer, &format!("x{obeyed}{forged}")).await;
            }
        }
        // Wait for pending log lines.
        tokio::time::sleep(Duration::from_millis(300)).await;
        let log = target.program().printed_bytes().split_off(from);
        assert!(log.len() > 10_000, "the log was read: {}", text(&log));
        check(&log, format);
        let sessions = json!({ "query": "{ me { name sessions(first: 100) { nodes { userAgent } } } }" }).to_string();
        let listed = target.post(&[("authorization", &bearer)], sessions).await;
        assert!(listed.json["errors"].is_null(), "{}", listed.text);
        assert!(
            !listed.text.contains("\\u00") && !listed.text.contains("\\n") && !listed.text.contains("\\r"),
            "{}",
            listed.text
        );
    }
}

/// Sends the text in every place where an unauthenticated client can write.
async fn write(target: &Target, bearer: &str, text: &str) {
    let raw = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| http(method, path, headers, body);
    let escaped =
        text.replace('%', "%25").replace('\r', "%0d").replace('\n', "%0a").replace('\u{1b}', "%1b").replace(' ', "%20");
    let unblanked = text.replace(' ', "\u{a0}");
    let body = |query: &str, variables: Value| json!({ "query": query, "variables": variables }).to_string();
    let login = "mutation($i: LoginInput!) { login(input: $i) { __typename } }";
    let verify = "mutation($i: VerifyInput!) { verify(input: $i) { __typename } }";
    let rename = "mutation($i: UpdateProfileInput!) { updateProfile(input: $i) { __typename } }";
    let good = body(login, json!({ "email": "log@example.com" }));
    for bytes in [
        raw("GET", &format!("/{escaped}"), &[], ""),
        raw("GET", &format!("/{unblanked}"), &[], ""),
        raw("GET", &format!("/health?{unblanked}"), &[], ""),
        raw(
            "POST",
            "/graphql",
            &[JSON, ("user-agent", text)],
            &body(login, json!({ "i": { "email": "log@example.com" } })),
        ),
        raw("POST", "/graphql", &[JSON, ("x-request-id", text)], &good),
        raw("POST", "/graphql", &[JSON, ("x-forwarded-for", text), ("forwarded", text)], &good),
        raw("POST", "/graphql", &[JSON, ("authorization", text)], &good),
        raw("POST", "/graphql", &[JSON, ("authorization", &format!("Bearer {text}"))], &good),
        raw("POST", "/graphql", &[JSON, ("origin", text)], &good),
        raw("POST", "/graphql", &[("content-type", text)], &good),
        raw("POST", "/graphql", &[JSON], &body(login, json!({ "i": { "email": format!("{text}@example.com") } }))),
        raw("POST", "/graphql", &[JSON], &body(login, json!({ "i": { "email": "a@example.com", "locale": text } }))),
        raw("POST", "/graphql", &[JSON], &body(login, json!({ "i": { "email": "a@example.com", "challenge": text } }))),
        raw("POST", "/graphql", &[JSON], &body(verify, json!({ "i": { "challenge": text, "code": text } }))),
        raw("POST", "/graphql", &[JSON], &body(&format!("{{ {text} }}"), Value::Null)),
        raw(
            "POST",
            "/graphql",
            &[JSON],
            &json!({ "query": "query A { __typename }", "operationName": text }).to_string(),
        ),
        raw("POST", "/graphql", &[JSON, ("authorization", bearer)], &body(rename, json!({ "i": { "name": text } }))),
        raw(&text.replace(' ', ""), "/graphql", &[], ""),
        raw(&"A".repeat(10_000), "/graphql", &[], ""),
        raw("GET", &format!("/{}", "a".repeat(10_000)), &[], ""),
    ] {
        // Some of these requests are not valid HTTP, so the server closes the connection.
        drop(target.send(&bytes).await);
    }
    // A sign-in with the text as user agent, because user agents are stored and displayed.
    let again = raw(
        "POST",
        "/graphql",
        &[JSON, ("user-agent", &unblanked)],
        &body(login, json!({ "i": { "email": "ada@example.com" } })),
    );
    drop(target.send(&again).await);
}

fn check(log: &[u8], format: &str) {
    let printed = std::str::from_utf8(log).expect("the log is text");
    for line in printed.lines() {
        let obeyed = |c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c);
        assert!(!line.contains(obeyed), "{format}: a terminal would interpret {line:?}");
        assert!(line.len() < 2_000, "{format}: a log line of {} bytes", line.len());
        assert!(!FORGED.iter().any(|forged| line.starts_with(forged)), "{format}: forged {line}");
        if format == "json" {
            let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            assert_ne!(line["message"], "forged");
        } else {
            let stamped = line.len() > 28 && line.as_bytes()[4] == b'-' && line.as_bytes()[26] == b'Z';
            assert!(stamped, "{format}: a forged line: {line:?}");
        }
    }
}
