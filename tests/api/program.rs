//! The program, started as an operator starts it: output, refused starts, shutdown, and data after a kill.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read},
    net::IpAddr,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU16, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

mod audit;
mod breached;
mod clients;
mod doctor;
mod full_disk;
mod health;
mod memory;
mod moving;
pub(crate) mod own_postgres;
mod people;
mod starting;
mod tls;

use crate::{
    database::{TestDatabase, fresh_database},
    harness::on_servers,
};

/// A running server process. Dropping this value kills the process.
pub(crate) struct Program {
    child: Child,
    pub(crate) port: u16,
    /// Port of the operations listener.
    pub(crate) ops: u16,
    printed: Arc<Mutex<Vec<u8>>>,
    started: Instant,
    /// Source address of the calls from `call`. `None`: the system chooses.
    caller: Option<IpAddr>,
}

/// The working folder and database of a program. Several programs can use them in turn.
pub(crate) struct Home {
    pub(crate) folder: TempDir,
    pub(crate) database: TestDatabase,
}

impl Home {
    pub(crate) async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: fresh_database().await }
    }

    fn command(&self) -> Command {
        // `DOORCODE_TEST_PROGRAM` is the path of another build to test.
        let program =
            std::env::var_os("DOORCODE_TEST_PROGRAM").unwrap_or_else(|| env!("CARGO_BIN_EXE_doorcode").into());
        self.command_of(program)
    }

    /// A command for another program, with the same environment.
    pub(crate) fn command_of(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .current_dir(self.folder.path())
            .env("DATABASE_URL", &self.database.url)
            .env("DOORCODE_LIMIT_VERIFY_NETWORK", "100000/1m")
            .env("DOORCODE_LIMIT_SEND_PAIR", "100000/1m")
            .env("DOORCODE_LIMIT_SEND_ADDRESS", "100000/1m")
            .env("DOORCODE_LIMIT_SEND_ADDRESS_DAY", "100000/1d")
            .env("DOORCODE_LIMIT_SEND_NETWORK", "100000/1m")
            .env("DOORCODE_LIMIT_SEND_INSTANCE", "1000000/1d")
            .env("DOORCODE_LIMIT_API_CALLER", "1000000/1m");
        if on_servers() {
            command.env("REDIS_URL", std::env::var("DOORCODE_TEST_REDIS_URL").unwrap());
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command().args(arguments).output().unwrap()
    }

    /// Runs a command that must succeed, and returns its output.
    pub(crate) fn good(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Runs a command with `--json`, and returns one value per output line.
    fn objects(&self, arguments: &[&str]) -> Vec<Value> {
        let printed = self.good(&[arguments, &["--json"]].concat());
        printed.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"))).collect()
    }

    /// Runs a command that must fail with exit code 1, and returns its error output.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    async fn start(&self) -> Program {
        self.start_with(|_| {}).await
    }

    /// Starts a server with changed settings.
    pub(crate) async fn start_with(&self, change: impl FnOnce(&mut Command)) -> Program {
        let mut command = self.command();
        change(&mut command);
        Self::start_and_wait(command).await
    }

    /// Starts a server, and waits until it is ready.
    pub(crate) async fn start_and_wait(mut command: Command) -> Program {
        let (port, ops) = (free_port(), free_port());
        let set = |name: &str| command.get_envs().any(|(known, _)| known == name);
        // This URL is the issuer of access tokens, so it must not change with the port.
        if !set("DOORCODE_PUBLIC_URL") {
            command.env("DOORCODE_PUBLIC_URL", "http://localhost:4000");
        }
        command
            .env("DOORCODE_LISTEN", format!("127.0.0.1:{port}"))
            .env("DOORCODE_OPS_LISTEN", format!("127.0.0.1:{ops}"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().unwrap();
        let printed = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take().unwrap(), &printed);
        collect(child.stderr.take().unwrap(), &printed);
        let program = Program { child, port, ops, printed, started, caller: None };
        program.wait_until_it_answers().await;
        program
    }
}

/// Collects the output as bytes, because it may not be valid UTF-8.
fn collect(mut stream: impl Read + Send + 'static, into: &Arc<Mutex<Vec<u8>>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        let mut part = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut part) {
            into.lock().unwrap().extend_from_slice(&part[..length]);
        }
    });
}

