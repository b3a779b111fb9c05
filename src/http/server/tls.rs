//! TLS of the public listener: a certificate and its key, from two files that are read anew when they change. It speaks
//! TLS 1.2 and 1.3, and HTTP/1.1 inside. It takes no connection by itself: how many there may be, and how long a
//! handshake may take, is the listener's. Nothing of a key is ever told, and a pair that is no good replaces none that is.

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

/// Who renews a certificate waits for it no longer than twice this.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// A chain of certificates has a few thousand bytes.
const LARGEST: u64 = 1024 * 1024;

const CERTIFICATE: &str = "DOORCODE_TLS_CERT";
const KEY: &str = "DOORCODE_TLS_KEY";

/// What the public listener proves itself with.
pub struct Tls {
    files: TlsFiles,
    first_seen: Stamps,
    current: RwLock<Arc<ServerConfig>>,
}

impl Tls {
    /// Reads both files, or says what is wrong with them.
    pub fn open(files: &TlsFiles) -> Result<Self> {
        // Looked at before they are read: what changes in between is then seen as a change.
        let first_seen = Stamps::of(files);
        let current = RwLock::new(Arc::new(read(files)?));
        Ok(Self { files: files.clone(), first_seen, current })
    }

    /// Shakes hands, with the certificate of this moment. It takes as long as the other side does.
    pub(crate) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let current = Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner));
        TlsAcceptor::from(current).accept(stream).await
    }

    /// Looks at the files for as long as it is polled, and takes what is new in them. Connections that there are keep
    /// what they began with.
    pub(crate) async fn follow(&self) -> Infallible {
        let mut taken = self.first_seen;
        let mut before = taken;
        loop {
            sleep(BETWEEN_LOOKS).await;
            let files = self.files.clone();
            let Ok(seen) = spawn_blocking(move || Stamps::of(&files)).await else { continue };
            // Two files are not written at once: only when nothing moved for a while they are a pair again.
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
                tracing::info!("the certificate was read anew");
            }
            Ok(Err(error)) => tracing::error!(%error, "a new certificate is no good; the one before stays"),
            Err(error) => tracing::error!(%error, "a new certificate could not be read; the one before stays"),
        }
    }
}

/// How both files looked; a file that is not there looks like nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamps([Option<Stamp>; 2]);

/// When it was written, or given to somebody who may read it; its length; which file it is.
type Stamp = (SystemTime, (i64, i64), u64, u64);

impl Stamps {
    fn of(files: &TlsFiles) -> Self {
        Self([&files.certificate, &files.key].map(|file| {
            // Through links: a secret that Kubernetes mounts changes where one points to.
            let found = fs::metadata(file).ok()?;
            #[cfg(unix)]
            let (changed, place) = {
                use std::os::unix::fs::MetadataExt;
                ((found.ctime(), found.ctime_nsec()), found.ino())
            };
            #[cfg(not(unix))]
            let (changed, place) = ((0, 0), 0);
            Some((found.modified().ok()?, changed, found.len(), place))
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
        Error::setting(KEY, "names a file without a private key in PEM (one with a passphrase cannot be read)")
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

/// Which of the two is to blame.
fn unusable(error: &rustls::Error) -> Error {
    match error {
        rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
            Error::setting(KEY, "names a key that is not the one of the certificate in DOORCODE_TLS_CERT")
        }
        rustls::Error::InvalidCertificate(CertificateError::BadEncoding) => {
            Error::setting(CERTIFICATE, "names a certificate that cannot be read")
        }
        rustls::Error::InvalidCertificate(why) => {
            Error::setting(CERTIFICATE, format!("names a certificate that is no good: {why:?}"))
        }
        _ => Error::setting(KEY, "names a key of a kind that is not known: take ECDSA (P-256), Ed25519 or RSA"),
    }
}

/// What is in a file, or the rest of a sentence about it.
fn contents(path: &Path) -> std::result::Result<Zeroizing<Vec<u8>>, String> {
    let cannot = |error: io::Error| format!("names a file that cannot be read ({})", error.kind());
    if !fs::metadata(path).map_err(cannot)?.is_file() {
        return Err("names something that is no file".to_owned());
    }
    files::read_named(path, LARGEST)
}
