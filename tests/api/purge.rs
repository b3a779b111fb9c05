//! The hourly purge of expired rows: more rows than one batch, concurrent purges, locked rows, and the indexes it uses.
//! The tests of each feature check which rows are purged, and when.

use std::time::Duration;

use chrono::TimeDelta;
use doorcode::domain::{
    batch::ROWS,
    housekeeping::{self, Purged},
};
use sea_orm::{ConnectionTrait, Statement};

use crate::harness::{TestApp, on_servers};

/// Number of rows for more than two batches.
const MANY: u64 = 2 * ROWS + 10;
const ADDRESS: &str = "'192.0.2.1'";
const NOBODY: &str = "NULL";
const SOMEBODY: &str = "(SELECT id FROM users LIMIT 1)";

/// An application with a user who owns the rows.
async fn app_with_user() -> TestApp {
    let app = TestApp::new().await;
    app.guest().sign_in("ada@example.com").await;
    app
}

/// The time this many days from now, as a SQL literal for the application's database.
fn day(app: &TestApp, days: i64) -> String {
    format!("'{}'", (app.ctx().now() + TimeDelta::days(days)).to_rfc3339())
}

/// Inserts this many rows. Each column has a SQL expression for its value, in which `UUID` and `HASH` stand for new
/// random values.
async fn make(app: &TestApp, number: u64, table: &str, row: &[(&str, &str)]) {
    let (uuid, hash) = if on_servers() {
        ("gen_random_uuid()", "sha256(gen_random_uuid()::text::bytea)")
    } else {
        ("randomblob(16)", "randomblob(32)")
    };
    let columns: Vec<_> = row.iter().map(|(column, _)| *column).collect();
    let values: Vec<_> = row.iter().map(|(_, sql)| sql.replace("UUID", uuid).replace("HASH", hash)).collect();
    app.sql(&format!(
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {number}) \
         INSERT INTO {table} ({}) SELECT {} FROM numbers",
        columns.join(", "),
        values.join(", ")
    ))
    .await;
}

async fn events(app: &TestApp, number: u64, at: i64, address: &str) {
    let at = day(app, at);
    let row = [("id", "UUID"), ("at", &at), ("kind", "'SIGNED_IN'"), ("detail", "'{}'"), ("ip_address", address)];
    make(app, number, "audit_events", &row).await;
}

async fn devices(app: &TestApp, number: u64, used: i64, expires: i64, address: &str) {
    let (used, expires) = (day(app, used), day(app, expires));
    let row = [
        ("id", "UUID"),
        ("user_id", SOMEBODY),
        ("token_hash", "HASH"),
        ("created_at", &used),
        ("last_used_at", &used),
        ("expires_at", &expires),
        ("ip_address", address),
    ];
    make(app, number, "devices", &row).await;
}

/// Inserts sessions. `began`, `seen` and `expires` are in days from now, and `ended` is a SQL expression.
async fn sessions(app: &TestApp, number: u64, (began, seen, expires): (i64, i64, i64), ended: &str, address: &str) {
    let (began, seen, expires) = (day(app, began), day(app, seen), day(app, expires));
    let row = [
        ("id", "UUID"),
        ("user_id", SOMEBODY),
        ("refresh_hash", "HASH"),
        ("created_at", &began),
        ("last_seen_at", &seen),
        ("idle_expires_at", &expires),
        ("expires_at", &expires),
        ("ended_at", ended),
        ("ip_address", address),
    ];
    make(app, number, "sessions", &row).await;
}

/// Inserts codes. `died` is their expiry in days from now, and `tries` the number of wrong codes tried, as SQL.
async fn codes(app: &TestApp, number: u64, died: i64, tries: &str) {
    let died = day(app, died);
    let row = [
        ("id", "UUID"),
        ("handle_hash", "HASH"),
        ("purpose", "'sign_in'"),
        ("address_key", "HASH"),
        ("budget_key", "HASH"),
        ("email", "'ada@example.com'"),
        ("fixed", "FALSE"),
        ("code_hash", "HASH"),
        ("expires_at", &died),
        ("attempts", tries),
        ("units", tries),
        ("attempted_at", if tries == "0" { "NULL" } else { &died }),
        ("created_at", &died),
    ];
    make(app, number, "email_codes", &row).await;
}

