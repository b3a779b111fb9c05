//! A server process under attack, and its attacker. Sends raw bytes over a socket, and measures the response time and
//! the memory of the process. The tests that use this module check the results.

use std::{
    fmt::Write,
    net::{Ipv4Addr, SocketAddr},
    process::Command,
    time::{Duration, Instant},
};

use doorcode::{db::Db, ports::Entropy};
use sea_orm::ConnectionTrait;
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::timeout,
};

use crate::program::{Home, Program};

/// Time limit for a response. Longer than any response takes, including the timeout of a slow body.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this long without data, no further data is expected.
const QUIET: Duration = Duration::from_millis(300);

/// The bytes of a request, with `Host` and `Content-Length` added.
pub(super) fn http(method: &str, path: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost:4000\r\n");
    for (name, value) in headers {
        write!(head, "{name}: {value}\r\n").unwrap();
    }
    let body = body.as_ref();
    if method != "GET" || !body.is_empty() {
        write!(head, "content-length: {}\r\n", body.len()).unwrap();
    }
    [head.as_bytes(), b"\r\n", body].concat()
}

#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Name in lower case, and value.
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) json: Value,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.iter().filter(|(known, _)| known == name);
        let (_, value) = all.next()?;
        assert!(all.next().is_none(), "{name} twice in {self:?}");
        Some(value)
    }

    /// The code of the first error.
    pub(super) fn code(&self) -> Option<&str> {
        self.json["errors"][0]["extensions"]["code"].as_str()
    }
}

/// Parses the first response, and returns it with the bytes after it. Skips interim (1xx) responses. Returns `None` if
/// the response is incomplete.
fn parse(bytes: &[u8], ended: bool) -> Option<(Reply, &[u8])> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
    let rest = &bytes[head_end + 4..];
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    if status == 100 {
        return parse(rest, ended);
    }
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length").map(|(_, length)| length.parse().unwrap());
    let length = match length {
        Some(length) => length,
        None if status == 101 => 0,
        None if ended => rest.len(),
        None => return None,
    };
    let body = rest.get(..length)?;
    let text = String::from_utf8_lossy(body).into_owned();
    let json = serde_json::from_slice(body).unwrap_or(Value::Null);
    Some((Reply { status, headers, text, json }, &rest[length..]))
}

/// One connection to the server.
pub(super) struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    /// Sends the bytes and waits for one response. Returns `None` if the server closes the connection instead. Reads
    /// and writes concurrently, because a server that refuses a request does not read all of it.
    pub(super) async fn ask(&mut self, bytes: &[u8]) -> Option<Reply> {
        let (mut reading, mut writing) = self.stream.split();
        let read = &mut self.read;
        let answer = async {
            loop {
                if let Some((reply, rest)) = parse(read, false) {
                    *read = rest.to_vec();
                    return Some(reply);
                }
                let mut part = vec![0; 16 * 1024];
                match reading.read(&mut part).await {
                    Ok(length @ 1..) => read.extend_from_slice(&part[..length]),
                    _ => return parse(read, true).map(|(reply, _)| reply),
                }
            }
        };
        let write = async {
            // Ignore a write error: if the connection is closed, the response is missing as well.
            drop(writing.write_all(bytes).await);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            answer = timeout(PATIENCE, answer) => answer.unwrap_or_else(|_| panic!("no response to {:.300}", text(bytes))),
            () = write => None,
        }
    }

    /// Sends the bytes and returns all responses, until no data arrives for `QUIET` or the connection ends.
    pub(super) async fn all(&mut self, bytes: &[u8]) -> Vec<Reply> {
        drop(self.stream.write_all(bytes).await);
        let mut part = vec![0; 16 * 1024];
        while let Ok(Ok(length @ 1..)) = timeout(QUIET, self.stream.read(&mut part)).await {
            self.read.extend_from_slice(&part[..length]);
        }
        let (mut replies, mut rest) = (Vec::new(), self.read.as_slice());
        while let Some((reply, after)) = parse(rest, true) {
            replies.push(reply);
            rest = after;
        }
        replies
    }
}

/// The server process under attack.
pub(super) struct Target {
    program: Program,
    home: Option<Home>,
    /// The attacker's address. Each test uses another address, because limits are counted by address.
    from: Ipv4Addr,
    /// Resident memory when idle, in KiB.
    pub(super) idle: usize,
}

impl Target {
    /// Starts a development server with these settings.
    pub(super) async fn new(change: impl FnOnce(&mut Command)) -> Self {
        let home = Home::new().await;
        let program = home.start_with(change).await;
        Self::over(program, Some(home)).await
    }

