//! `doorcode doctor` in correct and broken set-ups with real servers: its findings, exit code and duration. The command
//! must change nothing and print no secret.

mod optional;
mod public;
mod search;

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

use sea_orm::DbBackend;
use serde_json::Value;
use tempfile::TempDir;

use super::{own_postgres::OwnPostgres, text};
use crate::{
    database::{TestDatabase, empty_database_of, every_backend, fresh_database_of},
    limiter_contract::own_redis::OwnRedis,
    smtp_server::{SmtpServer, Tls, embedded_only},
};

/// A server secret. The output must never contain it.
const SECRET: &str = "hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU";

/// A production set-up with a mail server. Each test chooses the database and the other settings.
struct Setup {
    folder: TempDir,
    mail: SmtpServer,
    settings: Vec<(&'static str, String)>,
}

impl Setup {
    /// A set-up with a SQLite file. `None` if programs that the test needs may be missing.
    async fn on_sqlite() -> Option<(TestDatabase, Self)> {
        if embedded_only() {
            return None;
        }
        let database = fresh_database_of(DbBackend::Sqlite).await;
        let setup = Self::new(&database);
        Some((database, setup))
    }

    fn new(database: &TestDatabase) -> Self {
        let (folder, mail) = (tempfile::tempdir().unwrap(), SmtpServer::start(Tls::Smtps));
        let file = file_of(database);
        if file.exists() {
            // Set the mode with which the program creates the file. The tests copy a template instead.
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        let settings = vec![
            ("DOORCODE_MODE", "production".to_owned()),
            ("DOORCODE_SECRET", SECRET.to_owned()),
            ("DOORCODE_SINGLE_REPLICA", "true".to_owned()),
            ("DOORCODE_MAIL_FROM", "Doorcode <no-reply@id.example.com>".to_owned()),
            ("DOORCODE_TRUSTED_PROXIES", "127.0.0.1".to_owned()),
            // No server listens on this port.
            ("DOORCODE_PUBLIC_URL", "http://127.0.0.1:9".to_owned()),
            ("DATABASE_URL", database.url.clone()),
            ("SMTP_URL", mail.url()),
        ];
        Self { folder, mail, settings }
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) -> &mut Self {
        self.settings.retain(|(known, _)| *known != name);
        self.settings.push((name, value.into()));
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorcode"));
        command.env_clear().current_dir(self.folder.path()).args(arguments).envs(self.settings.iter().cloned());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Runs `doctor` with and without `--json`, and checks that neither output contains a secret.
    fn examine(&self) -> Report {
        let (people, programs) = (self.run(&["doctor"]), self.run(&["doctor", "--json"]));
        let printed =
            [&people.stdout, &people.stderr, &programs.stdout, &programs.stderr].map(|part| text(part)).concat();
        for secret in [SECRET, "horse", "canary"] {
            assert!(!printed.contains(secret), "{secret} in {printed}");
        }
        assert_eq!(text(&people.stderr), "", "findings are printed to standard output");
        assert_eq!(people.status.code(), programs.status.code());
        let mut findings: Vec<Value> =
            text(&programs.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let sums = findings.pop().unwrap();
        for finding in &findings {
            let state = finding["state"].as_str().unwrap();
            assert!(["ok", "skipped", "warning", "problem"].contains(&state), "{finding}");
            assert!(!finding["seen"].as_str().unwrap().is_empty() && finding["check"].is_string(), "{finding}");
            assert_eq!(finding["advice"].is_string(), ["warning", "problem"].contains(&state), "{finding}");
        }
        let report = Report { findings, printed: text(&people.stdout) };
        for (name, state) in [("ok", "ok"), ("skipped", "skipped"), ("warnings", "warning"), ("problems", "problem")] {
            assert_eq!(sums[name], report.checks(state).len(), "{sums}");
        }
        assert_eq!(people.status.code(), Some(i32::from(sums["problems"] != 0)), "{}", report.printed);
        report
    }
}

/// The path of the SQLite file.
fn file_of(database: &TestDatabase) -> &Path {
    Path::new(database.url.trim_start_matches("sqlite://").split('?').next().unwrap())
}

struct Report {
    findings: Vec<Value>,
    printed: String,
}

impl Report {
    /// The checks with this state.
    fn checks(&self, state: &str) -> Vec<&str> {
        let found = self.findings.iter().filter(|finding| finding["state"] == state);
        found.map(|finding| finding["check"].as_str().unwrap()).collect()
    }

    /// Asserts that this check is the only problem, and that its message or advice contains each of these words.
    #[track_caller]
    fn assert_wrong(&self, check: &str, words: &[&str]) {
        assert_eq!(self.checks("problem"), [check], "{}", self.printed);
        let finding = self.findings.iter().find(|finding| finding["state"] == "problem").unwrap();
        for word in words {
            assert!(
                finding["seen"].as_str().unwrap().contains(word) || finding["advice"].as_str().unwrap().contains(word),
                "{word} in {finding}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_no_problem_in_a_good_setup_and_changes_nothing() {
    let Some((database, mut setup)) = Setup::on_sqlite().await else { return };
    let redis = OwnRedis::start(&["--appendonly", "yes"]).unwrap();
    setup.set("REDIS_URL", format!("redis://127.0.0.1:{}", redis.port));
    assert!(setup.run(&["user", "role", "ada@example.com", "admin"]).status.success());
    let file = file_of(&database);
    // The first run merges SQLite's write-ahead log of the earlier command into the file.
    setup.examine();
    let before = fs::read(file).unwrap();
    let report = setup.examine();
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    for check in ["database", "database file", "database writes", "schema", "signing keys", "key age", "administrator"]
        .into_iter()
        .chain(["redis", "redis eviction", "redis persistence", "redis role", "redis clock", "redis version"])
        .chain(["mail server", "server secret", "private files", "disk"])
    {
        assert!(report.checks("ok").contains(&check), "{check} in {}", report.printed);
    }
    // These warnings are expected: the test certificates are valid for only a day, and the public URL is a local
    // address without a server.
    let mut warned = report.checks("warning");
    warned.retain(|check| *check != "redis"); // On a busy machine, Redis may be slow enough for a warning.
    assert_eq!(warned, ["settings", "mail certificate", "mail sender", "public url"], "{}", report.printed);
    assert!(report.printed.contains("no problems found, "), "{}", report.printed);
    assert_eq!(fs::read(file).unwrap(), before, "the database is unchanged");
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1, "no file was created in its folder");
    assert!(fs::read_dir(setup.folder.path()).unwrap().next().is_none(), "no file was created in the working folder");
    assert!(
        setup.mail.events("mail").is_empty() && !setup.mail.events("auth").is_empty(),
        "doctor signed in to the mail server but sent nothing"
    );
    let keys = redis.command(&["KEYS", "*"]).await;
    let probe = redis::Value::BulkString(b"doorcode:limit:{ping:}".to_vec());
    assert_eq!(keys, redis::Value::Array(vec![probe]), "Redis contains only the key of the readiness probe");
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_a_postgresql_that_can_lose_commits() {
    if embedded_only() {
        return;
    }
    let postgres = OwnPostgres::start(&[]);
    let database = empty_database_of(DbBackend::Sqlite).await;
    let mut setup = Setup::new(&database);
    setup.set("DATABASE_URL", postgres.url());
    setup.examine().assert_wrong("schema", &["pending", "doorcode migrate up"]);
    assert!(setup.run(&["migrate", "up"]).status.success());
    let report = setup.examine();
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    for check in ["durability", "version", "writes", "isolation", "encoding", "rights", "connections", "clock"] {
        assert!(report.checks("ok").contains(&format!("database {check}").as_str()), "{}", report.printed);
    }
    assert!(report.printed.contains("doorcode user role you@example.com admin"), "{}", report.printed);

    let sql = |statement: &str| {
        let status = Command::new("psql").args([&postgres.url(), "-qc", statement]).status().unwrap();
        assert!(status.success(), "{statement}");
    };
    sql("ALTER ROLE doorcode SET synchronous_commit = off");
    setup.examine().assert_wrong("database durability", &["synchronous_commit is off", "ALTER SYSTEM SET"]);
    sql("ALTER ROLE doorcode RESET synchronous_commit");
    sql("CREATE ROLE guest LOGIN PASSWORD 'canary-in-a-url'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest");
    setup.set("DATABASE_URL", postgres.url().replace("doorcode:", "guest:"));
    setup.examine().assert_wrong("database rights", &["audit_events, devices", "GRANT"]);
    setup.set("DATABASE_URL", postgres.url().replace("canary-in", "canary-not-in"));
    setup.examine().assert_wrong("database", &["refuses user, password", "DATABASE_URL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_a_redis_that_evicts_and_warns_if_it_cannot_read_the_settings() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    let redis = OwnRedis::start(&["--maxmemory-policy", "allkeys-lru"]).unwrap();
    setup.set("REDIS_URL", format!("redis://127.0.0.1:{}", redis.port));
    let report = setup.examine();
    report.assert_wrong("redis eviction", &["allkeys-lru", "CONFIG SET maxmemory-policy noeviction"]);
    assert!(report.checks("warning").contains(&"redis persistence"), "{}", report.printed);

    redis.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]).await;
    let blind = ["on", ">canary-of-redis", "~doorcode:*", "+@all", "-info", "-config", "-time"];
    redis.command(&[["ACL", "SETUSER", "limiter"].as_slice(), &blind].concat()).await;
    setup.set("REDIS_URL", format!("redis://limiter:canary-of-redis@127.0.0.1:{}", redis.port));
    let report = setup.examine();
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    for check in ["redis version", "redis role", "redis eviction", "redis persistence", "redis clock"] {
        assert!(report.checks("warning").contains(&check), "{}", report.printed);
    }
    assert!(report.printed.contains("could not be read"), "{}", report.printed);

    let replica = OwnRedis::start(&["--replicaof", &format!("127.0.0.1 {}", redis.port)]).unwrap();
    setup.set("REDIS_URL", format!("redis://127.0.0.1:{}", replica.port));
    let report = setup.examine();
    assert!(report.checks("problem").iter().all(|check| check.starts_with("redis")), "{}", report.printed);
    assert!(report.printed.contains("running master"), "{}", report.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_checks_the_master_that_sentinels_name() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    let redis = OwnRedis::start(&["--maxmemory-policy", "volatile-lru"]).unwrap();
    let sentinel = OwnRedis::start(&[&format!("sentinel monitor door 127.0.0.1 {} 1\n", redis.port)]).unwrap();
    setup.set("REDIS_URL", format!("redis+sentinel://127.0.0.1:{}/door", sentinel.port));
    let report = setup.examine();
    report.assert_wrong("redis eviction", &["volatile-lru"]);
    assert!(report.checks("ok").contains(&"redis role"), "{}", report.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_checks_every_master_of_a_cluster() {
    let Ok(url) = std::env::var("DOORCODE_TEST_REDIS_CLUSTER_URL") else {
        assert!(embedded_only(), "run tests/run");
        return;
    };
    let database = fresh_database_of(DbBackend::Sqlite).await;
    let mut setup = Setup::new(&database);
    setup.set("REDIS_URL", url);
    let report = setup.examine();
    for check in ["redis", "redis role", "redis cluster", "redis eviction"] {
        assert!(report.checks("ok").contains(&check), "{}", report.printed);
    }
    assert!(report.checks("warning").contains(&"redis persistence"), "{}", report.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_a_mail_server_that_refuses_the_password_or_strips_tls() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    setup.set("SMTP_URL", setup.mail.url().replace("c0rrect", "canary"));
    setup.examine().assert_wrong("mail server", &["535", "user name and password in SMTP_URL"]);
    assert!(setup.mail.events("mail").is_empty());
    let stripped = SmtpServer::start(Tls::Stripped);
    setup.set("SMTP_URL", stripped.url());
    setup.examine().assert_wrong("mail server", &["STARTTLS", "smtps://"]);
    assert!(stripped.events("auth").is_empty(), "the password was not sent without TLS");
    let stranger =
        setup.mail.url().replace(&setup.mail.ca().display().to_string(), &stripped.ca().display().to_string());
    setup.set("SMTP_URL", stranger);
    setup.examine().assert_wrong("mail server", &["TLS handshake", "?ca=FILE"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_files_and_folders_open_to_others() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    let data = setup.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    setup.set("DOORCODE_DATA", data.to_str().unwrap());
    let mode = |path: &Path, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(&data, 0o755);
    assert!(setup.examine().checks("warning").contains(&"data folder"));
    mode(&data, 0o777);
    setup.examine().assert_wrong("data folder", &["every user", "chmod 700"]);
    mode(&data, 0o700);
    fs::write(data.join("secret"), SECRET).unwrap();
    mode(&data.join("secret"), 0o644);
    assert!(setup.examine().checks("ok").contains(&"private files"), "no other user can reach the file");
    mode(&data, 0o711);
    setup.examine().assert_wrong("private files", &["data/secret", "chmod 600"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_a_stale_schema_and_keys_of_another_secret() {
    if embedded_only() {
        return;
    }
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let mut setup = Setup::new(&database);
        // The test servers run without durability, which doctor reports as another problem.
        let wrong = |setup: &Setup| {
            let report = setup.examine();
            let checks = report.checks("problem").into_iter().filter(|check| *check != "database durability");
            (checks.map(str::to_owned).collect::<Vec<_>>(), report.printed)
        };
        assert!(setup.run(&["keys", "rotate"]).status.success());
        assert_eq!(wrong(&setup).0, [] as [&str; 0]);
        setup.set("DOORCODE_SECRET", "Zk3qP9dT6mB1xR8vW5nC2jL7gF4sH0yE");
        let (checks, printed) = wrong(&setup);
        assert_eq!(checks, ["signing keys"], "{printed}");
        assert!(printed.contains("DOORCODE_SECRET does not open 2 of 2"), "{printed}");
        setup.set("DOORCODE_SECRET", SECRET).set("DOORCODE_TOKEN_ALG", "ES256");
        let (checks, printed) = wrong(&setup);
        assert!(
            checks.is_empty() && printed.contains("the newest is EdDSA, and DOORCODE_TOKEN_ALG is ES256"),
            "{printed}"
        );
        assert!(setup.run(&["migrate", "down", "--steps", "1"]).status.success());
        let (checks, printed) = wrong(&setup);
        assert_eq!(checks, ["schema"], "{printed}");
        assert!(printed.contains("1 of") && printed.contains("doorcode migrate up"), "{printed}");
        assert!(setup.run(&["migrate", "up"]).status.success());
        setup.set("DOORCODE_SECRET", "Zk3qP9dT6mB1xR8vW5nC2jL7gF4sH0yE");
        assert!(setup.run(&["keys", "rotate"]).status.success());
        setup.examine().assert_told("warning", "signing keys", "the newest not among them");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_all_bad_settings_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorcode"))
        .env_clear()
        .current_dir(folder.path())
        .args(["doctor", "--json"])
        .envs([("DOORCODE_MODE", "production"), ("REDIS_URL", "canary://canary"), ("DOORCODE_COD_LENGTH", "8")])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let printed = text(&output.stdout);
    for name in ["DOORCODE_SECRET", "SMTP_URL", "DOORCODE_MAIL_FROM", "REDIS_URL", "DOORCODE_COD_LENGTH"] {
        assert!(printed.contains(name), "{name} in {printed}");
    }
    assert!(!printed.contains("canary"), "{printed}");
    let unknown = Command::new(env!("CARGO_BIN_EXE_doorcode")).args(["doctor", "--jsno"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_accepts_a_new_development_setup_and_creates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorcode"))
        .env_clear()
        .current_dir(folder.path())
        .arg("doctor")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("no problems found"), "{}", text(&output.stdout));
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_names_every_silent_server_within_fifteen_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_doorcode"))
        .env_clear()
        .current_dir(folder.path())
        .args(["doctor", "--json"])
        .env("DOORCODE_MODE", "production")
        .env("DOORCODE_SECRET", SECRET)
        .env("DOORCODE_MAIL_FROM", "Doorcode <no-reply@example.com>")
        .env("DATABASE_URL", format!("postgres://u:canary-1@127.0.0.1:{port}/x"))
        .env("REDIS_URL", format!("redis://:canary-2@127.0.0.1:{port}"))
        .env("SMTP_URL", format!("smtps://u:canary-3@127.0.0.1:{port}"))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"))
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-5")
        .env("DOORCODE_PUBLIC_URL", format!("https://localhost:{port}"))
        .output()
        .unwrap();
    let took = start.elapsed();
    println!("all silent: {} ms", took.as_millis());
    assert!(took < Duration::from_secs(15), "{took:?}");
    let printed = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(!printed.contains("canary"), "{printed}");
    let problems: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for check in ["database", "redis", "mail server", "certificate"] {
        assert!(problems.iter().any(|it| it["check"] == check && it["state"] == "problem"), "{check} in {printed}");
    }
}
