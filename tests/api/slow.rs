//! Slow clients that hold connections open, and the shutdown, which waits only for requests. These tests use real
//! sockets, because the router does not manage connections.

mod crowd;
mod readers;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use doorcode::{
    http::{Caps, Server, Shares, Tls, serve},
    settings::ServeFlags,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::harness::{TestApp, eventually};

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
pub(crate) const SHORT: Duration = Duration::from_millis(400);
/// Time limit for a step that must not wait for a timeout.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(5);
const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
pub(crate) const QUERY: &str = r#"{"query":"{ __typename }"}"#;

/// For a timeout that must not expire during a test.
const NEVER: Duration = Duration::from_hours(1);

/// A limit of this many connections per address.
pub(crate) const fn of_address(narrow: usize) -> Shares {
    Shares { narrow, middle: 1_000, wide: 1_000 }
}

/// A listening application.
pub(crate) struct Listening {
    pub(crate) public: SocketAddr,
    ops: SocketAddr,
    pub(crate) stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    _app: TestApp,
}

impl Listening {
    async fn new(caps: Caps) -> Self {
        Self::with(caps, |_| {}).await
    }

    async fn with(caps: Caps, change: impl FnOnce(&mut ServeFlags)) -> Self {
        Self::over(None, caps, TestApp::with(change).await).await
    }

    /// Starts a server for this application, with TLS or without.
    pub(crate) async fn over(tls: Option<Arc<Tls>>, caps: Caps, app: TestApp) -> Self {
        let server = Server::new(Arc::clone(&app.app.ctx));
        let public = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ops = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = (public.local_addr().unwrap(), ops.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(caps, tls, server, public, ops, stopped));
        Self { public: addresses.0, ops: addresses.1, stop, serving, _app: app }
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connect_from(HERE).await
    }

    async fn connect_from(&self, ip: Ipv4Addr) -> Client {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((ip, 0))).unwrap();
        Client(socket.connect(self.public).await.unwrap())
    }

    /// Stops the server and returns how long that took.
    pub(crate) async fn stop(self) -> Duration {
        let start = Instant::now();
        self.stop.send_replace(true);
        timeout(Duration::from_mins(1), self.serving).await.expect("the server stops").unwrap();
        start.elapsed()
    }
}

/// One client connection.
pub(crate) struct Client<S = TcpStream>(pub(crate) S);

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub(crate) async fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads one response with its body. Empty if the server closes the connection instead.
    pub(crate) async fn answer(&mut self) -> String {
        let mut text = Vec::new();
        while !is_whole(&text) {
            let mut part = [0; 4096];
            match timeout(Duration::from_secs(30), self.0.read(&mut part))
                .await
                .expect("a response, or a closed connection")
            {
                Ok(0) | Err(_) => break,
                Ok(length) => text.extend_from_slice(&part[..length]),
            }
        }
        String::from_utf8(text).unwrap()
    }

    pub(crate) async fn is_served(&mut self) -> bool {
        // Ignore a write error: if the connection is closed, the response is missing as well.
        drop(self.0.write_all(HEALTH.as_bytes()).await);
        self.answer().await.starts_with("HTTP/1.1 200")
    }

    /// Waits until the server closes the connection. Returns how long that took.
    pub(crate) async fn closed(&mut self) -> Duration {
        let start = Instant::now();
        assert_eq!(self.answer().await, "");
        start.elapsed()
    }
}

