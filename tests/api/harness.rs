//! Test harness: the real application with a new database and a test clock. Uses PostgreSQL and Redis if
//! `DOORCODE_TEST_STACK=servers`, otherwise SQLite and the in-memory limiter.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use chrono::{DateTime, SubsecRound, Utc};
use doorcode::{
    adapter::{
        bus::{memory::MemoryBus, redis::RedisBus},
        limiter::{
            memory::{DEFAULT_ENTRIES, MemoryLimiter},
            redis::RedisLimiter,
        },
        system::SystemEntropy,
    },
    app::{App, Overrides},
    db::entity::{Role, UserStatus, audit_events},
    domain::{
        Ctx, audit,
        mail::delivery,
        user::{
            self,
            manage::{self, By, Change, Changed, NewPerson},
        },
    },
    email_address::EmailAddress,
    http::{self, Server},
    limits::{Quota, Rule},
    ports::{Bus, Charge, Clock, Entropy, Limiter, LimiterUnavailable, Verdict},
    settings::{ServeFlags, Settings},
};
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

use crate::database::{TestDatabase, fresh_database};

/// Whether the tests run on PostgreSQL and Redis (`DOORCODE_TEST_STACK=servers`).
pub(crate) fn on_servers() -> bool {
    std::env::var("DOORCODE_TEST_STACK").is_ok_and(|stack| stack == "servers")
}

/// A clock that only changes when a test changes it.
pub(crate) struct ManualClock(Mutex<DateTime<Utc>>);

impl ManualClock {
    pub(crate) fn starting_now() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the start time of a test; only the test changes it afterwards")]
        Self(Mutex::new(Utc::now().trunc_subsecs(6)))
    }

    /// Moves the clock by this many seconds, which may be negative.
    pub(crate) fn pass(&self, seconds: f64) {
        let length = Duration::from_secs_f64(seconds.abs());
        let mut now = self.0.lock().unwrap();
        *now = if seconds < 0.0 { *now - length } else { *now + length };
    }

    pub(crate) fn set(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap() = at;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.lock().unwrap()
    }
}

/// A limiter that counts its calls and can simulate an outage.
pub(crate) struct WatchedLimiter {
    inner: Box<dyn Limiter>,
    pub(crate) calls: AtomicU64,
    pub(crate) away: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl Limiter for WatchedLimiter {
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        if self.away.load(Ordering::SeqCst) {
            return Err(LimiterUnavailable("simulated outage".into()));
        }
        self.inner.take(charges, now).await
    }

    async fn ping(&self) -> Result<(), LimiterUnavailable> {
        if self.away.load(Ordering::SeqCst) {
            return Err(LimiterUnavailable("simulated outage".into()));
        }
        self.inner.ping().await
    }
}

pub(crate) struct TestApp {
    pub(crate) app: App,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) limiter: Arc<WatchedLimiter>,
    pub(crate) statements: Arc<Mutex<Vec<sea_orm::Statement>>>,
    router: Router,
    /// Number of this application. Its clients have addresses that no other application uses, because all share one
    /// Redis.
    network: u32,
    bus: Arc<dyn Bus>,
    guests: AtomicU32,
    pub(crate) database: TestDatabase,
    folder: TempDir,
}

impl TestApp {
    /// A development server with the default settings.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A development server with changed settings.
    pub(crate) async fn with(change: impl FnOnce(&mut ServeFlags)) -> Self {
        Self::built(Overrides::default(), change).await
    }

    /// A server with an in-memory limiter instead of the shared Redis, for limits with one key for all clients.
    pub(crate) async fn alone(change: impl FnOnce(&mut ServeFlags)) -> Self {
        Self::limited_by(Box::new(MemoryLimiter::new(DEFAULT_ENTRIES)), change).await
    }

    /// A server with this limiter.
    pub(crate) async fn limited_by(limiter: Box<dyn Limiter>, change: impl FnOnce(&mut ServeFlags)) -> Self {
        Self::over(Some(limiter), Overrides::default(), change).await
    }

    /// A server with this event bus.
    pub(crate) async fn on_bus(bus: Arc<dyn Bus>) -> Self {
        Self::built(Overrides { bus: Some(bus), ..Overrides::default() }, |_| {}).await
    }

    /// Another replica of the same application: the same database, secret, clock and limiter.
    pub(crate) async fn replica(&self) -> Replica {
        self.replica_with(|_| {}).await
    }

