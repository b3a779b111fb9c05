//! The GraphQL schema: it matches the published file, every type, field and argument has a description, and it contains
//! only what the server offers.

use async_graphql::parser::{
    parse_schema,
    types::{ServiceDocument, TypeDefinition, TypeKind, TypeSystemDefinition},
};
use doorcode::{
    graphql::{error::Code, sdl},
    settings::ServeFlags,
};
use serde_json::json;

use super::{CODES, INTERNAL, body, refused};
use crate::harness::TestApp;

pub(super) fn production(flags: &mut ServeFlags) {
    flags.mode = Some("production".into());
    flags.secret = Some("an example of a secret with more than 32 bytes".into());
    flags.public_url = Some("https://login.example.com".into());
    flags.smtp_url = Some("smtps://mail.example.invalid".into());
    flags.mail_from = Some("Example <no-reply@example.com>".into());
    flags.single_replica = Some("true".into());
}

/// The introspection query of GraphiQL and other tools.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { description queryType { name kind } \
    mutationType { name kind } subscriptionType { name kind } types { ...FullType } \
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } } \
    fragment FullType on __Type { kind name description specifiedByURL isOneOf \
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } \
    type { ...TypeRef } isDeprecated deprecationReason } inputFields(includeDeprecated: true) { ...InputValue } \
    interfaces { ...TypeRef } enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } \
    possibleTypes { ...TypeRef } } fragment InputValue on __InputValue { name description type { ...TypeRef } \
    defaultValue isDeprecated deprecationReason } fragment TypeRef on __Type { kind name ofType { kind name ofType { \
    kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { \
    kind name ofType { kind name } } } } } } } } } }";

/// Documents that ask for the schema, one for each way to do so.
pub(crate) fn probes() -> Vec<String> {
    vec![
        INTROSPECTION.into(),
        "{ __schema { types { name } } }".into(),
        "{__schema{types{name}}}".into(),
        "{\n__schema\n{\ntypes\n{\nname\n}\n}\n}".into(),
        "{ # a comment\r\n__schema # another\r{ types { name } } }".into(),
        "{ ,,__schema,,{ types { name } } }".into(),
        "{ a: __schema { types { name } } }".into(),
        "{ me { id } a: __type(name: \"User\") { name } }".into(),
        "{ __type(name: \"Query\") { fields { name } } }".into(),
        "query A { ...f } fragment f on Query { __schema { types { name } } }".into(),
        "{ ...f } fragment f on Query { ...g } fragment g on Query { b: __type(name: \"User\") { name } }".into(),
        "{ ... { __schema { types { name } } } }".into(),
        "{ ... on Query { ... on Query { __type(name: \"User\") { name } } } }".into(),
        "{ __schema @include(if: true) { types { name } } }".into(),
        "{ __typename ... @skip(if: false) { __schema { types { name } } } }".into(),
        "query($no: Boolean = false) { __schema @skip(if: $no) { types { name } } }".into(),
        "mutation { __schema { types { name } } }".into(),
        "mutation { __type(name: \"User\") { name } }".into(),
        "subscription { __schema { types { name } } }".into(),
        "{ me { __schema { types { name } } } }".into(),
    ]
}

