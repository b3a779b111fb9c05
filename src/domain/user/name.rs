//! Display names. They are shown, searched and sorted, and have no other meaning to the program.

/// A display name: a single line of 1 to 100 characters, all visible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

const LONGEST: usize = 100;

/// Why a text is not a valid name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Empty or only whitespace.
    #[error("A name needs at least one character. For no name, omit it or send null.")]
    Empty,
    /// Too many characters.
    #[error("A name can have at most {LONGEST} characters.")]
    TooLong,
    /// Contains control characters or other invisible ones, or changes the direction of text.
    #[error("A name must be one line of visible characters.")]
    Invisible,
}

impl Name {
    /// Parses a name. Surrounding whitespace is removed.
    pub fn parse(input: &str) -> Result<Self, InvalidName> {
        let text = input.trim();
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        if text.chars().take(LONGEST + 1).count() > LONGEST {
            return Err(InvalidName::TooLong);
        }
        if text.chars().any(hides_or_turns) {
            return Err(InvalidName::Invisible);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as typed, without surrounding whitespace.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form to search and sort by; see [`key`].
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// The form that names are searched and sorted by: lowercase, character by character, so that the key of a prefix is a
/// prefix of the key. That is why a final sigma (ς) becomes a plain sigma (σ).
pub fn key(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|char| if char == 'ς' { 'σ' } else { char }).collect()
}

/// Whether a character is invisible or changes the direction of text. Joiners (U+200C, U+200D) are allowed because
/// several scripts need them.
pub fn hides_or_turns(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_prefix_is_a_prefix_of_the_key() {
        for name in ["ΟΔΥΣΣΕΥΣ", "Οδυσσεύς", "İpek", "Straße", "ǅ", "ADA"] {
            let letters: Vec<_> = name.chars().collect();
            for length in 0..=letters.len() {
                let prefix: String = letters[..length].iter().collect();
                assert!(key(name).starts_with(&key(&prefix)), "{prefix} of {name}");
            }
        }
    }

    #[test]
    fn a_name_is_one_visible_line() {
        for good in ["Ada", " Ada Lovelace ", "李小龙", "O’Brien", "می\u{200c}خواهم", "<img src=x>", "{{7*7}}"]
        {
            assert_eq!(Name::parse(good).unwrap().as_str(), good.trim());
        }
        assert_eq!(Name::parse(&"é".repeat(100)).unwrap().key(), "é".repeat(100));
        assert_eq!(Name::parse(" \t "), Err(InvalidName::Empty));
        assert_eq!(Name::parse(&"é".repeat(101)), Err(InvalidName::TooLong));
        for bad in ["a\r\nb", "a\0", "\u{202e}evil", "a\u{2066}b", "zero\u{200b}width", "\u{1b}[31mred"] {
            assert_eq!(Name::parse(bad), Err(InvalidName::Invisible), "{bad:?}");
        }
    }
}
