//! When certificates end, for `doorcode doctor`. Nothing here decides whom to trust.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::doctor::finding::Finding;

/// A certificate that renews itself has been renewed this many days before its end.
const SOON: i64 = 14;

/// The authorities that browsers trust.
pub(super) fn authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The last moment at which a certificate is valid.
///
/// The library parses certificates and shows none of their fields. But an expired certificate is refused before anything
/// else about it is checked, with the moment at which it ended; so it is checked as of a time when it will have expired.
pub(super) fn ends(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let far = UnixTime::since_unix_epoch(Duration::from_secs(250_000_000_000));
    let roots = Arc::new(authorities());
    let judge = WebPkiServerVerifier::builder_with_provider(roots, Arc::new(default_provider())).build().ok()?;
    let anybody = ServerName::try_from("localhost").ok()?;
    match judge.verify_server_cert(&CertificateDer::from(certificate), &[], &anybody, &[], far) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            DateTime::from_timestamp(i64::try_from(not_after.as_secs()).ok()?, 0)
        }
        _ => None,
    }
}

/// Whether a certificate is still valid, and for long enough to renew it.
pub(super) fn lifetime(check: &'static str, ends: Option<DateTime<Utc>>, now: DateTime<Utc>, advice: &str) -> Finding {
    let Some(ends) = ends else {
        let advice = "see when it ends with openssl x509 -noout -enddate -in FILE";
        return Finding::warning(check, "its end cannot be read", advice);
    };
    let (left, day) = (ends - now, ends.format("%F"));
    finding!(check, ok "good until {day}",
        problem if left.num_seconds() < 0 => "is over since {day}, and every browser refuses it" => "{advice}",
        warning if left.num_days() < SOON => "good until {day}" => "{advice}",
    )
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn a_certificate_is_told_of_two_weeks_before_its_end_and_wrong_after_it() {
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
