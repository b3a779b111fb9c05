//! Letters from queueing to rendering: what is sealed, who can open it, and what the mail shows.

use std::net::IpAddr;

use secrecy::SecretString;

use super::*;
use crate::{
    domain::mail::{
        attempt,
        inbox::Inbox,
        payload::{
            Code, Shown,
            samples::{CODE, DISOWN, LINK, PAGE},
        },
    },
    limits,
    ports::Mail,
    settings::Theme,
};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Kinds that an outbox may hold.
const PUBLISHED: [&str; 17] = [
    "code",
    "link",
    "email-code",
    "email-changed",
    "new-device",
    "email-taken-back",
    "account-deleted",
    "invitation",
    "email-is-now",
    "role-changed",
    "register",
    "register-known",
    "password-reset",
    "reset-link",
    "password-changed",
    "password-removed",
    "password-door-closed",
];

/// Whether it carries a code or a link, other than the sign-in page.
fn has_secret(message: &Message) -> bool {
    message.carried().is_some_and(|carried| matches!(carried.shown(), Shown::Code(_) | Shown::Link(..)))
}

struct Zeros;
impl Entropy for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

fn vault() -> Vault {
    Vault::new(&[SecretString::from("a server secret of more than thirty-two bytes")]).unwrap()
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap()
}

fn queued(message: Message, locale: Locale) -> outbox::Model {
    let origin = Origin {
        ip: "203.0.113.7".parse::<IpAddr>().unwrap(),
        user_agent: Some(FIREFOX.to_owned()),
        request_id: "request".to_owned(),
        session: None,
    };
    let expires_at = now() + chrono::TimeDelta::days(7);
    let letter = Letter { to: "ada@example.com", message, locale, origin: Some(&origin), expires_at, deliver: true };
    seal(&vault(), &Zeros, &letter, Uuid::from_u128(7), now()).unwrap()
}

fn mailed(row: &outbox::Model) -> Mail {
    let payload = open(&vault(), row).unwrap();
    let message = Message::open(&row.kind, &payload).unwrap();
    attempt::render(("Doorcode", &Theme::default()), PAGE, row, &payload, message, now()).unwrap()
}

/// The seal context of version 1.
fn context_v1(row: &outbox::Model) -> Vec<u8> {
    [row.id.as_bytes(), &row.expires_at.timestamp_micros().to_be_bytes()[..], row.kind.as_bytes()].concat()
}

#[test]
fn every_letter_keeps_its_kind_and_content_through_the_outbox() {
    for message in Message::samples() {
        let row = queued(message.clone(), Locale::De);
        let kind = message.row().kind;
        assert_eq!(row.kind, kind);
        let opened = Message::open(kind, &open(&vault(), &row).unwrap()).unwrap();
        assert!(std::ptr::eq(opened.row().sheets, message.row().sheets), "{kind} opens as another letter");
        let mail = mailed(&row);
        assert_eq!(mail.to, "ada@example.com");
        assert!(mail.html.contains("<html lang=\"de\">"));
        let (brings, is_code, is_link) = match message.shown(PAGE) {
            Shown::Nothing => ("", false, false),
            Shown::Code(code) => (code, true, false),
            Shown::Link(url, _) => (url, false, true),
            Shown::Role(_) => ("Manager", false, false),
        };
        assert!(mail.text.contains(brings), "{kind}: {}", mail.text);
        assert_eq!(mail.text.contains("http"), is_link, "{kind}: {}", mail.text);
        assert_eq!(mail.text.contains(CODE), is_code, "{kind}: {}", mail.text);
    }
}

