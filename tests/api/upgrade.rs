//! Upgrading a database of the schema before passwords, with everything in it that a running server holds: nobody is
//! signed out and nothing is reset. `upgrade/*.sql` are dumps of databases that commit 6140f0f had written to within a
//! minute, and `upgrade/*.json` has the tokens that its clients kept.

use doorcode::{db::migrate, limits::Rule};
use sea_orm::{DbBackend, TransactionTrait};
use serde_json::{Value, json};

use crate::{
    database::{TestDatabase, empty_database_of, every_backend},
    harness::{Client, SignedIn, TestApp, other_than},
};

/// The number of migrations that this version adds to that one's.
const ADDED: u32 = 6;

/// What the clients kept, and a database as that version left it.
async fn earlier(backend: DbBackend) -> (Value, TestDatabase) {
    let (kept, sql) = match backend {
        DbBackend::Postgres => (include_str!("upgrade/postgres.json"), include_str!("upgrade/postgres.sql")),
        _ => (include_str!("upgrade/sqlite.json"), include_str!("upgrade/sqlite.sql")),
    };
    let database = empty_database_of(backend).await;
    load(&database, sql).await;
    (serde_json::from_str(kept).unwrap(), database)
}

/// Runs a dump on a connection of its own, because it changes the settings of its session.
async fn load(database: &TestDatabase, sql: &'static str) {
    use sea_orm::sqlx::{Connection, PgConnection, SqliteConnection, raw_sql};
    if database.url.starts_with("sqlite") {
        let mut connection = SqliteConnection::connect(&database.url).await.unwrap();
        raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    } else {
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }
}

async fn migrate(database: &TestDatabase, to_and_fro: bool) {
    let db = database.connect().await;
    migrate::up(&db).await.unwrap();
    if to_and_fro {
        migrate::down(&db, ADDED).await.unwrap();
        let pending: Vec<_> = migrate::status(&db).await.unwrap().into_iter().filter(|(_, applied)| !applied).collect();
        assert_eq!(pending.len(), usize::try_from(ADDED).unwrap(), "{pending:?}");
        db.write().begin().await.unwrap().rollback().await.unwrap();
        migrate::up(&db).await.unwrap();
    }
    db.close().await.unwrap();
}

