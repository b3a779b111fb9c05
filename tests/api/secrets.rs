//! Checks that the source code compares secrets and hashes of secrets in constant time. `canary` tests leaks in logs
//! and tables, and `program/memory` the memory of a running program.

mod rotation;

use std::fs;

/// Table columns that contain hashes of secrets. Their type must be `Digest`, which only compares in constant time.
const COLUMNS: [&str; 9] = [
    "token_hash",
    "key_hash",
    "refresh_hash",
    "previous_hash",
    "handle_hash",
    "code_hash",
    "earlier_hash",
    "address_key",
    "budget_key",
];

/// The only files that may compare the bytes of a digest: ours, and those of other systems, whose lengths differ.
const COMPARES: [&str; 2] = ["src/db/digest.rs", "src/domain/credential/password/scheme/text.rs"];

fn files(folder: &str) -> Vec<(String, String)> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // Tests are at the end of a file.
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap().to_owned();
                found.push((path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), code));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// Lines that compare the bytes of a `Digest` or a secret.
fn compares_bytes(code: &str) -> Vec<&str> {
    let compares = |line: &str| {
        ["==", "!=", ".eq(", ".ne(", ".cmp(", "starts_with", "ends_with", "contains("]
            .iter()
            .any(|sign| line.contains(sign))
    };
    // Query values are allowed: the database compares them through an index, which is not constant-time in any case.
    let hides = |line: &str| {
        line.contains("expose_secret()")
            || line.contains(".as_bytes()") && COLUMNS.iter().any(|column| line.contains(column))
    };
    code.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .filter(|line| compares(line) && hides(line) || line.contains("verify_slices_are_equal"))
        .collect()
}

#[test]
fn secrets_are_only_compared_through_their_types() {
    for (path, code) in files("src") {
        if !COMPARES.contains(&path.as_str()) && !path.ends_with("_tests.rs") && !path.contains("/tests") {
            assert_eq!(compares_bytes(&code), [""; 0], "{path} compares a secret by bytes: use its type's comparison");
        }
    }
    for broken in [
        "if code.expose_secret() == typed {",
        "let ok = row.code_hash.as_bytes() == own.as_bytes();",
        "secrets.iter().any(|secret| secret.expose_secret().starts_with(prefix))",
        "constant_time::verify_slices_are_equal(a, b)",
    ] {
        assert_eq!(compares_bytes(broken).len(), 1, "{broken}");
    }
    assert!(compares_bytes("// code.expose_secret() == typed\nhash(code.expose_secret());").is_empty());
}

#[test]
fn every_stored_hash_has_the_constant_time_type() {
    let mut entities = String::new();
    for file in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/db/entity")).unwrap() {
        entities += &fs::read_to_string(file.unwrap().path()).unwrap();
    }
    let mut seen = Vec::new();
    for line in entities.lines().map(str::trim) {
        let Some((name, kind)) = line.strip_prefix("pub ").and_then(|line| line.trim_end_matches(',').split_once(": "))
        else {
            continue;
        };
        let is_hash = name.ends_with("_hash") || matches!(name, "address_key" | "budget_key" | "challenge");
        assert_eq!(is_hash, ["Digest", "Option<Digest>"].contains(&kind), "{name}: {kind}");
        if is_hash {
            seen.push(name);
        }
    }
    for column in COLUMNS {
        assert!(seen.contains(&column), "no table has the column {column}");
    }
}
