//! Verifies Doorcode access tokens in an axum or tower service, with the public keys of the Doorcode server.
//!
//! ```no_run
//! use axum::{Router, extract::FromRef, routing::get};
//! use doorcode_verify::{Claims, Verifier};
//!
//! async fn me(claims: Claims) -> String {
//!     claims.sub
//! }
//!
//! # fn main() -> Result<(), doorcode_verify::ConfigError> {
//! let verifier = Verifier::new("https://login.example.com", "https://api.example.com")?;
//! // The extractor finds the verifier in the state.
//! let app: Router = Router::new().route("/me", get(me)).with_state(verifier.clone());
//! // The layer protects all routes below it, also those that do not use `Claims`.
//! let app = app.layer(verifier.layer());
//! # Ok(())
//! # }
//! ```
//!
//! `Option<Claims>` accepts requests without a token, but no invalid token. A state with more in it implements
//! `FromRef` for [`Verifier`].
//!
//! Other applications that users sign in to get tokens too. Unless such an application has an audience of its own, its
//! tokens are accepted here: check [`Claims::client_id`] where only your own pages may act.

mod http;
mod keys;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use jsonwebtoken::{Validation, decode, decode_header};
use serde::{Deserialize, Serialize};

pub use http::{Rejection, VerifyLayer, VerifyService};
use keys::Keys;

/// Maximum length of a token in bytes; longer ones are refused without parsing.
const LONGEST: usize = 8192;
/// Tolerated clock skew in seconds.
const LEEWAY: u64 = 5;

/// The claims of a verified access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Claims {
    /// The issuer: `DOORCODE_PUBLIC_URL`.
    pub iss: String,
    /// The audience.
    pub aud: String,
    /// The user: `User.databaseId`. Store this, not the address.
    pub sub: String,
    /// The session.
    pub sid: String,
    /// The time at which the token expires, in seconds.
    pub exp: u64,
    /// The time from which the token is valid, in seconds.
    pub nbf: u64,
    /// The time of the sign-in, in seconds. A refresh does not change it.
    pub auth_time: u64,
    /// How the user signed in: `otp` (a code), `link` or `pwd` (a password).
    pub amr: Vec<String>,
    /// `GUEST`, `USER`, `MANAGER` or `ADMIN`, when the token was issued.
    pub role: String,
    /// The application that acts for the user, or `None` if the user signed in on your own pages.
    pub client_id: Option<String>,
}

/// A verifier that cannot be created.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The issuer is not a URL.
    #[error("the issuer is {0}: set it to DOORCODE_PUBLIC_URL of the server, such as https://login.example.com")]
    Issuer(String),
    /// The audience is empty, so that any token would do.
    #[error("the audience is empty: set it to DOORCODE_TOKEN_AUDIENCE of the server")]
    Audience,
    /// The HTTP client cannot be created.
    #[error("cannot create an HTTP client: {0}")]
    Http(#[from] reqwest::Error),
}

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The token is invalid, expired, or for something else. Respond with 401.
    #[error("the access token is not valid: {0}")]
    Invalid(&'static str),
    /// The keys of the Doorcode server cannot be read. Respond with 503.
    #[error("cannot read the keys at {url}: {reason}. Is Doorcode running and reachable from here?")]
    Keys {
        /// Where the keys are.
        url: String,
        /// What went wrong.
        reason: String,
    },
}

/// Verifies access tokens. Cloning is cheap: clones share the cached keys, so an application needs one.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    keys: Keys,
}

impl Verifier {
    /// Creates a verifier of tokens from `issuer` (`DOORCODE_PUBLIC_URL`) for `audience` (`DOORCODE_TOKEN_AUDIENCE`). It
    /// fetches the keys from `/.well-known/jwks.json` of the issuer when the first token arrives.
    ///
    /// # Errors
    /// If the issuer is not a URL or the audience is empty.
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Result<Self, ConfigError> {
        let issuer = issuer.into();
        let url = format!("{}/.well-known/jwks.json", issuer.trim_end_matches('/'));
        Self::with_keys_at(issuer, audience, &url)
    }

    /// Creates a verifier that fetches the keys from another URL than that of the issuer, such as one in the own network.
    ///
    /// # Errors
    /// If the URL or the issuer is not a URL, or the audience is empty.
    pub fn with_keys_at(
        issuer: impl Into<String>,
        audience: impl Into<String>,
        url: &str,
    ) -> Result<Self, ConfigError> {
        let (issuer, audience) = (issuer.into(), audience.into());
        let is_url = |text: &str| reqwest::Url::parse(text).is_ok_and(|url| url.has_host());
        if !is_url(&issuer) || !is_url(url) {
            return Err(ConfigError::Issuer(issuer));
        }
        if audience.is_empty() {
            return Err(ConfigError::Audience);
        }
        let keys = Keys::new(url.to_owned())?;
        Ok(Self(Arc::new(Inner { issuer, audience, keys })))
    }

    /// Verifies a token, and returns its claims.
    ///
    /// # Errors
    /// [`VerifyError::Invalid`] for every token that is not acceptable; [`VerifyError::Keys`] if there are no keys.
    pub async fn verify(&self, token: &str) -> Result<Claims, VerifyError> {
        if token.len() > LONGEST {
            return Err(VerifyError::Invalid("too long"));
        }
        let header = decode_header(token).map_err(|_| VerifyError::Invalid("not a JWT"))?;
        let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        if typ.strip_prefix("application/").unwrap_or(&typ) != "at+jwt" {
            return Err(VerifyError::Invalid("not an access token"));
        }
        if header.crit.is_some() {
            return Err(VerifyError::Invalid("needs an extension that is not known here"));
        }
        let kid = header.kid.ok_or(VerifyError::Invalid("names no key"))?;
        let key = self.0.keys.find(&kid).await?.ok_or(VerifyError::Invalid("signed with an unknown key"))?;
        // The key decides the algorithm. The token only names it.
        if header.alg != key.algorithm {
            return Err(VerifyError::Invalid("signed with another algorithm than that of its key"));
        }
        let claims = decode::<Claims>(token, &key.decoding, &self.rules(key.algorithm))
            .map_err(|_| VerifyError::Invalid("wrong signature, expired, or for another service"))?
            .claims;
        if claims.sub.is_empty() || claims.sid.is_empty() {
            return Err(VerifyError::Invalid("names no user or session"));
        }
        Ok(claims)
    }

    /// The library accepts a missing audience, a future `nbf` and a token that expired a minute ago, unless these
    /// rules forbid it. The types of [`Claims`] refuse `null` and lists.
    fn rules(&self, algorithm: jsonwebtoken::Algorithm) -> Validation {
        let mut rules = Validation::new(algorithm);
        rules.leeway = LEEWAY;
        rules.validate_nbf = true;
        rules.set_issuer(&[&self.0.issuer]);
        rules.set_audience(&[&self.0.audience]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        rules
    }
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Verifier").field("issuer", &self.0.issuer).field("audience", &self.0.audience).finish()
    }
}
