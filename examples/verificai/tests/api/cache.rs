//! The cache of active prompts and results. It may be out of date or away, and nothing is wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    harness::{READ, START, Verificai, order, redis},
    proxy::{Proxy, through},
};

const CREATE: &str = "mutation { createPrompt(input: { name: \"x\", kind: BUGS, version: { text: \"One {{code}}\", model: \"m\" } }) \
    { ... on PromptSaved { prompt { id } } } }";
const ADD: &str = "mutation($id: ID!) { addPromptVersion(promptId: $id, input: { text: \"Two {{code}}\", model: \"m\" }) \
    { ... on PromptSaved { prompt { id } } } }";
const ACTIVATE: &str = "mutation($id: ID!) { activatePrompt(promptId: $id, version: 2) { prompt { activeVersion } } }";

/// A prompt with two versions. The first is active.
async fn prompt(app: &Verificai, token: &str) -> String {
    let id = app.data(token, CREATE, json!({})).await["createPrompt"]["prompt"]["id"].as_str().unwrap().to_owned();
    app.data(token, ADD, json!({ "id": id })).await;
    id
}

/// Starts an analysis, and returns the version that it uses.
async fn start(app: &Verificai, token: &str, prompt: &str, key: &str) -> Value {
    let started = app.data(token, START, order(prompt, key, &[("a.rs", "TODO")])).await;
    let id = started["startAnalysis"]["analysis"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned();
    app.analysis(token, &id).await["promptVersion"].clone()
}

#[tokio::test]
async fn a_replica_whose_cache_is_out_of_date_uses_the_active_version() {
    let one = Verificai::new().await;
    let other = one.replica().await;
    let ada = one.sign_in("ada@example.com").await;
    let id = prompt(&one, &ada).await;
    assert_eq!((start(&one, &ada, &id, "a").await, start(&other, &ada, &id, "b").await), (json!(1), json!(1)));
    // Each process has its own cache here, so the other one still has the first version.
    one.data(&ada, ACTIVATE, json!({ "id": id })).await;
    assert_eq!((start(&one, &ada, &id, "c").await, start(&other, &ada, &id, "d").await), (json!(2), json!(2)));
    let cost = other.cost(&ada, START, order(&id, "e", &[("a.rs", "x")])).await;
    assert_eq!(cost, 4, "now it is cached");
}

#[tokio::test]
async fn replicas_share_the_cache_in_redis_and_forget_together() {
    let Some(url) = redis() else { return println!("skipped: there is no Redis") };
    let one = Verificai::with_redis(Some(url)).await;
    let other = one.replica().await;
    let ada = one.sign_in("ada@example.com").await;
    let id = prompt(&one, &ada).await;
    start(&one, &ada, &id, "a").await;
    other.data(&ada, "{ me { id } }", json!({})).await;
    assert_eq!(other.cost(&ada, START, order(&id, "b", &[("a.rs", "x")])).await, 4, "the first one filled the cache");
    other.data(&ada, ACTIVATE, json!({ "id": id })).await;
    assert_eq!(one.cost(&ada, START, order(&id, "c", &[("a.rs", "x")])).await, 6, "the other one emptied it");
    assert_eq!(start(&one, &ada, &id, "d").await, 2);
    let analysis = one.start_one(&ada, "result").await;
    one.work().await;
    let read = one.analysis(&ada, &analysis).await;
    assert_eq!(other.cost(&ada, READ, json!({ "id": analysis })).await, 3, "the result is cached");
    assert_eq!(other.analysis(&ada, &analysis).await, read);
}

#[tokio::test]
async fn without_redis_everything_is_slower_and_nothing_is_wrong() {
    let Some(url) = redis() else { return println!("skipped: there is no Redis") };
    let proxy = Proxy::to(&through(&url, "x").1).await;
    let app = Verificai::with_redis(Some(through(&url, &proxy.address).0)).await;
    let ada = app.sign_in("ada@example.com").await;
    let id = prompt(&app, &ada).await;
    assert_eq!(start(&app, &ada, &id, "a").await, 1);
    proxy.cut();
    assert_eq!(start(&app, &ada, &id, "b").await, 1);
    // Redis keeps the first version, because it is away when the second becomes active.
    app.data(&ada, ACTIVATE, json!({ "id": id })).await;
    assert_eq!(start(&app, &ada, &id, "c").await, 2);
    assert_eq!(app.work().await, 3);
    proxy.restore();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(start(&app, &ada, &id, "d").await, 2, "the version in Redis is out of date");
    assert_eq!(start(&app, &ada, &id, "e").await, 2);
    assert_eq!(app.work().await, 2);
    assert_eq!(app.rows("analysis_results").await, 5);
}
