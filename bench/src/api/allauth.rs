//! django-allauth: its headless API for applications, with a session token.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::{AGENT, Person, Session, expect, text};
use crate::http::Client;

const ROOT: &str = "/_allauth/app/v1/auth";

/// Sends a step. A step that needs another one is answered with status 401.
async fn step(http: &mut Client, path: &str, headers: &str, body: Value) -> Result<(u16, Value)> {
    let response = http.post(&format!("{ROOT}{path}"), headers, &body.to_string()).await?;
    let status = response.status;
    if status != 200 && status != 401 {
        bail!("status {status}: {}", String::from_utf8_lossy(response.body));
    }
    Ok((status, serde_json::from_slice(response.body)?))
}

/// The first sign-in of a person signs up, which mails a code too.
pub(super) async fn request_code(http: &mut Client, person: &Person) -> Result<String> {
    let path = if person.device.is_some() { "/code/request" } else { "/signup" };
    let (_, answer) = step(http, path, AGENT, json!({ "email": person.email })).await?;
    text(&answer, "/meta/session_token")
}

pub(super) async fn enter_code(http: &mut Client, person: &mut Person, challenge: &str, code: &str) -> Result<()> {
    let headers = format!("{AGENT}x-session-token: {challenge}\r\n");
    let (path, body) = match person.device {
        Some(_) => ("/code/confirm", json!({ "code": code })),
        None => ("/email/verify", json!({ "key": code })),
    };
    let (status, answer) = step(http, path, &headers, body).await?;
    if status != 200 {
        bail!("not signed in: {answer}");
    }
    // A new token is only sent if it has changed.
    let token = text(&answer, "/meta/session_token").unwrap_or_else(|_| challenge.to_owned());
    person.session = Session { headers: format!("{AGENT}x-session-token: {token}\r\n"), refresh: String::new() };
    person.device = Some(String::new());
    Ok(())
}

pub(super) async fn me(http: &mut Client, session: &Session) -> Result<()> {
    expect(&http.get(&format!("{ROOT}/session"), &session.headers).await?, r#""email":"#)
}
