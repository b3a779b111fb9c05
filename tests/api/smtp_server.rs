//! Runs a real mail server as a child process, with a temporary certificate. The server listens only on loopback.
//! Dropping its handle stops the server.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tls {
    None,
    /// The server requires STARTTLS before any other command.
    Required,
    Smtps,
    /// The client expects STARTTLS, but an attacker between client and server removes it from the server's response.
    Stripped,
}

/// The user name and password that the server requires.
const USER: &str = "doorcode:c0rrect%horse";
const USER_IN_URL: &str = "doorcode:c0rrect%25horse";

pub(crate) struct SmtpServer {
    child: Child,
    /// Everything that the server reported, with the time of the report.
    events: Arc<Mutex<Vec<(Instant, Value)>>>,
    port: u16,
    tls: Tls,
    keys: TempDir,
}

/// Whether tests that need installed programs may be skipped (`DOORCODE_TEST_EMBEDDED_ONLY=1`). If not, a missing
/// program makes the test fail.
pub(crate) fn embedded_only() -> bool {
    std::env::var("DOORCODE_TEST_EMBEDDED_ONLY").is_ok_and(|value| value == "1")
}

impl SmtpServer {
    pub(crate) fn start(tls: Tls) -> Self {
        Self::launch(tls, &[])
    }

    /// Starts a server without TLS. For each email it waits between `least` and `most` seconds.
    pub(crate) fn slow(least: &str, most: &str) -> Self {
        Self::launch(Tls::None, &["--takes", least, most])
    }

    fn launch(tls: Tls, more: &[&str]) -> Self {
        let keys = tempfile::tempdir().unwrap();
        make_certificates(keys.path());
        let protection = match tls {
            Tls::None => "none",
            Tls::Required | Tls::Stripped => "starttls",
            Tls::Smtps => "smtps",
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp_server.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).args(["--port", "0", "--tls", protection, "--auth", USER]);
        command.arg("--cert").arg(keys.path().join("server.pem")).arg("--key").arg(keys.path().join("server.key"));
        command.args(more);
        if tls == Tls::Stripped {
            command.arg("--no-starttls");
        }
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| panic!("{error}: run tests/run"));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().and_then(Result::ok).and_then(|line| line.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the test mail server does not start (aiosmtpd?): run tests/run"));
        let events = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&events);
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                sink.lock().unwrap().push((Instant::now(), serde_json::from_str(&line).unwrap()));
            }
        });
        Self { child, events, port, tls, keys }
    }

    /// An `SMTP_URL` for this server, with credentials and TLS settings.
    pub(crate) fn url(&self) -> String {
        let ca = self.ca();
        let (port, ca) = (self.port, ca.display());
        match self.tls {
            Tls::None => format!("smtp://{USER_IN_URL}@127.0.0.1:{port}"),
            Tls::Required | Tls::Stripped => {
                format!("smtp://{USER_IN_URL}@127.0.0.1:{port}?tls=required&ca={ca}")
            }
            Tls::Smtps => format!("smtps://{USER_IN_URL}@127.0.0.1:{port}?ca={ca}"),
        }
    }

    /// The certificate file of the authority that signed the server's certificate.
    pub(crate) fn ca(&self) -> PathBuf {
        self.keys.path().join("ca.pem")
    }

    /// All reports of one kind so far: `connect`, `auth`, `mail` (a MAIL command) or `message`.
    pub(crate) fn events(&self, kind: &str) -> Vec<Value> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|(_, event)| event["event"] == kind).map(|(_, event)| event.clone()).collect()
    }

    /// The times at which the server accepted emails to an address.
    pub(crate) fn arrivals(&self, to: &str) -> Vec<Instant> {
        let events = self.events.lock().unwrap();
        events.iter().filter(|(_, event)| event["to"][0] == to).map(|(at, _)| *at).collect()
    }

    /// Waits until the server has accepted this many emails, and returns them.
    pub(crate) fn messages(&self, at_least: usize) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(5);
        loop {
            let messages = self.events("message");
            if messages.len() >= at_least || Instant::now() > deadline {
                return messages;
            }
            // The server responds to the client before its report arrives through the pipe.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        // The server also stops when its standard input closes, unless it hangs.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Creates a certificate authority, and a certificate for loopback that is valid for a day.
fn make_certificates(folder: &Path) {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).current_dir(folder).output();
        let output = output.unwrap_or_else(|error| panic!("openssl: {error}: run tests/run"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    let mut authority = vec!["req", "-x509", "-days", "1", "-subj", "/CN=Test authority", "-keyout", "ca.key"];
    authority.extend(key);
    authority.extend(["-out", "ca.pem"]);
    openssl(&authority);
    let mut request = vec!["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"];
    request.extend(key);
    openssl(&request);
    let extensions = "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth\n";
    std::fs::write(folder.join("server.ext"), extensions).unwrap();
    openssl(&[
        "x509",
        "-req",
        "-days",
        "1",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-extfile",
        "server.ext",
        "-out",
        "server.pem",
    ]);
}
