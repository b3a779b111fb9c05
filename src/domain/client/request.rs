//! Authorization requests of clients (RFC 6749, RFC 7636, RFC 9207, RFC 9700). Nothing is ever sent to a redirect URI
//! before it was found among those of the client.

use secrecy::SecretString;
use url::Url;

use super::{find, params::Params};
use crate::{
    domain::{
        Ctx,
        vault::{self, Digest},
    },
    error::{Error, Result},
    settings::clients::Client,
};

/// Maximum length of `state`.
const LONGEST_STATE: usize = 1_024;

/// A request that a user can approve.
pub struct Request {
    /// Who asks.
    pub client: Client,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// SHA-256 of the code verifier.
    pub(super) challenge: Digest,
    state: Option<String>,
    /// `prompt=login`: the user has to sign in again.
    pub needs_sign_in: bool,
    /// The address that the user probably signs in with.
    pub login_hint: Option<String>,
    /// Languages in order of preference.
    pub ui_locales: Vec<String>,
}

/// Why a request cannot be approved.
#[derive(Debug)]
pub enum Refused {
    /// The client or the redirect URI is unknown, so the answer has to stay here.
    Unknown,
    /// The client learns why, at this URL.
    Redirect(String),
}

/// An error of RFC 6749, 4.1.2.1, and a description for developers.
type Flaw = (&'static str, &'static str);

/// Reads the query of `GET /authorize`. At most one statement.
pub async fn read(ctx: &Ctx, query: &str) -> Result<std::result::Result<Request, Refused>> {
    let params = Params::parse(query);
    let (Some(id), Some(redirect_uri)) = (params.get("client_id"), params.get("redirect_uri")) else {
        return Ok(Err(Refused::Unknown));
    };
    let Some(client) = find(ctx, id).await?.filter(|client| client.admits(redirect_uri)) else {
        return Ok(Err(Refused::Unknown));
    };
    let state = params.get("state").filter(|state| is_state(state));
    match check(&params) {
        Ok(challenge) => Ok(Ok(Request {
            redirect_uri: redirect_uri.to_owned(),
            challenge,
            state: state.map(str::to_owned),
            needs_sign_in: words(&params, "prompt").any(|word| word == "login"),
            login_hint: params.get("login_hint").map(str::to_owned),
            ui_locales: words(&params, "ui_locales").map(str::to_owned).collect(),
            client,
        })),
        Err((error, description)) => {
            let answer = [("error", error), ("error_description", description)];
            Ok(Err(Refused::Redirect(answer_to(ctx, redirect_uri, &answer, state)?)))
        }
    }
}

/// Checks everything except the client and the redirect URI. Returns the challenge.
fn check(params: &Params) -> std::result::Result<Digest, Flaw> {
    if params.repeat() {
        return Err(("invalid_request", "A parameter was sent twice."));
    }
    if params.get("state").is_some_and(|state| !is_state(state)) {
        return Err(("invalid_request", "`state` is longer than 1024 bytes, or has a character outside ASCII."));
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "`response_type` must be `code`.")),
        None => return Err(("invalid_request", "`response_type` is missing. It must be `code`.")),
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "`response_mode` must be `query`."));
    }
    if params.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "`code_challenge_method` must be `S256`."));
    }
    let challenge = params.get("code_challenge").and_then(vault::decode::<32>);
    let challenge = challenge.ok_or(("invalid_request", "`code_challenge` must be a SHA-256 in base64url."))?;
    if params.get("scope").is_some() {
        return Err(("invalid_scope", "This server has no scopes. Send no `scope`."));
    }
    if words(params, "prompt").any(|word| word == "none") {
        return Err(("interaction_required", "The user is always asked."));
    }
    Ok(Digest::new(*challenge))
}

fn words<'a>(params: &'a Params, name: &str) -> impl Iterator<Item = &'a str> {
    params.get(name).unwrap_or_default().split(' ').filter(|word| !word.is_empty())
}

fn is_state(state: &str) -> bool {
    state.len() <= LONGEST_STATE && state.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ')
}

impl Request {
    /// The URL that brings a code to the client.
    pub(super) fn granted(&self, ctx: &Ctx, code: &str) -> Result<SecretString> {
        self.answer(ctx, &[("code", code)]).map(SecretString::from)
    }

    /// The URL that tells the client that the user refused.
    pub fn denied(&self, ctx: &Ctx) -> Result<String> {
        self.answer(ctx, &[("error", "access_denied"), ("error_description", "The user refused.")])
    }

    fn answer(&self, ctx: &Ctx, answer: &[(&str, &str)]) -> Result<String> {
        answer_to(ctx, &self.redirect_uri, answer, self.state.as_deref())
    }
}

/// Adds an answer to a redirect URI, with the issuer, from which a client of several servers knows who answered.
fn answer_to(ctx: &Ctx, redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>) -> Result<String> {
    let wrong = |error| Error::Internal(format!("the redirect URI {redirect_uri} is no URL: {error}"));
    let mut url = Url::parse(redirect_uri).map_err(wrong)?;
    let state = state.map(|state| ("state", state));
    url.query_pairs_mut().extend_pairs(answer).extend_pairs(state).append_pair("iss", ctx.settings.issuer());
    Ok(url.into())
}
