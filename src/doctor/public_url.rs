//! The public URL from outside, for `doorcode doctor`: its name, its port, its certificate, and whether Doorcode answers
//! there. It sends one GET that anybody may send, and repeats nothing of the answer.

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

/// Time limit for each of name, connection, handshake and answer.
const STEP: Duration = Duration::from_secs(3);
/// A set of keys is a few hundred bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

const URL: &str = "public url";
const CERTIFICATE: &str = "certificate";
const REPLY: &str = "public answer";

/// Goes the way of a browser, as far as it leads.
pub(super) async fn examine(url: &Url) -> Findings {
    let (host, port) = authority(url);
    reach(&host, port).await.map_err(|unreached| match unreached {
        Unreached::Name(why) => {
            let advice = "make a DNS record for it, or correct DOORCODE_PUBLIC_URL: links in mail lead there";
            Finding::problem(URL, format!("{host} has no address here ({why})"), advice)
        }
        // From inside, a public address may be unreachable although it works.
        Unreached::Port(why) => {
            let advice = "start the proxy that ends TLS, and see from outside whether it answers; some networks do not \
                          let a machine reach its own public address";
            Finding::warning(URL, format!("{host} takes no connection on port {port} from here ({why})"), advice)
        }
    })?;
    let mut findings = vec![Finding::ok(URL, format!("{host} has an address and takes connections on port {port}"))];
    let mut keys = url.clone();
    keys.set_path(&format!("{}/.well-known/jwks.json", url.path().trim_end_matches('/')));
    let client = client().map_err(|error| Finding::problem(CERTIFICATE, error.to_string(), "report this"))?;
    let sent = client.get(keys.clone()).send().await;
    if url.scheme() == "https" {
        let checked = encryption(&sent, &host, SystemClock.now());
        let is_refused = sent.as_ref().is_err_and(reqwest::Error::is_connect);
        findings.push(checked);
        if is_refused {
            return Ok(findings);
        }
    }
    findings.push(answer(sent, keys.path()).await);
    Ok(findings)
}

/// The host and port of a URL.
pub(super) fn authority(url: &Url) -> (String, u16) {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    (host.to_owned(), url.port_or_known_default().unwrap_or(443))
}

/// The step at which a connection failed, and why.
pub(super) enum Unreached {
    Name(&'static str),
    Port(String),
}

/// Looks a name up and connects to it.
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

/// The authorities are those of browsers, which a container has no files of.
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
        // The handshake succeeded, but reqwest hands out the certificate only with an answer.
        Err(_) => Finding::ok(CERTIFICATE, "is trusted"),
        Ok(response) => {
            let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
            certificate::lifetime(
                CERTIFICATE,
                shown.and_then(certificate::ends),
                now,
                "renew it now, and see why nothing did",
            )
        }
    }
}

/// The cause of an error. The `source` of an I/O error leaves out what it wraps, which is where rustls puts its own.
fn cause<'a>(error: &&'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    let error = *error;
    match error.downcast_ref::<io::Error>() {
        Some(error) => error.get_ref().map(|inner| inner as &(dyn Error + 'static)),
        None => error.source(),
    }
}

/// What a browser would say about the certificate.
fn refused(error: &reqwest::Error, host: &str) -> Finding {
    use CertificateError as Cause;
    let tls =
        successors(Some(error as &(dyn Error + 'static)), cause).find_map(|it| it.downcast_ref::<rustls::Error>());
    let (seen, advice) = match tls {
        Some(rustls::Error::InvalidCertificate(cause)) => match cause {
            Cause::Expired | Cause::ExpiredContext { .. } => {
                ("is over, and every browser refuses it".to_owned(), "renew it, and see why nothing did")
            }
            Cause::NotValidYet | Cause::NotValidYetContext { .. } => {
                ("is not good yet".to_owned(), "see whether this machine's clock is right")
            }
            Cause::NotValidForName | Cause::NotValidForNameContext { .. } => {
                (format!("is not for {host}"), "get one for the host in DOORCODE_PUBLIC_URL")
            }
            Cause::UnknownIssuer => {
                let advice = "let the proxy send the whole chain; an authority of your own must be known to everybody \
                              who signs in, and its certificates are not looked at further";
                return Finding::warning(CERTIFICATE, "comes from an authority that browsers do not know", advice);
            }
            _ => ("browsers refuse it".to_owned(), "get another, for example by ACME"),
        },
        _ if error.is_timeout() => {
            ("the TLS handshake got no answer".to_owned(), "see to the TLS settings of the proxy in front")
        }
        _ => ("the TLS handshake fails".to_owned(), "let the proxy in front speak TLS 1.2 or 1.3 on this port"),
    };
    Finding::problem(CERTIFICATE, seen, advice)
}

/// Whether Doorcode answers: its keys are where other backends look for them.
async fn answer(sent: reqwest::Result<Response>, path: &str) -> Finding {
    let outcome = match sent {
        Ok(response) => has_keys(response).await,
        Err(error) => Err(error),
    };
    let seen = match outcome {
        Ok((200, true)) => return Finding::ok(REPLY, "Doorcode answers, as other backends will find it"),
        Ok((status, _)) => format!("what answers is not Doorcode ({status})"),
        Err(error) if error.is_timeout() => "there is no answer in time".to_owned(),
        Err(_) => "what answers does not speak HTTP".to_owned(),
    };
    let advice = format!("start Doorcode, and let the proxy pass {path} and all beside it on to DOORCODE_LISTEN");
    Finding::warning(REPLY, seen, advice)
}

/// The status, and whether a set of keys came with it.
async fn has_keys(mut response: Response) -> reqwest::Result<(u16, bool)> {
    let (status, mut body) = (response.status().as_u16(), Vec::new());
    while let Some(part) = response.chunk().await? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST_ANSWER {
            return Ok((status, false));
        }
    }
    let found: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    Ok((status, found.is_some_and(|found| found["keys"].is_array())))
}
