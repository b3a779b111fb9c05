//! Parses the permissions page, which defines all expected results.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

/// The columns of every table, one for each kind of caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    Anonymous,
    Guest,
    User,
    Manager,
    Admin,
}

impl Column {
    pub(super) const ALL: [Self; 5] = [Self::Anonymous, Self::Guest, Self::User, Self::Manager, Self::Admin];

    fn name(self) -> &'static str {
        ["anonymous", "GUEST", "USER", "MANAGER", "ADMIN"][self as usize]
    }
}

/// A word in a cell. The page defines these words under "Words".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Nobody,
    Null,
    Own,
    OwnActs,
    Token,
    Undeleted,
    All,
    ByType,
}

const WORDS: [(&str, Word); 8] = [
    ("—", Word::Nobody),
    ("null", Word::Null),
    ("own", Word::Own),
    ("own acts", Word::OwnActs),
    ("token", Word::Token),
    ("undeleted", Word::Undeleted),
    ("all", Word::All),
    ("by type", Word::ByType),
];

/// The target of a call: the caller, another user, or a deleted user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Own,
    Other,
    Deleted,
}

impl Side {
    pub(super) const ALL: [Self; 3] = [Self::Own, Self::Other, Self::Deleted];
}

/// What an API key needs for a field. The page defines this under "API keys".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Never,
    Nothing,
    Ignored,
    Scopes(Vec<String>),
    Account,
}

impl Key {
    fn read(cell: &str) -> Self {
        match cell {
            "—" => Self::Never,
            "any" => Self::Nothing,
            "ignored" => Self::Ignored,
            "account" => Self::Account,
            scopes => {
                let scopes: Vec<_> = scopes.split(", ").map(str::to_owned).collect();
                assert!(scopes.iter().all(|scope| SCOPES.contains(&scope.as_str())), "{scopes:?}");
                Self::Scopes(scopes)
            }
        }
    }
}

pub(super) const SCOPES: [&str; 4] = ["PROFILE_READ", "PEOPLE_READ", "PEOPLE_WRITE", "AUDIT_READ"];

#[derive(Debug)]
pub(super) struct Row {
    pub(super) key: Key,
    cells: Vec<Vec<Word>>,
    pub(super) recent: bool,
}

impl Row {
    pub(super) fn says(&self, column: Column, word: Word) -> bool {
        self.cells[column as usize].contains(&word)
    }

    /// Whether this kind of caller may read the field of that target.
    pub(super) fn allows(&self, column: Column, side: Side) -> bool {
        let any = |words: &[Word]| words.iter().any(|word| self.says(column, *word));
        match side {
            Side::Own => any(&[Word::Own, Word::OwnActs, Word::Undeleted, Word::All]),
            Side::Other => any(&[Word::Token, Word::Undeleted, Word::All]),
            Side::Deleted => any(&[Word::All]),
        }
    }

    /// Whether callers of this kind cannot see the field in their own trail if another user caused the event. In their
    /// own trail, managers see as much as other users.
    pub(super) fn is_veiled(&self, column: Column) -> bool {
        let sees_others = self.says(column, Word::Undeleted) || self.says(column, Word::All);
        self.says(if sees_others { Column::Guest } else { column }, Word::OwnActs)
    }
}

pub(super) struct Page {
    /// Rows by field name, such as `User.email`.
    pub(super) rows: BTreeMap<String, Row>,
    /// Object types that the page lists under "Types without a table".
    pub(super) untabled: BTreeSet<String>,
}

impl Page {
    pub(super) fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/integrate/permissions.md");
        Self::parse(&fs::read_to_string(path).unwrap())
    }

    pub(super) fn parse(text: &str) -> Self {
        let mut page = Self { rows: BTreeMap::new(), untabled: BTreeSet::new() };
        for section in text.split("\n## ").skip(1) {
            let (title, body) = section.split_once('\n').unwrap();
            match title {
                "Words" => check_words(body),
                "API keys" => {}
                "Types without a table" => page.untabled = quoted(body).map(str::to_owned).collect(),
                of => page.rows.extend(rows(of, body)),
            }
        }
        page
    }

    pub(super) fn row(&self, name: &str) -> &Row {
        self.rows.get(name).unwrap_or_else(|| panic!("docs/integrate/permissions.md has no row for {name}"))
    }
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The cells of each row of a table, without the header. Panics if the header differs from `head`.
fn table<'a>(body: &'a str, head: &[&str]) -> Vec<Vec<&'a str>> {
    let mut lines = body.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix('|'));
    let cells = |line: &'a str| line.split('|').map(str::trim).collect::<Vec<_>>();
    assert_eq!(lines.next().map(cells).as_deref(), Some(head));
    lines.skip(1).map(cells).inspect(|cells| assert_eq!(cells.len(), head.len(), "{cells:?}")).collect()
}

fn check_words(body: &str) {
    let words: Vec<_> = table(body, &["word", "who or what"]).into_iter().map(|cells| cells[0]).collect();
    assert_eq!(words, WORDS.map(|(name, _)| name));
}

fn rows(of: &str, body: &str) -> Vec<(String, Row)> {
    let is_root = ["Query", "Mutation", "Subscription"].contains(&of);
    let head = ["field"].into_iter().chain(Column::ALL.map(Column::name));
    let head: Vec<_> = head.chain(is_root.then_some("recent sign-in")).chain(["API key"]).collect();
    let word = |name: &str| {
        let known = WORDS.iter().find(|(word, _)| *word == name.trim());
        known.unwrap_or_else(|| panic!("{of}: {name:?} is not a defined word")).1
    };
    let row = |cells: Vec<&str>| {
        let field = quoted(cells[0]).next().unwrap();
        let key = Key::read(cells.last().unwrap());
        let recent = match cells[6..cells.len() - 1] {
            [] | [""] => false,
            ["needed"] => true,
            ref other => panic!("{of}.{field}: {other:?}"),
        };
        let cells = cells[1..6].iter().map(|cell| cell.split(',').map(word).collect()).collect();
        (format!("{of}.{field}"), Row { key, cells, recent })
    };
    let rows: Vec<_> = table(body, &head).into_iter().map(row).collect();
    let names: BTreeSet<_> = rows.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), rows.len(), "{of}: a field has two rows");
    rows
}
