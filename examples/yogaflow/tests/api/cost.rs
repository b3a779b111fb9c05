//! The number of SQL statements: constant, however long a list is.

use crate::harness::Yoga;

#[tokio::test]
async fn a_list_takes_the_same_statements_for_one_item_and_for_a_hundred() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let tree = yoga.add(&ada, "First", true).await;
    yoga.practise(&ada, &tree, 60).await;
    let mut last = uuid::Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0000);
    for _ in 0..99 {
        last = uuid::Uuid::from_u128(last.as_u128() + 1);
        let copy = "INSERT INTO sequences SELECT $1, owner_id, visibility, name, description, difficulty, focus_area, \
            style, seconds, created_at FROM sequences WHERE name = 'First' LIMIT 1";
        yoga.run(copy, [last.into()]).await;
        let copy = "INSERT INTO sequence_poses SELECT $1, position, pose_id, seconds, notes FROM sequence_poses \
            WHERE sequence_id = (SELECT id FROM sequences WHERE name = 'First' ORDER BY id DESC LIMIT 1)";
        yoga.run(copy, [last.into()]).await;
        let copy = "INSERT INTO practice_sessions SELECT $1, user_id, sequence_id, name, style, started_at, ended_at, \
            seconds, notes, mood FROM practice_sessions LIMIT 1";
        yoga.run(copy, [last.into()]).await;
    }
    // One statement each, on top of the one that checks the session.
    let nested = "nodes { id name mine favorite poses { seconds notes pose { id name category } } }";
    for (document, statements) in [
        ("{ poses(first: N) { nodes { id name instructions } } }".to_owned(), 2),
        ("{ poses(first: N) { totalCount nodes { id } } }".to_owned(), 3),
        (format!("{{ sequences(source: OWN, first: N) {{ {nested} }} }}"), 5),
        (format!("{{ sequences(source: PUBLIC, first: N) {{ totalCount {nested} }} }}"), 6),
        (format!("{{ sequences(source: FAVORITES, first: N) {{ {} }} }}", "nodes { id }"), 2),
        ("{ practiceHistory(first: N) { nodes { id name } } }".to_owned(), 2),
        ("{ practiceStatistics { currentStreak weeks { monday sum { minutes } } styles { style } } }".to_owned(), 2),
        ("{ practiceCalendar(month: \"2026-06\") { day sum { minutes } } }".to_owned(), 2),
        ("{ achievements { name progress earnedAt } }".to_owned(), 4),
    ] {
        for number in ["1", "100"] {
            let document = document.replace("first: N", &format!("first: {number}"));
            assert_eq!(yoga.cost(&ada, &document).await, statements, "{document}");
        }
    }
}
