//! TLS 1.2 and 1.3 for the public listener. The certificate and key are reloaded when their files change. If the new
//! files are unusable, the old certificate and key stay in use. Keys never appear in errors or logs.

use std::{
    convert::Infallible,
    fs, io,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use rustls::{
    CertificateError, InconsistentKeys, ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    version::{TLS12, TLS13},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    task::spawn_blocking,
    time::sleep,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use zeroize::Zeroizing;

use crate::{
    error::{Error, Result},
    files,
    settings::TlsFiles,
};

/// How often to check whether the files have changed. New files are loaded after two checks see the same change.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum file size in bytes. A certificate chain takes only a few thousand bytes.
const MAX_FILE_SIZE: u64 = 1024 * 1024;

const CERTIFICATE: &str = "DOORCODE_TLS_CERT";
const KEY: &str = "DOORCODE_TLS_KEY";

/// The certificate and key of the public listener.
pub struct Tls {
    files: TlsFiles,
    first_seen: Stamps,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Loads the certificate and key from their files.
    ///
    /// # Errors
    ///
    /// If a file is missing or unusable. The error names the setting of that file.
    pub fn open(files: &TlsFiles) -> Result<Self> {
        // Read the metadata before the contents, so that a change in between is noticed at the next check.
        let first_seen = Stamps::of(files);
        let current = RwLock::new(Arc::new(read(files)?));
        Ok(Self { files: files.clone(), first_seen, current })
    }

    /// Performs the handshake with the current certificate. The caller must set a timeout.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(current).accept(stream).await
    }

    /// Checks the files forever and loads new contents. Open connections keep the certificate they started with.
    pub(crate) async fn follow(&self) -> Infallible {
        let mut taken = self.first_seen;
        let mut before = taken;
        loop {
            sleep(CHECK_INTERVAL).await;
            let files = self.files.clone();
            let Ok(seen) = spawn_blocking(move || Stamps::of(&files)).await else { continue };
            // The two files are not replaced at the same moment, so wait until neither changes between two checks.
            if seen != taken && seen == before {
                taken = seen;
                self.renew().await;
            }
            before = seen;
        }
    }

    async fn renew(&self) {
        let files = self.files.clone();
        match spawn_blocking(move || read(&files)).await {
            Ok(Ok(new)) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(new);
                tracing::info!("reloaded the TLS certificate");
            }
            Ok(Err(error)) => tracing::error!(%error, "the new TLS certificate is unusable; keeping the current one"),
            Err(error) => tracing::error!(%error, "cannot read the new TLS certificate; keeping the current one"),
        }
    }
}

/// The metadata of the certificate file and the key file. `None` for a missing file.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamps([Option<Stamp>; 2]);

/// Modification time, inode change time (which also changes with permissions), length and inode number.
type Stamp = (SystemTime, (i64, i64), u64, u64);

impl Stamps {
    fn of(files: &TlsFiles) -> Self {
        Self([&files.certificate, &files.key].map(|file| {
            // Follow symlinks, because Kubernetes replaces a symlink when a mounted secret changes.
            let found = fs::metadata(file).ok()?;
            #[cfg(unix)]
            let (changed, inode) = {
                use std::os::unix::fs::MetadataExt;
                ((found.ctime(), found.ctime_nsec()), found.ino())
            };
            #[cfg(not(unix))]
            let (changed, inode) = ((0, 0), 0);
            Some((found.modified().ok()?, changed, found.len(), inode))
        }))
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig> {
    let chain = contents(&files.certificate).map_err(|wrong| Error::setting(CERTIFICATE, wrong))?;
    let key = contents(&files.key).map_err(|wrong| Error::setting(KEY, wrong))?;
    let chain = CertificateDer::pem_slice_iter(&chain)
        .collect::<std::result::Result<Vec<_>, _>>()
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| Error::setting(CERTIFICATE, "names a file without a certificate in PEM"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| {
        Error::setting(KEY, "names a file without a private key in PEM (passphrases are not supported)")
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| Error::Internal(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| unusable(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// Converts an error to one that names the setting with the unusable file.
fn unusable(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            Error::setting(KEY, "names a key that does not match the certificate in DOORCODE_TLS_CERT")
        }
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding) => {
            Error::setting(CERTIFICATE, "names a certificate that cannot be read")
        }
        rustls::Error::InvalidCertificate(why) => {
            Error::setting(CERTIFICATE, format!("names an unusable certificate: {why:?}"))
        }
        _ => Error::setting(KEY, "names a key of an unsupported kind; use ECDSA (P-256), Ed25519 or RSA"),
    }
}

/// Returns the contents of a file. The error completes a sentence that starts with the name of the setting.
fn contents(path: &Path) -> std::result::Result<Zeroizing<Vec<u8>>, String> {
    let cannot = |error: io::Error| format!("names a file that cannot be read ({})", error.kind());
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("names something that is not a file".to_owned());
    }
    files::read_named(path, MAX_FILE_SIZE)
}
