//! A second lexer, written from the specification's lexical grammar and from nothing else: slow, and in its words.

/// Punctuators of one character.
const PUNCTUATORS: &str = "!$&():=@[]{|}";

/// The tokens of a text, or nothing when it is no sequence of tokens.
pub(super) fn tokens(text: &str) -> Option<Vec<&str>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if "\u{feff}\t \n\r,".contains(first) {
            rest = &rest[first.len_utf8()..];
        } else if first == '#' {
            rest = &rest[rest.find(['\n', '\r']).unwrap_or(rest.len())..];
        } else {
            let length = token(rest)?;
            tokens.push(&rest[..length]);
            rest = &rest[length..];
        }
    }
    Some(tokens)
}

/// How deep the brackets among some tokens nest.
pub(super) fn nesting(tokens: &[&str]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for token in tokens {
        match *token {
            "{" | "[" | "(" => depth += 1,
            "}" | "]" | ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn token(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if text.starts_with("...") {
        Some(3)
    } else if PUNCTUATORS.contains(first) {
        Some(1)
    } else if is_name_start(first) {
        Some(text.find(|c: char| !is_name_start(c) && !c.is_ascii_digit()).unwrap_or(text.len()))
    } else if first == '"' {
        if text.starts_with("\"\"\"") { block_string(text) } else { string(text) }
    } else {
        number(text)
    }
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// `FloatValue` or `IntValue`. Neither may be followed by a digit, a dot or the start of a name.
fn number(text: &str) -> Option<usize> {
    let mut rest = text.strip_prefix('-').unwrap_or(text);
    rest = match rest.strip_prefix('0') {
        Some(rest) => rest,
        None => digits(rest)?,
    };
    if let Some(fraction) = rest.strip_prefix('.') {
        rest = digits(fraction)?;
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        rest = digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))?;
    }
    let forbidden = rest.starts_with(|c: char| c.is_ascii_digit() || c == '.' || is_name_start(c));
    (!forbidden).then_some(text.len() - rest.len())
}

/// What follows one digit or more.
fn digits(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    (rest.len() < text.len()).then_some(rest)
}

fn string(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    loop {
        match characters.next()? {
            (at, '"') => return Some(at + 1),
            (_, '\n' | '\r') => return None,
            (_, '\\') => match characters.next()?.1 {
                '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => {}
                'u' => {
                    for _ in 0..4 {
                        characters.next().filter(|(_, c)| c.is_ascii_hexdigit())?;
                    }
                }
                _ => return None,
            },
            _ => {}
        }
    }
}

fn block_string(text: &str) -> Option<usize> {
    let mut at = 3;
    loop {
        let rest = &text[at..];
        if rest.starts_with("\\\"\"\"") {
            at += 4;
        } else if rest.starts_with("\"\"\"") {
            return Some(at + 3);
        } else {
            at += rest.chars().next()?.len_utf8();
        }
    }
}
