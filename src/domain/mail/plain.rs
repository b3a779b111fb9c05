//! Text for mails: cleans untrusted text and wraps lines by the rules of each script.

/// Maximum length of untrusted text (a brand, a device) in a mail, in characters.
const MAX_UNTRUSTED: usize = 80;

/// Reduces untrusted text to one bounded line without control characters, line breaks or bidirectional marks.
pub(super) fn clean(text: &str) -> String {
    let visible: String = text.chars().map(|char| if is_unsafe(char) { ' ' } else { char }).collect();
    let joined = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.chars().take(MAX_UNTRUSTED).collect()
}

fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Wraps a paragraph at `columns`: at spaces, and between characters of scripts without spaces. A word longer than a
/// line stays whole.
pub(super) fn wrap(paragraph: &str, columns: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for piece in pieces(paragraph) {
        let width = columns_of(piece.trim_end_matches(' '));
        if used > 0 && used + width > columns {
            lines.truncate(lines.trim_end_matches(' ').len());
            lines.push('\n');
            used = 0;
        }
        lines.push_str(piece);
        used += columns_of(piece);
    }
    lines
}

/// Splits at allowed line breaks. Each piece includes its trailing spaces.
fn pieces(paragraph: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (index, char) in paragraph.char_indices() {
        let may_break = before.is_some_and(|before| {
            let at_space = before == ' ' && char != ' ';
            // Japanese may break anywhere except before closing and after opening punctuation.
            let at_wide = (is_wide(before) && char != ' ') || (is_wide(char) && before != ' ');
            at_space || (at_wide && !closes(char) && !opens(before))
        });
        if may_break {
            pieces.push(&paragraph[start..index]);
            start = index;
        }
        before = Some(char);
    }
    pieces.push(&paragraph[start..]);
    pieces
}

fn closes(char: char) -> bool {
    "、。，．：；？！）」』】・ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ.,:;?!)".contains(char)
}

fn opens(char: char) -> bool {
    "（「『【(".contains(char)
}

/// Width of a text in terminal columns.
pub(super) fn columns_of(text: &str) -> usize {
    text.chars().map(|char| if is_wide(char) { 2 } else { 1 }).sum()
}

/// Whether a character is two columns wide: Hangul, kana, ideographs, full-width forms, pictographs.
fn is_wide(char: char) -> bool {
    matches!(char, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
}

/// Splits a code into readable groups: of four, or of three if only three divides it evenly.
pub(super) fn groups(code: &str) -> Vec<&str> {
    let size = if code.len() > 4 && !code.len().is_multiple_of(4) && code.len().is_multiple_of(3) { 3 } else { 4 };
    let mut groups = Vec::new();
    let mut rest = code;
    while let Some((group, after)) = rest.split_at_checked(size) {
        groups.push(group);
        rest = after;
    }
    if !rest.is_empty() {
        groups.push(rest);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_keeps_its_letters_and_loses_what_could_break_a_line() {
        assert_eq!(clean("a\r\nBcc: b@c\0 \u{202e}d\u{2028}e"), "a Bcc: b@c d e");
        assert_eq!(clean("<img src=x>{{7*7}}"), "<img src=x>{{7*7}}");
        assert_eq!(clean(&"x".repeat(500)).len(), MAX_UNTRUSTED);
    }

    #[test]
    fn lines_break_at_spaces_and_between_japanese_characters() {
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("unbreakable yes", 4), "unbreakable\nyes");
        // The full stop would start a line, which is not allowed.
        assert_eq!(wrap("あいうえ。お", 8), "あいう\nえ。お");
        assert_eq!(wrap("", 8), "");
    }

    #[test]
    fn codes_are_grouped_for_reading() {
        assert_eq!(groups("12345678"), ["1234", "5678"]);
        assert_eq!(groups("123456"), ["123", "456"]);
        assert_eq!(groups("1234"), ["1234"]);
        assert_eq!(groups("1234567890"), ["1234", "5678", "90"]);
        assert_eq!(groups(""), [""; 0]);
    }
}
