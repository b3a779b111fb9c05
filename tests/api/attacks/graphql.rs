//! Attacks on the GraphQL endpoint: hostile documents, malformed bodies, and requests that are not JSON or not POST.
//! The contract tests use the same documents.

use std::{process::Command, time::Duration};

use super::{
    Allowed::{Harmless, InField, Refused},
    Attack, JSON, call,
    documents::{self, GUARD, INVALID, many},
    json_call, run_attacks,
    target::{Target, http},
};

/// Number of codes that the attacker may request per hour. [`VERIFICATIONS`] is the number of codes they may try. Both
/// are small, so that `has_full_limits` notices if an attack used a single unit.
pub(super) const SENDS: usize = 4;
pub(super) const VERIFICATIONS: usize = 3;

pub(super) fn few(command: &mut Command) {
    command
        .env("DOORCODE_LIMIT_SEND_NETWORK", format!("{SENDS}/1h"))
        .env("DOORCODE_LIMIT_VERIFY_NETWORK", format!("{VERIFICATIONS}/1h"));
}

/// Checks that no attack has used a unit of the attacker's rate limits.
pub(super) async fn has_full_limits(target: &Target) {
    let login = |n: usize| format!("mutation {{ login(input: {{ email: \"n{n}@example.com\" }}) {{ __typename }} }}");
    let verify = |_| "mutation { verify(input: { challenge: \"x\", code: \"12345678\" }) { __typename } }".to_owned();
    for (document, most) in [(&login as &dyn Fn(usize) -> String, SENDS), (&verify, VERIFICATIONS)] {
        for n in 0..=most {
            let body = serde_json::json!({ "query": document(n) }).to_string();
            let reply = target.post(&[], body).await;
            let limited = reply.text.contains("RateLimited");
            assert_eq!(limited, n == most, "{n} of {most}: {}", reply.text);
        }
    }
}

const LOGIN: &str = r#"{"query":"mutation { login(input: { email: \"a@example.com\" }) { __typename } }"}"#;
const TYPENAME: &str = r#"{"query":"{ __typename }"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn hostile_documents_are_refused_in_time_without_effect() {
    let target = Target::new(few).await;
    let challenge = target.program().login("ada@example.com").await.unwrap();
    let code = target.program().code_for("ada@example.com").await.unwrap();
    let documents = [
        documents::guesses(&challenge, &code),
        documents::floods(),
        documents::multipliers(),
        documents::broken(),
        others(),
    ]
    .concat();
    let attacks: Vec<_> = documents.into_iter().map(Attack::document).collect();
    run_attacks(&target, "document", &attacks).await;
    has_full_limits(&target).await;
    assert_eq!(
        target.program().verify(&challenge, &code).await.unwrap()["__typename"],
        "SignedIn",
        "the code still works"
    );
}

