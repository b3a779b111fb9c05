//! Traces of one sign-in, as a test collector receives them.

use serde_json::json;

use super::{EMAIL, Secrets, collector::Collector, post, sign_in, start};
use crate::{
    harness::eventually,
    program::{Home, Program},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const ME: &str = "query Who { me { email sessions(first: 5) { totalCount nodes { id } } } }";

async fn traced(collector: &Collector, ratio: &str) -> (Home, Program) {
    start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20for-the-collector"),
        ("DOORCODE_TRACE_RATIO", ratio),
    ])
    .await
}

fn context(flags: &str) -> String {
    format!("00-{TRACE}-b7ad6b7169203331-{flags}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_traced_from_the_request_to_its_sql_statements_and_email() {
    let collector = Collector::start().await;
    let (home, program) = traced(&collector, "1").await;
    let login = json!({
        "query": "mutation Door($e: String!) { login(input: { email: $e }) { __typename } }",
        "variables": { "e": "linked@example.com" }
    });
    let answer = post(&program, &login, &[("traceparent", &context("01"))]).await;
    let trace_response = answer.headers()["traceresponse"].to_str().unwrap().to_owned();
    assert!(trace_response.starts_with(&format!("00-{TRACE}-")) && trace_response.ends_with("-01"), "{trace_response}");
    let secrets: Secrets = sign_in(&program).await;
    let me = post(&program, &json!({ "query": ME }), &[("authorization", &format!("Bearer {}", secrets.access))]).await;
    let me = me.headers()["traceresponse"].to_str().unwrap()[3..35].to_owned();
    eventually("the mail is delivered", async || program.code_for("linked@example.com").await.is_some()).await;
    let status = program.stop();
    assert!(status.success(), "pending spans are sent at shutdown");

    let request = collector.one(TRACE, "POST graphql");
    assert_eq!(
        (request.parent.as_str(), request.kind),
        ("b7ad6b7169203331", 2),
        "a server span below the client's span"
    );
    assert_eq!(request.attributes["http.response.status_code"], "200");
    assert_eq!(request.service, "doorcode");
    let operation = collector.one(TRACE, "mutation login");
    assert_eq!(operation.parent, request.id);
    assert_eq!(operation.attributes["graphql.operation.name"], "Door");
    assert_eq!(operation.attributes["doorcode.outcome"], "CodeSent");
    let resolver = collector.one(TRACE, "Mutation.login");
    assert_eq!(resolver.parent, operation.id);
    let insert = collector.one(TRACE, "INSERT email_codes");
    assert_eq!((insert.parent.as_str(), insert.kind), (resolver.id.as_str(), 3));
    assert!(insert.attributes["db.query.text"].contains("INSERT INTO"), "{insert:?}");
    assert!(insert.nanos > 0 && insert.nanos < 2_000_000_000, "{insert:?}");
    let limiter = collector.one(TRACE, "take");
    assert_eq!(limiter.parent, resolver.id);
    assert!(limiter.attributes["rules"].contains("send.pair"));
    let mail = collector.spans().into_iter().find(|span| span.name == "deliver code" && span.links == [TRACE]);
    let mail = mail.expect("the delivery is linked to the request that queued the mail");
    assert_ne!(mail.trace, TRACE, "the delivery has a separate trace");
    assert_eq!(mail.attributes["doorcode.outcome"], "sent");
    assert_eq!(collector.one(&mail.trace, "smtp").parent, mail.id);

    // The lists of a user are read in batches. Each batch is a span, and its SQL statement is a child span.
    let batch = collector.one(&me, "Sessions");
    let statement = collector.spans().into_iter().find(|span| span.parent == batch.id);
    assert_eq!(statement.unwrap().name, "SELECT sessions");

    assert_eq!(collector.header("authorization").as_deref(), Some("Bearer for-the-collector"));
    let everything = format!("{:?}", collector.spans());
    secrets.assert_absent(&everything);
    for personal in [EMAIL, "linked@example.com", "127.0.0.1"] {
        assert!(!everything.contains(personal), "{personal} is in a span");
    }
    drop(home);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_opt_out_of_tracing_but_not_raise_the_sample_rate() {
    let collector = Collector::start().await;
    let (_home, program) = traced(&collector, "1").await;
    let question = json!({ "query": "{ __typename }" });
    let answer = post(&program, &question, &[("traceparent", &context("00"))]).await;
    assert!(answer.headers()["traceresponse"].to_str().unwrap().ends_with("-00"));
    for nonsense in ["", "00-0-0-01", &"a".repeat(5_000), "ff-zz"] {
        let answer = post(&program, &question, &[("traceparent", nonsense)]).await;
        assert_eq!(answer.status(), 200, "{nonsense}");
    }
    assert!(program.stop().success());
    assert!(collector.names(TRACE).is_empty());
    assert!(!collector.spans().is_empty(), "the other requests are traced");

    let few = Collector::start().await;
    let (_home, program) = traced(&few, "0.01").await;
    // A trace id that would always be sampled if the server used the client's id to decide.
    let chosen = format!("00-0123456789abcdef{:016x}-b7ad6b7169203331-01", 1);
    for _ in 0..100 {
        post(&program, &question, &[("traceparent", &chosen), ("tracestate", &format!("a={}", "b".repeat(200)))]).await;
    }
    assert!(program.stop().success());
    let requests = few.spans().iter().filter(|span| span.name == "POST graphql").count();
    assert!(requests < 20, "{requests} of 100 are traced");

    let none = Collector::start().await;
    let (_home, program) = traced(&none, "0").await;
    post(&program, &question, &[("traceparent", &context("01"))]).await;
    assert!(program.stop().success());
    assert!(none.spans().is_empty(), "{:?}", none.spans());
}

#[tokio::test(flavor = "multi_thread")]
async fn traces_are_exported_without_installed_root_certificates() {
    let collector = Collector::start().await;
    let (_home, program) = start(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url()),
        ("SSL_CERT_FILE", "/nonexistent"),
        ("SSL_CERT_DIR", "/nonexistent"),
    ])
    .await;
    post(&program, &json!({ "query": "{ __typename }" }), &[]).await;
    assert!(program.stop().success());
    assert!(!collector.spans().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unreachable_collector_delays_no_request_and_is_logged() {
    let (_home, program) = start(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]).await;
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(post(&program, &json!({ "query": "{ __typename }" }), &[]).await.status(), 200);
    }
    assert!(begun.elapsed().as_secs() < 5);
    eventually("the failure is logged", async || program.printed().contains("BatchSpanProcessor")).await;
    let begun = std::time::Instant::now();
    assert!(program.stop().success());
    assert!(begun.elapsed().as_secs() < 10, "shutdown waits only briefly for the collector");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_collector_the_clients_trace_id_is_still_logged() {
    let (_home, program) = start(&[("DOORCODE_LOG_FORMAT", "json")]).await;
    let answer = post(&program, &json!({ "query": "{ __typename }" }), &[("traceparent", &context("01"))]).await;
    assert!(!answer.headers().contains_key("traceresponse"));
    eventually("the line", async || program.printed().contains(&format!("\"trace_id\":\"{TRACE}\""))).await;
}
