//! The number of SQL statements: constant, however long a list is.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::harness::{READ, START, Verificai, order};

#[tokio::test]
async fn a_list_takes_the_same_statements_for_one_item_and_for_a_hundred() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    for number in 0..100 {
        app.data(&ada, START, order(&prompt, &format!("k{number}"), &[("a.rs", "TODO"), ("b.rs", "x")])).await;
    }
    app.work().await;
    // One statement each, on top of the one that checks the session.
    let nested = "nodes { id status files { name status } result { findings { title } tokensIn } }";
    for (document, statements) in [
        (format!("{{ analyses(first: N) {{ {nested} }} }}"), 4),
        (format!("{{ analyses(first: N, status: SUCCEEDED) {{ totalCount {nested} }} }}"), 5),
        ("{ prompts(first: N) { totalCount nodes { id active { text } versions { number } } } }".into(), 5),
        ("{ usageByDay { day analyses tokensIn } }".into(), 2),
    ] {
        for number in ["2", "100"] {
            let document = document.replace("first: N", &format!("first: {number}"));
            app.data(&ada, &document, json!({})).await;
            assert_eq!(app.cost(&ada, &document, json!({})).await, statements, "{document}");
        }
    }
}

#[tokio::test]
async fn starting_reading_and_working_take_few_statements() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let files = [("a.rs", "x"), ("b.rs", "y"), ("c.rs", "z")];
    // The session; the prompt and its version; the analysis, its files and their texts.
    assert_eq!(app.cost(&ada, START, order(&prompt, "first", &files)).await, 6);
    assert_eq!(app.cost(&ada, START, order(&prompt, "cached", &files)).await, 4);
    // The analysis with this key.
    assert_eq!(app.cost(&ada, START, order(&prompt, "cached", &files)).await, 3);
    let worked = async || {
        let before = app.statements.load(Ordering::SeqCst);
        let (worker, (_go, stop)) =
            (app.worker(std::sync::Arc::new(verificai::provider::offline::Rules)), tokio::sync::watch::channel(false));
        assert!(worker.work(&stop).await.unwrap());
        app.statements.load(Ordering::SeqCst) - before
    };
    // Taking it; files and texts; the end, the result, the files and the deletion of their texts. The start has put the
    // version into the cache.
    assert_eq!(worked().await, 7);
    let id = app.start_one(&ada, "read").await;
    app.work().await;
    // The session, the analysis, its files, its result.
    assert_eq!(app.cost(&ada, READ, json!({ "id": id })).await, 4);
    assert_eq!(app.cost(&ada, READ, json!({ "id": id })).await, 3, "the result is cached");
    let cancel = "mutation($id: ID!) { cancelAnalysis(id: $id) { __typename } }";
    assert_eq!(app.cost(&ada, cancel, json!({ "id": id })).await, 3);
    let queued = app.start_one(&ada, "queued").await;
    assert_eq!(app.cost(&ada, cancel, json!({ "id": queued })).await, 4, "it also deletes the texts");
}
