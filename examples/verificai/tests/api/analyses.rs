//! Starting, reading and cancelling analyses.

use std::{
    future::pending,
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tokio::sync::watch;
use verificai::provider::{Failure, Reply};

use crate::harness::{START, Scripted, Verificai, code, field, order};

const HOUR: TimeDelta = TimeDelta::hours(1);

/// The time by the clock of the test.
fn now(app: &Verificai) -> DateTime<Utc> {
    app.app.ctx.now()
}

const CANCEL: &str = "mutation($id: ID!) { cancelAnalysis(id: $id) { __typename \
    ... on AnalysisCancelled { analysis { status } } ... on AnalysisFinished { analysis { status } } } }";

#[tokio::test]
async fn an_analysis_has_files_findings_and_usage() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Security review").await;
    let files = [("a.py", "password = \"x\"\n# TODO\n"), ("empty.txt", " \n"), ("b.rs", "fn f() {}\n")];
    let started = app.data(&ada, START, order(&prompt, "k", &files)).await;
    assert_eq!(started["startAnalysis"]["analysis"]["status"], "QUEUED");
    let id = started["startAnalysis"]["analysis"]["id"].as_str().unwrap();
    assert_eq!(app.analysis(&ada, id).await["result"], Value::Null);
    assert_eq!(app.work().await, 1);
    let found = app.analysis(&ada, id).await;
    assert_eq!(
        (&found["status"], &found["progress"], &found["attempts"]),
        (&json!("SUCCEEDED"), &json!(100), &json!(1))
    );
    let states: Vec<_> = found["files"].as_array().unwrap().iter().map(|file| &file["status"]).collect();
    assert_eq!(states, ["ANALYSED", "SKIPPED", "ANALYSED"]);
    assert_eq!(found["files"][0]["language"], "Python");
    assert_eq!(found["files"][0]["sha256"].as_str().unwrap().len(), 64);
    let findings = found["result"]["findings"].as_array().unwrap();
    let brief: Vec<_> =
        findings.iter().map(|one| (one["file"].as_str().unwrap(), one["line"].as_i64().unwrap())).collect();
    assert_eq!(brief, [("a.py", 1), ("a.py", 2)]);
    assert_eq!(found["result"]["model"], "offline-rules");
    let usage = app.data(&ada, "{ usageByDay { day analyses tokensIn tokensOut cost } }", json!({})).await;
    assert_eq!(usage["usageByDay"][0]["day"], "2026-06-01");
    assert_eq!(usage["usageByDay"][0]["tokensIn"], found["result"]["tokensIn"]);
    let list =
        "{ analyses(status: SUCCEEDED) { totalCount nodes { id } } failed: analyses(status: FAILED) { totalCount } }";
    let list = app.data(&ada, list, json!({})).await;
    assert_eq!((&list["analyses"]["totalCount"], &list["failed"]["totalCount"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn files_are_deleted_when_the_analysis_ends() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let texts = async || app.rows("analysis_texts").await;
    let (succeeds, fails) = (app.start_one(&ada, "a").await, app.start_one(&ada, "b").await);
    assert_eq!(texts().await, 2);
    let refuse = || async { Err::<Reply, _>(Failure::permanent("It is refused.")) };
    let (worker, (_go, stop)) = (app.worker(Arc::new(Scripted(refuse))), watch::channel(false));
    app.run("UPDATE analyses SET ready_at = $1 WHERE idempotency_key = 'a'", [(now(&app) + HOUR).into()]).await;
    assert!(worker.work(&stop).await.unwrap());
    assert_eq!((&app.analysis(&ada, &fails).await["status"], texts().await), (&json!("FAILED"), 1));
    app.pass(HOUR);
    let ada = app.sign_in("ada@example.com").await;
    assert_eq!(app.work().await, 1);
    assert_eq!((&app.analysis(&ada, &succeeds).await["status"], texts().await), (&json!("SUCCEEDED"), 0));
    let cancelled = app.start_one(&ada, "c").await;
    let bob = app.sign_in("bob@example.com").await;
    assert_eq!(code(&app.ask(Some(&bob), CANCEL, json!({ "id": cancelled })).await), "NOT_FOUND");
    assert_eq!(texts().await, 1);
    app.data(&ada, CANCEL, json!({ "id": cancelled })).await;
    assert_eq!(texts().await, 0);
    // The same key still returns the analysis, and its files still have names.
    assert_eq!(app.start_one(&ada, "c").await, cancelled);
    assert_eq!(app.analysis(&ada, &cancelled).await["files"][0]["name"], "src/main.rs");
    let other = app.data(&ada, START, order(&prompt, "c", &[("a.rs", "x")])).await;
    assert_eq!(other["startAnalysis"]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!((texts().await, app.rows("analysis_files").await), (0, 3));
}

#[tokio::test]
async fn the_most_severe_findings_of_many_are_kept() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let open = "TODO\n".repeat(150);
    let files = [("a.py", &*open), ("b.py", &open), ("c.py", "password = \"x\"\n")];
    let started = app.data(&ada, START, order(&prompt, "k", &files)).await;
    app.work().await;
    let found = app.analysis(&ada, started["startAnalysis"]["analysis"]["id"].as_str().unwrap()).await;
    let findings = found["result"]["findings"].as_array().unwrap();
    let of = |file: &str| findings.iter().filter(|finding| finding["file"] == file).count();
    assert_eq!((of("a.py"), of("b.py"), of("c.py")), (150, 49, 1));
}

#[tokio::test]
async fn the_same_key_starts_one_analysis() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let same = order(&prompt, "build-1", &[("a.rs", "x")]);
    let tries: Vec<_> = (0..16).map(|_| app.data(&ada, START, same.clone())).collect();
    let mut ids: Vec<_> = Vec::new();
    for started in futures_util::future::join_all(tries).await {
        ids.push(started["startAnalysis"]["analysis"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned());
    }
    ids.dedup();
    assert_eq!((ids.len(), app.rows("analyses").await, app.rows("analysis_files").await), (1, 1, 1));
    for other in [order(&prompt, "build-1", &[("b.rs", "x")]), order(&prompt, "build-1", &[("a.rs", "y")])] {
        let refused = app.data(&ada, START, other).await;
        assert_eq!(refused["startAnalysis"]["code"], "IDEMPOTENCY_KEY_REUSED");
    }
    let bob = app.sign_in("bob@example.com").await;
    let his = app.data(&bob, START, same).await;
    assert_ne!(his["startAnalysis"]["analysis"]["id"], ids[0], "keys belong to a user");
}

#[tokio::test]
async fn a_refused_file_gets_a_clear_problem_and_starts_nothing() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let large = "x".repeat(1024 * 1024 + 1);
    for (name, text, reason) in [
        ("../../etc/passwd", "x", "PATH"),
        ("/etc/passwd", "x", "PATH"),
        ("C:\\x", "x", "PATH"),
        ("image.png", "\u{fffd}PNG\0", "BINARY"),
        ("large.rs", &large, "TOO_LARGE"),
        ("good.rs", "x", "DUPLICATE"),
    ] {
        let refused = app.data(&ada, START, order(&prompt, "k", &[("good.rs", "x"), (name, text)])).await;
        let problem = &refused["startAnalysis"];
        assert_eq!(problem["__typename"], "FileRefused", "{name}: {refused}");
        assert_eq!((&problem["position"], &problem["reason"]), (&json!(1), &json!(reason)));
        assert!(problem["message"].as_str().unwrap().contains(name), "{problem}");
    }
    for (input, wrong) in [
        (order(&prompt, "k", &[]), "files"),
        (order(&prompt, "k", &[("a", "x"); 21]), "files"),
        (order(&prompt, " ", &[("a", "x")]), "idempotencyKey"),
        (order(&prompt, &"k".repeat(101), &[("a", "x")]), "idempotencyKey"),
        (order("nonsense", "k", &[("a", "x")]), "promptId"),
    ] {
        assert_eq!(field(&app.ask(Some(&ada), START, input).await), wrong);
    }
    assert_eq!((app.rows("analyses").await, app.rows("analysis_files").await), (0, 0));
}

#[tokio::test]
async fn a_prompt_with_variables_needs_them_and_no_others() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "House rules").await;
    let with = |variables: &[(&str, &str)]| {
        let mut input = order(&prompt, "k", &[("a.rs", "x")]);
        let variables = variables.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        input["input"]["variables"] = variables.collect();
        input
    };
    let unknown = app.data(&ada, START, with(&[("team", "a"), ("rules", "b"), ("colour", "c")])).await;
    assert_eq!(unknown["startAnalysis"]["__typename"], "UnknownPromptVariable");
    assert_eq!(unknown["startAnalysis"]["variable"], "colour");
    assert_eq!(field(&app.ask(Some(&ada), START, with(&[("team", "a")])).await), "variables");
    let twice = with(&[("team", "a"), ("team", "b"), ("rules", "b")]);
    assert_eq!(field(&app.ask(Some(&ada), START, twice).await), "variables");
    let started = app.data(&ada, START, with(&[("team", "a"), ("rules", "b")])).await;
    assert_eq!(started["startAnalysis"]["__typename"], "AnalysisStarted");
}

