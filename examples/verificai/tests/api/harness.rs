//! The application in process: its router, a clock that tests advance, a count of statements, signed-in users, and workers
//! that tests run step by step.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
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
use tokio::sync::watch;
use tower::ServiceExt;
use verificai::{
    GRANTS, graphql,
    migration::Migrator,
    provider::{Failure, Provider, Question, Reply, offline::Rules},
    worker::{Pace, Worker},
};

pub(crate) struct TestClock(Mutex<DateTime<Utc>>);

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A process with the application.
#[derive(Clone)]
pub(crate) struct Verificai {
    pub app: Arc<App>,
    pub statements: Arc<AtomicUsize>,
    router: Router,
    clock: Arc<TestClock>,
    flags: ServeFlags,
    folder: Arc<TempDir>,
}

impl Verificai {
    pub(crate) async fn new() -> Self {
        Self::with_redis(None).await
    }

    pub(crate) async fn with_redis(redis_url: Option<String>) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let data = Some(folder.path().display().to_string());
        let flags = ServeFlags { data, database_url: postgres().await, redis_url, ..ServeFlags::default() };
        // A Monday, at noon.
        let clock = Arc::new(TestClock(Mutex::new("2026-06-01T12:00:00Z".parse().unwrap())));
        Self::start(flags, clock, folder).await
    }

    /// Another process with the same database.
    pub(crate) async fn replica(&self) -> Self {
        Self::start(self.flags.clone(), Arc::clone(&self.clock), Arc::clone(&self.folder)).await
    }

    /// Another process that reaches the same database under another URL.
    pub(crate) async fn replica_at(&self, database_url: &str) -> Self {
        let flags = ServeFlags { database_url: Some(database_url.to_owned()), ..self.flags.clone() };
        Self::start(flags, Arc::clone(&self.clock), Arc::clone(&self.folder)).await
    }

    /// The URL of PostgreSQL, if the test runs on it.
    pub(crate) fn database_url(&self) -> Option<String> {
        self.flags.database_url.clone()
    }

    async fn start(flags: ServeFlags, clock: Arc<TestClock>, folder: Arc<TempDir>) -> Self {
        let statements = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&statements);
        let overrides = Overrides {
            clock: Some(Arc::clone(&clock) as Arc<dyn Clock>),
            grants: GRANTS,
            on_statement: Some(Arc::new(move |_| {
                counter.fetch_add(1, Ordering::SeqCst);
            })),
            ..Overrides::default()
        };
        let app = Arc::new(App::build(app::load(flags.clone()).unwrap(), overrides).await.unwrap());
        app.prepare_with::<Migrator>().await.unwrap();
        let router = http::router(&Server::of(Arc::clone(&app.ctx), graphql::api(&app.ctx)));
        Self { app, statements, router, clock, flags, folder }
    }

    /// Advances the clock.
    pub(crate) fn pass(&self, time: TimeDelta) {
        *self.clock.0.lock().unwrap() += time;
    }

    /// Sends a body, and returns the status and the response.
    pub(crate) async fn post(&self, token: Option<&str>, body: String) -> (u16, Value) {
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        request = request.header(header::ACCEPT, "application/graphql-response+json");
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Sends a request, and returns the status and the response.
    pub(crate) async fn send(&self, mut request: Request<Body>) -> (u16, Value) {
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap())
    }

    /// Opens a subscription. Returns the body, a stream of events.
    pub(crate) async fn subscribe(&self, token: &str, query: &str, variables: Value) -> Body {
        let request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        let request = request.header(header::ACCEPT, "text/event-stream");
        let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        let body = json!({ "query": query, "variables": variables }).to_string();
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))));
        self.router.clone().oneshot(request).await.unwrap().into_body()
    }

    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        self.post(token, json!({ "query": query, "variables": variables }).to_string()).await.1
    }

    /// Asks and returns the data. Fails if there are errors.
    pub(crate) async fn data(&self, token: &str, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(Some(token), query, variables).await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].take()
    }

    /// Asks and returns the number of statements.
    pub(crate) async fn cost(&self, token: &str, query: &str, variables: Value) -> usize {
        let before = self.statements.load(Ordering::SeqCst);
        self.data(token, query, variables).await;
        self.statements.load(Ordering::SeqCst) - before
    }

    /// Signs in with a code from the inbox. Returns the access token.
    pub(crate) async fn sign_in(&self, email: &str) -> String {
        let login = "mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
        let asked = self.ask(None, login, json!({ "input": { "email": email } })).await;
        let challenge = &asked["data"]["login"]["challenge"];
        while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {}
        let inbox = "query($to: String) { inbox(to: $to, first: 1) { code } }";
        let mail = self.ask(None, inbox, json!({ "to": email })).await;
        let verify = "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { \
            tokens { accessToken } } } }";
        let input = json!({ "challenge": challenge, "code": mail["data"]["inbox"][0]["code"] });
        let done = self.ask(None, verify, json!({ "input": input })).await;
        done["data"]["verify"]["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }

    /// Signs in as a user with another role.
    pub(crate) async fn sign_in_as(&self, email: &str, role: &str) -> String {
        self.sign_in(email).await;
        self.run("UPDATE users SET role = $1 WHERE email = $2", [role.into(), email.into()]).await;
        self.pass(TimeDelta::minutes(2));
        self.sign_in(email).await
    }

    /// Creates an API key with these scopes.
    pub(crate) async fn key(&self, token: &str, scopes: &[&str]) -> String {
        let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { __typename \
            ... on ApiKeyCreated { key } ... on Problem { message } } }";
        let created = self.data(token, create, json!({ "input": { "name": "ci", "scopes": scopes } })).await;
        created["createApiKey"]["key"].as_str().unwrap_or_else(|| panic!("{created}")).to_owned()
    }

    pub(crate) async fn run(&self, sql: &str, values: impl IntoIterator<Item = SqlValue>) {
        let db = &self.app.ctx.db;
        db.write().execute_raw(db::statement(db.backend(), sql, values)).await.unwrap();
    }

    /// The number in the first row of a query.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let db = &self.app.ctx.db;
        let count = db::statement(db.backend(), &format!("SELECT CAST(({sql}) AS bigint) AS number"), []);
        db.read().query_one_raw(count).await.unwrap().unwrap().try_get("", "number").unwrap()
    }

    /// The number of rows of a table.
    pub(crate) async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) FROM {table}")).await
    }

    /// The ID of a preset.
    pub(crate) async fn preset(&self, token: &str, name: &str) -> String {
        let found = self.data(token, "{ prompts { nodes { id name } } }", json!({})).await;
        let nodes = found["prompts"]["nodes"].as_array().unwrap();
        nodes.iter().find(|node| node["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Starts an analysis of one file with a preset. Returns its ID.
    pub(crate) async fn start_one(&self, token: &str, key: &str) -> String {
        let prompt = self.preset(token, "Bug hunt").await;
        let input = order(&prompt, key, &[("src/main.rs", "fn main() {\n    x.unwrap(); // TODO\n}\n")]);
        let started = self.data(token, START, input).await;
        started["startAnalysis"]["analysis"]["id"].as_str().unwrap_or_else(|| panic!("{started}")).to_owned()
    }

    /// The analysis.
    pub(crate) async fn analysis(&self, token: &str, id: &str) -> Value {
        let mut found = self.data(token, READ, json!({ "id": id })).await;
        found["analysis"].take()
    }

    /// A worker in this process, without pauses that a test would have to wait for.
    pub(crate) fn worker(&self, provider: Arc<dyn Provider>) -> Arc<Worker> {
        Arc::new(Worker::new(Arc::clone(&self.app.ctx), provider, PACE))
    }

    /// Works on everything that is ready, with the offline rules. Returns the number.
    pub(crate) async fn work(&self) -> usize {
        self.work_with(Arc::new(Rules)).await
    }

    /// Works on everything that is ready. Returns the number.
    pub(crate) async fn work_with(&self, provider: Arc<dyn Provider>) -> usize {
        let (worker, (_go, stop)) = (self.worker(provider), watch::channel(false));
        worker.recover().await.unwrap();
        let mut number = 0;
        while worker.work(&stop).await.unwrap() {
            number += 1;
        }
        number
    }
}

pub(crate) const PACE: Pace = Pace {
    lease: Duration::from_secs(30),
    extend: Duration::from_millis(50),
    look: Duration::from_millis(10),
    recover: Duration::from_millis(50),
    first_pause: Duration::from_secs(2),
    longest_pause: Duration::from_mins(5),
};

pub(crate) const START: &str = "mutation($input: StartAnalysisInput!) { startAnalysis(input: $input) { __typename \
    ... on AnalysisStarted { analysis { id status } } ... on VerificaiProblem { message code } \
    ... on FileRefused { position reason } ... on UnknownPromptVariable { variable } ... on TooManyAnalyses { limit } } }";
pub(crate) const READ: &str = "query($id: ID!) { analysis(id: $id) { id status progress attempts error promptVersion \
    startedAt finishedAt files { name bytes sha256 language status } \
    result { findings { file line severity title } tokensIn tokensOut model cost } } }";

/// Variables that start an analysis.
pub(crate) fn order(prompt: &str, key: &str, files: &[(&str, &str)]) -> Value {
    let files: Vec<_> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    json!({ "input": { "promptId": prompt, "idempotencyKey": key, "files": files } })
}

/// Creates an empty database if the tests run on PostgreSQL. It is gone when `tests/run` stops the server.
pub(crate) async fn postgres() -> Option<String> {
    let server = std::env::var("DOORCODE_TEST_DATABASE_URL").ok()?;
    std::env::var("DOORCODE_TEST_STACK").ok().filter(|stack| stack == "servers")?;
    let name = format!("verificai_{}", uuid::Uuid::now_v7().simple());
    let maintenance = Database::connect(&server).await.unwrap();
    maintenance.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}"))
}

/// Redis for tests, if there is one.
pub(crate) fn redis() -> Option<String> {
    std::env::var("DOORCODE_TEST_REDIS_URL").ok()
}

/// The error code of a response.
pub(crate) fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {answer}"))
}

/// The invalid field of a response.
pub(crate) fn field(answer: &Value) -> &str {
    assert_eq!(code(answer), "BAD_USER_INPUT", "{answer}");
    answer["errors"][0]["extensions"]["field"].as_str().unwrap()
}

/// A provider that a test decides about.
pub(crate) struct Scripted<F>(pub F);

#[async_trait]
impl<F, A> Provider for Scripted<F>
where
    F: Fn() -> A + Send + Sync,
    A: Future<Output = Result<Reply, Failure>> + Send,
{
    async fn ask(&self, _: Question<'_>) -> Result<Reply, Failure> {
        (self.0)().await
    }
}
