//! Start-up order: a server that starts before its database waits, logs the reason, and continues when the database is
//! up.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use url::Url;

use super::{Home, free_port, text};
use crate::harness::{eventually, on_servers};

/// A PostgreSQL URL with a local port on which no server listens.
fn nowhere(port: u16) -> String {
    format!("postgres://doorcode:secret@127.0.0.1:{port}/doorcode")
}

/// The command of a server, with its output discarded.
fn serving(home: &Home, port: u16, ops: u16) -> Command {
    let mut command = home.command();
    command
        .env("DOORCODE_LISTEN", format!("127.0.0.1:{port}"))
        .env("DOORCODE_OPS_LISTEN", format!("127.0.0.1:{ops}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

async fn status(port: u16, path: &str) -> Option<(u16, String)> {
    let answer = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_its_database_is_alive_but_not_ready_and_exits_in_time() {
    let home = Home::new().await;
    let (port, ops, database) = (free_port(), free_port(), free_port());
    let mut command = serving(&home, port, ops);
    command.env("DATABASE_URL", nowhere(database)).env("DOORCODE_DATABASE_WAIT", "7s").stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    eventually("the server is alive", async || status(ops, "/health").await.is_some()).await;
    for port in [port, ops] {
        assert_eq!(status(port, "/health").await.unwrap().0, 200);
        let (code, body) = status(port, "/ready").await.unwrap();
        assert!(code == 503 && body.contains("starting"), "{code} {body}");
    }
    has_standard_headers(port).await;
    let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("cannot connect to the database yet") && !said.contains("secret"), "{said}");
    let cause = format!("Cannot reach PostgreSQL at 127.0.0.1:{database} (connection refused). Is the server running");
    assert!(said.lines().last().is_some_and(|last| last.contains(&cause)), "{said}");
    let mut migrate = home.command();
    migrate.args(["migrate", "status"]).env("DATABASE_URL", nowhere(database)).env("DOORCODE_DATABASE_WAIT", "0s");
    let said = text(&migrate.output().unwrap().stderr);
    assert!(said.contains(&cause) && !said.contains("DATABASE_URL names"), "{said}");
}

/// Checks that responses during startup have the same CORS headers, security headers and request id as all others.
async fn has_standard_headers(port: u16) {
    let client = reqwest::Client::new();
    let call = client.post(format!("http://127.0.0.1:{port}/graphql")).body("{}");
    let answer = call.header("x-request-id", "my-id").header("origin", "http://localhost:5173").send().await.unwrap();
    let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(answer.status().as_u16(), 503);
    for (name, value) in [
        ("x-request-id", "my-id"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("access-control-allow-origin", "http://localhost:5173"),
    ] {
        assert_eq!(header(name).as_deref(), Some(value), "{name}");
    }
    assert!(header("retry-after").is_some() && header("content-security-policy").is_some());
    let body: serde_json::Value = answer.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert_eq!(body["errors"][0]["extensions"]["requestId"], "my-id");
    // A request that a proxy could parse differently closes its connection, also during startup.
    let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    connection.write_all(b"POST /graphql HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    timeout(Duration::from_secs(5), connection.read_to_string(&mut answer))
        .await
        .expect("the connection is closed")
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("BAD_REQUEST"), "{answer}");
}

/// A proxy sends requests as soon as the port accepts connections, so the server must not refuse them.
#[tokio::test(flavor = "multi_thread")]
async fn requests_during_startup_are_served() {
    let home = Home::new().await;
    let (port, ops) = (free_port(), free_port());
    let mut command = serving(&home, port, ops);
    let mut child = command.env("DOORCODE_DATA", "./data").spawn().unwrap();
    // Poll without a pause, to send a request as soon as the server listens.
    let first = timeout(Duration::from_secs(30), async {
        loop {
            if let Some(first) = status(port, "/.well-known/jwks.json").await {
                break first;
            }
        }
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(first.expect("the server responds").0, 200, "the first response");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_waiting_for_its_database_stops_on_a_signal() {
    let home = Home::new().await;
    let (port, ops) = (free_port(), free_port());
    let mut command = serving(&home, port, ops);
    let mut child = command.env("DATABASE_URL", nowhere(free_port())).spawn().unwrap();
    eventually("the server is alive", async || status(ops, "/health").await.is_some()).await;
    // As the first process of a container, the server would ignore a signal for which it has no handler.
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut ended = None;
    eventually("the process exited", async || {
        ended = child.try_wait().unwrap();
        ended.is_some()
    })
    .await;
    assert!(ended.unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_waiting_for_its_database_stops_on_a_signal() {
    let home = Home::new().await;
    let pipe = home.folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let waits_for_nothing = ["documents", pipe.to_str().unwrap()];
    for arguments in [&["migrate", "up"][..], &["audit", "tail", "--follow"], &waits_for_nothing] {
        let mut command = home.command();
        command.args(arguments).env("DATABASE_URL", nowhere(free_port())).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let listens = || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim().to_owned();
            u64::from_str_radix(&caught, 16).unwrap() & (1 << 14) != 0
        };
        eventually("the command handles SIGTERM", async || listens()).await;
        assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
        eventually("the process exited", async || child.try_wait().unwrap().is_some()).await;
        let output = child.wait_with_output().unwrap();
        // A process that is killed by a signal would have no exit code.
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(text(&output.stderr).contains("interrupted"), "{}", text(&output.stderr));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_started_before_its_database_serves_once_it_is_up() {
    if !on_servers() {
        return;
    }
    let home = Home::new().await;
    let mut url = Url::parse(&home.database.url).unwrap();
    let real = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
    let door = free_port();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(door)).unwrap();
    let opening = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let listener = TcpListener::bind(("127.0.0.1", door)).await.unwrap();
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&real).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut near, &mut far).await });
        }
    });
    let program = home.start_with(|command| _ = command.env("DATABASE_URL", url.as_str())).await;
    assert!(program.printed().contains("cannot connect to the database yet"), "{}", program.printed());
    assert!(program.login("late@example.com").await.is_some());
    opening.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn production_only_reads_an_env_file_marked_as_production() {
    let home = Home::new().await;
    let said = |file: &str, change: &dyn Fn(&mut Command)| {
        std::fs::write(home.folder.path().join(".env"), file).unwrap();
        let mut command = home.command();
        change(&mut command);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        text(&output.stderr)
    };
    // An invalid value, which is refused as soon as the file is read.
    let file = "DOORCODE_CODE_TRIES=99\n";
    let by_variable = said(file, &|command| _ = command.env("DOORCODE_MODE", "production"));
    let by_flag = said(file, &|command| _ = command.args(["serve", "--mode", "production"]));
    for error in [by_variable, by_flag] {
        assert!(error.contains(".env is not read in production") && !error.contains("DOORCODE_CODE_TRIES"), "{error}");
        assert!(error.contains("DOORCODE_SECRET is required"), "{error}");
    }
    let error = said(&format!("{file}DOORCODE_MODE=production\n"), &|_| {});
    assert!(error.contains("DOORCODE_CODE_TRIES") && !error.contains(".env"), "{error}");
    let in_development = said(file, &|_| {});
    assert!(in_development.contains("DOORCODE_CODE_TRIES") && !in_development.contains(".env"), "{in_development}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_start_names_the_setting_once() {
    let home = Home::new().await;
    for (variable, value) in [
        ("SMTP_URL", "smtp://mail.example.com"),
        ("SMTP_URL", "smtps://u@mail.example.com"),
        ("REDIS_URL", "redis://127.0.0.1:0:0"),
        ("DATABASE_URL", "sqlite://x?mode=memory"),
        ("DOORCODE_CODE_TRIES", "99"),
    ] {
        let output = home.command().env(variable, value).args(["keys", "list"]).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{variable}: {error}");
        // Do not count the name in the example value.
        let named = error.replace(&format!("{variable}="), "").matches(variable).count();
        assert_eq!(named, 1, "{error}");
    }
}

/// Starts a server with a low limit of open files.
async fn with_few_files(home: &Home, ulimit: &str) -> super::Program {
    let mut command = home.command_of("sh");
    command.args(["-c", &format!("ulimit {ulimit} && exec {} serve", env!("CARGO_BIN_EXE_doorcode"))]);
    Home::start_and_wait(command).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_low_open_file_limit_is_raised_or_warned_about() {
    let home = Home::new().await;
    let raised = with_few_files(&home, "-Sn 500").await;
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", raised.pid())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let [soft, hard] = [3, 4].map(|at| files.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap_or(u64::MAX));
    assert_eq!(soft, hard.min(65_536), "{files}");
    assert!(hard < 2_000 || !raised.printed().contains("open file limit"), "{}", raised.printed());
    drop(raised);
    let few = with_few_files(&home, "-n 500").await;
    let printed = few.printed();
    assert!(printed.contains("the open file limit is 500"), "{printed}");
    assert!(printed.contains("at most 250 connections") && printed.contains("LimitNOFILE=65536"), "{printed}");
}
