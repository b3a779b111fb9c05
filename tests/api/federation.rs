//! Doorcode as a subgraph of Apollo Federation 2, queried as a gateway does. `_entities` must hide the same users as
//! the field `user`. A server without federation has neither `_entities` nor `_service`. `tests/federation` tests the
//! composition.

use doorcode::{db::entity::Role, graphql::subgraph_sdl};
use serde_json::{Value, json};

use crate::{
    contract::{check_errors, failed_in_field, refused},
    harness::{Answer, Client, TestApp},
};

const ENTITIES: &str = "query($representations: [_Any!]!) { _entities(representations: $representations) \
    { __typename ... on User { id email } } }";

async fn subgraph() -> TestApp {
    TestApp::with(|flags| flags.federation = Some("true".into())).await
}

fn person(id: &str) -> Value {
    json!({ "__typename": "User", "id": id })
}

async fn entities(client: &Client<'_>, representations: &Value) -> Answer {
    client.query(ENTITIES, json!({ "representations": representations })).await
}

/// The path and code of each error.
fn errors(answer: &Answer) -> Vec<(Value, String)> {
    check_errors(answer, &answer.text);
    let errors = answer.json["errors"].as_array().unwrap();
    let code = |error: &Value| error["extensions"]["code"].as_str().unwrap().to_owned();
    errors.iter().map(|error| (error["path"].clone(), code(error))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_federation_has_neither_field() {
    let app = TestApp::new().await;
    for query in ["{ _service { sdl } }", "{ _entities(representations: []) { __typename } }"] {
        let answer = app.guest().query(query, json!({})).await;
        refused(&answer, 422, "GRAPHQL_VALIDATION_FAILED", query);
    }
    let schema = app.guest().query("{ __schema { types { name } } }", json!({})).await;
    for name in ["_Service", "_Any", "_Entity"] {
        assert!(!schema.text.contains(&format!("\"{name}\"")), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subgraph_serves_its_sdl_with_introspection_disabled() {
    let app = TestApp::with(|flags| {
        flags.federation = Some("true".into());
        flags.introspection = Some("false".into());
    })
    .await;
    let guest = app.guest();
    let answer = guest.query("{ _service { sdl } }", json!({})).await;
    let sdl = answer.field("_service")["sdl"].as_str().unwrap();
    assert_eq!(sdl, subgraph_sdl(true));
    assert!(sdl.contains("type User implements Node @key(fields: \"id\") {"));
    for query in ["{ _service { sdl } __schema { types { name } } }", "{ __type(name: \"_Service\") { name } }"] {
        refused(&guest.query(query, json!({})).await, 422, "GRAPHQL_VALIDATION_FAILED", query);
    }
}

#[test]
fn the_production_subgraph_has_the_published_schema() {
    assert!(!subgraph_sdl(false).to_lowercase().contains("inbox"));
    assert!(subgraph_sdl(true).contains("type InboxMessage {"));
    // Apart from federation directives, the subgraph publishes the same lines as the normal schema.
    let plain = |line: &str| line.replace(" @key(fields: \"id\")", "").replace(" @shareable", "");
    let published: Vec<_> = doorcode::graphql::sdl(false).lines().map(str::to_owned).collect();
    let sdl = subgraph_sdl(false);
    let (types, link) = sdl.split_once("extend schema @link(").unwrap();
    assert!(link.contains("https://specs.apollo.dev/federation/v2"));
    for line in types.lines().map(plain) {
        assert!(published.contains(&line), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_find_themselves_and_others_look_nonexistent() {
    let app = subgraph().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let bob = app.person("bob@example.com", Role::User).await;
    let absent = "VQcHBwcHBwcHBwcHBwcHBwc";
    let ids = [&ada.signed_in.user, &bob.signed_in.user, absent, &ada.signed_in.user];
    let answer = entities(&ada, &json!(ids.map(person))).await;
    let own = json!({ "__typename": "User", "id": ada.signed_in.user, "email": "ada@example.com" });
    assert_eq!(answer.json["data"]["_entities"], json!([own, null, null, own]));
    let hidden = |place: i32| (json!(["_entities", place]), "NOT_FOUND".to_owned());
    assert_eq!(errors(&answer), [hidden(1), hidden(2)]);
    let said: Vec<_> = answer.json["errors"].as_array().unwrap().iter().map(|error| &error["message"]).collect();
    assert_eq!(said[0], said[1], "hidden and absent users look alike");
    assert_eq!(app.refused("PERMISSION_DENIED").await, 1, "several hidden users in one request are recorded once");
    let user = ada.query("query($id: ID!) { user(id: $id) { id } }", json!({ "id": bob.signed_in.user })).await;
    assert_eq!(&user.json["errors"][0]["message"], said[0], "the same error as `user`");
}

#[tokio::test(flavor = "multi_thread")]
async fn entities_need_a_bearer_and_a_bad_one_fails_the_request() {
    let app = subgraph().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let who = json!([person(&ada.signed_in.user)]);
    let answer = entities(&app.guest(), &who).await;
    assert_eq!(answer.json["data"]["_entities"], json!([null]));
    assert_eq!(errors(&answer), [(json!(["_entities", 0]), "UNAUTHENTICATED".to_owned())]);
    refused(&entities(&app.guest().with_bearer("x"), &who).await, 401, "UNAUTHENTICATED", "an invalid bearer token");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_find_deleted_users() {
    let app = subgraph().await;
    let [root, boss] =
        [app.person("root@example.com", Role::Admin).await, app.person("boss@example.com", Role::Manager).await];
    let gone = app.person("gone@example.com", Role::User).await;
    app.sql("UPDATE users SET status = 'DELETED' WHERE email = 'gone@example.com'").await;
    let who = json!([person(&gone.signed_in.user)]);
    assert_eq!(entities(&root, &who).await.field("_entities")[0]["email"], "gone@example.com");
    failed_in_field(&entities(&boss, &who).await, &json!(["_entities", 0]), "NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_entities_cost_one_statement_and_more_are_refused() {
    let app = subgraph().await;
    let boss = app.person("boss@example.com", Role::Manager).await;
    let mut people = Vec::new();
    for number in 0..20 {
        people.push(app.person(&format!("person-{number}@example.com"), Role::User).await.signed_in.user);
    }
    let hundred: Vec<_> = people.iter().cycle().take(100).map(|id| person(id)).collect();
    let counted = async |selection: &str, representations: &[Value]| {
        app.take_statements();
        let answer = boss.query(selection, json!({ "representations": representations })).await;
        (answer, app.take_statements().len())
    };
    let (answer, statements) = counted(ENTITIES, &hundred).await;
    let found = answer.field("_entities").as_array().unwrap();
    assert!(
        found.iter().zip(&hundred).all(|(found, wanted)| found["id"] == wanted["id"]),
        "errors point at their index"
    );
    assert_eq!((found.len(), statements), (100, 2), "one statement for the session, and one for all entities");
    let twice = "query($representations: [_Any!]!) { a: _entities(representations: $representations) { __typename \
        ... on User { id } } b: _entities(representations: $representations) { ... on User { email } } }";
    assert_eq!(counted(twice, &hundred[..20]).await.1, 2, "two fields share one statement, too");

    let more: Vec<_> = people.iter().cycle().take(101).map(|id| person(id)).collect();
    let (answer, statements) = counted(ENTITIES, &more).await;
    failed_in_field(&answer, &json!(["_entities"]), "BAD_USER_INPUT");
    assert_eq!(answer.json["errors"][0]["extensions"]["field"], "representations");
    assert_eq!(statements, 1, "no user was looked up");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cost_of_entities_is_counted_for_each_user() {
    let app = subgraph().await;
    let boss = app.person("boss@example.com", Role::Manager).await;
    let query = "query($representations: [_Any!]!) { _entities(representations: $representations) \
        { ... on User { sessions(first: 100) { nodes { id current createdAt expiresAt } } } } }";
    let of = |count: usize| json!({ "representations": vec![person(&boss.signed_in.user); count] });
    assert_eq!(boss.query(query, of(50)).await.field("_entities").as_array().unwrap().len(), 50);
    refused(&boss.query(query, of(100)).await, 422, "DOCUMENT_TOO_LARGE", "100 people with 100 sessions each");
    let schema = |fields: &str| format!("{{ _service {{ {fields} }} }}");
    assert_eq!(boss.query(&schema("sdl"), json!({})).await.status.as_u16(), 200);
    refused(&boss.query(&schema("a: sdl b: sdl"), json!({})).await, 422, "DOCUMENT_TOO_LARGE", "the schema twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_entity_representations_fail_individually() {
    let app = subgraph().await;
    let ada = app.person("ada@example.com", Role::User).await;
    let id = ada.signed_in.user.as_str();
    let session = ada.signed_in.session.as_str();
    let bad = [
        json!({ "__typename": "Session", "id": session }),
        json!({ "__typename": "Nothing", "id": id }),
        json!({ "__typename": "User" }),
        json!({ "__typename": "User", "email": "ada@example.com" }),
        json!({ "__typename": "User", "id": 7 }),
        json!({ "__typename": "User", "id": [id] }),
        json!({ "__typename": ["User"], "id": id }),
        json!({ "id": id }),
        person(session),
        person(""),
        person("' OR 1=1 --"),
        person(&format!("{id}=")),
        json!("User"),
        json!(7),
        json!({}),
    ];
    // A response lists at most ten errors, so send eight at a time.
    for bad in bad.chunks(8) {
        let representations = [&[person(id)], bad].concat();
        let answer = entities(&ada, &json!(representations)).await;
        let places = representations.len();
        let found = answer.json["data"]["_entities"].as_array().unwrap();
        assert_eq!(found[0]["email"], "ada@example.com", "the valid representation among them");
        assert!(found.len() == places && found[1..].iter().all(Value::is_null), "{}", answer.text);
        let refusal = |place| (json!(["_entities", place]), "BAD_USER_INPUT".to_owned());
        assert_eq!(errors(&answer), (1..places).map(refusal).collect::<Vec<_>>());
        assert!(!answer.text.contains("OR 1=1") && !answer.text.contains("Nothing"), "no value is echoed");
        for word in ["Entity not found", "existing string", "find_user"] {
            assert!(!answer.text.contains(word), "internal text of the library: {word}");
        }
    }
    let whole = [json!(null), json!([null]), json!([person(id), null])];
    for representations in whole {
        let answer = entities(&ada, &representations).await;
        assert!(answer.status.as_u16() == 422 || answer.json["data"].is_null(), "{}", answer.text);
        check_errors(&answer, &representations.to_string());
    }
    let inline =
        "query($id: ID!) { _entities(representations: [{ __typename: \"User\", id: $id }]) { ... on User { id } } }";
    assert_eq!(ada.query(inline, json!({ "id": id })).await.field("_entities")[0]["id"], id);
}
