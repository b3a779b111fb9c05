//! Texts to try the guard with: documents that any parser takes, the same with a piece taken out, doubled or turned,
//! and pieces in no order at all.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};

/// What is written without a blank between.
type Pieces = Vec<String>;

const NAMES: [&str; 12] =
    ["a", "me", "_", "__typename", "on1", "nullable", "trueish", "query", "fragment", "type", "x9", "falsetto"];
const VALUES: [&str; 22] = [
    "0",
    "-0",
    "12",
    "-1",
    "1.50",
    "0.0",
    "1e5",
    "-2.5E-07",
    "true",
    "false",
    "null",
    "RED",
    "$a",
    "\"\"",
    "\"{[(\"",
    "\"\\\"#\\\\\"",
    "\"\\u00e9 \u{1f511} \u{feff}\"",
    "\"\"\"\"\"\"",
    "\"\"\"a \"\" {[(\n\r\n# \\ \"\"\"",
    "\"\"\"\\\"\"\"{{\\\\ \"\"\"",
    "\"\"\"\u{1f511}\\\"\"\"\"\"\"",
    "\"\\/\\b\"",
];
const IGNORED: [&str; 10] =
    [" ", "\n", "\r\n", "\r", "\t", ",", "\u{feff}", "# {[(\"\n", "#\"\"\"\r", ", #\u{1f511}]})\r\n"];
/// What no grammar has in this place, and what is none of its pieces.
const STRAY: [&str; 22] = [
    "\"", "\"\"", "\"\"\"", "\\", "\\\"", "\\\"\"\"", "#", "\n", "\r", ".", "..", "...", "-", "+", "00", "1.", "1e",
    "\0", "é", "\u{feff}", "true", "null0",
];

fn word(words: &'static [&'static str]) -> BoxedStrategy<Pieces> {
    select(words).prop_map(|word| vec![word.to_owned()]).boxed()
}

fn in_brackets(open: &str, close: &str, inner: Vec<Pieces>) -> Pieces {
    let inner = inner.into_iter().flatten();
    std::iter::once(open.to_owned()).chain(inner).chain([close.to_owned()]).collect()
}

fn value() -> impl Strategy<Value = Pieces> {
    word(&VALUES).prop_recursive(6, 24, 4, |value| {
        let pairs = vec((select(&NAMES[..]), value.clone()), 0..4);
        prop_oneof![
            vec(value, 0..5).prop_map(|values| in_brackets("[", "]", values)),
            pairs.prop_map(|pairs| in_brackets("{", "}", pairs.into_iter().map(named).collect())),
        ]
    })
}

fn named((name, value): (&str, Pieces)) -> Pieces {
    [name, ":"].into_iter().map(str::to_owned).chain(value).collect()
}

fn arguments() -> impl Strategy<Value = Pieces> {
    let some = vec((select(&NAMES[..]), value()), 1..3);
    let none = Just(Vec::new());
    prop_oneof![
        3 => none,
        1 => some.prop_map(|pairs| in_brackets("(", ")", pairs.into_iter().map(named).collect())),
    ]
}

fn directives() -> impl Strategy<Value = Pieces> {
    let one = (select(&NAMES[..]), arguments())
        .prop_map(|(name, arguments)| ["@", name].into_iter().map(str::to_owned).chain(arguments).collect::<Pieces>());
    prop_oneof![4 => Just(Vec::new()), 1 => vec(one, 1..3).prop_map(|all| all.concat())]
}

fn selections() -> impl Strategy<Value = Pieces> {
    let field = (option::weighted(0.3, select(&NAMES[..])), select(&NAMES[..]), arguments(), directives());
    let field = field.prop_map(|(alias, name, arguments, directives)| {
        let alias = alias.map(|alias| [alias, ":"]).into_iter().flatten();
        let before = alias.chain([name]).map(str::to_owned);
        before.chain(arguments).chain(directives).collect::<Pieces>()
    });
    let field = field.boxed();
    let spread = (select(&["a", "on1", "nullable"][..]), directives())
        .prop_map(|(name, directives)| ["...", name].into_iter().map(str::to_owned).chain(directives).collect());
    let leaf = prop_oneof![4 => field.clone(), 1 => spread];
    let leaf = vec(leaf, 1..4).prop_map(|all| in_brackets("{", "}", all));
    leaf.prop_recursive(10, 32, 3, move |inner| {
        let inline = (option::of(Just("on User")), directives(), inner.clone()).prop_map(|(on, directives, inner)| {
            let before = std::iter::once("...").chain(on).map(str::to_owned);
            before.chain(directives).chain(inner).collect::<Pieces>()
        });
        let deep = (field.clone(), inner).prop_map(|(field, inner)| [field, inner].concat());
        vec(prop_oneof![deep, inline], 1..3).prop_map(|all| in_brackets("{", "}", all))
    })
}

