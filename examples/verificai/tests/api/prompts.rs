//! Prompts and their versions.

use serde_json::{Value, json};

use crate::harness::{START, Verificai, code, field, order};

const CREATE: &str = "mutation($input: CreatePromptInput!) { createPrompt(input: $input) { __typename \
    ... on PromptSaved { prompt { id activeVersion } } ... on VerificaiProblem { message code } \
    ... on UnknownPromptVariable { variable } } }";
const ADD: &str = "mutation($id: ID!, $input: PromptVersionInput!) { addPromptVersion(promptId: $id, input: $input) { \
    __typename ... on PromptSaved { prompt { id activeVersion versions { number text } } } \
    ... on UnknownPromptVariable { variable } } }";
const ACTIVATE: &str = "mutation($id: ID!, $version: Int!) { activatePrompt(promptId: $id, version: $version) { \
    prompt { activeVersion active { number text } } } }";
const PREVIEW: &str = "query($id: ID!, $version: Int, $variables: [VariableInput!]!, $code: String!) { \
    previewPrompt(id: $id, version: $version, variables: $variables, code: $code) { __typename \
    ... on PromptPreview { text } ... on UnknownPromptVariable { variable message } } }";

fn version(text: &str, variables: &[&str]) -> Value {
    json!({ "text": text, "variables": variables, "model": "m", "temperature": 0.5 })
}

async fn create(app: &Verificai, token: &str, text: &str, variables: &[&str]) -> Value {
    let input = json!({ "name": "Mine", "kind": "OTHER", "version": version(text, variables) });
    let mut created = app.ask(Some(token), CREATE, json!({ "input": input })).await;
    if created["errors"].is_null() { created["data"]["createPrompt"].take() } else { created }
}

#[tokio::test]
async fn versions_are_kept_and_one_is_active() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = create(&app, &ada, "One {{code}}", &[]).await["prompt"]["id"].clone();
    let added = app.data(&ada, ADD, json!({ "id": id, "input": version("Two {{code}}", &[]) })).await;
    let prompt = &added["addPromptVersion"]["prompt"];
    assert_eq!((&prompt["activeVersion"], &prompt["versions"][0]["number"]), (&json!(1), &json!(2)));
    let start = async |key: &str| {
        let started = app.data(&ada, START, order(id.as_str().unwrap(), key, &[("a.rs", "x")])).await;
        app.analysis(&ada, started["startAnalysis"]["analysis"]["id"].as_str().unwrap()).await["promptVersion"].clone()
    };
    assert_eq!(start("a").await, 1);
    let active = app.data(&ada, ACTIVATE, json!({ "id": id, "version": 2 })).await;
    assert_eq!(active["activatePrompt"]["prompt"]["active"], json!({ "number": 2, "text": "Two {{code}}" }));
    assert_eq!(start("b").await, 2);
    app.data(&ada, ACTIVATE, json!({ "id": id, "version": 1 })).await;
    assert_eq!(start("c").await, 1);
    assert_eq!(field(&app.ask(Some(&ada), ACTIVATE, json!({ "id": id, "version": 3 })).await), "version");
}

#[tokio::test]
async fn a_list_has_the_newest_versions_of_each_prompt() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let (long, short) = (create(&app, &ada, "{{code}}", &[]).await, create(&app, &ada, "{{code}}", &[]).await);
    let id = &long["prompt"]["id"];
    for _ in 2..=25 {
        app.data(&ada, ADD, json!({ "id": id, "input": version("{{code}}", &[]) })).await;
    }
    let list = app.data(&ada, "{ prompts(first: 2) { nodes { id versions { number } } } }", json!({})).await;
    let numbers = |prompt: &Value| -> Vec<_> {
        let nodes = list["prompts"]["nodes"].as_array().unwrap();
        let found = nodes.iter().find(|node| node["id"] == prompt["prompt"]["id"]).unwrap();
        found["versions"].as_array().unwrap().iter().map(|version| version["number"].as_i64().unwrap()).collect()
    };
    assert_eq!(numbers(&long), (6..=25).rev().collect::<Vec<_>>());
    assert_eq!(numbers(&short), [1]);
    let oldest = app.data(&ada, ACTIVATE, json!({ "id": id, "version": 1 })).await;
    assert_eq!(oldest["activatePrompt"]["prompt"]["active"]["number"], 1);
}

