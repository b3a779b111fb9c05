//! The first pass, over raw text: how deep brackets nest and how many tokens there are. Strings, block strings and
//! comments are lexed as GraphQL does, so nothing hides in them and nothing innocent is refused. One pass, no allocation.
//! It accepts much that is not GraphQL; the parser sees to that, and never sees a bracket or a value that was not counted
//! here, whatever it takes for a token. The tests hold both against each other.

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

/// What a text comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    /// How deep its brackets nest.
    nesting: usize,
    tokens: usize,
}

/// Looks at a text in one pass.
pub(crate) fn check(text: &str) -> Result<(), Unfit> {
    measure(text).map(|_| ())
}

fn measure(text: &str) -> Result<Size, Unfit> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    let mut size = Size::default();
    while let Some(&byte) = bytes.get(at) {
        if let Some(end) = end_of_ignored(bytes, at) {
            at = end;
            continue;
        }
        at = match byte {
            b'"' => end_of_string(bytes, at).ok_or(Unfit::OpenString)?,
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => end_of_name(bytes, at),
            b'0'..=b'9' | b'-' => end_of_number(bytes, at),
            b'.' if bytes[at..].starts_with(b"...") => at + 3,
            _ => at + 1,
        };
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        size = Size { nesting: size.nesting.max(depth), tokens: size.tokens + 1 };
        if size.nesting > NESTING {
            return Err(Unfit::Nesting);
        }
        if size.tokens > TOKENS {
            return Err(Unfit::Tokens);
        }
    }
    Ok(size)
}

/// What to tell whoever sent it.
pub(crate) fn explain(unfit: Unfit) -> String {
    match unfit {
        Unfit::Nesting => format!("Brackets in a document nest at most {NESTING} deep."),
        Unfit::Tokens => format!("A document has at most {TOKENS} tokens."),
        Unfit::OpenString => "This is not GraphQL: a string does not end.".to_owned(),
    }
}

/// Where a blank, a comma, a mark of the byte order or a comment ends.
fn end_of_ignored(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes[at] {
        b' ' | b'\t' | b'\r' | b'\n' | b',' => Some(at + 1),
        b'#' => Some(skip(bytes, at, |byte| !matches!(byte, b'\n' | b'\r'))),
        _ => bytes[at..].starts_with("\u{feff}".as_bytes()).then_some(at + 3),
    }
}

/// The first place from here where a byte does not belong.
fn skip(bytes: &[u8], at: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[at..].iter().position(|byte| !belongs(*byte)).map_or(bytes.len(), |length| at + length)
}

/// A name ends where its letters do. But a parser may take `nullnull` for two values, and then it is two tokens here:
/// nobody gets more of them parsed than were counted. A field called `nullable` pays for that with a token.
fn end_of_name(bytes: &[u8], at: usize) -> usize {
    let values: [&[u8]; 3] = [b"null", b"true", b"false"];
    let value = values.into_iter().find(|value| bytes[at..].starts_with(value));
    value.map_or_else(|| skip(bytes, at, |byte| byte.is_ascii_alphanumeric() || byte == b'_'), |value| at + value.len())
}

/// A number ends where its grammar does, for what follows at once may be one more: `00` is two, and so is `1-1`.
fn end_of_number(bytes: &[u8], at: usize) -> usize {
    let digits = |at| skip(bytes, at, |byte| byte.is_ascii_digit());
    let is = |at: usize, any: &[u8]| bytes.get(at).is_some_and(|byte| any.contains(byte));
    let start = at + usize::from(is(at, b"-"));
    let mut end = if is(start, b"0") { start + 1 } else { digits(start) };
    if end == start {
        return end;
    }
    if is(end, b".") && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if is(end, b"eE") {
        let power = end + 1 + usize::from(is(end + 1, b"+-"));
        if digits(power) > power {
            end = digits(power);
        }
    }
    end
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
mod tests;