    /// Attacks a program that is already running.
    pub(super) async fn over(program: Program, home: Option<Home>) -> Self {
        let mut bytes = [0; 3];
        doorcode::adapter::system::SystemEntropy.fill(&mut bytes);
        let [network, subnet, host] = bytes;
        // The attacker gets an even address, and the well-behaved client an odd one. No other test uses these
        // addresses, because with `DOORCODE_TEST_STACK=servers` all tests share the limits in Redis.
        let from = Ipv4Addr::new(127, network.max(1), subnet, host.clamp(2, 253) & !1);
        let program = program.called_from(Ipv4Addr::from_bits(from.to_bits() + 1).into());
        let mut target = Self { program, home, from, idle: 0 };
        target.warm_up().await;
        target.idle = target.resident();
        target
    }

    /// Sends a few requests, so that one-time allocations (pools, buffers) are not measured as part of an attack.
    async fn warm_up(&self) {
        let good = http("POST", "/graphql", &[super::JSON], r#"{"query":"{ me { id } }"}"#);
        let broken = http("POST", "/graphql", &[super::JSON], r#"{"query":"{ nothing }"}"#);
        for _ in 0..20 {
            let mut wire = self.connect().await;
            assert_eq!(wire.ask(&good).await.unwrap().status, 200);
            assert_eq!(wire.ask(&broken).await.unwrap().status, 422);
        }
    }

    pub(super) async fn connect(&self) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((self.from, 0))).unwrap();
        let stream = socket.connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.program.port))).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Wire { stream, read: Vec::new() }
    }

    /// Sends the bytes on a new connection. Returns the response, and the time from the first byte sent to the last
    /// byte read.
    pub(super) async fn send(&self, bytes: &[u8]) -> (Option<Reply>, Duration) {
        let mut wire = self.connect().await;
        let start = Instant::now();
        let reply = wire.ask(bytes).await;
        (reply, start.elapsed())
    }

    pub(super) async fn post(&self, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Reply {
        let headers = [&[super::JSON], headers].concat();
        self.send(&http("POST", "/graphql", &headers, body)).await.0.expect("a response")
    }

    pub(super) async fn is_alive(&self) -> bool {
        let (reply, _) = self.send(&http("GET", "/health", &[], "")).await;
        reply.is_some_and(|reply| reply.status == 200)
    }

    /// The program, for calls of a well-behaved client from another address.
    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// Signs in, and returns the access and refresh tokens.
    pub(super) async fn sign_in(&self, email: &str) -> Value {
        let challenge = self.program.login(email).await.expect("a challenge");
        let code = self.program.code_for(email).await.expect("a code");
        self.program.verify(&challenge, &code).await.expect("a session")["tokens"].clone()
    }

    /// Resident memory now, in KiB.
    pub(super) fn resident(&self) -> usize {
        self.status("VmRSS:")
    }

    /// Peak resident memory since `forget_peak`, in KiB. If the kernel does not allow the reset, returns the peak since
    /// the start of the process, which is at least as high.
    pub(super) fn peak(&self) -> usize {
        self.status("VmHWM:")
    }

    pub(super) fn forget_peak(&self) {
        drop(std::fs::write(format!("/proc/{}/clear_refs", self.program.pid()), "5"));
    }

    fn status(&self, name: &str) -> usize {
        let path = format!("/proc/{}/status", self.program.pid());
        let status = std::fs::read_to_string(path).expect("a running process");
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// Counts of everything that a guess, an email, a sign-in or a refusal would change, by name.
    pub(super) async fn counters(&self, db: &Db) -> Vec<(&'static str, i64)> {
        let columns: Vec<_> = COUNTED.iter().map(|(name, sql)| format!("({sql}) AS {name}")).collect();
        let sql = format!("SELECT {}", columns.join(", "));
        let row = db.read().query_one_raw(doorcode::db::statement(db.backend(), &sql, [])).await.unwrap().unwrap();
        COUNTED.iter().map(|(name, _)| (*name, row.try_get("", name).unwrap())).collect()
    }

    pub(super) async fn database(&self) -> Db {
        self.home.as_ref().expect("a home").database.connect().await
    }
}

const COUNTED: [(&str, &str); 11] = [
    ("people", "SELECT CAST(COUNT(*) AS BIGINT) FROM users"),
    ("changes", "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM users"),
    ("devices", "SELECT CAST(COUNT(*) AS BIGINT) FROM devices"),
    ("sessions", "SELECT CAST(COUNT(*) AS BIGINT) FROM sessions"),
    ("sessions_open", "SELECT CAST(COUNT(*) AS BIGINT) FROM sessions WHERE ended_at IS NULL"),
    ("codes", "SELECT CAST(COUNT(*) AS BIGINT) FROM email_codes"),
    ("codes_used", "SELECT CAST(COUNT(*) AS BIGINT) FROM email_codes WHERE consumed_at IS NOT NULL"),
    ("attempts", "SELECT CAST(COALESCE(SUM(attempts), 0) AS BIGINT) FROM email_codes"),
    ("units", "SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes"),
    ("mails", "SELECT CAST(COUNT(*) AS BIGINT) FROM outbox"),
    ("events", "SELECT CAST(COUNT(*) AS BIGINT) FROM audit_events"),
];

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
