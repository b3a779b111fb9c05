//! Lists at 100,000 rows. `cargo nextest run -p yogaflow --run-ignored only --no-capture` prints the times, which include
//! decoding the rows.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend};
use serde_json::json;

use crate::harness::Yoga;

/// Fills the tables. A quarter of the sequences is Ada's, and half of all is public.
async fn fill(yoga: &Yoga, rows: i32) {
    let ctx = &yoga.app.ctx;
    let postgres = ctx.db.backend() == DbBackend::Postgres;
    // Ids are UUIDs v7 whose order is that of the numbers. SQLite stores them as bytes.
    let id = |number: &str| {
        if postgres {
            format!("CAST('01980000-0000-7000-8000-' || lpad(to_hex({number}), 12, '0') AS uuid)")
        } else {
            format!("unhex('0198000000007000800000' || printf('%010x', {number}))")
        }
    };
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})");
    let (user, pose) =
        ("(SELECT id FROM users WHERE email = 'ada@example.com')", "(SELECT id FROM poses WHERE name = 'Tree')");
    let bob = "(SELECT id FROM users WHERE email = 'bob@example.com')";
    let sequences = format!(
        "{numbers} INSERT INTO sequences SELECT {}, CASE WHEN i % 4 = 0 THEN {user} ELSE {bob} END, \
         CASE WHEN i % 2 = 0 THEN 'PUBLIC' ELSE 'PRIVATE' END, 'Sequence', '', 'BEGINNER', 'HIPS', \
         CASE WHEN i % 50 = 0 THEN 'YIN' ELSE 'HATHA' END, 60, '2026-06-01T00:00:00+00:00' FROM n",
        id("i")
    );
    // PostgreSQL limits the time of a statement.
    let steps = |position: u8| {
        format!(
            "INSERT INTO sequence_poses SELECT id, {position}, {pose}, 30, '' FROM sequences WHERE name = 'Sequence'"
        )
    };
    let practices = format!(
        "{numbers} INSERT INTO practice_sessions SELECT {}, CASE WHEN i <= 1000 THEN {user} ELSE {bob} END, NULL, \
         'Sequence', 'YIN', '2026-05-20T10:00:00+00:00', '2026-05-20T10:10:00+00:00', 600, '', NULL FROM n",
        id("i")
    );
    for sql in [sequences, steps(0), steps(1), steps(2), steps(3), practices, "ANALYZE".to_owned()] {
        ctx.db.write().execute_unprepared(&sql).await.unwrap();
    }
}

/// The median time of each list in the database.
async fn times(rows: i32) -> Vec<(String, Duration)> {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    yoga.sign_in("bob@example.com").await;
    fill(&yoga, rows).await;
    let nested = "nodes { id name mine favorite poses { seconds notes pose { id name } } } pageInfo { hasNextPage }";
    let documents = [
        format!("{{ sequences(source: OWN, first: 100) {{ {nested} }} }}"),
        format!("{{ sequences(source: PUBLIC, first: 100) {{ {nested} }} }}"),
        format!("{{ sequences(source: PUBLIC, last: 100) {{ {nested} }} }}"),
        format!("{{ sequences(source: PUBLIC, filter: {{ style: YIN }}, first: 100) {{ {nested} }} }}"),
        "{ practiceHistory(first: 100) { nodes { id name seconds } } }".to_owned(),
        "{ practiceStatistics { currentStreak longestStreak weeks { monday sum { minutes } } } }".to_owned(),
        "{ practiceCalendar(month: \"2026-05\") { day sum { minutes } } }".to_owned(),
    ];
    let mut medians = Vec::new();
    for document in documents {
        yoga.data(&ada, &document, json!({})).await;
        let mut times = Vec::new();
        for _ in 0..7 {
            let before = yoga.spent();
            yoga.data(&ada, &document, json!({})).await;
            times.push(yoga.spent().saturating_sub(before));
        }
        times.sort_unstable();
        medians.push((document, times[3]));
    }
    medians
}

#[tokio::test]
#[ignore = "fills 600,000 rows"]
async fn a_list_takes_as_long_at_100_000_rows_as_at_10_000() {
    let (few, many) = (times(10_000).await, times(100_000).await);
    for ((document, few), (_, many)) in few.iter().zip(&many) {
        println!("{few:>9.2?} {many:>9.2?} {document}");
        assert!(*many < 2 * *few + Duration::from_millis(5), "{few:?} {many:?} {document}");
    }
}
