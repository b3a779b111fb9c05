//! Tests of the whole application through its router, in process. Each test has its own database: SQLite, or PostgreSQL
//! with `DOORCODE_TEST_STACK=servers`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use doorcode::{
    app::{self, App, Overrides},
    db::migrate,
    domain::{mail::delivery, user::erase},
    http::{self, Server},
    settings::ServeFlags,
};
use http_body_util::BodyExt;
use notes::{graphql, migration::Migrator};
use sea_orm::{ConnectionTrait, Database, DbBackend};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

struct Notes {
    app: App,
    router: Router,
    _folder: TempDir,
}

impl Notes {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Some(folder.path().display().to_string());
        let flags = ServeFlags { data, database_url: postgres().await, ..ServeFlags::default() };
        let app = App::build(app::load(flags).unwrap(), Overrides::default()).await.unwrap();
        app.prepare_with::<Migrator>().await.unwrap();
        let router = http::router(&Server::of(Arc::clone(&app.ctx), graphql::api(&app.ctx)));
        Self { app, router, _folder: folder }
    }

    async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let answer = self.router.clone().oneshot(request).await.unwrap().into_body().collect().await.unwrap();
        serde_json::from_slice(&answer.to_bytes()).unwrap()
    }

    /// Signs in with a code from the inbox. Returns the access token.
    async fn sign_in(&self, email: &str) -> String {
        let login = "mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
        let asked = self.ask(None, login, json!({ "input": { "email": email } })).await;
        while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {}
        let inbox = "query($to: String) { inbox(to: $to, first: 1) { code } }";
        let mail = self.ask(None, inbox, json!({ "to": email })).await;
        let verify = "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { \
            tokens { accessToken } } } }";
        let (challenge, code) = (&asked["data"]["login"]["challenge"], &mail["data"]["inbox"][0]["code"]);
        let done = self.ask(None, verify, json!({ "input": { "challenge": challenge, "code": code } })).await;
        done["data"]["verify"]["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }

    /// Adds a note. Returns its ID.
    async fn add(&self, token: &str, text: &str) -> String {
        let added = self.ask(Some(token), ADD, json!({ "text": text })).await;
        added["data"]["addNote"]["note"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned()
    }

    async fn delete(&self, token: Option<&str>, id: &str) -> Value {
        let query = "mutation($id: ID!) { deleteNote(input: { id: $id }) { noteId } }";
        self.ask(token, query, json!({ "id": id })).await
    }

    /// Lists notes with these arguments.
    async fn list(&self, token: &str, arguments: &str) -> Value {
        let query =
            format!("{{ notes({arguments}) {{ totalCount nodes {{ text }} pageInfo {{ hasNextPage endCursor }} }} }}");
        self.ask(Some(token), &query, json!({})).await["data"]["notes"].clone()
    }

    async fn rows(&self) -> usize {
        let db = &self.app.ctx.db;
        let select = doorcode::db::statement(db.backend(), "SELECT id FROM notes", []);
        db.read().query_all_raw(select).await.unwrap().len()
    }
}

const ADD: &str = "mutation($text: String!) { addNote(input: { text: $text }) { note { id text createdAt } } }";

/// Creates an empty database if the tests run on PostgreSQL. It is gone when `tests/run` stops the server.
async fn postgres() -> Option<String> {
    let server = std::env::var("DOORCODE_TEST_DATABASE_URL").ok()?;
    std::env::var("DOORCODE_TEST_STACK").ok().filter(|stack| stack == "servers")?;
    let name = format!("notes_{}", uuid::Uuid::now_v7().simple());
    let maintenance = Database::connect(&server).await.unwrap();
    maintenance.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}"))
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {answer}"))
}

#[tokio::test]
async fn notes_are_listed_by_page_newest_first() {
    let notes = Notes::new().await;
    let ada = notes.sign_in("ada@example.com").await;
    for text in ["one", "two", "three"] {
        notes.add(&ada, text).await;
    }
    let first = notes.list(&ada, "first: 2").await;
    assert_eq!(first["nodes"], json!([{ "text": "three" }, { "text": "two" }]));
    assert_eq!((&first["totalCount"], &first["pageInfo"]["hasNextPage"]), (&json!(3), &json!(true)));
    let rest = notes.list(&ada, &format!("first: 2, after: {}", first["pageInfo"]["endCursor"])).await;
    assert_eq!(rest["nodes"], json!([{ "text": "one" }]));
    assert_eq!(notes.list(&ada, "last: 1").await["nodes"], json!([{ "text": "one" }]));
    assert_eq!(notes.ask(Some(&ada), "{ me { email } }", json!({})).await["data"]["me"]["email"], "ada@example.com");
}

#[tokio::test]
async fn a_note_of_another_user_looks_like_a_missing_one() {
    let notes = Notes::new().await;
    let (ada, bob) = (notes.sign_in("ada@example.com").await, notes.sign_in("bob@example.com").await);
    let id = notes.add(&ada, "mine").await;
    assert_eq!(notes.list(&bob, "first: 9").await["totalCount"], 0);
    let foreign = notes.delete(Some(&bob), &id).await;
    assert_eq!(code(&foreign), "NOT_FOUND");
    assert_eq!(notes.list(&ada, "first: 9").await["totalCount"], 1, "the note still exists");
    assert_eq!(notes.delete(Some(&ada), &id).await["data"]["deleteNote"]["noteId"], id.as_str());
    let gone = notes.delete(Some(&ada), &id).await;
    assert_eq!(gone["errors"][0]["message"], foreign["errors"][0]["message"]);
    assert_eq!(notes.list(&ada, "first: 9").await["totalCount"], 0);
}

#[tokio::test]
async fn notes_need_a_sign_in() {
    let notes = Notes::new().await;
    assert_eq!(code(&notes.ask(None, "{ notes { totalCount } }", json!({})).await), "UNAUTHENTICATED");
    assert_eq!(code(&notes.ask(None, ADD, json!({ "text": "x" })).await), "UNAUTHENTICATED");
    assert_eq!(code(&notes.delete(None, "x").await), "UNAUTHENTICATED");
    assert_eq!(code(&notes.ask(Some("x"), "{ notes { totalCount } }", json!({})).await), "UNAUTHENTICATED");
    assert_eq!(notes.rows().await, 0);
}

#[tokio::test]
async fn input_and_documents_have_doorcodes_errors_and_limits() {
    let notes = Notes::new().await;
    let ada = notes.sign_in("ada@example.com").await;
    for text in ["", "  ", "é".repeat(2_001).as_str()] {
        let answer = notes.ask(Some(&ada), ADD, json!({ "text": text })).await;
        assert_eq!((code(&answer), &answer["errors"][0]["extensions"]["field"]), ("BAD_USER_INPUT", &json!("text")));
    }
    let me = notes.ask(Some(&ada), "{ me { id } }", json!({})).await["data"]["me"]["id"].as_str().unwrap().to_owned();
    assert_eq!(code(&notes.delete(Some(&ada), &me).await), "BAD_USER_INPUT", "an ID of Doorcode");
    let note = notes.add(&ada, "note").await;
    let node = notes.ask(Some(&ada), "query($id: ID!) { node(id: $id) { id } }", json!({ "id": note })).await;
    assert_eq!(code(&node), "BAD_USER_INPUT", "`node` does not know IDs of the application");
    let many: Vec<_> = (0..450).map(|number| format!("t{number}: text")).collect();
    let many = format!("{{ notes(first: 100) {{ nodes {{ {} }} }} }}", many.join(" "));
    assert_eq!(code(&notes.ask(Some(&ada), &many, json!({})).await), "DOCUMENT_TOO_LARGE", "too many fields");
    let two = "mutation { a: addNote(input: { text: \"a\" }) { note { id } } b: addNote(input: { text: \"b\" }) { note { id } } }";
    assert_eq!(code(&notes.ask(Some(&ada), two, json!({})).await), "DOCUMENT_TOO_LARGE");
}

#[tokio::test]
async fn a_guest_can_read_but_not_write() {
    let notes = Notes::new().await;
    let ada = notes.sign_in("ada@example.com").await;
    notes.app.ctx.db.write().execute_unprepared("UPDATE users SET role = 'GUEST'").await.unwrap();
    assert_eq!(
        code(&notes.ask(Some(&ada), "{ notes { totalCount } }", json!({})).await),
        "UNAUTHENTICATED",
        "the old token"
    );
    let ada = notes.sign_in("ada@example.com").await;
    assert_eq!(notes.list(&ada, "first: 9").await["totalCount"], 0);
    assert_eq!(code(&notes.ask(Some(&ada), ADD, json!({ "text": "x" })).await), "FORBIDDEN");
}

#[tokio::test]
async fn erasing_a_user_erases_their_notes() {
    let notes = Notes::new().await;
    let (ada, bob) = (notes.sign_in("ada@example.com").await, notes.sign_in("bob@example.com").await);
    notes.add(&ada, "hers").await;
    notes.add(&bob, "his").await;
    let ctx = &notes.app.ctx;
    let deleted = "UPDATE users SET status = 'DELETED', deleted_at = $1 WHERE email = 'ada@example.com'";
    let deleted = doorcode::db::statement(ctx.db.backend(), deleted, [ctx.now().into()]);
    ctx.db.write().execute_raw(deleted).await.unwrap();
    assert_eq!(erase::erase_deleted(ctx, ctx.now()).await.unwrap(), 1);
    assert_eq!(notes.rows().await, 1);
    assert_eq!(notes.list(&bob, "first: 9").await["nodes"], json!([{ "text": "his" }]));
}

#[tokio::test]
async fn both_sets_of_migrations_are_independent() {
    let notes = Notes::new().await;
    let db = &notes.app.ctx.db;
    assert!(migrate::is_current(db).await.unwrap() && migrate::is_current_with::<Migrator>(db).await.unwrap());
    let doorcodes = migrate::status(db).await.unwrap();
    assert!(doorcodes.iter().all(|(name, applied)| *applied && !name.contains("notes")));
    migrate::up_with::<Migrator>(db).await.unwrap();
    // Reverting and repeating Doorcode's latest migration leaves the notes alone.
    let ada = notes.sign_in("ada@example.com").await;
    notes.add(&ada, "stays").await;
    migrate::down(db, 1).await.unwrap();
    assert!(!migrate::is_current(db).await.unwrap() && migrate::is_current_with::<Migrator>(db).await.unwrap());
    migrate::up_with::<Migrator>(db).await.unwrap();
    assert_eq!(notes.rows().await, 1);
    // A migrator without its own table is refused, because its migrations would mix with Doorcode's.
    assert!(migrate::up_with::<Unnamed>(db).await.is_err());
    let postgres = db.backend() == DbBackend::Postgres;
    assert!(
        !postgres || migrate::down(db, u32::MAX).await.is_err(),
        "users cannot be dropped while notes refer to them"
    );
}

struct Unnamed;

impl sea_orm_migration::MigratorTrait for Unnamed {
    fn migrations() -> Vec<Box<dyn sea_orm_migration::MigrationTrait>> {
        Vec::new()
    }
}
