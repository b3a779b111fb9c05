//! What a person wants to be called. Text for people: it is shown, searched and sorted by, and means nothing.

/// One line of at most a hundred characters that shows what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(String);

const LONGEST: usize = 100;

/// Why a text is no name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Nothing but blanks.
    #[error("A name needs at least one character. For no name, omit it or send null.")]
    Empty,
    /// More than fits a line.
    #[error("A name can have at most {LONGEST} characters.")]
    TooLong,
    /// Control characters, or such as turn the direction of text around.
    #[error("A name must be one line of visible characters.")]
    Invisible,
}

impl Name {
    /// Reads a name as a person types it: blanks around it are dropped.
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

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is searched and sorted by.
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// The form that names are searched and sorted by: lower case, letter by letter, so that the key of a prefix is a prefix
/// of the key. (A sigma at the end of a word is another letter only in writing.)
pub fn key(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|char| if char == 'ς' { 'σ' } else { char }).collect()
}

/// Whether a character shows nothing, or moves what is shown. Joiners (U+200C, U+200D) do not count: several scripts
/// need them.
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
