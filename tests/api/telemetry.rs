//! Telemetry of a running server: traces exported over OTLP/HTTP to a test collector, metrics as Prometheus scrapes
//! them, and log lines. Each test starts a separate server process, and most tests sign in once.

mod api_keys;
mod collector;
mod logs;
mod metrics;
mod passwords;
mod traces;

use std::collections::HashMap;

use serde_json::Value;

use crate::program::{Home, Program};

const EMAIL: &str = "telemetry@example.com";

/// Secrets that one sign-in creates. Telemetry must not contain them.
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

/// Signs in after one wrong code, and returns the secrets.
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

/// Reads `/metrics`. The key of each value is the metric's name with its labels, as in the response.
async fn scrape(program: &Program) -> HashMap<String, f64> {
    let text = reqwest::get(format!("http://127.0.0.1:{}/metrics", program.ops)).await.unwrap().text().await.unwrap();
    assert!(text.ends_with("# EOF\n"), "{text}");
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        // An exemplar may follow the value, after ` # `.
        let sample = line.split(" # ").next().unwrap_or(line);
        let (name, value) = sample.rsplit_once(' ').unwrap_or_else(|| panic!("not a sample: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("not a number: {line}")))
    };
    samples.map(read).collect()
}

/// Starts a server with these environment variables.
async fn start(variables: &[(&str, &str)]) -> (Home, Program) {
    let home = Home::new().await;
    let program = home.start_with(|command| _ = command.envs(variables.iter().copied())).await;
    (home, program)
}
