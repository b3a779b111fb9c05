//! Ids and pages. An id has one type and one owner. The id of another user's object looks like an id that does not
//! exist.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{db::entity::Role, limits::Rule};
use serde_json::{Value, json};

use super::{check_errors, failed_in_field};
use crate::harness::{Answer, Client, SignedIn, TestApp};

/// Encodes an id of this type, whether or not the object exists.
fn id_of(kind: u8, uuid: [u8; 16]) -> String {
    let mut bytes = vec![kind];
    bytes.extend(uuid);
    URL_SAFE_NO_PAD.encode(bytes)
}

struct Person<'a> {
    client: Client<'a>,
    is: SignedIn,
    device: String,
}

impl Person<'_> {
    async fn node(&self, id: &str) -> Answer {
        let query = "query($id: ID!) { node(id: $id) { __typename id } }";
        self.client.query(query, json!({ "id": id })).await
    }

    async fn end_session(&self, id: &str) -> Answer {
        let query = "mutation($id: ID!) { endSession(input: { id: $id }) { session { id endedAt current } } }";
        self.client.query(query, json!({ "id": id })).await
    }

    async fn forget_device(&self, id: &str) -> Answer {
        let query = "mutation($id: ID!) { forgetDevice(input: { id: $id }) { deviceId } }";
        self.client.query(query, json!({ "id": id })).await
    }

    /// Requests a page of sessions. `arguments` is GraphQL text, such as `first: 2`.
    async fn page(&self, arguments: &str) -> Answer {
        let query = format!(
            "{{ me {{ sessions({arguments}) {{ totalCount edges {{ cursor node {{ id }} }} nodes {{ id }} \
             pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
        );
        self.client.query(&query, json!({})).await
    }
}

async fn person<'a>(app: &'a TestApp, email: &str) -> Person<'a> {
    let guest = app.guest();
    let is = guest.sign_in(email).await;
    let client = guest.with_bearer(&is.access);
    let devices = client.query("{ me { devices { id } } }", json!({})).await;
    let device = devices.field("me")["devices"][0]["id"].as_str().unwrap().to_owned();
    Person { client, is, device }
}

