//! Doorcode's GraphQL API.

use anyhow::Result;
use serde_json::{Value, json};

use super::{AGENT, PASSWORD, Person, Session, expect, json, text};
use crate::http::Client;

const LOGIN: &str = "mutation Login($input: LoginInput!) { login(input: $input) { __typename \
    ... on CodeSent { challenge } ... on SignedIn { deviceToken tokens { accessToken refreshToken } } } }";
const REGISTER: &str = "mutation Register($input: RegisterInput!) { register(input: $input) { __typename ... on CodeSent { challenge } } }";
const VERIFY: &str = "mutation Verify($input: VerifyInput!) { verify(input: $input) { __typename \
    ... on SignedIn { deviceToken user { id email } tokens { accessToken refreshToken } } } }";
const REFRESH: &str = "mutation Refresh($input: RefreshInput!) { refresh(input: $input) { __typename \
    ... on Refreshed { tokens { accessToken refreshToken } } } }";
const ME: &str = r#"{"query":"{ me { id email role } }"}"#;

/// Sends an operation with one input and returns the JSON of its field.
async fn run(http: &mut Client, document: &str, input: Value) -> Result<Value> {
    let body = json!({ "query": document, "variables": { "input": input } }).to_string();
    json(&http.post("/graphql", AGENT, &body).await?)
}

fn keep(person: &mut Person, signed_in: &Value, field: &str) -> Result<()> {
    let token = text(signed_in, &format!("/data/{field}/tokens/accessToken"))?;
    person.session.headers = format!("{AGENT}authorization: Bearer {token}\r\n");
    person.session.refresh = text(signed_in, &format!("/data/{field}/tokens/refreshToken"))?;
    person.device = Some(text(signed_in, &format!("/data/{field}/deviceToken"))?);
    Ok(())
}

pub(super) async fn request_code(http: &mut Client, person: &Person) -> Result<String> {
    let answer = run(http, LOGIN, json!({ "email": person.email, "deviceToken": person.device })).await?;
    text(&answer, "/data/login/challenge")
}

pub(super) async fn register(http: &mut Client, person: &Person) -> Result<String> {
    let answer = run(http, REGISTER, json!({ "email": person.email, "password": PASSWORD })).await?;
    text(&answer, "/data/register/challenge")
}

pub(super) async fn enter_code(http: &mut Client, person: &mut Person, challenge: &str, code: &str) -> Result<()> {
    let answer = run(http, VERIFY, json!({ "challenge": challenge, "code": code })).await?;
    keep(person, &answer, "verify")
}

pub(super) async fn sign_in_by_password(http: &mut Client, person: &mut Person) -> Result<()> {
    let input = json!({ "email": person.email, "password": PASSWORD, "deviceToken": person.device });
    let answer = run(http, LOGIN, input).await?;
    keep(person, &answer, "login")
}

pub(super) async fn me(http: &mut Client, session: &Session) -> Result<()> {
    expect(&http.post("/graphql", &session.headers, ME).await?, r#""email":""#)
}

pub(super) async fn refresh(http: &mut Client, session: &mut Session) -> Result<()> {
    let answer = run(http, REFRESH, json!({ "refreshToken": session.refresh })).await?;
    let token = text(&answer, "/data/refresh/tokens/accessToken")?;
    session.headers = format!("{AGENT}authorization: Bearer {token}\r\n");
    session.refresh = text(&answer, "/data/refresh/tokens/refreshToken")?;
    Ok(())
}
