//! Practices: starting and finishing, exactly-once achievements, history, statistics and calendar.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::harness::{FINISH, START, Yoga, code, each, field};

const HISTORY: &str = "query($first: Int, $after: String) { practiceHistory(first: $first, after: $after) { totalCount \
    nodes { id name seconds notes mood sequenceId } pageInfo { hasNextPage endCursor } } }";

#[tokio::test]
async fn a_finished_practice_is_in_the_history_with_its_achievements() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.preset(&ada, "Happy Hips").await;
    let practice = yoga.start(&ada, &id).await;
    assert_eq!(yoga.data(&ada, HISTORY, json!({})).await["practiceHistory"]["totalCount"], 0, "still in progress");
    yoga.pass(TimeDelta::minutes(61));
    let ada = yoga.sign_in("ada@example.com").await;
    let finished = yoga.finish(&ada, &practice, 3_600).await["data"]["finishPractice"].take();
    assert_eq!((&finished["practice"]["seconds"], &finished["practice"]["mood"]), (&json!(3_600), &json!("CALM")));
    let earned = finished["earned"].as_array().unwrap();
    assert_eq!(earned.iter().map(|earned| &earned["name"]).collect::<Vec<_>>(), ["First Steps", "First Hour"]);
    let again = yoga.finish(&ada, &practice, 10).await["data"]["finishPractice"].take();
    assert_eq!(
        (&again["practice"], &again["earned"]),
        (&finished["practice"], &json!([])),
        "repeating changes nothing"
    );
    let history = yoga.data(&ada, HISTORY, json!({})).await;
    let row = json!({ "id": practice, "name": "Happy Hips", "seconds": 3_600, "notes": "Good.", "mood": "CALM", "sequenceId": id });
    assert_eq!(history["practiceHistory"]["nodes"], json!([row]));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_finishes_at_once_give_one_history_row_and_one_badge() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let practice = yoga.start(&ada, &yoga.preset(&ada, "Happy Hips").await).await;
    yoga.pass(TimeDelta::minutes(5));
    let shared = Arc::new((yoga.clone(), ada.clone(), practice));
    let mut finishes = JoinSet::new();
    for _ in 0..64 {
        let shared = Arc::clone(&shared);
        finishes.spawn(async move {
            let (yoga, ada, practice) = &*shared;
            yoga.finish(ada, practice, 300).await
        });
    }
    let (mut done, mut awarded) = (0, 0);
    for answer in finishes.join_all().await {
        // Under this load a request may be refused, and can be repeated.
        if answer["errors"].is_array() {
            assert_eq!(code(&answer), "UNAVAILABLE", "{answer}");
            continue;
        }
        done += 1;
        awarded += answer["data"]["finishPractice"]["earned"].as_array().unwrap().len();
    }
    assert!(done > 0);
    assert_eq!((awarded, yoga.rows("user_achievements").await, yoga.rows("practice_sessions").await), (1, 1, 1));
    assert_eq!(yoga.data(&ada, HISTORY, json!({})).await["practiceHistory"]["totalCount"], 1);
}

#[tokio::test]
async fn starting_again_discards_the_practice_in_progress() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.preset(&ada, "Happy Hips").await;
    let first = yoga.start(&ada, &id).await;
    let second = yoga.start(&ada, &id).await;
    yoga.pass(TimeDelta::minutes(1));
    assert_eq!(code(&yoga.finish(&ada, &first, 60).await), "NOT_FOUND");
    assert_eq!(yoga.finish(&ada, &second, 60).await["data"]["finishPractice"]["practice"]["id"], second);
    // Of many starts at once, one practice remains.
    let starts = (0..8).map(|_| yoga.ask(Some(&ada), START, json!({ "id": id })));
    let answers = futures_util::future::join_all(starts).await;
    assert!(answers.iter().all(|answer| answer["errors"].is_null() || code(answer) == "CONFLICT"), "{answers:?}");
    assert_eq!(yoga.rows("practice_sessions").await, 2);
}

#[tokio::test]
async fn a_practice_cannot_be_longer_than_the_time_since_its_start_or_too_short() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let practice = yoga.start(&ada, &yoga.preset(&ada, "Happy Hips").await).await;
    yoga.pass(TimeDelta::seconds(9));
    let short = yoga.finish(&ada, &practice, 3_600).await["data"]["finishPractice"].take();
    assert_eq!(short["code"], "PRACTICE_TOO_SHORT");
    assert_eq!(code(&yoga.finish(&bob, &practice, 10).await), "NOT_FOUND", "of another user");
    for (name, value) in [
        ("seconds", json!(-1)),
        ("seconds", json!(90_000)),
        ("notes", json!("x".repeat(1_001))),
        ("timeZone", json!("Nowhere/Land")),
        ("practiceId", json!("x")),
    ] {
        let mut input = json!({ "practiceId": practice, "seconds": 10 });
        input[name] = value;
        assert_eq!(field(&yoga.ask(Some(&ada), FINISH, json!({ "input": input })).await), name);
    }
    yoga.pass(TimeDelta::seconds(31));
    let done = yoga.finish(&ada, &practice, 86_400).await["data"]["finishPractice"].take();
    assert_eq!(done["practice"]["seconds"], 40);
}

