//! A minimal Rust parser for the architecture rules. Separates code from comments, literals and tests, and finds every
//! path that the code names.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One Rust file. `text`, `code` and `strings` have equal length, so that a position is valid in all of them.
pub(super) struct Source {
    /// Relative to the root of the repository.
    pub(super) path: String,
    /// The unchanged text of the file.
    pub(super) text: String,
    /// The code, with spaces instead of comments, literals and `#[cfg(test)]` items.
    pub(super) code: String,
    /// The string literals, with spaces instead of everything else and of tests.
    pub(super) strings: String,
    /// Path prefixes of test-only modules that this file declares and other files define.
    test_modules: Vec<String>,
}

impl Source {
    pub(super) fn new(path: &str, text: &str) -> Self {
        let (mut code, mut strings) = separate(text);
        let mut test_modules = Vec::new();
        for (from, to) in test_items(&code) {
            test_modules.extend(module_files(path, &code[from..to], &text[from..to]));
            blank(&mut code, from, to);
            blank(&mut strings, from, to);
        }
        Self { path: path.to_owned(), text: text.to_owned(), code, strings, test_modules }
    }

    /// Every path that the code names. Paths in this crate are absolute (`crate::…`).
    pub(super) fn paths(&self) -> Vec<Vec<String>> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            let before = at.checked_sub(1).map_or("", |before| tokens[before]);
            // `use<…>` in a type captures lifetimes and imports nothing.
            if tokens[at] == "use" && before != "." && tokens.get(at + 1) != Some(&"<") {
                at = tree(&tokens, at + 1, &[], &mut found);
            } else if is_name(tokens[at]) {
                let start = at;
                while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| is_name(next)) {
                    at += 2;
                }
                if at > start {
                    let names = tokens[start..=at].iter().filter(|token| **token != "::");
                    found.push(names.map(|name| (*name).to_owned()).collect());
                }
                at += 1;
            } else {
                at += 1;
            }
        }
        found.into_iter().map(|path| self.resolve(path)).collect()
    }

    /// Resolves a path that starts with `self`, `super` or the name of the library to `crate::…`.
    fn resolve(&self, mut path: Vec<String>) -> Vec<String> {
        let mut module = self.module();
        match path[0].as_str() {
            "doorcode" => "crate".clone_into(&mut path[0]),
            "self" | "super" => {
                while path.first().is_some_and(|name| name == "self" || name == "super") {
                    if path.remove(0) == "super" && module.len() > 1 {
                        module.pop();
                    }
                }
                path.splice(0..0, module);
            }
            _ => {}
        }
        path
    }

    /// The module path of the file.
    pub(super) fn module(&self) -> Vec<String> {
        let inner = self.path.split_once("src/").map_or("", |(_, inner)| inner);
        let names = inner.trim_end_matches(".rs").split('/');
        let names = names.filter(|name| !matches!(*name, "" | "mod" | "lib" | "main"));
        std::iter::once("crate").chain(names).map(str::to_owned).collect()
    }

    /// The top-level module of the file.
    pub(super) fn layer(&self) -> String {
        self.module().get(1).cloned().unwrap_or_default()
    }
}

/// All Rust files below these folders, by path.
pub(super) fn sources(folders: &[&str]) -> Vec<Source> {
    let mut files = Vec::new();
    for folder in folders {
        collect(&root().join(folder), &mut files);
    }
    files.sort();
    assert!(!files.is_empty(), "no source files in {folders:?}");
    files
        .iter()
        .map(|file| {
            let path = file.strip_prefix(root()).unwrap().to_str().unwrap();
            Source::new(path, &fs::read_to_string(file).unwrap())
        })
        .collect()
}

/// Removes the files that exist only in tests.
pub(super) fn without_tests(sources: Vec<Source>) -> Vec<Source> {
    let tests: Vec<_> = sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    let is_test = |path: &str| tests.iter().any(|test| path.starts_with(test));
    sources.into_iter().filter(|source| !is_test(&source.path)).collect()
}

