//! The mail server, for `doorcode doctor`: connect, TLS, sign in, say goodbye. It never sends a mail, nor names a
//! recipient.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{
    adapter::mail::smtp::{Patience, Smtp, Stage, Untested},
    doctor::{certificate, finding::Finding},
};

/// Whoever waits for the doctor waits for less long than the outbox does.
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

/// Goes through what comes before a mail.
pub(super) async fn examine(url: &SecretString, from: &str, production: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let smtp = match Smtp::new(url, from, production) {
        Ok(smtp) => smtp.with_patience(PATIENCE),
        Err(wrong) => return vec![Finding::problem(SERVER, wrong, "correct SMTP_URL")],
    };
    let signs_in = smtp.target.credentials.is_some();
    match smtp.test().await {
        Err(Untested { stage, text }) => vec![Finding::problem(SERVER, text, advice(stage))],
        Ok(certificate) => {
            let encrypted = if certificate.is_some() { "TLS with a certificate that is right" } else { "no TLS" };
            let known = if signs_in { "takes user name and password" } else { "asks for no password" };
            let mut findings = vec![Finding::ok(SERVER, format!("{encrypted}; {known}; nothing was sent"))];
            findings.extend(certificate.and_then(|it| certificate::ends(&it)).map(|ends| lifetime(ends, now)));
            findings
        }
    }
}

fn lifetime(ends: DateTime<Utc>, now: DateTime<Utc>) -> Finding {
    const CHECK: &str = "mail certificate";
    let seen = format!("good until {}", ends.format("%F"));
    if (ends - now).num_days() < certificate::SOON {
        return Finding::warning(CHECK, seen, "tell who runs the mail server: no mail leaves once it is over");
    }
    Finding::ok(CHECK, seen)
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn the_words_of_a_server_do_not_choose_the_advice() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = SecretString::from(format!("smtp://{}", listener.local_addr().unwrap()));
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(b"554 no STARTTLS, no signing in, no connecting\r\n").await.unwrap();
            stream
        };
        let examined = examine(&url, "no-reply@example.com", false, DateTime::UNIX_EPOCH);
        let (findings, _stream) = tokio::join!(examined, server);
        assert!(findings[0].seen.contains("no STARTTLS"), "{:?}", findings[0]);
        assert_eq!(findings[0].advice.as_deref(), Some(advice(Stage::Conversation)));
    }
}
