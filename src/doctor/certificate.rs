//! Expiry of certificates.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::doctor::finding::Finding;

/// Days before expiry by which automatic renewal should have happened.
const RENEWAL_DAYS: i64 = 14;

/// The root certificates that browsers trust.
pub(super) fn authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// When a certificate expires.
///
/// The library does not expose this field, but its error for an expired certificate does. So we verify the certificate
/// as of a date in the far future.
pub(super) fn expiry(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let far_future = UnixTime::since_unix_epoch(Duration::from_secs(250_000_000_000));
    let roots = Arc::new(authorities());
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::new(default_provider())).build().ok()?;
    let name = ServerName::try_from("localhost").ok()?;
    match verifier.verify_server_cert(&CertificateDer::from(certificate), &[], &name, &[], far_future) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            DateTime::from_timestamp(i64::try_from(not_after.as_secs()).ok()?, 0)
        }
        _ => None,
    }
}

/// Whether a certificate is valid, and for long enough to renew it.
pub(super) fn lifetime(check: &'static str, end: Option<DateTime<Utc>>, now: DateTime<Utc>, advice: &str) -> Finding {
    let Some(end) = end else {
        let advice = "check it with openssl x509 -noout -enddate -in FILE";
        return Finding::warning(check, "the expiry date cannot be read", advice);
    };
    let (left, day) = (end - now, end.format("%F"));
    finding!(check, ok "valid until {day}",
        problem if left.num_seconds() < 0 => "expired on {day}; browsers refuse it" => "{advice}",
        warning if left.num_days() < RENEWAL_DAYS => "expires on {day}" => "{advice}",
    )
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn warns_two_weeks_before_a_certificate_expires() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        for (left, state) in [
            (TimeDelta::days(15), State::Ok),
            (TimeDelta::days(13), State::Warning),
            (TimeDelta::seconds(1), State::Warning),
            (TimeDelta::seconds(-1), State::Problem),
        ] {
            assert_eq!(lifetime("certificate", Some(now + left), now, "renew it").state, state, "{left}");
        }
        assert_eq!(lifetime("certificate", None, now, "renew it").state, State::Warning);
    }
}
