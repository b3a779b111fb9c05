//! A Redis or Sentinel process for one test, which the test may stop, stall and start again. Never affects another
//! server.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use secrecy::SecretString;

use crate::program::free_port;

/// A Redis process for one test. Dropping this value stops the process.
pub(crate) struct OwnRedis {
    pub(crate) port: u16,
    folder: tempfile::TempDir,
    child: Option<Child>,
    arguments: Vec<String>,
}

impl OwnRedis {
    /// Starts Redis with these arguments. `None` if Redis is not installed and such tests may be skipped.
    pub(crate) fn start(arguments: &[&str]) -> Option<Self> {
        let port = free_port();
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let mut redis = Self { port, folder: tempfile::tempdir().unwrap(), child: None, arguments };
        redis.run().then_some(redis)
    }

    pub(crate) fn run(&mut self) -> bool {
        let sentinel = self.arguments.first().filter(|argument| argument.starts_with("sentinel "));
        let mut command = Command::new("redis-server");
        if let Some(lines) = sentinel {
            let file = self.folder.path().join("sentinel.conf");
            std::fs::write(&file, lines).unwrap();
            command.arg(file).arg("--sentinel");
        } else {
            command.args(["--save", "", "--appendonly", "no"]).args(&self.arguments);
        }
        command.args(["--port", &self.port.to_string(), "--dir"]).arg(self.folder.path());
        match command.stdout(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(child) => self.child = Some(child),
            Err(error) => {
                assert!(std::env::var("DOORCODE_TEST_EMBEDDED_ONLY").is_ok(), "redis-server does not start: {error}");
                eprintln!("skipped: no redis-server");
                return false;
            }
        }
        let patience = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < patience, "redis-server does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        true
    }

    pub(crate) fn url(&self) -> SecretString {
        format!("redis://127.0.0.1:{}", self.port).into()
    }

    pub(crate) fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    pub(crate) async fn command(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", self.port)).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.stop();
    }
}
