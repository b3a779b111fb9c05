//! The certificate and key of the public listener, for `doorcode doctor`: whether they are a pair, when the certificate
//! ends, and who can read the key.

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{Findings, certificate};
use crate::{
    adapter::system::SystemClock, doctor::finding::Finding, files, http::Tls, ports::Clock, settings::TlsFiles,
};

/// A chain of certificates has a few thousand bytes.
const LARGEST: u64 = 1024 * 1024;

pub(super) fn examine(pair: &TlsFiles) -> Findings {
    const CHECK: &str = "tls files";
    Tls::open(pair).map_err(|error| {
        let advice =
            "write the PEM files of one pair, which the user of the server can read: it does not start without";
        Finding::problem(CHECK, error.to_string(), advice)
    })?;
    // The server's own certificate comes before those of its authorities.
    let chain = files::read(&pair.certificate, LARGEST).ok();
    let first = chain.and_then(|chain| CertificateDer::from_pem_slice(&chain).ok());
    let ends = first.and_then(|it| certificate::ends(&it));
    let renew = "renew it, and see why nothing did; new files are taken without a restart";
    // A group that may read it is how some machines share a key.
    let (name, mode) = (pair.key.display(), files::open_to_all(&pair.key, 0o006));
    let (is_unknown, mode) = (mode.is_err(), mode.ok().flatten().map(|mode| mode & 0o7777));
    let (is_open, mode) = (mode.is_some(), mode.unwrap_or_default());
    Ok(vec![
        Finding::ok(CHECK, "the key is the certificate's"),
        certificate::lifetime("tls certificate", ends, SystemClock.now(), renew),
        finding!("tls key", ok "others cannot read it",
            warning if is_unknown => "{name} cannot be looked at"
                => "let the user of the server read it and the folders above it",
            warning if is_open => "others can read {name} (mode {mode:o})"
                => "chmod 600 {name}, and chown it to the user of the server; get a new one if others did",
        ),
    ])
}
