//! The rules for files of an analysis: text of at most 1 MiB under a plain relative path.

use std::collections::HashSet;

use async_graphql::Enum;
use aws_lc_rs::digest::{SHA256, digest};

/// Maximum number of files in an analysis.
pub const MAX_FILES: usize = 20;
/// Maximum size of a file in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Maximum size of a request with files in bytes.
pub const MAX_BODY: usize = 2 * 1024 * 1024;
const MAX_NAME: usize = 200;

/// A file that a user sent.
pub struct NewFile {
    /// The path.
    pub name: String,
    /// The text.
    pub text: String,
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum FileFlaw {
    /// The name is not a plain relative path, or too long.
    Path,
    /// Another file has the same name.
    Duplicate,
    /// Larger than 1 MiB.
    TooLarge,
    /// Contains characters that are not text.
    Binary,
}

impl FileFlaw {
    /// What to change, for the user.
    pub fn advice(self, name: &str) -> String {
        let name: String = name.chars().filter(|char| !char.is_control()).take(MAX_NAME).collect();
        match self {
            Self::Path => {
                format!(
                    "`{name}` is not a plain relative path. Use one like `src/main.rs`, of at most {MAX_NAME} bytes."
                )
            }
            Self::Duplicate => format!("`{name}` is there twice. Give each file its own name."),
            Self::TooLarge => format!("`{name}` is larger than 1 MiB. Split it or leave it out."),
            Self::Binary => format!("`{name}` is not a text file. Leave it out."),
        }
    }
}

/// Checks files. Returns the first that is refused.
pub fn check(files: &[NewFile]) -> Result<(), (usize, FileFlaw)> {
    let mut names = HashSet::new();
    for (position, file) in files.iter().enumerate() {
        let flaw = if !is_plain_path(&file.name) {
            FileFlaw::Path
        } else if !names.insert(&file.name) {
            FileFlaw::Duplicate
        } else if file.text.len() > MAX_BYTES {
            FileFlaw::TooLarge
        } else if !is_text(&file.text) {
            FileFlaw::Binary
        } else {
            continue;
        };
        return Err((position, flaw));
    }
    Ok(())
}

/// Whether a path stays below its folder on every system: no `..`, no root, no drive, no backslash.
fn is_plain_path(name: &str) -> bool {
    let is_plain = |char: char| !char.is_control() && !"\\:*?\"<>|".contains(char);
    let is_segment = |segment: &str| !["", ".", ".."].contains(&segment) && !segment.ends_with([' ', '.']);
    name.len() <= MAX_NAME && name.chars().all(is_plain) && name.split('/').all(is_segment)
}

/// Whether a text has only characters that source code has. U+FFFD is what a program writes for bytes that are no text.
fn is_text(text: &str) -> bool {
    text.chars().all(|char| "\n\r\t\u{c}".contains(char) || !(char.is_control() || char == '\u{fffd}'))
}

/// The SHA-256 hash of a text, in hexadecimal digits.
pub fn sha256(text: &[u8]) -> String {
    digest(&SHA256, text).as_ref().iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The language that a file name suggests.
pub fn language(name: &str) -> &'static str {
    const LANGUAGES: [(&[&str], &str); 14] = [
        (&["rs"], "Rust"),
        (&["ts", "tsx", "mts"], "TypeScript"),
        (&["js", "jsx", "mjs", "cjs"], "JavaScript"),
        (&["py"], "Python"),
        (&["go"], "Go"),
        (&["java"], "Java"),
        (&["kt", "kts"], "Kotlin"),
        (&["c", "h"], "C"),
        (&["cc", "cpp", "hpp", "cxx"], "C++"),
        (&["cs"], "C#"),
        (&["rb"], "Ruby"),
        (&["php"], "PHP"),
        (&["sh", "bash"], "Shell"),
        (&["sql"], "SQL"),
    ];
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending).to_lowercase();
    LANGUAGES.iter().find(|(endings, _)| endings.contains(&&*ending)).map_or("text", |(_, language)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> NewFile {
        NewFile { name: name.into(), text: text.into() }
    }

    #[test]
    fn a_path_that_leaves_its_folder_is_refused() {
        for name in ["a.rs", "src/main.rs", "src/.env", "ä/ö.py", "a b.c", ".github/x.yml"] {
            assert_eq!(check(&[file(name, "x")]), Ok(()), "{name}");
        }
        let long = "a".repeat(MAX_NAME + 1);
        for name in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "a/..",
            "./a",
            "a//b",
            "a/",
            "C:\\a",
            "C:a",
            "a\\..\\b",
            "a\0b",
            "a\nb",
            "...",
            "a/.. /b",
            "con:",
            "a*",
            &long,
        ] {
            assert_eq!(check(&[file(name, "x")]), Err((0, FileFlaw::Path)), "{name:?}");
        }
    }

    #[test]
    fn only_text_of_at_most_a_mebibyte_is_accepted() {
        assert_eq!(check(&[file("a", &"x".repeat(MAX_BYTES))]), Ok(()));
        assert_eq!(check(&[file("a", &"x".repeat(MAX_BYTES + 1))]), Err((0, FileFlaw::TooLarge)));
        for text in ["\0", "\u{1b}[0m", "PK\u{3}\u{4}", "\u{fffd}", "\u{85}"] {
            assert_eq!(check(&[file("a", "x"), file("b", text)]), Err((1, FileFlaw::Binary)), "{text:?}");
        }
        assert_eq!(check(&[file("a", "x"), file("a", "y")]), Err((1, FileFlaw::Duplicate)));
    }

    #[test]
    fn a_name_suggests_a_language() {
        assert_eq!(
            [language("a/b.RS"), language("x.tsx"), language("Makefile"), language("a.b")],
            ["Rust", "TypeScript", "text", "text"]
        );
    }
}
