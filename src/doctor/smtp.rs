//! The mail server, for `doorcode doctor`: connect, TLS, sign in, say goodbye. It never sends a mail, nor names a
//! recipient.

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

/// A person who runs the doctor waits for less long than the outbox does.
const PATIENCE: Patience = Patience { step: Duration::from_secs(5), whole: Duration::from_secs(9) };

const SERVER: &str = "mail server";

/// What to do about a conversation that came no further.
const fn advice(stage: Stage) -> &'static str {
    match stage {
        Stage::SigningIn => "correct user name and password in SMTP_URL, and write special characters in them as %XX",
        Stage::NoStartTls => "write smtps://user:password@host:465, or ask who runs the server to offer STARTTLS",
        Stage::Handshake => {
            "let SMTP_URL name the host as its certificate does; a private authority is named with ?ca=FILE"
        }
        Stage::Silent => {
            "write smtp://…:587?tls=required instead of smtps://, or the port that speaks TLS, usually 465"
        }
        Stage::Connecting => "correct host and port in SMTP_URL; many networks close port 25: ask for 587 or 465",
        Stage::Conversation => "see in the mail server's log what it refused",
    }
}

pub(super) async fn examine(url: &SecretString, settings: &Settings) -> Findings {
    let mut findings = server(url, settings).await.unwrap_or_else(|only| vec![only]);
    findings.extend(sender(settings));
    Ok(findings)
}

/// Runs the steps that come before a mail.
async fn server(url: &SecretString, settings: &Settings) -> Findings {
    let smtp = Smtp::new(url, &settings.mail_from, settings.mode == Mode::Production)
        .map_err(|wrong| Finding::problem(SERVER, wrong, "correct SMTP_URL"))?
        .with_patience(PATIENCE);
    let certificate = smtp.test().await.map_err(|error| Finding::problem(SERVER, error.text, advice(error.stage)))?;
    let encrypted = if certificate.is_some() { "TLS with a certificate that is right" } else { "no TLS" };
    let known = if smtp.target.credentials.is_some() { "takes user name and password" } else { "asks for no password" };
    let mut findings = vec![Finding::ok(SERVER, format!("{encrypted}; {known}; nothing was sent"))];
    findings.extend(certificate.map(|it| {
        let advice = "tell who runs the mail server: no mail leaves once it is over";
        certificate::lifetime("mail certificate", certificate::ends(&it), SystemClock.now(), advice)
    }));
    Ok(findings)
}

/// Whether the sender's domain is that of the page. The DNS records of the sender cannot be checked here.
fn sender(settings: &Settings) -> Option<Finding> {
    let domain = settings.mail_from.trim_end_matches('>').rsplit_once('@').map(|(_, domain)| domain)?;
    let domain = domain.to_ascii_lowercase();
    let host = settings.public_url.host_str()?;
    let asks = "not looked at: whether SPF, DKIM and DMARC let the mail server send for it";
    let is_odd = settings.mode == Mode::Production && !is_related(&domain, host);
    Some(finding!("mail sender", ok "{domain}; {asks}",
        warning if is_odd => "mail comes from {domain}, and the page is at {host}; {asks}"
            => "write an address in the domain of DOORCODE_PUBLIC_URL into DOORCODE_MAIL_FROM: people are told to trust \
                nothing else",
    ))
}

/// Whether one is within the other, or both are siblings below more than a top-level domain.
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
    fn a_sender_beside_the_page_is_related_to_it_and_one_elsewhere_is_not() {
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
    async fn the_words_of_a_server_do_not_choose_the_advice() {
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
