//! Clients that do not read responses.

use doorcode::{
    db::entity::{Role, users},
    domain::audit::{self, Event, Kind},
    limits::Rule,
};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;

use super::*;

const MEGABYTE: &str = "{ me { auditEvents(first: 10) { nodes { detail } } } }";

/// Creates a user with a megabyte of data, and returns their access token.
async fn user_with_much_data(app: &TestApp, email: &str) -> String {
    let person = app.person(email, Role::User).await.signed_in;
    let found = users::Entity::find().filter(users::Column::Email.eq(email)).one(app.ctx().db.read()).await.unwrap();
    let id = Some(found.unwrap().id);
    for _ in 0..10 {
        let detail = json!({ "long": "x".repeat(100_000) });
        let event = Event { kind: Kind::DataExported, origin: None, actor: id, subject: id, detail, email: None };
        audit::record_alone(app.ctx(), app.ctx().now(), event).await.unwrap();
    }
    person.access
}

fn request(token: &str, query: &str) -> String {
    let body = json!({ "query": query }).to_string();
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer {token}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Opens a connection, sends a request, and reads nothing.
async fn silent_client(server: &Listening, request: &str) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    // With a larger buffer, the kernel would read the response for the client.
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut client = Client(socket.connect(server.public).await.unwrap());
    client.send(request).await;
    client
}

/// Sends a request on a new connection, and reads the response.
async fn ask(server: &Listening, ip: Ipv4Addr, request: &str) -> String {
    let mut client = server.connect_from(ip).await;
    client.send(request).await;
    client.answer().await
}

async fn generous() -> TestApp {
    TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "100000/1m".into()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_disconnected_in_time() {
    let app = generous().await;
    let asks = request(&user_with_much_data(&app, "ada@example.com").await, MEGABYTE);
    let caps = Caps { of_network: of_address(1), unread: SHORT, spare: NEVER, ..Caps::default() };
    let server = Listening::over(None, caps, app).await;
    let _silent = silent_client(&server, &asks).await;
    let start = Instant::now();
    assert!(server.connect().await.closed().await < AT_ONCE, "the only slot is taken");
    eventually("the slot is free", async || server.connect().await.is_served().await).await;
    assert!(start.elapsed() >= SHORT);
    let answer = ask(&server, ELSEWHERE, &asks).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.len() > 1_000_000,
        "a client that reads gets the whole response"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_with_unread_responses_gets_no_more_and_others_are_served() {
    let app = generous().await;
    let (ada, bob) =
        (user_with_much_data(&app, "ada@example.com").await, user_with_much_data(&app, "bob@example.com").await);
    let (ada, bob) = (request(&ada, MEGABYTE), request(&bob, MEGABYTE));
    let caps = Caps { of_network: of_address(1_000), unread: NEVER, spare: NEVER, ..Caps::default() };
    let server = Listening::over(None, caps, app).await;
    let mut silent_clients = Vec::new();
    for _ in 0..30 {
        silent_clients.push(silent_client(&server, &ada).await);
    }
    let mut refused = String::new();
    eventually("eight megabytes are unread", async || {
        refused = ask(&server, ELSEWHERE, &ada).await;
        refused.starts_with("HTTP/1.1 429")
    })
    .await;
    assert!(refused.contains("RATE_LIMITED") && refused.contains("retry-after: 10"), "{refused}");
    let refused = ask(&server, HERE, &bob).await;
    assert!(
        refused.starts_with("HTTP/1.1 429"),
        "the network's limit for unread bytes is as high as the session's: {refused}"
    );
    assert!(
        ask(&server, ELSEWHERE, &bob).await.starts_with("HTTP/1.1 200"),
        "another session in another network is served"
    );
    drop(silent_clients);
    eventually("the memory is released", async || ask(&server, HERE, &ada).await.starts_with("HTTP/1.1 200")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_does_not_fit_the_memory_limit_is_not_sent() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "40/1m".into()))).await;
    let asks = request(&user_with_much_data(&app, "ada@example.com").await, MEGABYTE);
    let server = Listening::over(None, Caps::default(), app).await;
    let mut sent = 0;
    loop {
        let answer = ask(&server, HERE, &asks).await;
        if !answer.starts_with("HTTP/1.1 200") {
            assert!(answer.starts_with("HTTP/1.1 429") && answer.len() < 2_000, "{answer}");
            break;
        }
        sent += 1;
    }
    // Each response counts as sixteen operations, including the one that was not sent.
    assert_eq!(sent, 2);
}
