//! The public URL as strangers meet it, for `doorcode doctor`: its name, its port, its certificate, and whether Doorcode
//! answers behind it. It sends one GET that anybody may send, and repeats nothing of what is answered.

use std::{io, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{CertificateError, ClientConfig, Error, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::TlsConnector;
use url::Url;

use super::certificate;
use crate::doctor::finding::Finding;

/// For each of name, connection, handshake and answer.
const STEP: Duration = Duration::from_secs(3);
/// A set of keys is a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

const URL: &str = "public url";
const CERTIFICATE: &str = "certificate";
const REPLY: &str = "public answer";

/// Goes the way of a browser, as far as it leads.
pub(super) async fn examine(url: &Url, now: DateTime<Utc>) -> Vec<Finding> {
    let (host, port) = place(url);
    let stream = match connect(&host, port).await {
        Ok(stream) => stream,
        Err(finding) => return vec![finding],
    };
    let reached = Finding::ok(URL, format!("{host} has an address and takes connections on port {port}"));
    if url.scheme() != "https" {
        return vec![reached, answer(stream, url).await];
    }
    match encrypt(stream, &host).await {
        Ok((stream, ends)) => vec![reached, lifetime(ends, now), answer(stream, url).await],
        Err(finding) => vec![reached, finding],
    }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, Finding> {
    reach(host, port).await.map_err(|unreached| match unreached {
        Unreached::Name(why) => {
            let advice = "make a DNS record for it, or correct DOORCODE_PUBLIC_URL: links in mail lead there";
            Finding::problem(URL, format!("{host} has no address here ({why})"), advice)
        }
        // Seen from inside, a public address may be out of reach and well.
        Unreached::Port(why) => {
            let advice = "start the proxy that ends TLS, and see from outside whether it answers; some networks do not \
                          let a machine reach its own public address";
            Finding::warning(URL, format!("{host} takes no connection on port {port} from here ({why})"), advice)
        }
    })
}

/// The host and port that a URL leads to.
pub(super) fn place(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), url.port_or_known_default().unwrap_or(443))
}

/// How far one did not get, and why.
pub(super) enum Unreached {
    /// Not to an address.
    Name(&'static str),
    /// Not to a connection.
    Port(String),
}

/// Looks a name up and connects to it, as far as that goes.
pub(super) async fn reach(host: &str, port: u16) -> Result<TcpStream, Unreached> {
    let addresses: Vec<_> = match timeout(STEP, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => return Err(Unreached::Name("unknown name")),
        Err(_) => return Err(Unreached::Name("no answer")),
    };
    match timeout(STEP, TcpStream::connect(&*addresses)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Unreached::Port(error.kind().to_string())),
        Err(_) => Err(Unreached::Port("no answer".to_owned())),
    }
}

type Encrypted = tokio_rustls::client::TlsStream<TcpStream>;

/// The stream behind the handshake, and when the certificate ends.
async fn encrypt(stream: TcpStream, host: &str) -> Result<(Encrypted, Option<DateTime<Utc>>), Finding> {
    let failed = |why: String| Finding::problem(CERTIFICATE, why, "see to the TLS settings of the proxy in front");
    let name = ServerName::try_from(host.to_owned()).map_err(|_| failed(format!("{host} is no name for one")))?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.to_string()))?
        .with_root_certificates(certificate::authorities())
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    match timeout(STEP, TlsConnector::from(Arc::new(config)).connect(name, stream)).await {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates();
            let ends = chain.and_then(|chain| certificate::ends(chain.first()?));
            Ok((stream, ends))
        }
        Ok(Err(error)) => Err(refused(&error, host)),
        Err(_) => Err(failed("the TLS handshake got no answer".to_owned())),
    }
}

/// What a browser would say of the certificate.
fn refused(error: &io::Error, host: &str) -> Finding {
    let cause = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    let Some(Error::InvalidCertificate(cause)) = cause else {
        let advice = "let the proxy in front speak TLS 1.2 or 1.3 on this port";
        return Finding::problem(CERTIFICATE, "the TLS handshake fails", advice);
    };
    match cause {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            Finding::problem(CERTIFICATE, "is over, and every browser refuses it", "renew it, and see why nothing did")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            Finding::problem(CERTIFICATE, "is not good yet", "see whether this machine's clock is right")
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            let advice = "get one for the host in DOORCODE_PUBLIC_URL";
            Finding::problem(CERTIFICATE, format!("is not for {host}"), advice)
        }
        CertificateError::UnknownIssuer => Finding::warning(
            CERTIFICATE,
            "comes from an authority that browsers do not know",
            "let the proxy send the whole chain; an authority of your own must be known to everybody who signs in, and \
             its certificates are not looked at further",
        ),
        _ => Finding::problem(CERTIFICATE, "browsers refuse it", "get another, for example by ACME"),
    }
}

fn lifetime(ends: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Finding {
    let Some(ends) = ends else { return Finding::ok(CERTIFICATE, "is trusted") };
    let seen = format!("is trusted and good until {}", ends.format("%F"));
    if (ends - now).num_days() < certificate::SOON {
        return Finding::warning(CERTIFICATE, seen, "renew it now, and see why nothing did");
    }
    Finding::ok(CERTIFICATE, seen)
}

/// Whether what answers is Doorcode: its keys are where other backends look for them.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, url: &Url) -> Finding {
    let path = format!("{}/.well-known/jwks.json", url.path().trim_end_matches('/'));
    let advice = format!("start Doorcode, and let the proxy pass {path} and all beside it on to DOORCODE_LISTEN");
    match timeout(STEP, keys(stream, url, &path)).await {
        Ok(Some((200, true))) => Finding::ok(REPLY, "Doorcode answers, as other backends will find it"),
        Ok(Some((status, _))) => Finding::warning(REPLY, format!("what answers is not Doorcode ({status})"), advice),
        Ok(None) => Finding::warning(REPLY, "what answers does not speak HTTP", advice),
        Err(_) => Finding::warning(REPLY, "there is no answer in time", advice),
    }
}

/// The status, and whether a set of keys came with it.
async fn keys(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &Url,
    path: &str,
) -> Option<(u16, bool)> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    // It ends with the process at the latest, and when the sender is dropped.
    drop(tokio::spawn(connection));
    let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let request = Request::get(path).header(header::HOST, authority).body(Empty::<Bytes>::new()).ok()?;
    let response = sender.send_request(request).await.ok()?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
    let found = body.ok().and_then(|body| serde_json::from_slice::<serde_json::Value>(&body.to_bytes()).ok());
    Some((status, found.is_some_and(|found| found["keys"].is_array())))
}