    /// The same with other settings.
    pub(crate) async fn replica_with(&self, change: impl FnOnce(&mut ServeFlags)) -> Replica {
        let flags = flags(&self.database.url, self.folder.path(), change);
        // With Redis, each replica connects to the bus separately. The in-process bus is shared.
        let bus = if on_servers() { stack_bus(self.network) } else { Arc::clone(&self.bus) };
        let overrides = Overrides {
            clock: Some(self.clock.clone()),
            limiter: Some(self.limiter.clone()),
            bus: Some(bus),
            ..Overrides::default()
        };
        let mut settings = settings(flags);
        settings.secrets.clone_from(&self.ctx().settings.secrets);
        settings.limits.clone_from(&self.ctx().settings.limits);
        settings.test_codes.clone_from(&self.ctx().settings.test_codes);
        let app = App::build(settings, overrides).await.unwrap();
        app.prepare().await.unwrap();
        Replica { router: http::router(&Server::new(Arc::clone(&app.ctx))), app }
    }

    /// A server with these test implementations, such as a random source, and changed settings.
    pub(crate) async fn built(overrides: Overrides, change: impl FnOnce(&mut ServeFlags)) -> Self {
        Self::over(None, overrides, change).await
    }

    /// Over a database from earlier, at that time. `change` sets the secret that sealed it.
    pub(crate) async fn from_earlier(
        database: TestDatabase,
        at: DateTime<Utc>,
        change: impl FnOnce(&mut ServeFlags),
    ) -> Self {
        let clock = ManualClock::starting_now();
        clock.set(at);
        Self::at((database, clock), None, Overrides::default(), change).await
    }

    async fn over(
        limiter: Option<Box<dyn Limiter>>,
        overrides: Overrides,
        change: impl FnOnce(&mut ServeFlags),
    ) -> Self {
        Self::at((fresh_database().await, ManualClock::starting_now()), limiter, overrides, change).await
    }

