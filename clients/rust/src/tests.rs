//! The verifier with tokens of a Doorcode server that runs in this process, and with forged ones.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{Claims, Verifier, VerifyError};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::{Json, Router, body::Body, http::StatusCode, routing::get};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use chrono::{DateTime, TimeDelta, Utc};
use doorcode::{
    adapter::system::SystemClock,
    app::{self, App, Overrides},
    domain::{keys, mail::delivery, token},
    graphql::Api,
    http::{self, Server},
    ports::Clock,
    settings::ServeFlags,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

async fn serve(router: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve_at(listener, router)
}

fn serve_at(listener: TcpListener, router: Router) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    address
}

// ---- A live server -------------------------------------------------------------------------------------------------

/// The clock of the server, some time behind that of the verifier.
#[derive(Default)]
struct LaggingClock(Mutex<TimeDelta>);

impl Clock for LaggingClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() - *self.0.lock().unwrap()
    }
}

struct Doorcode {
    app: App,
    url: String,
    clock: Arc<LaggingClock>,
    _folder: TempDir,
}

impl Doorcode {
    async fn start(algorithm: &str, lag: TimeDelta) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let flags = ServeFlags {
            data: Some(folder.path().display().to_string()),
            public_url: Some(url.clone()),
            token_alg: Some(algorithm.to_owned()),
            ..ServeFlags::default()
        };
        let clock = Arc::new(LaggingClock(Mutex::new(lag)));
        let overrides = Overrides { clock: Some(Arc::clone(&clock) as _), ..Overrides::default() };
        let app = App::build(app::load(flags).unwrap(), overrides).await.unwrap();
        app.prepare().await.unwrap();
        serve_at(listener, http::router(&Server::of(Arc::clone(&app.ctx), Api::new(&app.ctx))));
        Self { app, url, clock, _folder: folder }
    }

    async fn ask(&self, query: &str, variables: Value) -> Value {
        let body = json!({ "query": query, "variables": variables });
        let request = reqwest::Client::new().post(format!("{}/graphql", self.url)).json(&body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["data"].clone()
    }

    /// Signs a user in. Returns an access token.
    async fn token(&self, email: &str) -> String {
        let login = "mutation($input: LoginInput!) { login(input: $input) { ... on CodeSent { challenge } } }";
        let sent = self.ask(login, json!({ "input": { "email": email } })).await;
        while delivery::deliver_due(&self.app.ctx, &self.app.transport).await.unwrap() > 0 {}
        let mail = self.ask("query($to: String) { inbox(to: $to, first: 1) { code } }", json!({ "to": email })).await;
        let verify = "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { \
            tokens { accessToken } } } }";
        let (challenge, code) = (&sent["login"]["challenge"], &mail["inbox"][0]["code"]);
        let done = self.ask(verify, json!({ "input": { "challenge": challenge, "code": code } })).await;
        done["verify"]["tokens"]["accessToken"].as_str().unwrap_or_else(|| panic!("{done}")).to_owned()
    }

    fn verifier(&self) -> Verifier {
        Verifier::new(&self.url, &self.url).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_every_algorithm_are_verified() {
    for algorithm in ["EdDSA", "ES256", "RS256"] {
        let doorcode = Doorcode::start(algorithm, TimeDelta::zero()).await;
        let token = doorcode.token("ada@example.com").await;
        let claims = doorcode.verifier().verify(&token).await.unwrap();
        assert_eq!((claims.role.as_str(), claims.amr.as_slice()), ("USER", ["otp".to_owned()].as_slice()));
        assert_eq!((&claims.iss, &claims.aud), (&doorcode.url, &doorcode.url));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_the_old_and_the_new_key_are_accepted_after_a_rotation() {
    // The server starts eleven minutes in the past, because a new key signs after ten.
    let doorcode = Doorcode::start("EdDSA", TimeDelta::minutes(11)).await;
    let verifier = doorcode.verifier();
    let before = doorcode.token("ada@example.com").await;
    verifier.verify(&before).await.unwrap();
    keys::rotate(&doorcode.app.ctx).await.unwrap();
    *doorcode.clock.0.lock().unwrap() = TimeDelta::zero();
    token::reload(&doorcode.app.ctx).await.unwrap();
    let after = doorcode.token("bob@example.com").await;
    assert_ne!(before.split('.').next(), after.split('.').next(), "both are signed with the same key");

    // The verifier does not know the new key yet, and has just fetched.
    assert!(matches!(verifier.verify(&after).await, Err(VerifyError::Invalid(_))));
    pass(&verifier, Duration::from_secs(11));
    verifier.verify(&after).await.unwrap();
    verifier.verify(&before).await.unwrap();
}

/// Lets time pass for the verifier's cache.
fn pass(verifier: &Verifier, time: Duration) {
    *verifier.0.keys.passed.lock().unwrap() += time;
}

#[tokio::test(flavor = "multi_thread")]
async fn any_changed_character_is_refused() {
    let doorcode = Doorcode::start("EdDSA", TimeDelta::zero()).await;
    let token = doorcode.token("ada@example.com").await;
    let verifier = doorcode.verifier();
    for at in (0..token.len() - 1).step_by(7) {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
        assert!(matches!(verifier.verify(&changed).await, Err(VerifyError::Invalid(_))), "character {at}");
    }
    for wrong in ["", "a", "a.b.c", &format!("{token}."), &"x".repeat(9000)] {
        assert!(matches!(verifier.verify(wrong).await, Err(VerifyError::Invalid(_))), "{wrong}");
    }
}

// ---- Forged tokens -------------------------------------------------------------------------------------------------

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "https://api.example.com";

/// A key set whose host counts requests, and can fail.
struct Host {
    keys: Mutex<Vec<Value>>,
    is_down: Mutex<bool>,
    requests: AtomicUsize,
}

struct Forge {
    host: Arc<Host>,
    key: Ed25519KeyPair,
    verifier: Verifier,
}

fn jwk(key: &Ed25519KeyPair, kid: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(key.public_key()), "kid": kid, "use": "sig", "alg": "EdDSA" })
}

impl Forge {
    async fn new() -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        let unknown = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AA" });
        let keys = Mutex::new(vec![unknown, jwk(&key, "ed")]);
        let host = Arc::new(Host { keys, is_down: Mutex::default(), requests: AtomicUsize::new(0) });
        let state = Arc::clone(&host);
        let handler = move || {
            state.requests.fetch_add(1, Ordering::SeqCst);
            let keys = Json(json!({ "keys": *state.keys.lock().unwrap() }));
            let status = if *state.is_down.lock().unwrap() { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            async move { (status, keys) }
        };
        let address = serve(Router::new().route("/jwks", get(handler))).await;
        let verifier = Verifier::with_keys_at(ISSUER, AUDIENCE, &format!("http://{address}/jwks")).unwrap();
        Self { host, key, verifier }
    }

    /// A token whose header and claims differ from those of a good one. `null` in `changes` stays `null`.
    fn token(&self, header: &Value, changes: &Value) -> String {
        let now = SystemClock.now().timestamp();
        let mut head = json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "ed" });
        let mut body = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "u", "sid": "s", "exp": now + 60, "nbf": now, "iat": now,
            "auth_time": now, "amr": ["otp"], "role": "USER", "jti": "j",
        });
        merge(&mut head, header);
        merge(&mut body, changes);
        let text = format!("{}.{}", BASE64.encode(head.to_string()), BASE64.encode(body.to_string()));
        format!("{text}.{}", BASE64.encode(self.key.sign(text.as_bytes())))
    }

    async fn accepts(&self, header: Value, changes: Value) -> bool {
        match self.verifier.verify(&self.token(&header, &changes)).await {
            Ok(_) => true,
            Err(VerifyError::Invalid(_)) => false,
            Err(error) => panic!("{error}"),
        }
    }

    fn requests(&self) -> usize {
        self.host.requests.load(Ordering::SeqCst)
    }
}

