//! API keys in what a running server emits: spans as they are exported, metrics, log lines at every level, errors and
//! mails.

use serde_json::{Value, json};

use super::{collector::Collector, post};
use crate::program::{Home, Program};

const EMAIL: &str = "dora@example.com";

/// The secret part of a key, which no output may have.
fn secret(key: &str) -> String {
    key.rsplit('_').next().unwrap()[..20].to_owned()
}

async fn call(program: &Program, bearer: &str, query: &str) -> (u16, String) {
    let headers = [("authorization", format!("Bearer {bearer}"))];
    let headers: Vec<_> = headers.iter().filter(|_| !bearer.is_empty()).map(|(name, it)| (*name, &**it)).collect();
    let answer = post(program, &json!({ "query": query }), &headers).await;
    (answer.status().as_u16(), answer.text().await.unwrap())
}

fn read(answer: &(u16, String)) -> Value {
    serde_json::from_str::<Value>(&answer.1).unwrap()["data"].clone()
}

async fn sign_in(program: &Program) -> String {
    let query = format!("mutation {{ login(input: {{ email: \"{EMAIL}\" }}) {{ ... on CodeSent {{ challenge }} }} }}");
    let sent = read(&call(program, "", &query).await);
    let (challenge, code) = (&sent["login"]["challenge"], program.code_for(EMAIL).await.unwrap());
    let query = format!(
        "mutation {{ verify(input: {{ challenge: {challenge}, code: \"{code}\" }}) {{ \
         ... on SignedIn {{ tokens {{ accessToken }} }} }} }}"
    );
    read(&call(program, "", &query).await)["verify"]["tokens"]["accessToken"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_api_key_is_in_a_span_a_metric_a_log_line_an_error_or_a_mail() {
    let (collector, home) = (Collector::start().await, Home::new().await);
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()), ("DOORCODE_LOG", "trace".to_owned())];
    let program = home.start_with(|command| _ = command.envs(variables)).await;
    let bearer = sign_in(&program).await;
    let made = "key apiKey { id }";
    let query = format!(
        "mutation {{ createApiKey(input: {{ name: \"CI\", scopes: [\"PROFILE_READ\"] }}) {{ \
         ... on ApiKeyCreated {{ {made} }} }} }}"
    );
    let created = read(&call(&program, &bearer, &query).await)["createApiKey"].clone();
    let first = created["key"].as_str().unwrap().to_owned();
    let query = format!(
        "mutation {{ rotateApiKey(input: {{ id: {} }}) {{ ... on ApiKeyCreated {{ {made} }} }} }}",
        created["apiKey"]["id"]
    );
    let rotated = read(&call(&program, &bearer, &query).await)["rotateApiKey"].clone();
    let second = rotated["key"].as_str().unwrap().to_owned();
    let secrets = [secret(&first), secret(&second)];
    let found_in = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        secrets.iter().any(|secret| text.contains(secret.as_str()))
    };

    let forged = format!("{}{}", &first[..first.len() - 1], if first.ends_with('A') { 'B' } else { 'A' });
    let inline = format!("mutation {{ verifyLink(input: {{ token: \"{second}\" }}) {{ __typename }} }}");
    for (key, query, status) in [
        (&*first, "{ me { email } }", 200),
        (&second, "{ me { email } }", 200),
        (&second, "{ users(first: 1) { totalCount } }", 403),
        (&forged, "{ me { id } }", 401),
        ("", &inline, 200),
    ] {
        let answer = call(&program, key, query).await;
        assert_eq!(answer.0, status, "{query}");
        assert!(!found_in(answer.1.as_bytes()), "{}", answer.1);
    }

    let inbox = format!("{{ inbox(to: \"{EMAIL}\", first: 50) {{ subject text html }} }}");
    let mails = program.call(&inbox, json!({})).await.unwrap()["data"]["inbox"].clone();
    let metrics = format!("http://127.0.0.1:{}/metrics", program.ops);
    let metrics = reqwest::get(metrics).await.unwrap().text().await.unwrap();
    let printed = program.stopped();
    let spans = collector.received();
    for (what, bytes, proof) in [
        ("span", &*spans, "Mutation.rotateApiKey"),
        ("metric", metrics.as_bytes(), "operation=\"rotateApiKey\""),
        ("log line", printed.as_bytes(), "API_KEY_CREATED"),
        ("mail", mails.to_string().as_bytes(), "API key"),
    ] {
        assert!(!found_in(bytes), "in a {what}");
        assert!(String::from_utf8_lossy(bytes).contains(proof), "no {what} was searched");
    }
}
