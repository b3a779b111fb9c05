//! The mail server, for `doorcode doctor`: connect, TLS, sign in, say goodbye. It never sends a mail, nor names a
//! recipient.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use crate::{
    adapter::mail::smtp::{Patience, Smtp},
    doctor::{certificate, finding::Finding},
};

/// Whoever waits for the doctor waits for less long than the outbox does.
const PATIENCE: Patience = Patience { step: Duration::from_secs(5), whole: Duration::from_secs(9) };

const SERVER: &str = "mail server";

/// What to do about trouble that begins with these words, or has them in it.
const ADVICE: [(&str, &str); 5] = [
    ("signing in", "correct user name and password in SMTP_URL, and write special characters in them as %XX"),
    ("no STARTTLS", "write smtps://user:password@host:465, or ask who runs the server to offer STARTTLS"),
    ("TLS handshake", "let SMTP_URL name the host as its certificate does; a private authority is named with ?ca=FILE"),
    ("speak TLS", "write smtp://…:587?tls=required instead of smtps://, or the port that speaks TLS, usually 465"),
    ("connecting", "correct host and port in SMTP_URL; many networks close port 25: ask for 587 or 465"),
];

/// Goes through what comes before a mail.
pub(super) async fn examine(url: &SecretString, from: &str, production: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let smtp = match Smtp::new(url, from, production) {
        Ok(smtp) => smtp.with_patience(PATIENCE),
        Err(wrong) => return vec![Finding::problem(SERVER, wrong, "correct SMTP_URL")],
    };
    let signs_in = smtp.target.credentials.is_some();
    match smtp.test().await {
        Err(trouble) => {
            let advice = ADVICE.iter().find(|(words, _)| trouble.contains(words)).map(|(_, advice)| *advice);
            vec![Finding::problem(SERVER, trouble, advice.unwrap_or("see in the mail server's log what it refused"))]
        }
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
