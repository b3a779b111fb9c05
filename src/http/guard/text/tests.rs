//! The first pass held against a second lexer, against the parser, and against what nobody would write on purpose.

mod documents;
mod naive;
mod parsed;

use std::time::{Duration, Instant};

use allocation_counter::AllocationInfo;
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use documents::{broken, flat, glued, good, soup};
use parsed::Parsed;

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
    for text in ["\"", "\"\\", "\"a\n\"", "\"a\r\"", "\"\\\n\"", "\"\"\"", "\"\"\"\\\"\"\"", "\"\"\"\"", "\"\"\"\"\""] {
        assert_eq!(check(text), Err(Unfit::OpenString), "{text:?}");
    }
}

#[test]
fn every_kind_of_bracket_and_every_token_counts() {
    for open in ["{", "[", "(", "{a(b:["] {
        assert_eq!(check(&open.repeat(33)), Err(Unfit::Nesting));
    }
    assert_eq!(check(&"{".repeat(32)), Ok(()));
    for token in ["a ", "1 ", "@", "$", "\"\" ", "!", "...", "é", "...a", "-1 ", "-1", "0", "null"] {
        assert_eq!(check(&token.repeat(2_001)), Err(Unfit::Tokens), "{token}");
    }
    assert_eq!(check(&"a ".repeat(2_000)), Ok(()));
    assert_eq!(check(&" ,\n#x\n".repeat(5_000)), Ok(()));
    assert_eq!(check(&"9".repeat(200_000)), Ok(()));
    assert_eq!(check(&"...".repeat(2_000)), Ok(()));
    assert_eq!(check(&"\u{feff}".repeat(5_000)), Ok(()));
    for text in ["#", "\u{feff}", "\0", ""] {
        assert_eq!(check(text), Ok(()));
    }
}

/// Whether something stands behind a value with nothing between them, where the specification sees one name.
fn is_glued(token: &str) -> bool {
    let rest = ["null", "true", "false"].iter().find_map(|value| token.strip_prefix(value));
    rest.is_some_and(|rest| !rest.is_empty())
}

/// The first pass against the naive lexer, wherever that one finds tokens: the same nesting, and the same tokens, or
/// more where a name begins with a value.
fn assert_agrees(text: &str) {
    let Some(tokens) = naive::tokens(text) else { return };
    let size = Size { nesting: naive::nesting(&tokens), tokens: tokens.len() };
    let glued = tokens.iter().any(|token| is_glued(token));
    match measure(text) {
        Ok(measured) if glued => {
            assert_eq!(measured.nesting, size.nesting, "{text:?}");
            assert!(measured.tokens > size.tokens, "{text:?}");
        }
        Ok(measured) => assert_eq!(measured, size, "{text:?}"),
        Err(Unfit::Nesting) => assert!(size.nesting > NESTING, "{text:?}"),
        Err(Unfit::Tokens) => assert!(glued || size.tokens > TOKENS, "{text:?}"),
        Err(Unfit::OpenString) => panic!("no string is open: {text:?}"),
    }
}

/// The first pass against the parser: it saw every token and every bracket that the parser did. Only a keyword that a
/// name follows without a blank, once in a definition, is one word here and two there.
fn assert_covers(text: &str) {
    let Ok(document) = async_graphql::parser::parse_query(text) else { return };
    let parsed = Parsed::of(&document);
    if let Ok(size) = measure(text) {
        assert!(parsed.nesting <= size.nesting, "{} > {}: {text:?}", parsed.nesting, size.nesting);
        assert!(parsed.tokens <= size.tokens + parsed.definitions, "{} tokens: {text:?}", parsed.tokens);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn what_anybody_may_write_is_measured_as_the_specification_says(text in good()) {
        prop_assert!(naive::tokens(&text).is_some(), "{text:?}");
        let parsed = async_graphql::parser::parse_query(&text);
        prop_assert!(parsed.is_ok(), "{parsed:?}: {text:?}");
        prop_assert_eq!(check(&text), Ok(()));
        assert_agrees(&text);
        assert_covers(&text);
    }

    #[test]
    fn what_was_broken_is_measured_no_smaller_than_it_is(text in prop_oneof![broken(), soup()]) {
        assert_agrees(&text);
        assert_covers(&text);
    }

    #[test]
    fn values_without_a_blank_between_them_are_all_counted(text in glued()) {
        assert_agrees(&text);
        assert_covers(&text);
    }

    #[test]
    fn nothing_opens_a_way_around_the_bound_on_nesting(
        levels in vec((flat(), select(&["{", "[", "("][..])), 33),
        (before, closing) in (flat(), "[\\]})]{0,40}"),
        after in soup(),
    ) {
        let levels: Vec<_> = levels.iter().map(|(before, bracket)| format!("{before} {bracket}")).collect();
        let levels = levels.concat();
        prop_assert_eq!(check(&format!("{before} {closing}{levels}{after}")), Err(Unfit::Nesting));
    }

    #[test]
    fn any_text_gets_an_answer(text in any::<String>(), characters in vec(any::<char>(), 0..200), soup in soup()) {
        let characters: String = characters.into_iter().collect();
        for text in [&text, &characters, &format!("{soup}{characters}"), &format!("\u{feff}\0{text}{soup}")] {
            assert_agrees(text);
            assert_covers(text);
        }
    }
}

/// Texts of the largest size that a body can have, of one piece repeated.
fn large() -> impl Iterator<Item = String> {
    let pieces = [
        "a",
        "a ",
        "{",
        "}",
        "[",
        "{}",
        "\"",
        "\"\"",
        "\"\"\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\"\"a\"\"\"",
        "\"\"\"\\\"\"\"",
        "#",
        "#\n",
        "#\r",
        ",",
        "\u{feff}",
        ".",
        "...",
        "-",
        "0",
        "9",
        "1.",
        "1e",
        "1e+",
        "1.1e+1",
        "-1",
        "null",
        "nul",
        "é",
        "\0",
        "\\",
    ];
    let starts = ["", "\"", "\"\"\"", "#", "{", "1", "a"];
    pieces
        .into_iter()
        .flat_map(move |piece| starts.map(|start| format!("{start}{}", piece.repeat(16_384 / piece.len()))))
}

#[test]
fn the_time_for_a_large_text_is_that_of_one_walk() {
    for text in large() {
        // The best of some, for a machine has other things to do.
        let time = |text: &str| {
            let start = Instant::now();
            let _ = measure(text);
            start.elapsed()
        };
        let best = (0..5).map(|_| time(&text)).min().unwrap();
        assert!(best < Duration::from_millis(10), "{best:?} for {:?}…", &text.chars().take(20).collect::<String>());
    }
}

#[test]
fn measuring_takes_no_memory_at_all() {
    for text in large() {
        let taken = allocation_counter::measure(|| {
            let _ = measure(&text);
        });
        assert_eq!(taken, AllocationInfo::default(), "{:?}", text.get(..20));
    }
    assert_ne!(allocation_counter::measure(|| drop(explain(Unfit::Tokens))), AllocationInfo::default());
}
