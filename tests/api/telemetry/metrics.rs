//! The metrics of one sign-in, as Prometheus reads them.

use std::collections::{BTreeSet, HashMap};

use doorcode::graphql;
use serde_json::json;

use super::{scrape, sign_in, start};
use crate::harness::{eventually, on_servers};

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_counted_from_the_request_to_the_email() {
    let (_home, program) = start(&[]).await;
    let secrets = sign_in(&program).await;
    drop(program.call("mutation Bad { logout { __typename } }", json!({})).await);
    drop(program.call("mutation { noSuchThing { __typename } }", json!({})).await);
    drop(program.call("{ me { id } }", json!({})).await);
    let mut metrics = HashMap::new();
    eventually("the mail is counted", async || {
        metrics = scrape(&program).await;
        metrics.contains_key("doorcode_mails_total{kind=\"code\",outcome=\"sent\"}")
    })
    .await;

    let is = |name: &str, expected: f64| assert_eq!(metrics.get(name), Some(&expected), "{name} in {metrics:#?}");
    let operation = |operation: &str, outcome: &str| {
        format!("doorcode_operations_total{{operation=\"{operation}\",outcome=\"{outcome}\"}}")
    };
    is(&operation("login", "CodeSent"), 1.0);
    is(&operation("verify", "InvalidCode"), 1.0);
    is(&operation("verify", "SignedIn"), 1.0);
    is(&operation("logout", "UNAUTHENTICATED"), 1.0);
    // A field name that a client made up must not become a label.
    is(&operation("unknown", "GRAPHQL_VALIDATION_FAILED"), 1.0);
    is("doorcode_operation_duration_seconds_count{operation=\"login\"}", 1.0);
    is("doorcode_events_total{kind=\"CODE_REQUESTED\"}", 1.0);
    is("doorcode_events_total{kind=\"WRONG_CODE\"}", 1.0);
    is("doorcode_events_total{kind=\"SIGNED_UP\"}", 1.0);
    is("doorcode_cache_lookups_total{cache=\"tokens\",result=\"hit\"}", 0.0);
    is("doorcode_mails_total{kind=\"code\",outcome=\"sent\"}", 1.0);
    is("doorcode_mail_delivery_duration_seconds_count", 1.0);
    is("doorcode_outbox_letters", 0.0);
    is("doorcode_outbox_oldest_seconds", 0.0);
    is("doorcode_database_statements_total{outcome=\"failed\"}", 0.0);
    for part in ["database", "limiter", "migrations"] {
        is(&format!("doorcode_ready{{part=\"{part}\"}}"), 1.0);
    }
    let more = |name: &str| assert!(metrics.get(name).is_some_and(|value| *value > 0.0), "{name} in {metrics:#?}");
    more("doorcode_cache_lookups_total{cache=\"documents\",result=\"miss\"}");
    more("doorcode_http_requests_total{route=\"graphql\",status=\"200\"}");
    more("doorcode_http_request_duration_seconds_sum{route=\"graphql\"}");
    more("doorcode_database_statements_total{outcome=\"ok\"}");
    more("doorcode_limiter_call_duration_seconds_count{outcome=\"ok\"}");
    more("doorcode_connections");
    more("process_resident_memory_bytes");
    more("process_cpu_seconds_total");
    more("process_open_fds");
    more("process_max_fds");
    more("process_start_time_seconds");
    more(&format!("doorcode_build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION")));
    let pool = if on_servers() { "main" } else { "reader" };
    let connections = |state| metrics[&format!("doorcode_database_connections{{pool=\"{pool}\",state=\"{state}\"}}")];
    assert!(connections("idle") + connections("used") > 0.0, "{metrics:#?}");
    more(&format!("doorcode_database_connections_max{{pool=\"{pool}\"}}"));
    for name in metrics.keys() {
        secrets.assert_absent(name);
        assert!(!name.contains('@') && !name.contains("noSuchThing"), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_counted_by_its_rule() {
    let (_home, program) = start(&[("DOORCODE_LIMIT_SEND_PAIR", "1/15m"), ("DOORCODE_LIMIT_API_CALLER", "9/1m")]).await;
    for _ in 0..2 {
        drop(program.login("often@example.com").await);
    }
    for _ in 0..20 {
        drop(program.call("{ __typename }", json!({})).await);
    }
    let metrics = scrape(&program).await;
    assert_eq!(metrics.get("doorcode_refusals_total{rule=\"send.pair\"}"), Some(&1.0));
    assert!(metrics["doorcode_refusals_total{rule=\"api.caller\"}"] > 10.0, "{metrics:#?}");
    assert_eq!(metrics.get("doorcode_operations_total{operation=\"login\",outcome=\"RateLimited\"}"), Some(&1.0));
    assert!(metrics["doorcode_operations_total{operation=\"unknown\",outcome=\"RATE_LIMITED\"}"] > 10.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_only_on_the_operations_listener() {
    let (_home, program) = start(&[]).await;
    let public = reqwest::get(format!("http://127.0.0.1:{}/metrics", program.port)).await.unwrap();
    assert_eq!(public.status(), 404);
    let ops = reqwest::get(format!("http://127.0.0.1:{}/metrics", program.ops)).await.unwrap();
    let kind = ops.headers()["content-type"].to_str().unwrap().to_owned();
    assert_eq!(
        (ops.status().as_u16(), kind.as_str()),
        (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
}

/// A mutation that does not report its outcome would count as `ok` even when it fails.
#[test]
fn every_mutation_reports_its_outcome() {
    let sdl = graphql::sdl(false);
    let changes = sdl.split("type Mutation {").nth(1).unwrap().split("\n}").next().unwrap();
    let names: BTreeSet<_> = changes
        .lines()
        .filter_map(|line| line.trim().split_once(['(', ':']))
        .map(|(name, _)| name)
        .filter(|name| name.starts_with(char::is_lowercase) && name.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .collect();
    assert!(names.contains("login") && names.len() > 15, "{names:?}");
    let files =
        "sign_in registration admin account/session account/profile account/device account/password account/api_key";
    let source = files
        .split(' ')
        .map(|file| std::fs::read_to_string(format!("{}/src/graphql/{file}.rs", env!("CARGO_MANIFEST_DIR"))).unwrap());
    let reported: usize = source.map(|text| text.matches("Reported<").count()).sum();
    // `verify` and `verifyLink` share a function that reports their outcome as well, and a login with a password has
    // one.
    assert_eq!(reported, names.len() + 2, "{names:?}");
}
