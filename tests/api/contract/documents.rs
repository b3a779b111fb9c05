//! GraphQL documents: hostile, malformed or oversized documents are refused quickly, execute nothing and change no
//! counter. Also tests the layout of responses to valid documents.

use std::time::{Duration, Instant};

use doorcode::{
    db::entity::users,
    domain::audit::{self, Event, Kind},
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use super::{body, check_errors, counters, failed_in_field, refused};
use crate::{
    attacks::documents::{Hostile, broken, floods, guesses, many, multipliers},
    harness::{SignedIn, TestApp},
};

/// Time limit for a refusal. It leaves room for a debug build on a busy machine, but is far below the seconds that an
/// accepted document takes. `attacks` tests the real time limit on a separate server process.
const FAST: Duration = Duration::from_millis(250);

/// Sends every document. Checks that it is refused quickly and that no counter changes.
async fn all_refused(app: &TestApp, documents: Vec<Hostile>) {
    let guest = app.guest();
    let before = counters(app).await;
    for (what, document, (status, code)) in documents {
        let start = Instant::now();
        let answer = guest.post(body(&document)).await;
        let took = start.elapsed();
        refused(&answer, status, code, what);
        assert!(took < FAST, "{what} took {took:?}");
        assert!(answer.text.len() < 16 * 1024, "{what}: a response of {} bytes", answer.text.len());
    }
    assert_eq!(counters(app).await, before, "no counter changed");
    assert_eq!(guest.me().await.json, json!({ "data": { "me": null } }), "the server still responds");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_hundred_guesses_is_refused() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("ada@example.com").await;
    let code = app.last_code_for("ada@example.com").await;
    all_refused(&app, guesses(&challenge, &code)).await;
    SignedIn::read(&guest.verify(&challenge, &code).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_documents_are_refused_fast_and_change_nothing() {
    let app = TestApp::new().await;
    all_refused(&app, floods()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn small_documents_with_a_huge_cost_are_refused_fast_and_change_nothing() {
    let app = TestApp::new().await;
    all_refused(&app, multipliers()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_documents_are_refused_fast_and_change_nothing() {
    let app = TestApp::new().await;
    all_refused(&app, broken()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_real_clients_are_accepted() {
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
            "a full page with all fields",
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
    assert_eq!(ada.post(text).await.field("__typename"), "Query", "JSON within its depth limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_never_suggest_field_names() {
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
        assert!(!answer.text.contains(neighbour), "the error for {document} names {neighbour}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn response_fields_are_in_document_order() {
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
async fn a_field_error_has_its_path_and_does_not_affect_other_fields() {
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
    assert_eq!(
        answer.json["data"],
        json!({ "me": null, "b": "Query" }),
        "the error makes the nearest nullable field null"
    );
    let answer = client.query("{ me { id sessions(first: 2147483648) { totalCount } } }", json!({})).await;
    refused(
        &answer,
        422,
        "BAD_USER_INPUT",
        "a number outside Int is refused before execution, so the error has no path",
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_omitted_optional_variable_omits_its_argument() {
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
    assert_eq!(left.field("updateProfile")["user"]["name"], "Ada", "an omitted argument is not null");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_never_repeat_a_value() {
    let app = TestApp::new().await;
    let boss = app.person("boss@example.com", doorcode::db::entity::Role::Manager).await;
    for (query, variables) in [
        ("{ users(filter: { createdFrom: \"s3cret\" }) { totalCount } }", json!({})),
        ("{ users(filter: { createdFrom: { a: [\"s3cret\"] } }) { totalCount } }", json!({})),
        ("query($f: UserFilter) { users(filter: $f) { totalCount } }", json!({ "f": { "createdFrom": "s3cret" } })),
        ("query($f: UserFilter) { users(filter: $f) { totalCount } }", json!({ "f": { "createdFrom": ["s3cret"] } })),
        ("query($f: UserFilter) { users(filter: $f) { totalCount } }", json!({ "f": { "roles": "s3cret" } })),
        ("{ users(first: \"s3cret\") { totalCount } }", json!({})),
        ("{ user(id: [\"s3cret\"]) { id } }", json!({})),
        ("mutation { login(input: { email: { a: \"s3cret\" } }) { __typename } }", json!({})),
    ] {
        let answer = boss.query(query, variables).await;
        refused(&answer, 422, "BAD_USER_INPUT", query);
        assert!(!answer.text.contains("s3cret"), "{query}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_document_may_have_only_one_operation() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", doorcode::db::entity::Role::User).await;
    let call = json!({ "query": "query A { __typename } query B { me { id } }", "operationName": "A" }).to_string();
    refused(&app.guest().post(call.clone()).await, 422, "DOCUMENT_TOO_LARGE", "without a token");
    refused(
        &app.guest().with_bearer("bad").post(call.clone()).await,
        422,
        "DOCUMENT_TOO_LARGE",
        "with an invalid token",
    );
    assert_eq!(ada.post(call).await.field("__typename"), "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_development_server_reports_the_cost_of_an_operation() {
    let app = TestApp::new().await;
    let answer: Value = serde_json::from_str(&app.guest().post(body("{ me { id email } }")).await.text).unwrap();
    assert_eq!(answer, json!({ "data": { "me": null }, "extensions": { "cost": 3 } }));
    let app = TestApp::with(super::schema::production).await;
    let answer: Value = serde_json::from_str(&app.guest().post(body("{ me { id } }")).await.text).unwrap();
    assert_eq!(answer, json!({ "data": { "me": null } }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_bounded_in_fields_and_bytes() {
    let app = TestApp::new().await;
    let ada = app.person("ada@example.com", doorcode::db::entity::Role::User).await;
    let id = Some(users::Entity::find().one(app.ctx().db.read()).await.unwrap().unwrap().id);
    // Each quote takes two bytes in a JSON response.
    let quotes = "\"".repeat(50_000);
    for _ in 0..100 {
        let detail = json!({ "long": quotes });
        let event = Event { kind: Kind::DataExported, origin: None, actor: id, subject: id, detail, email: None };
        audit::record_alone(app.ctx(), app.ctx().now(), event).await.unwrap();
    }
    let within = "{ sessions(first: 100) { nodes { id createdAt userAgent ipAddress } } }";
    let fields = format!("{{ me {{ sessions(first: 100) {{ nodes {{ user {within} }} }} }} }}");
    refused(&ada.post(body(&fields)).await, 422, "DOCUMENT_TOO_LARGE", "40,000 fields");
    let page = |first: u32| format!("{{ me {{ auditEvents(first: {first}) {{ nodes {{ detail }} }} }} }}");
    refused(&ada.post(body(&page(50))).await, 422, "DOCUMENT_TOO_LARGE", "5 MB");
    assert!(ada.post(body(&page(30))).await.text.len() > 2_500_000);
}
