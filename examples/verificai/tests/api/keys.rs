//! API keys with the scopes of this application: a CI job starts an analysis and reads its result.

use serde_json::json;

use crate::harness::{READ, START, Verificai, code, order};

#[tokio::test]
async fn a_ci_job_starts_an_analysis_and_reads_the_result_with_a_key() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let key = app.key(&ada, &["ANALYSES_READ", "ANALYSES_WRITE", "PROMPTS_READ"]).await;
    let list =
        app.data(&key, "{ prompts { nodes { id name active { text parameters { temperature } } } } }", json!({})).await;
    assert!(list["prompts"]["nodes"][0]["active"]["text"].is_string());
    let prompt = &app.preset(&key, "Bug hunt").await;
    let started = app.data(&key, START, order(prompt, "commit-1", &[("a.rs", "x.unwrap()")])).await;
    let id = started["startAnalysis"]["analysis"]["id"].as_str().unwrap_or_else(|| panic!("{started}"));
    app.work().await;
    let read = app.data(&key, READ, json!({ "id": id })).await;
    assert_eq!(read["analysis"]["status"], "SUCCEEDED");
    let lists = "{ analyses { totalCount nodes { id result { findings { title } } } } usageByDay { day analyses } }";
    assert_eq!(app.data(&key, lists, json!({})).await["analyses"]["totalCount"], 1);
    let refused = app.data(&key, START, order(prompt, "commit-2", &[("../a.rs", "x")])).await;
    assert_eq!(refused["startAnalysis"]["code"], "FILE_REFUSED");
}

/// Every root field, and the scope that it needs.
fn fields(prompt: &str, analysis: &str) -> Vec<(String, &'static str)> {
    let start = format!(
        "startAnalysis(input: {{ promptId: \"{prompt}\", idempotencyKey: \"x\", files: [{{ name: \"a\", text: \"x\" }}] }})"
    );
    let version = "{ text: \"{{code}}\", model: \"m\" }";
    vec![
        ("{ prompts { nodes { id } } }".into(), "PROMPTS_READ"),
        (format!("{{ prompt(id: \"{prompt}\") {{ name }} }}"), "PROMPTS_READ"),
        (format!("{{ previewPrompt(id: \"{prompt}\") {{ __typename }} }}"), "PROMPTS_READ"),
        (
            format!(
                "mutation {{ createPrompt(input: {{ name: \"x\", kind: BUGS, version: {version} }}) {{ __typename }} }}"
            ),
            "PROMPTS_WRITE",
        ),
        (
            format!("mutation {{ addPromptVersion(promptId: \"{prompt}\", input: {version}) {{ __typename }} }}"),
            "PROMPTS_WRITE",
        ),
        (
            format!("mutation {{ activatePrompt(promptId: \"{prompt}\", version: 1) {{ __typename }} }}"),
            "PROMPTS_WRITE",
        ),
        ("{ analyses { nodes { id } } }".into(), "ANALYSES_READ"),
        (format!("{{ analysis(id: \"{analysis}\") {{ status files {{ name }} }} }}"), "ANALYSES_READ"),
        ("{ usageByDay { day } }".into(), "ANALYSES_READ"),
        (format!("mutation {{ {start} {{ __typename }} }}"), "ANALYSES_WRITE"),
        (format!("mutation {{ cancelAnalysis(id: \"{analysis}\") {{ __typename }} }}"), "ANALYSES_WRITE"),
        ("{ systemSettings { paused } }".into(), "none"),
        ("mutation { changeSystemSettings(input: { paused: true }) { paused } }".into(), "none"),
    ]
}

#[tokio::test]
async fn each_scope_opens_its_own_fields_and_no_others() {
    let app = Verificai::new().await;
    let ada = app.sign_in_as("ada@example.com", "ADMIN").await;
    let (prompt, analysis) = (app.preset(&ada, "Bug hunt").await, app.start_one(&ada, "k").await);
    for scope in ["ANALYSES_READ", "ANALYSES_WRITE", "PROMPTS_READ", "PROMPTS_WRITE", "PROFILE_READ"] {
        let key = app.key(&ada, &[scope]).await;
        for (document, needed) in fields(&prompt, &analysis) {
            let answer = app.ask(Some(&key), &document, json!({})).await;
            let is_refused = !answer["errors"].is_null() && code(&answer) == "INSUFFICIENT_SCOPE";
            assert_eq!(is_refused, scope != needed, "{scope} {document}: {answer}");
        }
    }
    assert!(app.rows("analyses").await <= 2, "only the key with the scope started one");
}

#[tokio::test]
async fn a_key_cannot_do_more_than_its_owner() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let key = app.key(&ada, &["ANALYSES_READ", "ANALYSES_WRITE", "PROMPTS_READ"]).await;
    let prompt = app.preset(&key, "Bug hunt").await;
    app.run("UPDATE users SET role = 'GUEST' WHERE email = $1", ["ada@example.com".into()]).await;
    let start = order(&prompt, "k", &[("a.rs", "x")]);
    assert_eq!(code(&app.ask(Some(&key), START, start).await), "INSUFFICIENT_SCOPE");
    assert!(app.ask(Some(&key), "{ analyses { totalCount } }", json!({})).await["errors"].is_null());
    let wrong = "mutation { createApiKey(input: { name: \"x\", scopes: [\"ANALYSES_DELETE\"] }) { __typename } }";
    let bob = app.sign_in("bob@example.com").await;
    assert_eq!(code(&app.ask(Some(&bob), wrong, json!({})).await), "BAD_USER_INPUT");
}
