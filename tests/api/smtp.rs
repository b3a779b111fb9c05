//! The SMTP transport with a real mail server that sometimes misbehaves. A rehearsal is a delivery that is only
//! simulated, for a decoy: it opens connections and takes as long as a real delivery, but sends nothing.

use std::{
    io::{Read, Write},
    net::TcpListener,
    time::{Duration, Instant},
};

use chrono::DateTime;
use doorcode::{
    adapter::mail::smtp::{Patience, Smtp, Stage, check_url},
    domain::mail::{
        message::{Code, Message},
        template::{Content, Locale, render},
    },
    ports::{DeliveryFailure, Mail, MailTransport},
    settings::Theme,
};
use uuid::Uuid;

use crate::{
    canary::Captured,
    smtp_server::{SmtpServer, Tls, embedded_only},
};

const FROM: &str = "Doorcode <no-reply@example.com>";

fn smtp(url: &str, production: bool) -> Smtp {
    Smtp::new(&url.to_owned().into(), FROM, production).unwrap_or_else(|error| panic!("{error}"))
}

fn quick(url: &str) -> Smtp {
    let patience = Patience { step: Duration::from_millis(500), whole: Duration::from_secs(3) };
    smtp(url, false).with_patience(patience)
}

fn mail(number: u128, to: &str, locale: Locale) -> Mail {
    let content = Content {
        message: Message::Code(Code("12345678".into())),
        page: "https://auth.example.com/".to_owned(),
        locale,
        lifetime: Duration::from_mins(5),
        brand: "Doorcode".to_owned(),
        theme: Theme::default(),
        device: Some("Firefox on Linux".to_owned()),
        network: Some("203.0.113.7".to_owned()),
        asked_at: DateTime::UNIX_EPOCH,
    };
    let rendered = render(&content).unwrap_or_else(|error| panic!("{error}"));
    Mail {
        id: Uuid::from_u128(number),
        to: to.to_owned(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        logo: rendered.logo,
        code: Some("12345678".to_owned()),
    }
}

fn english(to: &str) -> Mail {
    mail(1, to, Locale::En)
}

#[track_caller]
fn assert_temporary(outcome: Result<(), DeliveryFailure>, expected: &str) {
    match outcome {
        Err(DeliveryFailure::Temporary(text)) => {
            assert!(text.contains(expected), "{text}");
            assert_discreet(&text);
        }
        other => panic!("{other:?} is not temporary"),
    }
}

#[track_caller]
fn assert_discreet(text: &str) {
    assert!(!text.contains(char::is_control) && !text.contains("horse") && !text.contains("@example"), "{text}");
}

#[tokio::test]
async fn mail_arrives_encrypted_in_every_language_with_both_parts() {
    if embedded_only() {
        return;
    }
    for tls in [Tls::Smtps, Tls::Required] {
        let server = SmtpServer::start(tls);
        let smtp = smtp(&server.url(), true);
        for (number, locale) in Locale::ALL.into_iter().enumerate() {
            let sent = mail(number as u128, "ada@example.com", locale);
            smtp.deliver(&sent).await.unwrap();
            let messages = server.messages(number + 1);
            let got = &messages[number];
            assert_eq!((&got["tls"], &got["authenticated"]), (&true.into(), &true.into()));
            assert_eq!((&got["mail_from"], &got["to"][0]), (&"no-reply@example.com".into(), &"ada@example.com".into()));
            assert_eq!(got["subject"], sent.subject.as_str());
            assert_eq!(got["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), sent.text.trim_end());
            assert_eq!(got["html"].as_str().unwrap().replace("\r\n", "\n").trim_end(), sent.html.trim_end());
            let header = |name: &str| {
                let headers = got["headers"].as_array().unwrap();
                let found = headers.iter().find(|header| header[0] == name);
                found.map(|header| header[1].as_str().unwrap().to_owned())
            };
            assert_eq!(header("Message-ID"), Some(format!("<{}@example.com>", sent.id)));
            assert_eq!(header("Auto-Submitted").as_deref(), Some("auto-generated"));
            assert_eq!(header("From").as_deref(), Some(FROM));
            assert!(header("Content-Type").unwrap().starts_with("multipart/alternative"));
            let mut names: Vec<_> =
                got["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
            names.retain(|name| !name.starts_with("X-"));
            names.sort_unstable();
            let expected =
                ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
            assert_eq!(names, expected);
            let raw = got["raw"].as_str().unwrap();
            assert!(raw.is_ascii() && raw.lines().all(|line| line.len() <= 998));
        }
    }
}

#[tokio::test]
async fn a_logo_is_a_part_of_the_email_beside_the_html() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::Smtps);
    let html = format!("<img src=\"cid:{}\">", Mail::LOGO);
    let sent = Mail { html: html.clone(), logo: Some(vec![0x89; 30].into()), ..english("ada@example.com") };
    smtp(&server.url(), true).deliver(&sent).await.unwrap();
    let got = &server.messages(1)[0];
    assert_eq!(got["html"].as_str().unwrap().trim_end(), html);
    assert_eq!(got["text"].as_str().unwrap().replace("\r\n", "\n").trim_end(), sent.text.trim_end());
    let raw = got["raw"].as_str().unwrap();
    let logo = "iYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJiYmJ";
    for part in [
        "Content-Type: multipart/alternative",
        "Content-Type: multipart/related",
        "Content-Type: image/png",
        "Content-Disposition: inline",
        "Content-ID: <logo@doorcode>",
        logo,
    ] {
        assert_eq!(raw.matches(part).count(), 1, "{part} in {raw}");
    }
    assert!(!raw.to_lowercase().contains("filename"), "{raw}");
}

#[tokio::test]
async fn neither_an_email_nor_the_mail_server_password_is_logged_at_any_level() {
    if embedded_only() {
        return;
    }
    let (captured, _guard) = Captured::everything();
    let server = SmtpServer::start(Tls::Smtps);
    smtp(&server.url(), true).deliver(&english("ada@example.com")).await.unwrap();
    drop(server);
    quick("smtps://someone:correct-horse@127.0.0.1:1").deliver(&english("ada@example.com")).await.unwrap_err();
    let logged = captured.text();
    for secret in ["12345678", "horse", "ada@example.com", "Firefox"] {
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_and_nothing_is_sent() {
    if embedded_only() {
        return;
    }
    for tls in [Tls::Smtps, Tls::Required] {
        let (server, stranger) = (SmtpServer::start(tls), SmtpServer::start(Tls::None));
        let url = server.url().replace(&server.ca().display().to_string(), &stranger.ca().display().to_string());
        assert_temporary(quick(&url).deliver(&english("ada@example.com")).await, "TLS handshake");
        let without = server.url().replace(&format!("ca={}", server.ca().display()), "");
        assert_temporary(quick(without.trim_end_matches(['?', '&'])).deliver(&english("ada@example.com")).await, "TLS");
        assert!(server.events("auth").is_empty() && server.events("mail").is_empty());
    }
}

#[tokio::test]
async fn stripped_starttls_is_refused_and_nothing_is_sent_in_plain_text() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::Stripped);
    assert_temporary(quick(&server.url()).deliver(&english("ada@example.com")).await, "STARTTLS");
    assert!(server.events("auth").is_empty() && server.events("mail").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_injected_before_the_tls_handshake_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let attacker = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 1024];
        stream.write_all(b"220 mail.test\r\n").unwrap();
        let _ = stream.read(&mut buffer).unwrap();
        stream.write_all(b"250-mail.test\r\n250 STARTTLS\r\n").unwrap();
        let _ = stream.read(&mut buffer).unwrap();
        // A client that keeps the second line in its buffer would read it as the response to its first encrypted
        // command.
        stream.write_all(b"220 go ahead\r\n250 slipped in\r\n").unwrap();
        let _ = stream.read(&mut buffer);
        let _ = stream.read(&mut buffer);
    });
    let url = format!("smtp://127.0.0.1:{port}?tls=required");
    assert_temporary(quick(&url).deliver(&english("ada@example.com")).await, "corrupt message");
    attacker.join().unwrap();
}

