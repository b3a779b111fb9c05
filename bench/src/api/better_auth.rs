//! better-auth: the email code plugin, passwords, and a session cookie.

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{AGENT, PASSWORD, Person, Session, expect, json};
use crate::http::Client;

/// Header lines of a page of the service itself.
fn headers(http: &Client) -> String {
    format!("{AGENT}origin: {}\r\n", http.origin())
}

/// Sends a request that signs in, and keeps the cookies.
async fn sign_in(http: &mut Client, person: &mut Person, path: &str, body: &str) -> Result<()> {
    let headers = headers(http);
    let response = http.post(path, &headers, body).await?;
    json(&response)?;
    let cookie = response.cookies.join("; ");
    (!cookie.is_empty()).then_some(()).context("no cookie was set")?;
    person.session = Session { headers: format!("{headers}cookie: {cookie}\r\n"), refresh: String::new() };
    Ok(())
}

pub(super) async fn request_code(http: &mut Client, person: &Person) -> Result<String> {
    let body = json!({ "email": person.email, "type": "sign-in" }).to_string();
    let headers = headers(http);
    json(&http.post("/api/auth/email-otp/send-verification-otp", &headers, &body).await?)?;
    Ok(String::new())
}

pub(super) async fn enter_code(http: &mut Client, person: &mut Person, code: &str) -> Result<()> {
    let body = json!({ "email": person.email, "otp": code }).to_string();
    sign_in(http, person, "/api/auth/sign-in/email-otp", &body).await
}

pub(super) async fn register(http: &mut Client, person: &Person) -> Result<()> {
    let body = json!({ "email": person.email, "password": PASSWORD, "name": "Bench" }).to_string();
    let headers = headers(http);
    json(&http.post("/api/auth/sign-up/email", &headers, &body).await?)?;
    Ok(())
}

pub(super) async fn sign_in_by_password(http: &mut Client, person: &mut Person) -> Result<()> {
    let body = json!({ "email": person.email, "password": PASSWORD }).to_string();
    sign_in(http, person, "/api/auth/sign-in/email", &body).await
}

pub(super) async fn me(http: &mut Client, session: &Session) -> Result<()> {
    expect(&http.get("/api/auth/get-session", &session.headers).await?, r#""email":""#)
}
