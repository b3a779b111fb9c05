//! The program: the server with its worker, the worker alone, and wrong settings.

use std::time::Duration;

use serde_json::json;

use crate::{
    process::Home,
    provider::{Answer, Server},
};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_server_works_on_analyses_and_its_log_has_no_key() {
    let provider = Server::start(Answer::status("500 Internal Server Error")).await;
    let mut home = Home::new().await;
    home.set("VERIFICAI_PROVIDER_URL", &provider.url);
    home.set("VERIFICAI_PROVIDER_KEY", "canary-of-the-key");
    home.set("DOORCODE_LOG", "trace");
    let server = home.serve("server.log").await;
    let ada = server.sign_in("ada@example.com").await;
    let id = server.start(&ada, "k").await;
    // The subscription sends changes until the analysis ends.
    let query = "subscription($id: ID!) { analysisProgress(id: $id) { status progress attempts } }";
    let stream = reqwest::Client::new().post(format!("{}/graphql", server.url)).bearer_auth(&ada);
    let stream = stream.header("accept", "text/event-stream").header("content-type", "application/json");
    let stream = stream.body(json!({ "query": query, "variables": { "id": id } }).to_string());
    let stream = tokio::spawn(async move { stream.send().await.unwrap().text().await.unwrap() });
    while provider.requests.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    provider.set(Answer::findings());
    server.wait_for(&ada, "SUCCEEDED", 1, MINUTE).await;
    let events = tokio::time::timeout(MINUTE, stream).await.unwrap().unwrap();
    assert!(events.contains("\"SUCCEEDED\"") && events.trim_end().ends_with("event: complete\ndata:"), "{events}");
    let log = server.process.log();
    assert!(log.contains("the provider gave no answer"), "{log}");
    assert!(provider.requests.lock().unwrap()[0].contains("canary-of-the-key"), "the server sent the key");
    assert!(!log.contains("canary"), "the log has the key");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_runs_alone() {
    let mut home = Home::new().await;
    home.set("VERIFICAI_WORKERS", "0");
    let server = home.serve("server.log").await;
    let ada = server.sign_in("ada@example.com").await;
    server.start(&ada, "k").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    server.wait_for(&ada, "QUEUED", 1, MINUTE).await;
    home.set("VERIFICAI_WORKERS", "2");
    let worker = home.spawn(&["worker"], "worker.log");
    server.wait_for(&ada, "SUCCEEDED", 1, MINUTE).await;
    assert!(worker.stop().await);
    assert!(server.process.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_setting_stops_the_program_with_a_reason() {
    let mut home = Home::new().await;
    home.set("VERIFICAI_WORKERS", "many");
    home.set("DOORCODE_LISTEN", "127.0.0.1:0");
    home.set("DOORCODE_OPS_LISTEN", "127.0.0.1:0");
    for arguments in [&[][..], &["worker"]] {
        let mut program = home.spawn(arguments, "wrong.log");
        assert!(!program.wait().await);
        assert!(program.log().contains("VERIFICAI_WORKERS must be a number between 0 and 64"), "{}", program.log());
    }
    let mut unknown = home.spawn(&["sing"], "unknown.log");
    assert!(!unknown.wait().await);
    assert!(unknown.log().contains("migrate, worker"), "{}", unknown.log());
}
