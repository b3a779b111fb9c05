//! Poses: searching, filtering, paging, and changes by administrators.

use doorcode::graphql::relay::text_cursor;
use serde_json::{Value, json};

use crate::harness::{Yoga, code, each, field};

const LIST: &str = "query($filter: PoseFilter, $first: Int, $after: String, $last: Int, $before: String) { \
    poses(filter: $filter, first: $first, after: $after, last: $last, before: $before) { \
    totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }";
const SAVE: &str = "mutation($input: PoseInput!) { createPose(input: $input) { pose { id name targetAreas } } }";
const CHANGE: &str =
    "mutation($id: ID!, $input: PoseInput!) { updatePose(id: $id, input: $input) { pose { id name } } }";
const DELETE: &str = "mutation($id: ID!) { deletePose(id: $id) { ... on PoseDeleted { poseId } \
    ... on YogaProblem { message code } ... on PoseInUse { sequences } } }";

fn pose(name: &str) -> Value {
    json!({ "name": name, "category": "SEATED", "difficulty": "ADVANCED", "description": "Sit.",
        "instructions": ["Sit down."], "targetAreas": ["HIPS", "BACK", "HIPS"] })
}

#[tokio::test]
async fn the_catalogue_has_40_poses_8_presets_and_10_achievements() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let query = "{ poses { totalCount } sequences(source: PRESETS) { totalCount nodes { poses { seconds } seconds } } \
        achievements { name progress earnedAt } }";
    let found = yoga.data(&ada, query, json!({})).await;
    assert_eq!((&found["poses"]["totalCount"], &found["sequences"]["totalCount"]), (&json!(40), &json!(8)));
    assert_eq!(found["achievements"].as_array().unwrap().len(), 10);
    for preset in found["sequences"]["nodes"].as_array().unwrap() {
        let poses = preset["poses"].as_array().unwrap().iter().map(|pose| pose["seconds"].as_i64().unwrap());
        assert_eq!(poses.sum::<i64>(), preset["seconds"].as_i64().unwrap());
    }
}

#[tokio::test]
async fn poses_are_searched_and_filtered() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let names = async |filter: Value| {
        let found = yoga.data(&ada, LIST, json!({ "filter": filter, "first": 100 })).await;
        assert_eq!(found["poses"]["totalCount"], each(&found["poses"], "name").len());
        each(&found["poses"], "name")
    };
    assert_eq!(names(json!({ "search": " WARRIOR i " })).await, ["Warrior I", "Warrior II", "Warrior III"]);
    assert_eq!(names(json!({ "search": "vrksasana" })).await, ["Tree"]);
    for pattern in ["%", "_", "\\", "' OR 1=1 --"] {
        assert_eq!(names(json!({ "search": pattern })).await, Vec::<String>::new(), "{pattern}");
    }
    assert_eq!(names(json!({ "category": "CORE" })).await, ["Boat", "Plank"]);
    assert_eq!(names(json!({ "difficulty": "ADVANCED" })).await, ["Crow", "Headstand", "Wheel"]);
    assert_eq!(names(json!({ "difficulty": "ADVANCED", "targetArea": "NECK" })).await, ["Headstand"]);
    assert_eq!(names(json!({ "targetArea": "ANKLES" })).await, ["Tree"]);
    for term in ["a\0", &"x".repeat(81)] {
        assert_eq!(field(&yoga.ask(Some(&ada), LIST, json!({ "filter": { "search": term } })).await), "search");
    }
}