fn variables() -> impl Strategy<Value = Pieces> {
    let kind = select(&["Int", "[ID!]!", "[[[String]!]]", "nullType"][..]);
    // A default may not have variables in it.
    let one = (select(&NAMES[..]), kind, option::of(select(&VALUES[13..]))).prop_map(|(name, kind, default)| {
        let default = default.map(|default| ["=", default]).into_iter().flatten();
        ["$", name, ":", kind].into_iter().chain(default).map(str::to_owned).collect::<Pieces>()
    });
    prop_oneof![Just(Vec::new()), vec(one, 1..3).prop_map(|all| in_brackets("(", ")", all))]
}

fn document() -> impl Strategy<Value = Pieces> {
    let operation = (select(&["query", "mutation", "subscription"][..]), variables(), directives(), selections());
    let operation = operation.prop_map(|(kind, variables, directives, set)| {
        let named = [kind, "A"].into_iter().map(str::to_owned);
        named.chain(variables).chain(directives).chain(set).collect::<Pieces>()
    });
    let fragments = vec((directives(), selections()), 0..3).prop_map(|all| {
        let definition = |(number, (directives, set)): (usize, (Pieces, Pieces))| {
            let head = ["fragment".to_owned(), format!("f{number}"), "on User".to_owned()];
            head.into_iter().chain(directives).chain(set).collect::<Pieces>()
        };
        all.into_iter().enumerate().flat_map(definition).collect::<Pieces>()
    });
    (prop_oneof![operation, selections()], fragments).prop_map(|(operation, fragments)| [operation, fragments].concat())
}

/// Writes pieces down with blanks, commas, comments and marks between them, and nothing where nothing is needed.
fn written(pieces: &[String], between: &[Index]) -> String {
    let mut text = String::new();
    for (number, piece) in pieces.iter().enumerate() {
        let choice = between[number % between.len()].index(2 * IGNORED.len());
        let joins = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '"' | '.' | '-');
        let needed = text.ends_with(joins) && piece.starts_with(joins);
        match IGNORED.get(choice) {
            Some(ignored) => text.push_str(ignored),
            None if needed => text.push(' '),
            None => {}
        }
        text.push_str(piece);
    }
    text
}

fn ignored() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 1..40)
}

/// A document that keeps the grammar.
pub(super) fn good() -> impl Strategy<Value = String> {
    (document(), ignored()).prop_map(|(pieces, between)| written(&pieces, &between))
}

/// A document after some accidents.
pub(super) fn broken() -> impl Strategy<Value = String> {
    let accident = (any::<Index>(), 0..5_u8, select(&STRAY[..]), any::<Index>());
    (document(), ignored(), vec(accident, 1..4)).prop_map(|(mut pieces, between, accidents)| {
        for (at, kind, stray, other) in accidents {
            let (at, other) = (at.index(pieces.len()), other.index(pieces.len()));
            match kind {
                0 if pieces.len() > 1 => drop(pieces.remove(at)),
                1 => pieces.insert(at, pieces[at].clone()),
                2 => pieces.insert(at, stray.to_owned()),
                3 => pieces.swap(at, other),
                // Inside a piece, such as a string.
                _ => {
                    let within = pieces[at].char_indices().nth(1).map_or(0, |(within, _)| within);
                    pieces[at].insert_str(within, stray);
                }
            }
        }
        written(&pieces, &between)
    })
}

/// Values in a list with nothing between them.
pub(super) fn glued() -> impl Strategy<Value = String> {
    let piece = prop_oneof![select(&VALUES[..]), select(&["00", "{}", "[]", "[[]]", "truetrue", "1.0", "null"][..])];
    vec(piece, 1..30).prop_map(|values| format!("{{a(b:[{}])}}", values.concat()))
}

/// Pieces in no order.
pub(super) fn soup() -> impl Strategy<Value = String> {
    let brackets = select(&["{", "}", "[", "]", "(", ")", "!", "@", "$", ":", "=", "|", "&"][..]);
    let piece = prop_oneof![2 => brackets, 1 => select(&VALUES[..]), 1 => select(&NAMES[..]), 1 => select(&IGNORED[..]), 1 => select(&STRAY[..])];
    vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Whole tokens and whole ignorable things, none of which opens or closes a bracket or leaves something open.
pub(super) fn flat() -> impl Strategy<Value = String> {
    const SIGNS: [&str; 4] = ["! ", "@a ", ": ", "... "];
    let piece = prop_oneof![select(&VALUES[..]), select(&NAMES[..]), select(&IGNORED[..]), select(&SIGNS[..])];
    vec(piece, 0..4).prop_map(|pieces| pieces.join(" "))
}
