//! Attacks on HTTP: ambiguous messages, spoofed client headers, invalid targets, upgrades. Slow clients are in `slow`,
//! sockets in `live`.

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

/// A request with these headers and a harmless body.
fn headed(headers: &str) -> Vec<u8> {
    framed(&format!("{headers}content-length: {}\r\n", TYPENAME.len()), TYPENAME)
}

/// The same, with another way to state the length of the body.
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
        bare("two lengths", framed(&format!("content-length: {length}\r\ncontent-length: 5\r\n"), TYPENAME)),
        Attack::new(
            "one length twice",
            framed(&format!("content-length: {length}\r\n").repeat(2), TYPENAME),
            Harmless(200, QUERY),
        ),
        Attack::new(
            "lines that end without a carriage return",
            text(&headed("")).replace("\r\n", "\n").into(),
            Harmless(200, QUERY),
        ),
        bare("two lengths in one header", framed(&format!("content-length: {length}, 5\r\n"), TYPENAME)),
        bare("a length with a sign", framed(&format!("content-length: +{length}\r\n"), TYPENAME)),
        bare("a length below nothing", framed("content-length: -1\r\n", TYPENAME)),
        bare("a length in another base", framed("content-length: 0x1a\r\n", TYPENAME)),
        bare("a length beyond all lengths", framed("content-length: 99999999999999999999999\r\n", TYPENAME)),
        bare("a coding that is not the last", framed("transfer-encoding: chunked, identity\r\n", "0\r\n\r\n")),
        bare("an unknown transfer coding", framed("transfer-encoding: xchunked\r\n", "0\r\n\r\n")),
        bare("a coding behind a blank", framed("transfer-encoding : chunked\r\n", "0\r\n\r\n")),
        bare(
            "chunks by an old version",
            raw("POST /graphql HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
        ),
        bad("a chunk whose size is no number", framed("transfer-encoding: chunked\r\n", "g\r\n\r\n")),
        bad("a chunk beyond all sizes", framed("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\n\r\n")),
        bad(
            "a chunk longer than it says",
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
        bare("a blank before the colon", headed("x-a : b\r\n")),
        bare("a header without a colon", headed("x-a\r\n")),
        bare("a header without a name", headed(": b\r\n")),
        bare("a carriage return in a value", headed("x-a: b\rc\r\n")),
        bare("a NUL in a value", headed("x-a: b\0c\r\n")),
        bare("a NUL in a name", headed("x\0a: b\r\n")),
        bare("an invalid version", raw("GET /health HTTP/9.9\r\nhost: a\r\n\r\n")),
        bare("two blanks in the first line", raw("GET  /health HTTP/1.1\r\nhost: a\r\n\r\n")),
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

/// Request smuggling: several requests in one stream, of which a proxy might have seen fewer.
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
        ("behind the last chunk", framed(&both(chunked.len() + hidden.len()), &(chunked.clone() + &hidden))),
        ("the same turned", framed(&turned(chunked.len() + hidden.len()), &(chunked.clone() + &hidden))),
        ("in a chunk", framed(&both(4), &format!("{:x}\r\n{hidden}\r\n0\r\n\r\n", hidden.len()))),
        ("in the body", framed(&format!("content-length: {}\r\n", hidden.len()), &hidden)),
        (
            "behind a body that is too large",
            framed(&format!("content-length: {}\r\n", 20_000 + hidden.len()), &(" ".repeat(20_000) + &hidden)),
        ),
        ("behind two lengths", framed(&format!("content-length: 0\r\ncontent-length: {}\r\n", hidden.len()), &hidden)),
        ("behind an unknown transfer coding", framed("transfer-encoding: x\r\n", &hidden)),
        (
            "behind a refused upgrade",
            [
                &framed("upgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 0\r\n", "")[..],
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                hidden.as_bytes(),
            ]
            .concat(),
        ),
        (
            "behind two hosts",
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
        "/assets/..%2f..%2fCargo.toml",
        "/assets/../../Cargo.toml",
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
        // Paths for GET do not accept POST.
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
    attacks.push(refused("a tunnel to us", "CONNECT /graphql HTTP/1.1"));
    attacks.push(refused("a star", "OPTIONS * HTTP/1.1"));
    attacks.push(refused("a target without a slash", "GET health HTTP/1.1"));
    attacks.push(refused("a file", "GET file:///etc/passwd HTTP/1.1"));
    attacks.push(refused("a method of 10 kB", &format!("{} /graphql HTTP/1.1", "A".repeat(10_000))));
    run_attacks(&target, "target", &attacks).await;
    has_full_limits(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn upgrades_expectations_and_origins_bypass_nothing() {
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
        attacks.push(Attack::new(format!("a socket for {origin:?}"), socket(Some(origin)), Refused(403, "FORBIDDEN")));
        let query = http("POST", "/graphql", &[JSON, ("origin", origin)], TYPENAME);
        // Responds, but without a header that would let a script of another origin read it.
        attacks.push(Attack::new(format!("a question for {origin:?}"), query, Harmless(200, QUERY)));
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type"),
        ];
        attacks.push(Attack::new(
            format!("a preflight for {origin:?}"),
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
    attacks.push(Attack::new("the same by GET", http("GET", "/graphql", &h2c, ""), Refused(405, "METHOD_NOT_ALLOWED")));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    attacks.push(Attack::new("HTTP/2 without asking", preface, Closed));
    let tls = [JSON, ("connection", "upgrade"), ("upgrade", "TLS/1.0")];
    attacks.push(Attack::new("an upgrade to TLS", http("POST", "/graphql", &tls, TYPENAME), Harmless(200, QUERY)));
    let expect = http("POST", "/graphql", &[JSON, ("expect", "100-continue")], TYPENAME);
    attacks.push(Attack::new("an Expect header", expect, Harmless(200, QUERY)));
    let large = http("POST", "/graphql", &[JSON, ("expect", "100-continue")], " ".repeat(20_000));
    attacks.push(Attack::new("expects it for too much", large, Refused(413, "DOCUMENT_TOO_LARGE")));
    let expect = http("POST", "/graphql", &[JSON, ("expect", "200-ok")], TYPENAME);
    attacks.push(Attack::new("expects something else", expect, Harmless(200, QUERY)));
    run_attacks(&target, "upgrade", &attacks).await;
    assert_eq!(open(&target, &socket(None)).await.status, 101, "a client without an origin may open one");
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

/// Headers that claim another client address: the connecting address is charged.
#[tokio::test(flavor = "multi_thread")]
async fn spoofed_client_headers_do_not_change_who_is_charged() {
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
    assert!(!mail.to_string().contains("evil.example"), "links come from the settings");
}
