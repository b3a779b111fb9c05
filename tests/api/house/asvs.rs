//! Checks that every test and file that the security documents name exists. The check also runs on a sample with
//! errors. Whether a test proves a claim is up to code review.

use std::{collections::BTreeSet, fs};

use super::{
    assert_holds,
    source::{collect, root},
    text::missing_files,
};

/// Documents with tables that name tests, and the heading of the column with the names.
const DOCUMENTS: [(&str, &str); 3] = [
    ("docs/security/asvs.md", "tests"),
    ("docs/security/threat-model.md", "test"),
    ("docs/security/invariants.md", "test that fails"),
];

#[test]
fn documents_name_existing_tests() {
    let tests = tests();
    for (document, heading) in DOCUMENTS {
        let text = read(document);
        let cells = cells_under(&text, heading);
        assert!(!cells.is_empty(), "{document} has no tests under {heading:?}");
        assert_holds(
            cells.iter().flat_map(|cell| wrong_tests(cell, &tests)).map(|wrong| format!("{document}: {wrong}")),
        );
    }
    for (document, _) in DOCUMENTS {
        assert_holds(missing_files(document, &read(document)).into_iter());
    }

    let table = |cell: &str| format!("| Threat | Test |\n| --- | --- |\n| a | {cell} |\n");
    let wrong = |cell: &str| wrong_tests(cells_under(&table(cell), "Test")[0], &tests).len();
    assert_eq!(wrong("`documents_name_existing_tests`, none"), 0);
    assert_eq!(wrong("none"), 0);
    assert_eq!(wrong("`the_documents_name_tests_that_exits`"), 1);
    assert_eq!(wrong("`wrong_tests`"), 1, "a function that is not a test");
    assert_eq!(wrong("`tests/api/main.rs`"), 0);
    assert_eq!(wrong("`tests/api/mian.rs`"), 1);
    assert_eq!(wrong("`tests/api/main.rs` \"no such sentence\""), 1);
    assert_eq!(wrong("of course"), 1, "a cell that names nothing");
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Every text between a pair of this character.
fn quoted(cell: &str, mark: char) -> Vec<&str> {
    cell.split(mark).skip(1).step_by(2).collect()
}

fn is_path(name: &str) -> bool {
    name.contains('/') || [".md", ".rs", ".toml", ".lock", ".graphql"].iter().any(|end| name.ends_with(end))
}

/// Problems of a cell: names of tests or files that do not exist, and quoted sentences that none of its files contains.
fn wrong_tests(cell: &str, tests: &BTreeSet<String>) -> Vec<String> {
    let names = quoted(cell, '`');
    let mut wrong = Vec::new();
    if names.is_empty() && !cell.starts_with("none") {
        wrong.push(format!("names no test: {cell}"));
    }
    for name in &names {
        let exists = if is_path(name) { root().join(name).exists() } else { tests.contains(*name) };
        if !exists {
            wrong.push(format!("there is no test {name}"));
        }
    }
    let files: Vec<_> = names
        .iter()
        .filter(|name| is_path(name))
        .filter_map(|name| fs::read_to_string(root().join(name)).ok())
        .collect();
    let sentences = quoted(cell, '"').into_iter();
    let unsaid = sentences.filter(|sentence| !files.iter().any(|file| file.contains(sentence)));
    wrong.extend(unsaid.map(|sentence| format!("none of the files in the cell contains: {sentence}")));
    wrong
}

/// The cells of the column with this heading, from all tables that have the column.
fn cells_under<'a>(text: &'a str, heading: &str) -> Vec<&'a str> {
    let mut column = None;
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if !line.starts_with('|') {
            column = None;
        } else if lines.peek().is_some_and(|next| next.starts_with("| ---")) {
            column = cells.iter().position(|cell| *cell == heading);
        } else if !line.starts_with("| ---") {
            found.extend(column.and_then(|column| cells.get(column)).copied());
        }
    }
    found
}

/// The names of all Rust tests.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    for folder in ["src", "tests", "migration/src"] {
        collect(&root().join(folder), &mut files);
    }
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts.flat_map(|text| test_names(&text).into_iter().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The names of the test functions in a source text.
fn test_names(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(rest) = line.strip_prefix("async fn ").or_else(|| line.strip_prefix("fn ")) {
            names.extend(rest.split(['(', '<']).next().filter(|_| is_test));
            is_test = false;
        }
    }
    names
}
