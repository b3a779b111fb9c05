//! When certificates end, for `doorcode doctor`. Nothing here decides whom to trust.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use rustls::{
    CertificateError, Error, RootCertStore,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// So many days before its end a certificate that renews itself has been renewed.
pub(super) const SOON: i64 = 14;

/// Those that everybody trusts.
pub(super) fn authorities() -> RootCertStore {
    RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// The last moment at which a certificate is good.
///
/// The library parses certificates and shows none of their fields. But a certificate that is over is refused before
/// anything else is asked of it, with the moment at which it ended; so it is judged as of a time when it will be over.
pub(super) fn ends(certificate: &[u8]) -> Option<DateTime<Utc>> {
    let far = UnixTime::since_unix_epoch(Duration::from_secs(250_000_000_000));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let judge = WebPkiServerVerifier::builder_with_provider(Arc::new(authorities()), provider).build().ok()?;
    let anybody = ServerName::try_from("localhost").ok()?;
    match judge.verify_server_cert(&CertificateDer::from(certificate), &[], &anybody, &[], far) {
        Err(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
            DateTime::from_timestamp(i64::try_from(not_after.as_secs()).ok()?, 0)
        }
        _ => None,
    }
}
