//! The certificate and key of the public listener: whether they match, when the certificate expires, and who can read
//! the key.

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{Findings, certificate};
use crate::{
    adapter::system::SystemClock, doctor::finding::Finding, files, http::Tls, ports::Clock, settings::TlsFiles,
};

const MAX_BYTES: u64 = 1024 * 1024;

pub(super) fn examine(pair: &TlsFiles) -> Findings {
    const CHECK: &str = "tls files";
    Tls::open(pair).map_err(|error| {
        let advice = "provide a matching pair of PEM files that the server can read; it does not start without them";
        Finding::problem(CHECK, error.to_string(), advice)
    })?;
    // The certificate of the server comes first, before those of its authorities.
    let chain = files::read(&pair.certificate, MAX_BYTES).ok();
    let first = chain.and_then(|chain| CertificateDer::from_pem_slice(&chain).ok());
    let expiry = first.and_then(|it| certificate::expiry(&it));
    let renew = "renew it, and check the automatic renewal; new files are loaded without a restart";
    // The group may read it, because servers share keys that way.
    let (name, mode) = (pair.key.display(), files::open_to_all(&pair.key, 0o006));
    let (is_unknown, mode) = (mode.is_err(), mode.ok().flatten().map(|mode| mode & 0o7777));
    let (is_open, mode) = (mode.is_some(), mode.unwrap_or_default());
    Ok(vec![
        Finding::ok(CHECK, "the key matches the certificate"),
        certificate::lifetime("tls certificate", expiry, SystemClock.now(), renew),
        finding!("tls key", ok "other users cannot read it",
            warning if is_unknown => "cannot access {name}"
                => "give the user of the server access to it and its parent folders",
            warning if is_open => "other users can read {name} (mode {mode:o})"
                => "chmod 600 {name}, and chown it to the user of the server; replace the key if others have read it",
        ),
    ])
}
