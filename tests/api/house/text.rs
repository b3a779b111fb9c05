//! The rules about plain text: how files begin, how long they are, which words none of them has, and that documents name
//! only what exists. Each is tried on a sample that breaks it.

use std::{fs, path::Path, process::Command};

use super::{
    assert_holds,
    source::{Source, root, sources, tokens, without_tests},
};

/// Lines of a file of the program; longer ones want to be two.
const LONGEST_FILE: usize = 450;

#[test]
fn every_file_says_first_what_it_is() {
    let all = sources(&["src", "migration/src", "tests"]);
    assert_holds(all.iter().filter_map(without_heading));
    assert!(without_heading(&Source::new("src/a.rs", "use std::fmt;\n//! Late.")).is_some());
    assert!(without_heading(&Source::new("src/a.rs", "//!\nuse std::fmt;")).is_some());
}

fn without_heading(source: &Source) -> Option<String> {
    let heading = source.text.lines().next().and_then(|line| line.strip_prefix("//! "));
    let says_something = heading.is_some_and(|heading| heading.split_whitespace().count() > 2);
    (!says_something).then(|| format!("{}: begins without a `//!` sentence", source.path))
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    assert_holds(sources(&["src", "migration/src"]).iter().filter_map(too_long));
    let long = "// line\n".repeat(LONGEST_FILE + 1);
    assert!(too_long(&Source::new("src/a.rs", &long)).is_some());
}

fn too_long(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    (lines > LONGEST_FILE).then(|| format!("{}: has {lines} lines, of {LONGEST_FILE}", source.path))
}

#[test]
fn the_program_neither_panics_nor_hushes_the_compiler() {
    let program = without_tests(sources(&["src", "migration/src"]));
    assert_holds(program.iter().flat_map(shortcuts));
    for bad in [
        "fn f() { a.unwrap(); }",
        "fn f() { a\n.expect(\"no\"); }",
        "#[expect(clippy::expect_used, reason = \"once\")] fn f() { a.expect(\"one\").expect(\"two\"); }",
        "fn f() { todo!() }",
        "fn f() { unimplemented!(); }",
        "fn f() { dbg!(1); }",
        "#[allow(dead_code)] fn f() {}",
        "#![allow (dead_code)]",
    ] {
        assert!(!shortcuts(&Source::new("src/a.rs", bad)).is_empty(), "{bad}");
    }
    let good = "#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }\n// .unwrap()\nconst A: &str = r#\"\"todo!\"#;";
    assert!(shortcuts(&Source::new("src/a.rs", good)).is_empty());
    let excused = "#[expect(clippy::expect_used, reason = \"a constant\")] fn f() { A.expect(\"it parses\"); }";
    assert!(shortcuts(&Source::new("src/a.rs", excused)).is_empty());
}

fn shortcuts(source: &Source) -> Vec<String> {
    const REFUSED: [&[&str]; 6] = [
        &[".", "unwrap", "("],
        &[".", "expect", "("],
        &["[", "allow", "("],
        &["todo", "!"],
        &["unimplemented", "!"],
        &["dbg", "!"],
    ];
    // What clippy was told about, with a reason, is allowed so often.
    const EXCUSE: [&str; 6] = ["[", "expect", "(", "clippy", "::", "expect_used"];
    let tokens = tokens(&source.code);
    let count = |wanted: &[&str]| tokens.windows(wanted.len()).filter(|seen| *seen == wanted).count();
    let excuses = |refused: &[&str]| if refused[1] == "expect" { count(&EXCUSE) } else { 0 };
    let refused = REFUSED.iter().filter(|refused| count(refused) > excuses(refused));
    refused.map(|refused| format!("{}: has {}", source.path, refused.concat())).collect()
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let listed = Command::new("git")
        .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    let files = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<_> = files.split('\0').filter(|file| !file.is_empty()).collect();
    assert!(files.contains(&"Cargo.toml"));
    let mut broken = Vec::new();
    for file in files {
        // What is not text, or was removed a moment ago, names nothing.
        if let Ok(text) = fs::read_to_string(root().join(file)) {
            broken.extend(private_names(file, &text));
        }
    }
    assert_holds(broken.into_iter());
    assert!(!private_names("a.md", concat!("see /ho", "me/somebody/doorcode")).is_empty());
    assert!(!private_names("a.md", concat!("https://static.crates", ".io/x")).is_empty());
    assert!(private_names("a.rs", "let home = env(\"HOME\"); a/b/work/c").is_empty());
}

fn private_names(file: &str, text: &str) -> Vec<String> {
    // In pieces, for this file is read too.
    let folders = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/wo", "rk/")];
    let hosts = [
        concat!("crates", ".io"),
        concat!("npmjs", ".org"),
        concat!("pypi", ".org"),
        concat!("pythonhosted", ".org"),
        concat!("deb.debian", ".org"),
    ];
    let begins_a_path = |at: usize| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/' | '}' | '$' | '*'))
    };
    let folder = folders.into_iter().filter(|folder| text.match_indices(folder).any(|(at, _)| begins_a_path(at)));
    // Cargo writes its index into lock files, and nobody can help it.
    let host = hosts.into_iter().filter(|host| !file.ends_with("Cargo.lock") && text.contains(host));
    folder.chain(host).map(|name| format!("{file}: names {name}")).collect()
}

#[test]
fn the_documents_name_files_that_exist() {
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        assert_holds(missing_files(document, &text).into_iter());
    }
    assert_eq!(missing_files("a.md", "in `src/nowhere.rs` and `nowhere/`, see [it](NOWHERE.md#top)").len(), 3);
    assert!(
        missing_files("a.md", "in `src/lib.rs`, `domain/`, `cargo run`, [it](README.md), [x](https://a.example/b.md)")
            .is_empty()
    );
    assert!(missing_files("a.md", "```\n`src/nowhere.rs`\n```").is_empty());
}

/// Files and folders in backticks, and the targets of links. A path may begin at the root or in `src`.
pub(super) fn missing_files(document: &str, text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let quoted = prose.split('`').skip(1).step_by(2);
    let quoted = quoted.filter(|name| {
        let ends = [".rs", ".md", ".sh", ".toml", ".mjs", "/"];
        ends.iter().any(|end| name.ends_with(end))
            && !name.starts_with('/')
            && !name.contains([' ', '*', '<', '{', '…', ':'])
    });
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = links.filter(|target| !target.is_empty() && !target.contains(':'));
    let exists = |name: &&str| ["", "src"].iter().any(|base| root().join(base).join(Path::new(name)).exists());
    let missing = quoted.chain(links).filter(|name| !exists(name));
    missing.map(|name| format!("{document}: names {name}, which is not there")).collect()
}
