//! Which caller may use which field. Every field of the application has a row.

use doorcode::domain::user::erase;
use serde_json::json;

use crate::harness::{Yoga, code};

/// Every root field, and the lowest role that may use it. IDs are valid but belong to nothing.
fn fields() -> Vec<(String, &'static str)> {
    let id = |letter: u8| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([&[letter][..], &[0x42; 16]].concat())
    };
    let (pose, sequence, practice) = (id(b'p'), id(b's'), id(b'h'));
    let pose_input = "input: { name: \"x\", category: CORE, difficulty: BEGINNER, description: \"x\" }";
    let sequence_input = format!(
        "input: {{ name: \"x\", difficulty: BEGINNER, focusArea: HIPS, style: YIN, \
         poses: [{{ poseId: \"{pose}\", seconds: 9 }}] }}"
    );
    vec![
        ("{ poses { totalCount nodes { id } } }".into(), "GUEST"),
        (format!("{{ pose(id: \"{pose}\") {{ id }} }}"), "GUEST"),
        ("{ sequences(source: OWN) { totalCount nodes { id mine favorite poses { seconds } } } }".into(), "GUEST"),
        (format!("{{ sequence(id: \"{sequence}\") {{ id }} }}"), "GUEST"),
        ("{ practiceHistory { totalCount nodes { id } } }".into(), "GUEST"),
        ("{ practiceStatistics { currentStreak } }".into(), "GUEST"),
        ("{ practiceCalendar(month: \"2026-06\") { day } }".into(), "GUEST"),
        ("{ achievements { id } }".into(), "GUEST"),
        (format!("mutation {{ createSequence({sequence_input}) {{ __typename }} }}"), "USER"),
        (format!("mutation {{ updateSequence(id: \"{sequence}\", {sequence_input}) {{ __typename }} }}"), "USER"),
        (format!("mutation {{ deleteSequence(id: \"{sequence}\") {{ __typename }} }}"), "USER"),
        (format!("mutation {{ addFavorite(sequenceId: \"{sequence}\") {{ __typename }} }}"), "USER"),
        (format!("mutation {{ removeFavorite(sequenceId: \"{sequence}\") {{ __typename }} }}"), "USER"),
        (format!("mutation {{ startPractice(sequenceId: \"{sequence}\") {{ __typename }} }}"), "USER"),
        (
            format!(
                "mutation {{ finishPractice(input: {{ practiceId: \"{practice}\", seconds: 9 }}) {{ __typename }} }}"
            ),
            "USER",
        ),
        (format!("mutation {{ createPose({pose_input}) {{ __typename }} }}"), "ADMIN"),
        (format!("mutation {{ updatePose(id: \"{pose}\", {pose_input}) {{ __typename }} }}"), "ADMIN"),
        (format!("mutation {{ deletePose(id: \"{pose}\") {{ __typename }} }}"), "ADMIN"),
    ]
}

const ROLES: [&str; 4] = ["GUEST", "USER", "MANAGER", "ADMIN"];

#[tokio::test]
async fn each_field_needs_a_sign_in_and_its_role() {
    let yoga = Yoga::new().await;
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push(yoga.sign_in_as(&format!("{}@example.com", role.to_lowercase()), role).await);
    }
    let rank = |role: &str| ROLES.iter().position(|known| *known == role).unwrap();
    for (document, lowest) in fields() {
        assert_eq!(code(&yoga.ask(None, &document, json!({})).await), "UNAUTHENTICATED", "{document}");
        assert_eq!(code(&yoga.ask(Some("forged"), &document, json!({})).await), "UNAUTHENTICATED", "{document}");
        for role in ROLES {
            let answer = yoga.ask(Some(&tokens[rank(role)]), &document, json!({})).await;
            let is_refused = !answer["errors"].is_null() && code(&answer) == "FORBIDDEN";
            assert_eq!(is_refused, rank(role) < rank(lowest), "{role} {document}: {answer}");
            if !is_refused && !answer["errors"].is_null() {
                assert!(["NOT_FOUND", "BAD_USER_INPUT"].contains(&code(&answer)), "{document}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn the_table_above_has_every_root_field_of_the_application() {
    let yoga = Yoga::new().await;
    let sdl = yogaflow::graphql::api(&yoga.app.ctx).sdl();
    let doorcodes = doorcode::graphql::sdl(true);
    let roots = |sdl: &str| {
        let of = |name: &str| {
            let (_, rest) = sdl.split_once(&format!("type {name} {{")).unwrap();
            let (body, _) = rest.split_once("\n}").unwrap();
            let lines = body.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t\t"));
            let names = lines.filter_map(|line| line.trim().split(['(', ':']).next());
            names
                .filter(|name| name.chars().all(char::is_alphanumeric) && !name.is_empty())
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        [of("Query"), of("Mutation")].concat()
    };
    let known = roots(&doorcodes);
    for field in roots(&sdl).iter().filter(|field| !known.contains(field)) {
        let has = |(document, _): &(String, _)| document.contains(&format!("{{ {field}"));
        assert!(fields().iter().any(has), "no row for {field}");
    }
}

#[tokio::test]
async fn an_id_of_another_type_is_refused() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let me = yoga.data(&ada, "{ me { id } }", json!({})).await["me"]["id"].clone();
    let pose = yoga.poses(&ada, &["Tree"]).await.remove(0);
    let read = "query($id: ID!) { sequence(id: $id) { id } }";
    for id in [me, json!(pose), json!(""), json!("x")] {
        assert_eq!(code(&yoga.ask(Some(&ada), read, json!({ "id": id })).await), "BAD_USER_INPUT", "{id}");
    }
}

#[tokio::test]
async fn erasing_a_user_erases_everything_of_theirs_and_nothing_else() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let (hers, his) = (yoga.add(&ada, "Hers", true).await, yoga.add(&bob, "His", false).await);
    for (token, id) in [(&ada, &hers), (&bob, &hers), (&bob, &his)] {
        yoga.practise(token, id, 60).await;
        let favorite = "mutation($id: ID!) { addFavorite(sequenceId: $id) { __typename } }";
        yoga.data(token, favorite, json!({ "id": id })).await;
    }
    let ctx = &yoga.app.ctx;
    let deleted = "UPDATE users SET status = 'DELETED', deleted_at = $1 WHERE email = 'ada@example.com'";
    yoga.run(deleted, [ctx.now().into()]).await;
    assert_eq!(erase::erase_deleted(ctx, ctx.now()).await.unwrap(), 1);
    let mut left = Vec::new();
    for table in ["sequences", "user_favorites", "practice_sessions", "user_achievements", "poses"] {
        left.push(yoga.rows(table).await);
    }
    assert_eq!(left, [9, 1, 2, 1, 40], "Bob keeps his sequence, its favorite, and both practices");
}
