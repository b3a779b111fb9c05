//! Sign-in to other applications: `GET /authorize`, the answer of its page, and `POST /token`.

mod attacks;
mod codes;
mod flow;
mod page;
mod rights;

use std::io::Write;

use aws_lc_rs::digest;
use axum::{
    body::Body,
    http::{Request, header},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorcode::{
    db::{self, entity::clients},
    ports::Clock,
    settings::ServeFlags,
};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::{
    harness::{Answer, Client, SignedIn, TestApp},
    pages::browser::OWN,
    tokens::claims,
};

/// A client whose tokens this server accepts.
pub(crate) const NOTES: (&str, &str) = ("notes", "https://notes.example.com/callback");
/// A client with an audience of its own.
pub(crate) const SHOP: (&str, &str) = ("shop", "https://shop.example.com/callback?from=doorcode");
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const OTHER_VERIFIER: &str = "0000000000000000000000000000000000000000000";

pub(crate) async fn app() -> TestApp {
    app_with(|_| {}).await
}

/// A server on which [`NOTES`], [`SHOP`] and a native application are registered.
pub(crate) async fn app_with(change: impl FnOnce(&mut ServeFlags)) -> TestApp {
    let clients = json!([
        { "id": NOTES.0, "name": "Notes", "redirectUris": [NOTES.1] },
        { "id": SHOP.0, "name": "Shop <b>", "redirectUris": [SHOP.1], "audience": "https://api.shop.example.com" },
        { "id": "cli", "name": "Command line", "redirectUris": ["http://127.0.0.1/done", "http://[::1]/done"] },
    ]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(clients.to_string().as_bytes()).unwrap();
    TestApp::with(|flags| {
        flags.clients = Some(file.path().to_str().unwrap().to_owned());
        change(flags);
    })
    .await
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The query of a request of this client.
pub(crate) fn query((id, uri): (&str, &str)) -> String {
    query_with(&[("client_id", id), ("redirect_uri", uri)])
}

/// A query with these parameters instead of those of a right one. An empty value leaves a parameter out.
fn query_with(changed: &[(&str, &str)]) -> String {
    let challenge = challenge(VERIFIER);
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", NOTES.0),
        ("redirect_uri", NOTES.1),
        ("state", "a state"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    pairs.retain(|(name, _)| !changed.iter().any(|(other, _)| other == name));
    pairs.extend(changed.iter().filter(|(_, value)| !value.is_empty()));
    encoded(&pairs)
}

/// What the page sends when the user presses a button.
pub(crate) async fn answer(client: &Client<'_>, access: Option<&str>, query: &str, approve: bool) -> Answer {
    let mut request = Request::post("/pages/authorize")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ORIGIN, OWN)
        .header("x-doorcode", "1");
    if let Some(token) = access {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let account = access.filter(|token| token.contains('.')).map(|token| claims(token)["sub"].clone());
    let body = json!({ "query": query, "approve": approve, "account": account }).to_string();
    client.send(request.body(Body::from(body)).unwrap()).await
}

/// The URL to which a browser is sent back.
pub(crate) fn redirect(answer: &Answer) -> Url {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json["redirect"].as_str().unwrap().parse().unwrap()
}

pub(crate) fn param(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
}

/// Approves a request, and returns the code.
pub(crate) async fn code(client: &Client<'_>, access: &str, of: (&str, &str)) -> String {
    let answer = answer(client, Some(access), &query(of), true).await;
    param(&redirect(&answer), "code").unwrap()
}

/// Posts a form to `/token`.
pub(crate) async fn token(client: &Client<'_>, form: &[(&str, &str)]) -> Answer {
    let request = Request::post("/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    client.send(request.body(Body::from(encoded(form))).unwrap()).await
}

/// The form that exchanges a code.
pub(crate) fn by_code<'a>((id, uri): (&'a str, &'a str), code: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", id),
        ("redirect_uri", uri),
        ("code", code),
        ("code_verifier", VERIFIER),
    ]
}

pub(crate) async fn refresh(client: &Client<'_>, id: &str, refresh_token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("client_id", id), ("refresh_token", refresh_token)];
    token(client, &form).await
}

/// The tokens of a client.
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, 200, "{}", answer.text);
        let text = |name: &str| answer.json[name].as_str().unwrap().to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }
}

/// Signs a user of the pages in to a client.
pub(crate) async fn sign_in_to(client: &Client<'_>, access: &str, of: (&str, &str)) -> Tokens {
    let code = code(client, access, of).await;
    Tokens::of(&token(client, &by_code(of, &code)).await)
}

/// Registers [`NOTES`] in the database.
pub(crate) async fn register(app: &TestApp) {
    let notes = clients::Model {
        id: NOTES.0.to_owned(),
        name: "Notes".to_owned(),
        redirect_uris: NOTES.1.to_owned(),
        audience: None,
        logo: None,
        created_at: app.clock.now(),
    };
    db::insert(app.ctx().db.write(), notes).await.unwrap();
}

/// A user who is signed in on the pages.
async fn ada(app: &TestApp) -> (Client<'_>, SignedIn) {
    let client = app.guest();
    let signed_in = client.sign_in("ada@example.com").await;
    (client.with_bearer(&signed_in.access), signed_in)
}

fn is_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status.as_u16(), &answer.json["error"]), (400, &json!(error)), "{}", answer.text);
    assert_eq!(answer.headers["cache-control"], "no-store");
    assert!(answer.json["error_description"].is_string(), "{}", answer.text);
    assert_eq!(answer.json["access_token"], Value::Null);
}

/// The outcome of a refresh in the API.
async fn is_open(client: &Client<'_>, of: (&str, &str), tokens: &Tokens) -> bool {
    refresh(client, of.0, &tokens.refresh).await.status == 200
}
