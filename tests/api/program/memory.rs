//! Secrets in the memory of a running program, and core dumps.

use std::{
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
};

use super::{Home, Program};

const SECRET: &str = "hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU";

/// The number of copies of a text in the program's writable memory. `None` if the memory cannot be read, because the
/// program protects its memory and the test does not run as root.
fn copies(program: &Program, text: &str) -> Option<usize> {
    let folder = format!("/proc/{}", program.child.id());
    let maps = fs::read_to_string(format!("{folder}/maps")).ok()?;
    let mut memory = File::open(format!("{folder}/mem")).ok()?;
    let mut found = 0;
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let [from, to] = [from, to].map(|place| u64::from_str_radix(place, 16).unwrap());
        let mut bytes = Vec::new();
        memory.seek(SeekFrom::Start(from)).unwrap();
        // The program may have unmapped the region in the meantime.
        drop((&mut memory).take(to - from).read_to_end(&mut bytes));
        let first = text.as_bytes()[0];
        let starts = (0..bytes.len()).filter(|at| bytes[*at] == first);
        found += starts.filter(|at| bytes[*at..].starts_with(text.as_bytes())).count();
    }
    Some(found)
}

/// Starts a program and signs in, so that the program has used its secret.
async fn used(home: &Home) -> Program {
    let program = home.start().await;
    let challenge = program.login("ada@example.com").await.unwrap();
    let code = program.code_for("ada@example.com").await.unwrap();
    assert_eq!(program.verify(&challenge, &code).await.unwrap()["__typename"], "SignedIn");
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_settings_keep_the_server_secret_in_memory() {
    let home = Home::new().await;
    let program = used(&home).await;
    let secret = fs::read_to_string(home.folder.path().join("data/secret")).unwrap();
    let Some(found) = copies(&program, secret.trim()) else {
        return;
    };
    assert_eq!(found, 1);
    assert!(copies(&program, "ada@example.com").unwrap() > 0, "the search finds data in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_from_the_environment_has_one_more_copy_in_memory() {
    let home = Home::new().await;
    fs::write(home.folder.path().join(".env"), format!("DOORCODE_SECRET={SECRET}\n")).unwrap();
    let program = used(&home).await;
    // One copy is in the settings. The other is in the environment, which cannot be erased safely while threads run.
    assert!(copies(&program, SECRET).is_none_or(|found| found <= 2), "{:?}", copies(&program, SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_writes_no_core_dump() {
    let home = Home::new().await;
    let program = home.start().await;
    let limits = fs::read_to_string(format!("/proc/{}/limits", program.child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
}