#[test]
fn plain_connections_are_refused_in_production_with_a_helpful_message() {
    let refusal = check_url(&"smtp://127.0.0.1:25".to_owned().into(), true).unwrap_err();
    assert!(refusal.contains("smtps://") && refusal.contains("tls=required"), "{refusal}");
}

#[tokio::test]
async fn smtp_replies_decide_whether_to_retry() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::None);
    let smtp = quick(&server.url());
    assert_temporary(smtp.deliver(&english("tempfail@example.com")).await, "451");
    match smtp.deliver(&english("reject@example.com")).await {
        Err(DeliveryFailure::Permanent(text)) => {
            assert!(text.contains("550") && text.contains("[address]"), "{text}");
            assert_discreet(&text);
        }
        other => panic!("{other:?} is not permanent"),
    }
    assert_temporary(smtp.deliver(&english("drop@example.com")).await, "mail");
    assert_temporary(smtp.deliver(&english("flaky@example.com")).await, "451");
    assert_temporary(smtp.deliver(&english("flaky@example.com")).await, "451");
    smtp.deliver(&english("flaky@example.com")).await.unwrap();
}

#[tokio::test]
async fn a_hanging_mail_server_times_out_and_its_connection_is_dropped() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::None);
    let smtp = quick(&server.url());
    let before = Instant::now();
    assert_temporary(smtp.deliver(&english("hang@example.com")).await, "timed out");
    assert!(before.elapsed() < Duration::from_secs(3));
    smtp.deliver(&english("ada@example.com")).await.unwrap();
    assert_eq!(server.messages(1).len(), 1);
    assert_eq!(server.events("connect").len(), 2);
}

