//! Telemetry of a running server: traces at a real receiver of OTLP over HTTP, metrics as Prometheus reads them, log
//! lines. Each test uses a separate server process and one whole sign-in.

mod collector;
mod logs;
mod metrics;
mod traces;

use std::collections::HashMap;

use serde_json::Value;

use crate::program::{Home, Program};

const EMAIL: &str = "telemetry@example.com";

/// The secrets of a sign-in.
struct Secrets {
    code: String,
    access: String,
    refresh: String,
    challenge: String,
}

impl Secrets {
    fn assert_absent(&self, from: &str) {
        for secret in [&self.code, &self.access, &self.refresh, &self.challenge] {
            assert!(!from.contains(secret.as_str()), "a secret leaked");
        }
    }
}

/// Signs in, and asks for `me`.
async fn sign_in(program: &Program) -> Secrets {
    let challenge = program.login(EMAIL).await.unwrap();
    let code = program.code_for(EMAIL).await.unwrap();
    let other = crate::harness::other_than(&code);
    assert_eq!(program.verify(&challenge, &other).await.unwrap()["__typename"], "InvalidCode");
    let signed_in = program.verify(&challenge, &code).await.unwrap();
    let text = |name: &str| signed_in["tokens"][name].as_str().unwrap().to_owned();
    Secrets { access: text("accessToken"), refresh: text("refreshToken"), code, challenge }
}

async fn post(program: &Program, body: &Value, headers: &[(&str, &str)]) -> reqwest::Response {
    let client = reqwest::Client::new();
    let mut request = client.post(format!("http://127.0.0.1:{}/graphql", program.port)).json(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

/// The metrics of a server, by name with labels as written.
async fn scrape(program: &Program) -> HashMap<String, f64> {
    let text = reqwest::get(format!("http://127.0.0.1:{}/metrics", program.ops)).await.unwrap().text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        // An exemplar follows a `#`.
        let sample = line.split(" # ").next().unwrap_or(line);
        let (name, value) = sample.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
    };
    samples.map(read).collect()
}

/// A server with these variables.
async fn start(variables: &[(&str, &str)]) -> (Home, Program) {
    let home = Home::new().await;
    let program = home.start_with(|command| _ = command.envs(variables.iter().copied())).await;
    (home, program)
}
