//! The application under test. It is a development server, because that has the larger schema (inbox and
//! introspection). Its clock advances one millisecond per request, so that rate limits do not refuse every input.

use std::{
    net::SocketAddr,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    adapter::system::{SystemClock, SystemEntropy},
    app::{App, Overrides},
    db::entity::Role,
    domain::{
        mail::delivery,
        user::manage::{self, By, NewPerson},
    },
    email_address::EmailAddress,
    http::{self, Server},
    limits::Rule,
    ports::Clock,
    settings::{ServeFlags, Settings},
};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// Who sends a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A caller without a bearer token.
    Nobody,
    /// A signed-in user.
    User,
    /// A signed-in administrator.
    Admin,
}

/// The application, created once per process.
pub struct Door {
    runtime: Runtime,
    router: Router,
    app: App,
    clock: Arc<Ticking>,
    calls: AtomicU64,
    people: [std::sync::Mutex<String>; 2],
    _folder: TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

/// The input. A finding prints it, and responses may contain words from it.
pub struct Asked<'a> {
    pub text: &'a str,
}

struct Ticking {
    start: DateTime<Utc>,
    passed: AtomicI64,
}

impl Clock for Ticking {
    fn now(&self) -> DateTime<Utc> {
        self.start + TimeDelta::milliseconds(self.passed.load(Ordering::Relaxed))
    }
}

impl Door {
    /// Returns the application of this process. Creates it on the first call.
    pub fn get() -> &'static Self {
        static DOOR: OnceLock<Door> = OnceLock::new();
        DOOR.get_or_init(Self::build)
    }

    fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let loose = [
            Rule::ApiCaller,
            Rule::SendPair,
            Rule::SendAddress,
            Rule::SendAddressDay,
            Rule::SendNetwork,
            Rule::SendInstance,
            Rule::VerifyNetwork,
            Rule::RefreshSession,
        ];
        let flags = ServeFlags {
            data: Some(folder.path().display().to_string()),
            limits: loose.into_iter().map(|rule| (rule, "100000/1s".to_owned())).collect(),
            send_cooldown: Some("1s".to_owned()),
            trusted_proxies: Some("10.0.0.0/8".to_owned()),
            access_ttl: Some("1h".to_owned()),
            ..ServeFlags::default()
        };
        let start = SystemClock.now();
        let clock = Arc::new(Ticking { start, passed: AtomicI64::new(0) });
        let settings = Settings::load(flags, std::iter::empty(), start, &SystemEntropy).unwrap();
        let overrides = Overrides { clock: Some(clock.clone()), ..Overrides::default() };
        let app = runtime.block_on(async {
            let app = App::build(settings, overrides).await.unwrap();
            app.prepare().await.unwrap();
            app
        });
        let router = http::router(&Server::new(Arc::clone(&app.ctx)));
        let people = [String::new(), String::new()].map(std::sync::Mutex::new);
        Self { runtime, router, app, clock, calls: AtomicU64::new(0), people, _folder: folder }
    }

    /// Posts a body to `/graphql`.
    pub fn post(&self, who: Who, body: impl Into<Body>) -> Answer {
        let bearer = self.bearer(who);
        let mut request = Request::post("/graphql").header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &bearer {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let answer = self.send(request.body(body.into()).unwrap());
        if answer.status == StatusCode::UNAUTHORIZED {
            // This or an earlier input ended the session, so the next request needs a new session.
            self.forget(who);
        }
        answer
    }

    /// Sends a request. Does not read event streams, because they do not end.
    pub fn send(&self, request: Request<Body>) -> Answer {
        self.clock.passed.fetch_add(1, Ordering::Relaxed);
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let [.., a, b] = call.to_be_bytes();
        self.runtime.block_on(async {
            let (mut parts, body) = request.into_parts();
            parts.extensions.insert(ConnectInfo(SocketAddr::from(([10, 9, a, b], 40_000))));
            let router = self.router.clone();
            let response = router.oneshot(Request::from_parts(parts, body)).await.unwrap();
            let (parts, body) = response.into_parts();
            let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            let is_stream = kind.is_some_and(|kind| kind.starts_with("text/event-stream"));
            let text = if is_stream {
                String::new()
            } else {
                let whole = tokio::time::timeout(Duration::from_secs(10), body.collect()).await;
                let bytes = whole.expect("the response body does not end").unwrap().to_bytes();
                String::from_utf8(bytes.to_vec()).unwrap_or_default()
            };
            Answer { status: parts.status, headers: parts.headers, text }
        })
    }

    /// The access token of a caller. Signs in first if there is none. `None` for [`Who::Nobody`].
    pub fn bearer(&self, who: Who) -> Option<String> {
        let (slot, role) = match who {
            Who::Nobody => return None,
            Who::User => (&self.people[0], Role::User),
            Who::Admin => (&self.people[1], Role::Admin),
        };
        let mut token = slot.lock().unwrap();
        if token.is_empty() {
            *token = self.sign_in(role);
        }
        Some(token.clone())
    }

    /// Discards the token of a caller, so that the next request signs in again.
    pub fn forget(&self, who: Who) {
        match who {
            Who::Nobody => {}
            Who::User => self.people[0].lock().unwrap().clear(),
            Who::Admin => self.people[1].lock().unwrap().clear(),
        }
    }

    fn sign_in(&self, role: Role) -> String {
        let email = format!("somebody{}@example.com", self.calls.load(Ordering::Relaxed));
        let address = EmailAddress::parse(&email).unwrap();
        let new = NewPerson { email: &address, name: None, role, locale: None, invite: false };
        self.runtime.block_on(manage::create(&self.app.ctx, By::CommandLine, new)).unwrap();
        let login = "mutation($i: LoginInput!) { login(input: $i) { ... on CodeSent { challenge } } }";
        let sent = self.ask(login, &json!({ "email": email }));
        let challenge = &sent["data"]["login"]["challenge"];
        self.runtime
            .block_on(async { while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {} });
        let mails = self.app.ctx.inbox.as_ref().unwrap().list(Some(&email), 1);
        let code = mails.first().and_then(|mail| mail.code.clone()).expect("an email with a code");
        let verify = "mutation($i: VerifyInput!) { verify(input: $i) { ... on SignedIn { tokens { accessToken } } } }";
        let signed_in = self.ask(verify, &json!({ "challenge": challenge, "code": code }));
        let token = signed_in["data"]["verify"]["tokens"]["accessToken"].as_str();
        token.unwrap_or_else(|| panic!("the sign-in failed: {signed_in}")).to_owned()
    }

    fn ask(&self, query: &str, input: &Value) -> Value {
        let body = json!({ "query": query, "variables": { "i": input } }).to_string();
        serde_json::from_str(&self.post(Who::Nobody, body).text).unwrap()
    }
}
