//! Variables that begin with `DOORCODE_` and mean nothing: typing mistakes, which would otherwise leave a default in
//! force that somebody believes to have changed. Names are shown, values never looked at.

use super::{problems::Reader, table::rows};

/// What the tests of this repository are told; the server itself does not read them.
const FOR_TESTS: [&str; 6] = [
    "DOORCODE_TEST_EMBEDDED_ONLY",
    "DOORCODE_TEST_REDIS_URL",
    "DOORCODE_TEST_REDIS_CLUSTER_URL",
    "DOORCODE_TEST_DATABASE_URL",
    "DOORCODE_TEST_STACK",
    "DOORCODE_TEST_KILLS",
];

/// Named a standby for lists once. A name without our prefix is not refused, so it is mentioned.
const REMOVED: &str = "DATABASE_READ_URL";

/// Refuses every name that only looks like a setting, with the one that was probably meant.
pub(super) fn check(reader: &mut Reader, names: impl Iterator<Item = String>) {
    let known: Vec<_> = rows().into_iter().map(|row| row.variable.into_owned()).collect();
    let names: Vec<_> = names.collect();
    if names.iter().any(|name| name == REMOVED) {
        reader.warn(REMOVED, "is ignored", "Remove it: all reads go to DATABASE_URL");
    }
    let mut strangers: Vec<_> = names
        .into_iter()
        .filter(|name| has_our_prefix(name) && !known.contains(name))
        .filter(|name| !FOR_TESTS.contains(&name.as_str()) && !is_service_link(name))
        .collect();
    // The environment has no order of its own, and a list that changes from run to run is hard to read.
    strangers.sort();
    for name in strangers {
        let instead = suggestion(&name, &known);
        reader.refuse(&name.escape_debug().to_string(), "is not a setting", instead);
    }
}

/// `DOORCODE_`, in any case: a variable in lower case would be overlooked just the same.
fn has_our_prefix(name: &str) -> bool {
    name.get(.."DOORCODE_".len()).is_some_and(|start| start.eq_ignore_ascii_case("DOORCODE_"))
}

/// What Kubernetes puts into every container next to a service named `doorcode`.
fn is_service_link(name: &str) -> bool {
    matches!(name, "DOORCODE_PORT" | "DOORCODE_SERVICE_HOST")
        || name.starts_with("DOORCODE_PORT_")
        || name.starts_with("DOORCODE_SERVICE_PORT")
}

/// What to do about a name: correct it, or drop it.
fn suggestion(name: &str, known: &[String]) -> String {
    let typed = name.to_ascii_uppercase();
    if typed.ends_with("_SERVICE_HOST") || typed.contains("_SERVICE_PORT") || typed.contains("_PORT_") {
        return "If Kubernetes put it there for another service, set `enableServiceLinks: false` for the pod"
            .to_owned();
    }
    // `DATABASE_URL` and its like have no prefix, and giving them one is the likeliest mistake.
    let distance = |candidate: &str| edits(&typed, candidate).min(edits(&typed, &format!("DOORCODE_{candidate}")));
    let nearest = known.iter().map(|candidate| (distance(candidate), candidate)).min();
    match nearest {
        Some((edits, candidate)) if edits <= 4 && edits * 3 <= typed.len() - "DOORCODE_".len() => {
            format!("Did you mean {candidate}?")
        }
        _ => "Remove it; `doorcode serve --help` lists every setting".to_owned(),
    }
}

/// Whether a name is one of ours in another case, with one mistake in it, or with two letters in each other's place.
pub(super) fn is_meant(typed: &str, name: &str) -> bool {
    let typed = typed.to_ascii_uppercase();
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    edits(&typed, name) <= 1 + usize::from(sorted(&typed) == sorted(name))
}

/// How many letters to add, drop or change to make one name of the other (Levenshtein), row by row.
fn edits(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, candidate) in other.iter().enumerate() {
            let change = diagonal + usize::from(letter != *candidate);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(names: &[&str]) -> String {
        let mut reader = Reader::default();
        check(&mut reader, names.iter().map(|name| (*name).to_owned()));
        reader.finish().err().map(|problems| problems.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_typing_mistake_is_refused_with_what_was_meant() {
        for (typed, meant) in [
            ("DOORCODE_MOD", "DOORCODE_MODE"),
            ("DOORCODE_SECRETS", "DOORCODE_SECRET"),
            ("DOORCODE_PUBLIC_URI", "DOORCODE_PUBLIC_URL"),
            ("DOORCODE_PUBLICURL", "DOORCODE_PUBLIC_URL"),
            ("DOORCODE_LIMIT_SEND_PAIRS", "DOORCODE_LIMIT_SEND_PAIR"),
            ("DOORCODE_GRAPHQL", "DOORCODE_GRAPHIQL"),
            ("DOORCODE_DATABASE_URL", "DATABASE_URL"),
            ("DOORCODE_SMTP_URL", "SMTP_URL"),
            ("DOORCODE_REDIS_URL", "REDIS_URL"),
            ("doorcode_mode", "DOORCODE_MODE"),
            ("DOORCODE_TEST_CODE", "DOORCODE_TEST_CODES"),
        ] {
            let text = refused(&[typed]);
            assert!(text.contains(typed) && text.contains(&format!("Did you mean {meant}?")), "{text}");
        }
    }

    #[test]
    fn a_name_like_no_other_is_refused_without_a_guess() {
        for name in ["DOORCODE_FROBNICATE", "DOORCODE_", "DOORCODE_X", "DOORCODE_TEST_ANYTHING_ELSE"] {
            let text = refused(&[name]);
            assert!(text.contains("--help") && !text.contains("Did you mean"), "{text}");
        }
    }

    #[test]
    fn what_kubernetes_and_our_tests_set_is_ignored() {
        let names = [
            "DOORCODE_PORT",
            "DOORCODE_PORT_4000_TCP",
            "DOORCODE_PORT_4000_TCP_ADDR",
            "DOORCODE_SERVICE_HOST",
            "DOORCODE_SERVICE_PORT",
            "DOORCODE_SERVICE_PORT_HTTP",
            "PATH",
            "MODE",
            "ü",
        ];
        assert_eq!(refused(&names), "");
        assert_eq!(refused(&FOR_TESTS), "");
        assert!(refused(&["DOORCODE_OPS_SERVICE_HOST"]).contains("enableServiceLinks"));
        assert!(refused(&["DOORCODE_SERVICE"]).contains("not a setting"));
    }

    #[test]
    fn every_documented_variable_is_known() {
        let variables: Vec<_> = rows().into_iter().map(|row| row.variable.into_owned()).collect();
        assert_eq!(refused(&variables.iter().map(String::as_str).collect::<Vec<_>>()), "");
    }

    #[test]
    fn edits_are_counted_one_by_one() {
        for (one, other, count) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("MODE", "MOED", 2)]
        {
            assert_eq!(edits(one, other), count, "{one} {other}");
        }
    }
}