#[tokio::test]
async fn streaks_and_weeks_follow_the_time_zone() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.preset(&ada, "Happy Hips").await;
    // 23:30 in Berlin on Monday, then 00:30 on Wednesday, which is still Tuesday in UTC.
    yoga.set_time("2026-06-01T21:30:00Z");
    let ada = yoga.sign_in("ada@example.com").await;
    yoga.practise(&ada, &id, 600).await;
    yoga.set_time("2026-06-02T22:30:00Z");
    let ada = yoga.sign_in("ada@example.com").await;
    yoga.practise(&ada, &id, 660).await;
    let query = "query($zone: String!) { practiceStatistics(timeZone: $zone, weeks: 2) { total { practices minutes } \
        currentStreak longestStreak weeks { monday sum { practices minutes } } styles { style practices } } }";
    let statistics =
        async |zone: &str| yoga.data(&ada, query, json!({ "zone": zone })).await["practiceStatistics"].take();
    let utc = statistics("UTC").await;
    assert_eq!((&utc["currentStreak"], &utc["longestStreak"]), (&json!(2), &json!(2)));
    let berlin = statistics("Europe/Berlin").await;
    assert_eq!((&berlin["currentStreak"], &berlin["longestStreak"]), (&json!(1), &json!(1)));
    assert_eq!(berlin["total"], json!({ "practices": 2, "minutes": 21 }));
    let weeks = json!([
        { "monday": "2026-05-25", "sum": { "practices": 0, "minutes": 0 } },
        { "monday": "2026-06-01", "sum": { "practices": 2, "minutes": 21 } },
    ]);
    assert_eq!((&berlin["weeks"], &berlin["styles"]), (&weeks, &json!([{ "style": "YIN", "practices": 2 }])));
    let calendar = "query($month: String!, $zone: String!) { practiceCalendar(month: $month, timeZone: $zone) { \
        day sum { practices } } }";
    let days = async |month: &str, zone: &str| {
        let answer = yoga.data(&ada, calendar, json!({ "month": month, "zone": zone })).await;
        answer["practiceCalendar"]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["day"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(days("2026-06", "Europe/Berlin").await, ["2026-06-01", "2026-06-03"]);
    assert_eq!(days("2026-06", "Asia/Tokyo").await, ["2026-06-02", "2026-06-03"]);
    assert_eq!(days("2026-05", "UTC").await, Vec::<String>::new());
    for month in ["2026-13", "2026", "", "2026-06-01", "-262143-01", "0000-12", "+262142-12"] {
        let wrong = yoga.ask(Some(&ada), calendar, json!({ "month": month, "zone": "UTC" })).await;
        assert_eq!(field(&wrong), "month");
    }
}

#[tokio::test]
async fn achievements_count_days_in_a_row_and_styles() {
    let yoga = Yoga::new().await;
    let mut ada = yoga.sign_in("ada@example.com").await;
    let mut earned = Vec::new();
    for (time, name) in [("02T23:30", "Happy Hips"), ("03T08:00", "Core Fire"), ("04T08:00", "Evening Unwind")] {
        yoga.set_time(&format!("2026-06-{time}:00Z"));
        ada = yoga.sign_in("ada@example.com").await;
        let id = yoga.preset(&ada, name).await;
        earned.push(yoga.practise(&ada, &id, 60).await);
    }
    let expected: [&[&str]; 3] = [&["First Steps"], &[], &["Three in a Row", "Curious"]];
    assert_eq!(earned, expected);
    let found = yoga.data(&ada, "{ achievements { name threshold progress earnedAt } }", json!({})).await;
    let of = |name: &str| {
        let all = found["achievements"].as_array().unwrap();
        all.iter().find(|achievement| achievement["name"] == name).cloned().unwrap()
    };
    assert_eq!((&of("Regular")["progress"], &of("Regular")["earnedAt"]), (&json!(3), &Value::Null));
    assert!(of("Curious")["earnedAt"].is_string());
    // In Berlin, the first two practices are on the same day.
    let berlin = "{ achievements(timeZone: \"Europe/Berlin\") { name progress earnedAt } }";
    let found = yoga.data(&ada, berlin, json!({})).await;
    let streak = found["achievements"].as_array().unwrap().iter().find(|one| one["name"] == "Three in a Row").unwrap();
    assert_eq!((&streak["progress"], streak["earnedAt"].is_string()), (&json!(3), true));
}

#[tokio::test]
async fn the_history_outlives_the_sequence_and_belongs_to_one_user() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let id = yoga.add(&ada, "Ours", true).await;
    yoga.practise(&bob, &id, 60).await;
    yoga.practise(&ada, &id, 60).await;
    yoga.practise(&ada, &id, 60).await;
    yoga.data(&ada, "mutation($id: ID!) { deleteSequence(id: $id) { sequenceId } }", json!({ "id": id })).await;
    let history = yoga.data(&bob, HISTORY, json!({})).await["practiceHistory"].take();
    assert_eq!((each(&history, "name"), &history["nodes"][0]["sequenceId"]), (vec!["Ours".into()], &Value::Null));
    let page = yoga.data(&ada, HISTORY, json!({ "first": 1 })).await["practiceHistory"].take();
    let rest = yoga.data(&ada, HISTORY, json!({ "first": 1, "after": page["pageInfo"]["endCursor"] })).await;
    assert_eq!(each(&rest["practiceHistory"], "name").len(), 1);
    assert_ne!(each(&rest["practiceHistory"], "id"), each(&page, "id"));
    assert_eq!((&page["totalCount"], &rest["practiceHistory"]["pageInfo"]["hasNextPage"]), (&json!(2), &json!(false)));
}
