//! What a mail says: subject, plain text and HTML in the reader's language. Whatever comes from outside
//! (brand, device, network) is tamed and escaped. A code never stands in a subject, for locked screens
//! show subjects. Where a request came from is told only to whom it was, or may have been, made in the name of:
//! what an administrator did shows no address and no device. Nothing here sends or stores.

use std::{net::IpAddr, time::Duration};

use askama::Template;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::{
    device::ON,
    plain,
    words::{Fill, Sheet, Words, words},
};
use crate::{
    db::entity::Role,
    error::{Error, Result},
};

/// The languages that mails are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// English, and everything unknown.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Japanese.
    Ja,
}

impl Locale {
    /// Every language there is.
    pub const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Ja];

    /// The language for a BCP 47 tag such as `de-CH`. Region and script make no difference.
    pub fn negotiate(tag: Option<&str>) -> Self {
        let primary = tag.unwrap_or_default().trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(primary)).unwrap_or(Self::En)
    }

    /// The primary language tag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::Ja => "ja",
        }
    }
}

/// What a mail tells, and the secret or page that goes with it. Pages and links are made from `DOORCODE_PUBLIC_URL`,
/// never from a request's `Host`.
#[derive(Clone)]
pub enum Message {
    /// A one-time code that signs in.
    Code {
        /// The digits.
        code: SecretString,
    },
    /// A sign-in link, sent when codes have become too dangerous or too many.
    Link {
        /// Signs in.
        url: SecretString,
    },
    /// A one-time code that confirms the new address of an account.
    EmailCode {
        /// The digits.
        code: SecretString,
    },
    /// An administrator made an account for this address.
    Invitation {
        /// Where one signs in.
        page: String,
    },
    /// The account that had this address has another one now.
    EmailChanged {
        /// Brings the address back, unless an administrator took it away.
        undo: Option<SecretString>,
    },
    /// Whoever has the older address took the account back.
    EmailTakenBack,
    /// The account was deleted.
    AccountDeleted,
    /// An administrator gave this address to an account that had another one.
    EmailIsNow {
        /// Where one signs in.
        page: String,
    },
    /// A sign-in from a device that was not known.
    NewDevice {
        /// Where one signs in.
        page: String,
    },
    /// An administrator changed what the account may do.
    RoleChanged {
        /// What it is now.
        role: Role,
    },
}

impl Message {
    /// The code to type, of the mails that bring one.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Self::Code { code } | Self::EmailCode { code } => Some(code.expose_secret()),
            _ => None,
        }
    }

    /// Where the button leads, of the mails that have one.
    fn url(&self) -> Option<&str> {
        match self {
            Self::Link { url } | Self::EmailChanged { undo: Some(url) } => Some(url.expose_secret()),
            Self::Invitation { page } | Self::EmailIsNow { page } | Self::NewDevice { page } => Some(page),
            Self::Code { .. }
            | Self::EmailCode { .. }
            | Self::EmailChanged { undo: None }
            | Self::EmailTakenBack
            | Self::AccountDeleted
            | Self::RoleChanged { .. } => None,
        }
    }
}

/// Everything a mail is made of.
#[derive(Clone)]
pub struct Content {
    /// What it tells.
    pub message: Message,
    /// The reader's language.
    pub locale: Locale,
    /// How long the secret is good, if it brings one.
    pub lifetime: Duration,
    /// Who sends it, for people.
    pub brand: String,
    /// Put together from a closed list, such as `Firefox on Linux`, if the device is known.
    pub device: Option<String>,
    /// The client's IP address; anything else is left out.
    pub network: Option<String>,
    /// When that which it tells was asked for or done.
    pub asked_at: DateTime<Utc>,
}

/// A mail in words. It holds a secret, hence no `Debug`.
#[derive(Clone)]
pub struct Rendered {
    /// One line, without the secret.
    pub subject: String,
    /// Plain-text part, at most [`COLUMNS`] wide but for a link.
    pub text: String,
    /// HTML part, complete in itself: it loads nothing.
    pub html: String,
}

/// How wide the plain-text part may be.
pub const COLUMNS: usize = 76;

/// Writes a mail.
pub fn render(content: &Content) -> Result<Rendered> {
    let parts = parts(content)?;
    let fault = |error: askama::Error| Error::Internal(format!("a mail template failed: {error}"));
    let text = Text { parts: &parts }.render().map_err(fault)?;
    let html = Html { parts: &parts }.render().map_err(fault)?;
    Ok(Rendered { subject: parts.subject, text, html })
}

/// What both templates show, in reading order.
struct Parts<'a> {
    lang: &'static str,
    subject: String,
    heading: &'static str,
    before: Vec<String>,
    code: Option<Code<'a>>,
    link: Option<Link<'a>>,
    after: Vec<String>,
    origin: Option<Origin>,
    colon: &'static str,
    footer: String,
}

struct Code<'a> {
    digits: &'a str,
    groups: Vec<&'a str>,
    copy: &'static str,
}

struct Link<'a> {
    url: &'a str,
    button: &'static str,
}

