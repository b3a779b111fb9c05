//! `docs/asvs.md` and `docs/threat-model.md`, held to the code: every requirement is there once, what is said to be met
//! names code and tests that exist, and the counts are the real ones. Each check is tried on a document that breaks it.
//! Whether a test shows what it is named for, no test can tell: that is for whoever reviews a change.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
};

use super::{
    assert_holds,
    source::{Source, collect, root, tokens},
    text::missing_files,
};

/// The requirements of OWASP ASVS 5.0.0 that concern us, by level.
const REQUIRED: [(&str, &str); 3] = [
    (
        "1",
        "1.2.1 1.2.2 1.2.4 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.4.1 3.4.2 3.5.2 3.5.3 4.1.1 6.1.1 6.3.1 6.3.2 6.4.1 6.4.2 \
         7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 11.4.1 12.1.1 12.2.1 \
         14.2.1 15.1.1 15.2.1 15.3.1",
    ),
    (
        "2",
        "1.3.3 1.3.7 1.3.11 1.4.2 1.5.2 2.1.3 2.3.2 2.3.3 2.3.4 2.4.1 3.4.3 3.4.4 3.4.5 3.4.6 4.1.2 4.1.3 4.2.1 4.3.1 \
         4.3.2 6.1.3 6.3.3 6.3.4 6.5.1 6.5.3 6.5.4 6.5.5 6.6.2 6.6.3 7.1.1 7.1.2 7.3.1 7.3.2 7.4.3 7.4.5 7.5.1 7.5.2 \
         8.1.2 8.2.3 9.2.2 9.2.3 9.2.4 11.1.1 11.1.2 11.2.1 11.2.3 11.5.1 11.6.1 12.3.1 12.3.2 13.2.1 13.2.2 13.2.3 \
         13.3.1 13.4.2 13.4.4 13.4.5 14.1.1 14.1.2 14.2.4 14.3.2 15.1.2 15.2.2 15.2.3 15.3.3 15.3.4 15.3.5 16.1.1 \
         16.2.1 16.2.2 16.2.5 16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.5.1 16.5.2 16.5.3",
    ),
    (
        "3",
        "1.3.12 1.5.3 2.4.2 3.4.8 3.6.1 4.1.4 4.2.2 4.2.3 4.2.4 6.3.5 6.3.6 6.3.7 6.3.8 7.5.3 8.3.2 11.2.4 11.2.5 \
         11.5.2 13.1.2 13.1.3 13.3.4 13.4.6 14.2.7 15.4.1 15.4.2 15.4.3 16.5.4",
    ),
];

/// How it stands with a requirement.
const STATES: [&str; 4] = ["met", "not needed", "deviation", "operator"];

/// A reason that is shorter is none.
const SHORTEST_REASON: usize = 40;

/// The columns of a requirement.
const COLUMNS: usize = 7;

/// A row of `docs/asvs.md`.
struct Row<'a> {
    number: &'a str,
    level: &'a str,
    state: &'a str,
    places: &'a str,
    tests: &'a str,
    remark: &'a str,
}

#[test]
fn the_page_about_asvs_has_every_requirement_once_with_code_and_tests_that_exist() {
    let text = read("docs/asvs.md");
    let there = There::new();
    assert_holds(wrong_page(&text, &there).into_iter());

    let breaks = |from: &str, to: &str| {
        assert!(text.contains(from), "the sample is not there: {from}");
        !wrong_page(&text.replacen(from, to, 1), &there).is_empty()
    };
    let row = |number: &str| {
        let start = format!("| {number} |");
        text.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("there is no row {number}"))
    };
    let met = row("9.1.1");
    assert!(breaks(met, ""), "a requirement that is not there");
    assert!(breaks(met, &format!("{met}\n{met}")), "a requirement that is there twice");
    assert!(breaks(met, &met.replacen("| 9.1.1 |", "| 9.1.9 |", 1)), "a requirement that nobody asked for");
    assert!(breaks(met, &met.replace("| 1 |", "| 2 |")), "a level that is not its own");
    assert!(breaks(met, &met.replace("| met |", "| probably |")), "a state that is none");
    assert!(breaks(met, &met.replace("`verify`", "`verifies`")), "a function that is not there");
    assert!(breaks(met, &met.replace("src/domain/token.rs", "src/domain/tokens.rs")), "a file that is not there");
    assert!(breaks(met, &met.replace("bit_flipped", "bit_flopped")), "a test that is not there");
    assert!(breaks(met, &met.replace("| met |", "| deviation |")), "a deviation without a reason, and wrong counts");
    let page = "\"a sign-in link is taken from the address bar";
    assert!(breaks(page, "\"a sign-in link is taken from the bar"), "a test of the pages that is not there");
    let counts = text.lines().find(|line| line.starts_with("| met | ")).unwrap();
    let number = counts.split(' ').nth(3).unwrap();
    assert!(breaks(counts, &counts.replacen(number, &format!("{number}0"), 1)), "a count that is not the real one");
}

