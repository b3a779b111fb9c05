//! The first pass, over raw text: how deep brackets nest and how many tokens there are. Strings, block strings and
//! comments are lexed as GraphQL does, so nothing hides in them and nothing innocent is refused. One pass, no allocation.
//! It accepts much that is not GraphQL; the parser sees to that.

/// How deep brackets of any kind may nest.
const NESTING: usize = 32;
/// How many tokens a document may have.
const TOKENS: usize = 2_000;

/// Why a text is not parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// Brackets nest too deep.
    Nesting,
    /// There are too many tokens.
    Tokens,
    /// A string does not end. No parser of GraphQL takes such a text, so nobody has to find out where it would go on.
    OpenString,
}

/// Looks at a text in one pass.
pub(crate) fn check(text: &str) -> Result<(), Unfit> {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut tokens) = (0, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        at = match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at = end_of_comment(bytes, at);
                continue;
            }
            b'"' => end_of_string(bytes, at).ok_or(Unfit::OpenString)?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => skip(bytes, at, is_of_name),
            b'0'..=b'9' | b'-' => skip(bytes, at, |byte| is_of_name(byte) || matches!(byte, b'+' | b'-')),
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        if depth > NESTING {
            return Err(Unfit::Nesting);
        }
        if tokens > TOKENS {
            return Err(Unfit::Tokens);
        }
    }
    Ok(())
}

/// What to tell whoever sent it.
pub(crate) fn explain(unfit: Unfit) -> String {
    match unfit {
        Unfit::Nesting => format!("Brackets in a document nest at most {NESTING} deep."),
        Unfit::Tokens => format!("A document has at most {TOKENS} tokens."),
        Unfit::OpenString => "This is not GraphQL: a string does not end.".to_owned(),
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn skip(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at + 1..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| at + 1 + length)
}

fn end_of_comment(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).map_or(bytes.len(), |length| at + length)
}

fn end_of_string(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes[at..].starts_with(b"\"\"\"") { end_of_block(bytes, at + 3) } else { end_of_line_string(bytes, at + 1) }
}

/// A block string ends at three quotes that no backslash precedes.
fn end_of_block(bytes: &[u8], mut at: usize) -> Option<usize> {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if bytes[at..].starts_with(b"\"\"\"") {
            return Some(at + 3);
        } else {
            at += 1;
        }
    }
    None
}

/// A string ends at its quote, on its line.
fn end_of_line_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if !matches!(bytes.get(at + 1), Some(b'\n' | b'\r')) => at += 2,
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            _ => at += 1,
        }
    }
    None
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
            format!("# \"\n{brackets}"),
            format!("# \"\r{brackets}"),
            format!("\"\"\"a\"\"\"{brackets}"),
            format!("\"\\\\\"{brackets}"),
            format!("\"\"\"\"\"\"{brackets}"),
        ] {
            assert_eq!(check(&text), Err(Unfit::Nesting), "{text}");
        }
    }

    #[test]
    fn a_string_that_does_not_end_is_not_searched_for_an_end() {
        for text in
            ["\"", "\"\\", "\"a\n\"", "\"a\r\"", "\"\\\n\"", "\"\"\"", "\"\"\"\\\"\"\"", "\"\"\"\"", "\"\"\"\"\""]
        {
            assert_eq!(check(text), Err(Unfit::OpenString), "{text:?}");
        }
    }

    #[test]
    fn every_kind_of_bracket_and_every_token_counts() {
        for open in ["{", "[", "(", "{a(b:["] {
            assert_eq!(check(&open.repeat(33)), Err(Unfit::Nesting));
        }
        assert_eq!(check(&"{".repeat(32)), Ok(()));
        for token in ["a ", "1 ", "@", "$", "\"\" ", "!", "...", "é", "...a", "-1 "] {
            assert_eq!(check(&token.repeat(2_001)), Err(Unfit::Tokens), "{token}");
        }
        assert_eq!(check(&"a ".repeat(2_000)), Ok(()));
        assert_eq!(check(&" ,\n#x\n".repeat(5_000)), Ok(()));
        assert_eq!(check(&"9".repeat(200_000)), Ok(()));
        for text in ["#", "\u{feff}", "\0", ""] {
            assert_eq!(check(text), Ok(()));
        }
    }
}
