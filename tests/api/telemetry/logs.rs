//! The log lines of one sign-in.

use serde_json::{Value, json};

use super::{EMAIL, scrape, sign_in, start};
use crate::harness::eventually;

fn lines(printed: &str) -> Vec<Value> {
    printed.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_and_every_event_of_a_sign_in_is_logged_once() {
    let (_home, program) = start(&[("DOORCODE_LOG_FORMAT", "json")]).await;
    let secrets = sign_in(&program).await;
    let client = reqwest::Client::new();
    let who = r#"{"query":"query Who { me { id } }"}"#;
    let asked = client.post(format!("http://127.0.0.1:{}/graphql", program.port)).bearer_auth(&secrets.access);
    let asked = asked.header("content-type", "application/json").header("x-request-id", "the-one").body(who);
    let answer: Value = asked.send().await.unwrap().json().await.unwrap();
    assert!(answer["data"]["me"]["id"].is_string(), "{answer}");
    eventually("the last line", async || program.printed().contains("the-one")).await;
    let lines = lines(&program.printed());
    let requests = |operation: &str, outcome: &str| -> Vec<Value> {
        let is = |line: &&Value| {
            line["message"] == "request" && line["operation"] == operation && line["outcome"] == outcome
        };
        lines.iter().filter(is).cloned().collect()
    };
    for (operation, outcome) in [("login", "CodeSent"), ("verify", "InvalidCode"), ("verify", "SignedIn")] {
        let found = requests(operation, outcome);
        assert_eq!(found.len(), 1, "{operation} {outcome}");
        assert!(found[0]["micros"].is_u64() && found[0]["request_id"].is_string() && found[0]["status"] == 200);
    }
    let who = lines.iter().find(|line| line["request_id"] == "the-one" && line["message"] == "request").unwrap();
    assert_eq!((&who["operation"], &who["outcome"], &who["name"]), (&"query".into(), &"ok".into(), &"Who".into()));
    assert!(who["user"].is_string() && who["session"].is_string(), "{who}");

    let event = |kind: &str| {
        let found: Vec<_> = lines.iter().filter(|line| line["event"] == kind).collect();
        assert_eq!(found.len(), 1, "{kind}");
        found[0].clone()
    };
    let (requested, signed_up) = (event("CODE_REQUESTED"), event("SIGNED_UP"));
    event("WRONG_CODE");
    assert_eq!(requested["email"], signed_up["email"], "all lines about one address have the same label");
    assert!(requested["email"].as_str().unwrap().len() > 16);
    assert!(signed_up["user"].is_string() && signed_up["request_id"].is_string() && signed_up["ip"].is_string());
    assert!(!program.printed().contains(EMAIL), "the address itself is not logged");
    secrets.assert_absent(&program.printed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_anonymous_requests_is_sampled_and_sessions_are_logged_in_full() {
    let (_home, program) = start(&[("DOORCODE_LOG_FORMAT", "json")]).await;
    let access = sign_in(&program).await.access;
    let client = reqwest::Client::new();
    let nothing = format!("http://127.0.0.1:{}/nothing", program.port);
    for _ in 0..400 {
        assert_eq!(client.get(&nothing).send().await.unwrap().status(), 404);
    }
    let who = json!({ "query": "query Known { me { id } }" });
    for _ in 0..120 {
        assert_eq!(super::post(&program, &who, &[("authorization", &format!("Bearer {access}"))]).await.status(), 200);
    }
    let counted = scrape(&program).await[r#"doorcode_http_requests_total{route="other",status="404"}"#];
    assert!((counted - 400.0).abs() < 0.5, "{counted}");
    let printed = program.stopped();
    let lines = lines(&printed);
    let requests = |field: &str, value: &str| {
        lines.iter().filter(|line| line["message"] == "request" && line[field] == value).count()
    };
    let logged = requests("path", "/nothing");
    assert!((40..120).contains(&logged), "{logged} lines of 400 requests");
    assert_eq!(requests("name", "Known"), 120);
    let summaries: Vec<_> = lines.iter().filter(|line| line["message"] == "requests not logged").collect();
    let left_out: u64 = summaries.iter().map(|line| line["requests"].as_u64().unwrap()).sum();
    assert!(summaries.iter().all(|line| line["network"] == "127.0.0.1/32"), "{summaries:?}");
    // The scrape of the metrics is an anonymous request, too.
    assert!((400..=401).contains(&(logged as u64 + left_out)), "{summaries:?}");
}

/// Counts the request lines with this status, and those of them that name a session.
fn with_status(lines: &[Value], status: u16) -> (usize, usize) {
    let found: Vec<_> = lines.iter().filter(|line| line["message"] == "request" && line["status"] == status).collect();
    (found.len(), found.iter().filter(|line| line["session"].is_string()).count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_503_responses_is_sampled_like_any_other() {
    let (_home, program) = start(&[("DOORCODE_LOG_FORMAT", "json")]).await;
    let client = reqwest::Client::new();
    let mut answers = Vec::new();
    for _ in 0..300 {
        let socket = client.get(format!("http://127.0.0.1:{}/graphql", program.port)).headers(
            [
                ("connection", "upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
                ("sec-websocket-protocol", "graphql-transport-ws"),
            ]
            .into_iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect(),
        );
        // Keep the response, because only an open socket occupies a slot.
        answers.push(socket.send().await.unwrap());
    }
    let refused = answers.iter().filter(|answer| answer.status() == 503).count();
    // The log allows a few lines per network and time window, and these requests span at most two windows.
    let (logged, _) = with_status(&lines(&program.stopped()), 503);
    assert!(refused > 150 && logged < 120, "{logged} lines of {refused} requests");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_requests_of_a_session_are_logged_even_during_a_flood_from_its_network() {
    let (_home, program) = start(&[("DOORCODE_LOG_FORMAT", "json"), ("DOORCODE_LIMIT_API_CALLER", "40/1m")]).await;
    let access = sign_in(&program).await.access;
    let nothing = format!("http://127.0.0.1:{}/nothing", program.port);
    for _ in 0..200 {
        assert_eq!(reqwest::get(&nothing).await.unwrap().status(), 404);
    }
    let bearer = format!("Bearer {access}");
    for n in 0..240 {
        let answer = super::post(&program, &json!({ "query": "{ nothing }" }), &[("authorization", &bearer)]).await;
        assert_eq!(answer.status(), if n < 40 { 422 } else { 429 }, "{n}");
    }
    let lines = lines(&program.stopped());
    assert_eq!(with_status(&lines, 422), (40, 40));
    let (logged, of_session) = with_status(&lines, 429);
    assert!(logged == of_session && (60..180).contains(&logged), "{logged} lines, {of_session} of the session");
    let left_out = lines.iter().filter(|line| line["message"] == "requests not logged" && line["session"].is_string());
    let left_out: u64 = left_out.map(|line| line["requests"].as_u64().unwrap()).sum();
    assert_eq!(logged as u64 + left_out, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_of_a_known_address_can_be_found_by_its_label() {
    let (home, program) = start(&[("DOORCODE_LOG_FORMAT", "json")]).await;
    drop(program.login("Found@Example.com").await.unwrap());
    let label = home.good(&["user", "hash", "found@example.com"]);
    assert!(label.trim().len() > 16, "{label}");
    eventually("the log line", async || program.printed().contains(label.trim())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_are_logged_in_plain_text_if_the_setting_allows_it() {
    let (_home, program) = start(&[("DOORCODE_LOG_EMAILS", "plain")]).await;
    drop(program.login(EMAIL).await.unwrap());
    eventually("the log line", async || program.printed().contains(EMAIL)).await;
}
