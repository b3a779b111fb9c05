//! The first pass, over raw text: how deep brackets nest and how many tokens there are. Strings, block strings and
//! comments are lexed as GraphQL does, so nothing hides in them and nothing innocent is refused. One pass, no allocation.
//! It accepts much that is not GraphQL; the parser sees to that.

/// How deep brackets of any kind may nest.
const NESTING: usize = 32;
/// How many tokens a document may have.
const TOKENS: usize = 2_000;

/// Why a text is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    Nesting,
    Tokens,
}

impl TooMuch {
    pub(crate) fn message(self) -> String {
        match self {
            Self::Nesting => format!("Brackets in a document nest at most {NESTING} deep."),
            Self::Tokens => format!("A document has at most {TOKENS} tokens."),
        }
    }
}

/// Looks at a text in one pass.
pub(crate) fn check(text: &str) -> Result<(), TooMuch> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut tokens) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => at + 1,
            b'#' => end_of_comment(bytes, at),
            b'"' => end_of_string(bytes, at),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' => end_of_word(bytes, at),
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > NESTING {
            return Err(TooMuch::Nesting);
        }
        let ignored = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b',' | b'#');
        tokens += usize::from(!ignored);
        if tokens > TOKENS {
            return Err(TooMuch::Tokens);
        }
        debug_assert!(at > start, "the scan moves on at every step");
    }
    Ok(())
}

fn end_of_comment(bytes: &[u8], at: usize) -> usize {
    bytes[at..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(bytes.len(), |length| at + length)
}

fn end_of_word(bytes: &[u8], at: usize) -> usize {
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'+');
    bytes[at + 1..]
        .iter()
        .position(|byte| !in_word(byte))
        .map_or(bytes.len(), |length| at + 1 + length)
}

fn end_of_string(bytes: &[u8], at: usize) -> usize {
    if bytes[at..].starts_with(b"\"\"\"") {
        end_of_block(bytes, at + 3)
    } else {
        end_of_line_string(bytes, at + 1)
    }
}

/// A block string ends at three quotes that no backslash precedes.
fn end_of_block(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

/// A string ends at its quote, or unfinished at the end of the line: what follows a line end is never inside it.
fn end_of_line_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if !matches!(bytes.get(at + 1), None | Some(b'\n' | b'\r')) => at += 2,
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_and_comments_do_not_nest() {
        let brackets = "{[(".repeat(50);
        for text in [
            format!("{{ a(b: \"{brackets}\") }}"),
            format!("{{ a(b: \"\"\"{brackets}\n\"{brackets} \\\"\"\" {brackets}\"\"\") }}"),
            format!("{{ a # {brackets}\n }}"),
            format!("{{ a(b: \"\\\"{brackets}\") }}"),
        ] {
            assert_eq!(check(&text), Ok(()), "{text}");
        }
    }

    #[test]
    fn nothing_hides_behind_a_string_that_is_not_one() {
        let brackets = "[".repeat(33);
        for text in [
            format!("\"\"{brackets}"),
            format!("\"a\n{brackets}"),
            format!("\"\\\n{brackets}"),
            format!("# \"\n{brackets}"),
            format!("# \"\r{brackets}"),
            format!("\"\"\"a\"\"\"{brackets}"),
            format!("\"\\\\\"{brackets}"),
            format!("\"\"\"\"\"\"{brackets}"),
        ] {
            assert_eq!(check(&text), Err(TooMuch::Nesting), "{text}");
        }
    }

    #[test]
    fn every_kind_of_bracket_and_every_token_counts() {
        for open in ["{", "[", "(", "{a(b:["] {
            assert_eq!(check(&open.repeat(33)), Err(TooMuch::Nesting));
        }
        assert_eq!(check(&"{".repeat(32)), Ok(()));
        for token in ["a ", "1 ", "@", "$", "\"\" ", "!", "...", "é"] {
            assert_eq!(check(&token.repeat(2_001)), Err(TooMuch::Tokens), "{token}");
        }
        assert_eq!(check(&"a ".repeat(2_000)), Ok(()));
        assert_eq!(check(&" ,\n#x\n".repeat(5_000)), Ok(()));
        assert_eq!(check(&"9".repeat(200_000)), Ok(()));
    }

    #[test]
    fn no_text_makes_the_scan_fail() {
        for text in [
            "\"",
            "\"\\",
            "\"\"\"",
            "\"\"\"\\",
            "\"\"\"\\\"\"",
            "#",
            "\u{feff}",
            "\0",
            "",
        ] {
            assert_eq!(check(text), Ok(()));
        }
    }
}
