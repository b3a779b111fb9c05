//! The program as processes of their own, to be killed.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command},
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{START, order, postgres};

/// A folder, a database and settings that processes share.
#[derive(Clone)]
pub(crate) struct Home {
    folder: Arc<TempDir>,
    pub variables: Vec<(String, String)>,
}

impl Home {
    pub(crate) async fn new() -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut variables = vec![("DOORCODE_DATA".to_owned(), folder.path().display().to_string())];
        variables.extend(postgres().await.map(|url| ("DATABASE_URL".to_owned(), url)));
        Self { folder, variables }
    }

    /// Sets a variable for processes that start from now on.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// A process with these arguments. `log` is the name of the file with its output.
    pub(crate) fn spawn(&self, arguments: &[&str], log: &str) -> Process {
        let log = self.folder.path().join(log);
        let output = File::create(&log).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_verificai"));
        command.env_clear().current_dir(self.folder.path()).args(arguments).envs(self.variables.iter().cloned());
        command.stdout(output.try_clone().unwrap()).stderr(output);
        Process { child: command.spawn().unwrap(), log }
    }

    /// A server, with the variables for its ports.
    pub(crate) async fn serve(&mut self, log: &str) -> Running {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [public, ops] = listeners.map(|listener| listener.local_addr().unwrap().to_string());
        self.set("DOORCODE_LISTEN", &public);
        self.set("DOORCODE_OPS_LISTEN", &ops);
        let server = Running { process: self.spawn(&[], log), url: format!("http://{public}") };
        let start = Instant::now();
        while !reqwest::get(format!("{}/ready", server.url)).await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(start.elapsed() < Duration::from_mins(1), "the program does not start: {}", server.process.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        server
    }
}

/// A process. Dropping it kills it, as `kill -9` does.
pub(crate) struct Process {
    pub child: Child,
    log: PathBuf,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Process {
    /// What it has printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Asks it to stop, and waits until it does. Returns whether it succeeded.
    pub(crate) async fn stop(mut self) -> bool {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.wait().await
    }

    /// Waits until it ends. Returns whether it succeeded.
    pub(crate) async fn wait(&mut self) -> bool {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.success();
            }
            assert!(start.elapsed() < Duration::from_mins(1), "it does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// A server that answers.
pub(crate) struct Running {
    pub process: Process,
    pub url: String,
}

impl Running {
    pub(crate) async fn ask(&self, token: Option<&str>, query: &str, variables: Value) -> Value {
        let request = reqwest::Client::new().post(format!("{}/graphql", self.url));
        let request = request.header("content-type", "application/json");
        let request = request.body(json!({ "query": query, "variables": variables }).to_string());
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
    }

    /// Signs in with a code from the inbox. Returns the access token.
    pub(crate) async fn sign_in(&self, email: &str) -> String {
        let login = "mutation($email: String!) { login(input: { email: $email }) { ... on CodeSent { challenge } } }";
        let sent = self.ask(None, login, json!({ "email": email })).await;
        for _ in 0..200 {
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
        panic!("no email: {}", self.process.log());
    }

    /// Starts an analysis of one file with a preset. Returns its ID.
    pub(crate) async fn start(&self, token: &str, key: &str) -> String {
        let prompts = self.ask(Some(token), "{ prompts(last: 1) { nodes { id } } }", json!({})).await;
        let prompt = prompts["data"]["prompts"]["nodes"][0]["id"].as_str().unwrap_or_else(|| panic!("{prompts}"));
        let started = self.ask(Some(token), START, order(prompt, key, &[("a.rs", "x.unwrap()\n")])).await;
        let id = started["data"]["startAnalysis"]["analysis"]["id"].as_str();
        id.unwrap_or_else(|| panic!("{started}")).to_owned()
    }

    /// Waits until the user has this many analyses in a state.
    pub(crate) async fn wait_for(&self, token: &str, status: &str, number: u64, most: Duration) {
        let start = Instant::now();
        loop {
            let query = format!("{{ analyses(status: {status}) {{ totalCount }} }}");
            let found = self.ask(Some(token), &query, json!({})).await;
            if found["data"]["analyses"]["totalCount"] == number {
                return;
            }
            assert!(start.elapsed() < most, "{found}, not {number} {status}: {}", self.process.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