#[test]
fn published_kinds_of_letters_are_still_known() {
    let kinds: Vec<_> = Message::samples().iter().map(|message| message.row().kind).collect();
    for kind in PUBLISHED {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

#[test]
fn a_mail_states_the_lifetime_of_its_secret_from_its_row() {
    let days = ["7 days", "7 Tage", "7\u{a0}jours", "7 días", "7 日間"];
    for (locale, days) in Locale::ALL.into_iter().zip(days) {
        for message in Message::samples() {
            let text = mailed(&queued(message.clone(), locale)).text.replace('\n', " ");
            assert_eq!(text.contains(days), has_secret(&message), "{locale:?}: {text}");
        }
    }
}

#[test]
fn a_mail_about_an_administrators_action_seals_and_shows_no_origin() {
    for message in Message::samples() {
        let row = queued(message.clone(), Locale::En);
        let has_origin = message.row().origin.is_some();
        let by_administrator = matches!(
            message,
            Message::Invitation
                | Message::EmailChangedForYou
                | Message::EmailTakenBack
                | Message::AccountDeleted
                | Message::EmailIsNow
                | Message::RoleChanged(_)
        );
        assert!(!(has_origin && by_administrator), "{}", row.kind);
        let sealed = row.sealed.as_deref().unwrap();
        let plain = vault().open(Purpose::Outbox, &context(row.id, &row.kind, row.expires_at), sealed).unwrap();
        let plain = String::from_utf8(plain.to_vec()).unwrap();
        let mail = mailed(&row);
        for fact in ["203.0.113.7", "Firefox"] {
            for text in [&plain, &mail.text, &mail.html] {
                assert_eq!(text.contains(fact), has_origin, "{}: {text}", row.kind);
            }
        }
        for fact in ["2026-09-21", "came from"] {
            assert_eq!(mail.text.contains(fact), has_origin, "{}: {}", row.kind, mail.text);
        }
    }
}

#[test]
fn the_inbox_shows_a_code_only_for_mails_with_a_code() {
    let inbox = Inbox::new();
    for message in Message::samples() {
        inbox.push(mailed(&queued(message.clone(), Locale::En)), now());
        let code = inbox.list(None, 1).remove(0).code;
        let expected = matches!(message.shown(PAGE), Shown::Code(_)).then_some(CODE);
        assert_eq!(code.as_deref(), expected, "{}", message.row().kind);
    }
}

#[test]
fn only_the_sealed_payload_marks_a_decoy() {
    for message in Message::samples().into_iter().filter(|message| !message.row().is_notice) {
        let letter = Letter {
            to: "ada@example.com",
            message,
            locale: Locale::En,
            origin: None,
            expires_at: now() + chrono::TimeDelta::minutes(5),
            deliver: false,
        };
        let row = seal(&vault(), &Zeros, &letter, Uuid::from_u128(7), now()).unwrap();
        assert_eq!(row.state, MailState::Pending);
        assert!(!open(&vault(), &row).unwrap().deliver);
        // It renders like any other letter.
        assert!(!mailed(&row).text.is_empty());
    }
}

#[test]
fn mail_queued_by_version_1_still_opens() {
    let before = [
        (
            "code",
            r#"{"to":"ada@example.com","code":"12345678","link":null,"locale":"fr","device":"Firefox on Linux","network":"203.0.113.7","deliver":true}"#,
            CODE,
        ),
        (
            "link",
            r#"{"to":"ada@example.com","code":null,"link":"https://auth.example.com/#link=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4","locale":"fr","device":null,"network":"203.0.113.7","deliver":true}"#,
            LINK,
        ),
    ];
    for (kind, plain, secret) in before {
        let mut row = queued(Message::Invitation, Locale::En);
        row.kind = kind.to_owned();
        row.sealed = Some(vault().seal(Purpose::Outbox, &context_v1(&row), plain.as_bytes(), &Zeros).unwrap());
        let mail = mailed(&row);
        assert!(mail.text.contains(secret) && mail.text.contains("203.0.113.7"), "{}", mail.text);
        assert!(mail.html.contains("<html lang=\"fr\">"));
    }
}

#[test]
fn a_notice_of_a_new_device_that_was_queued_without_a_link_still_opens() {
    let plain = r#"{"to":"ada@example.com","code":null,"link":null,"locale":"en","device":"Firefox on Linux","network":"203.0.113.7","deliver":true}"#;
    let mut row = queued(Message::Invitation, Locale::En);
    row.kind = "new-device".to_owned();
    let context = context(row.id, &row.kind, row.expires_at);
    row.sealed = Some(vault().seal(Purpose::Outbox, &context, plain.as_bytes(), &Zeros).unwrap());
    let text = mailed(&row).text.replace('\n', " ");
    assert!(text.contains(PAGE) && text.contains("sign in, end that session"), "{text}");
    assert!(!text.contains("link") && !text.contains("button"), "{text}");
}

#[test]
fn a_notice_is_delivered_as_long_as_its_link_disowns() {
    let lifetimes = Message::samples().into_iter().filter_map(|message| {
        let disowns = matches!(message.shown(PAGE), Shown::Link(DISOWN, _));
        disowns.then(|| message.row().good_for.to_std().unwrap())
    });
    assert_eq!(lifetimes.collect::<Vec<_>>(), [limits::DISOWN; 4]);
}

#[test]
fn version_1_opens_only_the_kinds_it_knows() {
    for message in Message::samples() {
        let kind = message.row().kind;
        let row = queued(message, Locale::En);
        let opened = vault().open(Purpose::Outbox, &context_v1(&row), row.sealed.as_deref().unwrap());
        assert_eq!(opened.is_some(), kind == "code" || kind == "link", "{kind}");
        let Some(plain) = opened else { continue };
        let plain: serde_json::Value = serde_json::from_slice(&plain).unwrap();
        let mut names: Vec<_> = plain.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "deliver", "device", "link", "locale", "network", "to"]);
    }
}

#[test]
fn a_letter_of_an_unknown_kind_or_role_does_not_open() {
    let row = queued(Message::EmailCode(Code(CODE.into())), Locale::En);
    let payload = open(&vault(), &row).unwrap();
    for kind in ["", "CODE", "codes", "of-the-next-version", "link", "role-changed"] {
        assert!(Message::open(kind, &payload).is_none(), "{kind}");
    }
}
