//! Renders a mail: subject, plain text and HTML in the reader's language. Untrusted text (brand, device, network) is
//! cleaned and escaped. A subject never holds a code, because lock screens show subjects. A mail about an
//! administrator's action shows no IP address and no device.

use std::{net::IpAddr, time::Duration};

use askama::Template;
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::{
    device::ON,
    message::{Fill, Message},
    payload::Shown,
    plain,
    words::{Words, words},
};
use crate::{
    error::{Error, Result},
    ports::Mail,
    settings::{Accent, LogoKind, Theme},
};

/// Languages of the mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locale {
    /// English, also the fallback.
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
    /// All languages.
    pub const ALL: [Self; 5] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Ja];

    /// The language of a BCP 47 tag such as `de-CH`, if it is one of ours; region and script are ignored.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|locale| locale.as_str().eq_ignore_ascii_case(primary))
    }

    /// The same, with English for every other language and without a tag.
    pub fn negotiate(tag: Option<&str>) -> Self {
        tag.and_then(Self::of_tag).unwrap_or(Self::En)
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

/// The input of a mail.
#[derive(Clone)]
pub struct Content {
    /// The letter.
    pub message: Message,
    /// URL of the sign-in page. Pages and links are built from `DOORCODE_PUBLIC_URL`, never from the `Host` header.
    pub page: String,
    /// The reader's language.
    pub locale: Locale,
    /// Lifetime of the code or link, if there is one.
    pub lifetime: Duration,
    /// Display name of the service.
    pub brand: String,
    /// Logo, accent and the address for help.
    pub theme: Theme,
    /// The device as one of a fixed set of descriptions, such as `Firefox on Linux`.
    pub device: Option<String>,
    /// The client's IP address; any other text is dropped.
    pub network: Option<String>,
    /// Time of the request or action.
    pub asked_at: DateTime<Utc>,
}

/// A rendered mail. It holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Rendered {
    /// Subject line, without the secret.
    pub subject: String,
    /// Plain-text part, at most [`COLUMNS`] wide except for a link.
    pub text: String,
    /// HTML part; loads no external resources. Its only image is the logo, named [`Mail::LOGO`].
    pub html: String,
    /// The logo, if the HTML part shows it: a PNG image.
    pub logo: Option<Bytes>,
}

/// Maximum width of the plain-text part.
pub const COLUMNS: usize = 76;

/// Renders a mail.
pub fn render(content: &Content) -> Result<Rendered> {
    let parts = parts(content)?;
    let fault = |error: askama::Error| Error::Internal(format!("cannot render a mail template: {error}"));
    let text = Text { parts: &parts }.render().map_err(fault)?;
    let html = Html { parts: &parts }.render().map_err(fault)?;
    Ok(Rendered { subject: parts.subject, text, html, logo: png(&content.theme) })
}

/// The logo, if mail clients show it. They don't show SVG.
fn png(theme: &Theme) -> Option<Bytes> {
    theme.logo.as_ref().filter(|logo| logo.kind == LogoKind::Png).map(|logo| logo.bytes.clone())
}

/// Content of both templates, in reading order.
struct Parts<'a> {
    lang: &'static str,
    brand: String,
    /// The name of the logo, if there is one. Otherwise, the mail shows the brand as text.
    logo: Option<&'static str>,
    accent: Accent,
    subject: String,
    heading: &'static str,
    before: Vec<String>,
    code: Option<Code<'a>>,
    link: Option<Link<'a>>,
    after: Vec<String>,
    origin: Option<Origin>,
    colon: &'static str,
    footer: String,
    help: Option<Help<'a>>,
}

/// Where the reader gets help.
struct Help<'a> {
    question: &'static str,
    /// An email address or a URL.
    text: &'a str,
    url: &'a str,
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

/// Details of the request.
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

fn parts(content: &Content) -> Result<Parts<'_>> {
    let words = words(content.locale);
    let row = content.message.row();
    let sheet = row.sheets.of(content.locale);
    let brand = plain::clean(&content.brand);
    let (mut code, mut link, mut role) = (None, None, "");
    match content.message.shown(&content.page) {
        Shown::Nothing => {}
        Shown::Code(digits) => code = Some(Code { digits, groups: plain::groups(digits), copy: words.copy }),
        Shown::Link(url, button) => link = Some(Link { url: web_address(url)?, button: button(words) }),
        Shown::Role(new) => role = (words.role)(new),
    }
    let fill = Fill { brand: &brand, lifetime: &spell(content.lifetime, words), role };
    let footer = if row.is_notice { words.footer_account } else { words.footer_entered };
    let theme = &content.theme;
    let help = theme.support.as_ref().zip(theme.support_text());
    Ok(Parts {
        lang: content.locale.as_str(),
        logo: png(theme).map(|_| Mail::LOGO),
        accent: theme.accent.unwrap_or_default(),
        subject: (sheet.subject)(&brand),
        heading: sheet.heading,
        before: (sheet.before)(&fill),
        code,
        link,
        after: (sheet.after)(&fill),
        origin: row.origin.and_then(|heading| Some(Origin { heading: heading(words), facts: facts(content, words)? })),
        colon: words.colon,
        footer: footer(&brand),
        help: help.map(|(url, text)| Help { question: words.need_help, text, url: url.as_str() }),
        brand,
    })
}

/// Accepts only http(s) URLs: escaping does not stop `javascript:`.
fn web_address(url: &str) -> Result<&str> {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.chars().all(|char| char.is_ascii_graphic()) {
        Ok(url)
    } else {
        Err(Error::Internal("a link in a mail is not a web address".to_owned()))
    }
}

/// Time, device and IP address. `None` if device and address are both unknown.
fn facts(content: &Content, words: &Words) -> Option<Vec<Fact>> {
    let device = content.device.as_deref().map(plain::clean).filter(|device| !device.is_empty());
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

/// Formats a duration, rounded down so that the mail never promises too much.
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

/// Filters for the templates.
mod filters {
    use std::fmt::Display;

    use super::{COLUMNS, plain};

    /// Wraps a paragraph.
    #[expect(clippy::unnecessary_wraps, reason = "askama requires filters to return a Result")]
    pub(super) fn wrap(paragraph: impl Display, _: &dyn askama::Values) -> askama::Result<String> {
        Ok(plain::wrap(&paragraph.to_string(), COLUMNS))
    }
}

#[cfg(test)]
#[path = "template_tests.rs"]
mod tests;