#[tokio::test]
async fn pages_of_poses_cover_each_pose_once_in_both_directions() {
    let yoga = Yoga::new().await;
    let ada = yoga.sign_in("ada@example.com").await;
    let (mut forward, mut after) = (Vec::new(), Value::Null);
    loop {
        let page = yoga.data(&ada, LIST, json!({ "first": 7, "after": after })).await["poses"].take();
        forward.extend(each(&page, "name"));
        after = page["pageInfo"]["endCursor"].clone();
        if page["pageInfo"]["hasNextPage"] == false {
            break;
        }
    }
    let (mut backward, mut before) = (Vec::new(), Value::Null);
    loop {
        let page = yoga.data(&ada, LIST, json!({ "last": 7, "before": before })).await["poses"].take();
        backward.splice(0..0, each(&page, "name"));
        before = page["pageInfo"]["startCursor"].clone();
        if page["pageInfo"]["hasPreviousPage"] == false {
            break;
        }
    }
    let mut sorted = forward.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((forward.len(), &forward, &forward), (40, &sorted, &backward));
    for cursor in ["%%", &text_cursor("a\0")] {
        assert_eq!(field(&yoga.ask(Some(&ada), LIST, json!({ "after": cursor })).await), "after");
    }
    assert_eq!(field(&yoga.ask(Some(&ada), LIST, json!({ "first": 101 })).await), "first");
}

#[tokio::test]
async fn administrators_add_change_and_delete_poses() {
    let yoga = Yoga::new().await;
    let admin = yoga.sign_in_as("admin@example.com", "ADMIN").await;
    let added = yoga.data(&admin, SAVE, json!({ "input": pose("Lotus") })).await;
    assert_eq!(added["createPose"]["pose"]["targetAreas"], json!(["BACK", "HIPS"]));
    let id = added["createPose"]["pose"]["id"].as_str().unwrap();
    let changed = yoga.data(&admin, CHANGE, json!({ "id": id, "input": pose("Full Lotus") })).await;
    assert_eq!(changed["updatePose"]["pose"]["name"], "Full Lotus");
    let read = yoga.data(&admin, "query($id: ID!) { pose(id: $id) { name instructions } }", json!({ "id": id })).await;
    assert_eq!(read["pose"], json!({ "name": "Full Lotus", "instructions": ["Sit down."] }));
    let deleted = yoga.data(&admin, DELETE, json!({ "id": id })).await;
    assert_eq!(deleted["deletePose"]["poseId"], id);
    for (query, variables) in [
        (DELETE, json!({ "id": id })),
        (CHANGE, json!({ "id": id, "input": pose("Gone") })),
        ("query($id: ID!) { pose(id: $id) { name } }", json!({ "id": id })),
    ] {
        assert_eq!(code(&yoga.ask(Some(&admin), query, variables).await), "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_pose_in_use_is_not_deleted_and_a_bad_pose_not_saved() {
    let yoga = Yoga::new().await;
    let admin = yoga.sign_in_as("admin@example.com", "ADMIN").await;
    let tree = yoga.poses(&admin, &["Tree"]).await.remove(0);
    let refused = yoga.data(&admin, DELETE, json!({ "id": tree })).await;
    assert_eq!(
        (&refused["deletePose"]["code"], &refused["deletePose"]["sequences"]),
        (&json!("POSE_IN_USE"), &json!(1))
    );
    let with = |name: &str, value: Value| {
        let mut input = pose("New");
        input[name] = value;
        json!({ "input": input })
    };
    for (name, value) in [
        ("name", json!("Tree")),
        ("name", json!("  ")),
        ("name", json!("x".repeat(81))),
        ("description", json!("a\u{7}b")),
        ("instructions", json!(vec!["Step"; 21])),
        ("benefits", json!([""])),
        ("imageUrls", json!(["javascript:alert(1)"])),
    ] {
        assert_eq!(field(&yoga.ask(Some(&admin), SAVE, with(name, value)).await), name);
    }
    let all = yoga
        .ask(
            Some(&admin),
            SAVE,
            json!({ "input": { "name": "", "category": "CORE", "difficulty": "BEGINNER",
        "description": "" } }),
        )
        .await;
    assert_eq!(all["errors"][0]["extensions"]["problems"].as_array().unwrap().len(), 2, "{all}");
    assert_eq!(yoga.rows("poses").await, 40);
}
