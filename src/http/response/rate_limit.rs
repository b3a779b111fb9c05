//! The `RateLimit` and `RateLimit-Policy` headers of a refused request, as in draft-ietf-httpapi-ratelimit-headers-10.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::ports::Charge;

/// Remaining units of a policy, and seconds until there are more.
pub(in crate::http) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The policies: units and window in seconds.
pub(in crate::http) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// The rate limit that refused a request.
#[derive(Clone, Debug)]
pub(super) struct Exceeded {
    rule: &'static str,
    limit: u32,
    window: Duration,
}

impl From<&Charge> for Exceeded {
    fn from(charge: &Charge) -> Self {
        Self { rule: charge.rule, limit: charge.limit, window: charge.window }
    }
}

impl Exceeded {
    /// Adds both headers. `seconds` is the same wait as in `Retry-After`.
    pub(super) fn add_to(&self, headers: &mut HeaderMap, seconds: i64) {
        let Self { rule, limit, window } = self;
        let fields = [
            (RATE_LIMIT_POLICY, format!("\"{rule}\";q={limit};w={}", window.as_secs().max(1))),
            (RATE_LIMIT, format!("\"{rule}\";r=0;t={seconds}")),
        ];
        for (name, text) in fields {
            if let Ok(value) = HeaderValue::from_str(&text) {
                headers.insert(name, value);
            }
        }
    }
}
