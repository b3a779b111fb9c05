//! The subscription to the progress of an analysis.

use std::time::{Duration, Instant};

use axum::body::Body;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::timeout;

use crate::harness::Verificai;

const PROGRESS: &str = "subscription($id: ID!) { analysisProgress(id: $id) { status } }";

/// The first event with data.
async fn first(body: &mut Body) -> String {
    let mut text = String::new();
    while !text.contains("data: ") {
        let frame = timeout(Duration::from_secs(10), body.frame()).await.unwrap();
        let Some(frame) = frame else { panic!("it ended: {text}") };
        text += std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap();
    }
    text
}

#[tokio::test]
async fn a_user_follows_two_analyses_at_a_time() {
    let app = Verificai::new().await;
    let (ada, bob) = (app.sign_in("ada@example.com").await, app.sign_in("bob@example.com").await);
    let (hers, his) = (app.start_one(&ada, "k").await, app.start_one(&bob, "k").await);
    // One that is refused takes no slot.
    let mut other = app.subscribe(&ada, PROGRESS, json!({ "id": his })).await;
    assert!(first(&mut other).await.contains("NOT_FOUND"));
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = app.subscribe(&ada, PROGRESS, json!({ "id": hers })).await;
        assert!(first(&mut stream).await.contains("QUEUED"));
        open.push(stream);
    }
    let mut third = app.subscribe(&ada, PROGRESS, json!({ "id": hers })).await;
    assert!(first(&mut third).await.contains("RATE_LIMITED"));
    let mut of_bob = app.subscribe(&bob, PROGRESS, json!({ "id": his })).await;
    assert!(first(&mut of_bob).await.contains("QUEUED"), "others have their own");
    open.pop();
    let start = Instant::now();
    loop {
        // The server notices a closed stream soon, and a session can have five.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut again = app.subscribe(&ada, PROGRESS, json!({ "id": hers })).await;
        if first(&mut again).await.contains("QUEUED") {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "closing one makes room");
    }
}