#[test]
fn the_documents_name_tests_that_exist() {
    let there = There::new();
    for (document, least) in [("docs/threat-model.md", 40), ("ARCHITECTURE.md", 40)] {
        let text = read(document);
        let rows = rows_with_tests(&text);
        assert!(rows.len() >= least, "{document} has {} rows with tests", rows.len());
        assert_holds(
            rows.iter().flat_map(|cell| wrong_tests(cell, &there)).map(|wrong| format!("{document}: {wrong}")),
        );
    }
    for document in ["docs/asvs.md", "docs/threat-model.md", "SECURITY.md"] {
        assert_holds(missing_files(document, &read(document)).into_iter());
    }

    let table = |cell: &str| format!("| Threat | Test |\n| --- | --- |\n| a | {cell} |\n");
    let wrong = |cell: &str| wrong_tests(rows_with_tests(&table(cell))[0], &there).len();
    assert_eq!(wrong("`the_documents_name_tests_that_exist`, none"), 0);
    assert_eq!(wrong("none"), 0);
    assert_eq!(wrong("`the_documents_name_tests_that_exits`"), 1);
    assert_eq!(wrong("`wrong_tests`"), 1, "a function that is no test");
    assert_eq!(wrong("`tests/api/main.rs`"), 0);
    assert_eq!(wrong("`tests/api/mian.rs`"), 1);
    assert_eq!(wrong("`tests/api/main.rs` \"no such sentence\""), 1);
    assert_eq!(wrong("of course"), 1, "a cell that names nothing");
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// Everything that is wrong with the page.
fn wrong_page(text: &str, there: &There) -> Vec<String> {
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    let mut wrong: Vec<_> = rows.iter().flat_map(|row| wrong_row(row, there)).collect();
    let levels: BTreeMap<_, _> = REQUIRED
        .iter()
        .flat_map(|(level, numbers)| numbers.split_whitespace().map(move |number| (number, *level)))
        .collect();
    for (number, level) in &levels {
        let found: Vec<_> = rows.iter().filter(|row| row.number == *number).collect();
        match found[..] {
            [row] if row.level == *level => {}
            [row] => wrong.push(format!("{number}: is of level {level}, not {}", row.level)),
            _ => wrong.push(format!("{number}: is there {} times", found.len())),
        }
    }
    let foreign = rows.iter().filter(|row| !levels.contains_key(row.number));
    wrong.extend(foreign.map(|row| format!("{}: is in no list", row.number)));
    let of = |state: &str, level: &str| {
        let fits = |row: &&Row| (state == "all" || row.state == state) && (level == "all" || row.level == level);
        rows.iter().filter(fits).count()
    };
    for state in STATES.into_iter().chain(["all"]) {
        let counts = ["all", "1", "2", "3"].map(|level| of(state, level).to_string());
        let line = format!("| {state} | {} |", counts.join(" | "));
        if !text.lines().any(|found| found == line) {
            wrong.push(format!("the counts should say: {line}"));
        }
    }
    wrong
}

/// A row that begins with the number of a requirement.
fn row(line: &str) -> Option<Row<'_>> {
    let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").map(str::trim).collect();
    let is_number = |cell: &str| cell.split('.').count() == 3 && cell.split('.').all(|part| part.parse::<u8>().is_ok());
    if !is_number(cells.first()?) {
        return None;
    }
    let [number, level, _, state, places, tests, remark] = cells[..] else {
        panic!("{line}\nhas {} columns, of {COLUMNS}", cells.len());
    };
    Some(Row { number, level, state, places, tests, remark })
}

