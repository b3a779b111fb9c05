//! The public keys of a Doorcode server, cached. Each key has one algorithm.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::VerifyError;

/// Doorcode publishes a new key ten minutes before it signs, and lets caches keep keys for five.
const MAX_AGE: Duration = Duration::from_mins(5);
/// How long keys serve while the server is unreachable.
const MAX_STALE: Duration = Duration::from_hours(1);
/// Time between two requests, so that tokens with invented keys cause no load.
const PAUSE: Duration = Duration::from_secs(10);
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);
/// Maximum size of the response in bytes. A key takes about 500.
const MAX_BODY: usize = 64 * 1024;

/// A public key, and the only algorithm that it verifies.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    pub(crate) decoding: DecodingKey,
}

#[derive(Clone, Default)]
struct Cached {
    by_id: Arc<HashMap<String, Arc<Key>>>,
    fetched_at: Option<Instant>,
}

impl Cached {
    fn is_younger_than(&self, age: Duration, now: Instant) -> bool {
        self.fetched_at.is_some_and(|at| now.saturating_duration_since(at) < age)
    }
}

pub(crate) struct Keys {
    url: String,
    http: reqwest::Client,
    cached: RwLock<Cached>,
    /// Held during a request; the time of the next one.
    next: Mutex<Option<Instant>>,
    /// The time that a test let pass.
    #[cfg(test)]
    pub(crate) passed: std::sync::Mutex<Duration>,
}

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

impl Keys {
    pub(crate) fn new(url: String) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build()?;
        Ok(Self {
            url,
            http,
            cached: RwLock::default(),
            next: Mutex::default(),
            #[cfg(test)]
            passed: std::sync::Mutex::default(),
        })
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "tests keep the time that they let pass")]
    fn now(&self) -> Instant {
        Instant::now()
    }

    #[cfg(test)]
    fn now(&self) -> Instant {
        Instant::now() + *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Cached {
        self.cached.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Finds a key. Fetches the keys if they are old, or if the key is unknown.
    pub(crate) async fn find(&self, kid: &str) -> Result<Option<Arc<Key>>, VerifyError> {
        let cached = self.current();
        let known = cached.by_id.get(kid).cloned();
        if known.is_some() && cached.is_younger_than(MAX_AGE, self.now()) {
            return Ok(known);
        }
        let mut next = match (self.next.try_lock(), &known) {
            (Ok(next), _) => next,
            // Another request fetches the keys. Those that are known need not wait for it.
            (Err(_), Some(_)) if cached.is_younger_than(MAX_STALE, self.now()) => return Ok(known),
            (Err(_), _) => self.next.lock().await,
        };
        let mut failure = None;
        if next.is_none_or(|at| self.now() >= at) && self.current().fetched_at == cached.fetched_at {
            failure = self.fetch().await.err();
            let pause = if failure.is_some() { PAUSE_AFTER_FAILURE } else { PAUSE };
            *next = Some(self.now() + pause);
        }
        drop(next);
        let cached = self.current();
        if cached.is_younger_than(MAX_STALE, self.now()) {
            return Ok(cached.by_id.get(kid).cloned());
        }
        let reason = failure.unwrap_or_else(|| "the last request failed a moment ago".to_owned());
        Err(VerifyError::Keys { url: self.url.clone(), reason })
    }

    async fn fetch(&self) -> Result<(), String> {
        let fetched_at = self.now();
        let jwks = self.request().await.inspect_err(|reason| tracing::warn!(url = self.url, reason, "no keys"))?;
        let keys = jwks.keys.into_iter().filter_map(usable).collect();
        *self.cached.write().unwrap_or_else(PoisonError::into_inner) =
            Cached { by_id: Arc::new(keys), fetched_at: Some(fetched_at) };
        Ok(())
    }

    async fn request(&self) -> Result<Jwks, String> {
        let text = |error: reqwest::Error| error.without_url().to_string();
        let mut response = self.http.get(&self.url).send().await.map_err(text)?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(text)? {
            body.extend_from_slice(&chunk);
            if body.len() > MAX_BODY {
                return Err("the response is too large".to_owned());
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("not a key set: {error}"))
    }
}

/// The ID and key of an entry. `None` for one that is not for signatures, or of a kind that Doorcode does not use: the
/// other keys still work.
fn usable(entry: serde_json::Value) -> Option<(String, Arc<Key>)> {
    let jwk: Jwk = serde_json::from_value(entry).ok()?;
    let (algorithm, name) = match &jwk.algorithm {
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            (Algorithm::EdDSA, KeyAlgorithm::EdDSA)
        }
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        // The library refuses moduli below 2,048 bits.
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        // Never a symmetric key: a program that can verify with it can also sign.
        _ => return None,
    };
    let is_for_this = jwk.common.key_algorithm.is_none_or(|named| named == name)
        && jwk.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let decoding = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_for_this)?;
    Some((jwk.common.key_id?, Arc::new(Key { algorithm, decoding })))
}