async fn hides_its_schema(app: &TestApp) {
    let guest = app.guest();
    for document in probes() {
        let answer = guest.post(body(&document)).await;
        refused(&answer, 422, "GRAPHQL_VALIDATION_FAILED", &document);
        assert!(!answer.text.contains("User") && !answer.text.contains("login"), "{}", answer.text);
    }
    let named =
        json!({ "query": "query A { __typename } query B { __schema { types { name } } }", "operationName": "A" });
    refused(
        &guest.post(named.to_string()).await,
        422,
        "GRAPHQL_VALIDATION_FAILED",
        "in an operation next to the one that runs",
    );
    assert_eq!(guest.post(body("{ __typename }")).await.field("__typename"), "Query");
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_introspection_is_disabled_on_every_route() {
    hides_its_schema(&TestApp::with(|flags| flags.introspection = Some("false".into())).await).await;
    hides_its_schema(&TestApp::with(production).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn introspection_queries_from_tools_work_in_development() {
    let app = TestApp::new().await;
    let answer = app.guest().post(body(INTROSPECTION)).await;
    let schema = answer.field("__schema");
    assert_eq!(schema["queryType"]["name"], "Query");
    let types = schema["types"].as_array().unwrap();
    let has = |name: &str| types.iter().any(|kind| kind["name"] == name);
    assert!(has("LoginResult") && has("InboxMessage"));
    assert_eq!(schema["subscriptionType"]["name"], "Subscription");
}

#[tokio::test(flavor = "multi_thread")]
async fn circular_introspection_is_bounded() {
    let app = TestApp::new().await;
    let circles = |levels: usize| {
        let around = "fields { type { ofType { ".repeat(levels);
        format!("{{ __schema {{ types {{ {around} name {} }} }} }}", "} } } ".repeat(levels))
    };
    let start = std::time::Instant::now();
    for levels in 1..=9 {
        let answer = app.guest().post(body(&circles(levels))).await;
        assert!(matches!(answer.status.as_u16(), 200 | 422), "{levels}: {}", answer.status);
        assert!(answer.text.len() < 2 * 1024 * 1024, "{levels}: {} bytes", answer.text.len());
        if levels > 5 {
            refused(&answer, 422, answer.code(), "too deep");
        }
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(4), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn production_has_no_inbox_and_no_graphiql() {
    let app = TestApp::with(production).await;
    let guest = app.guest();
    let answer = guest.post(body("{ inbox { id } }")).await;
    refused(&answer, 422, "GRAPHQL_VALIDATION_FAILED", "the inbox field does not exist");
    for path in ["/inbox", "/graphiql", "/assets/any/inbox.js", "/assets/any/graphiql.js", "/assets/any/json.worker.js"]
    {
        refused(&guest.get(path).await, 404, "NOT_FOUND", path);
    }
    assert_eq!(guest.get("/").await.status.as_u16(), 200, "the sign-in page exists");
    for origin in ["http://localhost:3000", "http://localhost:5173"] {
        let answer = super::post_with(&guest, &[super::JSON, ("origin", origin)]).await;
        assert!(!answer.headers.contains_key("access-control-allow-origin"), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn production_with_introspection_shows_its_schema_without_the_inbox() {
    let asked = |flags: &mut ServeFlags| {
        production(flags);
        flags.introspection = Some("true".into());
        flags.graphiql = Some("true".into());
    };
    let app = TestApp::with(asked).await;
    let answer = app.guest().post(body(INTROSPECTION)).await;
    assert!(answer.field("__schema")["types"].is_array());
    let description = answer.field("__schema")["description"].as_str().unwrap().to_owned();
    assert!(sdl(false).starts_with(&format!("\"\"\"\n{description}\n\"\"\"\nschema {{")), "{description}");
    assert!(!answer.text.to_lowercase().contains("inbox"));
    assert_eq!(app.guest().get("/graphiql").await.status.as_u16(), 200);
    assert_eq!(app.guest().get("/inbox").await.status.as_u16(), 404);
}

#[test]
fn schema_graphql_is_up_to_date() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema.graphql");
    let published = std::fs::read_to_string(path).unwrap();
    assert!(
        published.trim_end() == sdl(false).trim_end(),
        "schema.graphql is out of date. Run: cargo run -- schema > schema.graphql"
    );
}

#[test]
fn the_development_schema_only_adds_the_inbox() {
    let names = |sdl: &str| -> Vec<String> { definitions(&read(sdl)).map(|kind| kind.name.node.to_string()).collect() };
    let (mut published, mut development) = (names(&sdl(false)), names(&sdl(true)));
    published.push("InboxMessage".into());
    published.sort();
    development.sort();
    assert_eq!(published, development);
}

/// Parses SDL. Skips the description of the schema, because the library's parser does not accept it.
fn read(sdl: &str) -> ServiceDocument {
    let (_, rest) = sdl.split_once("\nschema {").unwrap();
    parse_schema(format!("schema {{{rest}")).unwrap()
}

fn definitions(document: &ServiceDocument) -> impl Iterator<Item = &TypeDefinition> {
    document.definitions.iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(kind) => Some(&kind.node),
        _ => None,
    })
}

/// The names of a type, its fields and their arguments, each with whether it has a description.
fn described(kind: &TypeDefinition) -> Vec<(String, bool)> {
    let name = &kind.name.node;
    let mut all = vec![(name.to_string(), kind.description.is_some())];
    let fields = match &kind.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        TypeKind::InputObject(input) => {
            let field = |field: &async_graphql::Positioned<async_graphql::parser::types::InputValueDefinition>| {
                (format!("{name}.{}", field.node.name), field.node.description.is_some())
            };
            all.extend(input.fields.iter().map(field));
            return all;
        }
        TypeKind::Enum(values) => {
            let values = values.values.iter().map(|value| &value.node);
            all.extend(values.map(|value| (format!("{name}.{}", value.value), value.description.is_some())));
            return all;
        }
        TypeKind::Scalar | TypeKind::Union(_) => return all,
    };
    for field in fields.iter().map(|field| &field.node) {
        all.push((format!("{name}.{}", field.name), field.description.is_some()));
        let arguments = field.arguments.iter().map(|argument| &argument.node);
        all.extend(arguments.filter(|argument| argument.name.node != "input").map(|argument| {
            let path = format!("{name}.{}({})", field.name, argument.name);
            (path, argument.description.is_some())
        }));
    }
    all
}

#[test]
fn everything_in_the_schema_has_a_description() {
    let document = read(&sdl(true));
    let all: Vec<_> = definitions(&document).flat_map(described).collect();
    assert!(all.len() > 100, "the schema was read: {}", all.len());
    let silent: Vec<_> = all.iter().filter(|(_, described)| !described).map(|(name, _)| name).collect();
    assert!(silent.is_empty(), "without a description: {silent:?}");
}

#[test]
fn every_result_union_has_one_success_and_a_problem() {
    let document = read(&sdl(true));
    let problems: Vec<_> = definitions(&document)
        .filter(|kind| {
            matches!(&kind.kind, TypeKind::Object(object)
                if object.implements.iter().any(|interface| interface.node == "Problem"))
        })
        .map(|kind| kind.name.node.clone())
        .collect();
    let mut unions = 0;
    for kind in definitions(&document) {
        let TypeKind::Union(union) = &kind.kind else { continue };
        unions += 1;
        let (bad, good): (Vec<_>, Vec<_>) = union.members.iter().partition(|member| problems.contains(&member.node));
        // A sign-in is complete with a password, and needs a code without one.
        let successes = if kind.name.node == "LoginResult" { 2 } else { 1 };
        assert!(!bad.is_empty() && good.len() == successes, "{}: {good:?} and {bad:?}", kind.name);
        assert!(kind.name.node.ends_with("Result"), "{}", kind.name);
    }
    assert!(unions >= 4, "{unions}");
}

#[test]
fn every_mutation_has_one_input_and_a_separate_result_type() {
    let document = read(&sdl(false));
    let mutation = definitions(&document).find(|kind| kind.name.node == "Mutation").unwrap();
    let TypeKind::Object(object) = &mutation.kind else { panic!("not an object") };
    for field in object.fields.iter().map(|field| &field.node) {
        let arguments: Vec<_> = field.arguments.iter().map(|argument| argument.node.name.node.as_str()).collect();
        assert!(arguments.is_empty() || arguments == ["input"], "{}: {arguments:?}", field.name);
        assert!(field.ty.node.to_string().ends_with("Result!"), "{}: {}", field.name, field.ty);
    }
}

#[test]
fn every_error_code_is_in_the_closed_list() {
    for code in Code::ALL {
        assert!(CODES.contains(&code.as_str()) || code.as_str() == INTERNAL, "{code:?}");
    }
    assert_eq!(CODES.len() + 1, Code::ALL.len(), "every listed code is used");
}
