//! What a mail says: subject, plain text and HTML in the reader's language. Whatever comes from outside
//! (brand, device, network) is tamed and escaped. A code never stands in a subject, for locked screens
//! show subjects. Nothing here sends or stores.

use std::{net::IpAddr, time::Duration};

use askama::Template;
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::{
    plain,
    words::{Words, words},
};
use crate::domain::{Error, Result};

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

/// The secret that a mail carries.
#[derive(Clone)]
pub enum Message {
    /// A one-time code, digits only.
    Code {
        /// The digits.
        code: SecretString,
    },
    /// A sign-in link, sent when codes have become too dangerous or too many.
    Link {
        /// Made from `DOORCODE_PUBLIC_URL`, never from a request's `Host`.
        url: SecretString,
    },
}

/// Everything a mail is made of.
#[derive(Clone)]
pub struct Content {
    /// Code or link.
    pub message: Message,
    /// The reader's language.
    pub locale: Locale,
    /// How long the secret is good.
    pub lifetime: Duration,
    /// Who sends it, for people.
    pub brand: String,
    /// From [`describe_device`], if the device is known.
    pub device: Option<String>,
    /// The client's IP address; anything else is left out.
    pub network: Option<String>,
    /// When the secret was asked for.
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

/// A device in words that every language can use, such as `Firefox on Linux`. It is put together from
/// a closed list, so that nothing of the header itself ever reaches a mail.
pub fn describe_device(user_agent: &str) -> Option<String> {
    // Order matters: browsers name the ones they want to be taken for, and Android names Linux.
    const BROWSERS: [(&str, &str); 13] = [
        ("Edg/", "Edge"),
        ("EdgA/", "Edge"),
        ("EdgiOS/", "Edge"),
        ("OPR/", "Opera"),
        ("Vivaldi/", "Vivaldi"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("FxiOS/", "Firefox"),
        ("Firefox/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("Chromium/", "Chromium"),
        ("Chrome/", "Chrome"),
        ("Version/", "Safari"),
        ("curl/", "curl"),
    ];
    const SYSTEMS: [(&str, &str); 9] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Macintosh", "macOS"),
        ("Linux", "Linux"),
        ("FreeBSD", "FreeBSD"),
    ];
    let known = |list: &[(&str, &'static str)]| {
        list.iter().find(|(token, _)| user_agent.contains(token)).map(|(_, name)| *name)
    };
    // Only Safari calls its version that, but so do crawlers and old Android: it must say Safari, too.
    let browser = known(&BROWSERS).filter(|name| *name != "Safari" || user_agent.contains("Safari/"));
    match (browser, known(&SYSTEMS)) {
        (Some(browser), Some(system)) => Some(format!("{browser}{ON}{system}")),
        (Some(only), None) | (None, Some(only)) => Some(only.to_owned()),
        (None, None) => None,
    }
}

/// Between browser and system in what [`describe_device`] gives.
const ON: &str = " on ";

/// What both templates show, in reading order.
struct Parts<'a> {
    lang: &'static str,
    subject: String,
    heading: &'static str,
    before: Vec<String>,
    code: Option<Code<'a>>,
    link: Option<Link<'a>>,
    after: Vec<String>,
    request: &'static str,
    facts: Vec<Fact>,
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
    let brand = plain::tame(&content.brand);
    let brand = brand.as_str();
    let lifetime = spell(content.lifetime, words);
    let common = Parts {
        lang: content.locale.as_str(),
        subject: String::new(),
        heading: "",
        before: Vec::new(),
        code: None,
        link: None,
        after: Vec::new(),
        request: words.request,
        facts: facts(content, words),
        colon: words.colon,
        footer: (words.footer)(brand),
    };
    Ok(match &content.message {
        Message::Code { code } => {
            let digits = code.expose_secret();
            Parts {
                subject: (words.code_subject)(brand),
                heading: words.code_heading,
                before: vec![(words.code_intro)(brand)],
                code: Some(Code { digits, groups: plain::groups(digits), copy: words.code_copy }),
                after: vec![
                    (words.code_lifetime)(&lifetime),
                    words.code_not_you.to_owned(),
                    (words.code_secret)(brand),
                ],
                ..common
            }
        }
        Message::Link { url } => {
            let url = web_address(url)?;
            Parts {
                subject: (words.link_subject)(brand),
                heading: words.link_heading,
                before: vec![words.link_why.to_owned(), (words.link_how)(&lifetime)],
                link: Some(Link { url, button: words.link_button }),
                after: vec![words.link_not_you.to_owned(), (words.link_secret)(brand)],
                ..common
            }
        }
    })
}

/// Only web addresses become links, whatever the caller made: escaping does not stop `javascript:`.
fn web_address(url: &SecretString) -> Result<&str> {
    let url = url.expose_secret();
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if is_web && url.chars().all(|char| char.is_ascii_graphic()) {
        Ok(url)
    } else {
        Err(Error::Internal("a sign-in link is not a web address".to_owned()))
    }
}

/// Where the request came from, as far as it is known.
fn facts(content: &Content, words: &Words) -> Vec<Fact> {
    let device = content.device.as_deref().map(plain::tame).filter(|device| !device.is_empty());
    let device = device.map(|device| match device.split_once(ON) {
        Some((browser, system)) => (words.browser_on)(browser, system),
        None => device,
    });
    let network = content.network.as_deref().and_then(|text| text.trim().parse::<IpAddr>().ok());
    let time = content.asked_at.format("%Y-%m-%d %H:%M UTC").to_string();
    [
        Some(Fact { label: words.time, value: time }),
        device.map(|value| Fact { label: words.device, value }),
        network.map(|address| Fact { label: words.network, value: address.to_string() }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A length of time in words, rounded down, for a mail must not promise more than it keeps.
fn spell(lifetime: Duration, words: &Words) -> String {
    let minutes = (lifetime.as_secs() / 60).max(1);
    if minutes.is_multiple_of(60) { (words.hours)(minutes / 60) } else { (words.minutes)(minutes) }
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