pub(super) fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("node_modules") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn blank(text: &mut String, from: usize, to: usize) {
    let blanks: String = text[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
    text.replace_range(from..to, &blanks);
}

/// Returns the code and the string literals. In each text, all other bytes are replaced by spaces.
fn separate(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let blanks = || bytes.iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }).collect::<Vec<u8>>();
    let (mut code, mut strings) = (blanks(), blanks());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let word_goes_on = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let end = if rest.starts_with("//") {
            rest.find('\n').map_or(bytes.len(), |length| at + length)
        } else if rest.starts_with("/*") {
            at + block_comment(rest)
        } else if let Some(length) = string(rest, word_goes_on) {
            strings[at..at + length].copy_from_slice(&bytes[at..at + length]);
            at + length
        } else if let Some(length) = character(rest) {
            at + length
        } else {
            // All names in this repository are ASCII, so other characters can be left out.
            if bytes[at].is_ascii() {
                code[at] = bytes[at];
            }
            at + rest.chars().next().map_or(1, char::len_utf8)
        };
        at = end;
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(strings).unwrap())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        if here.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            at += 2;
        } else {
            at += 1;
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// The length of the string literal at the start of the text, with its prefix. `None` if the text starts with something
/// else.
fn string(rest: &str, word_goes_on: bool) -> Option<usize> {
    let prefix = ["br", "cr", "b", "c", "r", ""].into_iter().find(|prefix| {
        let after = rest.strip_prefix(prefix);
        after.is_some_and(|after| {
            after.trim_start_matches('#').starts_with('"') && (prefix.ends_with('r') || !after.starts_with('#'))
        })
    })?;
    if word_goes_on && !prefix.is_empty() {
        return None;
    }
    let body = &rest[prefix.len()..];
    let hashes = body.len() - body.trim_start_matches('#').len();
    if prefix.ends_with('r') {
        let inner = body[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(inner.find(&close).map_or(rest.len(), |length| prefix.len() + hashes + 1 + length + close.len()));
    }
    let inner = body.strip_prefix('"')?;
    let mut escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(prefix.len() + 1 + at + 1),
            _ => {}
        }
    }
    Some(rest.len())
}

/// The length of the character literal at the start of the text. `None` for a lifetime (`'a` without a second quote).
fn character(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('\'')?;
    if let Some(escape) = inner.strip_prefix('\\') {
        return escape[1..].find('\'').map(|length| length + 4);
    }
    let c = inner.chars().next()?;
    inner[c.len_utf8()..].starts_with('\'').then(|| c.len_utf8() + 2)
}

/// Start and end of each item under `#[cfg(test)]`.
fn test_items(code: &str) -> Vec<(usize, usize)> {
    const MARK: &str = "#[cfg(test)]";
    let mut items = Vec::new();
    let mut from = 0;
    while let Some(found) = code[from..].find(MARK) {
        let start = from + found;
        let mut depth = 0_i32;
        let mut end = code.len();
        for (at, c) in code[start + MARK.len()..].char_indices() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 && matches!(c, '}' | ';') {
                end = start + MARK.len() + at + 1;
                break;
            }
        }
        items.push((start, end));
        from = end;
    }
    items
}

/// The path prefixes of a module that the file declares and other files define.
fn module_files(path: &str, code: &str, text: &str) -> Vec<String> {
    let tokens = tokens(code);
    let [.., "mod", name, ";"] = tokens[..] else {
        return Vec::new();
    };
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    if let Some((_, given)) = text.split_once("#[path = \"") {
        return vec![format!("{folder}/{}", given.split('"').next().unwrap_or_default())];
    }
    let stem = file.trim_end_matches(".rs");
    let folder = match stem {
        "mod" | "lib" | "main" => folder.to_owned(),
        _ => format!("{folder}/{stem}"),
    };
    vec![format!("{folder}/{name}.rs"), format!("{folder}/{name}/")]
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Splits code into names, `::` and single characters.
pub(super) fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let length = match name {
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            length => length,
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Parses one tree of a `use` declaration, starting at this token. Adds its paths to `found`, and returns the index of
/// the token after the tree. An alias is added to its path as an extra segment, `as …`.
fn tree(tokens: &[&str], mut at: usize, before: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let mut path = before.to_vec();
    while let Some(token) = tokens.get(at) {
        at += 1;
        match *token {
            "::" => {}
            "{" => {
                while tokens.get(at).is_some_and(|next| *next != "}") {
                    at = tree(tokens, at, &path, found);
                    if tokens.get(at) == Some(&",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "as" => {
                path.push(format!("as {}", tokens.get(at).unwrap_or(&"_")));
                at += 1;
            }
            // `a::{self}` is the path `a`.
            "self" if path.len() > before.len() || !before.is_empty() => {}
            "}" | "," | ";" => {
                at -= 1;
                break;
            }
            name => path.push(name.to_owned()),
        }
    }
    if !path.is_empty() {
        found.push(path);
    }
    at
}