#[tokio::test]
async fn an_unknown_variable_gets_a_clear_problem() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let unknown = create(&app, &ada, "{{code}} for {{team}}", &[]).await;
    assert_eq!((&unknown["code"], &unknown["variable"]), (&json!("UNKNOWN_PROMPT_VARIABLE"), &json!("team")));
    for (text, variables, wrong) in [
        ("no code", &[][..], "text"),
        ("", &[], "text"),
        ("{{code}}", &["code"], "variables"),
        ("{{code}}", &["Team"], "variables"),
        ("{{code}}\0", &[], "text"),
        ("{{code}} {{ code }}", &[], "text"),
        (&format!("{{{{code}}}}{}", "{{file}}".repeat(50)), &[], "text"),
    ] {
        assert_eq!(field(&create(&app, &ada, text, variables).await), wrong, "{text}");
    }
    assert_eq!(app.rows("prompts").await, 5, "only the presets");
    let most = format!("{{{{code}}}}{}", "{{file}}".repeat(49));
    assert_eq!(create(&app, &ada, &most, &[]).await["__typename"], "PromptSaved");
}

#[tokio::test]
async fn a_text_from_before_the_limits_cannot_fill_the_memory() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = create(&app, &ada, "{{code}}", &[]).await["prompt"]["id"].clone();
    let old = "{{code}}".repeat(1_250);
    app.run("UPDATE prompt_versions SET text = $1 WHERE text = '{{code}}'", [old.into()]).await;
    let asked = json!({ "id": id, "version": 1, "variables": [], "code": "x".repeat(100) });
    assert_eq!(field(&app.ask(Some(&ada), PREVIEW, asked).await), "code");
    let input = order(id.as_str().unwrap(), "k", &[("a.rs", &"x".repeat(1_000_000))]);
    let started = app.data(&ada, START, input).await;
    assert_eq!(app.work().await, 1);
    let found = app.analysis(&ada, started["startAnalysis"]["analysis"]["id"].as_str().unwrap()).await;
    assert_eq!((&found["status"], &found["attempts"]), (&json!("FAILED"), &json!(1)));
    assert!(found["error"].as_str().unwrap().contains("only once"), "{found}");
}

#[tokio::test]
async fn a_preview_shows_what_the_model_would_read() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id =
        create(&app, &ada, "{{team}}: {{file}} in {{language}}: {{code}}", &["team"]).await["prompt"]["id"].clone();
    let preview = async |variables: Value| {
        let asked = json!({ "id": id, "version": 1, "variables": variables, "code": "{{team}}" });
        app.ask(Some(&ada), PREVIEW, asked).await
    };
    let shown = preview(json!([{ "name": "team", "value": "A" }])).await;
    assert_eq!(shown["data"]["previewPrompt"]["text"], "A: example.rs in Rust: {{team}}", "values are inserted once");
    let unknown = preview(json!([{ "name": "team", "value": "A" }, { "name": "x", "value": "" }])).await;
    assert_eq!(unknown["data"]["previewPrompt"]["variable"], "x");
    assert_eq!(field(&preview(json!([])).await), "variables");
    let long =
        json!({ "id": id, "version": 1, "variables": [{ "name": "team", "value": "A" }], "code": "x".repeat(10_001) });
    assert_eq!(field(&app.ask(Some(&ada), PREVIEW, long).await), "code");
}

#[tokio::test]
async fn prompts_of_others_do_not_exist_and_presets_cannot_be_changed() {
    let app = Verificai::new().await;
    let (ada, bob) = (app.sign_in("ada@example.com").await, app.sign_in("bob@example.com").await);
    let hers = create(&app, &ada, "{{code}}", &[]).await["prompt"]["id"].clone();
    // The cache has it now.
    app.data(&ada, START, order(hers.as_str().unwrap(), "k", &[("a.rs", "x")])).await;
    let preset = json!(app.preset(&bob, "Bug hunt").await);
    assert_eq!(
        code(&app.ask(Some(&bob), "query($id: ID!) { prompt(id: $id) { id } }", json!({ "id": hers })).await),
        "NOT_FOUND"
    );
    let start = order(hers.as_str().unwrap(), "k", &[("a.rs", "x")]);
    assert_eq!(code(&app.ask(Some(&bob), START, start).await), "NOT_FOUND");
    for id in [&hers, &preset] {
        let add = json!({ "id": id, "input": version("{{code}}", &[]) });
        assert_eq!(code(&app.ask(Some(&bob), ADD, add).await), "NOT_FOUND");
        assert_eq!(code(&app.ask(Some(&bob), ACTIVATE, json!({ "id": id, "version": 1 })).await), "NOT_FOUND");
    }
    let list = app.data(&bob, "{ prompts { totalCount nodes { preset } } }", json!({})).await;
    assert_eq!(list["prompts"]["totalCount"], 5);
}
