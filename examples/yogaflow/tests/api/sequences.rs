//! Sequences: who sees and changes them, replacing their poses, and favorites.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::{CREATE, UPDATE, Yoga, code, each, field, sequence};

const LIST: &str = "query($source: SequenceSource!, $filter: SequenceFilter, $first: Int, $after: String) { \
    sequences(source: $source, filter: $filter, first: $first, after: $after) { \
    totalCount nodes { id name mine public preset favorite } pageInfo { hasNextPage endCursor } } }";
const READ: &str =
    "query($id: ID!) { sequence(id: $id) { id name seconds mine poses { pose { name } seconds notes } } }";
const DELETE: &str = "mutation($id: ID!) { deleteSequence(id: $id) { sequenceId } }";
const ADD: &str = "mutation($id: ID!) { addFavorite(sequenceId: $id) { sequence { id favorite } } }";
const REMOVE: &str = "mutation($id: ID!) { removeFavorite(sequenceId: $id) { sequenceId } }";

async fn list(yoga: &Yoga, token: &str, source: &str) -> Value {
    yoga.data(token, LIST, json!({ "source": source })).await["sequences"].take()
}

#[tokio::test]
async fn a_private_sequence_of_another_user_looks_like_a_missing_one() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let (private, public) = (yoga.add(&ada, "Mine", false).await, yoga.add(&ada, "Ours", true).await);
    assert_eq!(each(&list(&yoga, &ada, "OWN").await, "name"), ["Ours", "Mine"]);
    assert_eq!(each(&list(&yoga, &bob, "OWN").await, "name"), Vec::<String>::new());
    assert_eq!(each(&list(&yoga, &bob, "PUBLIC").await, "name"), ["Ours"]);
    assert_eq!(yoga.data(&bob, READ, json!({ "id": public })).await["sequence"]["mine"], false);
    assert_eq!(yoga.data(&ada, READ, json!({ "id": private })).await["sequence"]["mine"], true);
    let gone = yoga.add(&ada, "Gone", false).await;
    yoga.data(&ada, DELETE, json!({ "id": gone })).await;
    let missing = yoga.ask(Some(&bob), READ, json!({ "id": gone })).await;
    let foreign = yoga.ask(Some(&bob), READ, json!({ "id": private })).await;
    assert_eq!((code(&foreign), &foreign["errors"][0]["message"]), ("NOT_FOUND", &missing["errors"][0]["message"]));
    // Those that others may read, they still may not change. Presets belong to nobody.
    let preset = yoga.preset(&ada, "Happy Hips").await;
    let input = sequence("Taken", true, &yoga.poses(&ada, &["Tree"]).await);
    for id in [&private, &public, &preset] {
        let calls = [(DELETE, json!({ "id": id })), (UPDATE, json!({ "id": id, "input": input }))];
        for (query, variables) in calls {
            let refused = yoga.ask(Some(&bob), query, variables).await;
            assert_eq!(
                (code(&refused), &refused["errors"][0]["message"]),
                ("NOT_FOUND", &foreign["errors"][0]["message"])
            );
        }
    }
    let start = yoga.ask(Some(&bob), crate::harness::START, json!({ "id": private })).await;
    assert_eq!(code(&start), "NOT_FOUND");
    assert_eq!(code(&yoga.ask(Some(&bob), ADD, json!({ "id": private })).await), "NOT_FOUND");
    assert_eq!((yoga.rows("sequences").await, yoga.rows("user_favorites").await), (10, 0));
}

#[tokio::test]
async fn an_update_replaces_all_poses_or_nothing() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.add(&ada, "Old", false).await;
    let poses = yoga.poses(&ada, &["Plank", "Boat", "Plank"]).await;
    let updated = yoga.data(&ada, UPDATE, json!({ "id": id, "input": sequence("New", true, &poses) })).await;
    let names = |sequence: &Value| {
        let poses = sequence["poses"].as_array().unwrap().iter();
        poses.map(|step| step["pose"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let saved = &updated["updateSequence"]["sequence"];
    assert_eq!((names(saved), &saved["seconds"]), (vec!["Plank".into(), "Boat".into(), "Plank".into()], &json!(90)));
    // The last pose does not exist, which the database finds out after the old ones are deleted.
    let admin = yoga.sign_in_as("admin@example.com", "ADMIN").await;
    let create = "mutation { createPose(input: { name: \"Brief\", category: CORE, difficulty: BEGINNER, \
        description: \"x\" }) { pose { id } } }";
    let brief = yoga.data(&admin, create, json!({})).await["createPose"]["pose"]["id"].as_str().unwrap().to_owned();
    yoga.data(&admin, "mutation($id: ID!) { deletePose(id: $id) { __typename } }", json!({ "id": brief })).await;
    let broken = sequence("Broken", false, &[poses[0].clone(), brief]);
    let refused = yoga.ask(Some(&ada), UPDATE, json!({ "id": id, "input": broken })).await;
    assert_eq!(field(&refused), "poses.poseId");
    assert_eq!(field(&yoga.ask(Some(&ada), CREATE, json!({ "input": broken })).await), "poses.poseId");
    let read = yoga.data(&ada, READ, json!({ "id": id })).await;
    assert_eq!((&read["sequence"]["name"], names(&read["sequence"]).len()), (&json!("New"), 3));
    assert_eq!(yoga.rows("sequences").await, 9);
}

#[tokio::test]
async fn two_updates_at_once_do_not_mix_their_poses() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let id = yoga.add(&ada, "Old", false).await;
    let poses = yoga.poses(&ada, &["Plank", "Boat"]).await;
    let (planks, boats) = (vec![poses[0].clone(); 20], vec![poses[1].clone(); 10]);
    let update = async |poses: &[String]| {
        yoga.data(&ada, UPDATE, json!({ "id": id, "input": sequence("New", false, poses) })).await;
    };
    for _ in 0..5 {
        tokio::join!(update(&planks), update(&boats), update(&planks), update(&boats));
        let read = yoga.data(&ada, READ, json!({ "id": id })).await;
        let steps = read["sequence"]["poses"].as_array().unwrap();
        let first = &steps[0]["pose"]["name"];
        assert!(steps.iter().all(|step| step["pose"]["name"] == *first), "{read}");
        assert_eq!(steps.len(), if *first == "Plank" { 20 } else { 10 });
        assert_eq!(read["sequence"]["seconds"], 30 * steps.len());
    }
}

#[tokio::test]
async fn a_bad_sequence_is_refused_with_the_field() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let poses = yoga.poses(&ada, &["Tree"]).await;
    let with = |name: &str, value: Value| {
        let mut input = sequence("Name", false, &poses);
        input[name] = value;
        json!({ "input": input })
    };
    let step = |id: &str, seconds: i32| json!([{ "poseId": id, "seconds": seconds }]);
    for (name, value, expected) in [
        ("name", json!(""), "name"),
        ("name", json!("é".repeat(81)), "name"),
        ("description", json!("x".repeat(1_001)), "description"),
        ("poses", json!([]), "poses"),
        ("poses", json!(vec![step(&poses[0], 30)[0].clone(); 61]), "poses"),
        ("poses", step(&poses[0], 4), "poses.seconds"),
        ("poses", step(&poses[0], 1_801), "poses.seconds"),
        ("poses", step("nonsense", 30), "poses.poseId"),
    ] {
        let refused = yoga.ask(Some(&ada), CREATE, with(name, value)).await;
        assert_eq!(field(&refused), expected, "{refused}");
    }
    assert_eq!(yoga.rows("sequences").await, 8);
}