    async fn at(
        (database, clock): (TestDatabase, ManualClock),
        limiter: Option<Box<dyn Limiter>>,
        overrides: Overrides,
        change: impl FnOnce(&mut ServeFlags),
    ) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(clock));
        let statements = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&statements);
        let inner = limiter.unwrap_or_else(stack_limiter);
        let limiter = Arc::new(WatchedLimiter { inner, calls: AtomicU64::new(0), away: false.into() });
        let network = u32::from_be_bytes(random()) % 0xffff;
        let bus = overrides.bus.unwrap_or_else(|| stack_bus(network));
        let overrides = Overrides {
            clock: Some(clock.clone()),
            bus: Some(Arc::clone(&bus)),
            limiter: Some(limiter.clone()),
            on_statement: Some(Arc::new(move |info: &sea_orm::metric::Info<'_>| {
                seen.lock().unwrap().push(info.statement.clone());
            })),
            entropy: overrides.entropy,
            grants: overrides.grants,
            ..Overrides::default()
        };
        let flags = flags(&database.url, folder.path(), change);
        let app = App::build(settings(flags), overrides).await.unwrap();
        app.prepare().await.unwrap();
        let router = http::router(&Server::new(Arc::clone(&app.ctx)));
        Self { app, clock, limiter, statements, router, network, bus, guests: AtomicU32::new(1), database, folder }
    }

    pub(crate) fn ctx(&self) -> &Ctx {
        &self.app.ctx
    }

    /// The text prefix of IPv6 networks that no other test uses.
    pub(crate) fn v6_prefix(&self) -> String {
        format!("2001:db8:{:x}", self.network)
    }

    pub(crate) fn router(&self) -> Router {
        self.router.clone()
    }

    /// A new client with an address in a separate network.
    pub(crate) fn guest(&self) -> Client<'_> {
        let number = self.guests.fetch_add(1, Ordering::SeqCst);
        let [_, a, b, c] = ((self.network << 8).wrapping_add(number)).to_be_bytes();
        Client {
            router: self.router(),
            app: self,
            ip: Ipv4Addr::new(10, a, b, c).into(),
            bearer: None,
            device: None,
            headers: HeaderMap::new(),
        }
    }

    /// Creates a user, as the command line does.
    pub(crate) async fn make(&self, email: &str, role: Role) {
        let address = EmailAddress::parse(email).unwrap();
        let new = NewPerson { email: &address, name: None, role, locale: None, invite: false };
        let made = manage::create(self.ctx(), By::CommandLine, new).await.unwrap();
        assert!(matches!(made, Changed::Done(_)), "a user with the address {email} already exists");
    }

    /// Changes a user's role, as the command line does.
    pub(crate) async fn set_role(&self, email: &str, role: Role) {
        set(self.ctx(), email, Change { role: Some(role), ..Change::default() }).await;
    }

    /// Suspends or reactivates a user, as the command line does.
    pub(crate) async fn set_status(&self, email: &str, status: UserStatus) {
        set(self.ctx(), email, Change { status: Some(status), ..Change::default() }).await;
    }

    /// Creates a user with this role, and signs in.
    pub(crate) async fn person(&self, email: &str, role: Role) -> Actor<'_> {
        self.make(email, role).await;
        let guest = self.guest();
        let signed_in = guest.sign_in(email).await;
        Actor { client: guest.with_bearer(&signed_in.access), signed_in }
    }

    /// Delivers all mail that is due.
    pub(crate) async fn drain_outbox(&self) {
        while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {}
    }

    /// The emails to an address, newest first.
    pub(crate) async fn mails_for(&self, email: &str) -> Vec<doorcode::domain::mail::inbox::InboxEntry> {
        self.drain_outbox().await;
        self.ctx().inbox.as_ref().unwrap().list(Some(email), 200)
    }

    pub(crate) async fn last_code_for(&self, email: &str) -> String {
        self.mails_for(email).await.first().and_then(|mail| mail.code.clone()).expect("an email with a code")
    }

    /// The token of the link in the newest email.
    pub(crate) async fn last_link_for(&self, email: &str) -> String {
        let mail = self.mails_for(email).await.into_iter().next().expect("a mail");
        assert_eq!(mail.code, None, "an email with a link has no code");
        let (_, rest) = mail.text.split_once("#link=").expect("a link");
        rest.split_whitespace().next().unwrap().to_owned()
    }

    /// The SQL statements since the last call. BEGIN and COMMIT are missing, because the library does not report them.
    pub(crate) fn take_statements(&self) -> Vec<String> {
        self.take_statements_and_values().into_iter().map(|statement| statement.sql).collect()
    }

    /// The SQL statements since the last call, with their values.
    pub(crate) fn take_statements_and_values(&self) -> Vec<sea_orm::Statement> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }

    /// The number of rows that match a condition.
    pub(crate) async fn count(&self, table: &str, condition: &str) -> i64 {
        use sea_orm::ConnectionTrait;
        let ctx = self.ctx();
        let sql = format!("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM {table} WHERE {condition}");
        let row = ctx.db.read().query_one_raw(doorcode::db::statement(ctx.db.backend(), &sql, [])).await.unwrap();
        row.unwrap().try_get("", "n").unwrap()
    }

    /// The total count of refusals of a kind, including those not yet written.
    pub(crate) async fn refused(&self, kind: &str) -> i32 {
        use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
        audit::refusals::write_counts(self.ctx()).await.unwrap();
        let events = audit_events::Entity::find().filter(audit_events::Column::Kind.eq(kind));
        events.all(self.ctx().db.read()).await.unwrap().iter().map(|event| event.count).sum()
    }

    /// Runs a SQL statement.
    pub(crate) async fn sql(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        self.ctx().db.write().execute_unprepared(sql).await.unwrap();
    }
}

/// A signed-in user.
pub(crate) struct Actor<'a> {
    client: Client<'a>,
    pub(crate) signed_in: SignedIn,
}

impl<'a> std::ops::Deref for Actor<'a> {
    type Target = Client<'a>;

    fn deref(&self) -> &Client<'a> {
        &self.client
    }
}

/// Another replica of an application, with the same database and clock.
pub(crate) struct Replica {
    pub(crate) app: App,
    pub(crate) router: Router,
}

/// Changes a user through any replica, as the command line does.
pub(crate) async fn set(ctx: &Ctx, email: &str, change: Change) {
    let id = user::id_of(ctx, &EmailAddress::parse(email).unwrap()).await.unwrap();
    let changed = manage::change(ctx, By::CommandLine, id, change).await.unwrap();
    assert!(matches!(changed, Changed::Done(_)), "{email} could not be changed");
}

