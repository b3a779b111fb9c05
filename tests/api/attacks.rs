//! Attacks on a server process over a real socket. Each row of a table is one attack: its bytes, the expected response,
//! and bounds on time and memory. Afterwards the process is alive, nothing was executed, and no counter moved.
//!
//! `DOORCODE_TEST_PROGRAM` names another build to attack, `DOORCODE_TEST_ATTACK_MS` another time bound, and
//! `DOORCODE_TEST_ATTACK_TABLE` a file for the results as a Markdown table.

mod codes;
mod crowd;
pub(crate) mod documents;
mod edge;
mod faults;
mod graphql;
mod log;
mod passwords;
mod target;
mod tokens;

use std::{fmt::Write as _, io::Write as _, time::Duration};

use target::{Reply, Target, http};

const JSON: (&str, &str) = ("content-type", "application/json");
/// Memory that an attack may use beyond the idle process, in KiB.
const MEMORY: usize = 64 * 1024;
/// Sends per attack. The fastest counts, so that a busy machine does not distort the time.
const SENDS: usize = 3;

/// Time limit for the response to an attack.
fn time_allowed() -> Duration {
    let ms = std::env::var("DOORCODE_TEST_ATTACK_MS").map_or(50, |ms| ms.parse().unwrap());
    Duration::from_millis(ms)
}

