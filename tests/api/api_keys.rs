//! API keys: their life from `createApiKey` to the purge, and what they can do.

mod application;
mod attacks;
mod life;
mod owner;
mod people;

use serde_json::{Value, json};

use crate::harness::{Answer, Client};

const KEY: &str = "id name prefix scopes createdAt expiresAt lastUsedAt revokedAt";
const CREATED: &str =
    "__typename ... on ApiKeyCreated { key apiKey { id name prefix scopes createdAt expiresAt lastUsedAt revokedAt } }";

/// Creates a key. Returns its text and its ID.
pub(crate) async fn create(owner: &Client<'_>, scopes: &[&str]) -> (String, String) {
    let created = created(owner, json!({ "name": "Robot", "scopes": scopes })).await;
    (created["key"].as_str().unwrap().to_owned(), created["apiKey"]["id"].as_str().unwrap().to_owned())
}

async fn created(owner: &Client<'_>, input: Value) -> Value {
    owner.change("createApiKey", input, CREATED).await.field("createApiKey").clone()
}

async fn rotate(owner: &Client<'_>, id: &str, overlap: i64) -> Answer {
    owner.change("rotateApiKey", json!({ "id": id, "overlapSeconds": overlap }), CREATED).await
}

async fn revoke(owner: &Client<'_>, id: &str) -> Answer {
    owner.change("revokeApiKey", json!({ "id": id }), &format!("apiKey {{ {KEY} }}")).await
}

/// The outcome of `{ me { id } }` with a key: its status.
async fn works(client: &Client<'_>, key: &str) -> bool {
    let answer = client.with_bearer(key).query("{ me { id } }", json!({})).await;
    if answer.status == 200 {
        answer.field("me")["id"].as_str().unwrap();
        return true;
    }
    assert_eq!((answer.status.as_u16(), answer.code()), (401, "UNAUTHENTICATED"), "{}", answer.text);
    assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    false
}