/// The upgraded server at the moment of the dump.
async fn upgraded(backend: DbBackend, to_and_fro: bool) -> (Value, TestApp) {
    let (kept, database) = earlier(backend).await;
    migrate(&database, to_and_fro).await;
    let at = kept["at"].as_str().unwrap().parse().unwrap();
    let app = TestApp::from_earlier(database, at, |flags| {
        flags.secret = Some(text(&kept["secret"]));
        for rule in [Rule::SendPair, Rule::SendAddress, Rule::SendNetwork, Rule::VerifyNetwork] {
            flags.limits.insert(rule, "1000/15m".into());
        }
    })
    .await;
    (kept, app)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn kind(value: &Value) -> &str {
    value["__typename"].as_str().unwrap_or_else(|| panic!("{value}"))
}

async fn is_signed_in(app: &TestApp, access: &Value) -> bool {
    let me = app.guest().with_bearer(&text(access)).me().await;
    me.json["errors"].is_null()
}

async fn confirm(person: &Client<'_>, change: &Value, code: &str) -> String {
    let input = json!({ "challenge": change["challenge"], "code": code });
    kind(person.change("confirmEmail", input, "__typename").await.field("confirmEmail")).to_owned()
}

/// What every client kept still works.
async fn assert_nothing_lost(app: &TestApp, kept: &Value) {
    let ada = &kept["ada"];
    for session in ada["sessions"].as_array().unwrap() {
        assert!(is_signed_in(app, &session["access"]).await);
    }
    assert!(is_signed_in(app, &kept["carl"]["access"]).await);
    assert!(!is_signed_in(app, &ada["ended"]["access"]).await, "who signed out stays so");
    assert_eq!(kind(&app.guest().refresh(&text(&ada["ended"]["refresh"])).await), "SessionEnded");

    // The last session signed in a moment ago by mail, so it may change its address.
    let person = app.guest().with_bearer(&text(&ada["sessions"][1]["access"]));
    let change = &kept["change"];
    let code = text(&change["code"]);
    assert_eq!(confirm(&person, change, &other_than(&code)).await, "InvalidCode");
    let sessions = person.query("{ me { email hasPassword sessions { nodes { methods } } } }", json!({})).await;
    let me = sessions.field("me");
    assert_eq!((&me["email"], &me["hasPassword"]), (&json!("ada@example.com"), &json!(false)));
    assert_eq!(me["sessions"]["nodes"], json!([{ "methods": ["EMAIL_CODE"] }, { "methods": ["EMAIL_CODE"] }]));

    // Two attempts of the code are spent, by a device that is still known.
    let guest = app.guest();
    let (challenge, code) = (text(&ada["challenge"]), text(&ada["code"]));
    assert_eq!(app.count("email_codes", "attempts = 2 AND device_id IS NOT NULL").await, 1);
    assert_eq!(SignedIn::read(&guest.verify(&challenge, &code).await).user, text(&ada["sessions"][0]["user"]));
    let devices = app.count("devices", "1 = 1").await;
    let known = guest.with_device(&text(&ada["sessions"][1]["device"]));
    known.sign_in("ada@example.com").await;
    assert_eq!(app.count("devices", "1 = 1").await, devices, "no new device");

    // The refresh token of both sessions, and the earlier one of the second within its grace period.
    for session in ada["sessions"].as_array().unwrap() {
        assert_eq!(kind(&guest.refresh(&text(&session["refresh"])).await), "Refreshed");
    }

    // Room for one more wrong code: 19 of 20 are spent.
    let bob = &kept["bob"];
    let (challenge, code) = (text(&bob["challenge"]), text(&bob["code"]));
    assert_eq!(guest.verify(&challenge, &other_than(&code)).await["attemptsLeft"], 1);
    assert_eq!(kind(&guest.verify(&challenge, &code).await), "RateLimited", "the budget counts on");

    SignedIn::read(&guest.verify_link(&text(&kept["link"])).await);
    let undo = json!({ "token": kept["carl"]["undo"] });
    assert_eq!(
        kind(guest.change("undoEmailChange", undo, "__typename").await.field("undoEmailChange")),
        "EmailChangeUndone"
    );
    assert!(!is_signed_in(app, &kept["carl"]["access"]).await);

    let ada_now = app.guest().sign_in("ada@example.com").await;
    assert_eq!(ada_now.user, text(&ada["sessions"][0]["user"]));
    assert_eq!(confirm(&person, change, &text(&change["code"])).await, "EmailChanged", "the change under way");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_signs_nobody_out_and_resets_nothing() {
    for backend in every_backend() {
        let (kept, app) = upgraded(backend, false).await;
        assert_nothing_lost(&app, &kept).await;
        let (sessions, proofs) = (app.count("sessions", "1 = 1").await, app.count("authentications", "1 = 1").await);
        assert_eq!(sessions, proofs, "each session has its proof");
        assert_eq!(app.count("audit_events", "kind = 'SIGNED_IN' AND session_id IS NULL").await, 0);
        assert_eq!(app.count("audit_events", "(network IS NULL) <> (ip_address IS NULL)").await, 0);
        assert!(app.count("audit_events", "ip_address LIKE '127.0.0._' AND network = '127.0.0.0/24'").await > 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_and_upgrading_again_loses_nothing_either() {
    for backend in every_backend() {
        let (kept, app) = upgraded(backend, true).await;
        assert_nothing_lost(&app, &kept).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn going_back_with_passwords_in_use_keeps_every_session_and_budget() {
    for backend in every_backend() {
        let (kept, app) = upgraded(backend, false).await;
        let guest = app.guest();
        let input = json!({ "email": "new@example.com", "password": "seven otters at noon" });
        let selection = "__typename ... on CodeSent { challenge }";
        for email in ["new@example.com", "other@example.com"] {
            let input = json!({ "email": email, "password": "seven otters at noon" });
            let sent = guest.change("register", input, selection).await;
            let challenge = text(&sent.field("register")["challenge"]);
            let code = app.last_code_for(email).await;
            assert_eq!(guest.verify(&challenge, &other_than(&code)).await["attemptsLeft"], 2);
            if email == "new@example.com" {
                SignedIn::read(&guest.verify(&challenge, &code).await);
            }
        }
        let by_password = guest.change("login", input, "__typename").await;
        assert_eq!(kind(by_password.field("login")), "SignedIn");
        let before = (app.count("sessions", "1 = 1").await, app.count("email_codes", "units > 0").await);
        let db = &app.ctx().db;
        migrate::down(db, ADDED).await.unwrap();
        assert_eq!(app.count("sessions", "method IN ('otp', 'link', 'pwd')").await, before.0);
        assert_eq!(
            app.count("email_codes", "purpose IN ('sign_in', 'change_email')").await,
            app.count("email_codes", "1 = 1").await
        );
        migrate::up(db).await.unwrap();
        assert_eq!((app.count("sessions", "1 = 1").await, app.count("email_codes", "units > 0").await), before);
        assert_eq!(app.count("authentications", "method = 'pwd'").await, 1);
        assert_eq!(app.count("passwords", "1 = 1").await, 0, "a password does not survive the way back");
        assert!(is_signed_in(&app, &kept["ada"]["sessions"][0]["access"]).await);
    }
}
