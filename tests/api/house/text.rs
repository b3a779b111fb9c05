//! Rules for the text of all files: no file may name a private folder or a package registry, and documents may only
//! name existing files. Each check also runs on a sample with errors.

use std::{fs, path::Path, process::Command};

use super::{assert_holds, source::root};

#[test]
fn no_file_names_a_private_folder_or_registry() {
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
        // Skip binary files, and files that no longer exist.
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
    // Written in two parts, because this file is checked, too.
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
    // Cargo writes the address of its index into lock files.
    let host = hosts.into_iter().filter(|host| !file.ends_with("Cargo.lock") && text.contains(host));
    folder.chain(host).map(|name| format!("{file}: names {name}")).collect()
}

#[test]
fn documents_name_existing_files() {
    let mut documents =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(str::to_owned).to_vec();
    for folder in ["docs/integrate", "docs/build-on", "docs/security"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        documents.extend(entries.map(|entry| format!("{folder}/{}", entry.unwrap().file_name().to_str().unwrap())));
    }
    for document in documents {
        let text = fs::read_to_string(root().join(&document)).unwrap_or_else(|error| panic!("{document}: {error}"));
        assert_holds(missing_files(&document, &text).into_iter());
    }
    assert_eq!(missing_files("a.md", "in `src/nowhere.rs` and `nowhere/`, see [it](NOWHERE.md#top)").len(), 3);
    assert!(
        missing_files("a.md", "in `src/lib.rs`, `domain/`, `cargo run`, [it](README.md), [x](https://a.example/b.md)")
            .is_empty()
    );
    assert!(missing_files("a.md", "```\n`src/nowhere.rs`\n```").is_empty());
    assert_eq!(missing_files("docs/integrate/b.md", "[it](../../README.md), [it](README.md)").len(), 1);
}

/// Finds names of missing files: files and folders in backticks, and targets of links. A path in backticks is relative
/// to the root or to `src`. A link is relative to the document.
pub(super) fn missing_files(document: &str, text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let quoted = prose.split('`').skip(1).step_by(2);
    let quoted = quoted.filter(|name| {
        let ends = [".rs", ".md", ".sh", ".toml", ".mjs", "/"];
        ends.iter().any(|end| name.ends_with(end))
            && !name.starts_with('/')
            && !name.contains([' ', '*', '<', '{', '…', ':'])
    });
    let quoted = quoted.filter(|name| !["", "src"].iter().any(|base| root().join(base).join(name).exists()));
    let folder = root().join(document).parent().map(Path::to_path_buf).unwrap_or_default();
    let links = prose.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let links = links.filter(|target| !target.is_empty() && !target.contains(':') && !folder.join(target).exists());
    quoted.chain(links).map(|name| format!("{document}: names {name}, which does not exist")).collect()
}