/// The response without its request id, for comparison.
fn apart_from_its_id(answer: &Answer) -> Value {
    let mut json = answer.json.clone();
    json["errors"][0]["extensions"]["requestId"] = Value::Null;
    json
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_finds_the_callers_own_objects() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    for (kind, id) in [("User", &ada.is.user), ("Session", &ada.is.session), ("Device", &ada.device)] {
        assert_eq!(ada.node(id).await.field("node"), &json!({ "__typename": kind, "id": id }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_object_looks_like_one_that_does_not_exist() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let bob = person(&app, "bob@example.com").await;
    for (kind, foreign) in [(b'U', &bob.is.user), (b'S', &bob.is.session), (b'D', &bob.device)] {
        let absent = id_of(kind, [7; 16]);
        assert_eq!(absent.len(), foreign.len(), "the unknown id has the same length");
        let (foreign, absent) = (ada.node(foreign).await, ada.node(&absent).await);
        failed_in_field(&foreign, &json!(["node"]), "NOT_FOUND");
        assert_eq!(apart_from_its_id(&foreign), apart_from_its_id(&absent));
        assert_eq!(foreign.json["data"], json!({ "node": null }));
    }
    let absent = ada.end_session(&id_of(b'S', [7; 16])).await;
    let foreign = ada.end_session(&bob.is.session).await;
    failed_in_field(&foreign, &json!(["endSession"]), "NOT_FOUND");
    assert_eq!(apart_from_its_id(&foreign), apart_from_its_id(&absent));
    let absent = ada.forget_device(&id_of(b'D', [7; 16])).await;
    let foreign = ada.forget_device(&bob.device).await;
    failed_in_field(&foreign, &json!(["forgetDevice"]), "NOT_FOUND");
    assert_eq!(apart_from_its_id(&foreign), apart_from_its_id(&absent));
    assert_eq!(bob.client.me().await.field("me")["id"], bob.is.user.as_str());
    assert_eq!(bob.node(&bob.device).await.field("node")["id"], bob.device.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_type_and_forged_ids_are_bad_input() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let padded = format!("{}=", ada.is.user);
    let uuid = "0190a8f1-0000-7000-8000-000000000000".to_owned();
    let cursor = id_of(b'>', [7; 16]);
    let long = "A".repeat(10_000);
    for forged in ["", "x", "1", "U", "' OR 1=1 --", "\0", "é", &padded, &uuid, &cursor, &long, &id_of(b'X', [7; 16])]
    {
        let answer = ada.node(forged).await;
        failed_in_field(&answer, &json!(["node"]), "BAD_USER_INPUT");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "id");
        assert!(answer.text.len() < 1_000, "the forged value is not echoed");
        failed_in_field(&ada.end_session(forged).await, &json!(["endSession"]), "BAD_USER_INPUT");
        failed_in_field(&ada.forget_device(forged).await, &json!(["forgetDevice"]), "BAD_USER_INPUT");
    }
    for id in [&ada.is.user, &ada.device] {
        failed_in_field(&ada.end_session(id).await, &json!(["endSession"]), "BAD_USER_INPUT");
    }
    for id in [&ada.is.user, &ada.is.session] {
        failed_in_field(&ada.forget_device(id).await, &json!(["forgetDevice"]), "BAD_USER_INPUT");
    }
    assert_eq!(ada.client.me().await.field("me")["id"], ada.is.user.as_str(), "no session ended");
    // Base64 text that differs only in unused bits must not be a second id of the same object.
    let mut twin = ada.is.user.clone();
    let last = twin.pop().unwrap();
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".chars().filter(|c| *c != last) {
        let answer = ada.node(&format!("{twin}{other}")).await;
        check_errors(&answer, "a twin");
        assert_eq!(answer.json["data"], json!({ "node": null }), "{other} for {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_can_end_their_sessions_and_forget_their_devices() {
    let app = TestApp::with(many_mails).await;
    let first = person(&app, "ada@example.com").await;
    let second = person(&app, "ada@example.com").await;
    let third = person(&app, "ada@example.com").await;
    let bob = person(&app, "bob@example.com").await;
    let ended = first.end_session(&second.is.session).await;
    let session = &ended.field("endSession")["session"];
    assert!(session["endedAt"].is_string() && session["current"] == false, "{session}");
    assert_eq!(second.client.me().await.status.as_u16(), 401);
    let others = "mutation { endOtherSessions { count } }";
    assert_eq!(first.client.query(others, json!({})).await.field("endOtherSessions")["count"], 1);
    assert_eq!(first.client.query(others, json!({})).await.field("endOtherSessions")["count"], 0);
    assert_eq!(third.client.me().await.status.as_u16(), 401);
    assert_eq!(bob.client.me().await.field("me")["id"], bob.is.user.as_str());
    let forgotten = first.forget_device(&third.device).await;
    assert_eq!(forgotten.field("forgetDevice")["deviceId"], third.device.as_str());
    failed_in_field(&first.node(&third.device).await, &json!(["node"]), "NOT_FOUND");
    failed_in_field(&first.forget_device(&third.device).await, &json!(["forgetDevice"]), "NOT_FOUND");
    let own = first.end_session(&first.is.session).await;
    assert_eq!(own.field("endSession")["session"]["current"], true);
    assert_eq!(first.client.me().await.status.as_u16(), 401);
}

fn many_mails(flags: &mut doorcode::settings::ServeFlags) {
    flags.limits.insert(Rule::SendPair, "100/15m".into());
    flags.limits.insert(Rule::SendAddress, "100/15m".into());
}

/// The ids on a page, and whether there are previous and next pages.
fn read_page(answer: &Answer) -> (Vec<String>, bool, bool) {
    let sessions = &answer.field("me")["sessions"];
    assert_eq!(sessions["totalCount"], 6);
    let edges = sessions["edges"].as_array().unwrap();
    let ids: Vec<_> = edges.iter().map(|edge| edge["node"]["id"].as_str().unwrap().to_owned()).collect();
    let nodes: Vec<_> = sessions["nodes"].as_array().unwrap().iter().map(|node| &node["id"]).collect();
    assert_eq!(json!(ids), json!(nodes));
    let info = &sessions["pageInfo"];
    let cursor = |edge: Option<&Value>| edge.map_or(Value::Null, |edge| edge["cursor"].clone());
    assert_eq!(info["startCursor"], cursor(edges.first()));
    assert_eq!(info["endCursor"], cursor(edges.last()));
    (ids, info["hasPreviousPage"] == true, info["hasNextPage"] == true)
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_paged_forward_and_backward_latest_first() {
    let app = TestApp::with(many_mails).await;
    let mut opened = Vec::new();
    let mut ada = None;
    for _ in 0..6 {
        app.clock.pass(1.0);
        let person = person(&app, "ada@example.com").await;
        opened.insert(0, person.is.session.clone());
        ada = Some(person);
    }
    let ada = ada.unwrap();
    assert_eq!(read_page(&ada.page("first: 100").await), (opened.clone(), false, false));
    assert_eq!(read_page(&ada.page("first: 6").await), (opened.clone(), false, false));
    assert_eq!(read_page(&ada.page("last: 6").await), (opened.clone(), false, false));
    assert_eq!(read_page(&ada.page("first: 0").await).0, Vec::<String>::new());
    for (size, pages) in [(1, 6), (2, 3), (4, 2), (5, 2)] {
        let (mut forward, mut after) = (Vec::new(), String::new());
        for number in 1..=pages {
            let answer = ada.page(&format!("first: {size} {after}")).await;
            let (ids, before_it, after_it) = read_page(&answer);
            assert_eq!((before_it, after_it), (number > 1, number < pages), "page {number} of {size}");
            forward.extend(ids);
            after = format!("after: {}", answer.json["data"]["me"]["sessions"]["pageInfo"]["endCursor"]);
        }
        assert_eq!(forward, opened);
        let (mut backward, mut before) = (Vec::new(), String::new());
        for number in 1..=pages {
            let answer = ada.page(&format!("last: {size} {before}")).await;
            let (ids, before_it, after_it) = read_page(&answer);
            assert_eq!((before_it, after_it), (number < pages, number > 1), "page {number} of {size} from the end");
            backward.splice(0..0, ids);
            before = format!("before: {}", answer.json["data"]["me"]["sessions"]["pageInfo"]["startCursor"]);
        }
        assert_eq!(backward, opened);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_page_arguments_and_foreign_cursors_are_refused() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let long = format!("after: \"{}\"", "A".repeat(10_000));
    let other = format!("after: \"{}\"", ada.is.session);
    for (arguments, field) in [
        ("first: 1, last: 1", "last"),
        ("first: 101", "first"),
        ("last: 101", "last"),
        ("first: -1", "first"),
        ("last: -1", "last"),
        ("first: 2147483647", "first"),
        ("after: \"\"", "after"),
        ("after: \"x\"", "after"),
        ("before: \"' OR 1=1 --\"", "before"),
        (&long, "after"),
        (&other, "after"),
    ] {
        let answer = ada.page(arguments).await;
        failed_in_field(&answer, &json!(["me", "sessions"]), "BAD_USER_INPUT");
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], field, "{arguments}");
        assert_eq!(answer.json["data"], json!({ "me": null }));
    }
    let bob = person(&app, "bob@example.com").await;
    let cursor = bob.page("first: 1").await;
    let cursor = &cursor.field("me")["sessions"]["pageInfo"]["endCursor"];
    for arguments in [format!("after: {cursor}"), format!("before: {cursor}")] {
        let page = ada.page(&arguments).await;
        let nodes = page.field("me")["sessions"]["nodes"].as_array().unwrap();
        assert!(
            nodes.iter().all(|node| node["id"] == ada.is.session.as_str()),
            "another user's cursor reveals nothing"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_total_is_counted_only_on_request() {
    let app = TestApp::new().await;
    let ada = person(&app, "ada@example.com").await;
    let counted = async |fields: &str| {
        app.take_statements();
        let query = format!("{{ me {{ sessions(first: 1) {{ {fields} }} }} }}");
        ada.client.query(&query, json!({})).await.field("me");
        let statements = app.take_statements();
        statements.iter().filter(|sql| sql.to_uppercase().contains("COUNT(")).count()
    };
    assert_eq!(counted("nodes { id }").await, 0);
    assert_eq!(counted("totalCount").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn users_find_themselves_by_the_uuid_of_a_token_but_not_others() {
    let app = TestApp::new().await;
    let (ada, bob) = (person(&app, "ada@example.com").await, person(&app, "bob@example.com").await);
    let uuid = async |person: &Person<'_>| {
        let me = person.client.query("{ me { databaseId } }", json!({})).await;
        me.field("me")["databaseId"].as_str().unwrap().to_owned()
    };
    let (of_ada, of_bob) = (uuid(&ada).await, uuid(&bob).await);
    let claims = ada.is.access.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
    assert_eq!(claims["sub"], of_ada.as_str());

    let user = async |id: &str| ada.client.query("query($id: ID!) { user(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(user(&of_ada).await.field("user")["id"], ada.is.user.as_str());
    let relay = user(&bob.is.user).await;
    failed_in_field(&relay, &json!(["user"]), "NOT_FOUND");
    let unknown = "0190a8f1-0000-7000-8000-000000000000";
    for (seen, id) in [of_bob.as_str(), unknown, &id_of(b'U', [7; 16])].into_iter().enumerate() {
        assert_eq!(
            app.refused("PERMISSION_DENIED").await,
            i32::try_from(seen).unwrap() + 1,
            "each request is recorded"
        );
        assert_eq!(apart_from_its_id(&user(id).await), apart_from_its_id(&relay), "{id}");
    }
    for neither in ["x", &of_ada.replace('-', ""), &format!("{{{of_ada}}}"), &format!("urn:uuid:{of_ada}")] {
        failed_in_field(&user(neither).await, &json!(["user"]), "BAD_USER_INPUT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_user_id_argument_accepts_the_uuid_of_a_token() {
    let app = TestApp::new().await;
    let root = app.person("root@example.com", Role::Admin).await;
    let ada = person(&app, "ada@example.com").await;
    let user = root.query("query($id: ID!) { user(id: $id) { databaseId } }", json!({ "id": ada.is.user })).await;
    let uuid = user.field("user")["databaseId"].as_str().unwrap().to_owned();
    for name in ["subjectId", "actorId"] {
        let query = format!("query($id: ID!) {{ auditEvents(filter: {{ {name}: $id }}) {{ nodes {{ id }} }} }}");
        let events = async |id: &str| root.query(&query, json!({ "id": id })).await.field("auditEvents").clone();
        let expected = events(&ada.is.user).await;
        assert!(!expected["nodes"].as_array().unwrap().is_empty(), "{name}");
        assert_eq!(events(&uuid).await, expected, "{name}");
        let nobody = events("0190a8f1-0000-7000-8000-000000000000").await;
        assert_eq!(nobody, events(&id_of(b'U', [7; 16])).await, "{name}");
        failed_in_field(&root.query(&query, json!({ "id": "x" })).await, &json!(["auditEvents"]), "BAD_USER_INPUT");
    }
    for (field, selection) in [
        ("updateUser", "... on UserSaved { user { id } }"),
        ("endUserSessions", "count"),
        ("deleteUser", "... on UserSaved { user { id } }"),
        ("restoreUser", "user { id }"),
    ] {
        let answer = root.change(field, json!({ "id": uuid }), selection).await;
        assert!(!answer.field(field).is_null(), "{field}");
    }
}
