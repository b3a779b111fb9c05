//! Headers of every response (request id, security headers, CORS), and all paths except `/graphql`.

use std::{
    collections::BTreeSet,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use axum::http::Method;
use doorcode::{
    http::{Server, ops_router},
    settings::ServeFlags,
};
use serde_json::json;

use super::{JSON, TYPENAME, body, check_errors, counters, post_with, raw, refused};
use crate::harness::{Answer, Client, TestApp};

/// At least one response of every kind, with a name for messages.
async fn every_kind(guest: &Client<'_>) -> Vec<(String, Answer)> {
    let mut answers = Vec::new();
    for path in [
        "/",
        "/graphiql",
        "/inbox",
        "/favicon.ico",
        "/assets/any/style.css",
        "/assets/any/graphiql.js",
        "/assets/any/nothing.js",
        "/assets/%ff",
        "/nothing",
        "/health",
        "/ready",
        "/.well-known/jwks.json",
        "/.well-known/change-password",
        "/graphql",
    ] {
        answers.push((format!("GET {path}"), guest.get(path).await));
        for method in [Method::HEAD, Method::PUT, Method::POST, Method::OPTIONS] {
            let what = format!("{method} {path}");
            answers.push((what, raw(guest, method, path, &[], "").await));
        }
    }
    for (what, text) in [("good", TYPENAME), ("broken", "{")] {
        answers.push((what.to_owned(), guest.post(text).await));
    }
    answers.push(("bad bearer".into(), guest.with_bearer("x").post(TYPENAME).await));
    answers.push(("too large".into(), guest.post(" ".repeat(20_000)).await));
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_response_has_security_headers_and_no_server_header() {
    let app = TestApp::new().await;
    let ids = &mut std::collections::HashSet::new();
    for (what, answer) in every_kind(&app.guest()).await {
        let header = |name: &str| {
            let mut all = answer.headers.get_all(name).iter();
            let first = all.next().unwrap_or_else(|| panic!("{what} has no {name}"));
            assert!(all.next().is_none(), "{what} has {name} twice");
            first.to_str().unwrap()
        };
        assert!(ids.insert(header("x-request-id").to_owned()), "{what}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header("x-frame-options"), "DENY", "{what}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
        let policy = header("content-security-policy");
        for part in ["default-src 'none'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{what}: {policy}");
        }
        let cached = ["/assets/", "/favicon", "jwks"].iter().any(|part| what.contains(part));
        assert!(cached || header("cache-control") == "no-store", "{what}: {}", header("cache-control"));
        for absent in ["set-cookie", "server", "x-powered-by", "strict-transport-security"] {
            assert!(!answer.headers.contains_key(absent), "{what} has {absent}");
        }
        assert!(!answer.status.is_server_error(), "{what}: {}", answer.status);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_on_every_path_have_the_same_shape() {
    let app = TestApp::new().await;
    for (what, answer) in every_kind(&app.guest()).await {
        if answer.status.is_client_error() && !what.starts_with("HEAD") {
            check_errors(&answer, &what);
        }
        if what.starts_with("HEAD") {
            assert_eq!(answer.text, "", "{what}");
        }
        if answer.status.as_u16() == 405 {
            let allow = answer.headers["allow"].to_str().unwrap();
            let expected = if what.ends_with("/graphql") { "POST" } else { "GET,HEAD" };
            assert_eq!(allow, expected, "{what}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_valid_request_id_is_kept_and_an_invalid_one_replaced() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let longest = "a".repeat(64);
    for id in ["a", "A.b_c-9", &longest] {
        let answer = raw(&guest, Method::POST, "/graphql", &[JSON, ("x-request-id", id)], "{").await;
        assert_eq!(answer.headers["x-request-id"], id);
        refused(&answer, 400, "BAD_REQUEST", id);
        assert_eq!(guest.get("/health").await.headers["x-request-id"].len(), 32);
    }
    let too_long = "a".repeat(65);
    let bytes: [&[u8]; 8] = [b"", too_long.as_bytes(), b"a b", b"a/b", b"a\tb", "é".as_bytes(), b"\xff", b"a%0d%0ab"];
    for id in bytes {
        let mut client = guest.clone();
        let value = axum::http::HeaderValue::from_bytes(id).unwrap();
        client.headers.insert("x-request-id", value);
        let answer = client.post("{").await;
        refused(&answer, 400, "BAD_REQUEST", &String::from_utf8_lossy(id));
        let fresh = answer.headers["x-request-id"].to_str().unwrap();
        assert!(fresh.len() == 32 && fresh.bytes().all(|byte| byte.is_ascii_hexdigit()), "{fresh}");
    }
    for id in ["a\r\nset-cookie: b", "a\nb", "a\0b"] {
        assert!(id.parse::<axum::http::HeaderValue>().is_err(), "not a valid header value");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_scripts_of_listed_origins_can_read_responses_without_credentials() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let preflight = |origin: &'static str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,authorization"),
        ];
        let guest = guest.clone();
        async move { raw(&guest, Method::OPTIONS, "/graphql", &headers, "").await }
    };
    for origin in ["http://localhost:3000", "http://localhost:5173"] {
        let good = post_with(&guest, &[JSON, ("origin", origin)]).await;
        let bad = raw(&guest, Method::POST, "/graphql", &[JSON, ("origin", origin)], "{").await;
        let asked = preflight(origin).await;
        assert_eq!(asked.status.as_u16(), 200);
        let allowed = asked.headers["access-control-allow-headers"].to_str().unwrap();
        assert!(allowed.contains("content-type") && allowed.contains("authorization"), "{allowed}");
        assert!(asked.headers["access-control-allow-methods"].to_str().unwrap().contains("POST"));
        let exposed = bad.headers["access-control-expose-headers"].to_str().unwrap();
        for name in ["date", "x-request-id", "retry-after", "ratelimit", "ratelimit-policy"] {
            assert!(exposed.split(',').any(|header| header == name), "{exposed}");
        }
        for answer in [&good, &bad, &asked] {
            assert_eq!(answer.headers["access-control-allow-origin"], origin);
            assert!(answer.headers["vary"].to_str().unwrap().to_lowercase().contains("origin"));
            assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        }
    }
    for origin in [
        "null",
        "*",
        "http://localhost:3000.evil.example",
        "http://evil-localhost:3000",
        "HTTP://LOCALHOST:3000",
        "http://127.0.0.1.evil.example",
        "http://192.0.2.1:3000",
        "http://localhost:3000/",
        "http://localhost:3000 http://evil.example",
        "file://",
        "",
    ] {
        for answer in [post_with(&guest, &[JSON, ("origin", origin)]).await, preflight(origin).await] {
            for name in ["access-control-allow-origin", "access-control-allow-credentials"] {
                assert!(!answer.headers.contains_key(name), "{origin}: {:?}", answer.headers);
            }
        }
    }
    for path in ["/health", "/ready", "/", "/inbox"] {
        let answer = raw(&guest, Method::GET, path, &[("origin", "http://localhost:3000")], "").await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_development_server_refuses_other_host_names() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let before = counters(&app).await;
    let login = || body("mutation { login(input: { email: \"a@example.com\" }) { __typename } }");
    let socket =
        [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-protocol", "graphql-transport-ws")];
    for host in ["evil.example", "localhost.evil.example:4000", "192.168.1.5:4000", "0.0.0.0:4000", ""] {
        let host = ("host", host);
        for path in ["/", "/inbox", "/graphiql", "/assets/any/style.css", "/favicon.ico", "/.well-known/jwks.json"] {
            refused(&raw(&guest, Method::GET, path, &[host], "").await, 421, "BAD_REQUEST", path);
        }
        let calls = [
            (Method::POST, vec![host, JSON], login()),
            (
                Method::POST,
                vec![host, JSON, ("accept", "text/event-stream")],
                body("subscription { sessionEnded { id } }"),
            ),
            (Method::GET, [&[host], &socket[..]].concat(), String::new()),
            (Method::OPTIONS, vec![host, ("origin", "http://localhost:3000")], String::new()),
        ];
        for (method, headers, body) in calls {
            let answer = raw(&guest, method, "/graphql", &headers, body).await;
            refused(&answer, 421, "BAD_REQUEST", "graphql");
            assert!(answer.text.contains("DOORCODE_PUBLIC_URL"), "the message names the setting: {}", answer.text);
            assert!(!answer.headers.contains_key("access-control-allow-origin"));
        }
        for path in ["/health", "/ready"] {
            assert_eq!(raw(&guest, Method::GET, path, &[host], "").await.status.as_u16(), 200, "{path}");
        }
    }
    assert_eq!(counters(&app).await, before);
    for own in ["localhost:4000", "127.0.0.1:9", "[::1]:4000", "shop.localhost"] {
        assert_eq!(post_with(&guest, &[JSON, ("host", own)]).await.status.as_u16(), 200, "{own}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_executes_nothing() {
    let app = TestApp::new().await;
    let before = counters(&app).await;
    let login = body("mutation { login(input: { email: \"a@example.com\" }) { __typename } }");
    let headers = [JSON, ("origin", "http://localhost:3000"), ("access-control-request-method", "POST")];
    raw(&app.guest(), Method::OPTIONS, "/graphql", &headers, login).await;
    assert_eq!(counters(&app).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn ready_reports_every_dependency_with_its_latency() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let health = guest.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json["status"]), (200, &json!("ok")));
    let names = |answer: &Answer, well: bool| -> Vec<String> {
        let parts = answer.json["parts"].as_array().unwrap();
        assert!(parts.iter().all(|part| part["latencyMs"].as_f64().is_some_and(|ms| ms >= 0.0)));
        let of_kind = parts.iter().filter(|part| part["ok"] == well);
        of_kind.map(|part| part["name"].as_str().unwrap().to_owned()).collect()
    };
    let ready = guest.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json["status"]), (200, &json!("ready")));
    assert_eq!(names(&ready, true), ["database", "limiter", "migrations"]);

    app.limiter.away.store(true, Ordering::SeqCst);
    next_measurement().await;
    let ready = guest.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json["status"]), (503, &json!("not ready")));
    assert_eq!(names(&ready, false), ["limiter"]);
    assert!(!ready.text.contains("simulated"), "the cause appears only in the log: {}", ready.text);
    app.limiter.away.store(false, Ordering::SeqCst);

    app.ctx().db.clone().close().await.unwrap();
    next_measurement().await;
    let ready = guest.get("/ready").await;
    assert_eq!(ready.status.as_u16(), 503);
    assert_eq!(names(&ready, false), ["database", "migrations"]);
    assert_eq!(guest.get("/health").await.status.as_u16(), 200, "the server is still alive");
}

/// Waits until `/ready` measures again: it caches its result for a second.
async fn next_measurement() {
    tokio::time::sleep(Duration::from_millis(1_050)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_checks_within_a_second_share_one_measurement() {
    let app = TestApp::new().await;
    let guest = app.guest();
    app.take_statements();
    guest.get("/ready").await;
    let of_one = app.take_statements().len();
    assert!(of_one > 0);

    next_measurement().await;
    let started = Instant::now();
    let asks = (0..50).map(|_| guest.get("/ready"));
    for ready in futures_util::future::join_all(asks).await {
        assert_eq!((ready.status.as_u16(), &ready.json["status"]), (200, &json!("ready")));
    }
    let measurements = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    let statements = app.take_statements().len();
    assert!(
        (of_one..=of_one * measurements).contains(&statements),
        "{statements} statements, {of_one} per measurement"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_does_not_cancel_the_readiness_check() {
    let app = TestApp::new().await;
    let guest = app.guest();
    app.take_statements();
    guest.get("/ready").await;
    let of_one = app.take_statements().len();
    next_measurement().await;
    let started = Instant::now();
    for _ in 0..20 {
        drop(tokio::time::timeout(Duration::ZERO, guest.get("/ready")).await);
    }
    assert_eq!(guest.get("/ready").await.status.as_u16(), 200);
    let measurements = 1 + usize::try_from(started.elapsed().as_secs()).unwrap();
    let statements = app.take_statements().len();
    assert!(
        (of_one..=of_one * measurements).contains(&statements),
        "{statements} statements, {of_one} per measurement"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operations_listener_serves_probes_but_not_the_api() {
    let app = TestApp::new().await;
    let guest = app.guest().via_router(ops_router(&Server::new(std::sync::Arc::clone(&app.app.ctx))));
    for path in ["/health", "/ready"] {
        assert_eq!(guest.get(path).await.status.as_u16(), 200, "{path}");
    }
    refused(&guest.post(TYPENAME).await, 404, "NOT_FOUND", "the API");
    for path in ["/", "/inbox", "/graphiql", "/.well-known/jwks.json", "/.well-known/change-password"] {
        refused(&guest.get(path).await, 404, "NOT_FOUND", path);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_keys_are_cacheable_and_secret_keys_never_published() {
    for (algorithm, kind) in [("EdDSA", "OKP"), ("ES256", "EC"), ("RS256", "RSA"), ("HS256", "none")] {
        let app = TestApp::with(|flags| {
            flags.token_alg = Some(algorithm.into());
            flags.secret = Some("an example of a secret with more than 32 bytes".into());
        })
        .await;
        let jwks = app.guest().get("/.well-known/jwks.json").await;
        assert_eq!(jwks.status.as_u16(), 200, "{algorithm}");
        assert_eq!(jwks.headers["content-type"], "application/jwk-set+json");
        let cache = jwks.headers["cache-control"].to_str().unwrap();
        assert!(cache.contains("public") && cache.contains("max-age="), "{cache}");
        let keys = jwks.json["keys"].as_array().unwrap();
        assert_eq!(keys.is_empty(), algorithm == "HS256", "{}", jwks.text);
        for key in keys {
            assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!(kind), &json!(algorithm), &json!("sig")));
            assert!(key["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key.get(private).is_none(), "{algorithm} publishes {private}");
            }
        }
        let refused = app.guest().with_bearer("x").get("/.well-known/jwks.json").await;
        assert_eq!(refused.status.as_u16(), 200, "scripts of every origin can read the keys");
    }
}

fn behind_https(flags: &mut ServeFlags) {
    flags.public_url = Some("https://login.example.com".into());
}

#[tokio::test(flavor = "multi_thread")]
async fn strict_transport_security_is_sent_where_the_public_address_is_https() {
    let app = TestApp::with(behind_https).await;
    for (what, answer) in every_kind(&app.guest()).await {
        assert_eq!(answer.headers["strict-transport-security"], "max-age=31536000; includeSubDomains", "{what}");
    }
}

fn directives(policy: &str) -> BTreeSet<String> {
    policy.split(';').map(|directive| directive.trim().to_owned()).collect()
}

/// Compares the exact text, so that a missing part is noticed.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_the_expected_headers_and_policy() {
    let app = TestApp::new().await;
    let all = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
        form-action 'none'";
    let strict = "style-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";
    let inline = "style-src 'self' 'unsafe-inline'; img-src 'self' data:";
    for (path, own) in [
        ("/", format!("{strict}; img-src 'self' data:")),
        ("/admin", format!("{strict}; img-src 'self'")),
        ("/inbox", inline.to_owned()),
        ("/graphiql", format!("{inline}; font-src 'self'; worker-src 'self'")),
    ] {
        let headers = app.guest().get(path).await.headers;
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert_eq!(directives(policy), directives(&format!("{all}; {own}")), "{path}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(headers.get(name).map(|found| found.to_str().unwrap()), Some(value), "{path}: {name}");
        }
    }
}
