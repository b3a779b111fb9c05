//! Which caller may use which field. Every field of the application has a row.

use doorcode::domain::user::erase;
use serde_json::json;

use crate::harness::{Verificai, code};

/// Every root field, and the lowest role that may use it. IDs are valid but belong to nothing.
fn fields() -> Vec<(String, &'static str)> {
    let id = |letter: u8| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([&[letter][..], &[0x42; 16]].concat())
    };
    let (prompt, analysis) = (id(b'p'), id(b'a'));
    let version = "{ text: \"{{code}}\", model: \"m\" }";
    let files = "files: [{ name: \"a\", text: \"x\" }]";
    vec![
        ("{ prompts { totalCount nodes { id active { text } versions { text } } } }".into(), "GUEST"),
        (format!("{{ prompt(id: \"{prompt}\") {{ id }} }}"), "GUEST"),
        (format!("{{ previewPrompt(id: \"{prompt}\") {{ __typename }} }}"), "GUEST"),
        ("{ analyses { totalCount nodes { id files { name } result { model } } } }".into(), "GUEST"),
        (format!("{{ analysis(id: \"{analysis}\") {{ id }} }}"), "GUEST"),
        ("{ usageByDay { day } }".into(), "GUEST"),
        (
            format!(
                "mutation {{ createPrompt(input: {{ name: \"x\", kind: BUGS, version: {version} }}) {{ __typename }} }}"
            ),
            "USER",
        ),
        (format!("mutation {{ addPromptVersion(promptId: \"{prompt}\", input: {version}) {{ __typename }} }}"), "USER"),
        (format!("mutation {{ activatePrompt(promptId: \"{prompt}\", version: 1) {{ __typename }} }}"), "USER"),
        (
            format!(
                "mutation {{ startAnalysis(input: {{ promptId: \"{prompt}\", idempotencyKey: \"k\", {files} }}) \
                 {{ __typename }} }}"
            ),
            "USER",
        ),
        (format!("mutation {{ cancelAnalysis(id: \"{analysis}\") {{ __typename }} }}"), "USER"),
        ("{ systemSettings { paused maxAttempts priceIn priceOut } }".into(), "ADMIN"),
        ("mutation { changeSystemSettings(input: { paused: false }) { paused } }".into(), "ADMIN"),
    ]
}

const ROLES: [&str; 4] = ["GUEST", "USER", "MANAGER", "ADMIN"];

#[tokio::test]
async fn each_field_needs_a_sign_in_and_its_role() {
    let app = Verificai::new().await;
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push(app.sign_in_as(&format!("{}@example.com", role.to_lowercase()), role).await);
    }
    let rank = |role: &str| ROLES.iter().position(|known| *known == role).unwrap();
    for (document, lowest) in fields() {
        assert_eq!(code(&app.ask(None, &document, json!({})).await), "UNAUTHENTICATED", "{document}");
        assert_eq!(code(&app.ask(Some("forged"), &document, json!({})).await), "UNAUTHENTICATED", "{document}");
        for role in ROLES {
            let answer = app.ask(Some(&tokens[rank(role)]), &document, json!({})).await;
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
    let app = Verificai::new().await;
    let sdl = verificai::graphql::api(&app.app.ctx).sdl();
    let doorcodes = doorcode::graphql::sdl(true);
    let roots = |sdl: &str| {
        let of = |name: &str| {
            let (_, rest) = sdl.split_once(&format!("type {name} {{")).unwrap();
            let (body, _) = rest.split_once("\n}").unwrap();
            let lines = body.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t\t"));
            let names = lines.filter_map(|line| line.trim().split(['(', ':']).next());
            let names = names.filter(|name| name.chars().all(char::is_alphanumeric) && !name.is_empty());
            names.map(str::to_owned).collect::<Vec<_>>()
        };
        [of("Query"), of("Mutation")].concat()
    };
    let known = roots(&doorcodes);
    for field in roots(&sdl).iter().filter(|field| !known.contains(field)) {
        assert!(fields().iter().any(|(document, _)| document.contains(&format!("{{ {field}"))), "no row for {field}");
    }
}

#[tokio::test]
async fn an_id_of_another_type_is_refused() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    for id in [json!(prompt), json!(""), json!("x")] {
        let read = app.ask(Some(&ada), "query($id: ID!) { analysis(id: $id) { id } }", json!({ "id": id })).await;
        assert_eq!(code(&read), "BAD_USER_INPUT", "{id}");
    }
}

#[tokio::test]
async fn administrators_pause_workers_and_limit_attempts() {
    let app = Verificai::new().await;
    let root = app.sign_in_as("root@example.com", "ADMIN").await;
    app.start_one(&root, "k").await;
    let change = "mutation($input: ChangeSystemSettingsInput!) { changeSystemSettings(input: $input) { \
        paused maxAttempts priceIn priceOut } }";
    let paused = app.data(&root, change, json!({ "input": { "paused": true, "maxAttempts": 2 } })).await;
    let expected = json!({ "paused": true, "maxAttempts": 2, "priceIn": 0, "priceOut": 0 });
    assert_eq!(paused["changeSystemSettings"], expected);
    assert_eq!(app.work().await, 0);
    assert_eq!(
        app.data(&root, change, json!({ "input": { "paused": false } })).await["changeSystemSettings"]["maxAttempts"],
        2
    );
    assert_eq!(app.work().await, 1);
    for wrong in [json!({ "maxAttempts": 0 }), json!({ "maxAttempts": 21 }), json!({ "priceIn": -1 })] {
        assert_eq!(code(&app.ask(Some(&root), change, json!({ "input": wrong })).await), "BAD_USER_INPUT");
    }
    assert_eq!(app.number("SELECT COUNT(*) FROM system_settings WHERE changed_by IS NOT NULL").await, 2);
}

#[tokio::test]
async fn erasing_a_user_erases_everything_of_theirs_and_nothing_else() {
    let app = Verificai::new().await;
    let (ada, bob) = (app.sign_in("ada@example.com").await, app.sign_in("bob@example.com").await);
    let create = "mutation { createPrompt(input: { name: \"x\", kind: BUGS, version: { text: \"{{code}}\", model: \"m\" } }) \
        { __typename } }";
    for token in [&ada, &bob] {
        app.data(token, create, json!({})).await;
        app.start_one(token, "done").await;
        app.work().await;
        app.start_one(token, "waiting").await;
    }
    let ctx = &app.app.ctx;
    let deleted = "UPDATE users SET status = 'DELETED', deleted_at = $1 WHERE email = 'ada@example.com'";
    app.run(deleted, [ctx.now().into()]).await;
    assert_eq!(erase::erase_deleted(ctx, ctx.now()).await.unwrap(), 1);
    let mut left = Vec::new();
    for table in ["prompts", "prompt_versions", "analyses", "analysis_files", "analysis_texts", "analysis_results"] {
        left.push(app.rows(table).await);
    }
    assert_eq!(left, [6, 6, 2, 2, 1, 1], "Bob keeps his prompt, analyses, the text of one that waits, and result");
}
