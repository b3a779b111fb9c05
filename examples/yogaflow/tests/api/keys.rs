//! API keys with the scope of this application.

use serde_json::{Value, json};

use crate::harness::{Yoga, code};

async fn key(yoga: &Yoga, token: &str, scopes: &[&str]) -> Value {
    let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename \
        ... on ApiKeyCreated { key } ... on Problem { message } } }";
    yoga.ask(Some(token), create, json!({ "input": { "name": "watch", "scopes": scopes } })).await
}

#[tokio::test]
async fn a_key_with_the_scope_reads_practices_and_nothing_else() {
    let yoga = Yoga::new().await;
    let (ada, bob) = (yoga.sign_in("ada@example.com").await, yoga.sign_in("bob@example.com").await);
    let id = yoga.preset(&ada, "Happy Hips").await;
    yoga.practise(&ada, &id, 60).await;
    let created = key(&yoga, &ada, &["PRACTICE_READ"]).await;
    let secret = created["data"]["createApiKey"]["key"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned();
    let other = key(&yoga, &bob, &["PROFILE_READ"]).await;
    let other = other["data"]["createApiKey"]["key"].as_str().unwrap().to_owned();
    let granted = [
        "{ practiceHistory { totalCount nodes { id name seconds } pageInfo { hasNextPage } } }",
        "{ practiceStatistics { currentStreak weeks { monday sum { minutes } } styles { style practices } } }",
        "{ practiceCalendar(month: \"2026-06\") { day sum { practices } } }",
    ];
    for document in granted {
        let read = yoga.ask(Some(&secret), document, json!({})).await;
        assert!(read["errors"].is_null(), "{read}");
        assert_eq!(code(&yoga.ask(Some(&other), document, json!({})).await), "INSUFFICIENT_SCOPE");
    }
    let history = yoga.ask(Some(&secret), granted[0], json!({})).await;
    assert_eq!(history["data"]["practiceHistory"]["totalCount"], 1);
    for document in [
        "{ poses { totalCount } }".to_owned(),
        "{ sequences(source: OWN) { totalCount } }".to_owned(),
        "{ achievements { id } }".to_owned(),
        "{ practiceHistory { nodes { id } } poses { totalCount } }".to_owned(),
        "{ me { email } }".to_owned(),
        format!("mutation {{ startPractice(sequenceId: \"{id}\") {{ __typename }} }}"),
        format!("mutation {{ addFavorite(sequenceId: \"{id}\") {{ __typename }} }}"),
    ] {
        assert_eq!(code(&yoga.ask(Some(&secret), &document, json!({})).await), "INSUFFICIENT_SCOPE", "{document}");
    }
    assert_eq!((yoga.rows("practice_sessions").await, yoga.rows("user_favorites").await), (1, 0));
}