/// Sets the members of `changes`, and removes those that are `"missing"`.
fn merge(into: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        into[name] = value.clone();
        if value == "missing" {
            into.as_object_mut().unwrap().remove(name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_access_token_with_every_claim_is_accepted() {
    let forge = Forge::new().await;
    let now = SystemClock.now().timestamp();
    assert!(forge.accepts(json!({}), json!({})).await);
    assert!(forge.accepts(json!({ "typ": "application/AT+JWT" }), json!({ "exp": now - 3, "nbf": now + 3 })).await);
    for header in [
        json!({ "typ": "JWT" }),
        json!({ "typ": "missing" }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "kid": "missing" }),
        json!({ "kid": "other" }),
        json!({ "alg": "HS256" }),
        json!({ "alg": "none" }),
        json!({ "alg": "ES256" }),
    ] {
        assert!(!forge.accepts(header.clone(), json!({})).await, "{header}");
    }
    for claims in [
        json!({ "aud": "missing" }),
        json!({ "aud": null }),
        json!({ "aud": [] }),
        json!({ "aud": "https://other.example.com" }),
        json!({ "iss": "missing" }),
        json!({ "iss": null }),
        json!({ "iss": "https://other.example.com" }),
        json!({ "exp": "missing" }),
        json!({ "exp": null }),
        json!({ "exp": now - 7 }),
        json!({ "exp": "9999999999" }),
        json!({ "nbf": "missing" }),
        json!({ "nbf": null }),
        json!({ "nbf": now + 8 }),
        json!({ "sub": "missing" }),
        json!({ "sub": "" }),
        json!({ "sub": null }),
        json!({ "sid": "missing" }),
        json!({ "sid": "" }),
        json!({ "sid": 1 }),
    ] {
        assert!(!forge.accepts(json!({}), claims.clone()).await, "{claims}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_symmetric_key_or_one_for_encryption_in_the_key_set_is_ignored() {
    let forge = Forge::new().await;
    let mut encrypts = jwk(&forge.key, "enc");
    encrypts["use"] = json!("enc");
    let mut lies = jwk(&forge.key, "lies");
    lies["alg"] = json!("ES256");
    let shared = json!({ "kty": "oct", "k": "", "kid": "oct", "alg": "HS256" });
    forge.host.keys.lock().unwrap().extend([encrypts, lies, shared]);
    assert!(forge.accepts(json!({}), json!({})).await);
    for kid in ["enc", "lies"] {
        assert!(!forge.accepts(json!({ "kid": kid }), json!({})).await, "{kid}");
    }
    assert!(!forge.accepts(json!({ "kid": "oct", "alg": "HS256" }), json!({})).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_keys_cause_at_most_one_request_in_ten_seconds() {
    let forge = Forge::new().await;
    assert!(forge.accepts(json!({}), json!({})).await);
    let invent = async || {
        let tokens: Vec<_> = (0..30).map(|n| forge.token(&json!({ "kid": format!("k{n}") }), &json!({}))).collect();
        let tasks: Vec<_> = tokens
            .into_iter()
            .map(|token| {
                let verifier = forge.verifier.clone();
                tokio::spawn(async move { verifier.verify(&token).await.is_err() })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap());
        }
    };
    invent().await;
    assert_eq!(forge.requests(), 1);
    pass(&forge.verifier, Duration::from_secs(11));
    invent().await;
    assert_eq!(forge.requests(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_serve_for_an_hour_while_the_server_is_unreachable() {
    let forge = Forge::new().await;
    let verifies = async || forge.verifier.verify(&forge.token(&json!({}), &json!({}))).await;
    verifies().await.unwrap();
    *forge.host.is_down.lock().unwrap() = true;
    pass(&forge.verifier, Duration::from_mins(6));
    verifies().await.unwrap();
    assert_eq!(forge.requests(), 2, "keys are renewed after five minutes");
    pass(&forge.verifier, Duration::from_mins(55));
    assert!(matches!(verifies().await, Err(VerifyError::Keys { .. })));
    *forge.host.is_down.lock().unwrap() = false;
    pass(&forge.verifier, Duration::from_secs(2));
    verifies().await.unwrap();
    forge.host.keys.lock().unwrap().clear();
    pass(&forge.verifier, Duration::from_mins(6));
    assert!(matches!(verifies().await, Err(VerifyError::Invalid(_))), "a key that was withdrawn");
}

// ---- The extractor and the layer -----------------------------------------------------------------------------------

async fn status(url: &str, authorization: Option<&str>) -> (u16, Option<String>, String) {
    let mut request = reqwest::Client::new().get(url);
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let response = request.send().await.unwrap();
    let challenge = response.headers().get("www-authenticate").map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), challenge, response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_extractor_and_the_layer_admit_valid_tokens_only() {
    let forge = Forge::new().await;
    let verifier = forge.verifier.clone();
    let router = Router::new()
        .route("/needed", get(async |claims: Claims| claims.sub))
        .route("/optional", get(async |claims: Option<Claims>| claims.map(|claims| claims.sub).unwrap_or_default()))
        .with_state(verifier.clone())
        .merge(Router::new().route("/layer", get(async || Body::from("in"))).layer(verifier.layer()));
    let url = format!("http://{}", serve(router).await);
    let good = format!("Bearer {}", forge.token(&json!({}), &json!({})));
    let wrong = format!("bearer {}", forge.token(&json!({}), &json!({ "aud": "x" })));
    for (path, body) in [("needed", "u"), ("optional", "u"), ("layer", "in")] {
        let url = format!("{url}/{path}");
        assert_eq!(status(&url, Some(&good)).await, (200, None, body.to_owned()), "{path}");
        for wrong in [&wrong, "Basic abc", "Bearer", ""] {
            let (code, challenge, _) = status(&url, Some(wrong)).await;
            assert_eq!((code, challenge.as_deref()), (401, Some("Bearer error=\"invalid_token\"")), "{path} {wrong}");
        }
    }
    assert_eq!(status(&format!("{url}/optional"), None).await, (200, None, String::new()));
    for path in ["needed", "layer"] {
        let (code, challenge, _) = status(&format!("{url}/{path}"), None).await;
        assert_eq!((code, challenge.as_deref()), (401, Some("Bearer")), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_keys_the_response_is_503_and_does_not_say_where_the_keys_are() {
    let verifier = Verifier::with_keys_at(ISSUER, AUDIENCE, "http://127.0.0.1:1/keys").unwrap();
    let forge = Forge::new().await;
    let router = Router::new().route("/", get(async |claims: Claims| claims.sub)).with_state(verifier);
    let url = format!("http://{}", serve(router).await);
    let good = format!("Bearer {}", forge.token(&json!({}), &json!({})));
    let (code, _, body) = status(&url, Some(&good)).await;
    assert_eq!(code, 503);
    assert!(!body.contains("127.0.0.1"), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn claims_of_another_verifier_are_not_trusted() {
    let (outer, inner) = (Forge::new().await, Forge::new().await);
    let router = Router::new()
        .route("/", get(async |claims: Claims| claims.sub))
        .with_state(inner.verifier.clone())
        .layer(outer.verifier.layer());
    let url = format!("http://{}", serve(router).await);
    let token = format!("Bearer {}", outer.token(&json!({}), &json!({})));
    assert_eq!(status(&url, Some(&token)).await.0, 401);
}

#[test]
fn a_verifier_needs_an_issuer_and_an_audience() {
    assert!(Verifier::new("login.example.com", AUDIENCE).is_err());
    assert!(Verifier::new(ISSUER, "").is_err());
}