/// Where it came from.
struct Origin {
    heading: &'static str,
    facts: Vec<Fact>,
}

struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Template)]
#[template(path = "mail/mail.txt")]
struct Text<'a> {
    parts: &'a Parts<'a>,
}

#[derive(Template)]
#[template(path = "mail/mail.html")]
struct Html<'a> {
    parts: &'a Parts<'a>,
}

/// What one kind of mail is made of in one language.
struct Plan {
    sheet: &'static Sheet,
    button: &'static str,
    /// The heading over where it came from. Only for what the reader did, or somebody in the reader's name: where an
    /// administrator sits is no concern of a mail.
    origin: Option<&'static str>,
    footer: fn(&str) -> String,
}

fn plan(message: &Message, words: &'static Words) -> Plan {
    let notice = |sheet| Plan { sheet, button: words.open_page, origin: None, footer: words.footer_account };
    let asked = Some(words.request_origin);
    match message {
        Message::Code { .. } => Plan { origin: asked, footer: words.footer_entered, ..notice(&words.code) },
        Message::Link { .. } => Plan { origin: asked, footer: words.footer_entered, ..notice(&words.link) },
        Message::EmailCode { .. } => Plan { origin: asked, footer: words.footer_entered, ..notice(&words.email_code) },
        Message::Invitation { .. } => notice(&words.invitation),
        Message::EmailChanged { undo: Some(_) } => {
            Plan { origin: asked, button: words.restore_address, ..notice(&words.email_changed) }
        }
        Message::EmailChanged { undo: None } => notice(&words.email_changed_for_you),
        Message::EmailTakenBack => notice(&words.email_taken_back),
        Message::AccountDeleted => notice(&words.account_deleted),
        Message::EmailIsNow { .. } => notice(&words.email_is_now),
        Message::NewDevice { .. } => Plan { origin: Some(words.sign_in_origin), ..notice(&words.new_device) },
        Message::RoleChanged { .. } => notice(&words.role_changed),
    }
}

fn parts(content: &Content) -> Result<Parts<'_>> {
    let words = words(content.locale);
    let Plan { sheet, button, origin, footer } = plan(&content.message, words);
    let brand = plain::tame(&content.brand);
    let role = if let Message::RoleChanged { role } = content.message { (words.role)(role) } else { "" };
    let fill = Fill { brand: &brand, lifetime: &spell(content.lifetime, words), role };
    let code = |digits| Code { digits, groups: plain::groups(digits), copy: words.copy };
    let link = |url| web_address(url).map(|url| Link { url, button });
    Ok(Parts {
        lang: content.locale.as_str(),
        subject: (sheet.subject)(&brand),
        heading: sheet.heading,
        before: (sheet.before)(&fill),
        code: content.message.code().map(code),
        link: content.message.url().map(link).transpose()?,
        after: (sheet.after)(&fill),
        origin: origin.and_then(|heading| Some(Origin { heading, facts: facts(content, words)? })),
        colon: words.colon,
        footer: footer(&brand),
    })
}

/// Only web addresses become links, whatever the caller made: escaping does not stop `javascript:`.
fn web_address(url: &str) -> Result<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.chars().all(|char| char.is_ascii_graphic()) {
        Ok(url)
    } else {
        Err(Error::Internal("a link in a mail is not a web address".to_owned()))
    }
}

/// Where it came from, as far as it is known; of nothing known, not even when.
fn facts(content: &Content, words: &Words) -> Option<Vec<Fact>> {
    let device = content.device.as_deref().map(plain::tame).filter(|device| !device.is_empty());
    let device = device.map(|device| match device.split_once(ON) {
        Some((browser, system)) => (words.browser_on)(browser, system),
        None => device,
    });
    let network = content.network.as_deref().and_then(|text| text.trim().parse::<IpAddr>().ok());
    if device.is_none() && network.is_none() {
        return None;
    }
    let time = content.asked_at.format("%Y-%m-%d %H:%M UTC").to_string();
    let facts = [
        Some(Fact { label: words.time, value: time }),
        device.map(|value| Fact { label: words.device, value }),
        network.map(|address| Fact { label: words.network, value: address.to_string() }),
    ];
    Some(facts.into_iter().flatten().collect())
}

/// A length of time in words, rounded down, for a mail must not promise more than it keeps.
fn spell(lifetime: Duration, words: &Words) -> String {
    const HOUR: u64 = 60;
    const DAY: u64 = 24 * HOUR;
    let minutes = (lifetime.as_secs() / 60).max(1);
    if minutes >= 2 * DAY {
        (words.days)(minutes / DAY)
    } else if minutes.is_multiple_of(HOUR) {
        (words.hours)(minutes / HOUR)
    } else {
        (words.minutes)(minutes)
    }
}

/// Filters that the templates call by name.
mod filters {
    use std::fmt::Display;

    use super::{COLUMNS, plain};

    /// Breaks a paragraph into lines.
    #[expect(clippy::unnecessary_wraps, reason = "askama asks filters for a result")]
    pub(super) fn wrap(paragraph: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(plain::wrap(&paragraph.to_string(), COLUMNS))
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