/// Documents that the contract tests do not use.
fn others() -> Vec<documents::Hostile> {
    let circles = "fields { type { ofType { ".repeat(7);
    let circles = format!("{{ __schema {{ types {{ {circles} name {} }} }} }}", "} } } ".repeat(7));
    vec![
        ("circular introspection", circles, GUARD),
        ("a misspelled field", "{ mee { id } }".into(), INVALID),
        ("a misspelled argument", "{ node(idd: 1) { id } }".into(), INVALID),
        ("a mutation that is almost one", "mutation { logn(input: { email: \"a\" }) { __typename } }".into(), INVALID),
        (
            "fragments that spread themselves",
            format!("{{ __typename }} {}", many(20, |n| format!("fragment f{n} on Query {{ ...f{n} }} "))),
            INVALID,
        ),
        ("two operations with the same name", "query A { __typename } ".repeat(2), INVALID),
        ("fragments and no operation", many(20, |n| format!("fragment f{n} on Query {{ id }} ")), INVALID),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_server_hides_its_schema_on_every_route() {
    let target = Target::new(|command| {
        few(command);
        command.env("DOORCODE_INTROSPECTION", "false");
    })
    .await;
    let probes = crate::contract::schema::probes();
    let mut attacks: Vec<_> = probes
        .iter()
        .map(|document| {
            let name =
                format!("introspection, {}", document.replace(['\n', '\r'], " ").chars().take(60).collect::<String>());
            Attack::new(name, call(document), Refused(422, "GRAPHQL_VALIDATION_FAILED"))
        })
        .collect();
    let named = r#"{"query":"query A { __typename } query B { __schema { types { name } } }","operationName":"B"}"#;
    attacks.push(Attack::new("introspection by its name", json_call(named), Refused(422, "GRAPHQL_VALIDATION_FAILED")));
    run_attacks(&target, "introspection", &attacks).await;
    has_full_limits(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_bodies_are_refused_in_time_without_effect() {
    let target = Target::new(few).await;
    run_attacks(&target, "body", &bodies()).await;
    has_full_limits(&target).await;
}

fn bodies() -> Vec<Attack> {
    let bad = |name: &str, body: String| Attack::new(name, json_call(&body), Refused(400, "BAD_REQUEST"));
    let undecided = |name: &str, body: String| Attack::new(name, json_call(&body), Refused(422, "DOCUMENT_TOO_LARGE"));
    let variables = |value: &str| format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{value}}}}}"#);
    let declared = |value: &str| {
        let query = "query($a: UserFilter) { users(filter: $a) { totalCount } }";
        format!(r#"{{"query":"{query}","variables":{{"a":{value}}}}}"#)
    };
    let hashed = |rest: &str| {
        format!(r#"{{"extensions":{{"persistedQuery":{{"version":1,"sha256Hash":"{}"}}}}{rest}}}"#, "a".repeat(64))
    };
    let both = r#"query A { __typename } mutation B { login(input: { email: \"a@example.com\" }) { __typename } }"#;
    let mut attacks = vec![
        bad("an array of one call", format!("[{LOGIN}]")),
        bad("an array of 64 calls", format!("[{}]", vec![LOGIN; 64].join(","))),
        bad("an empty array", "[]".into()),
        bad("an array of null", "[null]".into()),
        bad("deep JSON", declared(&format!("{}{}", "[".repeat(5_000), "]".repeat(5_000)))),
        bad("deep JSON that does not end", variables(&"[".repeat(8_000))),
        bad("deep objects", "{\"a\":".repeat(3_000)),
        bad("the member query twice", format!(r#"{{"query":"{{ __typename }}",{}"#, &LOGIN[1..])),
        bad("variables twice", r#"{"query":"{ __typename }","variables":{},"variables":{}}"#.into()),
        bad("a number that is too large", declared("1e999")),
        bad("half of a surrogate pair", r#"{"query":"\ud800"}"#.into()),
        bad("two calls", format!("{LOGIN}{LOGIN}")),
        undecided("two operations without a name", format!(r#"{{"query":"{both}"}}"#)),
        undecided("two operations and an unknown name", format!(r#"{{"query":"{both}","operationName":"C"}}"#)),
        bad("a name that is a list", format!(r#"{{"query":"{both}","operationName":["A","B"]}}"#)),
        bad("the hash of an unknown document", hashed("")),
        bad("a document id as a separate member", r#"{"documentId":"sha256:00"}"#.into()),
        Attack::new(
            "two operations and the name of the harmless one",
            json_call(&format!(r#"{{"query":"{both}","operationName":"A"}}"#)),
            Refused(422, "DOCUMENT_TOO_LARGE"),
        ),
        Attack::new("16 KiB and a byte", json_call(&" ".repeat(16 * 1024 + 1)), Refused(413, "DOCUMENT_TOO_LARGE")),
        Attack::new("10 MB", json_call(&" ".repeat(10_000_000)), Refused(413, "DOCUMENT_TOO_LARGE")),
    ];
    // serde can read a struct from an array that has one element per field.
    attacks.extend((0..8).map(|more| {
        let array = format!(r#"["{{ __typename }}"{}]"#, ",null".repeat(more));
        bad(&format!("an array of a query and {more} nulls"), array)
    }));
    let keys = (0..1_000).map(|n| format!(r#""k{n}":0"#)).collect::<Vec<_>>().join(",");
    let keys = format!(r#"{{"query":"{{ __typename }}","variables":{{{keys}}}}}"#);
    attacks.push(Attack::new("a thousand unused variables", json_call(&keys), Harmless(200, "Query")));
    attacks
}

/// The server refuses a body because of its `Content-Length`, before the body arrives.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_announced_as_too_large_is_refused_before_it_arrives() {
    let target = Target::new(few).await;
    let head = "POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let announced = |name: &str, rest: &str| {
        Attack::new(name, format!("{head}{rest}\r\n").into(), Refused(413, "DOCUMENT_TOO_LARGE"))
    };
    let attacks = [
        announced("one byte too many", "content-length: 16385\r\n"),
        announced("an exabyte", "content-length: 1000000000000000000\r\n"),
        announced(
            "an exabyte, with Expect: 100-continue",
            "content-length: 1000000000000000000\r\nexpect: 100-continue\r\n",
        ),
    ];
    for attack in attacks {
        let (reply, took) = target.send(&attack.bytes).await;
        assert_eq!(attack.complaint(reply.as_ref()), None, "{}", attack.name);
        assert!(took < Duration::from_secs(1), "{} took {took:?}", attack.name);
    }
    has_full_limits(&target).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_without_json_or_post_are_refused_in_time_without_effect() {
    let target = Target::new(few).await;
    run_attacks(&target, "header", &headers()).await;
    has_full_limits(&target).await;
}

fn headers() -> Vec<Attack> {
    let mut attacks = Vec::new();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/mixed; boundary=x",
        "application/graphql",
        "text/plain, application/json",
        "application/json; charset=utf-16",
    ] {
        let bytes = http("POST", "/graphql", &[("content-type", kind)], LOGIN);
        attacks.push(Attack::new(kind, bytes, Refused(415, "UNSUPPORTED_MEDIA_TYPE")));
    }
    let none = http("POST", "/graphql", &[], LOGIN);
    attacks.push(Attack::new("no content type", none, Refused(415, "UNSUPPORTED_MEDIA_TYPE")));
    let two = http("POST", "/graphql", &[JSON, ("content-type", "text/plain")], LOGIN);
    attacks.push(Attack::new("two content types", two, Refused(415, "UNSUPPORTED_MEDIA_TYPE")));
    let upload = "--x\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n".to_owned()
        + LOGIN
        + "\r\n--x\r\ncontent-disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--x--\r\n";
    let upload = http("POST", "/graphql", &[("content-type", "multipart/form-data; boundary=x")], upload);
    attacks.push(Attack::new("an upload", upload, Refused(415, "UNSUPPORTED_MEDIA_TYPE")));
    for (coding, body) in
        [("gzip", gzip()), ("deflate", deflate()), ("br", BROTLI.to_vec()), ("gzip, identity", gzip())]
    {
        let bytes = http("POST", "/graphql", &[JSON, ("content-encoding", coding)], &body);
        attacks.push(Attack::new(format!("a bomb in {coding}"), bytes, Refused(415, "UNSUPPORTED_MEDIA_TYPE")));
        let unsaid = http("POST", "/graphql", &[JSON], body);
        attacks.push(Attack::new(format!("{coding} without a Content-Encoding"), unsaid, Refused(400, "BAD_REQUEST")));
    }
    let query = "/graphql?query=mutation%7Blogin(input%3A%7Bemail%3A%22a%40example.com%22%7D)%7B__typename%7D%7D";
    for method in ["GET", "PUT", "DELETE", "PATCH", "TRACE", "QUERY"] {
        let overridden =
            [JSON, ("x-http-method-override", "POST"), ("x-http-method", "POST"), ("x-method-override", "POST")];
        for (name, path, headers) in
            [("", "/graphql", &[JSON][..]), (" with a query", query, &[JSON]), (" overridden", "/graphql", &overridden)]
        {
            let bytes = http(method, path, headers, LOGIN);
            attacks.push(Attack::new(format!("{method}{name}"), bytes, Refused(405, "METHOD_NOT_ALLOWED")));
        }
    }
    for accept in ["multipart/mixed", "multipart/mixed;deferSpec=20220824", "text/html", "text/event-stream"] {
        let bytes = http("POST", "/graphql", &[JSON, ("accept", accept)], LOGIN);
        attacks.push(Attack::new(format!("accepts {accept}"), bytes, Refused(406, "NOT_ACCEPTABLE")));
    }
    let overridden =
        [JSON, ("x-http-method-override", "DELETE"), ("x-original-url", "/inbox"), ("x-rewrite-url", "/inbox")];
    let bytes = http("POST", "/graphql", &overridden, TYPENAME);
    attacks.push(Attack::new(
        "a POST that overrides its method and path",
        bytes,
        Harmless(200, r#"{"__typename":"Query"}"#),
    ));
    let defer = call("{ ... @defer { __typename } }");
    attacks.push(Attack::new("@defer", defer, Refused(422, "GRAPHQL_VALIDATION_FAILED")));
    let inbox = r#"{"query":"{ inbox(first: -1) { id } }"}"#;
    attacks.push(Attack::new("a page with a negative size", json_call(inbox), InField("BAD_USER_INPUT")));
    attacks
}

/// A megabyte of spaces as one raw deflate block, without header and checksum.
fn blanks() -> Vec<u8> {
    let start = b"\xed\xc1\x31\x01\0\0\0\xc2\xa0\x2a\xeb\x9f\xd2\x10\xbe\x40\x01";
    [&start[..], &[0; 1015], b"\x7c\x06"].concat()
}

fn gzip() -> Vec<u8> {
    [b"\x1f\x8b\x08\0\0\0\0\0\x02\x03", &blanks()[..], b"\xa7\x02\x03\xf1\0\0\x10\0"].concat()
}

fn deflate() -> Vec<u8> {
    [b"\x78\xda", &blanks()[..], b"\x20\xc2\x1e\x01"].concat()
}

/// A megabyte of spaces, compressed with Brotli.
const BROTLI: &[u8] = b"\x5b\xff\xff\x8f\x5f\x02\x24\x1e\x0b\x04\x72\xef\x1f\0";

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_persisted_query_hashes_leave_nothing_in_memory() {
    let target = Target::new(|_| {}).await;
    let mut wire = target.connect().await;
    let mut ask = async |n: usize| {
        let pad = format!("{n:0>15000}");
        let hash = format!("{n:0>64x}");
        let known = serde_json::json!({
            "query": format!("{{ __typename }} # {pad}"),
            "extensions": { "persistedQuery": { "version": 1, "sha256Hash": hash } },
        });
        let reply = wire.ask(&json_call(&known.to_string())).await.unwrap();
        assert!([200, 400].contains(&reply.status), "{}", reply.text);
        let unknown = serde_json::json!({ "extensions": known["extensions"] });
        assert_eq!(
            wire.ask(&json_call(&unknown.to_string())).await.unwrap().status,
            400,
            "the document of hash {n} was kept"
        );
    };
    for n in 0..200 {
        ask(n).await;
    }
    let before = target.resident();
    target.forget_peak();
    for n in 200..1_200 {
        ask(n).await;
    }
    // A thousand kept documents would need fifteen megabytes.
    let after = target.resident();
    assert!(after < before + 6 * 1024, "from {before} KiB to {after} KiB");
    let mut table = super::Table::default();
    table.write(&target, "document: 1,000 hashes of documents", "400", Duration::ZERO, before);
    table.close();
}