#[tokio::test]
async fn connections_are_reused_between_emails() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::Required);
    let smtp = smtp(&server.url(), true);
    for number in 0..5 {
        smtp.deliver(&mail(number, "ada@example.com", Locale::De)).await.unwrap();
    }
    assert_eq!(server.messages(5).len(), 5);
    assert_eq!(server.events("connect").len(), 1);
}

#[tokio::test]
async fn a_rehearsal_uses_connections_like_a_delivery_but_sends_nothing() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::Required);
    let smtp = smtp(&server.url(), true);
    smtp.rehearse(&english("decoy@example.com"), 7).await.unwrap();
    assert_eq!(server.events("connect").len(), 1, "the rehearsal opened a connection for the next email");
    smtp.deliver(&english("ada@example.com")).await.unwrap();
    smtp.rehearse(&english("decoy@example.com"), 8).await.unwrap();
    assert_eq!(server.messages(1).len(), 1);
    assert_eq!((server.events("connect").len(), server.events("mail").len()), (1, 1));
    drop(server);
    assert_temporary(smtp.rehearse(&english("decoy@example.com"), 9).await, "connecting");
}

#[tokio::test]
async fn a_rehearsal_takes_as_long_as_recent_deliveries_to_the_domain() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::slow("0.3", "0.3");
    let smtp = quick(&server.url());
    let took = async |to: &str| {
        let before = Instant::now();
        let ended = smtp.rehearse(&english(to), 4).await;
        (before.elapsed(), ended)
    };
    assert_temporary(smtp.deliver(&english("tempfail@full.example")).await, "451");
    assert_temporary(smtp.deliver(&english("hang@slow.example")).await, "timed out");
    smtp.deliver(&english("ada@example.com")).await.unwrap();
    let (time, ended) = took("decoy@example.com").await;
    assert!(ended.is_ok() && time > Duration::from_millis(280) && time < Duration::from_millis(480), "{time:?}");
    let (time, ended) = took("decoy@slow.example").await;
    assert_temporary(ended, "timed out");
    assert!(time > Duration::from_millis(480), "{time:?}");
    assert_temporary(took("decoy@full.example").await.1, "451");
    assert!(took("decoy@new.example").await.1.is_ok());
}

#[tokio::test]
async fn a_connection_is_closed_after_fifty_emails() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::None);
    let smtp = smtp(&server.url(), false);
    for number in 0..51 {
        smtp.deliver(&mail(number, "ada@example.com", Locale::En)).await.unwrap();
    }
    assert_eq!((server.messages(51).len(), server.events("connect").len()), (51, 2));
}

#[tokio::test]
async fn the_settings_check_distinguishes_a_wrong_password_from_an_unreachable_server() {
    if embedded_only() {
        return;
    }
    let server = SmtpServer::start(Tls::Smtps);
    quick(&server.url()).test().await.unwrap();
    let wrong = quick(&server.url().replace("c0rrect", "wrong")).test().await.unwrap_err();
    assert_eq!(wrong.stage, Stage::SigningIn);
    assert!(wrong.text.contains("check user name and password") && wrong.text.contains("535"), "{wrong:?}");
    assert_discreet(&wrong.text);
    let outcome = quick(&server.url().replace("c0rrect", "wrong")).deliver(&english("ada@example.com")).await;
    assert_temporary(outcome, "535");
    let dead = server.url();
    drop(server);
    let ca_is_gone = check_url(&dead.clone().into(), false).unwrap_err();
    assert!(ca_is_gone.contains("cannot be read"), "{ca_is_gone}");
    let dead = quick(dead.split('?').next().unwrap()).test().await.unwrap_err();
    assert_eq!(dead.stage, Stage::Connecting, "{dead:?}");
}
