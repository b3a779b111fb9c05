//! The WebSocket protocol: handshake, messages, the close code of each violation, and that a socket runs only
//! subscriptions.

use doorcode::{db::entity::Role, http::SocketCaps, limits::Rule};
use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::{
    ENDED, EVENTS, complete,
    wire::{PROTOCOL, Served, SocketEvent},
};
use crate::{
    documents,
    harness::TestApp,
    oauth::{NOTES, register, sign_in_to},
};

#[tokio::test(flavor = "multi_thread")]
async fn sockets_open_for_allowed_origins_and_for_clients_without_one() {
    let app = TestApp::with(|flags| flags.cors_origins = Some("https://app.example.com".into())).await;
    let served = Served::new(&app.app.ctx).await;
    assert!(served.open(&[PROTOCOL]).await.is_ok());
    for origin in ["http://localhost:4000", "https://app.example.com"] {
        assert!(served.open(&[PROTOCOL, ("origin", origin)]).await.is_ok(), "{origin}");
    }
    let strangers = [
        "null",
        "https://evil.example",
        "https://app.example.com.evil.example",
        "http://app.example.com",
        "https://app.example.com:444",
        "http://localhost.evil.example:4000",
        "",
    ];
    for origin in strangers {
        let refused = served.open(&[PROTOCOL, ("origin", origin)]).await.err().expect(origin);
        assert_eq!(refused.status(), 403, "{origin}");
        let body = String::from_utf8(refused.into_body().unwrap()).unwrap();
        assert!(body.contains("\"FORBIDDEN\"") && body.contains("requestId"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_subprotocol_is_accepted_and_plain_get_is_refused() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    for protocol in ["graphql-ws", "soap", "graphql-transport-ws2"] {
        let refused = served.open(&[("sec-websocket-protocol", protocol)]).await.err().expect(protocol);
        assert_eq!(refused.status(), 400, "{protocol}");
    }
    assert_eq!(served.open(&[]).await.err().expect("none").status(), 400);
    assert!(served.open(&[("sec-websocket-protocol", "soap, graphql-transport-ws")]).await.is_ok());

    let client = reqwest::Client::new();
    let url = format!("http://{}/graphql", served.address);
    for request in [
        client.get(&url),
        client.get(format!("{url}?query={{me{{id}}}}")),
        client.head(&url),
        client.put(&url),
        client.delete(&url),
        client.get(&url).header("upgrade", "h2c").header("connection", "upgrade"),
        client.put(&url).header("upgrade", "websocket").header("connection", "upgrade"),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()["allow"], "POST");
    }
    let half = client.get(&url).header("upgrade", "websocket").header("connection", "upgrade");
    assert_eq!(half.send().await.unwrap().status(), 400, "a handshake without a key");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_needs_a_valid_token() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await;
    let (key, _) = crate::api_keys::create(&person, &["PROFILE_READ", "AUDIT_READ"]).await;
    let person = person.signed_in;
    let bearer = |token: &str| json!({ "Authorization": format!("Bearer {token}") });
    for payload in [
        json!(null),
        json!({}),
        json!({ "authorization": person.access }),
        json!({ "authorization": 7 }),
        json!({ "authorization": "Bearer a\nb" }),
        bearer(""),
        bearer("a.b.c"),
        bearer(&person.refresh),
        bearer(&key),
        bearer(&format!("{}x", person.access)),
        json!([person.access]),
    ] {
        let mut socket = served.silent().await;
        socket.say(json!({ "type": "connection_init", "payload": payload })).await;
        assert_eq!(socket.hear().await, SocketEvent::Closed(4403), "{payload}");
    }
    let mut socket = served.silent().await;
    socket.say(json!({ "type": "connection_init", "payload": bearer(&person.access) })).await;
    assert_eq!(socket.hear().await, SocketEvent::Said(json!({ "type": "connection_ack" })));

    app.guest().with_bearer(&person.access).logout().await.field("logout");
    let mut late = served.silent().await;
    late.init(&person.access).await;
    assert_eq!(late.hear().await, SocketEvent::Closed(4403), "the session of the token has ended");
    assert_eq!(socket.hear().await, SocketEvent::Closed(4401), "the open subscription ends as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_of_another_application_subscribes_to_nothing() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let admin = app.person("admin@example.com", Role::Admin).await.signed_in;
    register(&app).await;
    let tokens = sign_in_to(&app.guest(), &admin.access, NOTES).await;
    let mut socket = served.socket(&tokens.access).await;
    for (id, query) in [("1", EVENTS), ("2", ENDED)] {
        socket.subscribe(id, query).await;
        assert_eq!(socket.hear().await.error(id), "INSUFFICIENT_SCOPE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_protocol_violation_closes_with_its_code() {
    let app = TestApp::new().await;
    let caps = SocketCaps { init: std::time::Duration::from_millis(300), ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let token = app.person("person@example.com", Role::User).await.signed_in.access;
    let invalid = [
        json!("x"),
        json!([]),
        json!({}),
        json!(["connection_init"]),
        json!({ "type": "nothing" }),
        json!({ "type": 7 }),
        json!({ "type": "subscribe" }),
        json!({ "type": "subscribe", "id": 1, "payload": { "query": ENDED } }),
        json!({ "type": "subscribe", "id": "", "payload": { "query": ENDED } }),
        json!({ "type": "subscribe", "id": "x".repeat(129), "payload": { "query": ENDED } }),
        json!({ "type": "subscribe", "id": "a", "payload": { "query": 1 } }),
        json!({ "type": "subscribe", "id": "a", "payload": {} }),
        json!({ "type": "complete" }),
        json!({ "type": "connection_ack" }),
        json!({ "type": "start", "id": "a", "payload": { "query": ENDED } }),
        json!({ "type": "stop", "id": "a" }),
        json!({ "type": "connection_terminate" }),
    ];
    for message in invalid {
        let mut socket = served.silent().await;
        socket.say(message.clone()).await;
        assert_eq!(socket.hear().await, SocketEvent::Closed(4400), "{message}");
    }
    let token = token.as_str();
    let close_after = async |init: bool, messages: Vec<Message>| {
        let mut socket = if init { served.socket(token).await } else { served.silent().await };
        for message in messages {
            // If the server closes the connection during a long message, sending fails.
            if socket.0.send(message).await.is_err() {
                return SocketEvent::Gone;
            }
        }
        socket.hear().await
    };
    let text = |value: serde_json::Value| Message::text(value.to_string());
    let subscribe = || text(json!({ "type": "subscribe", "id": "a", "payload": { "query": ENDED } }));
    let large = |length: usize| Message::text(format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(length)));
    assert_eq!(close_after(false, vec![]).await, SocketEvent::Closed(4408));
    assert_eq!(close_after(false, vec![subscribe()]).await, SocketEvent::Closed(4401));
    assert_eq!(close_after(true, vec![subscribe(), subscribe()]).await, SocketEvent::Closed(4409));
    assert_eq!(close_after(true, vec![text(json!({ "type": "connection_init" }))]).await, SocketEvent::Closed(4429));
    assert_eq!(close_after(true, vec![Message::text("{")]).await, SocketEvent::Closed(4400));
    assert_eq!(close_after(true, vec![Message::binary("{}")]).await, SocketEvent::Closed(4400));
    assert_eq!(close_after(true, vec![large(16 * 1024)]).await, SocketEvent::Closed(1009));
    assert_eq!(close_after(true, vec![large(15 * 1024)]).await, SocketEvent::Said(json!({ "type": "pong" })));
    let huge = close_after(true, vec![large(1024 * 1024)]).await;
    assert!(matches!(huge, SocketEvent::Closed(1002) | SocketEvent::Gone), "{huge:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_only_runs_subscriptions_within_the_usual_bounds() {
    let app = TestApp::with(|flags| flags.introspection = Some("false".into())).await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await;
    let mut socket = served.socket(&person.signed_in.access).await;
    let deep = format!("subscription {{ sessionEnded {} }}", "{ a ".repeat(40));
    let fields = format!("subscription {{ sessionEnded {{ {} }} }}", "id ".repeat(1_001));
    let refused = [
        ("{ me { id } }", "BAD_REQUEST"),
        ("mutation { logout { __typename } }", "BAD_REQUEST"),
        ("subscription { sessionEnded { id } b: sessionEnded { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __schema { types { name } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { sessionEnded }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription($a: Int!) { sessionEnded { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($a: Boolean!) { sessionEnded { id user { id @include(if: $a) } } }", "BAD_USER_INPUT"),
        (&deep, "DOCUMENT_TOO_LARGE"),
        (&fields, "DOCUMENT_TOO_LARGE"),
    ];
    for (query, code) in refused {
        socket.subscribe("q", query).await;
        let heard = socket.hear().await;
        assert_eq!(heard.error("q"), code, "{query}");
    }
    assert_eq!(person.me().await.field("me")["email"], "person@example.com", "no operation ran");
    let over_post = person.query(ENDED, json!({})).await;
    assert_eq!(over_post.code(), "GRAPHQL_VALIDATION_FAILED", "{}", over_post.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_subscribe_is_charged_like_a_request() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "4/1h".into()))).await;
    let served = Served::new(&app.app.ctx).await;
    let person = app.person("person@example.com", Role::User).await.signed_in;
    let mut socket = served.socket(&person.access).await;
    for number in 0..4 {
        socket.subscribe(&number.to_string(), ENDED).await;
    }
    socket.settle().await;
    socket.subscribe("e", ENDED).await;
    assert_eq!(socket.hear().await.error("e"), "RATE_LIMITED");
    // Handshakes count against the network, not the session.
    for _ in 0..3 {
        served.silent().await;
    }
    assert_eq!(served.open(&[PROTOCOL]).await.err().expect("one handshake too many").status(), 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ended_subscription_gets_no_more_events_and_frees_its_id() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.socket(&manager.signed_in.access).await;
    socket.subscribe("e", EVENTS).await;
    socket.say(json!({ "type": "complete", "id": "e" })).await;
    socket.say(json!({ "type": "complete", "id": "unknown" })).await;
    socket.say(json!({ "type": "pong" })).await;
    socket.settle().await;
    app.guest().login("a@example.com").await;
    socket.hears_nothing().await;
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    app.guest().login("b@example.com").await;
    assert_eq!(socket.hear().await.data("e")["auditEventAdded"]["kind"], "CODE_REQUESTED");
    assert_ne!(socket.hear_within(std::time::Duration::from_millis(200)).await, complete("e"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_offers_both_subprotocols_gets_the_newer_one() {
    let app = TestApp::new().await;
    let served = Served::new(&app.app.ctx).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.open(&[("sec-websocket-protocol", "graphql-ws, graphql-transport-ws")]).await.unwrap();
    socket.init(&manager.signed_in.access).await;
    assert_eq!(socket.hear().await, SocketEvent::Said(json!({ "type": "connection_ack" })));
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    app.guest().login("a@example.com").await;
    assert_eq!(socket.hear().await.data("e")["auditEventAdded"]["kind"], "CODE_REQUESTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_of_one_socket_are_processed_in_order() {
    let app = TestApp::new().await;
    let caps = SocketCaps { subscriptions: 1, ..SocketCaps::default() };
    let served = Served::bounded(&app.app.ctx, caps).await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let mut socket = served.silent().await;
    let ping = json!({ "type": "ping" });
    for _ in 0..50 {
        socket.say(ping.clone()).await;
    }
    socket.init(&manager.signed_in.access).await;
    for _ in 0..50 {
        socket.say(ping.clone()).await;
    }
    let mut said = Vec::new();
    for _ in 0..101 {
        let SocketEvent::Said(message) = socket.hear().await else { panic!("after {said:?}") };
        said.push(message["type"].as_str().unwrap().to_owned());
    }
    let acks: Vec<_> =
        said.iter().enumerate().filter(|(_, kind)| *kind == "connection_ack").map(|(at, _)| at).collect();
    assert_eq!(acks, [50]);

    // A refused subscription ends before the next message is read, so its id can be reused.
    for _ in 0..3 {
        socket.subscribe("q", "{ me { id } }").await;
    }
    for _ in 0..3 {
        assert_eq!(socket.hear().await.error("q"), "BAD_REQUEST");
    }
    // A new subscription may reuse the id of a completed one. It must not receive late events of the completed one, and
    // must get its slot.
    for _ in 0..50 {
        socket.subscribe("e", EVENTS).await;
        socket.say(json!({ "type": "complete", "id": "e" })).await;
    }
    socket.subscribe("e", EVENTS).await;
    socket.settle().await;
    app.guest().login("a@example.com").await;
    assert_eq!(socket.hear().await.data("e")["auditEventAdded"]["kind"], "CODE_REQUESTED");
    socket.hears_nothing().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_trusted_documents_a_socket_only_runs_listed_subscriptions() {
    let app = documents::app().await;
    // The list does not contain the documents of a sign-in, so use a replica without a list.
    let elsewhere = app.replica().await;
    let ada = app.guest().via_router(elsewhere.router).sign_in("ada@example.com").await;
    let served = Served::new(&app.app.ctx).await;
    let mut socket = served.socket(&ada.access).await;
    socket.subscribe("a", ENDED).await;
    assert_eq!(socket.hear().await.error("a"), "BAD_REQUEST");
    socket.subscribe("b", documents::SUBSCRIPTION).await;
    let payload = documents::by_id(&documents::id(documents::SUBSCRIPTION));
    socket.say(json!({ "id": "c", "type": "subscribe", "payload": payload })).await;
    socket.settle().await;
}
