//! Refuses unknown variables that start with `DOORCODE_`: they are probably typos, which would leave a default in
//! force. Looks at names only.

use super::{problems::Reader, table::rows};

/// Variables for the tests of this repository. The server does not read them.
const FOR_TESTS: [&str; 6] = [
    "DOORCODE_TEST_EMBEDDED_ONLY",
    "DOORCODE_TEST_REDIS_URL",
    "DOORCODE_TEST_REDIS_CLUSTER_URL",
    "DOORCODE_TEST_DATABASE_URL",
    "DOORCODE_TEST_STACK",
    "DOORCODE_TEST_KILLS",
];

/// A former setting. It has no prefix, so it is not refused as unknown.
const REMOVED: &str = "DATABASE_READ_URL";

pub(super) fn check(reader: &mut Reader, names: impl Iterator<Item = String>) {
    let known: Vec<_> = rows().into_iter().map(|row| row.variable.into_owned()).collect();
    let names: Vec<_> = names.collect();
    if names.iter().any(|name| name == REMOVED) {
        reader.warn(REMOVED, "is ignored", "Remove it: all reads go to DATABASE_URL");
    }
    let mut unknown: Vec<_> = names
        .into_iter()
        .filter(|name| has_our_prefix(name) && !known.contains(name))
        .filter(|name| !FOR_TESTS.contains(&name.as_str()) && !is_service_link(name))
        .collect();
    // The order of the environment varies between runs.
    unknown.sort();
    for name in unknown {
        let instead = suggestion(&name, &known);
        reader.refuse(&name.escape_debug().to_string(), "is not a setting", instead);
    }
}

/// Whether a name starts with `DOORCODE_`, ignoring case: `doorcode_mode` would be ignored just like a typo.
fn has_our_prefix(name: &str) -> bool {
    name.get(.."DOORCODE_".len()).is_some_and(|start| start.eq_ignore_ascii_case("DOORCODE_"))
}

/// Whether Kubernetes sets this variable for a service named `doorcode`.
fn is_service_link(name: &str) -> bool {
    matches!(name, "DOORCODE_PORT" | "DOORCODE_SERVICE_HOST")
        || name.starts_with("DOORCODE_PORT_")
        || name.starts_with("DOORCODE_SERVICE_PORT")
}

fn suggestion(name: &str, known: &[String]) -> String {
    let typed = name.to_ascii_uppercase();
    if typed.ends_with("_SERVICE_HOST") || typed.contains("_SERVICE_PORT") || typed.contains("_PORT_") {
        return "If Kubernetes sets it for another service, set `enableServiceLinks: false` for the pod".to_owned();
    }
    // Settings without a prefix, such as `DATABASE_URL`, are often written with one.
    let distance = |candidate: &str| edits(&typed, candidate).min(edits(&typed, &format!("DOORCODE_{candidate}")));
    let nearest = known.iter().map(|candidate| (distance(candidate), candidate)).min();
    match nearest {
        Some((edits, candidate)) if edits <= 4 && edits * 3 <= typed.len() - "DOORCODE_".len() => {
            format!("Did you mean {candidate}?")
        }
        _ => "Remove it; `doorcode serve --help` lists every setting".to_owned(),
    }
}

/// Whether a name is a setting with one typo: in another case, one edit apart, or with two letters swapped.
pub(super) fn is_meant(typed: &str, name: &str) -> bool {
    let typed = typed.to_ascii_uppercase();
    let sorted = |name: &str| {
        let mut letters: Vec<char> = name.chars().collect();
        letters.sort_unstable();
        letters
    };
    edits(&typed, name) <= 1 + usize::from(sorted(&typed) == sorted(name))
}

/// The Levenshtein distance of two names.
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
    fn a_typo_is_refused_with_a_suggestion() {
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
    fn an_unknown_name_without_a_match_is_refused_without_a_suggestion() {
        for name in ["DOORCODE_FROBNICATE", "DOORCODE_", "DOORCODE_X", "DOORCODE_TEST_ANYTHING_ELSE"] {
            let text = refused(&[name]);
            assert!(text.contains("--help") && !text.contains("Did you mean"), "{text}");
        }
    }

    #[test]
    fn variables_of_kubernetes_and_of_tests_are_ignored() {
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
    fn computes_the_edit_distance() {
        for (one, other, count) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("MODE", "MOED", 2)]
        {
            assert_eq!(edits(one, other), count, "{one} {other}");
        }
    }
}
