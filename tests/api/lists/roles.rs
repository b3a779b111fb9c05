//! Permissions of lists: which role sees which lists and fields.

use serde_json::{Value, json};

use super::{events, events_answer, seed, signed_in_as, texts, users, users_answer};
use crate::harness::{Client, TestApp};

async fn one_event(client: &Client<'_>, kind: &str) -> Value {
    let query = "query($kinds: [AuditKind!]) { auditEvents(first: 1, filter: { kinds: $kinds }) { nodes { id kind \
                 actor { email } subject { email } ipAddress userAgent requestId detail count } } }";
    client.query(query, json!({ "kinds": [kind] })).await.field("auditEvents")["nodes"][0].clone()
}

async fn own_events(client: &Client<'_>) -> Value {
    let query = "{ me { auditEvents(first: 100) { totalCount nodes { id kind actor { email } subject { email } \
                 ipAddress requestId } } } }";
    client.query(query, json!({})).await.field("me")["auditEvents"].clone()
}

async fn node(client: &Client<'_>, id: &Value) -> crate::harness::Answer {
    client.query("query($id: ID!) { node(id: $id) { __typename id } }", json!({ "id": id })).await
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_for_managers_and_administrators() {
    let app = TestApp::new().await;
    for (role, code) in [("GUEST", "FORBIDDEN"), ("USER", "FORBIDDEN")] {
        let client = signed_in_as(&app, role).await;
        assert_eq!(users_answer(&client, json!({})).await.code(), code);
        assert_eq!(events_answer(&client, json!({})).await.code(), code);
    }
    assert_eq!(users_answer(&app.guest(), json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(events_answer(&app.guest(), json!({})).await.code(), "UNAUTHENTICATED");
    assert_eq!(app.count("audit_events", "kind = 'PERMISSION_DENIED'").await, 2, "the denial is recorded");
    for role in ["MANAGER", "ADMIN"] {
        let client = signed_in_as(&app, role).await;
        users_answer(&client, json!({})).await.field("users");
        events_answer(&client, json!({})).await.field("auditEvents");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_see_deleted_users() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let manager = signed_in_as(&app, "MANAGER").await;
    seed(&app, 10, 1).await;
    let gone = app.guest().sign_in("gone@example.com").await;
    app.sql("UPDATE users SET status = 'DELETED' WHERE email = 'gone@example.com'").await;
    app.sql("UPDATE users SET status = 'ACTIVE', deleted_at = NULL WHERE email <> 'gone@example.com'").await;
    for (client, seen) in [(&admin, 1), (&manager, 0)] {
        for filter in [json!({ "emailPrefix": "gone" }), json!({ "statuses": ["DELETED"] })] {
            let list = users(client, json!({ "filter": filter })).await;
            assert_eq!(
                (list["nodes"].as_array().unwrap().len(), &list["totalCount"]),
                (seen, &json!(seen)),
                "{filter}"
            );
        }
        assert_eq!(users(client, json!({ "first": 100 })).await["totalCount"], 12 + seen);
        let event = one_event(client, "SIGNED_UP").await;
        let expected = if seen == 1 { json!({ "email": "gone@example.com" }) } else { Value::Null };
        assert_eq!((&event["actor"], &event["subject"]), (&expected, &expected), "the event is still listed");
        let id = Value::from(gone.user.clone());
        assert_eq!(node(client, &id).await.json["data"]["node"].is_null(), seen == 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_reveal_nothing_about_hidden_users_to_managers() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    let manager = signed_in_as(&app, "MANAGER").await;
    let gone = app.guest().sign_in("gone@example.com").await;
    let stays = app.guest().sign_in("stays@example.com").await;
    // An event whose actor was deleted afterwards.
    let id = |email: &str| format!("(SELECT id FROM users WHERE email = '{email}')");
    let (by, about) = (id("gone@example.com"), id("stays@example.com"));
    app.sql(&format!("UPDATE audit_events SET actor_id = {by} WHERE subject_id = {about} AND kind = 'SIGNED_UP'"))
        .await;
    let filters = |user: &str| {
        [
            json!({ "subjectId": user }),
            json!({ "actorId": user }),
            json!({ "actorId": user, "subjectId": user, "kinds": ["SIGNED_UP"] }),
            json!({ "actorId": user, "subjectId": stays.user }),
            json!({ "subjectId": user, "from": "2020-01-01T00:00:00Z", "before": "2100-01-01T00:00:00Z" }),
        ]
    };
    for filter in filters(&gone.user) {
        assert_ne!(events(&manager, json!({ "filter": filter })).await["totalCount"], 0, "{filter} matches something");
    }
    let cursor = events(&manager, json!({ "first": 1 })).await["pageInfo"]["endCursor"].clone();
    let invented = "VQcHBwcHBwcHBwcHBwcHBwc";
    for hide in ["UPDATE users SET status = 'DELETED'", "DELETE FROM users"] {
        app.sql(&format!("{hide} WHERE email = 'gone@example.com'")).await;
        for (filter, other) in filters(&gone.user).into_iter().zip(filters(invented)) {
            for page in [json!({ "first": 1 }), json!({ "last": 2 }), json!({ "first": 0 }), json!({ "after": cursor })]
            {
                let with = |filter: &Value| {
                    let mut arguments = page.clone();
                    arguments["filter"] = filter.clone();
                    arguments
                };
                app.take_statements();
                let hidden = events(&manager, with(&filter)).await;
                let statements = app.take_statements();
                assert_eq!((&hidden["totalCount"], &hidden["nodes"]), (&json!(0), &json!([])), "{hide}: {filter}");
                assert_eq!(hidden, events(&manager, with(&other)).await, "{hide}: {filter}");
                assert_eq!(statements, app.take_statements(), "{hide}: {filter}");
            }
            assert_ne!(events(&admin, json!({ "filter": filter })).await["totalCount"], 0, "{hide}: {filter}");
        }
    }
    let all = events(&manager, json!({ "first": 100 })).await;
    assert_eq!(
        all["totalCount"],
        events(&admin, json!({ "first": 100 })).await["totalCount"],
        "the event itself is visible"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_outlives_its_users() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    app.guest().sign_in("erased@example.com").await;
    app.sql("DELETE FROM users WHERE email = 'erased@example.com'").await;
    let event = one_event(&admin, "SIGNED_UP").await;
    assert_eq!((&event["actor"], &event["subject"], &event["count"]), (&Value::Null, &Value::Null, &json!(1)));
    assert_eq!(node(&admin, &event["id"]).await.field("node")["__typename"], "AuditEvent");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_see_their_own_events_but_not_the_other_actors() {
    let app = TestApp::new().await;
    let admin = signed_in_as(&app, "ADMIN").await;
    app.guest().sign_in("ada@example.com").await;
    let ada = app.guest().sign_in("ada@example.com").await;
    let eve = app.guest().sign_in("eve@example.com").await;
    let (ada, eve) = (app.guest().with_bearer(&ada.access), app.guest().with_bearer(&eve.access));
    // Ada's trail contains the administrator's change to her account, but not the administrator's name.
    let literal = "(SELECT id FROM users WHERE email = 'admin@lists.example')";
    let mine = "subject_id = (SELECT id FROM users WHERE email = 'ada@example.com')";
    app.sql(&format!("UPDATE audit_events SET actor_id = {literal} WHERE kind = 'SIGNED_UP' AND {mine}")).await;

    let own = own_events(&ada).await;
    assert_eq!(own["totalCount"], own["nodes"].as_array().unwrap().len());
    assert!(own["totalCount"].as_i64().unwrap() >= 2, "{own}");
    for event in own["nodes"].as_array().unwrap() {
        let by_admin = event["kind"] == "SIGNED_UP";
        assert_eq!(event["subject"]["email"], "ada@example.com");
        assert_eq!(event["actor"].is_null(), by_admin, "{event}");
        assert_eq!(event["ipAddress"].is_null(), by_admin, "{event}");
        assert_eq!(event["requestId"].is_null(), by_admin, "{event}");
        node(&ada, &event["id"]).await.field("node");
        node(&admin, &event["id"]).await.field("node");
        assert_eq!(node(&eve, &event["id"]).await.code(), "NOT_FOUND");
        assert_eq!(node(&app.guest(), &event["id"]).await.code(), "UNAUTHENTICATED");
    }
    let seen = one_event(&admin, "SIGNED_UP").await;
    assert!(seen["ipAddress"].is_string() && seen["actor"]["email"].is_string(), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_reads_the_sessions_devices_and_events_of_all_users() {
    let app = TestApp::new().await;
    let manager = signed_in_as(&app, "MANAGER").await;
    for email in ["a@example.com", "b@example.com"] {
        app.guest().sign_in(email).await;
        app.guest().sign_in(email).await;
    }
    let query = "{ users(filter: { roles: [USER] }, orderBy: { field: EMAIL }) { nodes { email \
                 sessions(first: 1) { totalCount nodes { current user { email } } pageInfo { hasNextPage } } \
                 devices { userAgent } auditEvents(last: 1) { totalCount nodes { kind } pageInfo { hasPreviousPage } } } } }";
    let answer = manager.query(query, json!({})).await;
    let people = &answer.field("users");
    assert_eq!(texts(people, "email"), ["a@example.com", "b@example.com"]);
    for person in people["nodes"].as_array().unwrap() {
        let sessions = &person["sessions"];
        assert_eq!((&sessions["totalCount"], &sessions["pageInfo"]["hasNextPage"]), (&json!(2), &json!(true)));
        assert_eq!(sessions["nodes"], json!([{ "current": false, "user": { "email": person["email"] } }]));
        assert_eq!(person["devices"].as_array().unwrap().len(), 2);
        assert_eq!(person["auditEvents"]["nodes"], json!([{ "kind": "SIGNED_UP" }]), "the oldest event");
        assert_eq!(person["auditEvents"]["pageInfo"]["hasPreviousPage"], true);
    }
}
