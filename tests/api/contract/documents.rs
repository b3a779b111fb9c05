//! Documents that are hostile, broken or merely large: refused fast, with nothing executed and no counter moved. And
//! how answers to good ones are laid out.

use std::time::{Duration, Instant};

use doorcode::{
    db::entity::users,
    domain::{
        audit::{self, Event, Kind},
        policy::Origin,
    },
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{body, check_errors, counters, failed_in_field, refused};
use crate::harness::{SignedIn, TestApp};

/// Generous, for a debug build on a busy machine; a document that gets through costs seconds or the process.
const FAST: Duration = Duration::from_millis(500);

const GUARD: (u16, &str) = (422, "DOCUMENT_TOO_LARGE");
const PARSE: (u16, &str) = (400, "GRAPHQL_PARSE_FAILED");
const INVALID: (u16, &str) = (422, "GRAPHQL_VALIDATION_FAILED");
const INPUT: (u16, &str) = (422, "BAD_USER_INPUT");
const BYTES: (u16, &str) = (413, "DOCUMENT_TOO_LARGE");

/// Sends every document and expects its refusal, fast, and an application that is as it was.
async fn all_refused(app: &TestApp, documents: Vec<(&str, String, (u16, &str))>) {
    let guest = app.guest();
    let before = counters(app).await;
    for (what, document, (status, code)) in documents {
        let start = Instant::now();
        let answer = guest.post(body(&document)).await;
        let took = start.elapsed();
        refused(&answer, status, code, what);
        assert!(took < FAST, "{what} took {took:?}");
        assert!(answer.text.len() < 16 * 1024, "{what}: an answer of {} bytes", answer.text.len());
    }
    assert_eq!(counters(app).await, before, "no counter moved");
    assert_eq!(guest.me().await.json, json!({ "data": { "me": null } }), "and it still answers");
}

fn many(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_guesses_in_one_document_are_none() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    let guess =
        |n: usize| format!("g{n}: verify(input: {{challenge: \"{challenge}\", code: \"{code}\"}}) {{__typename}} ");
    let shared = "verify(input: $i) {__typename}";
    let parts = format!("fragment a on Mutation {{ {shared} }} fragment b on Mutation {{ b: {shared} }}");
    let documents = vec![
        ("100 aliases", format!("mutation {{ {} }}", many(100, guess)), GUARD),
        ("two root fields", format!("mutation {{ {} }}", many(2, guess)), GUARD),
        ("one and a __typename", format!("mutation {{ __typename {} }}", guess(0)), GUARD),
        ("fragments", format!("mutation($i: VerifyInput!) {{ ...a ...b }} {parts}"), GUARD),
        (
            "inline fragments",
            format!("mutation {{ ... {{ {} }} ... on Mutation {{ {} }} }}", guess(0), guess(1)),
            GUARD,
        ),
        ("another operation beside it", format!("query A {{ __typename }} mutation B {{ {} }}", many(2, guess)), GUARD),
    ];
    all_refused(&app, documents).await;
    SignedIn::read(&guest.verify(&challenge, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_refused_fast_and_count_nothing() {
    let app = TestApp::new().await;
    let alias = |n: usize| format!("a{n}: __typename ");
    let fan = |levels: usize| {
        many(levels, |n| format!("fragment f{n} on Query {{ ...f{0} ...f{0} }} ", n + 1))
            + &format!("fragment f{levels} on Query {{ __typename }}")
    };
    let chain = |length: usize| many(length, |n| format!("fragment f{n} on Query {{ ...f{} }} ", n + 1));
    let skip = |n: usize| "@skip(if: false) ".repeat(n);
    let documents = vec![
        ("101 aliases of __typename", format!("{{ {} }}", many(101, alias)), GUARD),
        ("__typename x 500", format!("{{ {} }}", "__typename ".repeat(500)), GUARD),
        ("21 root fields", format!("{{ {} }}", many(21, alias)), GUARD),
        ("1,001 fields", format!("{{ me {{ {} }} }}", "id ".repeat(1_000)), GUARD),
        ("2,001 tokens", format!("{{ me {{ {} }} }}", "id ".repeat(2_000)), GUARD),
        ("directives on a field", format!("{{ __typename {} }}", skip(250)), INVALID),
        ("five directives", format!("{{ __typename {} }}", skip(5)), INVALID),
        ("directives on an inline fragment", format!("{{ ... {} {{ __typename }} }}", skip(250)), INVALID),
        ("directives on an operation", format!("query {} {{ __typename }}", "@a ".repeat(900)), INVALID),
        ("directives on a spread", format!("{{ ...f {} }} fragment f on Query {{ __typename }}", skip(250)), INVALID),
        (
            "directives on a fragment",
            format!("{{ ...f }} fragment f on Query {} {{ __typename }}", "@a ".repeat(900)),
            INVALID,
        ),
        ("directives on a variable", format!("query($a: Int {}) {{ __typename }}", "@a ".repeat(900)), INVALID),
        ("a fragment of itself", "{ ...a } fragment a on Query { ...a }".into(), INVALID),
        (
            "a cycle of two that nobody uses",
            "{ __typename } fragment a on Query { ...b } fragment b on Query { ...a }".into(),
            INVALID,
        ),
        ("a long cycle", format!("{{ ...f0 }} {} fragment f150 on Query {{ ...f0 }}", chain(150)), INVALID),
        ("a fan of 2^30", format!("{{ ...f0 }} {}", fan(30)), GUARD),
        ("a fan that nobody uses", format!("{{ __typename }} {}", fan(30)), GUARD),
        (
            "200 unused fragments",
            format!("{{ __typename }} {}", many(200, |n| format!("fragment f{n} on Query {{ me {{ id }} }} "))),
            GUARD,
        ),
        (
            "150 unused fragments",
            format!("{{ __typename }} {}", many(150, |n| format!("fragment f{n} on Query {{ __typename }} "))),
            INVALID,
        ),
        (
            "20,000 unused fragments",
            format!("{{ __typename }} {}", many(20_000, |n| format!("fragment f{n} on Query {{ __typename }} "))),
            BYTES,
        ),
        ("20,000 variables", format!("query({}) {{ __typename }}", many(20_000, |n| format!("$a{n}: Int "))), BYTES),
        ("300 unused variables", format!("query({}) {{ __typename }}", many(300, |n| format!("$a{n}: Int "))), INVALID),
        ("20,000 operations", many(20_000, |n| format!("query Q{n} {{ __typename }} ")), BYTES),
        ("17 operations", many(17, |n| format!("query Q{n} {{ __typename }} ")), GUARD),
    ];
    all_refused(&app, documents).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_long_and_unfinished_texts_are_refused_fast_and_count_nothing() {
    let app = TestApp::new().await;
    let nest = |n: usize, open: &str, core: &str, close: &str| format!("{}{core}{}", open.repeat(n), close.repeat(n));
    let node = |literal: &str| format!("{{ node(id: {literal}) {{ id }} }}");
    let sessions = nest(6, "sessions { nodes { user { ", "id", "} } } ");
    let documents = vec![
        ("deep selections", nest(40, "{ me ", "{ id }", "}"), GUARD),
        ("selections opened 8,000 times", "{a".repeat(7_000), GUARD),
        ("deeper than an operation goes", format!("{{ me {{ {sessions} }} }}"), INVALID),
        ("deep lists", node(&nest(40, "[", "1", "]")), GUARD),
        ("lists opened 16,000 times", node(&"[".repeat(16_000)), GUARD),
        ("deep objects", node(&nest(40, "{a: ", "1", "}")), GUARD),
        (
            "nested, but within the bound",
            node(&nest(25, "[{a: ", "1", "}]").replace("[{a: ", "[").replace("}]", "]")),
            INPUT,
        ),
        ("deep list types", format!("query($a: {}) {{ __typename }}", nest(40, "[", "Int", "]")), GUARD),
        ("a long list", node(&format!("[{}]", "1 ".repeat(1_900))), INPUT),
        ("a list that is longer", node(&format!("[{}]", "1 ".repeat(5_000))), GUARD),
        ("an integer of 15,000 digits", format!("{{ inbox(first: {}) {{ id }} }}", "9".repeat(15_000)), PARSE),
        ("an integer of 200,000 digits", format!("{{ inbox(first: {}) {{ id }} }}", "9".repeat(200_000)), BYTES),
        ("an integer beyond 32 bits", "{ inbox(first: 2147483648) { id } }".into(), INPUT),
        ("a float for an integer", "{ inbox(first: 1.5) { id } }".into(), INPUT),
        ("a float with a long exponent", format!("{{ inbox(first: 1e{}) {{ id }} }}", "9".repeat(10_000)), PARSE),
        ("an unfinished block string", node("\"\"\"").replace(") { id } }", &"a".repeat(15_000)), PARSE),
        ("an unfinished string", format!("{{ node(id: \"{}", "a".repeat(15_000)), PARSE),
        ("backslashes", format!("{{ node(id: \"{}", "\\".repeat(8_000)), PARSE),
        ("quotes", format!("{{ node(id: {}", "\"".repeat(8_001)), PARSE),
        ("a comment and nothing else", format!("#{}", "a".repeat(15_000)), PARSE),
        ("commas and nothing else", ",".repeat(15_000), PARSE),
        ("brackets behind an empty string", node(&format!("\"\"{}", "[".repeat(100))), GUARD),
        ("brackets behind a line end", format!("{{ # \"\r{}", "[".repeat(100)), GUARD),
        ("NUL", "{ \0 }".into(), PARSE),
        ("another alphabet", "{ ме { id } }".into(), PARSE),
    ];
    all_refused(&app, documents).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_real_clients_send_is_not_refused() {
    let app = TestApp::new().await;
    let ada = app.guest().sign_in("ada@example.com").await;
    let ada = app.guest().with_bearer(&ada.access);
    let fragments =
        many(60, |n| format!("fragment f{n} on User {{ id name ...g{n} }} fragment g{n} on User {{ role }} "));
    let relay = format!("query App {{ me {{ __typename {} }} }} {fragments}", many(60, |n| format!("...f{n} ")));
    let brackets = "{[(".repeat(100);
    for (what, document) in [
        ("many fragments", relay),
        ("900 selections", format!("{{ me {{ {} }} }}", "id ".repeat(900))),
        (
            "a full page with everything",
            "{ me { sessions(first: 100) { totalCount edges { cursor node { id createdAt lastSeenAt expiresAt endedAt \
             userAgent ipAddress current __typename } __typename } pageInfo { hasNextPage hasPreviousPage startCursor \
             endCursor __typename } __typename } __typename } }"
                .into(),
        ),
        ("brackets in a comment", format!("# {brackets}\n{{ me {{ id }} }}")),
        ("20 root fields", format!("{{ {} }}", many(20, |n| format!("a{n}: me {{ id }} ")))),
        ("four directives", format!("{{ me {{ id {} }} }}", "@include(if: true) @skip(if: false)")),
    ] {
        let answer = ada.post(body(&document)).await;
        assert_eq!((answer.status.as_u16(), &answer.json["errors"]), (200, &Value::Null), "{what}: {}", answer.text);
    }
    let deep = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let text = format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"a\":{deep}}}}}");
    assert_eq!(ada.post(text).await.field("__typename"), "Query", "JSON within its own bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn suggestions_are_never_made() {
    let app = TestApp::new().await;
    for (document, neighbour) in [
        ("{ mee { id } }", r#"\"me\""#),
        ("{ me { emial } }", "email"),
        ("{ nod(id: 1) { id } }", r#"\"node\""#),
        ("{ node(idd: 1) { id } }", r#"\"ID\""#),
        ("{ node(id: \"x\") { ... on Usr { id } } }", "User"),
        ("mutation { logn(input: { email: \"a\" }) { __typename } }", "login"),
        ("mutation { login(input: { email: \"a\", challeng: \"a\" }) { __typename } }", r#"\"challenge\""#),
        ("mutation { login(input: { email: \"a\" }) { ... on CodeSend { challenge } } }", "CodeSent"),
        ("{ me { id @skp(if: true) } }", "skip"),
        ("query($a: Strin) { __typename }", "String"),
    ] {
        let answer = app.guest().post(body(document)).await;
        assert!(answer.status.is_client_error(), "{document}");
        check_errors(&answer, document);
        let text = answer.text.to_lowercase();
        assert!(!text.contains("did you mean") && !text.contains("suggest"), "{}", answer.text);
        assert!(!answer.text.contains(neighbour), "{document} tells {neighbour}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_has_its_fields_in_the_order_of_the_document() {
    let app = TestApp::new().await;
    let ada = app.guest().sign_in("ada@example.com").await;
    let document = "{ z: __typename me { status ...f email ... on Node { id } a: role createdAt } b: __typename } \
                    fragment f on User { name devices { lastUsedAt id createdAt } }";
    let answer = app.guest().with_bearer(&ada.access).query(document, json!({})).await;
    let mut from = 0;
    for key in
        ["z", "me", "status", "name", "devices", "lastUsedAt", "id", "createdAt", "email", "id", "a", "createdAt", "b"]
    {
        let found = answer.text[from..].find(&format!("\"{key}\":"));
        from += found.unwrap_or_else(|| panic!("{key} is out of order in {}", answer.text)) + 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_a_field_has_its_path_and_leaves_its_neighbours_alone() {
    let app = TestApp::new().await;
    let ada = app.guest().sign_in("ada@example.com").await;
    let client = app.guest().with_bearer(&ada.access);
    let document = format!("{{ a: node(id: \"x\") {{ id }} me {{ id }} b: node(id: \"{}\") {{ id }} }}", ada.user);
    let answer = client.query(&document, json!({})).await;
    failed_in_field(&answer, &json!(["a"]), "BAD_USER_INPUT");
    assert_eq!(answer.json["errors"][0]["extensions"]["field"], "id");
    assert!(answer.json["errors"][0]["locations"][0]["line"].is_u64());
    assert_eq!(answer.json["data"], json!({ "a": null, "me": { "id": ada.user }, "b": { "id": ada.user } }));
    let answer = client.query("{ me { id sessions(first: 101) { totalCount } } b: __typename }", json!({})).await;
    failed_in_field(&answer, &json!(["me", "sessions"]), "BAD_USER_INPUT");
    assert_eq!(answer.json["data"], json!({ "me": null, "b": "Query" }), "null up to what may be null");
    let answer = client.query("{ me { id sessions(first: 2147483648) { totalCount } } }", json!({})).await;
    refused(&answer, 422, "BAD_USER_INPUT", "what cannot be read is no input of a field");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_optional_variable_that_is_left_out_is_an_argument_that_is_left_out() {
    let app = TestApp::new().await;
    let person = app.person("ada@example.com", doorcode::db::entity::Role::Manager).await;
    let lists = [
        "query($first: Int, $after: String, $last: Int) { me { sessions(first: $first, after: $after, last: $last) { totalCount } } }",
        "query($first: Int, $last: Int) { me { auditEvents(first: $first, last: $last) { totalCount } } }",
        "query($first: Int, $last: Int, $filter: UserFilter) { users(first: $first, last: $last, filter: $filter) { totalCount } }",
        "query($first: Int, $last: Int, $filter: AuditFilter) { auditEvents(first: $first, last: $last, filter: $filter) { totalCount } }",
    ];
    for query in lists {
        let answer = person.query(query, json!({})).await;
        assert!(answer.json["errors"].is_null(), "{}", answer.text);
    }
    let named =
        "mutation($name: String) { updateProfile(input: { name: $name }) { ... on ProfileUpdated { user { name } } } }";
    person.query(named, json!({ "name": "Ada" })).await.field("updateProfile");
    let left = person.query(named, json!({})).await;
    assert_eq!(left.field("updateProfile")["user"]["name"], "Ada", "left out is not null");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_bounded_in_fields_and_in_bytes() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", doorcode::db::entity::Role::User).await;
    let id = Some(users::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap().id);
    // The longest name of software that is stored, of what takes two bytes each in an answer.
    let software = Some("\"".repeat(256));
    let origin = Origin { ip: ada.ip, user_agent: software, request_id: String::new() };
    for _ in 0..100 {
        let event =
            Event { kind: Kind::DataExported, origin: Some(&origin), actor: id, subject: id, detail: json!({}) };
        audit::record_alone(app.ctx(), app.ctx().now(), event).await.unwrap();
    }
    let query = |fields: usize| {
        let fields = many(fields, |n| format!("a{n}: userAgent "));
        format!("{{ me {{ auditEvents(first: 100) {{ nodes {{ {fields} }} }} }} }}")
    };
    refused(&ada.post(body(&query(250))).await, 422, "GRAPHQL_VALIDATION_FAILED", "25,100 fields");
    refused(&ada.post(body(&query(240))).await, 422, "DOCUMENT_TOO_LARGE", "12 MB");
    assert!(ada.post(body(&query(100))).await.text.len() > 5_000_000);
}
