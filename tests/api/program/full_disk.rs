//! A server on SQLite whose disk is full for a while. Afterwards the file must contain every acknowledged change.

use std::{fs, process::Command};

use sea_orm::sqlx::{Connection, SqliteConnection, query_scalar};

use super::Home;

/// Sets the maximum file size of the process, which simulates a full disk.
fn limit(pid: u32, bytes: &str) {
    let arguments = ["--pid", &pid.to_string(), &format!("--fsize={bytes}:unlimited")];
    assert!(Command::new("prlimit").args(arguments).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_change_survives_a_full_disk() {
    let home = Home::new().await;
    let file = home.folder.path().join("full.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    // A process that exceeds the limit gets SIGXFSZ, which kills it by default. So bash ignores the signal before it
    // starts the program.
    let program = std::env::var("DOORCODE_TEST_PROGRAM").unwrap_or_else(|_| env!("CARGO_BIN_EXE_doorcode").into());
    let mut command = home.command_of("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$0\"", &program]).env("DATABASE_URL", &url);
    let server = Home::start_and_wait(command).await;
    let mut promised = 0;
    let ask = async |promised: &mut i64, count: i64, name: &str| {
        let mut refused = 0;
        for number in 0..count {
            match server.login(&format!("{name}-{number}@example.com")).await {
                Some(_) => *promised += 1,
                None => refused += 1,
            }
        }
        refused
    };
    assert_eq!(ask(&mut promised, 3, "before").await, 0);
    let log = fs::metadata(file.with_extension("db-wal")).unwrap().len();
    limit(server.pid(), &(log + 20_000).to_string());
    assert!(ask(&mut promised, 30, "full").await > 20, "the disk was not full");
    limit(server.pid(), "unlimited");
    assert_eq!(ask(&mut promised, 5, "after").await, 0, "{}", server.printed());

    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=ro", file.display())).await.unwrap();
    let kept: i64 = query_scalar("SELECT count(*) FROM email_codes").fetch_one(&mut connection).await.unwrap();
    assert_eq!(kept, promised, "{}", server.printed());
}
