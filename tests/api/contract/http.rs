//! HTTP rules of `POST /graphql`: accepted requests, the status of each refusal, and the media type of responses.

use doorcode::limits::Rule;
use std::time::Duration;

use axum::{
    body::{Body, Bytes},
    http::Method,
};
use futures_util::stream;
use serde_json::json;

use super::{JSON, TYPENAME, body, check_errors, counters, failed_in_field, post_with, raw, refused};
use crate::harness::TestApp;

const LARGEST: usize = 16 * 1024;
const LOGIN: &str = r#"{"query":"mutation { login(input: { email: \"a@example.com\" }) { __typename } }"}"#;

/// The body of a valid request with exactly this many bytes.
fn of_size(bytes: usize) -> String {
    format!("{TYPENAME}{}", " ".repeat(bytes - TYPENAME.len()))
}

/// A body in chunks, without a `Content-Length`.
fn chunked(text: &str) -> Body {
    let pieces: Vec<_> =
        text.as_bytes().chunks(1_000).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
    Body::from_stream(stream::iter(pieces))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_in_utf_8_and_uncompressed_is_read() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let before = counters(&app).await;
    let refusals: [&[(&str, &str)]; 17] = [
        &[],
        &[("content-type", "")],
        &[("content-type", "text/plain")],
        &[("content-type", "text/plain;charset=utf-8")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "multipart/form-data; boundary=x")],
        &[("content-type", "multipart/mixed; boundary=x")],
        &[("content-type", "application/graphql")],
        &[("content-type", "application/graphql+json")],
        &[("content-type", "application/jsonp")],
        &[("content-type", "text/plain, application/json")],
        &[("content-type", "application/json; charset=utf-16")],
        &[("content-type", "application/json; charset=latin1")],
        &[JSON, ("content-type", "text/plain")],
        &[JSON, JSON],
        &[JSON, ("content-encoding", "gzip")],
        &[JSON, ("content-encoding", "identity"), ("content-encoding", "br")],
    ];
    for headers in refusals {
        let answer = raw(&guest, Method::POST, "/graphql", headers, LOGIN).await;
        refused(&answer, 415, "UNSUPPORTED_MEDIA_TYPE", &format!("{headers:?}"));
    }
    assert_eq!(counters(&app).await, before, "nothing was executed");
    for kind in ["application/json", "Application/JSON; Charset=\"UTF-8\"", "application/json;charset=utf-8"] {
        let answer = post_with(&guest, &[("content-type", kind)]).await;
        assert_eq!(answer.field("__typename"), "Query", "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_post_is_accepted_and_the_method_cannot_be_overridden() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let before = counters(&app).await;
    let query = "/graphql?query=mutation%7Blogin(input%3A%7Bemail%3A%22a%40example.com%22%7D)%7B__typename%7D%7D";
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH, Method::TRACE] {
        for headers in [&[JSON][..], &[JSON, ("x-http-method-override", "POST")]] {
            for path in ["/graphql", query] {
                let answer = raw(&guest, method.clone(), path, headers, LOGIN).await;
                refused(&answer, 405, "METHOD_NOT_ALLOWED", method.as_str());
                assert_eq!(answer.headers["allow"], "POST", "{method}");
            }
        }
    }
    let head = raw(&guest, Method::HEAD, "/graphql", &[], "").await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (405, ""));
    assert_eq!(head.headers["allow"], "POST");
    assert_eq!(counters(&app).await, before, "nothing was executed");
    let headers = [JSON, ("x-http-method-override", "DELETE"), ("x-http-method", "PUT")];
    assert_eq!(post_with(&guest, &headers).await.field("__typename"), "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_16_kib_is_refused_with_and_without_content_length() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let (fits, too_large) = (of_size(LARGEST), of_size(LARGEST + 1));
    assert_eq!(guest.post(fits.clone()).await.field("__typename"), "Query");
    assert_eq!(guest.post(chunked(&fits)).await.field("__typename"), "Query");
    let huge = of_size(4 * 1024 * 1024);
    for text in [&too_large, &huge] {
        refused(&guest.post(text.clone()).await, 413, "DOCUMENT_TOO_LARGE", "announced");
        refused(&guest.post(chunked(text)).await, 413, "DOCUMENT_TOO_LARGE", "chunked");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_body_times_out_after_ten_seconds() {
    let app = TestApp::new().await;
    let start = std::time::Instant::now();
    let stalls = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    refused(&app.guest().post(stalls).await, 408, "TIMEOUT", "a stalled body");
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_one_json_object_with_a_query() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let before = counters(&app).await;
    let array = format!("[{LOGIN}]");
    let arrays = format!("[{LOGIN},{LOGIN}]");
    // serde can read a struct from an array that has one element per field.
    let positional: Vec<_> = (0..8).map(|nulls| format!(r#"["{{ __typename }}"{}]"#, ", null".repeat(nulls))).collect();
    let nested = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{}}}}}"#, "[".repeat(8_000));
    let declared = |value: &str| {
        let query = "query($a: UserFilter) { users(filter: $a) { totalCount } }";
        format!(r#"{{"query":"{query}","variables":{{"a":{value}}}}}"#)
    };
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let closed = declared(&deep);
    let huge = declared("1e999");
    let undeclared = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{deep},"b":1e999}}}}"#);
    let objects = "{\"a\":".repeat(3_000);
    for text in [
        "",
        " ",
        "null",
        "1",
        "\"{ __typename }\"",
        "[]",
        "[{}]",
        &array,
        &arrays,
        "{}",
        "{",
        "{ __typename }",
        "query={ __typename }",
        "\u{feff}{\"query\":\"{ __typename }\"}",
        r#"{"query":"{ __typename }"} {"query":"{ __typename }"}"#,
        r#"{"query":null}"#,
        r#"{"query":1}"#,
        r#"{"query":["{ __typename }"]}"#,
        r#"{"query":{"a":1}}"#,
        r#"{"Query":"{ __typename }"}"#,
        r#"{"query":"{ __typename }","query":"{ __typename }"}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","variables":"{}"}"#,
        r#"{"query":"{ __typename }","variables":1}"#,
        r#"{"query":"{ __typename }","variables":{},"variables":{}}"#,
        &huge,
        r#"{"query":"{ __typename }","operationName":1}"#,
        r#"{"query":"{ __typename }","extensions":[]}"#,
        "{\"query\":\"{ \u{0} }\"}",
        r#"{"query":"\ud800"}"#,
        &nested,
        &closed,
        &objects,
    ] {
        refused(&guest.post(text.to_owned()).await, 400, "BAD_REQUEST", &text[..60.min(text.len())]);
    }
    for text in &positional {
        refused(&guest.post(text.clone()).await, 400, "BAD_REQUEST", text);
    }
    let not_utf8 = b"{\"query\":\"{ __typename \xff }\"}".to_vec();
    refused(&guest.post(not_utf8).await, 400, "BAD_REQUEST", "not UTF-8");
    assert_eq!(counters(&app).await, before, "nothing was executed");
    for text in [
        r#"{"query":"{ __typename }","variables":null,"operationName":null,"extensions":null}"#,
        r#"{"query":"{ __typename }","variables":{"unknown":1},"extensions":{},"other":[[[]]]}"#,
        r#"{"query":"{ __typename }","extensions":{"a":{"b":[1]}},"other":1,"other":2,"Query":3,"operationname":4}"#,
        " \r\n\t{\"query\":\"{ __typename }\"}\n",
        &undeclared,
    ] {
        assert_eq!(guest.post(text.to_owned()).await.field("__typename"), "Query", "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_response_has_the_media_type_that_the_client_accepts() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let new = "application/graphql-response+json; charset=utf-8";
    let old = "application/json; charset=utf-8";
    // Each row: the `Accept` headers, the media type of a success, and that of a refusal. If the client does not name
    // the newer type, a success has the older type. A refusal still has the newer one, to show that it comes from
    // Doorcode and not from a proxy.
    for (accept, well, refusal) in [
        (&["*/*"][..], old, new),
        (&[], old, new),
        (&["application/*"], old, new),
        (&["application/json"], old, new),
        (&["application/json; charset=utf-8"], old, new),
        (&["text/html, application/json;q=0.1"], old, new),
        (&["multipart/mixed, application/json"], old, new),
        (&["application/json, */*;q=0.1"], old, new),
        (&["text/html", "application/json"], old, new),
        (&["application/graphql-response+json"], new, new),
        (&["Application/GraphQL-Response+JSON; charset=utf-8"], new, new),
        (&["application/json;q=0.9, application/graphql-response+json"], new, new),
        (&["application/graphql-response+json, application/json"], new, new),
        (&["application/json, application/graphql-response+json;q=0.9"], old, old),
        (&["application/graphql-response+json;q=0, */*"], old, old),
    ] {
        let mut headers = vec![JSON];
        headers.extend(accept.iter().map(|accept| ("accept", *accept)));
        let answer = post_with(&guest, &headers).await;
        assert_eq!(
            (answer.status.as_u16(), answer.headers["content-type"].to_str().unwrap()),
            (200, well),
            "{accept:?}"
        );
        // A response with an error in one field still has status 200.
        let partial = raw(&guest, Method::POST, "/graphql", &headers, body("{ users { totalCount } }")).await;
        failed_in_field(&partial, &json!(["users"]), "UNAUTHENTICATED");
        assert_eq!(partial.headers["content-type"], well, "{accept:?}");
        for (text, status, code) in [
            ("{".into(), 400, "BAD_REQUEST"),
            (body("{"), 400, "GRAPHQL_PARSE_FAILED"),
            (body("{ nothing }"), 422, "GRAPHQL_VALIDATION_FAILED"),
            (body("query($id: ID!) { node(id: $id) { id } }"), 422, "BAD_USER_INPUT"),
            (body(&"{ a ".repeat(40)), 422, "DOCUMENT_TOO_LARGE"),
            (of_size(LARGEST + 1), 413, "DOCUMENT_TOO_LARGE"),
        ] {
            let refused_whole = raw(&guest, Method::POST, "/graphql", &headers, text).await;
            refused(&refused_whole, status, code, &format!("{accept:?}"));
            assert_eq!(refused_whole.headers["content-type"], refusal, "{accept:?}");
        }
    }
    for accept in [
        "text/html",
        "text/event-stream",
        "multipart/mixed",
        "application/json;q=0",
        "application/xml, image/*",
        "*/*;q=0",
    ] {
        let answer = post_with(&guest, &[JSON, ("accept", accept)]).await;
        refused(&answer, 406, "NOT_ACCEPTABLE", accept);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_error_code_has_its_documented_status() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let node = "query($id: ID!) { node(id: $id) { id } }";
    for (query, variables, status, code) in [
        ("{", json!({}), 400, "GRAPHQL_PARSE_FAILED"),
        ("", json!({}), 400, "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("{ me }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("{ node { id } }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("{ ...nothing }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("query($a: Nothing) { __typename }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("{ me { id @nothing } }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { me { id } }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("type A { b: Int }", json!({}), 422, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", json!({}), 422, "DOCUMENT_TOO_LARGE"),
        (node, json!({}), 422, "BAD_USER_INPUT"),
        (node, json!({ "id": null }), 422, "BAD_USER_INPUT"),
        (node, json!({ "id": { "a": 1 } }), 422, "BAD_USER_INPUT"),
        (node, json!({ "id": ["a"] }), 422, "BAD_USER_INPUT"),
        ("query($n: Int) { inbox(first: $n) { id } }", json!({ "n": 2_147_483_648_u64 }), 422, "BAD_USER_INPUT"),
        ("query($n: Int) { inbox(first: $n) { id } }", json!({ "n": "1" }), 422, "BAD_USER_INPUT"),
        ("query($n: Int) { me { id } inbox(first: $n) { id } }", json!({ "n": 1.5 }), 422, "BAD_USER_INPUT"),
    ] {
        let answer = guest.query(query, variables.clone()).await;
        refused(&answer, status, code, &format!("{query} {variables}"));
    }
    let other = json!({ "query": "{ __typename }", "operationName": "Other" }).to_string();
    refused(&guest.post(other).await, 422, "GRAPHQL_VALIDATION_FAILED", "an unknown operation");
    let verify = "mutation($i: VerifyInput!) { verify(input: $i) { __typename } }";
    for code in [json!(12_345_678), json!(["1"]), json!(null), json!({ "a": 1 }), json!(true)] {
        let answer = guest.query(verify, json!({ "i": { "challenge": "x", "code": code } })).await;
        refused(&answer, 422, "BAD_USER_INPUT", &code.to_string());
        assert!(answer.json["errors"][0]["extensions"]["field"].is_string(), "{}", answer.text);
    }
    for input in
        [json!({}), json!({ "challenge": "x" }), json!({ "challenge": "x", "code": "1", "more": 1 }), json!("x")]
    {
        let answer = guest.query(verify, json!({ "i": input })).await;
        refused(&answer, 422, "BAD_USER_INPUT", &input.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_limited_caller_gets_retry_after() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "3/1m".into()))).await;
    let guest = app.guest();
    for _ in 0..3 {
        assert_eq!(guest.post(TYPENAME).await.status.as_u16(), 200);
    }
    let answer = guest.post(TYPENAME).await;
    refused(&answer, 429, "RATE_LIMITED", "the fourth request");
    let seconds: f64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1.0..=61.0).contains(&seconds), "{seconds}");
    assert_eq!(app.guest().post(TYPENAME).await.status.as_u16(), 200, "other callers are not affected");
    app.clock.pass(seconds);
    assert_eq!(guest.post(TYPENAME).await.status.as_u16(), 200, "the next window admits requests again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_is_charged_like_any_other() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::ApiCaller, "3/1m".into()))).await;
    let guest = app.guest();
    for text in ["{", "[]", r#"{"query":"}"}"#] {
        assert_eq!(guest.post(text).await.status.as_u16(), 400, "{text}");
    }
    refused(&guest.post("{").await, 429, "RATE_LIMITED", "the fourth request");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_has_at_most_ten_errors() {
    let app = TestApp::new().await;
    let fields: Vec<_> = (0..20).map(|n| format!("a{n}: user(id: \"x\") {{ id }}")).collect();
    let answer = app.guest().post(body(&format!("{{ {} }}", fields.join(" ")))).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert_eq!(answer.json["errors"].as_array().unwrap().len(), 10, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_spellings_of_the_graphql_path_are_not_endpoints() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for path in ["/graphql/", "/GraphQL", "//graphql", "/graphql/stream", "/api/graphql", "/graphql%2f"] {
        let answer = raw(&guest, Method::POST, path, &[JSON], TYPENAME).await;
        refused(&answer, 404, "NOT_FOUND", path);
        check_errors(&answer, path);
    }
}
