//! Runs the SQL statements of docs/operate on the real schema. Every statement must work on every database. After the
//! statements for a restored backup or a leaked secret, no earlier token, code or link may work.

use doorcode::limits::Rule;
use std::fs;

use sea_orm::{ConnectionTrait, DbBackend};
use secrecy::SecretString;
use uuid::Uuid;

use crate::{
    database::{every_backend, fresh_database_of},
    harness::{Replica, SignedIn, TestApp},
    tokens::rotation::process_with,
};

/// How SQL statements start. Inline code that starts with another word is not SQL.
const VERBS: [&str; 4] = ["SELECT ", "UPDATE ", "DELETE ", "ALTER TABLE "];

fn page(name: &str) -> String {
    fs::read_to_string(format!("{}/docs/operate/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The text of the pages that contain SQL.
fn documents() -> String {
    page("runbooks.md") + &page("sizing.md")
}

/// Every text between an opening and a closing mark.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |rest| rest.split_once(close).map(|(inner, _)| inner))
}

/// The statements in SQL code blocks, and in inline code that ends with a semicolon.
fn statements(text: &str) -> Vec<String> {
    let blocks = between(text, "```sql\n", "```");
    let inline = text.split('`').filter(|part| part.ends_with(';') && VERBS.iter().any(|verb| part.starts_with(verb)));
    let lines = blocks.chain(inline).flat_map(|sql| sql.lines().chain([";"]));
    let code: Vec<_> = lines.map(|line| line.split("--").next().unwrap()).collect();
    let all = code.join("\n");
    all.split(';').map(str::trim).filter(|sql| !sql.is_empty()).map(str::to_owned).collect()
}

/// The section of the runbooks under a heading.
fn section(heading: &str) -> String {
    let text = page("runbooks.md");
    let from = text.split_once(&format!("# {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}")).1;
    from.split("\n#").next().unwrap().to_owned()
}

/// The statement in the dialect of this database. `None` if it is only for PostgreSQL.
fn for_database(sql: &str, backend: DbBackend) -> Option<String> {
    if backend == DbBackend::Postgres {
        return Some(sql.to_owned());
    }
    let only_postgres = sql.contains("pg_") || sql.starts_with("ALTER TABLE");
    let text = page("runbooks.md");
    let now = between(&text, "For SQLite write `", "` for `now()`").next().expect("what to write for now()");
    (!only_postgres).then(|| sql.replace("now()", now))
}

async fn run(app: &TestApp, heading: &str) {
    let all = statements(&section(heading));
    assert!(!all.is_empty(), "no SQL under {heading}");
    for sql in all {
        app.sql(&for_database(&sql, app.ctx().db.backend()).unwrap()).await;
    }
}

#[tokio::test]
async fn every_runbook_statement_works_on_every_database() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let all: Vec<_> = statements(&documents()).iter().filter_map(|sql| for_database(sql, backend)).collect();
        assert!(!all.is_empty());
        for sql in all {
            let done = db.write().execute_unprepared(&sql).await;
            assert!(done.is_ok(), "{backend:?}: {sql}\n{done:?}");
        }
    }
}

/// Credentials from before the incident.
struct Past {
    signed_in: SignedIn,
    challenge: String,
    code: String,
    link: String,
}

async fn past(app: &TestApp) -> Past {
    let signed_in = app.guest().sign_in("in@example.com").await;
    app.guest().challenge("link@example.com").await;
    app.guest().challenge("link@example.com").await;
    let link = app.last_link_for("link@example.com").await;
    let challenge = app.guest().challenge("code@example.com").await;
    let code = app.last_code_for("code@example.com").await;
    app.guest().challenge("waiting@example.com").await;
    Past { signed_in, challenge, code, link }
}

/// Whether the access token, the refresh token, the code and the link still work.
async fn opens(app: &TestApp, process: &Replica, past: &Past) -> [bool; 4] {
    let client = app.guest().via(process);
    let me = client.with_bearer(&past.signed_in.access).me().await;
    let refreshed = client.refresh(&past.signed_in.refresh).await;
    let verified = client.verify(&past.challenge, &past.code).await;
    let followed = client.verify_link(&past.link).await;
    [
        me.json["errors"].is_null(),
        refreshed["__typename"] == "Refreshed",
        verified["__typename"] == "SignedIn",
        followed["__typename"] == "SignedIn",
    ]
}

async fn app() -> TestApp {
    TestApp::with(|flags| drop(flags.limits.insert(Rule::SendAddressDay, "2/1d".into()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_statements_for_a_restore_no_earlier_credential_works() {
    let app = app().await;
    let past = past(&app).await;
    run(&app, "Restore a backup").await;
    assert_eq!(app.count("signing_keys", "1 = 1").await, 0, "keys that could have leaked are deleted");
    // The SQL uses the database's clock, which is ahead of the test clock.
    app.clock.pass(60.0);
    assert_eq!(
        opens(&app, &app.replica().await, &past).await,
        [false; 4],
        "nothing works, although the secret is the same"
    );
    assert_eq!(app.count("outbox", "state = 'PENDING'").await, 0);

    let control = self::app().await;
    let past = self::past(&control).await;
    control.clock.pass(60.0);
    assert_eq!(
        opens(&control, &control.replica().await, &past).await,
        [true; 4],
        "without the statements, all credentials work"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_statements_for_a_leaked_secret_no_earlier_credential_works() {
    let app = app().await;
    let past = past(&app).await;
    run(&app, "The secret leaked").await;
    let new = SecretString::from(format!("another secret {} {}", Uuid::new_v4(), Uuid::new_v4()));
    let process = process_with(&app, &[&new]).await;
    assert_eq!(opens(&app, &process, &past).await, [false; 4]);
    assert_eq!(app.count("outbox", "state = 'PENDING'").await, 0);
    assert_eq!(app.count("signing_keys", "1 = 1").await, 1, "only the key of the new process");
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 0);
}
