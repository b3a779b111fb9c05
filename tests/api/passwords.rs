//! Passwords: registering, signing in, resetting, changing and removing them, and taking an account back.

pub(crate) mod breached;
mod budget;
mod change;
mod disown;
mod login;
mod off;
mod purposes;
mod register;
mod reset;
mod rotation;
mod texts;
mod traces;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, SignedIn, TestApp};

/// A password that the policy accepts.
const PASSWORD: &str = "seven otters at noon";
/// Another one.
const OTHER: &str = "a ladder for the moon";
const DAY: f64 = 86_400.0;

const ANY: &str = "__typename ... on Problem { code message }";
const CODE_SENT: &str = "... on CodeSent { challenge email codeLength expiresAt resendAt attemptsLeft }";
const SIGNED_IN: &str = "... on SignedIn { isNewUser deviceToken user { id email name hasPassword passwordChangedAt } \
    session { id createdAt expiresAt methods authenticatedAt remembered clientId } \
    tokens { accessToken refreshToken refreshExpiresAt } }";
const WAIT: &str = "... on RateLimited { retryAfter retryAt }";
const WEAK: &str = "... on WeakPassword { reasons }";
const WRONG_CODE: &str = "... on InvalidCode { attemptsLeft }";

/// What to select from the result of a mutation.
fn selection(field: &str) -> String {
    let more: &[&str] = match field {
        "login" => &[CODE_SENT, SIGNED_IN, WAIT],
        "register" => &[CODE_SENT, WEAK, WAIT],
        "verify" => &[SIGNED_IN, WRONG_CODE, WAIT],
        "resendCode" | "requestPasswordReset" => &[CODE_SENT, WAIT],
        "resetPassword" => &[SIGNED_IN, WRONG_CODE, WEAK, WAIT],
        "setPassword" => &["... on PasswordSet { user { hasPassword passwordChangedAt } }", WEAK, WAIT],
        "removePassword" => &["... on PasswordRemoved { user { hasPassword passwordChangedAt } }", WAIT],
        _ => &[],
    };
    format!("{ANY} {}", more.join(" "))
}

/// Calls a mutation, and returns the whole response.
async fn answer(client: &Client<'_>, field: &str, input: Value) -> Answer {
    client.change(field, input, &selection(field)).await
}

/// Calls a mutation, and returns its result. Panics on errors.
async fn call(client: &Client<'_>, field: &str, input: Value) -> Value {
    answer(client, field, input).await.field(field).clone()
}

/// Calls a mutation, and returns the type of its result.
async fn kind(client: &Client<'_>, field: &str, input: Value) -> String {
    text(&call(client, field, input).await["__typename"])
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn sign_in_with(client: &Client<'_>, email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "deviceToken": client.device })
}

/// Signs in with a password, and returns the result.
async fn login(client: &Client<'_>, email: &str, password: &str) -> Value {
    call(client, "login", sign_in_with(client, email, password)).await
}

/// Registers, and returns the challenge.
async fn register(client: &Client<'_>, email: &str, password: &str) -> String {
    let sent = call(client, "register", json!({ "email": email, "password": password })).await;
    assert_eq!(sent["__typename"], "CodeSent", "{sent}");
    text(&sent["challenge"])
}

/// Requests a reset, and returns the challenge.
async fn request_reset(client: &Client<'_>, email: &str) -> String {
    let input = json!({ "email": email, "deviceToken": client.device });
    text(&call(client, "requestPasswordReset", input).await["challenge"])
}

/// Resets a password with the code of the newest mail.
async fn reset(app: &TestApp, client: &Client<'_>, email: &str, password: &str) -> Value {
    let challenge = request_reset(client, email).await;
    let code = app.last_code_for(email).await;
    call(client, "resetPassword", json!({ "challenge": challenge, "code": code, "newPassword": password })).await
}

/// A user with [`PASSWORD`], on the device where they registered.
struct Owner<'a> {
    /// The signed-in client, with its device token.
    client: Client<'a>,
    is: SignedIn,
}

impl<'a> std::ops::Deref for Owner<'a> {
    type Target = Client<'a>;

    fn deref(&self) -> &Client<'a> {
        &self.client
    }
}

/// Registers a new user and completes it.
async fn owner<'a>(app: &'a TestApp, email: &str) -> Owner<'a> {
    let guest = app.guest();
    let challenge = register(&guest, email, PASSWORD).await;
    let code = app.last_code_for(email).await;
    let verified = call(&guest, "verify", json!({ "challenge": challenge, "code": code })).await;
    let is = SignedIn::read(&verified);
    assert!(is.is_new);
    Owner { client: guest.with_bearer(&is.access).with_device(&is.device), is }
}

/// Signs in with a password from a new device.
async fn password_session<'a>(app: &'a TestApp, email: &str, password: &str) -> Owner<'a> {
    let guest = app.guest();
    let is = SignedIn::read(&login(&guest, email, password).await);
    Owner { client: guest.with_bearer(&is.access).with_device(&is.device), is }
}

/// The status of the response to a signed-in request: 401 when the session is over.
async fn status(client: &Client<'_>) -> u16 {
    client.me().await.status.as_u16()
}

/// The number of audit events of a kind.
async fn events(app: &TestApp, kind: &str) -> i64 {
    app.count("audit_events", &format!("kind = '{kind}'")).await
}

/// The subjects of all mails to an address, newest first.
async fn subjects(app: &TestApp, email: &str) -> Vec<String> {
    app.mails_for(email).await.into_iter().map(|mail| mail.subject).collect()
}

/// The token of "This wasn't me" in the newest mail that has one.
async fn disown_token(app: &TestApp, email: &str) -> String {
    let mails = app.mails_for(email).await;
    let rest = mails.iter().find_map(|mail| mail.text.split_once("#disown=")).expect("a notice with such a link").1;
    rest.split_whitespace().next().unwrap().to_owned()
}