fn stack_limiter() -> Box<dyn Limiter> {
    if on_servers() {
        let url = std::env::var("DOORCODE_TEST_REDIS_URL").expect("run tests/run");
        Box::new(RedisLimiter::new(&SecretString::from(url)).unwrap())
    } else {
        Box::new(MemoryLimiter::new(DEFAULT_ENTRIES))
    }
}

fn stack_bus(network: u32) -> Arc<dyn Bus> {
    if on_servers() {
        let url = SecretString::from(std::env::var("DOORCODE_TEST_REDIS_URL").expect("run tests/run"));
        Arc::new(RedisBus::new(&url, &format!("test:{}:{network}", std::process::id()), &SystemEntropy).unwrap())
    } else {
        Arc::new(MemoryBus::default())
    }
}

fn flags(database: &str, folder: &std::path::Path, change: impl FnOnce(&mut ServeFlags)) -> ServeFlags {
    let mut flags = ServeFlags {
        database_url: Some(database.to_owned()),
        data: Some(folder.display().to_string()),
        // Hashing with the cost of production would take most of the time of the tests.
        password_cost: Some("m=1024,t=1,p=1".into()),
        ..ServeFlags::default()
    };
    // Use the limits of production, because those of development are higher.
    for rule in Rule::ALL {
        if let Some((_, Quota { count, window }, _)) = rule.setting() {
            flags.limits.insert(*rule, format!("{count}/{}s", window.as_secs()));
        }
    }
    change(&mut flags);
    if flags.mode.as_deref() == Some("production") {
        // Production refuses a cheap hash.
        flags.password_cost = None;
    }
    flags
}

fn settings(flags: ServeFlags) -> Settings {
    let now = ManualClock::starting_now().now();
    Settings::load(flags, std::iter::empty(), now, &SystemEntropy).unwrap()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemEntropy.fill(&mut bytes);
    bytes
}

/// An HTTP client with an address, headers and an optional bearer token.
#[derive(Clone)]
pub(crate) struct Client<'a> {
    router: Router,
    app: &'a TestApp,
    pub(crate) ip: IpAddr,
    pub(crate) bearer: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) headers: HeaderMap,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Answer {
    /// The value of a field of a response. Panics if the response contains errors.
    pub(crate) fn field(&self, name: &str) -> &Value {
        assert!(self.json["errors"].is_null(), "{}", self.text);
        &self.json["data"][name]
    }

    /// The code of the first error.
    pub(crate) fn code(&self) -> &str {
        self.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {}", self.text))
    }
}

/// Ids and tokens from a sign-in.
#[derive(Clone, Debug)]
pub(crate) struct SignedIn {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) device: String,
    pub(crate) session: String,
    pub(crate) user: String,
    pub(crate) is_new: bool,
}

impl SignedIn {
    pub(crate) fn read(value: &Value) -> Self {
        assert_eq!(value["__typename"], "SignedIn", "{value}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            access: text(&value["tokens"]["accessToken"]),
            refresh: text(&value["tokens"]["refreshToken"]),
            device: text(&value["deviceToken"]),
            session: text(&value["session"]["id"]),
            user: text(&value["user"]["id"]),
            is_new: value["isNewUser"].as_bool().unwrap(),
        }
    }
}

const PROBLEM: &str = "... on Problem { message } ... on RateLimited { retryAfter retryAt }";
const SIGNED_IN: &str = "... on SignedIn { isNewUser deviceToken user { id email role } session { id current } \
    tokens { accessToken tokenType expiresAt refreshToken refreshExpiresAt } }";

