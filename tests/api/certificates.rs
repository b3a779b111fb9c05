//! Creates temporary certificates, and a TLS client that trusts one of them.

use std::{fs, net::SocketAddr, path::Path, process::Command, sync::Arc};

use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpSocket};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::slow::Client;

/// `openssl` arguments for a P-256 key, the most common type.
pub(crate) const P256: [&str; 2] = ["ec", "ec_paramgen_curve:prime256v1"];

/// A temporary folder with certificates and keys: `NAME.pem` and `NAME.key`.
pub(crate) struct Certificates(pub(crate) TempDir);

impl Certificates {
    pub(crate) fn new() -> Self {
        let certificates = Self(tempfile::tempdir().unwrap());
        certificates.make("tls", P256);
        certificates
    }

    /// Creates a self-signed certificate and its key, with this file name.
    pub(crate) fn make(&self, name: &str, kind: [&str; 2]) {
        self.issue(name, kind, "CA:FALSE", &[]);
    }

    /// Creates a certificate signed by an intermediate CA, its key, and `root.pem` for clients to trust.
    pub(crate) fn make_chain(&self, name: &str) {
        self.issue("root", P256, "CA:TRUE", &[]);
        self.issue("between", P256, "CA:TRUE", &["-CA", "root.pem", "-CAkey", "root.key"]);
        self.issue(name, P256, "CA:FALSE", &["-CA", "between.pem", "-CAkey", "between.key"]);
        let file = self.path(&format!("{name}.pem"));
        let chain = [&file, &self.path("between.pem")].map(|file| fs::read_to_string(file).unwrap()).concat();
        fs::write(file, chain).unwrap();
    }

    fn issue(&self, name: &str, [kind, option]: [&str; 2], is_authority: &str, by: &[&str]) {
        let output = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-days",
                "1",
                "-nodes",
                "-newkey",
                kind,
                "-pkeyopt",
                option,
                "-subj",
                &format!("/CN={name}"),
            ])
            .args([
                "-addext",
                "subjectAltName=DNS:localhost",
                "-addext",
                &format!("basicConstraints=critical,{is_authority}"),
            ])
            .args(by)
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
            .current_dir(self.0.path())
            .output();
        let output = output.unwrap_or_else(|error| panic!("openssl: {error}: run tests/run"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn path(&self, file: &str) -> String {
        self.0.path().join(file).to_str().unwrap().to_owned()
    }

    /// Replaces a certificate and its key with another pair. Each file is replaced atomically.
    pub(crate) fn replace(&self, name: &str, by: &str) {
        for ending in ["pem", "key"] {
            let draft = self.path("draft");
            fs::copy(self.path(&format!("{by}.{ending}")), &draft).unwrap();
            fs::rename(draft, self.path(&format!("{name}.{ending}"))).unwrap();
        }
    }

    /// Connects with TLS. Trusts only the certificate with this name.
    pub(crate) async fn connect(&self, name: &str, to: SocketAddr) -> std::io::Result<Client<Shaken>> {
        self.connect_with(name, to, &[&rustls::version::TLS13, &rustls::version::TLS12], &["http/1.1"]).await
    }

    pub(crate) async fn connect_with(
        &self,
        name: &str,
        to: SocketAddr,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> std::io::Result<Client<Shaken>> {
        let mut roots = RootCertStore::empty();
        roots.add(certificate(&self.0.path().join(format!("{name}.pem")))).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let stream = TcpSocket::new_v4().unwrap().connect(to).await?;
        let mut stream =
            TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await?;
        // In TLS 1.3 the client finishes the handshake first, so send its last message before returning.
        stream.flush().await?;
        Ok(Client(stream))
    }
}

pub(crate) type Shaken = TlsStream<tokio::net::TcpStream>;

impl Client<Shaken> {
    pub(crate) fn agreed(&self) -> (Option<ProtocolVersion>, Option<String>) {
        let (_, session) = self.0.get_ref();
        let protocol = session.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
        (session.protocol_version(), protocol)
    }
}

fn certificate(file: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(file).unwrap()
}
