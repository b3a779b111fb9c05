//! `doorcode breached build`, and a server with its file. `tests/breached-at-scale` sets the number of hashes in
//! `DOORCODE_TEST_HASHES` and then gets figures.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use doorcode::domain::credential::password::policy::{Password, breached::BreachedPasswords};

use super::{Home, text};
use crate::passwords::breached::sha1;

/// Writes a list of the numbers below `count`, in the order of these and so of no hash.
fn write_list(file: &Path, count: u64) {
    let mut list = std::io::BufWriter::new(File::create(file).unwrap());
    for number in 0..count {
        writeln!(list, "{}:{}\r", sha1(&number.to_string()), number + 1).unwrap();
    }
    list.flush().unwrap();
}

fn has(list: &BreachedPasswords, number: u64) -> bool {
    list.contains(&Password::new(&number.to_string())).unwrap()
}

/// Waits for the end of a process, and returns the most memory that it had, in MiB.
pub(super) fn peak_memory(child: &mut Child) -> u64 {
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = kilobytes.unwrap_or(0).max(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    peak / 1024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_list_has_every_hash_in_little_memory_and_one_other_in_65_536() {
    let scale: Option<u64> = std::env::var("DOORCODE_TEST_HASHES").ok().map(|hashes| hashes.parse().unwrap());
    let count = scale.unwrap_or(100_000);
    let home = Home::new().await;
    let [file, out] = ["list.txt", "breached.filter"].map(|name| home.folder.path().join(name));
    write_list(&file, count);
    let start = Instant::now();
    let mut command = home.command();
    command.args(["breached", "build", "list.txt", "breached.filter"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (memory, taken) = (peak_memory(&mut child), start.elapsed());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "", "no bar without a terminal");
    assert!(text(&output.stdout).contains(&format!("breached.filter: {count} hashes")), "{}", text(&output.stdout));
    let bytes = fs::metadata(&out).unwrap().len();
    let list = BreachedPasswords::open(&out).unwrap();
    let start = Instant::now();
    assert_eq!((0..count).filter(|number| !has(&list, *number)).count(), 0, "no hash is missing");
    let each = start.elapsed() / u32::try_from(count).unwrap();
    let others = if scale.is_some() { 1_000_000 } else { 50_000 };
    let mistakes = (count..count + others).filter(|number| has(&list, *number)).count();
    if scale.is_some() {
        let size = fs::metadata(&file).unwrap().len();
        eprintln!("list: {count} hashes, {size} bytes; built in {taken:.1?} with {memory} MiB; file: {bytes} bytes");
        eprintln!("no hash is missing, {each:?} each; {mistakes} mistakes in {others} other passwords");
    }
    assert!(memory < 128, "{memory} MiB");
    assert!(mistakes as u64 <= others / 65_536 * 2 + 6, "{mistakes} of {others}");
    assert!(bytes < 4 * count + 10_000, "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_list_is_refused_by_line_and_leaves_no_file() {
    let home = Home::new().await;
    let folder = home.folder.path();
    let refused = |list: &[u8]| {
        fs::write(folder.join("list.txt"), list).unwrap();
        home.refused(&["breached", "build", "list.txt", "breached.filter"])
    };
    let right = sha1("qwerty");
    let wrong = refused(format!("{right}:1\nhunter2\r\n{}:2\n", &right[5..]).as_bytes());
    for words in ["list.txt: ", "line 2 is not a SHA-1 hash: write 40", "line 3 has 35 digits", "nothing was written"] {
        assert!(wrong.contains(words), "{words} in {wrong}");
    }
    assert!(!wrong.contains("hunter2"));
    assert!(refused(b"").contains("the list has no hashes"));
    assert!(refused(&vec![0xff; 100_000]).contains("line 1 is not a SHA-1 hash"));
    assert!(home.refused(&["breached", "build", "none.txt", "breached.filter"]).contains("cannot read none.txt"));
    assert!(home.refused(&["breached", "build", "list.txt", "./list.txt"]).contains("name another file"));
    fs::write(folder.join("list.txt"), &right).unwrap();
    let nowhere = home.refused(&["breached", "build", "list.txt", "none/breached.filter"]);
    assert!(nowhere.contains("cannot write temporary files in none"), "{nowhere}");
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["list.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_killed_leaves_the_old_file_or_none() {
    let home = Home::new().await;
    let [file, out] = ["list.txt", "breached.filter"].map(|name| home.folder.path().join(name));
    let start = || {
        let mut command = home.command();
        command.args(["breached", "build", "-", "breached.filter"]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // In the middle of the list.
    let mut child = start();
    let mut list = child.stdin.take().unwrap();
    list.write_all((sha1("qwerty") + "\n").repeat(2_000).as_bytes()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 0);

    write_list(&file, 1_000);
    home.good(&["breached", "build", "list.txt", "breached.filter"]);
    write_list(&file, 60_000);
    let whole = fs::read(&file).unwrap();
    let mut killed = 0;
    for round in 0..20 {
        let mut child = start();
        child.stdin.take().unwrap().write_all(&whole).unwrap();
        std::thread::sleep(Duration::from_millis(20 * round));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let hashes = BreachedPasswords::open(&out).unwrap().hashes();
        assert!([1_000, 60_000].contains(&hashes), "{hashes}");
    }
    assert!(killed > 0);
    // What a killed build left does not disturb the next one.
    home.good(&["breached", "build", "list.txt", "breached.filter"]);
    assert_eq!(BreachedPasswords::open(&out).unwrap().hashes(), 60_000);
    assert_eq!(fs::read_dir(home.folder.path()).unwrap().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_with_a_foreign_or_incomplete_list() {
    let home = Home::new().await;
    let [file, out] = ["list.txt", "breached.filter"].map(|name| home.folder.path().join(name));
    write_list(&file, 100);
    home.good(&["breached", "build", "list.txt", "breached.filter"]);
    let program = home.start_with(|command| _ = command.env("DOORCODE_BREACHED_PASSWORDS", &out)).await;
    let query = "mutation { register(input: { email: \"ada@example.com\", password: \"99\" }) { ... on WeakPassword { reasons } } }";
    let weak = program.call(query, serde_json::json!({})).await.unwrap();
    assert_eq!(weak["data"]["register"]["reasons"], serde_json::json!(["TOO_SHORT", "BREACHED"]), "{weak}");
    drop(program);

    let whole = fs::read(&out).unwrap();
    let refused = || {
        // A server that starts after all must not run forever.
        let mut command = home.command_of("timeout");
        command.args(["20", env!("CARGO_BIN_EXE_doorcode")]).env("DOORCODE_BREACHED_PASSWORDS", &out);
        let output = command.env("DOORCODE_LISTEN", "127.0.0.1:0").output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    for (content, words) in [
        (&whole[..whole.len() - 10], "names an incomplete list"),
        (&fs::read(&file).unwrap(), "names a file that is not a list made by `doorcode breached build`"),
    ] {
        fs::write(&out, content).unwrap();
        let printed = refused();
        let instead = "Build it again with `doorcode breached build`, or remove the variable";
        for part in ["DOORCODE_BREACHED_PASSWORDS ", words, instead] {
            assert!(printed.contains(part), "{part} in {printed}");
        }
    }
    fs::remove_file(&out).unwrap();
    assert!(refused().contains("names a file that cannot be read"));
    let mut command = home.command();
    command.args(["user", "create", "ada@example.com"]).env("DOORCODE_BREACHED_PASSWORDS", &out);
    assert!(command.output().unwrap().status.success(), "an administrator's commands work without it");
}
