//! Sessions that are over, and the end of one session by an administrator.

use doorcode::db::entity::Role;
use serde_json::{Value, json};

use super::text;
use crate::{
    harness::{Answer, Client, TestApp},
    oauth::{NOTES, register, sign_in_to},
};

const ENDED: &str = "query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { user(id: $id) { \
    sessions { totalCount } endedSessions(first: $first, after: $after, last: $last, before: $before) { \
    totalCount pageInfo { endCursor hasNextPage } nodes { id endReason endedAt current methods user { email } } } } }";

async fn ended(client: &Client<'_>, user: &str, page: Value) -> Value {
    let mut variables = json!({ "id": user });
    variables.as_object_mut().unwrap().extend(page.as_object().unwrap().clone());
    client.query(ENDED, variables).await.field("user").clone()
}

fn column(user: &Value, name: &str) -> Vec<Value> {
    user["endedSessions"]["nodes"].as_array().unwrap().iter().map(|node| node[name].clone()).collect()
}

async fn end(client: &Client<'_>, session: &str) -> Answer {
    let selection = "session { id endedAt endReason current user { email } }";
    client.change("endUserSession", json!({ "id": session }), selection).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_over_are_listed_with_their_reason() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let mut expected = vec![(ada.signed_in.session.clone(), "SIGNED_OUT")];
    ada.logout().await.field("logout");
    let idle = app.guest().sign_in("ada@example.com").await;
    expected.push((idle.session.clone(), "EXPIRED"));
    app.clock.pass(61.0 * 86_400.0);
    let admin = admin.with_bearer(&app.guest().sign_in("admin@example.com").await.access);
    for reason in ["BY_ADMIN", "ENDED_ELSEWHERE"] {
        app.clock.pass(360.0);
        let session = app.guest().sign_in("ada@example.com").await;
        expected.push((session.session.clone(), reason));
        if reason == "BY_ADMIN" {
            end(&admin, &session.session).await.field("endUserSession");
        } else {
            let other = app.guest().sign_in("ada@example.com").await;
            let client = app.guest().with_bearer(&other.access);
            client.change("endSession", json!({ "id": session.session }), "__typename").await.field("endSession");
        }
    }
    expected.reverse();
    let user = ada.signed_in.user.as_str();
    let found = ended(&admin, user, json!({})).await;
    assert_eq!(found["sessions"]["totalCount"], 1);
    assert_eq!(found["endedSessions"]["totalCount"], expected.len());
    let reasons: Vec<_> = column(&found, "id").into_iter().zip(column(&found, "endReason")).collect();
    let expected: Vec<_> = expected.iter().map(|(id, reason)| (json!(id), json!(reason))).collect();
    assert_eq!(reasons, expected);
    for (reason, at) in column(&found, "endReason").into_iter().zip(column(&found, "endedAt")) {
        assert_eq!(at.is_null(), reason == "EXPIRED", "{reason}");
    }
    assert_eq!(column(&found, "methods"), vec![json!(["EMAIL_CODE"]); 4]);

    // Page by page, in both directions.
    let first = ended(&admin, user, json!({ "first": 3 })).await;
    assert_eq!(column(&first, "id"), column(&found, "id")[..3]);
    let after = json!({ "first": 3, "after": first["endedSessions"]["pageInfo"]["endCursor"] });
    assert_eq!(column(&ended(&admin, user, after).await, "id"), column(&found, "id")[3..]);
    assert_eq!(column(&ended(&admin, user, json!({ "last": 1 })).await, "id"), column(&found, "id")[3..]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_ends_one_session_at_once() {
    let app = TestApp::new().await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let other = app.guest().sign_in("ada@example.com").await;
    let answer = end(&admin, &ada.signed_in.session).await;
    let session = &answer.field("endUserSession")["session"];
    assert_eq!((&session["endReason"], &session["current"]), (&json!("BY_ADMIN"), &json!(false)));
    assert_eq!(session["user"]["email"], "ada@example.com");
    assert_eq!(ada.me().await.status, 401);
    assert_eq!(app.guest().refresh(&ada.signed_in.refresh).await["__typename"], "SessionEnded");
    app.guest().with_bearer(&other.access).me().await.field("me");

    let query = "{ auditEvents(first: 1) { nodes { kind actor { email } subject { email } detail sessionId } } }";
    let answer = admin.query(query, json!({})).await;
    let event = &answer.field("auditEvents")["nodes"][0];
    assert_eq!((&event["kind"], &event["detail"]["reason"]), (&json!("SESSION_ENDED"), &json!("BY_ADMIN")));
    assert_eq!(event["sessionId"], ada.signed_in.session.as_str());
    let emails = [&event["actor"]["email"], &event["subject"]["email"]].map(text);
    assert_eq!(emails, ["admin@example.com", "ada@example.com"]);

    // Again, it changes nothing.
    let again = end(&admin, &ada.signed_in.session).await;
    assert_eq!(again.field("endUserSession")["session"], *session);
    assert_eq!(app.count("audit_events", "kind = 'SESSION_ENDED'").await, 1);
    assert_eq!(end(&admin, &admin.signed_in.user).await.code(), "BAD_USER_INPUT");
    let own = end(&admin, &admin.signed_in.session).await;
    assert_eq!(own.field("endUserSession")["session"]["current"], true);
    assert_eq!(admin.me().await.status, 401, "one's own session, too");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_of_applications_end_with_the_session_they_were_opened_from() {
    let app = TestApp::new().await;
    register(&app).await;
    let admin = app.person("admin@example.com", Role::Admin).await;
    let ada = app.person("ada@example.com", Role::User).await;
    let tokens = sign_in_to(&app.guest(), &ada.signed_in.access, NOTES).await;
    assert_eq!(app.guest().with_bearer(&tokens.access).me().await.status, 200);
    end(&admin, &ada.signed_in.session).await.field("endUserSession");
    assert_eq!(app.guest().with_bearer(&tokens.access).me().await.status, 401);
    assert_eq!(app.count("sessions", "end_reason = 'BY_ADMIN'").await, 2);
    assert_eq!(app.count("audit_events", "kind = 'SESSION_ENDED'").await, 2);
}
