//! The application in process: its router, a clock that tests advance, a count of statements, and signed-in users.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    app::{self, App, Overrides},
    db,
    domain::mail::delivery,
    http::{self, Server},
    ports::Clock,
    settings::ServeFlags,
};
use http_body_util::BodyExt;
use sea_orm::{ConnectionTrait, Database, sea_query::Value as SqlValue};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use yogaflow::{GRANTS, graphql, migration::Migrator};

pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Yoga {
    pub app: Arc<App>,
    router: Router,
    clock: Arc<TestClock>,
    statements: Arc<AtomicUsize>,
    nanoseconds: Arc<AtomicU64>,
    _folder: Arc<TempDir>,
}

impl Yoga {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Some(folder.path().display().to_string());
        let flags = ServeFlags { data, database_url: postgres().await, ..ServeFlags::default() };
        // A Monday, at noon.
        let clock = Arc::new(TestClock(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())));
        let statements = Arc::new(AtomicUsize::new(0));
        let nanoseconds = Arc::new(AtomicU64::new(0));
        let (counter, timer) = (Arc::clone(&statements), Arc::clone(&nanoseconds));
        let overrides = Overrides {
            clock: Some(Arc::clone(&clock) as Arc<dyn Clock>),
            grants: GRANTS,
            on_statement: Some(Arc::new(move |info| {
                counter.fetch_add(1, Ordering::Relaxed);
                timer.fetch_add(u64::try_from(info.elapsed.as_nanos()).unwrap(), Ordering::Relaxed);
            })),
            ..Overrides::default()
        };
        let app = Arc::new(App::build(app::load(flags).unwrap(), overrides).await.unwrap());
        app.prepare_with::<Migrator>().await.unwrap();
        let router = http::router(&Server::of(Arc::clone(&app.ctx), graphql::api(&app.ctx)));
        Self { app, router, clock, statements, nanoseconds, _folder: Arc::new(folder) }
    }

    /// Advances the clock.
    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.clock.0.lock().unwrap() += time;
    }

    /// Sets the clock.
    pub(crate) fn set_time(&self, at: &str) {
        *self.clock.0.lock().unwrap() = at.parse().unwrap();
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
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

    /// Asks and returns the data. Fails if there are errors.
    pub(crate) async fn data(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(Some(token), query, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].take()
    }

    /// Asks and returns the number of statements.
    pub(crate) async fn cost(&self, token: &str, query: &str) -> usize {
        // The first request in a minute also updates the session.
        self.data(token, query, json!({})).await;
        let before = self.statements.load(Ordering::Relaxed);
        self.data(token, query, json!({})).await;
        self.statements.load(Ordering::Relaxed) - before
    }

    /// The time that the database has taken so far.
    pub(crate) fn spent(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// Signs in with a code from the inbox. Returns the access token.
    pub(crate) async fn sign_in(&self, email: &str) -> String {
        let login = "mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
        let asked = self.ask(None, login, json!({ "input": { "email": email } })).await;
        let done = self.verify(email, &asked["data"]["login"]["challenge"]).await;
        done["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }

    /// Enters the code from the inbox. Returns the result of `verify`.
    pub(crate) async fn verify(&self, email: &str, challenge: &Value) -> Value {
        while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {}
        let inbox = "query($to: String) { inbox(to: $to, first: 1) { code } }";
        let mail = self.ask(None, inbox, json!({ "to": email })).await;
        let verify = "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { \
            tokens { accessToken refreshToken } session { remembered } } } }";
        let code = &mail["data"]["inbox"][0]["code"];
        let mut done = self.ask(None, verify, json!({ "input": { "challenge": challenge, "code": code } })).await;
        done["data"]["verify"].take()
    }

    /// Signs in as a user with another role.
    pub(crate) async fn sign_in_as(&self, email: &str, role: &str) -> String {
        self.sign_in(email).await;
        self.run("UPDATE users SET role = $1 WHERE email = $2", [role.into(), email.into()]).await;
        self.pass(TimeDelta::minutes(2));
        self.sign_in(email).await
    }

    pub(crate) async fn run(&self, sql: &str, values: impl IntoIterator<Item = SqlValue>) {
        let db = &self.app.ctx.db;
        db.write().execute_raw(db::statement(db.backend(), sql, values)).await.unwrap();
    }

    /// The number of rows of a table.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        let db = &self.app.ctx.db;
        let count = db::statement(db.backend(), &format!("SELECT COUNT(*) AS number FROM {table}"), []);
        db.read().query_one_raw(count).await.unwrap().unwrap().try_get("", "number").unwrap()
    }

    /// The IDs of poses with these names.
    pub(crate) async fn poses(&self, token: &str, names: &[&str]) -> Vec<String> {
        let found = self.data(token, "{ poses(first: 100) { nodes { id name } } }", json!({})).await;
        let nodes = found["poses"]["nodes"].as_array().unwrap();
        let id =
            |name: &&str| nodes.iter().find(|node| node["name"] == **name).unwrap()["id"].as_str().unwrap().to_owned();
        names.iter().map(id).collect()
    }

    /// Adds a sequence. Returns its ID.
    pub(crate) async fn add(&self, token: &str, name: &str, public: bool) -> String {
        let poses = self.poses(token, &["Tree", "Corpse"]).await;
        let input = sequence(name, public, &poses);
        let added = self.data(token, CREATE, json!({ "input": input })).await;
        added["createSequence"]["sequence"]["id"].as_str().unwrap_or_else(|| panic!("{added}")).to_owned()
    }

    /// Starts a practice. Returns its ID.
    pub(crate) async fn start(&self, token: &str, sequence: &str) -> String {
        let started = self.data(token, START, json!({ "id": sequence })).await;
        started["startPractice"]["practice"]["id"].as_str().unwrap().to_owned()
    }

    /// Finishes a practice.
    pub(crate) async fn finish(&self, token: &str, practice: &str, seconds: i32) -> Value {
        let input = json!({ "practiceId": practice, "seconds": seconds, "mood": "CALM", "notes": "Good." });
        self.ask(Some(token), FINISH, json!({ "input": input })).await
    }

    /// Practises for a number of seconds. Returns the names of the earned achievements.
    pub(crate) async fn practise(&self, token: &str, sequence: &str, seconds: i32) -> Vec<String> {
        let practice = self.start(token, sequence).await;
        self.pass(TimeDelta::seconds(seconds.into()));
        let finished = self.finish(token, &practice, seconds).await;
        let earned = finished["data"]["finishPractice"]["earned"].as_array().unwrap_or_else(|| panic!("{finished}"));
        earned.iter().map(|achievement| achievement["name"].as_str().unwrap().to_owned()).collect()
    }

    /// The ID of a preset sequence.
    pub(crate) async fn preset(&self, token: &str, name: &str) -> String {
        let found = self.data(token, "{ sequences(source: PRESETS) { nodes { id name } } }", json!({})).await;
        let nodes = found["sequences"]["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }
}

pub(crate) const CREATE: &str = "mutation($input: SequenceInput!) { createSequence(input: $input) { \
    ... on SequenceSaved { sequence { id seconds } } ... on YogaProblem { message code } \
    ... on TooManySequences { limit } } }";
pub(crate) const UPDATE: &str = "mutation($id: ID!, $input: SequenceInput!) { updateSequence(id: $id, input: $input) { \
    sequence { id name seconds public poses { seconds notes pose { name } } } } }";
pub(crate) const START: &str = "mutation($id: ID!) { startPractice(sequenceId: $id) { practice { id } } }";
pub(crate) const FINISH: &str = "mutation($input: FinishPracticeInput!) { finishPractice(input: $input) { \
    ... on PracticeFinished { practice { id seconds endedAt mood notes } earned { name } } \
    ... on YogaProblem { message code } } }";

/// The input of a sequence.
pub(crate) fn sequence(name: &str, public: bool, poses: &[String]) -> Value {
    let poses: Vec<_> = poses.iter().map(|id| json!({ "poseId": id, "seconds": 30 })).collect();
    json!({ "name": name, "difficulty": "BEGINNER", "focusArea": "HIPS", "style": "YIN", "public": public, "poses": poses })
}

/// Creates an empty database if the tests run on PostgreSQL. It is gone when `tests/run` stops the server.
async fn postgres() -> Option<String> {
    let server = std::env::var("DOORCODE_TEST_DATABASE_URL").ok()?;
    std::env::var("DOORCODE_TEST_STACK").ok().filter(|stack| stack == "servers")?;
    let name = format!("yogaflow_{}", uuid::Uuid::now_v7().simple());
    let maintenance = Database::connect(&server).await.unwrap();
    maintenance.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}"))
}

/// The error code of a response.
pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {answer}"))
}

/// The invalid field of a response.
pub(crate) fn field(answer: &Value) -> &str {
    assert_eq!(code(answer), "BAD_USER_INPUT");
    answer["errors"][0]["extensions"]["field"].as_str().unwrap()
}

/// A field of all nodes of a list.
pub(crate) fn each(list: &Value, field: &str) -> Vec<String> {
    let nodes = list["nodes"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    nodes.iter().map(|node| node[field].as_str().unwrap().to_owned()).collect()
}
