//! Colours of a theme: contrast as WCAG 2.2 defines it, and the shades that the pages and emails need.

use std::fmt;

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

const BLACK: Colour = Colour([0; 3]);
const WHITE: Colour = Colour([255; 3]);
/// Minimum contrast of text.
const TEXT: f64 = 4.5;
/// Minimum contrast of a button with what surrounds it.
const SHAPE: f64 = 3.0;

/// The colours that surround the accent.
pub(super) struct Background {
    /// The name in an error.
    pub(super) name: &'static str,
    /// Cards, on which buttons are.
    pub(super) card: Colour,
    /// Pages, around the cards.
    pub(super) page: Colour,
    /// The colour that text approaches.
    ink: Colour,
}

/// The light pages. `web/src/styles/base.css` has the same colours.
pub(super) const LIGHT: Background =
    Background { name: "light", card: WHITE, page: Colour([0xf5, 0xf6, 0xf8]), ink: BLACK };
/// The dark pages.
pub(super) const DARK: Background =
    Background { name: "dark", card: Colour([0x16, 0x18, 0x1c]), page: Colour([0x0d, 0x0e, 0x11]), ink: WHITE };

/// The shades of an accent on one background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shades {
    /// Buttons.
    pub accent: Colour,
    /// Text on buttons: white or black.
    pub on_accent: Colour,
    /// A button under the pointer.
    pub over: Colour,
    /// Links and other text in the accent.
    pub text: Colour,
}

impl Colour {
    /// Parses `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
        let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        digits.chars().all(|digit| digit.is_ascii_hexdigit()).then_some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast ratio of two colours, 1 to 21.
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour with `percent` of another one.
    fn with(self, other: Self, percent: u16) -> Self {
        let mix = |at: usize| (u16::from(self.0[at]) * (100 - percent) + u16::from(other.0[at]) * percent + 50) / 100;
        // A mean of two bytes is a byte.
        Self([0, 1, 2].map(|at| u8::try_from(mix(at)).unwrap_or(u8::MAX)))
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(formatter, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Shades {
    /// The shades of an accent, or the reason why it cannot be seen.
    pub(super) fn of(accent: Colour, background: &Background) -> Result<Self, String> {
        let ratio = accent.contrast(background.card);
        if ratio < SHAPE {
            let Background { name, card, .. } = background;
            return Err(format!(
                "has a contrast of {ratio:.2}:1 with the {name} background {card}, but buttons need {SHAPE}:1"
            ));
        }
        // One of the two always has a contrast of at least 4.58. White looks better on most colours.
        let on_accent = if accent.contrast(WHITE) >= TEXT { WHITE } else { BLACK };
        let away = if on_accent == WHITE { BLACK } else { WHITE };
        Ok(Self { accent, on_accent, over: accent.with(away, 14), text: text(accent, background) })
    }
}

/// The accent, darker or lighter until it can be read on pages, on cards, and on either with a tint of the accent.
fn text(accent: Colour, background: &Background) -> Colour {
    let behind = [background.page, background.card];
    let behind = behind.into_iter().chain(behind.map(|colour| colour.with(accent, 20)));
    let is_readable = |colour: &Colour| behind.clone().all(|other| colour.contrast(other) >= TEXT);
    let mut shades = (12..=100).step_by(4).map(|percent| accent.with(background.ink, percent));
    shades.find(is_readable).unwrap_or(background.ink)
}

#[cfg(test)]
#[path = "colour_tests.rs"]
mod tests;
