//! More connections, or more unread bytes, than the server has room for: which connections it accepts, evicts or keeps.

use doorcode::http::Shares;

use super::*;

/// How long a connection must be idle before it may be evicted.
const SPARE: Duration = Duration::from_millis(50);

fn caps() -> Caps {
    Caps { of_network: of_address(1_000), spare: SPARE, ..Caps::default() }
}

/// Opens this many connections and sends this text on each.
async fn crowd(server: &Listening, size: usize, text: &str) -> Vec<Client> {
    let mut crowd = Vec::new();
    for _ in 0..size {
        let mut client = server.connect_from(ELSEWHERE).await;
        client.send(text).await;
        crowd.push(client);
    }
    // Wait until the server has read everything, and no connection counts as new.
    sleep(SPARE * 4).await;
    crowd
}

async fn closed(crowd: &mut [Client]) -> usize {
    let mut closed = 0;
    for client in crowd {
        closed += usize::from(timeout(SPARE, client.answer()).await.is_ok_and(|answer| answer.is_empty()));
    }
    closed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_at_its_limit_loses_its_idlest_connection_to_a_new_one() {
    let server = Listening::new(Caps { of_network: of_address(3), ..caps() }).await;
    let (mut first, mut second, mut busy) = (server.connect().await, server.connect().await, server.connect().await);
    assert!(first.is_served().await && second.is_served().await);
    busy.send(&head()).await;
    sleep(SPARE * 2).await;
    assert!(first.is_served().await, "the second connection has now been idle for longest");
    sleep(SPARE * 2).await;
    let mut newcomer = server.connect().await;
    assert!(newcomer.is_served().await);
    assert!(second.closed().await < AT_ONCE);
    assert!(first.is_served().await);
    busy.send(QUERY).await;
    assert!(busy.answer().await.starts_with("HTTP/1.1 200"), "a connection with a request in progress stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_a_network_share_its_connection_limit() {
    let shares = Shares { narrow: 2, middle: 3, wide: 3 };
    let server = Listening::new(Caps { of_network: shares, spare: NEVER, ..Caps::default() }).await;
    let mut inside = Vec::new();
    for last in [1, 1, 2] {
        inside.push(server.connect_from(Ipv4Addr::new(127, 0, 5, last)).await);
    }
    for client in &mut inside {
        assert!(client.is_served().await);
    }
    for last in [1, 2, 3, 200] {
        assert!(server.connect_from(Ipv4Addr::new(127, 0, 5, last)).await.closed().await < AT_ONCE, "{last}");
    }
    assert!(
        server.connect_from(Ipv4Addr::new(127, 0, 6, 1)).await.is_served().await,
        "another network has a separate limit"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_requests_do_not_block_new_connections() {
    for unfinished in [String::new(), "GET /health HTTP/1.1\r\nx: ".into(), head() + "{", HEALTH.into()] {
        let server = Listening::new(Caps { in_all: 20, ..caps() }).await;
        let _crowd = crowd(&server, 20, &unfinished).await;
        for _ in 0..10 {
            let start = Instant::now();
            assert!(server.connect().await.is_served().await, "{unfinished:?}");
            assert!(start.elapsed() < AT_ONCE, "{unfinished:?}: {:?}", start.elapsed());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_memory_is_bounded_and_the_smallest_connections_are_kept() {
    let server = Listening::new(Caps { memory: 1024 * 1024, ..caps() }).await;
    let mut small = server.connect().await;
    assert!(small.is_served().await);
    // Each of these connections uses three times as much memory as a silent one.
    let begun = format!("GET /health HTTP/1.1\r\nhost: localhost\r\nx: {}", "x".repeat(15_000));
    for _ in 0..3 {
        let mut crowd = crowd(&server, 25, &begun).await;
        let start = Instant::now();
        assert!(server.connect_from(Ipv4Addr::new(127, 0, 9, 1)).await.is_served().await);
        assert!(start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
        let closed = closed(&mut crowd).await;
        assert!(closed >= 5, "{closed} of 25 were evicted");
    }
    assert!(small.is_served().await);
}

/// A request with this many bytes of headers.
fn headed(path: &str, bytes: usize) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "x".repeat(bytes))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_reader_holds_no_memory_that_others_need() {
    let caps = Caps { memory: 1024 * 1024, unread: NEVER, ..caps() };
    let server = Listening::new(caps).await;
    let asks = headed("/assets/any/graphiql.js", 15_000);
    let mut readers = Vec::new();
    for _ in 0..30 {
        let socket = TcpSocket::new_v4().unwrap();
        // With a larger buffer, the kernel would read the response for the client.
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.bind(SocketAddr::from((ELSEWHERE, 0))).unwrap();
        let mut reader = Client(socket.connect(server.public).await.unwrap());
        // Ignore a write error: the server refuses connections once the memory is full.
        drop(reader.0.write_all(asks.as_bytes()).await);
        drop(timeout(SPARE, reader.0.read(&mut [0; 4_096])).await);
        readers.push(reader);
    }
    sleep(SPARE * 4).await;
    for _ in 0..20 {
        let mut newcomer = server.connect().await;
        newcomer.send(&headed("/health", 15_000)).await;
        assert!(newcomer.answer().await.starts_with("HTTP/1.1 200"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_evicted_before_one_with_a_request() {
    let server = Listening::new(Caps { memory: 1024 * 1024, ..caps() }).await;
    let mut silent = crowd(&server, 40, "").await;
    let mut honest = server.connect().await;
    honest.send(&headed("/health", 15_000)).await;
    assert!(honest.answer().await.starts_with("HTTP/1.1 200"));
    silent.extend(crowd(&server, 4, "").await);
    assert!(closed(&mut silent).await >= 10);
    assert!(honest.is_served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiring_connection_is_still_evicted_at_once() {
    let server = Listening::new(Caps { of_network: of_address(1), life: SHORT, ..caps() }).await;
    let mut unfinished = server.connect().await;
    unfinished.send("GET /health HTTP/1.1\r\nx: ").await;
    // Wait until the server asks the connection to end, which the client ignores.
    sleep(SHORT * 2).await;
    assert!(server.connect().await.is_served().await);
    assert!(unfinished.closed().await < AT_ONCE, "the connection was evicted");
}
