//! Session lifetimes, refresh limits, and how often a session's time of last use is stored.

use chrono::{DateTime, TimeDelta, Utc};
use doorcode::ports::Clock;
use serde_json::{Value, json};

use super::{is_over, only_session, refreshed, status_of_me};
use crate::harness::TestApp;

const DAY: f64 = 86_400.0;

fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_expires_after_seven_days_without_refresh() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let mut refresh = guest.sign_in("ada@example.com").await.refresh;
    for _ in 0..3 {
        app.clock.pass(7.0 * DAY - 1.0);
        (_, refresh) = refreshed(&guest, &refresh).await;
    }
    app.clock.pass(7.0 * DAY);
    is_over(&guest, &refresh).await;
    assert_eq!(app.count("audit_events", "kind = 'REFRESH_TOKEN_REUSED'").await, 0, "an expired token is not reuse");
}

#[tokio::test(flavor = "multi_thread")]
async fn use_without_refresh_does_not_extend_a_session() {
    let app = TestApp::with(|flags| {
        flags.refresh_idle = Some("10m".into());
        flags.access_ttl = Some("15m".into());
    })
    .await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    for _ in 0..9 {
        app.clock.pass(60.0);
        assert_eq!(status_of_me(&guest, &signed_in.access).await, 200);
    }
    app.clock.pass(60.0);
    assert_eq!(status_of_me(&guest, &signed_in.access).await, 401);
    is_over(&guest, &signed_in.refresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_always_expires_after_thirty_days() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let end = app.clock.now() + TimeDelta::days(30);
    let mut refresh = guest.sign_in("ada@example.com").await.refresh;
    let mut access = String::new();
    for day in (5..30).step_by(5) {
        app.clock.pass(5.0 * DAY);
        let answer = guest.refresh(&refresh).await;
        let expected = (app.clock.now() + TimeDelta::days(7)).min(end);
        assert_eq!(time(&answer["tokens"]["refreshExpiresAt"]), expected, "day {day}");
        answer["tokens"]["refreshToken"].as_str().unwrap().clone_into(&mut refresh);
    }
    app.clock.pass(5.0 * DAY - 300.0);
    let answer = guest.refresh(&refresh).await;
    answer["tokens"]["refreshToken"].as_str().unwrap().clone_into(&mut refresh);
    answer["tokens"]["accessToken"].as_str().unwrap().clone_into(&mut access);
    assert_eq!(time(&answer["tokens"]["expiresAt"]), end, "the access token ends with the session, after five minutes");
    assert_eq!(time(&answer["tokens"]["refreshExpiresAt"]), end);
    app.clock.pass(299.0);
    assert_eq!(status_of_me(&guest, &access).await, 200);
    app.clock.pass(1.0);
    assert_eq!(status_of_me(&guest, &access).await, 401);
    is_over(&guest, &refresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_can_be_refreshed_thirty_times_a_minute_with_an_exact_retry_time() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let other = guest.sign_in("other@example.com").await;
    let mut refresh = signed_in.refresh;
    for _ in 0..30 {
        (_, refresh) = refreshed(&guest, &refresh).await;
        app.clock.pass(0.5);
    }
    let refused = guest.refresh(&refresh).await;
    assert_eq!(refused["__typename"], "RateLimited");
    let retry_at = time(&refused["retryAt"]);
    let left = retry_at - app.clock.now();
    assert!(left > TimeDelta::zero() && left <= TimeDelta::minutes(1), "{left}");
    let seconds = refused["retryAfter"].as_i64().unwrap();
    assert!(TimeDelta::seconds(seconds) >= left && TimeDelta::seconds(seconds - 1) < left, "{seconds} for {left}");
    refreshed(&guest, &other.refresh).await;
    app.clock.set(retry_at - TimeDelta::milliseconds(100));
    assert_eq!(guest.refresh(&refresh).await["__typename"], "RateLimited", "no refresh before the retry time");
    app.clock.set(retry_at);
    refreshed(&guest, &refresh).await;
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 2, "frequent refreshes end no session");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_use_is_written_at_most_once_a_minute() {
    let app = TestApp::new().await;
    let guest = app.guest();
    let signed_in = guest.sign_in("ada@example.com").await;
    let opened = app.clock.now();
    let writes = async |calls: usize| {
        app.take_statements();
        for _ in 0..calls {
            assert_eq!(status_of_me(&guest, &signed_in.access).await, 200);
        }
        let statements = app.take_statements();
        let writes = statements.iter().filter(|sql| sql.starts_with("UPDATE")).count();
        assert_eq!(statements.len() - writes, calls, "each request has one lookup: {statements:?}");
        writes
    };
    for (seconds, expected) in [(0.0, 0), (59.0, 0), (1.0, 1), (0.0, 0), (59.9, 0), (0.1, 1), (300.0, 1)] {
        app.clock.pass(seconds);
        assert_eq!(writes(5).await, expected);
    }
    assert_eq!(only_session(&app).await.last_seen_at, opened + TimeDelta::seconds(420));
    app.clock.pass(-120.0);
    assert_eq!(writes(3).await, 0, "nothing is written when the clock goes back");
    let query = "{ me { sessions(first: 1) { nodes { lastSeenAt current } } } }";
    let answer = guest.with_bearer(&signed_in.access).query(query, json!({})).await;
    let node = &answer.field("me")["sessions"]["nodes"][0];
    assert_eq!((time(&node["lastSeenAt"]), &node["current"]), (opened + TimeDelta::seconds(420), &json!(true)));
}
