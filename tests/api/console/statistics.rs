//! `auditStatistics`, compared with a naive count of all events, and `mailQueue`.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    db::entity::{Role, audit_events},
    domain::audit::Kind,
    ports::Clock,
    seed,
};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, TestApp};

const STATISTICS: &str = "query($from: DateTime!, $before: DateTime!, $interval: AuditInterval!, $kinds: [AuditKind!]) { \
    auditStatistics(from: $from, before: $before, interval: $interval, kinds: $kinds) { \
    intervals series { kind total counts } } }";

async fn ask(client: &Client<'_>, range: [DateTime<Utc>; 2], interval: &str, kinds: Value) -> Answer {
    let [from, before] = range;
    client.query(STATISTICS, json!({ "from": from, "before": before, "interval": interval, "kinds": kinds })).await
}

/// The occurrences by kind and interval, without zeros.
fn numbers(answer: &Answer) -> BTreeMap<(String, DateTime<Utc>), i64> {
    let found = answer.field("auditStatistics");
    let intervals: Vec<DateTime<Utc>> = serde_json::from_value(found["intervals"].clone()).unwrap();
    let mut numbers = BTreeMap::new();
    for series in found["series"].as_array().unwrap() {
        let counts: Vec<i64> = serde_json::from_value(series["counts"].clone()).unwrap();
        assert_eq!(counts.len(), intervals.len());
        assert_eq!(series["total"], counts.iter().sum::<i64>());
        for (start, count) in intervals.iter().zip(counts).filter(|(_, count)| *count > 0) {
            numbers.insert((series["kind"].as_str().unwrap().to_owned(), *start), count);
        }
    }
    numbers
}

fn naive(
    events: &[audit_events::Model],
    [from, before]: [DateTime<Utc>; 2],
    step: TimeDelta,
    kinds: Option<&[Kind]>,
) -> BTreeMap<(String, DateTime<Utc>), i64> {
    let start = |at: DateTime<Utc>| {
        let seconds = at.timestamp();
        DateTime::from_timestamp(seconds - seconds.rem_euclid(step.num_seconds()), 0).unwrap()
    };
    let last = start(before - TimeDelta::microseconds(1));
    let mut numbers = BTreeMap::new();
    for event in events {
        let at = start(event.at);
        let is_wanted = kinds.is_none_or(|kinds| kinds.iter().any(|kind| kind.as_str() == event.kind));
        if is_wanted && at >= start(from) && at <= last {
            *numbers.entry((event.kind.clone(), at)).or_default() += i64::from(event.count);
        }
    }
    numbers
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_match_a_naive_count() {
    let app = TestApp::new().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    seed::seed(app.ctx(), 300, 1, |_| {}).await.unwrap();
    app.sql("UPDATE audit_events SET count = 7 WHERE kind = 'SIGNED_UP'").await;
    let events = audit_events::Entity::find().all(app.ctx().db.read()).await.unwrap();
    let newest = events.iter().map(|event| event.at).max().unwrap();
    let some = [Kind::SignedUp, Kind::KeyRotated];
    for (interval, step, longest) in [("HOUR", TimeDelta::hours(1), 31), ("DAY", TimeDelta::days(1), 400)] {
        let mut found = 0;
        for back in 0..12 {
            let before = newest + TimeDelta::seconds(1) - TimeDelta::hours(29 * back);
            for days in [1, 3, longest] {
                let range = [before - TimeDelta::days(days), before];
                let answer = ask(&manager, range, interval, Value::Null).await;
                assert_eq!(numbers(&answer), naive(&events, range, step, None), "{interval} {range:?}");
                found += numbers(&answer).len();
                let kinds = json!(some.map(Kind::as_str));
                let answer = ask(&manager, range, interval, kinds).await;
                assert_eq!(numbers(&answer), naive(&events, range, step, Some(&some)), "{interval} {range:?}");
            }
        }
        assert!(found > 100, "{interval}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_interval_of_the_range_is_there_and_whole() {
    let app = TestApp::new().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let intervals = async |from: &str, before: &str, interval: &str| {
        let answer = ask(&manager, [at(from), at(before)], interval, json!([])).await;
        assert_eq!(answer.field("auditStatistics")["series"], json!([]));
        let found = answer.field("auditStatistics")["intervals"].clone();
        serde_json::from_value::<Vec<DateTime<Utc>>>(found).unwrap()
    };
    let hours = intervals("2026-03-01T10:59:59.9Z", "2026-03-01T12:00:00Z", "HOUR").await;
    assert_eq!(hours, ["2026-03-01T10:00:00Z", "2026-03-01T11:00:00Z"].map(at));
    let hours = intervals("2026-03-01T10:00:00Z", "2026-03-01T12:00:00.1Z", "HOUR").await;
    assert_eq!(hours.last(), Some(&at("2026-03-01T12:00:00Z")));
    let days = intervals("2026-02-27T23:00:00-05:00", "2026-03-01T00:00:01Z", "DAY").await;
    assert_eq!(days, ["2026-02-28T00:00:00Z", "2026-03-01T00:00:00Z"].map(at));
    assert_eq!(intervals("2026-01-01T00:30:00Z", "2026-02-01T00:30:00Z", "HOUR").await.len(), 31 * 24 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_or_long_range_is_refused() {
    let app = TestApp::new().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let now = app.clock.now();
    app.take_statements();
    for (interval, range) in [
        ("HOUR", [now, now]),
        ("HOUR", [now, now - TimeDelta::hours(1)]),
        ("HOUR", [now - TimeDelta::days(31) - TimeDelta::seconds(1), now]),
        ("DAY", [now - TimeDelta::days(401), now]),
        ("DAY", [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC]),
    ] {
        let answer = ask(&manager, range, interval, Value::Null).await;
        assert_eq!(answer.code(), "BAD_USER_INPUT", "{}", answer.text);
        assert_eq!(answer.json["errors"][0]["extensions"]["field"], "before");
        assert_eq!(app.take_statements().len(), 1, "only the caller is looked up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mail_queue_has_the_number_and_age_of_emails_that_wait() {
    let app = TestApp::new().await;
    let manager = app.person("manager@example.com", Role::Manager).await;
    let queue = async || {
        let answer = manager.query("{ mailQueue { waiting oldestAgeSeconds } }", json!({})).await;
        answer.field("mailQueue").clone()
    };
    app.drain_outbox().await;
    assert_eq!(queue().await, json!({ "waiting": 0, "oldestAgeSeconds": null }));
    app.guest().login("ada@example.com").await;
    app.clock.pass(90.0);
    app.guest().login("bob@example.com").await;
    assert_eq!(queue().await, json!({ "waiting": 2, "oldestAgeSeconds": 90 }));
}