fn wrong_row(row: &Row, there: &There) -> Vec<String> {
    let mut wrong = wrong_places(row.places, there);
    if !STATES.contains(&row.state) {
        wrong.push(format!("`{}` is no state", row.state));
    }
    if row.state == "met" || row.tests != "none" {
        wrong.extend(wrong_tests(row.tests, there));
    }
    if row.state == "met" {
        if quoted(row.places, '`').is_empty() {
            wrong.push("is met nowhere".to_owned());
        }
        if row.tests == "none" {
            wrong.push("is shown by no test".to_owned());
        }
    } else if row.remark.chars().count() < SHORTEST_REASON {
        wrong.push(format!("is `{}` without a reason", row.state));
    }
    wrong.into_iter().map(|wrong| format!("{}: {wrong}", row.number)).collect()
}

/// What stands between two of these marks.
fn quoted(cell: &str, mark: char) -> Vec<&str> {
    cell.split(mark).skip(1).step_by(2).collect()
}

fn is_path(name: &str) -> bool {
    name.contains('/') || [".md", ".rs", ".toml", ".lock", ".graphql"].iter().any(|end| name.ends_with(end))
}

/// Paths, each followed by the names that must be in it.
fn wrong_places(cell: &str, there: &There) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut file = "no file";
    for name in quoted(cell, '`') {
        if is_path(name) {
            file = name;
            if !root().join(name).exists() {
                wrong.push(format!("{name} is not there"));
            }
        } else if !there.has(file, name) {
            wrong.push(format!("{file} has no {name}"));
        }
    }
    wrong
}

/// What there is to name. Files are read once, when somebody asks for them.
struct There {
    tests: BTreeSet<String>,
    names: RefCell<HashMap<String, BTreeSet<String>>>,
}

impl There {
    fn new() -> Self {
        let mut files = Vec::new();
        for folder in ["src", "tests", "migration/src"] {
            collect(&root().join(folder), &mut files);
        }
        let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
        let tests = texts.flat_map(|text| test_names(&text).into_iter().map(str::to_owned).collect::<Vec<_>>());
        Self { tests: tests.collect(), names: RefCell::default() }
    }

    /// Whether a file of Rust defines a name, a document has it as a heading, or any other file at least says it.
    fn has(&self, path: &str, name: &str) -> bool {
        let kind = path.rsplit_once('.').map_or("", |(_, kind)| kind);
        if !matches!(kind, "rs" | "md") {
            return fs::read_to_string(root().join(path)).is_ok_and(|text| text.contains(name));
        }
        let mut files = self.names.borrow_mut();
        let names = files.entry(path.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(root().join(path)).unwrap_or_default();
            if kind == "rs" { items(path, &text) } else { headings(&text) }
        });
        names.contains(name)
    }
}

fn items(path: &str, text: &str) -> BTreeSet<String> {
    const ITEMS: [&str; 7] = ["fn", "struct", "enum", "const", "trait", "mod", "macro_rules"];
    let source = Source::new(path, text);
    let tokens: Vec<_> = tokens(&source.code).into_iter().filter(|token| *token != "!").collect();
    let items = tokens.windows(2).filter(|pair| ITEMS.contains(&pair[0]));
    items.map(|pair| pair[1].to_owned()).collect()
}

fn headings(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
}

/// Tests by name, files that are tests as a whole, and sentences in them.
fn wrong_tests(cell: &str, there: &There) -> Vec<String> {
    let names = quoted(cell, '`');
    let mut wrong = Vec::new();
    if names.is_empty() && !cell.starts_with("none") {
        wrong.push(format!("names no test: {cell}"));
    }
    for name in &names {
        let exists = if is_path(name) { root().join(name).exists() } else { there.tests.contains(*name) };
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
    wrong.extend(unsaid.map(|sentence| format!("no file named beside it has: {sentence}")));
    wrong
}

/// The cells of every table under a heading that says they are tests.
fn rows_with_tests(text: &str) -> Vec<&str> {
    let mut column = None;
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if !line.starts_with('|') {
            column = None;
        } else if lines.peek().is_some_and(|next| next.starts_with("| ---")) {
            column = cells.iter().position(|cell| matches!(*cell, "Test" | "test that fails"));
        } else if !line.starts_with("| ---") {
            found.extend(column.and_then(|column| cells.get(column)).copied());
        }
    }
    found
}

/// The names of the functions that are tests.
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
