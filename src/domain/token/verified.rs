//! Tokens whose signature, issuer and audience have been verified. Clients send the same token many times, and verifying
//! a signature takes longer than anything else in a small request. Nothing else is decided here: every request still
//! checks the key, the times in the claims, and the session.

use std::sync::Arc;

use quick_cache::sync::Cache;
use uuid::Uuid;

use super::Claims;
use crate::{
    domain::vault,
    observability::metrics::{Lookups, Metrics},
};

/// Maximum number of tokens. They take about 4 MB. A token that does not fit is verified again.
const MAX_TOKENS: usize = 10_000;

/// The SHA-256 hash of a whole token, with its signature.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(token: &str) -> Self {
        Self(vault::sha256_bytes(token.as_bytes()))
    }
}

/// The verified tokens of a process. The least used are removed first.
pub(super) struct VerifiedTokens {
    tokens: Cache<Fingerprint, (Uuid, Arc<Claims>)>,
    lookups: Lookups,
}

impl VerifiedTokens {
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self { tokens: Cache::new(MAX_TOKENS), lookups: metrics.lookups("tokens") }
    }

    /// The id of the key that verified the token, and the token's claims.
    pub(super) fn get(&self, fingerprint: &Fingerprint) -> Option<(Uuid, Arc<Claims>)> {
        self.lookups.count(self.tokens.get(fingerprint))
    }

    pub(super) fn insert(&self, fingerprint: Fingerprint, verified: (Uuid, Arc<Claims>)) {
        self.tokens.insert(fingerprint, verified);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_tokens_fills_the_cache_and_no_more() {
        let cache = VerifiedTokens::new(&Metrics::default());
        let claims = Arc::new(Claims {
            iss: String::new(),
            aud: String::new(),
            sub: Uuid::nil(),
            sid: Uuid::nil(),
            exp: 0,
            iat: 0,
            nbf: 0,
            jti: Uuid::nil(),
            auth_time: 0,
            amr: Vec::new(),
            role: String::new(),
            client_id: None,
        });
        for number in 0..2 * MAX_TOKENS {
            cache.insert(Fingerprint::of(&number.to_string()), (Uuid::nil(), Arc::clone(&claims)));
        }
        assert!(cache.tokens.len() <= MAX_TOKENS, "{}", cache.tokens.len());
        assert!(cache.get(&Fingerprint::of(&(2 * MAX_TOKENS - 1).to_string())).is_some(), "the newest is there");
    }
}
