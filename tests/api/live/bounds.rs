//! Limits on the number, time and memory of sockets, and how sockets end at shutdown.

use std::time::{Duration, Instant};

use doorcode::{
    db::entity::Role,
    domain::audit::{self, Event, Kind},
    http::{Caps, Shares, SocketCaps},
};
use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{
    ENDED, EVENTS,
    wire::{PROTOCOL, Served, SocketEvent},
};
use crate::{
    harness::{TestApp, eventually},
    slow::of_address,
};

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_per_socket_and_sockets_per_session_are_limited() {
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
    assert_eq!(third.hear().await, SocketEvent::Closed(4429), "a third socket of the session");
    let again = app.guest().sign_in("person@example.com").await;
    let _third = served.socket(&again.access).await;
    let mut fourth = served.silent().await;
    fourth.init(&again.access).await;
    assert_eq!(fourth.hear().await, SocketEvent::Closed(4429), "a fourth socket of the user");
    drop(second);
    eventually("a slot is free again", async || {
        let mut socket = served.silent().await;
        socket.init(&person.access).await;
        matches!(socket.hear().await, SocketEvent::Said(_))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_limited_in_size_and_have_no_unbounded_lists() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let token = app.person("manager@example.com", Role::Manager).await.signed_in.access;
    let mut socket = served.socket(&token).await;
    let many = |count: usize| (0..count).map(|n| format!("a{n}: userAgent")).collect::<Vec<_>>().join(" ");
    let refused = [
        (format!("user {{ auditEvents(first: 100) {{ nodes {{ {} }} }} }}", many(150)), "DOCUMENT_TOO_LARGE"),
        ("user { sessions(first: 1) { totalCount } }".into(), "DOCUMENT_TOO_LARGE"),
        (many(250), "DOCUMENT_TOO_LARGE"),
        (format!("user {{ devices {{ {} }} }}", many(15)), "DOCUMENT_TOO_LARGE"),
    ];
    for (fields, code) in refused {
        socket.subscribe("s", &format!("subscription {{ sessionEnded {{ {fields} }} }}")).await;
        assert_eq!(socket.hear().await.error("s"), code, "{fields}");
    }
    let person = "id email name role status locale version createdAt updatedAt deletedAt lastSignInAt";
    let whole =
        format!("id at kind ipAddress userAgent requestId detail count actor {{ {person} }} subject {{ {person} }}");
    socket.subscribe("e", &format!("subscription {{ auditEventAdded {{ {whole} }} }}")).await;
    socket.subscribe("s", ENDED).await;
    socket.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_per_process_are_limited_with_a_tenth_reserved_for_managers() {
    let app = TestApp::new().await;
    let caps = SocketCaps { in_all: 10, of_session: 20, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let manager = app.person("manager@example.com", Role::Manager).await.signed_in;
    let mut sockets = Vec::new();
    for _ in 0..9 {
        sockets.push(served.socket(&person.access).await);
    }
    let mut refused = served.silent().await;
    refused.init(&person.access).await;
    assert_eq!(refused.hear().await, SocketEvent::Closed(1013));
    let _kept = served.socket(&manager.access).await;
    assert!(!served.has_room(&manager.access).await, "managers are limited, too");
    sockets.truncate(7);
    eventually("a slot is free again", async || served.has_room(&person.access).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unauthenticated_sockets_take_no_room_from_authenticated_ones() {
    let app = TestApp::with(|flags| flags.trusted_proxies = Some("127.0.0.0/8".into())).await;
    let caps = SocketCaps {
        strangers: 3,
        strangers_of_network: of_address(2),
        of_network: of_address(2),
        spare: Duration::from_hours(1),
        ..SocketCaps::default()
    };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let from = async |ip| served.open(&[PROTOCOL, ("x-forwarded-for", ip)]).await;
    let (one, _two) = (from("2001:db8::1").await.unwrap(), from("2001:db8::2").await.unwrap());
    let refused = from("2001:db8::3").await.err().expect("a third stranger of a network");
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"2".parse().unwrap()));
    let mut other = from("192.0.2.1").await.unwrap();
    assert!(from("192.0.2.2").await.is_err(), "a fourth stranger");

    // Once a socket has authenticated, it no longer counts as unauthenticated, so another socket can open.
    other.init(&token).await;
    assert!(matches!(other.hear().await, SocketEvent::Said(_)));
    let mut second = from("192.0.2.1").await.unwrap();
    second.init(&token).await;
    assert!(matches!(second.hear().await, SocketEvent::Said(_)));
    let mut third = from("192.0.2.1").await.unwrap();
    third.init(&token).await;
    assert_eq!(third.hear().await, SocketEvent::Closed(4429), "a third socket of a network");
    drop((one, third));
    let mut elsewhere = None;
    eventually("room for a stranger", async || {
        elsewhere = from("192.0.2.2").await.ok();
        elsewhere.is_some()
    })
    .await;
    let mut elsewhere = elsewhere.unwrap();
    elsewhere.init(&token).await;
    assert!(matches!(elsewhere.hear().await, SocketEvent::Said(_)), "another network has room");
}

#[tokio::test(flavor = "multi_thread")]
async fn sockets_are_limited_per_network() {
    let app = TestApp::with(|flags| flags.trusted_proxies = Some("127.0.0.0/8".into())).await;
    let of_network = Shares { narrow: 2, middle: 3, wide: 4 };
    let caps = SocketCaps { of_network, spare: Duration::from_hours(1), of_session: 100, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let from = async |ip: String| served.open(&[PROTOCOL, ("x-forwarded-for", &ip)]).await;
    let mut strangers = Vec::new();
    for subnet in 0..40 {
        strangers.extend(from(format!("2001:db8:0:{subnet:x}::1")).await.ok());
    }
    assert_eq!(strangers.len(), 8, "forty /64s of one /56");
    for subnet in 1..40 {
        strangers.extend(from(format!("2001:db8:0:{subnet:x}00::1")).await.ok());
    }
    assert_eq!(strangers.len(), 12, "all /56s of one /48");

    let said = async |ip: String| {
        let mut socket = from(ip).await.unwrap();
        socket.init(&token).await;
        (matches!(socket.hear().await, SocketEvent::Said(_)), socket)
    };
    let mut sockets = Vec::new();
    for (ip, expected) in [
        ("2001:db8:1:1::1", true),
        ("2001:db8:1:1::2", true),
        ("2001:db8:1:1::3", false),
        ("2001:db8:1:2::1", true),
        ("2001:db8:1:3::1", false),
        ("2001:db8:1:100::1", true),
        ("2001:db8:1:200::1", false),
        ("2001:db8:2:100::1", true),
    ] {
        let (is_there, socket) = said(ip.into()).await;
        assert_eq!(is_there, expected, "{ip}");
        sockets.push(socket);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_sockets_do_not_block_new_ones() {
    let app = TestApp::with(|flags| flags.trusted_proxies = Some("127.0.0.0/8".into())).await;
    let caps = SocketCaps { strangers: 4, spare: Duration::from_millis(100), ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let from = async |ip: String| served.open(&[PROTOCOL, ("x-forwarded-for", &ip)]).await;
    let mut silent = Vec::new();
    for network in 1..=4 {
        silent.push(from(format!("192.0.{network}.1")).await.unwrap());
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut newcomer = from("198.51.100.1".into()).await.expect("a slot");
    assert_eq!(silent[0].hear().await, SocketEvent::Closed(1013), "the socket that was silent for longest");
    newcomer.init(&token).await;
    assert!(matches!(newcomer.hear().await, SocketEvent::Said(_)));
    silent[1].init(&token).await;
    assert!(matches!(silent[1].hear().await, SocketEvent::Said(_)), "the other sockets stay open");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_socket_counts_as_a_connection() {
    let app = TestApp::new().await;
    let caps = Caps { of_network: of_address(2), ..Caps::default() };
    let served = Served::with(&app.app.ctx, SocketCaps::default(), caps).await;
    let (one, _two) = (served.silent().await, served.silent().await);
    let refused = tokio_tungstenite::connect_async(format!("ws://{}/graphql", served.address)).await;
    assert!(!matches!(refused, Err(tokio_tungstenite::tungstenite::Error::Http(_))), "one connection too many");
    assert!(refused.is_err());
    drop(one);
    let health = format!("http://{}/health", served.address);
    eventually("a slot is free again", async || reqwest::get(&health).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_and_flooding_sockets_are_closed() {
    let app = TestApp::new().await;
    let caps = SocketCaps { idle: Duration::from_millis(300), messages: 20, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let mut idle = served.socket(&token).await;
    let mut busy = served.socket(&token).await;
    busy.subscribe("s", ENDED).await;
    assert_eq!(idle.hear().await, SocketEvent::Closed(1000));
    busy.settle().await;
    busy.say(json!({ "type": "complete", "id": "s" })).await;
    assert_eq!(busy.hear().await, SocketEvent::Closed(1000));

    let mut flood = served.socket(&token).await;
    flood.subscribe("s", ENDED).await;
    for _ in 0..30 {
        drop(flood.0.send(Message::text(json!({ "type": "pong" }).to_string())).await);
    }
    assert_eq!(flood.hear().await, SocketEvent::Closed(4429));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_does_not_answer_pings_is_disconnected() {
    let app = TestApp::new().await;
    let caps = SocketCaps { ping: Duration::from_millis(200), in_all: 2, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    // Never reads this socket, so its pings are not answered.
    let mut silent = served.socket(&token).await;
    silent.subscribe("s", ENDED).await;
    let mut well = served.socket(&token).await;
    well.subscribe("s", ENDED).await;
    assert_eq!(well.hear_within(Duration::from_secs(1)).await, SocketEvent::Nothing);
    assert!(!served.has_room(&token).await);
    eventually("the slot of the silent socket is free", async || {
        // Reading answers the pings of this socket, which keeps it open.
        well.hear_within(Duration::from_millis(10)).await;
        served.has_room(&token).await
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
async fn a_slow_reader_is_disconnected_and_memory_stays_bounded() {
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
    // Each event is sent to ten subscriptions. A slow reader that stayed connected would add up to 60 MB.
    let detail = json!({ "padding": "x".repeat(20_000) });
    let began = Instant::now();
    let mut let_go = false;
    for _ in 0..300 {
        let event = Event {
            kind: Kind::KeyRotated,
            origin: None,
            actor: None,
            subject: None,
            detail: detail.clone(),
            email: None,
        };
        audit::record_alone(ctx, ctx.now(), event).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let_go = let_go || served.has_room(&manager.access).await;
    }
    let grown = resident().saturating_sub(before);
    eprintln!("a slow reader: {} KiB more memory after {:?}", grown / 1024, began.elapsed());
    eventually("disconnected", async || let_go || served.has_room(&manager.access).await).await;
    let quiet = std::env::var("NEXTEST").is_ok();
    assert!(!quiet || grown < 40 << 20, "{grown} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_closes_sockets_in_time_with_a_reason() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let mut socket = served.socket(&token).await;
    socket.subscribe("s", ENDED).await;
    socket.settle().await;
    let began = Instant::now();
    served.stop.send_replace(true);
    assert_eq!(socket.hear().await, SocketEvent::Closed(1001));
    while socket.hear().await != SocketEvent::Gone {}
    tokio::time::timeout(Duration::from_secs(5), served.serving)
        .await
        .expect("the server stops within five seconds")
        .unwrap();
    eprintln!("a stop with a socket took {:?}", began.elapsed());
}
