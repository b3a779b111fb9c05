//! Outages of Redis and the database: requests fail quickly, no request skips its rate limit, and the server recovers
//! without a restart.

use std::time::{Duration, Instant};

use doorcode::adapter::limiter::redis::RedisLimiter;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::{
    harness::{Client, SignedIn, TestApp, eventually, on_servers},
    limiter_contract::own_redis::OwnRedis,
};

/// Checks that a login fails with `UNAVAILABLE` within the documented time.
async fn is_unavailable(client: &Client<'_>, email: &str) {
    let start = Instant::now();
    let answer = client.login_with(json!({ "email": email })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, "UNAVAILABLE"));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_outage_blocks_codes_but_not_sessions_and_recovers() {
    let Some(mut redis) = OwnRedis::start(&[]) else { return };
    let app = TestApp::limited_by(Box::new(RedisLimiter::new(&redis.url()).unwrap()), |_| {}).await;
    let guest = app.guest();
    let signed_in = guest.sign_in("redis@example.com").await;
    let challenge = guest.challenge("redis@example.com").await;
    let code = app.last_code_for("redis@example.com").await;
    redis.stop();
    is_unavailable(&guest, "redis@example.com").await;
    assert_eq!(guest.verify_answer(&challenge, &code).await.code(), "UNAVAILABLE");
    assert_eq!(app.count("email_codes", "attempts > 0 AND consumed_at IS NULL").await, 0, "no counter changed");
    assert_eq!(app.count("outbox", "1 = 1").await, 2, "nothing was queued");
    let person = guest.with_bearer(&signed_in.access);
    assert_eq!(person.me().await.field("me")["email"], "redis@example.com");
    assert_eq!(person.refresh(&signed_in.refresh).await["__typename"], "Refreshed");
    assert_eq!(guest.get("/ready").await.status.as_u16(), 503);
    assert_eq!(guest.get("/health").await.status.as_u16(), 200);
    assert!(redis.run());
    eventually("codes are checked again", async || {
        let answer = guest.verify_answer(&challenge, &code).await;
        answer.json["errors"].is_null() && SignedIn::read(answer.field("verify")).access.len() > 100
    })
    .await;
    eventually("the server is ready again once the cached result is a second old", async || {
        guest.get("/ready").await.status.as_u16() == 200
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_tables_are_an_internal_error_without_details() {
    let app = TestApp::new().await;
    let guest = app.guest();
    app.sql("ALTER TABLE audit_events RENAME TO gone").await;
    let answer = guest.login_with(json!({ "email": "fault@example.com" })).await;
    assert_eq!((answer.status.as_u16(), answer.code()), (200, "INTERNAL"));
    assert!(answer.json["errors"][0]["extensions"]["requestId"].is_string());
    assert_eq!(app.count("email_codes", "1 = 1").await, 0, "no partial change is stored");
    assert_eq!(app.count("outbox", "1 = 1").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_signed_in_users_time_out_on_a_silent_database() {
    // SQLite reads never wait, so there is nothing to test.
    if !on_servers() {
        return;
    }
    let app = TestApp::new().await;
    let signed_in = app.guest().sign_in("stalled@example.com").await;
    let person = app.guest().with_bearer(&signed_in.access);
    let lock = app.ctx().db.begin().await.unwrap();
    lock.execute_unprepared("LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for query in ["{ me { email } }", "{ __typename }"] {
        let start = Instant::now();
        let answer = person.query(query, json!({})).await;
        assert_eq!((answer.status.as_u16(), answer.code()), (503, "UNAVAILABLE"), "{query}");
        assert!(start.elapsed() < Duration::from_secs(2), "{query}: {:?}", start.elapsed());
    }
    drop(lock);
    eventually("requests are served again", async || person.me().await.status.as_u16() == 200).await;
}
