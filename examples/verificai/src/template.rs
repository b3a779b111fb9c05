//! The text of a prompt, with variables such as `{{code}}`. Values are inserted once, so text in them that looks like a
//! variable stays as it is.

/// Variables that every prompt can use: the text, the name and the language of a file.
pub const BUILT_IN: [&str; 3] = ["code", "file", "language"];

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
enum Part<'a> {
    Text(&'a str),
    Variable(&'a str),
}

/// Whether a name is one for a variable: lower-case letters, digits and `_`, at most 40, and a letter first.
pub fn is_name(name: &str) -> bool {
    let fits = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '_';
    name.len() <= 40 && name.starts_with(|char: char| char.is_ascii_lowercase()) && name.chars().all(fits)
}

/// Splits a text. Braces that are not closed are text.
fn parts(mut text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while let Some((before, rest)) = text.split_once("{{") {
        let Some((name, after)) = rest.split_once("}}") else { break };
        parts.extend([Part::Text(before), Part::Variable(name.trim())]);
        text = after;
    }
    parts.push(Part::Text(text));
    parts
}

/// The variables in a text, in order, with repetitions.
pub fn variables(text: &str) -> impl Iterator<Item = &str> {
    parts(text).into_iter().filter_map(|part| if let Part::Variable(name) = part { Some(name) } else { None })
}

/// Inserts the value of each variable; an unknown one becomes empty. `None` if the inserted values have more than `most`
/// bytes together. The text is built only after that check.
pub fn fill<'a>(text: &'a str, most: usize, value: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let (mut pieces, mut room) = (Vec::new(), most);
    for part in parts(text) {
        pieces.push(match part {
            Part::Text(text) => text,
            Part::Variable(name) => {
                let value = value(name).unwrap_or_default();
                room = room.checked_sub(value.len())?;
                value
            }
        });
    }
    Some(pieces.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_inserted_once() {
        let value = |name: &str| match name {
            "code" => Some("{{secret}}"),
            "secret" => Some("no"),
            _ => None,
        };
        let filled = |text| fill(text, 100, value).unwrap();
        assert_eq!(filled("a {{code}} {{ code }} {{x}}!"), "a {{secret}} {{secret}} !");
        assert_eq!(filled("open {{code"), "open {{code");
        assert_eq!(variables("{{a}} {{ b }} {{a}} {{").collect::<Vec<_>>(), ["a", "b", "a"]);
    }

    #[test]
    fn the_size_of_all_values_together_is_limited() {
        let code = "x".repeat(1_000_000);
        let text = "{{code}}".repeat(1_250);
        assert_eq!(fill(&text, 2_000_000, |_| Some(&*code)), None);
        assert_eq!(fill("{{a}}-{{b}}", 4, |_| Some("xx")).as_deref(), Some("xx-xx"));
        assert_eq!(fill("{{a}}-{{b}}", 3, |_| Some("xx")), None);
    }

    #[test]
    fn a_name_is_short_and_plain() {
        assert!(is_name("code") && is_name("team_2"));
        for wrong in ["", "2", "_a", "Team", "a-b", "a b", &"a".repeat(41)] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
