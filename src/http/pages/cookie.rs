//! The cookie that holds the refresh token of the pages. Scripts cannot read it.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;
use secrecy::{ExposeSecret, SecretString};

use crate::settings::Settings;

/// The cookie of a server: its name and the attributes that depend on it.
pub(super) struct SessionCookie {
    name: &'static str,
    attributes: &'static str,
}

/// The session cookie in a request.
pub(super) enum Sent {
    None,
    Token(SecretString),
    /// Several cookies of our name. Another site on the same host set one of them, and we cannot tell which.
    Several,
}

impl SessionCookie {
    /// Browsers accept a cookie whose name starts with `__Host-` only from this host over HTTPS, so another subdomain
    /// cannot set it. On loopback HTTP, browsers disagree about such names.
    pub(super) fn of(settings: &Settings) -> Self {
        if settings.is_https() {
            Self { name: "__Host-doorcode", attributes: "; Path=/; Secure; HttpOnly; SameSite=Lax" }
        } else {
            Self { name: "doorcode_dev", attributes: "; Path=/; HttpOnly; SameSite=Lax" }
        }
    }

    pub(super) fn read(&self, headers: &HeaderMap) -> Sent {
        let pairs =
            headers.get_all(header::COOKIE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
        // Only ASCII spaces are trimmed: a name that starts with a Unicode space is another name, which any site on
        // this domain can set.
        let named = pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(self.name.as_bytes())?.strip_prefix(b"="));
        let mut tokens = named.map(|token| String::from_utf8_lossy(token).into_owned());
        match (tokens.next(), tokens.next()) {
            (None, _) => Sent::None,
            (Some(token), None) => Sent::Token(token.into()),
            (Some(_), Some(_)) => Sent::Several,
        }
    }

    /// Sets the cookie. Without `lasts`, the browser deletes it when it closes.
    pub(super) fn set(&self, token: &SecretString, lasts: Option<TimeDelta>) -> Option<HeaderValue> {
        let age = lasts.map(|lasts| format!("; Max-Age={}", lasts.num_seconds().max(0)));
        self.value(token.expose_secret(), &age.unwrap_or_default())
    }

    pub(super) fn clear(&self) -> Option<HeaderValue> {
        self.value("", "; Max-Age=0")
    }

    fn value(&self, token: &str, age: &str) -> Option<HeaderValue> {
        let mut value = HeaderValue::from_str(&format!("{}={token}{}{age}", self.name, self.attributes)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
