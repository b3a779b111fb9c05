//! Secrets stay where they belong: a code and the tokens of a sign-in are looked for in everything that the process
//! logs, answers with and stores.

use std::{
    io::Write,
    sync::{Arc, Mutex},
};

use sea_orm::{ConnectionTrait, DbBackend};
use tracing_subscriber::fmt::MakeWriter;

use crate::harness::{SignedIn, TestApp, other_than};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

const TABLES: [&str; 8] =
    ["users", "devices", "sessions", "email_codes", "sign_in_links", "outbox", "audit_events", "signing_keys"];

/// Every value of every column of every row, as text and as bytes.
async fn everything_stored(app: &TestApp) -> Vec<u8> {
    let ctx = app.ctx();
    let mut stored = Vec::new();
    for table in TABLES {
        let sql = if ctx.db.backend() == DbBackend::Postgres {
            format!("SELECT CAST(t AS TEXT) AS line FROM {table} t")
        } else {
            let columns = format!("SELECT name FROM pragma_table_info('{table}')");
            let rows = ctx.db.read().query_all_raw(doorcode::db::statement(ctx.db.backend(), &columns, [])).await;
            let names: Vec<String> = rows.unwrap().iter().map(|row| row.try_get("", "name").unwrap()).collect();
            let quoted: Vec<_> = names.iter().map(|name| format!("quote({name})")).collect();
            format!("SELECT {} AS line FROM {table}", quoted.join(" || ' ' || "))
        };
        for row in ctx.db.read().query_all_raw(doorcode::db::statement(ctx.db.backend(), &sql, [])).await.unwrap() {
            let line: Option<String> = row.try_get("", "line").unwrap();
            stored.extend(line.unwrap_or_default().into_bytes());
            stored.push(b'\n');
        }
    }
    stored
}

/// A secret in every shape that it could be stored in.
fn shapes(secret: &str) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    let mut shapes = vec![secret.to_owned(), hex(secret.as_bytes()), hex(secret.as_bytes()).to_uppercase()];
    if let Ok(raw) = URL_SAFE_NO_PAD.decode(secret)
        && raw.len() >= 16
    {
        shapes.extend([hex(&raw), hex(&raw).to_uppercase()]);
    }
    shapes
}

fn assert_absent(what: &str, haystack: &[u8], secret: &str) {
    let text = String::from_utf8_lossy(haystack);
    for shape in shapes(secret) {
        assert!(!text.contains(&shape), "{what} was found");
    }
}

#[tokio::test]
async fn codes_and_tokens_are_in_no_log_no_table_and_no_other_answer() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let app = TestApp::new().await;
    let guest = app.guest();
    let challenge = guest.challenge("canary@example.com").await;
    let while_queued = everything_stored(&app).await;
    let code = app.last_code_for("canary@example.com").await;
    let wrong = guest.verify_answer(&challenge, &other_than(&code)).await;
    let right = guest.verify_answer(&challenge, &code).await;
    let signed_in = SignedIn::read(right.field("verify"));
    let replay = guest.verify_answer(&challenge, &code).await;
    let next = guest.refresh(&signed_in.refresh).await;
    let next_refresh = next["tokens"]["refreshToken"].as_str().unwrap().to_owned();
    let me = guest.with_bearer(&signed_in.access).me().await;
    // Faults tell nothing either.
    app.sql("ALTER TABLE devices RENAME TO gone").await;
    let fault = guest.login_with(serde_json::json!({ "email": "canary@example.com" })).await;
    assert_eq!(fault.code(), "INTERNAL");
    app.sql("ALTER TABLE gone RENAME TO devices").await;

    let stored = everything_stored(&app).await;
    assert!(stored.len() > 1_000, "something was looked at");
    let logged = captured.0.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&logged).contains("SIGNED_UP"), "logs were captured");
    for (what, secret) in [
        ("the code", &code),
        ("the access token", &signed_in.access),
        ("the refresh token", &signed_in.refresh),
        ("the next refresh token", &next_refresh),
        ("the device token", &signed_in.device),
        ("the challenge", &challenge),
    ] {
        assert_absent(&format!("{what} in a log"), &logged, secret);
        assert_absent(&format!("{what} in a table"), &stored, secret);
        assert_absent(&format!("{what} in a table while queued"), &while_queued, secret);
        for answer in [&wrong, &replay, &me] {
            assert_absent(&format!("{what} in another answer"), answer.text.as_bytes(), secret);
        }
    }
    for word in ["devices", "sqlx", "SELECT", "no such", "src/", "relation"] {
        assert!(!fault.text.contains(word), "{word} in {}", fault.text);
    }
}
