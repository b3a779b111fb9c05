//! A certificate for the mail catcher, because production refuses to send codes in plain text.

use std::{path::Path, process::Command, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};

/// The name in the certificate.
pub(crate) const NAME: &str = "localhost";

/// Creates `smtp.pem` and `smtp.key` in a folder.
pub(crate) fn create(folder: &Path) -> Result<()> {
    let output = Command::new("openssl")
        .args(["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(folder.join("smtp.key"))
        .arg("-out")
        .arg(folder.join("smtp.pem"))
        .output()
        .context("cannot run openssl")?;
    ensure!(output.status.success(), "openssl failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// The configuration of a server with the certificate in a folder.
pub(crate) fn server(folder: &Path) -> Result<ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(folder.join("smtp.pem"))?];
    let key = PrivateKeyDer::from_pem_file(folder.join("smtp.key"))?;
    let config =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    Ok(config?.with_no_client_auth().with_single_cert(chain, key)?)
}

/// The configuration of a client that trusts one certificate.
pub(crate) fn client(authority: &Path) -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    Ok(config?.with_root_certificates(roots).with_no_client_auth())
}