/// Accepted responses to an attack.
#[derive(Clone, Debug)]
enum Allowed {
    /// The whole request is refused with this status and code, in the standard shape, without data.
    Refused(u16, &'static str),
    /// Refused while parsing HTTP: this status and no body.
    Unread(u16),
    /// The connection is closed, as for another protocol.
    Closed,
    /// Refused in the field that it asked for, with this code.
    InField(&'static str),
    /// A normal response with this status and this part of the body. The injected input had no effect.
    Harmless(u16, &'static str),
}

/// One attack: its name, the bytes, and the accepted response.
#[derive(Clone)]
struct Attack {
    name: String,
    bytes: Vec<u8>,
    allowed: Vec<Allowed>,
}

impl Attack {
    fn new(name: impl Into<String>, bytes: Vec<u8>, allowed: Allowed) -> Self {
        Self { name: name.into(), bytes, allowed: vec![allowed] }
    }

    /// A document that is refused.
    fn document((name, document, (status, code)): documents::Hostile) -> Self {
        Self::new(name, call(&document), Allowed::Refused(status, code))
    }

    /// What is wrong with this response, if anything.
    fn complaint(&self, reply: Option<&Reply>) -> Option<String> {
        let Some(reply) = reply else {
            let closed = self.allowed.iter().any(|allowed| matches!(allowed, Allowed::Closed));
            return (!closed).then(|| "the connection ended without an answer".into());
        };
        let fits = self.allowed.iter().any(|allowed| match allowed {
            Allowed::Refused(status, code) => {
                let whole = reply.json.as_object().is_some_and(|object| object.len() == 1);
                (reply.status, reply.code()) == (*status, Some(*code)) && whole
            }
            Allowed::Unread(status) => reply.status == *status && reply.text.is_empty(),
            Allowed::Closed => false,
            Allowed::InField(code) => (reply.status, reply.code()) == (200, Some(*code)),
            Allowed::Harmless(status, part) => {
                reply.status == *status && reply.json["errors"].is_null() && reply.text.contains(part)
            }
        });
        let answer = || format!("{} {:.300}", reply.status, reply.text);
        if !fits {
            return Some(format!("{} instead of {:?}", answer(), self.allowed));
        }
        let unread =
            self.allowed.iter().any(|allowed| matches!(allowed, Allowed::Unread(status) if *status == reply.status));
        let dressed = if unread && reply.text.is_empty() { None } else { shape_problem(reply) };
        dressed.map(|what| format!("{what}: {}", answer()))
    }
}

/// What a response lacks that each of ours has, or has that none of ours may have.
fn shape_problem(reply: &Reply) -> Option<String> {
    let has = [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let missing = has.iter().find(|(name, value)| !reply.header(name).is_some_and(|found| found.contains(value)));
    if let Some((name, _)) = missing {
        return Some(format!("{name} is {:?}", reply.header(name)));
    }
    let Some(id) = reply.header("x-request-id") else { return Some("no request id".into()) };
    let never = ["set-cookie", "server", "x-powered-by", "access-control-allow-origin", "location"];
    if let Some(name) = never.iter().find(|name| reply.header(name).is_some()) {
        return Some(format!("{name} is there"));
    }
    let errors = reply.json["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    errors.iter().find_map(|error| {
        let message = error["message"].as_str().unwrap_or_default();
        let leaks =
            ["doorcode::", "src/", ".rs", "SELECT", "sqlx", "panicked", "Did you mean", "async_graphql", "\u{1b}"];
        let shaped = !message.is_empty()
            && error["extensions"]["requestId"] == id
            && error["extensions"].as_object().unwrap().keys().all(|key| KEYS.contains(&key.as_str()))
            && !leaks.iter().any(|leak| reply.text.contains(leak));
        (!shaped).then(|| "not in the one shape".to_owned())
    })
}

const KEYS: [&str; 4] = ["code", "requestId", "field", "problems"];

fn call(document: &str) -> Vec<u8> {
    json_call(&serde_json::json!({ "query": document }).to_string())
}

fn json_call(body: &str) -> Vec<u8> {
    http("POST", "/graphql", &[JSON], body)
}

/// Sends every attack and checks the response, the time, the memory, and that no counter moved.
async fn run_attacks(target: &Target, group: &str, attacks: &[Attack]) {
    let db = target.database().await;
    let before = target.counters(&db).await;
    let mut table = Table::default();
    for attack in attacks {
        table.row(target, group, attack).await;
        let moved = target.counters(&db).await;
        if moved != before {
            table.broken.push(format!("{}: moved {before:?} to {moved:?}", attack.name));
            break;
        }
    }
    table.close();
}

/// Results so far, and what was wrong.
#[derive(Default)]
struct Table {
    rows: String,
    broken: Vec<String>,
}

impl Table {
    async fn row(&mut self, target: &Target, group: &str, attack: &Attack) {
        let resident = target.resident();
        target.forget_peak();
        let (mut best, mut answer) = (Duration::MAX, String::new());
        for _ in 0..SENDS {
            let (reply, took) = target.send(&attack.bytes).await;
            best = best.min(took);
            self.broken.extend(attack.complaint(reply.as_ref()).map(|why| format!("{}: {why}", attack.name)));
            answer = reply.map_or_else(
                || "closed".into(),
                |reply| format!("{} {}", reply.status, reply.code().unwrap_or_default()).trim().to_owned(),
            );
        }
        self.measured(target, &attack.name, resident);
        if best > time_allowed() {
            self.broken.push(format!("{}: took {best:?}", attack.name));
        }
        if !target.is_alive().await {
            self.broken.push(format!("{}: the process does not answer", attack.name));
        }
        self.write(target, &format!("{group}: {}", attack.name), &answer, best, resident);
    }

    fn measured(&mut self, target: &Target, name: &str, resident: usize) {
        let peak = target.peak();
        if peak > target.idle + MEMORY {
            self.broken.push(format!("{name}: {peak} KiB, from {resident} KiB and {} KiB idle", target.idle));
        }
    }

    fn write(&mut self, target: &Target, what: &str, answer: &str, took: Duration, resident: usize) {
        let (ms, mib) = (took.as_secs_f64() * 1e3, |kib: usize| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024));
        let (before, peak) = (mib(resident), mib(target.peak()));
        writeln!(self.rows, "| {what} | {answer} | {ms:.1} | {before} MiB | {peak} MiB |").unwrap();
    }

    #[track_caller]
    fn close(self) {
        if let Some(file) = std::env::var_os("DOORCODE_TEST_ATTACK_TABLE") {
            let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
            if file.metadata().unwrap().len() == 0 {
                let head = "| attack | answer | ms | RSS before | peak after |\n| --- | --- | ---: | ---: | ---: |\n";
                file.write_all(head.as_bytes()).unwrap();
            }
            file.write_all(self.rows.as_bytes()).unwrap();
        }
        assert!(self.broken.is_empty(), "{} of\n{}\n{}", self.broken.len(), self.rows, self.broken.join("\n"));
    }
}
