//! The JSON of the floor and of the peers in Python.

use anyhow::Result;
use serde_json::json;

use super::{AGENT, Person, Session, expect, json, text};
use crate::http::Client;

pub(super) async fn request_code(http: &mut Client, person: &Person) -> Result<String> {
    let body = json!({ "email": person.email, "deviceToken": person.device }).to_string();
    text(&json(&http.post("/login", AGENT, &body).await?)?, "/challenge")
}

pub(super) async fn enter_code(http: &mut Client, person: &mut Person, challenge: &str, code: &str) -> Result<()> {
    let body = json!({ "challenge": challenge, "code": code }).to_string();
    let answer = json(&http.post("/verify", AGENT, &body).await?)?;
    let token = text(&answer, "/tokens/accessToken")?;
    person.session.headers = format!("{AGENT}authorization: Bearer {token}\r\n");
    person.session.refresh = text(&answer, "/tokens/refreshToken")?;
    person.device = text(&answer, "/deviceToken").ok();
    Ok(())
}

pub(super) async fn me(http: &mut Client, session: &Session) -> Result<()> {
    expect(&http.get("/me", &session.headers).await?, r#""email":""#)
}

pub(super) async fn refresh(http: &mut Client, session: &mut Session) -> Result<()> {
    let body = json!({ "refreshToken": session.refresh }).to_string();
    let answer = json(&http.post("/refresh", AGENT, &body).await?)?;
    let token = text(&answer, "/accessToken")?;
    session.headers = format!("{AGENT}authorization: Bearer {token}\r\n");
    session.refresh = text(&answer, "/refreshToken")?;
    Ok(())
}
