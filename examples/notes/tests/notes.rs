//! Runs the program of docs/build-on/library.md, on SQLite, or on PostgreSQL with `DOORCODE_TEST_STACK=servers`.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    net::TcpListener,
    process::{Child, Command},
    time::Duration,
};

use sea_orm::{ConnectionTrait, Database};
use serde_json::{Value, json};
use tempfile::TempDir;

struct Notes {
    program: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for Notes {
    fn drop(&mut self) {
        self.program.kill().unwrap();
        self.program.wait().unwrap();
    }
}

impl Notes {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [public, ops] = listeners.map(|listener| listener.local_addr().unwrap().to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_notes"));
        command.env_clear().current_dir(folder.path()).env("DOORCODE_DATA", folder.path());
        command.env("DOORCODE_LISTEN", &public).env("DOORCODE_OPS_LISTEN", &ops);
        if let Some(url) = postgres().await {
            command.env("DATABASE_URL", url);
        }
        let program = command.spawn().unwrap();
        let notes = Self { program, url: format!("http://{public}"), _folder: folder };
        for _ in 0..200 {
            let ready = reqwest::get(format!("{}/ready", notes.url)).await;
            if ready.is_ok_and(|response| response.status().is_success()) {
                return notes;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the program does not start");
    }

    async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.url));
        let request = request.json(&json!({ "query": query, "variables": variables }));
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        request.send().await.unwrap().json().await.unwrap()
    }

    /// Signs in with a code from the inbox. Returns the access token.
    async fn sign_in(&self, email: &str) -> String {
        let login = "mutation($email: String!) { login(input: { email: $email }) { ... on CodeSent { challenge } } }";
        let sent = self.ask(None, login, json!({ "email": email })).await;
        for _ in 0..100 {
            let inbox = "query($to: String) { inbox(to: $to, first: 1) { code } }";
            let mail = self.ask(None, inbox, json!({ "to": email })).await;
            let code = &mail["data"]["inbox"][0]["code"];
            if code.is_string() {
                let verify = "mutation($input: VerifyInput!) { verify(input: $input) { ... on SignedIn { \
                    tokens { accessToken } } } }";
                let input = json!({ "challenge": sent["data"]["login"]["challenge"], "code": code });
                let done = self.ask(None, verify, json!({ "input": input })).await;
                return done["data"]["verify"]["tokens"]["accessToken"].as_str().unwrap().to_owned();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no email");
    }
}

/// Creates an empty database if the tests run on PostgreSQL. It is gone when `tests/run` stops the server.
async fn postgres() -> Option<String> {
    let server = std::env::var("DOORCODE_TEST_DATABASE_URL").ok()?;
    std::env::var("DOORCODE_TEST_STACK").ok().filter(|stack| stack == "servers")?;
    let name = format!("notes_{}", uuid::Uuid::now_v7().simple());
    let maintenance = Database::connect(&server).await.unwrap();
    maintenance.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
    let (host, _) = server.rsplit_once('/').unwrap();
    Some(format!("{host}/{name}"))
}

fn code(answer: &Value) -> &str {
    answer["errors"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("no error in {answer}"))
}

#[tokio::test]
async fn users_write_notes_and_see_only_their_own() {
    let notes = Notes::start().await;
    let (ada, bob) = (notes.sign_in("ada@example.com").await, notes.sign_in("bob@example.com").await);
    let add = "mutation($text: String!) { addNote(text: $text) { id text } }";
    for text in ["Buy milk", "Call Bob"] {
        let added = notes.ask(Some(&ada), add, json!({ "text": text })).await;
        assert_eq!(added["data"]["addNote"]["text"], text, "{added}");
    }
    let list = "{ me { email } notes { text } }";
    let hers = notes.ask(Some(&ada), list, json!({})).await;
    assert_eq!(hers["data"]["notes"], json!([{ "text": "Call Bob" }, { "text": "Buy milk" }]));
    assert_eq!(hers["data"]["me"]["email"], "ada@example.com");
    assert_eq!(notes.ask(Some(&bob), list, json!({})).await["data"]["notes"], json!([]));
    let options = notes.ask(None, "{ signInOptions { brand } }", json!({})).await;
    assert_eq!(options["data"]["signInOptions"]["brand"], "Notes");
    assert_eq!(code(&notes.ask(None, "{ notes { text } }", json!({})).await), "UNAUTHENTICATED");
    assert_eq!(code(&notes.ask(Some(&ada), add, json!({ "text": " " })).await), "BAD_USER_INPUT");
}

#[test]
fn the_guide_shows_this_program_in_less_than_100_lines() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let program = read("src/main.rs");
    assert!(program.lines().count() < 100, "{}", program.lines().count());
    let guide = read("../../docs/build-on/library.md");
    let (_, rest) = guide.split_once("```rust\n//! Notes").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    assert_eq!(format!("//! Notes{shown}"), program);
    // The dependencies of the guide are those of the program.
    let (_, rest) = guide.split_once("```toml\n").unwrap();
    let (shown, _) = rest.split_once("```").unwrap();
    let manifest = read("Cargo.toml");
    for line in shown.lines().filter(|line| line.contains(" = ")) {
        let name = line.split(" = ").next().unwrap();
        assert!(
            manifest.contains(&format!("\n{name} = ")) || manifest.contains(&format!("\n{name}.workspace")),
            "{name}"
        );
    }
}