async fn letters(app: &TestApp, number: u64, finished: i64) {
    let finished = day(app, finished);
    let row = [
        ("id", "UUID"),
        ("kind", "'code'"),
        ("state", "'SENT'"),
        ("attempts", "1"),
        ("created_at", &finished),
        ("next_attempt_at", &finished),
        ("expires_at", &finished),
        ("finished_at", &finished),
    ];
    make(app, number, "outbox", &row).await;
}

/// Wrong passwords of this many days ago.
async fn wrong_passwords(app: &TestApp, number: u64, days: i64) {
    let at = day(app, -days);
    make(app, number, "password_tries", &[("id", "UUID"), ("budget_key", "HASH"), ("at", &at)]).await;
}

/// Inserts API keys that expire and are revoked in this many days.
async fn api_keys(app: &TestApp, number: u64, died: i64) {
    let (born, died) = (day(app, -400), day(app, died));
    let row = [
        ("id", "UUID"),
        ("user_id", SOMEBODY),
        ("name", "'Key'"),
        ("key_hash", "HASH"),
        ("scopes", "''"),
        ("created_at", &born),
        ("expires_at", &died),
        ("revoked_at", &died),
    ];
    make(app, number, "api_keys", &row).await;
}

/// Inserts authorization codes that expire in this many days.
async fn authorization_codes(app: &TestApp, number: u64, died: i64) {
    let died = day(app, died);
    let row = [
        ("id", "UUID"),
        ("code_hash", "HASH"),
        ("client_id", "'notes'"),
        ("redirect_uri", "'https://notes.example.com/callback'"),
        ("challenge", "HASH"),
        ("session_id", "(SELECT id FROM sessions LIMIT 1)"),
        ("created_at", &died),
        ("expires_at", &died),
    ];
    make(app, number, "authorization_codes", &row).await;
}

/// Inserts sign-in links and email changes. `died` is their expiry in days from now.
async fn links_and_changes(app: &TestApp, number: u64, died: i64) {
    let died = day(app, died);
    let times = [("created_at", died.as_str()), ("expires_at", &died)];
    let link = [("id", "UUID"), ("address_key", "HASH"), ("email", "''"), ("token_hash", "HASH"), ("sealed", "HASH")];
    make(app, number, "sign_in_links", &[link.as_slice(), &times].concat()).await;
    let change =
        [("id", "UUID"), ("user_id", SOMEBODY), ("old_email", "''"), ("new_email", "''"), ("token_hash", "HASH")];
    make(app, number, "email_changes", &[change.as_slice(), &times].concat()).await;
}