#[tokio::test]
async fn a_user_has_at_most_200_sequences() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let poses = yoga.poses(&ada, &["Tree"]).await;
    let create = async || {
        let answer = yoga.data(&ada, CREATE, json!({ "input": sequence("One", false, &poses) })).await;
        answer["createSequence"].clone()
    };
    create().await;
    for number in 0..198_u128 {
        let sql = "INSERT INTO sequences SELECT $1, owner_id, visibility, name, description, difficulty, focus_area, \
            style, seconds, created_at FROM sequences WHERE owner_id IS NOT NULL LIMIT 1";
        yoga.run(sql, [uuid::Uuid::from_u128((0x0198_7000_u128 << 64) + number).into()]).await;
    }
    let answers = join_all((0..8).map(|_| create())).await;
    let (refused, created): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer["sequence"].is_null());
    assert_eq!((created.len(), refused.len()), (1, 7), "{answers:?}");
    for refused in refused {
        assert_eq!((&refused["code"], &refused["limit"]), (&json!("TOO_MANY_SEQUENCES"), &json!(200)));
    }
    assert_eq!(yoga.rows("sequences").await, 208);
    assert_eq!(list(&yoga, &ada, "OWN").await["totalCount"], 200);
}

#[tokio::test]
async fn sequences_are_filtered_and_paged() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let presets = async |filter: Value| {
        let found = yoga.data(&ada, LIST, json!({ "source": "PRESETS", "filter": filter })).await;
        each(&found["sequences"], "name")
    };
    assert_eq!(presets(json!({ "difficulty": "ADVANCED" })).await, ["Primary Taste"]);
    assert_eq!(presets(json!({ "style": "POWER" })).await, ["Core Fire", "Strong Standing"]);
    assert_eq!(presets(json!({ "style": "POWER", "focusArea": "CORE" })).await, ["Core Fire"]);
    let first = yoga.data(&ada, LIST, json!({ "source": "PRESETS", "first": 5 })).await["sequences"].take();
    let after = &first["pageInfo"]["endCursor"];
    let rest =
        yoga.data(&ada, LIST, json!({ "source": "PRESETS", "first": 5, "after": after })).await["sequences"].take();
    assert_eq!((each(&first, "name").len(), each(&rest, "name").len()), (5, 3));
    assert_eq!(rest["pageInfo"]["hasNextPage"], false);
}

#[tokio::test]
async fn favorites_are_idempotent_and_hide_what_became_private() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let id = yoga.add(&ada, "Ours", true).await;
    let add = || yoga.data(&bob, ADD, json!({ "id": id }));
    let (first, second) = tokio::join!(add(), add());
    assert_eq!((&first, &first["addFavorite"]["sequence"]["favorite"]), (&second, &json!(true)));
    assert_eq!(yoga.rows("user_favorites").await, 1);
    assert_eq!(each(&list(&yoga, &bob, "FAVORITES").await, "name"), ["Ours"]);
    assert_eq!(list(&yoga, &ada, "PUBLIC").await["nodes"][0]["favorite"], false, "of another user");
    let input = sequence("Hidden", false, &yoga.poses(&ada, &["Tree"]).await);
    yoga.data(&ada, UPDATE, json!({ "id": id, "input": input })).await;
    assert_eq!(list(&yoga, &bob, "FAVORITES").await["totalCount"], 0);
    for _ in 0..2 {
        yoga.data(&bob, REMOVE, json!({ "id": id })).await;
    }
    assert_eq!(yoga.rows("user_favorites").await, 0);
}
