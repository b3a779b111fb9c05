//! Subscriptions as server-sent events, for clients without WebSocket: the same events as over a WebSocket, ended in
//! the same cases.

use std::time::Duration;

use doorcode::{
    db::entity::Role,
    http::{Caps, SocketCaps},
};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{ENDED, EVENTS, wire::Served};
use crate::harness::{TestApp, eventually};

/// Reads the events of a stream, and skips comments.
struct EventReader {
    bytes: futures_util::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    text: String,
}

impl EventReader {
    /// The name and data of the next event. `None` at the end of the stream, or if no event arrives in time.
    async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned())) {
                self.text = rest;
                let line = |name| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                match line("event:") {
                    Some(name) => {
                        return Some((name.to_owned(), serde_json::from_str(line("data:")?).unwrap_or(Value::Null)));
                    }
                    None => continue,
                }
            }
            let more = timeout(Duration::from_secs(3), self.bytes.next()).await.ok()??;
            self.text += std::str::from_utf8(&more.ok()?).unwrap();
        }
    }
}

async fn post(served: &Served, token: Option<&str>, accept: &str, query: &str) -> reqwest::Response {
    let mut request =
        reqwest::Client::new().post(format!("http://{}/graphql", served.address)).header("accept", accept);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.json(&json!({ "query": query })).send().await.unwrap()
}

async fn listen(served: &Served, token: &str, query: &str) -> EventReader {
    let answer = post(served, Some(token), "text/event-stream", query).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    EventReader { bytes: answer.bytes_stream().boxed(), text: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_delivers_events_and_completes_when_the_session_ends() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut events = listen(&served, &manager.signed_in.access, EVENTS).await;
    let mut ended = listen(&served, &manager.signed_in.access, ENDED).await;
    app.guest().login("somebody@example.com").await;
    let (name, event) = events.next().await.expect("an event");
    assert_eq!((name.as_str(), &event["data"]["auditEventAdded"]["kind"]), ("next", &json!("CODE_REQUESTED")));
    manager.logout().await.field("logout");
    let (name, event) = ended.next().await.expect("the end");
    assert_eq!((name.as_str(), &event["data"]["sessionEnded"]["current"]), ("next", &json!(true)));
    assert_eq!(ended.next().await, Some(("complete".into(), Value::Null)));
    assert_eq!(ended.next().await, None);
    assert_eq!(events.next().await, Some(("complete".into(), Value::Null)), "not even the event of the sign-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_streams_look_like_other_refusals_and_only_subscriptions_stream() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let token = Some(person.access.as_str());
    let streams = "text/event-stream";
    assert_eq!(post(&served, None, streams, ENDED).await.status(), 401);
    assert_eq!(post(&served, Some("a.b.c"), streams, ENDED).await.status(), 401);
    assert_eq!(post(&served, token, streams, "{ me { id } }").await.status(), 406);
    assert_eq!(post(&served, token, streams, "subscription {").await.status(), 400);
    assert_eq!(post(&served, token, streams, "subscription { a b }").await.status(), 422);
    assert_eq!(post(&served, token, "text/event-stream, */*", "{ me { id } }").await.status(), 200);
    assert_eq!(post(&served, token, "*/*", ENDED).await.status(), 422, "a single response cannot carry a stream");

    let mut refused = listen(&served, &person.access, EVENTS).await;
    let (name, event) = refused.next().await.unwrap();
    assert_eq!((name.as_str(), &event["errors"][0]["extensions"]["code"]), ("next", &json!("FORBIDDEN")));
    assert!(event["errors"][0]["extensions"]["requestId"].is_string());
    assert_eq!(refused.next().await.unwrap().0, "complete");
}

#[tokio::test(flavor = "multi_thread")]
async fn event_streams_count_as_sockets_and_free_their_slot() {
    let app = TestApp::new().await;
    let caps = SocketCaps { in_all: 3, of_session: 2, ping: Duration::from_millis(100), ..SocketCaps::default() };
    let served = Served::with(&app.app.ctx, caps, Caps::default()).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let again = app.guest().sign_in("person@example.com").await;
    let streams = "text/event-stream";
    let one = listen(&served, &person.access, ENDED).await;
    let _two = listen(&served, &person.access, ENDED).await;
    assert_eq!(post(&served, Some(&person.access), streams, ENDED).await.status(), 429);
    let _three = served.socket(&again.access).await;
    assert_eq!(post(&served, Some(&again.access), streams, ENDED).await.status(), 503);
    drop(one);
    let token = person.access.as_str();
    eventually("a slot is free again", async || post(&served, Some(token), streams, ENDED).await.status() == 200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_event_streams_in_time() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let mut event = listen(&served, &person.access, ENDED).await;
    served.stop.send_replace(true);
    assert_eq!(event.next().await, None);
    timeout(Duration::from_secs(5), served.serving).await.expect("the server stops within five seconds").unwrap();
}