fn is_whole(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

/// The request line and headers of a GraphQL request with the body [`QUERY`].
pub(crate) fn head() -> String {
    format!(
        "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        QUERY.len()
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_time_out() {
    let server = Listening::new(Caps { headers: SHORT, ..Caps::default() }).await;
    let mut silent = server.connect().await;
    let start = Instant::now();
    let trickle = async {
        let mut client = server.connect().await;
        client.send("GET /health HTTP/1.1\r\nx: ").await;
        while client.0.write_all(b"x").await.is_ok() {
            assert!(start.elapsed() < AT_ONCE, "further bytes must not extend the time limit");
            sleep(Duration::from_millis(50)).await;
        }
        client.closed().await;
    };
    tokio::join!(trickle, silent.closed());
    assert!(start.elapsed() >= SHORT && start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_after_a_while() {
    let server = Listening::new(Caps { headers: SHORT, ..Caps::default() }).await;
    let mut client = server.connect().await;
    for _ in 0..4 {
        assert!(client.is_served().await, "the idle time restarts with each request");
        sleep(SHORT / 2).await;
    }
    assert!(client.closed().await < AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_gets_408() {
    let server = Listening::new(Caps::default()).await;
    let client = server.connect().await;
    let (mut reading, mut writing) = client.0.into_split();
    let start = Instant::now();
    let trickle = tokio::spawn(async move {
        writing.write_all(head().as_bytes()).await.unwrap();
        for byte in QUERY.bytes() {
            if writing.write_all(&[byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(900)).await;
        }
    });
    let mut answer = vec![0; 4096];
    let length = timeout(Duration::from_secs(20), reading.read(&mut answer)).await.expect("a response").unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    let after = timeout(AT_ONCE, reading.read(&mut [0; 64])).await.expect("a closed connection");
    assert!(matches!(after, Ok(0) | Err(_)), "{after:?}");
    assert!((9..15).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    trickle.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_at_its_connection_limit_does_not_affect_others() {
    let server = Listening::new(Caps { of_network: of_address(3), spare: NEVER, ..Caps::default() }).await;
    let mut first = Vec::new();
    for _ in 0..3 {
        let mut client = server.connect().await;
        assert!(client.is_served().await);
        first.push(client);
    }
    for _ in 0..3 {
        assert!(server.connect().await.closed().await < AT_ONCE);
    }
    assert!(server.connect_from(ELSEWHERE).await.is_served().await);
    for client in &mut first {
        assert!(client.is_served().await, "existing connections stay open");
    }
    first.pop();
    eventually("a closed connection frees its slot", async || server.connect().await.is_served().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_has_no_network_limit_and_no_maximum_age() {
    let caps = Caps { of_network: of_address(1), headers: SHORT, life: SHORT, spare: NEVER, ..Caps::default() };
    let server = Listening::with(caps, |flags| flags.trusted_proxies = Some("127.0.0.1".into())).await;
    let mut proxy = Vec::new();
    for _ in 0..5 {
        let mut client = server.connect().await;
        assert!(client.is_served().await);
        proxy.push(client);
    }
    let mut stranger = server.connect_from(ELSEWHERE).await;
    assert!(stranger.is_served().await);
    assert!(server.connect_from(ELSEWHERE).await.closed().await < AT_ONCE);
    stranger.closed().await;
    sleep(SHORT).await;
    for client in &mut proxy {
        assert!(client.is_served().await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn above_the_total_limit_a_connection_waits_for_a_free_slot() {
    let server = Listening::new(Caps { in_all: 2, spare: NEVER, ..Caps::default() }).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    assert!(one.is_served().await && two.is_served().await);
    let mut third = server.connect_from(ELSEWHERE).await;
    third.send(HEALTH).await;
    assert!(timeout(SHORT, third.answer()).await.is_err(), "the connection waits for a slot");
    drop(one);
    assert!(third.answer().await.starts_with("HTTP/1.1 200"));
    assert!(two.is_served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_responses_is_disconnected() {
    let caps = Caps { of_network: of_address(1), life: SHORT, end: SHORT, unread: NEVER, ..Caps::default() };
    let server = Listening::new(caps).await;
    let mut client = server.connect().await;
    let asks = "GET /assets/any/graphiql.min.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(50);
    client.send(&asks).await;
    let start = Instant::now();
    assert!(server.connect().await.closed().await < AT_ONCE, "the only slot is taken");
    eventually("the slot is free", async || server.connect().await.is_served().await).await;
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_does_not_wait_for_idle_connections() {
    let server = Listening::new(Caps::default()).await;
    let mut silent = server.connect().await;
    let mut idle = server.connect().await;
    assert!(idle.is_served().await);
    assert!(server.stop().await < AT_ONCE);
    assert!(silent.closed().await < AT_ONCE && idle.closed().await < AT_ONCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_readiness_first_and_finishes_requests() {
    let server = Listening::new(Caps::default()).await;
    let (first, second) = QUERY.split_at(10);
    let mut client = server.connect().await;
    client.send(&(head() + first)).await;
    // Wait until the request is in progress.
    sleep(SHORT).await;
    let ready = async || reqwest::get(format!("http://{}/ready", server.ops)).await.unwrap();
    assert_eq!(ready().await.status(), 200);
    server.stop.send_replace(true);
    eventually("the server is no longer ready", async || ready().await.text().await.unwrap().contains("stopping"))
        .await;
    eventually("no new connection is accepted", async || TcpStream::connect(server.public).await.is_err()).await;
    assert!(!server.serving.is_finished());
    client.send(second).await;
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close") && answer.contains("__typename"), "{answer}");
    let stopping = server.stop().await;
    assert!(stopping < AT_ONCE, "{stopping:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kept_connection_can_be_used_once_more_after_shutdown_starts() {
    let farewell = Duration::from_millis(1_500);
    let caps = Caps { farewell, ..Caps::default() };
    let server = Listening::with(caps, |flags| flags.trusted_proxies = Some("127.0.0.1".into())).await;
    let (mut kept, mut idle) = (server.connect().await, server.connect().await);
    assert!(kept.is_served().await && idle.is_served().await);
    server.stop.send_replace(true);
    eventually("no new connection is accepted", async || TcpStream::connect(server.public).await.is_err()).await;
    // Wait longer than a request that was sent before the shutdown could be in transit.
    sleep(Duration::from_millis(300)).await;
    kept.send(HEALTH).await;
    let answer = kept.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
    assert!(kept.closed().await < SHORT);
    assert!(!server.serving.is_finished(), "the idle connection may still send a request");
    assert!(server.stop().await < farewell + SHORT);
    assert!(idle.closed().await < SHORT);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_request_does_not_block_shutdown() {
    let server = Listening::new(Caps { end: SHORT, ..Caps::default() }).await;
    let mut client = server.connect().await;
    client.send("GET /health HTTP/1.1\r\n").await;
    sleep(SHORT).await;
    let stopping = server.stop().await;
    assert!(stopping >= SHORT && stopping < AT_ONCE, "{stopping:?}");
}
