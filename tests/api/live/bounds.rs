//! How much sockets may take: in number, in time, in memory. And how they end when everything does.

use std::time::{Duration, Instant};

use doorcode::{
    db::entity::Role,
    domain::audit::{self, Event, Kind},
    http::{Caps, SocketCaps},
};
use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{
    ENDED, EVENTS,
    wire::{Heard, PROTOCOL, Served},
};
use crate::harness::{TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_carries_so_many_subscriptions_and_a_session_so_many_sockets() {
    let app = TestApp::new().await;
    let caps = SocketCaps { subscriptions: 3, of_session: 2, of_person: 3, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let mut first = served.socket(&person.access).await;
    for id in ["a", "b", "c"] {
        first.subscribe(id, ENDED).await;
    }
    first.subscribe("d", ENDED).await;
    assert_eq!(first.hear().await.error("d"), "RATE_LIMITED");
    first.say(json!({ "type": "complete", "id": "a" })).await;
    first.subscribe("d", ENDED).await;
    first.settle().await;

    let second = served.socket(&person.access).await;
    let mut third = served.silent().await;
    third.init(&person.access).await;
    assert_eq!(third.hear().await, Heard::Closed(4429), "a third of the session");
    let again = app.guest().sign_in("person@example.com").await;
    let _third = served.socket(&again.access).await;
    let mut fourth = served.silent().await;
    fourth.init(&again.access).await;
    assert_eq!(fourth.hear().await, Heard::Closed(4429), "a fourth of the person");
    drop(second);
    eventually("room again", async || {
        let mut socket = served.silent().await;
        socket.init(&person.access).await;
        matches!(socket.hear().await, Heard::Said(_))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_has_so_many_sockets_and_each_counts_as_a_connection() {
    let app = TestApp::new().await;
    let served = Served::bounded(&app.app.ctx, SocketCaps { in_all: 2, ..SocketCaps::default() }).await;
    let one = served.silent().await;
    let _two = served.silent().await;
    let refused = served.open(&[PROTOCOL]).await.err().expect("full");
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    drop(one);
    eventually("room again", async || served.open(&[PROTOCOL]).await.is_ok()).await;

    let caps = Caps { of_network: 2, ..Caps::default() };
    let served = Served::with(&app.app.ctx, SocketCaps::default(), caps).await;
    let (one, _two) = (served.silent().await, served.silent().await);
    let refused = tokio_tungstenite::connect_async(format!("ws://{}/graphql", served.address)).await;
    assert!(!matches!(refused, Err(tokio_tungstenite::tungstenite::Error::Http(_))), "a connection too many");
    assert!(refused.is_err());
    drop(one);
    let health = format!("http://{}/health", served.address);
    eventually("room again", async || reqwest::get(&health).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_does_nothing_or_too_much_is_closed() {
    let app = TestApp::new().await;
    let caps = SocketCaps { idle: Duration::from_millis(300), messages: 20, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let mut idle = served.socket(&token).await;
    let mut busy = served.socket(&token).await;
    busy.subscribe("s", ENDED).await;
    assert_eq!(idle.hear().await, Heard::Closed(1000));
    busy.settle().await;
    busy.say(json!({ "type": "complete", "id": "s" })).await;
    assert_eq!(busy.hear().await, Heard::Closed(1000));

    let mut flood = served.socket(&token).await;
    flood.subscribe("s", ENDED).await;
    for _ in 0..30 {
        drop(flood.0.send(Message::text(json!({ "type": "pong" }).to_string())).await);
    }
    assert_eq!(flood.hear().await, Heard::Closed(4429));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_answers_no_ping_is_let_go_and_one_that_does_stays() {
    let app = TestApp::new().await;
    let caps = SocketCaps { ping: Duration::from_millis(200), in_all: 2, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    // Nobody reads from this one, so nothing answers.
    let mut deaf = served.socket(&token).await;
    deaf.subscribe("s", ENDED).await;
    let mut well = served.socket(&token).await;
    well.subscribe("s", ENDED).await;
    assert_eq!(well.hear_within(Duration::from_secs(1)).await, Heard::Nothing);
    eventually("the deaf one's room is free", async || {
        // Reading keeps this one alive meanwhile.
        well.hear_within(Duration::from_millis(10)).await;
        served.open(&[PROTOCOL]).await.is_ok()
    })
    .await;
    well.settle().await;
}

/// Resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_is_let_go_and_makes_nothing_grow() {
    let app = TestApp::new().await;
    let caps = SocketCaps { write: Duration::from_millis(500), in_all: 1, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let manager = app.person("manager@example.com", Role::Manager).await.signed_in;
    let mut slow = served.socket(&manager.access).await;
    for id in 0..10 {
        slow.subscribe(&id.to_string(), EVENTS).await;
    }
    slow.settle().await;
    let before = resident();
    let ctx = app.ctx();
    // Each event is told ten times; 60 MB in all if nobody let go.
    let detail = json!({ "padding": "x".repeat(20_000) });
    let began = Instant::now();
    let mut let_go = false;
    for _ in 0..300 {
        let event = Event { kind: Kind::KeyRotated, origin: None, actor: None, subject: None, detail: detail.clone() };
        audit::record_alone(ctx, ctx.now(), event).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let_go = let_go || served.open(&[PROTOCOL]).await.is_ok();
    }
    let grown = resident().saturating_sub(before);
    eprintln!("a slow reader: {} KiB more after {:?}", grown / 1024, began.elapsed());
    eventually("let go", async || let_go || served.open(&[PROTOCOL]).await.is_ok()).await;
    let quiet = std::env::var("NEXTEST").is_ok();
    assert!(!quiet || grown < 40 << 20, "{grown} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_in_time_and_says_why() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let mut socket = served.socket(&token).await;
    socket.subscribe("s", ENDED).await;
    socket.settle().await;
    let began = Instant::now();
    served.stop.send_replace(true);
    assert_eq!(socket.hear().await, Heard::Closed(1001));
    while socket.hear().await != Heard::Gone {}
    tokio::time::timeout(Duration::from_secs(5), served.serving).await.expect("in time").unwrap();
    eprintln!("a stop with a socket took {:?}", began.elapsed());
}
