//! Attacks on passwords: guessing, getting past a mailbox, keeping an account that its owner took back, and racing. In
//! process, because they need a clock that can be moved and replicas that share a database.

mod guessing;
mod locks;
mod owner;
mod purposes;
mod queue;
mod races;
mod thief;
mod timing;

use doorcode::limits::Rule;
use serde_json::{Value, json};

use crate::harness::{Answer, Client, SignedIn, TestApp};

/// The owner's password.
const PASSWORD: &str = "seven otters at noon";
/// The attacker's.
const OTHER: &str = "a ladder for the moon";
const DAY: f64 = 86_400.0;

const SELECTION: &[(&str, &[&str])] = &[
    ("... on CodeSent { challenge }", &["login", "register", "requestPasswordReset", "resendCode"]),
    (
        "... on SignedIn { isNewUser deviceToken user { id email role } session { id current } \
         tokens { accessToken refreshToken } }",
        &["login", "verify", "resetPassword"],
    ),
    ("... on InvalidCode { attemptsLeft }", &["verify", "resetPassword"]),
];

async fn answer(client: &Client<'_>, field: &str, input: Value) -> Answer {
    let parts = SELECTION.iter().filter(|(_, fields)| fields.contains(&field)).map(|(part, _)| *part);
    let selection = parts.fold("__typename ... on Problem { code message }".to_owned(), |all, part| all + " " + part);
    client.change(field, input, &selection).await
}

/// The result of a mutation. Panics on errors.
async fn call(client: &Client<'_>, field: &str, input: Value) -> Value {
    answer(client, field, input).await.field(field).clone()
}

fn kind(value: &Value) -> &str {
    value["__typename"].as_str().unwrap_or_else(|| panic!("{value}"))
}

/// The type of the result, or the code of the error.
fn outcome(answer: &Answer, field: &str) -> String {
    match answer.json["data"][field]["__typename"].as_str() {
        Some(kind) => kind.to_owned(),
        None => answer.code().to_owned(),
    }
}

fn credentials(client: &Client<'_>, email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "deviceToken": client.device })
}

async fn login(client: &Client<'_>, email: &str, password: &str) -> Value {
    call(client, "login", credentials(client, email, password)).await
}

/// A wrong or right password from a network of its own, and the type of its result.
async fn guess(app: &TestApp, email: &str, password: &str) -> String {
    kind(&login(&app.guest(), email, password).await).to_owned()
}

async fn register(client: &Client<'_>, email: &str, password: &str) -> String {
    challenge(&call(client, "register", json!({ "email": email, "password": password })).await)
}

async fn request_reset(client: &Client<'_>, email: &str) -> String {
    challenge(&call(client, "requestPasswordReset", json!({ "email": email })).await)
}

async fn reset(client: &Client<'_>, challenge: &str, code: &str, password: &str) -> Value {
    call(client, "resetPassword", json!({ "challenge": challenge, "code": code, "newPassword": password })).await
}

fn challenge(sent: &Value) -> String {
    sent["challenge"].as_str().unwrap_or_else(|| panic!("no code sent: {sent}")).to_owned()
}

/// Creates an account with a password, and returns its owner's session.
async fn owner(app: &TestApp, email: &str) -> SignedIn {
    let guest = app.guest();
    let challenge = register(&guest, email, PASSWORD).await;
    let code = app.last_code_for(email).await;
    let signed_in = SignedIn::read(&guest.verify(&challenge, &code).await);
    assert!(signed_in.is_new);
    signed_in
}

/// The token behind `#name=` in the newest mail that has one.
async fn token_in_mail(app: &TestApp, email: &str, name: &str) -> String {
    let mails = app.mails_for(email).await;
    let rest = mails.iter().find_map(|mail| mail.text.split_once(&format!("#{name}="))).expect("a mail with a link").1;
    rest.split_whitespace().next().unwrap().to_owned()
}

/// Enough mails that no limit of sending refuses one.
fn many_mails(flags: &mut doorcode::settings::ServeFlags) {
    for rule in [Rule::SendPair, Rule::SendAddress, Rule::SendAddressDay, Rule::SendNetwork, Rule::VerifyNetwork] {
        flags.limits.insert(rule, "100000/1h".into());
    }
}
