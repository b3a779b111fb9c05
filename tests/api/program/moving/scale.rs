//! Time and memory of a large import. `tests/import-at-scale` sets the number of rows in `DOORCODE_TEST_ROWS` and then
//! gets figures.

use std::{
    fs::File,
    io::{BufWriter, Write as _},
    process::Stdio,
    time::Instant,
};

use super::{super::breached::peak_memory, *};

/// Runs a command, and returns its output, the seconds that it took and the most memory that it had, in MiB.
fn measure(home: &Home, arguments: &[&str]) -> (String, f64, u64) {
    let start = Instant::now();
    let mut command = home.command();
    let mut child = command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let memory = peak_memory(&mut child);
    let took = start.elapsed().as_secs_f64();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), took, memory)
}

fn write_rows(home: &Home, name: &str, count: u64) {
    let kinds = six_kinds();
    let mut file = BufWriter::new(File::create(home.folder.path().join(name)).unwrap());
    for number in 0..count {
        let hash = &kinds[usize::try_from(number).unwrap() % kinds.len()]["hash"];
        let row = json!({
            "email": format!("person{number}@example.com"), "name": format!("Person {number}"), "verified": true,
            "passwordHash": hash, "externalId": format!("{:032x}", u128::from(number) * 0x9e37_79b9_7f4a_7c15),
            "createdAt": "2021-06-01T00:00:00Z",
        });
        writeln!(file, "{row}").unwrap();
    }
    file.flush().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_does_not_grow_with_the_file() {
    let scale: Option<u64> = std::env::var("DOORCODE_TEST_ROWS").ok().map(|rows| rows.parse().unwrap());
    let count = scale.unwrap_or(6_000);
    let home = Home::new().await;
    write_rows(&home, "few.ndjson", 1_000);
    write_rows(&home, "people.ndjson", count);
    let (_, _, few) = measure(&home, &["user", "import", "few.ndjson"]);
    let bytes = fs::metadata(home.folder.path().join("people.ndjson")).unwrap().len();
    if scale.is_some() {
        eprintln!("{count} rows, {bytes} bytes; a file of 1,000 rows takes {few} MiB");
    }
    for (what, arguments, expected) in [
        ("dry run", &["user", "import", "people.ndjson"][..], format!("{count} accounts would be created")),
        ("import", &["user", "import", "people.ndjson", "--apply"], format!("{count} accounts were created")),
        ("again", &["user", "import", "people.ndjson", "--apply"], format!("{count} left as they are")),
        ("export", &["user", "export", "out.ndjson"], format!("{count} users, {count} with a password")),
    ] {
        let (report, took, memory) = measure(&home, arguments);
        assert!(report.contains(&expected), "{what}: {report}");
        if scale.is_some() {
            eprintln!("{what}: {took:.1} s, {memory} MiB");
        }
        assert!(memory < few + 24, "{what}: {memory} MiB, and {few} MiB for 1,000 rows");
        assert!(took < 600.0, "{what}: {took} s");
    }
}
