//! The mail server: connects, starts TLS, authenticates and disconnects. Sends no mail.

use std::time::Duration;

use secrecy::SecretString;

use super::{Findings, certificate, finding::Finding};
use crate::{
    adapter::{
        mail::smtp::{Patience, Smtp, Stage},
        system::SystemClock,
    },
    ports::Clock,
    settings::{Mode, Settings},
};

/// Shorter timeouts than those of the outbox, because a person is waiting.
const PATIENCE: Patience = Patience { step: Duration::from_secs(5), whole: Duration::from_secs(9) };

const SERVER: &str = "mail server";

/// What to do about a failure at this stage.
const fn advice(stage: Stage) -> &'static str {
    match stage {
        Stage::SigningIn => "correct user name and password in SMTP_URL, with special characters percent-encoded",
        Stage::NoStartTls => "use smtps://user:password@host:465, or enable STARTTLS on the mail server",
        Stage::Handshake => "use the host name of the certificate in SMTP_URL; add ?ca=FILE for a private authority",
        Stage::Silent => "use smtp://…:587?tls=required instead of smtps://, or the TLS port, usually 465",
        Stage::Connecting => "correct host and port in SMTP_URL; many networks block port 25, so use 587 or 465",
        Stage::Conversation => "see the log of the mail server",
    }
}

pub(super) async fn examine(url: &SecretString, settings: &Settings) -> Findings {
    let mut findings = server(url, settings).await.unwrap_or_else(|only| vec![only]);
    findings.extend(sender(settings));
    Ok(findings)
}

async fn server(url: &SecretString, settings: &Settings) -> Findings {
    let smtp = Smtp::new(url, &settings.mail_from, settings.mode == Mode::Production)
        .map_err(|wrong| Finding::problem(SERVER, wrong, "correct SMTP_URL"))?
        .with_patience(PATIENCE);
    let certificate = smtp.test().await.map_err(|error| Finding::problem(SERVER, error.text, advice(error.stage)))?;
    let encrypted = if certificate.is_some() { "TLS with a valid certificate" } else { "no TLS" };
    let known = if smtp.target.credentials.is_some() { "accepts user name and password" } else { "no authentication" };
    let mut findings = vec![Finding::ok(SERVER, format!("{encrypted}; {known}; nothing was sent"))];
    findings.extend(certificate.map(|it| {
        let advice = "renew the certificate of the mail server: no mail can be sent after it expires";
        certificate::lifetime("mail certificate", certificate::expiry(&it), SystemClock.now(), advice)
    }));
    Ok(findings)
}

/// Whether the domain of the sender matches the public URL. SPF, DKIM and DMARC are not checked.
fn sender(settings: &Settings) -> Option<Finding> {
    let domain = settings.mail_from.trim_end_matches('>').rsplit_once('@').map(|(_, domain)| domain)?;
    let domain = domain.to_ascii_lowercase();
    let host = settings.public_url.host_str()?;
    let unchecked = "SPF, DKIM and DMARC are not checked";
    let is_odd = settings.mode == Mode::Production && !is_related(&domain, host);
    Some(finding!("mail sender", ok "{domain}; {unchecked}",
        warning if is_odd => "mail comes from {domain}, but the pages are at {host}; {unchecked}"
            => "set DOORCODE_MAIL_FROM to an address in the domain of DOORCODE_PUBLIC_URL, which users learn to trust",
    ))
}

/// Whether one domain contains the other, or both share a parent below the top-level domain.
fn is_related(domain: &str, host: &str) -> bool {
    let within =
        |inner: &str, outer: &str| inner.strip_suffix(outer).is_some_and(|it| it.is_empty() || it.ends_with('.'));
    let above = host.split_once('.').map(|(_, above)| above).filter(|above| above.contains('.'));
    within(domain, host) || within(host, domain) || above.is_some_and(|above| within(domain, above))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;
    use crate::settings::ServeFlags;

    #[test]
    fn a_sender_in_a_sibling_domain_is_related() {
        for (domain, host) in [
            ("example.com", "login.example.com"),
            ("login.example.com", "example.com"),
            ("mail.example.com", "login.example.com"),
            ("example.com", "example.com"),
        ] {
            assert!(is_related(domain, host), "{domain} {host}");
        }
        for (domain, host) in [("example.org", "example.com"), ("badexample.com", "example.com"), ("a.com", "b.com")] {
            assert!(!is_related(domain, host), "{domain} {host}");
        }
    }

    #[tokio::test]
    async fn the_text_of_the_server_does_not_change_the_advice() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = SecretString::from(format!("smtp://{}", listener.local_addr().unwrap()));
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"554 no STARTTLS, no signing in, no connecting\r\n").await.unwrap();
            stream
        };
        let settings = Settings::look(ServeFlags::default(), std::iter::empty(), DateTime::UNIX_EPOCH).unwrap();
        let (findings, _stream) = tokio::join!(super::server(&url, &settings), server);
        let finding = findings.unwrap_err();
        assert!(finding.seen.contains("no STARTTLS"), "{finding:?}");
        assert_eq!(finding.advice.as_deref(), Some(advice(Stage::Conversation)));
    }
}
