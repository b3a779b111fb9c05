//! What every measured service is asked, in its own words.

mod allauth;
mod better_auth;
mod doorcode;
mod plain;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::http::{Client, Response};

/// The browser that every request claims to come from.
pub(crate) const AGENT: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n";

/// The password of every account that has one.
pub(crate) const PASSWORD: &str = "seven otters at noon";

/// The language of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Api {
    /// GraphQL.
    Doorcode,
    /// The JSON of the floor, which the peers in Python share.
    Plain,
    BetterAuth,
    /// The headless API of django-allauth.
    Allauth,
}

/// A signed-in browser.
#[derive(Clone, Debug, Default)]
pub(crate) struct Session {
    /// Header lines of every request.
    pub(crate) headers: String,
    pub(crate) refresh: String,
}

/// Somebody who signs in.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) device: Option<String>,
    pub(crate) session: Session,
}

impl Person {
    /// A person with an address of their own. The addresses spread over domains, because a real service sends mail to
    /// many domains at once.
    pub(crate) fn new(name: &str, number: usize) -> Self {
        Self::with_address(format!("{name}{number}@d{}.example", number % 64))
    }

    pub(crate) fn with_address(email: String) -> Self {
        Self { email, device: None, session: Session::default() }
    }
}

impl Api {
    /// Asks for a code. Returns what `enter_code` needs besides the code.
    pub(crate) async fn request_code(self, http: &mut Client, person: &Person) -> Result<String> {
        match self {
            Self::Doorcode => doorcode::request_code(http, person).await,
            Self::Plain => plain::request_code(http, person).await,
            Self::BetterAuth => better_auth::request_code(http, person).await,
            Self::Allauth => allauth::request_code(http, person).await,
        }
    }

    pub(crate) async fn enter_code(
        self,
        http: &mut Client,
        person: &mut Person,
        challenge: &str,
        code: &str,
    ) -> Result<()> {
        match self {
            Self::Doorcode => doorcode::enter_code(http, person, challenge, code).await,
            Self::Plain => plain::enter_code(http, person, challenge, code).await,
            Self::BetterAuth => better_auth::enter_code(http, person, code).await,
            Self::Allauth => allauth::enter_code(http, person, challenge, code).await,
        }
    }

    pub(crate) async fn me(self, http: &mut Client, session: &Session) -> Result<()> {
        match self {
            Self::Doorcode => doorcode::me(http, session).await,
            Self::Plain => plain::me(http, session).await,
            Self::BetterAuth => better_auth::me(http, session).await,
            Self::Allauth => allauth::me(http, session).await,
        }
    }

    pub(crate) async fn refresh(self, http: &mut Client, session: &mut Session) -> Result<()> {
        match self {
            Self::Doorcode => doorcode::refresh(http, session).await,
            Self::Plain => plain::refresh(http, session).await,
            Self::BetterAuth | Self::Allauth => bail!("this service has no refresh tokens"),
        }
    }

    /// Creates an account with the password. If that takes a code, returns what `enter_code` needs besides it.
    pub(crate) async fn register(self, http: &mut Client, person: &Person) -> Result<Option<String>> {
        match self {
            Self::Doorcode => doorcode::register(http, person).await.map(Some),
            Self::BetterAuth => better_auth::register(http, person).await.map(|()| None),
            Self::Plain | Self::Allauth => bail!("this service is measured without passwords"),
        }
    }

    pub(crate) async fn sign_in_by_password(self, http: &mut Client, person: &mut Person) -> Result<()> {
        match self {
            Self::Doorcode => doorcode::sign_in_by_password(http, person).await,
            Self::BetterAuth => better_auth::sign_in_by_password(http, person).await,
            Self::Plain | Self::Allauth => bail!("this service is measured without passwords"),
        }
    }
}

/// The JSON of a successful response.
fn json(response: &Response<'_>) -> Result<Value> {
    let text = || String::from_utf8_lossy(response.body).chars().take(300).collect::<String>();
    if response.status >= 300 {
        bail!("status {}: {}", response.status, text());
    }
    serde_json::from_slice(response.body).with_context(text)
}

fn text(json: &Value, pointer: &str) -> Result<String> {
    let found = json.pointer(pointer).and_then(Value::as_str);
    Ok(found.with_context(|| format!("no {pointer} in {json}"))?.to_owned())
}

/// Whether a body contains some text. Cheaper than to parse the body of every response.
pub(crate) fn contains(body: &[u8], text: &str) -> bool {
    text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Fails unless a response has status 200 and contains some text.
pub(crate) fn expect(response: &Response<'_>, wanted: &str) -> Result<()> {
    if response.status != 200 || !contains(response.body, wanted) {
        let body: String = String::from_utf8_lossy(response.body).chars().take(300).collect();
        bail!("status {}, not the expected {wanted}: {body}", response.status);
    }
    Ok(())
}
