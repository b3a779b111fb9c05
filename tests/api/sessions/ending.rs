//! Ways for users to end sessions: with the access token, with the refresh token, or from another session.

use serde_json::json;

use super::{is_over, log_out_with, refreshed, reuses, status_of_me};
use crate::harness::{Client, TestApp};

async fn end_others(client: &Client<'_>, access: &str) -> i64 {
    let answer = client.with_bearer(access).query("mutation { endOtherSessions { count } }", json!({})).await;
    answer.field("endOtherSessions")["count"].as_i64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_signs_out_without_a_bearer() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let out = log_out_with(&guest, &signed_in.refresh).await;
    assert_eq!((&out["__typename"], &out["sessionId"]), (&json!("LoggedOut"), &json!(signed_in.session)));
    assert_eq!(status_of_me(&guest, &signed_in.access).await, 401);
    is_over(&guest, &signed_in.refresh).await;
    assert_eq!(log_out_with(&guest, &signed_in.refresh).await["__typename"], "SessionEnded", "a second sign-out");
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_OUT'").await, 1);
    assert_eq!(reuses(&app).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_issued_refresh_token_signs_out_and_reuse_is_recorded() {
    let app = TestApp::new().await;
    for generation in 0..3 {
        let guest = app.guest();
        let first = guest.sign_in(&format!("ada{generation}@example.com")).await.refresh;
        let (_, second) = refreshed(&guest, &first).await;
        let (access, third) = refreshed(&guest, &second).await;
        let tokens = [&third, &second, &first];
        assert_eq!(log_out_with(&guest, tokens[generation]).await["__typename"], "LoggedOut");
        assert_eq!(status_of_me(&guest, &access).await, 401);
        is_over(&guest, &third).await;
    }
    assert_eq!((reuses(&app).await, app.count("audit_events", "kind = 'SIGNED_OUT'").await), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_twice_with_a_bearer_is_refused_and_recorded_once() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let person = guest.with_bearer(&signed_in.access);
    assert_eq!(person.logout().await.field("logout")["sessionId"], signed_in.session.as_str());
    let second = person.logout().await;
    assert_eq!((second.status.as_u16(), second.code()), (401, "UNAUTHENTICATED"));
    let anonymous = guest.logout().await;
    assert_eq!((anonymous.status.as_u16(), anonymous.code()), (200, "UNAUTHENTICATED"));
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_OUT'").await, 1);
    assert_eq!(app.count("sessions", "end_reason = 'SIGNED_OUT'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_sign_outs_count_as_one() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let tries = (0..20).map(|_| log_out_with(&guest, &signed_in.refresh));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer["__typename"] == "LoggedOut").count(), 1);
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_OUT'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_concurrent_with_a_sign_out_does_not_keep_the_session_open() {
    for _ in 0..10 {
        let app = TestApp::new().await;
        let guest = app.guest();
        let signed_in = guest.sign_in("ada@example.com").await;
        let person = guest.with_bearer(&signed_in.access);
        let (refreshed, out) = tokio::join!(guest.refresh(&signed_in.refresh), person.logout());
        assert_eq!(out.field("logout")["__typename"], "LoggedOut");
        if let Some(access) = refreshed["tokens"]["accessToken"].as_str() {
            assert_eq!(status_of_me(&guest, access).await, 401);
            is_over(&guest, refreshed["tokens"]["refreshToken"].as_str().unwrap()).await;
        }
        assert_eq!(app.count("sessions", "ended_at IS NULL").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_other_sessions_does_not_affect_other_users() {
    let app = TestApp::new().await;
    let replica = app.replica().await;
    let other = app.guest().sign_in("other@example.com").await;
    let mut mine = Vec::new();
    for _ in 0..3 {
        mine.push(app.guest().sign_in("ada@example.com").await);
    }
    let guest = app.guest();
    assert_eq!(end_others(&guest, &mine[1].access).await, 2);
    for ended in [&mine[0], &mine[2]] {
        assert_eq!(status_of_me(&guest.via(&replica), &ended.access).await, 401);
        is_over(&guest, &ended.refresh).await;
    }
    for alive in [&mine[1], &other] {
        assert_eq!(status_of_me(&guest, &alive.access).await, 200);
        refreshed(&guest, &alive.refresh).await;
    }
    assert_eq!(end_others(&guest, &mine[1].access).await, 0);
    assert_eq!(app.count("audit_events", "kind = 'SESSION_ENDED'").await, 1, "one event names both");
    assert_eq!(app.count("sessions", "end_reason = 'ENDED_ELSEWHERE'").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_only_be_ended_by_its_user() {
    let app = TestApp::new().await;
    let (first, second) = (app.guest().sign_in("ada@example.com").await, app.guest().sign_in("ada@example.com").await);
    let other = app.guest().sign_in("other@example.com").await;
    let guest = app.guest();
    let end = async |access: &str, id: &str| {
        let query = "mutation($input: EndSessionInput!) { endSession(input: $input) { session { id endedAt } } }";
        guest.with_bearer(access).query(query, json!({ "input": { "id": id } })).await
    };
    assert_eq!(
        end(&other.access, &first.session).await.code(),
        "NOT_FOUND",
        "the response does not reveal that the session exists"
    );
    assert_eq!(status_of_me(&guest, &first.access).await, 200);
    for _ in 0..2 {
        let ended = end(&second.access, &first.session).await;
        assert!(ended.field("endSession")["session"]["endedAt"].is_string());
    }
    assert_eq!(status_of_me(&guest, &first.access).await, 401);
    assert_eq!(app.count("audit_events", "kind = 'SESSION_ENDED'").await, 1);
    end(&second.access, &second.session).await.field("endSession");
    assert_eq!(status_of_me(&guest, &second.access).await, 401, "users can also end their current session");
}