/// A free port that no other test uses. Each process has ten such ports, all below the ephemeral range.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let ours = u16::try_from(std::process::id() % 1_000).unwrap() * 10;
    loop {
        let port = 22_000 + ours + NEXT.fetch_add(1, Ordering::SeqCst) % 10;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

#[track_caller]
fn wait_for_port(port: u16, patience: Duration) {
    let start = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(start.elapsed() < patience, "no process listens on {port}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Program {
    pub(crate) fn printed(&self) -> String {
        text(&self.printed_bytes())
    }

    /// The raw output so far.
    pub(crate) fn printed_bytes(&self) -> Vec<u8> {
        self.printed.lock().unwrap().clone()
    }

    /// Sets the source address of further calls.
    pub(crate) fn called_from(mut self, address: IpAddr) -> Self {
        self.caller = Some(address);
        self
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    async fn wait_until_it_answers(&self) {
        for _ in 0..1_000 {
            if reqwest::get(format!("http://127.0.0.1:{}/ready", self.ops))
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not become ready:\n{}", self.printed());
    }

    /// Posts a GraphQL request. Returns `None` if the connection breaks, for example because the server was killed.
    pub(crate) async fn call(&self, query: &str, variables: Value) -> Option<Value> {
        let body = json!({ "query": query, "variables": variables });
        let client = reqwest::Client::builder().local_address(self.caller).build().ok()?;
        let sent = client.post(format!("http://127.0.0.1:{}/graphql", self.port)).json(&body).send().await.ok()?;
        sent.json().await.ok()
    }

    pub(crate) async fn login(&self, email: &str) -> Option<String> {
        let query = "mutation($e: String!) { login(input: { email: $e }) { ... on CodeSent { challenge } } }";
        let answer = self.call(query, json!({ "e": email })).await?;
        Some(answer["data"]["login"]["challenge"].as_str()?.to_owned())
    }

    pub(crate) async fn code_for(&self, email: &str) -> Option<String> {
        for _ in 0..200 {
            let answer =
                self.call("query($e: String!) { inbox(to: $e, first: 1) { code } }", json!({ "e": email })).await?;
            if let Some(code) = answer["data"]["inbox"][0]["code"].as_str() {
                return Some(code.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        None
    }

    pub(crate) async fn verify(&self, challenge: &str, code: &str) -> Option<Value> {
        let query = "mutation($c: String!, $d: String!) { verify(input: { challenge: $c, code: $d }) { __typename \
             ... on SignedIn { tokens { accessToken refreshToken } } } }";
        Some(self.call(query, json!({ "c": challenge, "d": code })).await?["data"]["verify"].clone())
    }

    /// Stops the server with SIGTERM, and waits for its exit.
    pub(crate) fn stop(mut self) -> std::process::ExitStatus {
        self.signal("-TERM");
        self.child.wait().unwrap()
    }

    /// Stops the server with SIGTERM, and returns its output.
    pub(crate) fn stopped(mut self) -> String {
        self.signal("-TERM");
        self.child.wait().unwrap();
        // The thread that reads the output may lag behind.
        std::thread::sleep(Duration::from_millis(200));
        self.printed()
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_prints_its_addresses_serves_a_sign_in_and_stops() {
    let home = Home::new().await;
    let mut program = home.start().await;
    println!("start to first response: {} ms", program.started.elapsed().as_millis());
    let printed = program.printed();
    for part in ["Sign in   http://localhost:", "/graphiql", "/inbox", "Embedded"] {
        assert!(printed.contains(part), "{part} in:\n{printed}");
    }
    let challenge = program.login("ada@example.com").await.unwrap();
    let code = program.code_for("ada@example.com").await.unwrap();
    assert_eq!(program.verify(&challenge, &code).await.unwrap()["__typename"], "SignedIn");
    program.signal("-TERM");
    let stopping = Instant::now();
    let status = program.child.wait().unwrap();
    assert!(status.success(), "{}", program.printed());
    assert!(stopping.elapsed() < Duration::from_secs(5));
    assert!(!program.printed().contains(&code), "no log line contains the code");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_under_load_answers_every_accepted_request() {
    let home = Home::new().await;
    let program = home.start().await;
    let url = format!("http://127.0.0.1:{}/graphql", program.port);
    let client = reqwest::Client::new();
    let calls = (0..40).map(|number| {
        let (client, url) = (client.clone(), url.clone());
        tokio::spawn(async move {
            let query = format!("mutation {{ login(input: {{ email: \"n{number}@example.com\" }}) {{ __typename }} }}");
            client.post(url).json(&json!({ "query": query })).send().await.and_then(reqwest::Response::error_for_status)
        })
    });
    let calls: Vec<_> = calls.collect();
    tokio::time::sleep(Duration::from_millis(30)).await;
    program.signal("-TERM");
    for call in calls {
        // After the shutdown, connections may be refused. But an accepted connection must not be reset.
        if let Err(error) = call.await.unwrap() {
            assert!(error.is_connect(), "{error:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsafe_production_start_names_every_problem() {
    let home = Home::new().await;
    let output = home.command().env("DOORCODE_MODE", "production").env("DOORCODE_COD_LENGTH", "8").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let acknowledged = text(&output.stderr);
    for part in ["DOORCODE_SECRET", "SMTP_URL", "DOORCODE_MAIL_FROM", "DOORCODE_COD_LENGTH", "DOORCODE_CODE_LENGTH"] {
        assert!(acknowledged.contains(part), "{part} in:\n{acknowledged}");
    }
    assert!(!home.folder.path().join("data").exists(), "a refused start creates no files");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_can_be_read_from_files() {
    let home = Home::new().await;
    let secrets = home.folder.path().join("secrets");
    std::fs::create_dir(&secrets).unwrap();
    let url = secrets.join("DATABASE_URL");
    std::fs::write(&url, format!("{}\n", home.database.url)).unwrap();
    let listed = || {
        let mut command = home.command();
        command.args(["user", "list"]).env_remove("DATABASE_URL").env("DOORCODE_SECRETS_FOLDER", &secrets);
        command.output().unwrap()
    };
    home.good(&["user", "create", "somebody@example.com"]);
    let output = listed();
    assert!(text(&output.stdout).contains("somebody@example.com"), "{}", text(&output.stderr));
    std::fs::rename(&url, secrets.join("DOORCODE_SECERT")).unwrap();
    let output = listed();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("Did you mean DOORCODE_SECRET?"), "{}", text(&output.stderr));
}

#[tokio::test(flavor = "multi_thread")]
async fn production_refuses_a_stale_schema_and_serves_a_current_one() {
    let home = Home::new().await;
    let production = |arguments: &[&str]| {
        let mut command = home.command();
        command
            .args(arguments)
            .env("DOORCODE_MODE", "production")
            .env("DOORCODE_SECRET", "hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU")
            .env("SMTP_URL", "smtps://mail.example.com")
            .env("DOORCODE_MAIL_FROM", "Doorcode <no-reply@example.com>")
            .env("DOORCODE_PUBLIC_URL", "https://id.example.com")
            .env("DOORCODE_SINGLE_REPLICA", "true")
            .env("DOORCODE_LISTEN", format!("127.0.0.1:{}", free_port()))
            .env("DOORCODE_OPS_LISTEN", format!("127.0.0.1:{}", free_port()));
        command
    };
    assert!(production(&["migrate", "down", "--steps", "1"]).output().unwrap().status.success());
    let status = production(&["migrate", "status"]).output().unwrap();
    assert_eq!(status.status.code(), Some(1));
    assert!(text(&status.stdout).contains("pending"));
    let refused = production(&["serve"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("migrate up"), "{}", text(&refused.stderr));
    assert!(production(&["migrate", "up"]).output().unwrap().status.success());
    let mut serving = production(&["serve"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(serving.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("is ready"), "{first}");
    serving.kill().unwrap();
    serving.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_create_an_administrator_suspend_users_and_rotate_keys() {
    let home = Home::new().await;
    let good = |arguments: &[&str]| home.good(arguments);
    assert!(good(&["user", "role", "Boss@Example.com", "admin"]).contains("ADMIN"));
    good(&["user", "role", "deputy@example.com", "admin"]);
    assert!(good(&["user", "suspend", "boss@example.com"]).contains("SUSPENDED"));
    assert!(good(&["user", "restore", "boss@example.com"]).contains("ACTIVE"));
    good(&["user", "create", "b@example.com", "--role", "guest"]);
    assert_eq!(good(&["user", "list"]).lines().count(), 4, "a heading and three users");
    assert!(text(&home.run(&["user", "create", "b@example.com"]).stderr).contains("already"));
    assert!(text(&home.run(&["user", "suspend", "nobody@example.com"]).stderr).contains("nobody"));
    assert_eq!(good(&["keys", "list"]).lines().count(), 2, "a heading and a key");
    let rotated = good(&["keys", "rotate"]);
    assert!(rotated.contains("signs from") && rotated.contains("retires at"), "{rotated}");
    assert!(good(&["purge"]).starts_with("purged"));
    assert!(good(&["schema"]).contains("type Mutation") && !good(&["schema"]).contains("inbox"));
    assert!(good(&["schema", "--development"]).contains("inbox"));
}

/// Number of kills (default 30). `DOORCODE_TEST_KILLS` sets another number for soak tests.
fn kills() -> u32 {
    std::env::var("DOORCODE_TEST_KILLS").map_or(30, |kills| kills.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_at_any_moment_neither_repeats_nor_loses_a_sign_in() {
    let home = Home::new().await;
    let mut acknowledged = 0;
    for round in 0..kills() {
        let mut program = home.start().await;
        let email = format!("kill{round}@example.com");
        let (Some(challenge), Some(code)) = (program.login(&email).await, program.code_for(&email).await) else {
            panic!("a running program responds");
        };
        let verify = program.verify(&challenge, &code);
        let kill = async {
            // Kills the program a little later each round, from before the first statement to after the response.
            tokio::time::sleep(Duration::from_micros(u64::from(round) * 200)).await;
            program.signal("-KILL");
        };
        let (answer, ()) = tokio::join!(verify, kill);
        program.child.wait().unwrap();
        let restarted = home.start().await;
        let again = restarted.verify(&challenge, &code).await.unwrap();
        match answer {
            Some(answer) if answer["__typename"] == "SignedIn" => {
                acknowledged += 1;
                assert_eq!(again["__typename"], "CodeExpired", "the code works only once");
                let access = answer["tokens"]["accessToken"].as_str().unwrap();
                let me = reqwest::Client::new()
                    .post(format!("http://127.0.0.1:{}/graphql", restarted.port))
                    .bearer_auth(access)
                    .json(&json!({ "query": "{ me { email } }" }));
                let me: Value = me.send().await.unwrap().json().await.unwrap();
                assert_eq!(me["data"]["me"]["email"], email, "an acknowledged sign-in survives the kill: {me}");
            }
            // Without a response, the sign-in may or may not have happened. The retry must succeed or find the code
            // used.
            _ => assert!(["SignedIn", "CodeExpired"].contains(&again["__typename"].as_str().unwrap()), "{again}"),
        }
        drop(restarted);
        let db = home.database.connect().await;
        let sql = "SELECT CAST(COUNT(*) AS BIGINT) AS n, CAST(COUNT(DISTINCT session_id) AS BIGINT) AS d FROM authentications";
        let row = {
            use sea_orm::ConnectionTrait;
            db.read().query_one_raw(doorcode::db::statement(db.backend(), sql, [])).await.unwrap().unwrap()
        };
        let (sessions, credentials): (i64, i64) = (row.try_get("", "n").unwrap(), row.try_get("", "d").unwrap());
        assert_eq!(sessions, credentials);
        assert!(sessions >= i64::from(acknowledged));
        assert!(sessions <= i64::from(round) + 1);
    }
}