/// Runs a purge, and returns its distinct batch statements.
async fn statements(app: &TestApp) -> Vec<Statement> {
    app.take_statements();
    housekeeping::purge(app.ctx()).await.unwrap();
    let mut statements = app.take_statements_and_values();
    statements.retain(|statement| statement.sql.contains(&format!("LIMIT {ROWS}")));
    statements.dedup_by(|one, other| one.sql == other.sql);
    statements
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_batch_of_expired_rows_is_purged_and_nothing_else() {
    let app = app_with_user().await;
    events(&app, MANY, -401, NOBODY).await;
    events(&app, 5, -399, NOBODY).await;
    devices(&app, MANY, -190, -1, NOBODY).await;
    devices(&app, 5, -100, 1, NOBODY).await;
    let ended = day(&app, -31);
    sessions(&app, MANY, (-100, -90, -31), "NULL", NOBODY).await;
    sessions(&app, MANY, (-50, -40, 10), &ended, NOBODY).await;
    sessions(&app, 5, (-50, -40, -29), "NULL", NOBODY).await;
    codes(&app, MANY, -2, "0").await;
    codes(&app, MANY, -2, "1").await;
    codes(&app, MANY, -40, "1").await;
    letters(&app, MANY, -2).await;
    app.take_statements();

    let purged = housekeeping::purge(app.ctx()).await.unwrap();
    let expected = Purged {
        challenges: 2 * MANY,
        mails: MANY,
        sessions: 2 * MANY,
        devices: MANY,
        events: MANY,
        ..Purged::default()
    };
    assert_eq!(purged, expected);
    let deletes = app.take_statements();
    assert_eq!(
        deletes.iter().filter(|sql| sql.starts_with("DELETE FROM audit_events")).count(),
        3,
        "one statement per batch"
    );
    assert_eq!(app.count("audit_events", "kind = 'SIGNED_IN' AND ip_address IS NULL").await, 5);
    assert_eq!(app.count("devices", "ip_address IS NULL").await, 5);
    assert_eq!(app.count("sessions", "ip_address IS NULL").await, 5);
    let many = i64::try_from(MANY).unwrap();
    assert_eq!(
        app.count("email_codes", "email = '' AND units = 1").await,
        many,
        "the guessing budget still counts these codes"
    );
    assert_eq!(app.count("email_codes", "email <> ''").await, 1, "only the session that signed in a moment ago");
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap(), Purged::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_a_batch_of_old_ip_addresses_is_cleared_and_no_other() {
    let app = app_with_user().await;
    events(&app, MANY, -91, ADDRESS).await;
    events(&app, 5, -89, ADDRESS).await;
    devices(&app, MANY, -91, 80, ADDRESS).await;
    devices(&app, 5, -89, 80, ADDRESS).await;
    sessions(&app, MANY, (-95, -91, 1), "NULL", ADDRESS).await;
    sessions(&app, 5, (-95, -89, 1), "NULL", ADDRESS).await;
    housekeeping::purge(app.ctx()).await.unwrap();
    for (table, made) in [("audit_events", "kind = 'SIGNED_IN'"), ("devices", "TRUE"), ("sessions", "TRUE")] {
        assert_eq!(app.count(table, &format!("ip_address = {ADDRESS}")).await, 5, "{table}");
        assert_eq!(
            app.count(table, &format!("{made} AND ip_address IS NULL")).await,
            i64::try_from(MANY).unwrap(),
            "{table}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_purges_share_the_work() {
    let app = app_with_user().await;
    let replica = app.replica().await;
    events(&app, MANY, -401, ADDRESS).await;
    events(&app, MANY, -91, ADDRESS).await;
    sessions(&app, MANY, (-100, -90, -31), "NULL", NOBODY).await;
    let (one, other) = tokio::join!(housekeeping::purge(app.ctx()), housekeeping::purge(&replica.app.ctx));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!((one.events + other.events, one.sessions + other.sessions), (MANY, MANY));
    assert_eq!(app.count("audit_events", &format!("ip_address = {ADDRESS}")).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_row_is_left_to_the_next_purge() {
    if !on_servers() {
        return; // SQLite does not lock rows.
    }
    let app = app_with_user().await;
    events(&app, 10, -401, NOBODY).await;
    let busy = app.ctx().db.begin().await.unwrap();
    busy.execute_unprepared("SELECT id FROM audit_events ORDER BY at LIMIT 1 FOR UPDATE").await.unwrap();
    let purge = housekeeping::purge(app.ctx());
    let purged = tokio::time::timeout(Duration::from_secs(5), purge)
        .await
        .expect("the purge does not wait for the lock")
        .unwrap();
    assert_eq!(purged.events, 9);
    busy.rollback().await.unwrap();
    assert_eq!(housekeeping::purge(app.ctx()).await.unwrap().events, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_finds_rows_by_address_label_through_an_index() {
    let app = app_with_user().await;
    app.sql("UPDATE users SET status = 'DELETED', deleted_at = created_at WHERE email = 'ada@example.com'").await;
    for days in 1..=20 {
        events(&app, 2_000, -20 * days, NOBODY).await;
    }
    if on_servers() {
        app.sql("VACUUM ANALYZE").await;
    }
    app.clock.pass(31.0 * 86_400.0);
    app.take_statements();
    housekeeping::purge(app.ctx()).await.unwrap();
    let mut statements = app.take_statements_and_values();
    statements.retain(|statement| statement.sql.contains("detail ->> 'address'"));
    assert_eq!(statements.len(), 2);
    for statement in &statements {
        let steps = plan(&app, statement).await;
        assert!(steps.iter().any(|step| step.contains("audit_events_address_id_idx")), "{steps:#?}");
    }
}

/// The query plan of a statement, one step per line.
async fn plan(app: &TestApp, statement: &Statement) -> Vec<String> {
    let (prefix, column) = if on_servers() { ("EXPLAIN", "QUERY PLAN") } else { ("EXPLAIN QUERY PLAN", "detail") };
    let explained = Statement { sql: format!("{prefix} {}", statement.sql), ..statement.clone() };
    let rows = app.ctx().db.write().query_all_raw(explained).await.unwrap();
    rows.iter().map(|row| row.try_get("", column).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_purge_statement_uses_an_index() {
    const INDEXES: [(&str, &str); 16] = [
        ("DELETE FROM email_codes WHERE units = 0", "email_codes_forget_idx"),
        ("UPDATE email_codes", "email_codes_forget_idx"),
        ("DELETE FROM email_codes WHERE attempted_at", "email_codes_expires_at_idx"),
        ("DELETE FROM password_tries", "password_tries_at_idx"),
        ("DELETE FROM sign_in_links", "sign_in_links_expires_at_idx"),
        ("DELETE FROM outbox", "outbox_finished_at_idx"),
        ("DELETE FROM sessions WHERE expires_at", "sessions_expires_at_idx"),
        ("DELETE FROM sessions WHERE ended_at", "sessions_ended_at_idx"),
        ("DELETE FROM authorization_codes", "authorization_codes_expires_at_idx"),
        ("DELETE FROM api_keys WHERE expires_at", "api_keys_expires_at_idx"),
        ("DELETE FROM api_keys WHERE revoked_at", "api_keys_revoked_at_idx"),
        ("DELETE FROM devices", "devices_expires_at_idx"),
        ("DELETE FROM email_changes", "email_changes_expires_at_idx"),
        ("DELETE FROM audit_events", "audit_events_statistics_idx"),
        ("UPDATE audit_events", "audit_events_forget_idx"),
        ("UPDATE sessions", "sessions_forget_idx"),
    ];
    let app = app_with_user().await;
    let purge = statements(&app).await;
    // Create enough rows to make a table scan expensive. Most are already cleared, and some are due.
    for days in 1..=20 {
        let address = if days > 5 { NOBODY } else { ADDRESS };
        events(&app, 2_000, -20 * days, address).await;
        devices(&app, 1_000, -9 * days, 180 - 9 * days, address).await;
        let ended = day(&app, -2 * days);
        sessions(&app, 500, (-60, -2 * days, 40), &ended, address).await;
        sessions(&app, 500, (-20 - 3 * days, -20 - 3 * days, 40 - 3 * days), "NULL", address).await;
        wrong_passwords(&app, 500, 2 * days).await;
        codes(&app, 500, -days, "1").await;
        codes(&app, 500, -days, "0").await;
        letters(&app, 1_000, -days).await;
        links_and_changes(&app, 1_000, 10 - days).await;
        api_keys(&app, 500, 100 - 9 * days).await;
        authorization_codes(&app, 500, 10 - days).await;
    }
    if on_servers() {
        app.sql("VACUUM ANALYZE").await;
    }
    for statement in &purge {
        let steps = plan(&app, statement).await;
        let sql = &statement.sql;
        let (start, end) = sql.split_once(" WHERE ").unwrap();
        let index = INDEXES.iter().find(|(named, _)| {
            let (named, by) = named.split_once(" WHERE ").unwrap_or((named, ""));
            start.starts_with(named) && end.contains(by)
        });
        let index = index.map_or("devices_forget_idx", |(_, index)| index);
        assert!(steps.iter().any(|step| step.contains(index)), "{index}: {steps:#?}\n{sql}");
        let whole = steps.iter().any(|step| step.contains("Seq Scan") || step.contains("SCAN "));
        assert!(!whole, "{steps:#?}\n{sql}");
    }
    assert_eq!(purge.len(), INDEXES.len() + 1, "{purge:#?}");
}