#[tokio::test]
async fn analyses_of_others_do_not_exist() {
    let app = Verificai::new().await;
    let (ada, bob) = (app.sign_in("ada@example.com").await, app.sign_in("bob@example.com").await);
    let hers = app.start_one(&ada, "k").await;
    app.work().await;
    let missing = app.ask(Some(&bob), "query($id: ID!) { analysis(id: $id) { id } }", json!({ "id": hers })).await;
    assert_eq!(code(&missing), "NOT_FOUND");
    assert_eq!(code(&app.ask(Some(&bob), CANCEL, json!({ "id": hers })).await), "NOT_FOUND");
    let list = app.data(&bob, "{ analyses { totalCount } usageByDay { day } }", json!({})).await;
    assert_eq!(list, json!({ "analyses": { "totalCount": 0 }, "usageByDay": [] }));
}

#[tokio::test]
async fn a_cancelled_analysis_stops_and_gets_no_result() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let waiting = app.start_one(&ada, "waiting").await;
    let cancelled = app.data(&ada, CANCEL, json!({ "id": waiting })).await;
    assert_eq!(cancelled["cancelAnalysis"]["analysis"]["status"], "CANCELLED");
    assert_eq!(app.work().await, 0, "no worker takes it");
    // A worker asks a provider that never answers. It notices the cancellation when it extends its lease.
    let running = app.start_one(&ada, "running").await;
    let (worker, (_go, stop)) =
        (app.worker(Arc::new(Scripted(pending::<Result<Reply, Failure>>))), watch::channel(false));
    let work = tokio::spawn(async move { worker.work(&stop).await });
    let started = Instant::now();
    while app.analysis(&ada, &running).await["status"] != "RUNNING" {
        assert!(started.elapsed() < Duration::from_secs(10));
        tokio::task::yield_now().await;
    }
    app.data(&ada, CANCEL, json!({ "id": running })).await;
    assert!(tokio::time::timeout(Duration::from_secs(10), work).await.unwrap().unwrap().unwrap());
    let again = app.data(&ada, CANCEL, json!({ "id": running })).await;
    assert_eq!(again["cancelAnalysis"]["__typename"], "AnalysisCancelled", "repeating changes nothing");
    let finished = app.start_one(&ada, "finished").await;
    app.work().await;
    let late = app.data(&ada, CANCEL, json!({ "id": finished })).await;
    assert_eq!(
        late["cancelAnalysis"],
        json!({ "__typename": "AnalysisFinished", "analysis": { "status": "SUCCEEDED" } })
    );
    assert_eq!(app.rows("analysis_results").await, 1);
}