impl Client<'_> {
    /// The same client through another replica.
    pub(crate) fn via(&self, replica: &Replica) -> Self {
        self.via_router(replica.router.clone())
    }

    /// The same client through another listener.
    pub(crate) fn via_router(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    pub(crate) fn with_bearer(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn with_device(&self, token: &str) -> Self {
        Self { device: Some(token.to_owned()), ..self.clone() }
    }

    pub(crate) fn at_ip(&self, ip: &str) -> Self {
        Self { ip: ip.parse().unwrap(), ..self.clone() }
    }

    /// Sends a request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (mut parts, body) = request.into_parts();
        parts.extensions.insert(ConnectInfo(SocketAddr::new(self.ip, 40_000)));
        let response: Response<Body> = self.router.clone().oneshot(Request::from_parts(parts, body)).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap_or_default();
        let mut json: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        // The tests of the reported cost do not use this method.
        json.as_object_mut().and_then(|answer| answer.remove("extensions"));
        Answer { status: parts.status, headers: parts.headers, text, json }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Posts a body to `/graphql`.
    pub(crate) async fn post(&self, body: impl Into<Body>) -> Answer {
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        self.send(request.body(body.into()).unwrap()).await
    }

    pub(crate) async fn query(&self, query: &str, variables: Value) -> Answer {
        self.post(json!({ "query": query, "variables": variables }).to_string()).await
    }

    pub(crate) async fn login_with(&self, input: Value) -> Answer {
        let query = format!(
            "mutation($input: LoginInput!) {{ login(input: $input) {{ __typename {PROBLEM} \
             ... on CodeSent {{ challenge email codeLength expiresAt resendAt attemptsLeft }} }} }}"
        );
        self.query(&query, json!({ "input": input })).await
    }

    /// Requests a code, and returns the result of `login`.
    pub(crate) async fn login(&self, email: &str) -> Value {
        let input = json!({ "email": email, "deviceToken": self.device });
        self.login_with(input).await.field("login").clone()
    }

    /// Requests a code, and returns the challenge.
    pub(crate) async fn challenge(&self, email: &str) -> String {
        let sent = self.login(email).await;
        sent["challenge"].as_str().unwrap_or_else(|| panic!("no code sent: {sent}")).to_owned()
    }

    /// Requests another code for the same challenge.
    pub(crate) async fn resend(&self, email: &str, challenge: &str) -> Value {
        let input = json!({ "email": email, "challenge": challenge, "deviceToken": self.device });
        self.login_with(input).await.field("login").clone()
    }

    pub(crate) async fn verify_answer(&self, challenge: &str, code: &str) -> Answer {
        let query = format!(
            "mutation($input: VerifyInput!) {{ verify(input: $input) {{ __typename {PROBLEM} {SIGNED_IN} \
             ... on InvalidCode {{ attemptsLeft }} }} }}"
        );
        self.query(&query, json!({ "input": { "challenge": challenge, "code": code } })).await
    }

    pub(crate) async fn verify(&self, challenge: &str, code: &str) -> Value {
        self.verify_answer(challenge, code).await.field("verify").clone()
    }

    pub(crate) async fn verify_link(&self, token: &str) -> Value {
        let query = format!(
            "mutation($input: VerifyLinkInput!) {{ verifyLink(input: $input) {{ __typename {PROBLEM} {SIGNED_IN} }} }}"
        );
        self.query(&query, json!({ "input": { "token": token } })).await.field("verifyLink").clone()
    }

    /// Signs in with a code: requests it, reads the email, and verifies it.
    pub(crate) async fn sign_in(&self, email: &str) -> SignedIn {
        let challenge = self.challenge(email).await;
        let code = self.app.last_code_for(email).await;
        SignedIn::read(&self.verify(&challenge, &code).await)
    }

    pub(crate) async fn refresh(&self, token: &str) -> Value {
        let query = format!(
            "mutation($input: RefreshInput!) {{ refresh(input: $input) {{ __typename {PROBLEM} ... on Refreshed {{ \
             session {{ id }} tokens {{ accessToken refreshToken expiresAt refreshExpiresAt }} }} }} }}"
        );
        self.query(&query, json!({ "input": { "refreshToken": token } })).await.field("refresh").clone()
    }

    pub(crate) async fn logout(&self) -> Answer {
        self.query(
            "mutation { logout { __typename ... on LoggedOut { sessionId } ... on Problem { message } } }",
            json!({}),
        )
        .await
    }

    /// Runs a mutation with one input, and returns the response.
    pub(crate) async fn change(&self, field: &str, input: Value, selection: &str) -> Answer {
        let name = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation($input: {name}!) {{ {field}(input: $input) {{ {selection} }} }}");
        self.query(&query, json!({ "input": input })).await
    }

    pub(crate) async fn me(&self) -> Answer {
        self.query("{ me { id email name role status lastSignInAt } }", json!({})).await
    }
}

/// Returns a different code of the same length.
pub(crate) fn other_than(code: &str) -> String {
    let first = if code.starts_with('7') { '1' } else { '7' };
    format!("{first}{}", &code[1..])
}

/// Waits until the condition is true. Panics with `what` after a time limit.
pub(crate) async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..200 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("timed out: {what}");
}
