//! Trusted documents: a server with a document list runs only the listed documents, by id or by text, over every
//! transport. Unit tests in `src` cover the format of the list.

use std::fs;

use doorcode::{
    graphql,
    settings::{document_id, written},
};
use serde_json::{Value, json};

use crate::{
    contract::refused,
    harness::{Answer, Client, TestApp},
};

const ME: &str = "query Me { me { email } }";
const LOGIN: &str = "mutation Login($input: LoginInput!) { login(input: $input) { __typename } }";
pub(crate) const SUBSCRIPTION: &str = "subscription Told { sessionEnded { id } }";
const LISTED: [&str; 3] = [ME, LOGIN, SUBSCRIPTION];
const UNLISTED: &str = "query Me { me { id } }";

pub(crate) fn id(text: &str) -> String {
    written(&document_id(text))
}

/// An application with a list of trusted documents.
pub(crate) async fn app() -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("documents.json");
    let manifest: serde_json::Map<_, _> = LISTED.iter().map(|text| (id(text), json!(text))).collect();
    fs::write(&file, Value::Object(manifest).to_string()).unwrap();
    TestApp::with(|flags| flags.documents = Some(file.to_str().unwrap().to_owned())).await
}

async fn post(client: &Client<'_>, call: Value) -> Answer {
    client.post(call.to_string()).await
}

/// Adds the id of a document to a request.
fn with(mut call: Value, id: &str) -> Value {
    call["extensions"] = json!({ "persistedQuery": { "version": 1, "sha256Hash": id } });
    call
}

pub(crate) fn by_id(id: &str) -> Value {
    with(json!({}), id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_document_runs_by_id_and_by_text() {
    let app = app().await;
    let guest = app.guest();
    for call in [
        json!({ "query": ME }),
        by_id(&id(ME)),
        json!({ "documentId": id(ME) }),
        json!({ "documentId": format!("sha256:{}", id(ME)) }),
        json!({ "documentId": id(ME), "query": ME }),
        with(json!({ "query": ME, "operationName": "Me" }), &id(ME).to_uppercase()),
    ] {
        assert_eq!(post(&guest, call.clone()).await.json, json!({ "data": { "me": null } }), "{call}");
    }
    let login = with(json!({ "variables": { "input": { "email": "ada@example.com" } } }), &id(LOGIN));
    assert_eq!(post(&guest, login).await.field("login")["__typename"], "CodeSent");
}

#[tokio::test(flavor = "multi_thread")]
async fn unlisted_documents_are_refused_on_every_transport_and_not_stored() {
    let app = app().await;
    let guest = app.guest();
    for _ in 0..2 {
        for call in [
            json!({ "query": UNLISTED }),
            json!({ "query": format!("{ME} ") }),
            json!({ "query": "{ __typename }" }),
            json!({ "query": "{ __schema { types { name } } }" }),
            by_id(&id(UNLISTED)),
            json!({ "documentId": id(UNLISTED) }),
            json!({ "documentId": id(LOGIN), "query": ME }),
            json!({ "documentId": format!("sha1:{}", id(ME)) }),
            json!({ "documentId": [id(ME)] }),
            by_id(""),
            by_id("../../documents.json"),
            by_id(&id(ME)[..63]),
            by_id(&"é".repeat(32)),
            with(json!({ "query": UNLISTED }), &id(UNLISTED)),
            with(json!({ "query": UNLISTED }), &id(ME)),
            with(json!({ "query": ME }), &id(LOGIN)),
            json!({}),
            json!({ "query": null, "extensions": null }),
            json!({ "extensions": { "persistedQuery": id(ME) } }),
        ] {
            refused(&post(&guest, call.clone()).await, 400, "BAD_REQUEST", &call.to_string());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listed_documents_are_subject_to_every_other_bound() {
    let app = app().await;
    let guest = app.guest();
    let call = with(json!({ "operationName": "Other" }), &id(ME));
    refused(&post(&guest, call).await, 422, "GRAPHQL_VALIDATION_FAILED", "another operation");
    let call = by_id(&id(LOGIN));
    refused(&post(&guest, call).await, 422, "BAD_USER_INPUT", "a missing variable");
    let call = with(json!({ "variables": { "input": { "email": 1 } } }), &id(LOGIN));
    refused(&post(&guest, call).await, 422, "BAD_USER_INPUT", "a variable of another type");
    let call = by_id(&id(ME));
    refused(&post(&guest.with_bearer("bad"), call).await, 401, "UNAUTHENTICATED", "a bad bearer");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_of_the_built_in_pages_are_on_every_list() {
    let app = app().await;
    let guest = app.guest();
    let texts: Vec<String> = serde_json::from_str(include_str!("../../web/src/api/operations.json")).unwrap();
    assert!(texts.iter().any(|text| text.starts_with("mutation Login")), "{texts:?}");
    for text in &texts {
        let answer = post(&guest, json!({ "query": text, "variables": { "input": null } })).await;
        assert_ne!(answer.json["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{text}: {}", answer.text);
        let problems = &graphql::validate([text.as_str()])[0].problems;
        assert_eq!(problems.is_empty(), !text.contains("inbox"), "{text}: {problems:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_every_document_runs_and_none_is_stored() {
    let app = TestApp::new().await;
    let guest = app.guest();
    for _ in 0..2 {
        refused(
            &post(&guest, by_id(&id(ME))).await,
            400,
            "BAD_REQUEST",
            "an id alone is refused, because nothing is stored",
        );
        let both = with(json!({ "query": ME }), &id(ME));
        assert_eq!(post(&guest, both).await.field("me"), &Value::Null, "a document with its id runs");
    }
}
