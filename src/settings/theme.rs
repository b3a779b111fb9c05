//! How the pages and emails look: logo, accent and links. The values are checked at start.

mod colour;

use std::{fmt, path::Path, sync::Arc};

use bytes::Bytes;
use url::Url;

pub use self::colour::{Colour, Shades};
use self::colour::{DARK, LIGHT};
use super::{
    parse::{self, Parsed, is_loopback},
    problems::Reader,
};
use crate::files;

/// Maximum size of a logo in bytes.
const MOST: u64 = 100 * 1024;
/// Maximum size of a logo in emails, in bytes, without a warning.
const MAILED: usize = 30 * 1024;
/// Maximum width and height of a PNG logo in pixels.
const MOST_PIXELS: u32 = 2000;

/// The accent without a setting, as in `web/src/styles/base.css`.
const BLUES: &str = "#2c4fd4,#4568e8";

/// The look of one service.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    /// `DOORCODE_LOGO`.
    pub logo: Option<Arc<Logo>>,
    /// `DOORCODE_ACCENT`.
    pub accent: Option<Accent>,
    /// `DOORCODE_SUPPORT_URL`.
    pub support: Option<Url>,
    /// `DOORCODE_TERMS_URL`.
    pub terms: Option<Url>,
    /// `DOORCODE_PRIVACY_URL`.
    pub privacy: Option<Url>,
}

/// The kind of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogoKind {
    /// Pixels, which email clients show.
    Png,
    /// Vectors, which email clients do not show.
    Svg,
}

/// An image in place of the brand mark.
pub struct Logo {
    /// Its kind, by its content.
    pub kind: LogoKind,
    /// The file.
    pub bytes: Bytes,
}

impl fmt::Debug for Logo {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} of {} bytes", self.kind, self.bytes.len())
    }
}

/// The accent in the light and the dark theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// On light pages, and in emails.
    pub light: Shades,
    /// On dark pages, and in emails to clients with a dark theme.
    pub dark: Shades,
}

impl Default for Accent {
    #[expect(clippy::expect_used, reason = "a test checks the constant")]
    fn default() -> Self {
        accent(BLUES).expect("two visible colours")
    }
}

impl Logo {
    /// Reads a file. A relative path is relative to the working directory.
    ///
    /// # Errors
    /// What is wrong, as the rest of a sentence that starts with the setting.
    pub(super) fn read(path: &Path) -> Parsed<Self> {
        let bytes = files::read_named(path, MOST)?;
        let kind = kind_of(&bytes)?;
        Ok(Self { kind, bytes: Bytes::copy_from_slice(&bytes) })
    }
}

/// The kind of an image by its first bytes, whatever its name is.
fn kind_of(bytes: &[u8]) -> Parsed<LogoKind> {
    if let Some((width, height)) = png_size(bytes) {
        let is_fine = (1..=MOST_PIXELS).contains(&width) && (1..=MOST_PIXELS).contains(&height);
        let wrong = || format!("names an image of {width} by {height} pixels, but the maximum is {MOST_PIXELS}");
        return if is_fine { Ok(LogoKind::Png) } else { Err(wrong()) };
    }
    if std::str::from_utf8(bytes).is_ok_and(is_svg) {
        return Ok(LogoKind::Svg);
    }
    Err("names a file that is neither a PNG image nor an SVG image in UTF-8".to_owned())
}

/// Width and height in the header of a PNG image.
fn png_size(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR")?;
    let number = |at: usize| Some(u32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
    Some((number(0)?, number(4)?))
}

/// Whether the first element of a text is `svg`.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        // What may come before: the XML declaration, comments and the document type.
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!DOCTYPE") => ">",
            _ => break,
        };
        let Some((_, after)) = rest.split_once(end) else { return false };
        rest = after.trim_start();
    }
    rest.strip_prefix("<svg").is_some_and(|after| after.starts_with(|next: char| next.is_whitespace() || next == '>'))
}

/// One colour for both themes, or one for each: `#4f46e5` or `#0a2540,#7aa7ff`.
pub(super) fn accent(text: &str) -> Parsed<Accent> {
    let colours = parse::list(text, |entry| {
        Colour::parse(entry).ok_or_else(|| "is not a colour of six hexadecimal digits such as #4f46e5".to_owned())
    })?;
    let (light, dark, is_single) = match colours[..] {
        [both] => (both, both, true),
        [light, dark] => (light, dark, false),
        _ => return Err("has more than two colours: one for light and one for dark pages".to_owned()),
    };
    let other = if is_single { ". Give a second colour for dark pages, or another one for both" } else { "" };
    let shades = |colour, background| Shades::of(colour, background).map_err(|wrong| wrong + other);
    Ok(Accent { light: shades(light, &LIGHT)?, dark: shades(dark, &DARK)? })
}

/// A page of the operator: `https`, or `http` on this machine.
pub(super) fn page(text: &str) -> Parsed<Url> {
    let url = Url::parse(&parse::printable(text, 500)?).map_err(|_| "is not a URL".to_owned())?;
    let is_web = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
    if !is_web || url.host_str().is_none_or(str::is_empty) {
        return Err("does not start with https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("contains a user name or password, which every page would show".to_owned());
    }
    Ok(url)
}

/// Where users get help: a page, or an address as `mailto:help@example.com`.
pub(super) fn support(text: &str) -> Parsed<Url> {
    let Some(address) = text.strip_prefix("mailto:") else {
        return page(text).map_err(|wrong| wrong.replace("https://", "https:// or mailto:"));
    };
    let is_address = address.parse::<lettre::Address>().is_ok();
    let url = Url::parse(text).ok().filter(|_| is_address);
    url.ok_or_else(|| "has no email address after mailto:".to_owned())
}

impl Theme {
    /// Where users get help, as people read it: an email address or a URL.
    pub fn support_text(&self) -> Option<&str> {
        let url = self.support.as_ref()?;
        Some(if url.scheme() == "mailto" { url.path() } else { url.as_str().trim_end_matches('/') })
    }

    /// Reads the logo, once all other settings are valid.
    pub(super) fn read_logo(&mut self, reader: &mut Reader, file: Option<&Path>) {
        let Some(file) = file else { return };
        match Logo::read(file) {
            Ok(logo) => {
                if logo.kind == LogoKind::Png && logo.bytes.len() > MAILED {
                    let odd = "names an image larger than 30 KiB, which becomes a part of every email";
                    reader.warn("DOORCODE_LOGO", odd, "Make it smaller: it is shown 40 pixels high");
                }
                self.logo = Some(Arc::new(logo));
            }
            Err(wrong) => {
                let instead =
                    "Name a PNG or SVG image of at most 100 KiB, such as DOORCODE_LOGO=/etc/doorcode/logo.png";
                reader.refuse("DOORCODE_LOGO", wrong, instead);
            }
        }
    }
}

#[cfg(test)]
mod tests;
