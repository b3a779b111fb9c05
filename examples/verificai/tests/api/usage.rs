//! What analyses use: failed attempts count too, once, and administrators limit the tokens of a day.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::sync::watch;
use verificai::provider::{Failure, Provider, Reply};

use crate::harness::{START, Scripted, Verificai, code, order};

const CHANGE: &str =
    "mutation($input: ChangeSystemSettingsInput!) { changeSystemSettings(input: $input) { dailyTokens } }";
const START_LIMITED: &str = "mutation($input: StartAnalysisInput!) { startAnalysis(input: $input) { __typename \
    ... on VerificaiProblem { code } ... on DailyTokensUsed { limit } } }";

fn reply() -> Reply {
    Reply { tokens_in: 10, tokens_out: 5, model: "m".into(), ..Reply::default() }
}

/// A provider that answers the first question, fails at the second, and answers all others.
fn failing_once(failure: Failure) -> Arc<dyn Provider> {
    let asked = AtomicUsize::new(0);
    Arc::new(Scripted(move || {
        let answer = if asked.fetch_add(1, Ordering::SeqCst) == 1 { Err(failure.clone()) } else { Ok(reply()) };
        async move { answer }
    }))
}

/// Starts an analysis of two files. Returns its ID.
async fn start_two(app: &Verificai, token: &str) -> String {
    let prompt = app.preset(token, "Bug hunt").await;
    let started = app.data(token, START, order(&prompt, "two", &[("a.rs", "x"), ("b.rs", "y")])).await;
    started["startAnalysis"]["analysis"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
}

async fn used(app: &Verificai, token: &str) -> Value {
    app.data(token, "{ usageByDay { day analyses tokensIn tokensOut cost } }", json!({})).await["usageByDay"].take()
}

fn day(analyses: i32, tokens_in: i32, tokens_out: i32, cost: f64) -> Value {
    json!([{
        "day": "2026-06-01", "analyses": analyses, "tokensIn": tokens_in, "tokensOut": tokens_out, "cost": cost,
    }])
}

#[tokio::test]
async fn an_attempt_that_failed_counts_once() {
    let app = Verificai::new().await;
    let root = app.sign_in_as("root@example.com", "ADMIN").await;
    app.data(&root, CHANGE, json!({ "input": { "priceIn": 1_000, "priceOut": 2_000 } })).await;
    let id = start_two(&app, &root).await;
    let provider = failing_once(Failure { tokens: (3, 1), ..Failure::temporary("It is wrong.") });
    assert_eq!(app.work_with(Arc::clone(&provider)).await, 1);
    assert_eq!(used(&app, &root).await, day(0, 13, 6, 0.000_025));
    app.pass(TimeDelta::seconds(3));
    assert_eq!(app.work_with(provider).await, 1);
    assert_eq!(used(&app, &root).await, day(1, 33, 16, 0.000_065));
    let result = app.analysis(&root, &id).await["result"].take();
    assert_eq!(
        (&result["tokensIn"], &result["tokensOut"], &result["cost"]),
        (&33.into(), &16.into(), &0.000_065.into())
    );
}

#[tokio::test]
async fn an_analysis_that_is_given_up_has_used_something() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = start_two(&app, &ada).await;
    assert_eq!(app.work_with(failing_once(Failure::permanent("It is refused."))).await, 1);
    assert_eq!(app.analysis(&ada, &id).await["status"], "FAILED");
    assert_eq!(used(&app, &ada).await, day(0, 10, 5, 0.0));
}

#[tokio::test]
async fn what_a_running_analysis_used_counts_although_it_is_cancelled() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = start_two(&app, &ada).await;
    let asked = AtomicUsize::new(0);
    let silent = Scripted(move || {
        let is_first = asked.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if is_first { Ok(reply()) } else { pending::<Result<Reply, Failure>>().await } }
    });
    let (worker, (_go, stop)) = (app.worker(Arc::new(silent)), watch::channel(false));
    let work = tokio::spawn(async move { worker.work(&stop).await });
    let start = Instant::now();
    // The worker tells when it extends its lease.
    while used(&app, &ada).await == json!([]) {
        assert!(start.elapsed() < Duration::from_secs(10));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    app.data(&ada, "mutation($id: ID!) { cancelAnalysis(id: $id) { __typename } }", json!({ "id": id })).await;
    assert!(tokio::time::timeout(Duration::from_secs(10), work).await.unwrap().unwrap().unwrap());
    assert_eq!(used(&app, &ada).await, day(0, 10, 5, 0.0));
}

#[tokio::test]
async fn a_user_can_start_nothing_after_the_tokens_of_a_day() {
    let app = Verificai::new().await;
    let root = app.sign_in_as("root@example.com", "ADMIN").await;
    let ada = app.sign_in("ada@example.com").await;
    app.data(&root, CHANGE, json!({ "input": { "dailyTokens": 10 } })).await;
    let id = app.start_one(&ada, "first").await;
    app.work().await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let second = order(&prompt, "second", &[("a.rs", "x")]);
    let refused = app.data(&ada, START_LIMITED, second.clone()).await;
    let expected = json!({ "__typename": "DailyTokensUsed", "code": "DAILY_TOKENS_USED", "limit": 10 });
    assert_eq!(refused["startAnalysis"], expected);
    assert_eq!(app.start_one(&ada, "first").await, id, "the same key still returns its analysis");
    app.start_one(&app.sign_in("bob@example.com").await, "his").await;
    let more = app.data(&root, CHANGE, json!({ "input": { "dailyTokens": 1_000_000 } })).await;
    assert_eq!(more["changeSystemSettings"]["dailyTokens"], 1_000_000);
    app.start_one(&ada, "more").await;
    app.data(&root, CHANGE, json!({ "input": { "dailyTokens": 10 } })).await;
    let wrong = app.ask(Some(&root), CHANGE, json!({ "input": { "dailyTokens": -1 } })).await;
    assert_eq!(code(&wrong), "BAD_USER_INPUT");
    app.pass(TimeDelta::days(1));
    let ada = app.sign_in("ada@example.com").await;
    let started = app.data(&ada, START_LIMITED, second).await;
    assert_eq!(started["startAnalysis"]["__typename"], "AnalysisStarted", "the next day");
}
