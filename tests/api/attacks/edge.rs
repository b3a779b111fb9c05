//! Attacks on HTTP: ambiguous messages, request smuggling, invalid request targets, upgrades and spoofed client
//! headers. See `slow` for slow clients, and `live` for WebSocket clients.

use super::{
    Allowed::{Closed, Harmless, Refused, Unread},
    Attack, JSON,
    graphql::{few, has_full_limits},
    run_attacks, shape_problem,
    target::{Reply, Target, http, text},
};

const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;
const LOGIN: &str = r#"{"query":"mutation { login(input: { email: \"a@example.com\" }) { __typename } }"}"#;
const QUERY: &str = r#"{"__typename":"Query"}"#;

/// A harmless request with these additional headers.
fn headed(headers: &str) -> Vec<u8> {
    framed(&format!("{headers}content-length: {}\r\n", TYPENAME.len()), TYPENAME)
}

/// A request whose headers give the length of the body in another way.
fn framed(headers: &str, body: &str) -> Vec<u8> {
    format!("POST /graphql HTTP/1.1\r\nhost: localhost:4000\r\ncontent-type: application/json\r\n{headers}\r\n{body}")
        .into()
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_http_messages_are_refused() {
    let target = Target::new(few).await;
    run_attacks(&target, "message", &messages()).await;
    has_full_limits(&target).await;
}

fn messages() -> Vec<Attack> {
    let bare = |name: &str, bytes: Vec<u8>| Attack::new(name, bytes, Unread(400));
    let bad = |name: &str, bytes: Vec<u8>| Attack::new(name, bytes, Refused(400, "BAD_REQUEST"));
    let length = TYPENAME.len();
    let raw = |text: &str| text.as_bytes().to_vec();
    vec![
        bare("two content lengths", framed(&format!("content-length: {length}\r\ncontent-length: 5\r\n"), TYPENAME)),
        Attack::new(
            "the same content length twice",
            framed(&format!("content-length: {length}\r\n").repeat(2), TYPENAME),
            Harmless(200, QUERY),
        ),
        Attack::new(
            "lines that end without a carriage return",
            text(&headed("")).replace("\r\n", "\n").into(),
            Harmless(200, QUERY),
        ),
        bare("two content lengths in one header", framed(&format!("content-length: {length}, 5\r\n"), TYPENAME)),
        bare("a content length with a sign", framed(&format!("content-length: +{length}\r\n"), TYPENAME)),
        bare("a negative content length", framed("content-length: -1\r\n", TYPENAME)),
        bare("a hexadecimal content length", framed("content-length: 0x1a\r\n", TYPENAME)),
        bare("a content length over 64 bits", framed("content-length: 99999999999999999999999\r\n", TYPENAME)),
        bare("a transfer coding after chunked", framed("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n")),
        bare("an unknown transfer coding", framed("transfer-encoding: xchunked\r\n", "0\r\n\r\n")),
        bare("a transfer coding after a space", framed("transfer-encoding : chunked\r\n", "0\r\n\r\n")),
        bare(
            "chunks in HTTP/1.0",
            raw("POST /graphql HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        bad("a chunk size that is not a number", framed("transfer-encoding: chunked\r\n", "g\r\n\r\n")),
        bad("a chunk size over 64 bits", framed("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n\r\n")),
        bad(
            "a chunk longer than its size",
            framed("transfer-encoding: chunked\r\n", &format!("2\r\n{TYPENAME}\r\n0\r\n\r\n")),
        ),
        bad("two codings", framed("transfer-encoding: gzip, chunked\r\n", "0\r\n\r\n")),
        bad("two codings in two headers", framed(&"transfer-encoding: chunked\r\n".repeat(2), "0\r\n\r\n")),
        bad("two hosts", headed("host: evil.example\r\n")),
        bad(
            "no host",
            raw(&format!(
                "POST /graphql HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{TYPENAME}"
            )),
        ),
        bare("a folded header", headed("x-a: b\r\n c\r\n")),
        bare("a space before the colon", headed("x-a : b\r\n")),
        bare("a header without a colon", headed("x-a\r\n")),
        bare("a header without a name", headed(": b\r\n")),
        bare("a carriage return in a value", headed("x-a: b\rc\r\n")),
        bare("a NUL in a value", headed("x-a: b\0c\r\n")),
        bare("a NUL in a name", headed("x\0a: b\r\n")),
        bare("an invalid version", raw("GET /health HTTP/9.9\r\nhost: a\r\n\r\n")),
        bare("two spaces in the request line", raw("GET  /health HTTP/1.1\r\nhost: a\r\n\r\n")),
        bare("a NUL in the path", raw("GET /hea\0lth HTTP/1.1\r\nhost: a\r\n\r\n")),
        bare("another protocol", b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n".to_vec()),
        bare("an invalid method", raw("GE(T /health HTTP/1.1\r\nhost: a\r\n\r\n")),
        Attack::new("one header of 100 kB", headed(&format!("x-a: {}\r\n", "a".repeat(100_000))), Unread(431)),
        Attack::new("101 headers", headed(&"x-a: b\r\n".repeat(101)), Unread(431)),
        Attack::new("90 headers of 1 kB", headed(&format!("x-a: {}\r\n", "a".repeat(1_000)).repeat(90)), Unread(431)),
        Attack::new(
            "a path of 100 kB",
            raw(&format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(100_000))),
            Unread(431),
        ),
    ]
}

/// Request smuggling: the bytes contain more requests than a proxy in front of the server would see.
#[tokio::test(flavor = "multi_thread")]
async fn a_smuggled_request_is_never_executed() {
    let target = Target::new(few).await;
    let db = target.database().await;
    let before = target.counters(&db).await;
    let hidden = text(&http("POST", "/graphql", &[JSON], LOGIN));
    let chunked = format!("{:x}\r\n{TYPENAME}\r\n0\r\n\r\n", TYPENAME.len());
    let both = |length: usize| format!("content-length: {length}\r\ntransfer-encoding: chunked\r\n");
    let turned = |length: usize| format!("transfer-encoding: chunked\r\ncontent-length: {length}\r\n");
    for (what, bytes) in [
        ("after the last chunk", framed(&both(chunked.len() + hidden.len()), &(chunked.clone() + &hidden))),
        ("in reverse order", framed(&turned(chunked.len() + hidden.len()), &(chunked.clone() + &hidden))),
        ("in a chunk", framed(&both(4), &format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()))),
        ("in the body", framed(&format!("content-length: {}\r\n", hidden.len()), &hidden)),
        (
            "after a body that is too large",
            framed(&format!("content-length: {}\r\n", 20_000 + hidden.len()), &(" ".repeat(20_000) + &hidden)),
        ),
        (
            "after two content lengths",
            framed(&format!("content-length: 0\r\ncontent-length: {}\r\n", hidden.len()), &hidden),
        ),
        ("after an unknown transfer coding", framed("transfer-encoding: x\r\n", &hidden)),
        (
            "after a refused upgrade",
            [
                &framed("upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 0\r\n", "")[..],
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                hidden.as_bytes(),
            ]
            .concat(),
        ),
        (
            "after two hosts",
            framed(&format!("host: b\r\ncontent-length: {}\r\n", TYPENAME.len()), &(TYPENAME.to_owned() + &hidden)),
        ),
        ("in a header's value", framed(&format!("x-a: {}content-length: 0\r\n", hidden.replace("\r\n", "\n")), "")),
    ] {
        let replies = target.connect().await.all(&bytes).await;
        assert!(replies.len() <= 1, "{what}: {replies:?}");
        assert_eq!(target.counters(&db).await, before, "{what}");
        assert!(target.is_alive().await, "{what}");
    }
    has_full_limits(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_request_targets_are_not_found() {
    let target = Target::new(few).await;
    let mut attacks = Vec::new();
    for path in [
        "/%00",
        "/graphql%00",
        "/assets/any/..%2f..%2fCargo.toml",
        "/assets/any/../../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/x",
        "/assets/..\\..\\x",
        "//graphql",
        "/./graphql",
        "/graphql/",
        "/.env",
        "/.git/config",
        "/data/doorcode.db",
        "/metrics",
        "/assets/%ff",
        "/%E2%80%AE",
        "/graphql;a=b",
        "/assets/style.css%00.js",
    ] {
        let bytes = http("POST", path, &[JSON], LOGIN);
        // Below a route for GET only, such as `/assets/`, a POST gets 405.
        let mut attack = Attack::new(format!("POST {path}"), bytes, Refused(404, "NOT_FOUND"));
        attack.allowed.push(Refused(405, "METHOD_NOT_ALLOWED"));
        attacks.push(attack);
        attacks.push(Attack::new(format!("GET {path}"), http("GET", path, &[], ""), Refused(404, "NOT_FOUND")));
    }
    let elsewhere = http("POST", "http://evil.example/graphql", &[JSON], TYPENAME);
    attacks.push(Attack::new("a target with another host", elsewhere, Refused(421, "BAD_REQUEST")));
    let inbox = http("POST", "http://localhost:4000/nothing", &[JSON], LOGIN);
    attacks.push(Attack::new("a target with a host and an unknown path", inbox, Refused(404, "NOT_FOUND")));
    let refused = |name: &str, line: &str| {
        let bytes = format!("{line}\r\nhost: localhost:4000\r\n\r\n").into_bytes();
        let mut attack = Attack::new(name, bytes, Refused(404, "NOT_FOUND"));
        attack.allowed.extend([Unread(400), Refused(405, "METHOD_NOT_ALLOWED")]);
        attack
    };
    attacks.push(refused("a tunnel", "CONNECT 127.0.0.1:22 HTTP/1.1"));
    attacks.push(refused("a CONNECT tunnel to the server", "CONNECT /graphql HTTP/1.1"));
    attacks.push(refused("a star", "OPTIONS * HTTP/1.1"));
    attacks.push(refused("a target without a slash", "GET health HTTP/1.1"));
    attacks.push(refused("a file", "GET file:///etc/passwd HTTP/1.1"));
    attacks.push(refused("a method of 10 kB", &format!("{} /graphql HTTP/1.1", "A".repeat(10_000))));
    run_attacks(&target, "target", &attacks).await;
    has_full_limits(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_expect_headers_and_origins_bypass_no_check() {
    let target = Target::new(few).await;
    let mut attacks = Vec::new();
    let socket = |origin: Option<&'static str>| {
        let mut headers = vec![
            ("connection", "upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("sec-websocket-protocol", "graphql-transport-ws"),
        ];
        headers.extend(origin.map(|origin| ("origin", origin)));
        http("GET", "/graphql", &headers, "")
    };
    for origin in ORIGINS {
        attacks.push(Attack::new(format!("a socket from {origin:?}"), socket(Some(origin)), Refused(403, "FORBIDDEN")));
        let query = http("POST", "/graphql", &[JSON, ("origin", origin)], TYPENAME);
        // The server responds, but without the CORS header that would let a script of another origin read the response.
        attacks.push(Attack::new(format!("a query from {origin:?}"), query, Harmless(200, QUERY)));
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        attacks.push(Attack::new(
            format!("a preflight from {origin:?}"),
            http("OPTIONS", "/graphql", &headers, LOGIN),
            Harmless(200, ""),
        ));
    }
    let frames = text(&socket(None)).replace("\r\n\r\n", "\r\ncontent-length: 6\r\n\r\n\u{1}\u{1}\u{1}\u{1}\u{1}\u{1}");
    let chunks = text(&socket(None)).replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    for (name, bytes) in [("a socket with a body", frames), ("a socket with a body in chunks", chunks)] {
        attacks.push(Attack::new(name, bytes.into_bytes(), Refused(400, "BAD_REQUEST")));
    }
    let h2c =
        [JSON, ("connection", "upgrade, http2-settings"), ("upgrade", "h2c"), ("http2-settings", "AAMAAABkAAQAAP__")];
    attacks.push(Attack::new("an upgrade to HTTP/2", http("POST", "/graphql", &h2c, TYPENAME), Harmless(200, QUERY)));
    attacks.push(Attack::new(
        "an upgrade to HTTP/2 by GET",
        http("GET", "/graphql", &h2c, ""),
        Refused(405, "METHOD_NOT_ALLOWED"),
    ));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    attacks.push(Attack::new("HTTP/2 without an upgrade", preface, Closed));
    let tls = [JSON, ("connection", "upgrade"), ("upgrade", "TLS/1.0")];
    attacks.push(Attack::new("an upgrade to TLS", http("POST", "/graphql", &tls, TYPENAME), Harmless(200, QUERY)));
    let expect = http("POST", "/graphql", &[JSON, ("expect", "100-continue")], TYPENAME);
    attacks.push(Attack::new("an Expect header", expect, Harmless(200, QUERY)));
    let large = http("POST", "/graphql", &[JSON, ("expect", "100-continue")], " ".repeat(20_000));
    attacks.push(Attack::new("an Expect header and a large body", large, Refused(413, "DOCUMENT_TOO_LARGE")));
    let expect = http("POST", "/graphql", &[JSON, ("expect", "200-ok")], TYPENAME);
    attacks.push(Attack::new("an unknown Expect header", expect, Harmless(200, QUERY)));
    run_attacks(&target, "upgrade", &attacks).await;
    assert_eq!(open(&target, &socket(None)).await.status, 101, "a client without an origin may open a socket");
    has_full_limits(&target).await;
}

async fn open(target: &Target, bytes: &[u8]) -> Reply {
    target.send(bytes).await.0.expect("a response")
}

const ORIGINS: [&str; 9] = [
    "null",
    "https://evil.example",
    "http://localhost:4000.evil.example",
    "http://localhost:3000.evil.example",
    "http://evil-localhost:3000",
    "https://localhost.evil.example:3000",
    "http://127.0.0.1.evil.example",
    "http://localhost:3000, http://evil.example",
    "file://",
];

/// Sends headers that claim another client address. The server must charge the address of the connection.
#[tokio::test(flavor = "multi_thread")]
async fn spoofed_client_headers_do_not_change_the_charged_address() {
    let target = Target::new(few).await;
    let forged = [
        ("x-forwarded-for", "198.51.100.1"),
        ("forwarded", "for=198.51.100.2;host=evil.example;proto=https"),
        ("x-real-ip", "198.51.100.3"),
        ("true-client-ip", "198.51.100.4"),
        ("cf-connecting-ip", "198.51.100.5"),
        ("x-client-ip", "198.51.100.6"),
        ("x-forwarded-host", "evil.example"),
    ];
    for n in 0..=super::graphql::SENDS {
        let body = LOGIN.replace("a@", &format!("forged{n}@"));
        let reply = target.post(&forged[n..=n], &body).await;
        assert_eq!(reply.text.contains("RateLimited"), n == super::graphql::SENDS, "{n}: {}", reply.text);
        assert_eq!(shape_problem(&reply), None);
        assert!(!reply.text.contains("evil.example"));
    }
    let mail = target.program().call("{ inbox(first: 5) { text html } }", serde_json::json!({})).await.unwrap();
    assert!(mail["data"]["inbox"].as_array().is_some_and(|mails| !mails.is_empty()), "{mail}");
    assert!(!mail.to_string().contains("evil.example"), "links in emails use the address from the settings");
}
