//! The public URL: DNS, port, certificate, and whether Doorcode answers. Sends one GET for the public keys, and never
//! prints the response.

use std::{error::Error, io, iter::successors, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{Client, Response, redirect::Policy, tls::TlsInfo};
use rustls::{CertificateError, ClientConfig, crypto::aws_lc_rs::default_provider};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};
use url::Url;

use super::{Findings, certificate};
use crate::{adapter::system::SystemClock, doctor::finding::Finding, ports::Clock};

/// Time limit for each step: DNS, connection, handshake and response.
const STEP: Duration = Duration::from_secs(3);
/// Maximum size of the response in bytes. A key set has a few hundred.
const MAX_RESPONSE: usize = 64 * 1024;

const URL: &str = "public url";
const CERTIFICATE: &str = "certificate";
const REPLY: &str = "public answer";

/// Follows the steps of a browser until one fails.
pub(super) async fn examine(url: &Url) -> Findings {
    let (host, port) = authority(url);
    reach(&host, port).await.map_err(|unreached| match unreached {
        Unreached::Name(why) => {
            let advice = "add a DNS record, or correct DOORCODE_PUBLIC_URL: links in emails point there";
            Finding::problem(URL, format!("cannot resolve {host} ({why})"), advice)
        }
        // A public address may be unreachable from inside its own network.
        Unreached::Port(why) => {
            let advice = "start the proxy, and test the URL from outside; some networks do not let a machine reach its \
                          own public address";
            Finding::warning(URL, format!("cannot connect to {host} on port {port} ({why})"), advice)
        }
    })?;
    let mut findings = vec![Finding::ok(URL, format!("{host} accepts connections on port {port}"))];
    let mut keys = url.clone();
    keys.set_path(&format!("{}/.well-known/jwks.json", url.path().trim_end_matches('/')));
    let client = client().map_err(|error| Finding::problem(CERTIFICATE, error.to_string(), "report this as a bug"))?;
    let sent = client.get(keys.clone()).send().await;
    if url.scheme() == "https" {
        let finding = encryption(&sent, &host, SystemClock.now());
        let is_refused = sent.as_ref().is_err_and(reqwest::Error::is_connect);
        findings.push(finding);
        if is_refused {
            return Ok(findings);
        }
    }
    findings.push(check_response(sent, keys.path()).await);
    Ok(findings)
}

pub(super) fn authority(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), url.port_or_known_default().unwrap_or(443))
}

/// The step at which the connection failed, and why.
pub(super) enum Unreached {
    Name(&'static str),
    Port(String),
}

/// Resolves a name and connects.
pub(super) async fn reach(host: &str, port: u16) -> Result<(), Unreached> {
    let addresses: Vec<_> = match timeout(STEP, lookup_host((host, port))).await {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(_)) => return Err(Unreached::Name("unknown name")),
        Err(_) => return Err(Unreached::Name("no answer")),
    };
    match timeout(STEP, TcpStream::connect(&*addresses)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(Unreached::Port(error.kind().to_string())),
        Err(_) => Err(Unreached::Port("no answer".to_owned())),
    }
}

/// An HTTP client with built-in root certificates, because containers may have none.
fn client() -> Result<Client, Box<dyn Error>> {
    let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(certificate::authorities())
        .with_no_client_auth();
    let client = Client::builder().tls_backend_preconfigured(tls).tls_info(true).no_proxy().redirect(Policy::none());
    Ok(client.connect_timeout(STEP).timeout(2 * STEP).build()?)
}

fn encryption(sent: &reqwest::Result<Response>, host: &str, now: DateTime<Utc>) -> Finding {
    match sent {
        Err(error) if error.is_connect() => refused(error, host),
        // The handshake succeeded, but reqwest exposes the certificate only with a response.
        Err(_) => Finding::ok(CERTIFICATE, "trusted"),
        Ok(response) => {
            let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
            certificate::lifetime(
                CERTIFICATE,
                certificate.and_then(certificate::expiry),
                now,
                "renew it now, and check the automatic renewal",
            )
        }
    }
}

/// The cause of an error. Unlike `source`, returns the error inside an I/O error, where rustls puts its own.
fn cause<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let error = *error;
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// Why a browser would refuse the certificate.
fn refused(error: &reqwest::Error, host: &str) -> Finding {
    use CertificateError as Cause;
    let tls =
        successors(Some(error as &(dyn Error + 'static)), cause).find_map(|it| it.downcast_ref::<rustls::Error>());
    let (seen, advice) = match tls {
        Some(rustls::Error::InvalidCertificate(cause)) => match cause {
            Cause::Expired | Cause::ExpiredContext { .. } => {
                ("expired; browsers refuse it".to_owned(), "renew it, and check the automatic renewal")
            }
            Cause::NotValidYet | Cause::NotValidYetContext { .. } => {
                ("not valid yet".to_owned(), "check the clock of this machine")
            }
            Cause::NotValidForName | Cause::NotValidForNameContext { .. } => {
                (format!("not valid for {host}"), "get one for the host in DOORCODE_PUBLIC_URL")
            }
            Cause::UnknownIssuer => {
                let advice = "let the proxy send the whole chain; with a private authority, every user must trust it";
                return Finding::warning(CERTIFICATE, "issued by an authority that browsers do not trust", advice);
            }
            _ => ("browsers refuse it".to_owned(), "get a new one, for example with ACME"),
        },
        _ if error.is_timeout() => ("the TLS handshake timed out".to_owned(), "check the TLS settings of the proxy"),
        _ => ("the TLS handshake failed".to_owned(), "enable TLS 1.2 or 1.3 on this port of the proxy"),
    };
    Finding::problem(CERTIFICATE, seen, advice)
}

/// Whether Doorcode answers with its public keys, which other backends need.
async fn check_response(sent: reqwest::Result<Response>, path: &str) -> Finding {
    let outcome = match sent {
        Ok(response) => has_keys(response).await,
        Err(error) => Err(error),
    };
    let seen = match outcome {
        Ok((200, true)) => return Finding::ok(REPLY, "Doorcode answers"),
        Ok((status, _)) => format!("the server is not Doorcode (status {status})"),
        Err(error) if error.is_timeout() => "no response in time".to_owned(),
        Err(_) => "the server does not speak HTTP".to_owned(),
    };
    let advice = format!("start Doorcode, and let the proxy forward {path} and all other paths to DOORCODE_LISTEN");
    Finding::warning(REPLY, seen, advice)
}

/// The status, and whether the body is a key set.
async fn has_keys(mut response: Response) -> reqwest::Result<(u16, bool)> {
    let (status, mut body) = (response.status().as_u16(), Vec::new());
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > MAX_RESPONSE {
            return Ok((status, false));
        }
    }
    let found: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    Ok((status, found.is_some_and(|found| found["keys"].is_array())))
}
