//! A PostgreSQL process for one test, whose settings no other test shares. Never affects another server.

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;

use super::{free_port, wait_for_port};

/// A PostgreSQL server whose settings the test may change. Dropping this value stops the server.
pub(crate) struct OwnPostgres {
    server: Child,
    port: u16,
    folder: TempDir,
}

impl OwnPostgres {
    pub(crate) fn start(settings: &[&str]) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let data = folder.path().join("data");
        let as_root = is_root();
        if as_root {
            // PostgreSQL refuses to run as root.
            assert!(Command::new("chown").arg("nobody").arg(folder.path()).status().unwrap().success());
        }
        let run = |program: &str| {
            let program = newest(program);
            let mut command = if as_root { Command::new("setpriv") } else { Command::new(&program) };
            if as_root {
                command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(&program);
            }
            command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        let password = folder.path().join("password");
        fs::write(&password, "canary-in-a-url").unwrap();
        let mut making = run("initdb");
        making.args(["--username=doorcode", "--auth=password", "--encoding=UTF8", "--locale=C", "--no-sync"]);
        making.arg("--pwfile").arg(&password).arg("--pgdata").arg(&data);
        assert!(making.status().unwrap().success(), "initdb fails: run tests/run");
        let mut serving = run("postgres");
        serving.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"]);
        serving.args(["-c", "unix_socket_directories="]);
        for setting in settings {
            serving.args(["-c", setting]);
        }
        let server = serving.spawn().unwrap();
        wait_for_port(port, Duration::from_secs(30));
        Self { server, port, folder }
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://doorcode:canary-in-a-url@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        // SIGQUIT stops PostgreSQL immediately, without saving data.
        drop(Command::new("kill").args(["-QUIT", &self.server.id().to_string()]).status());
        drop(self.server.wait());
        let _ = &self.folder;
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// The path of a PostgreSQL program, in the newest version. Debian installs each version in a separate folder.
fn newest(program: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin").join(program)).filter(|path| path.exists()).max();
    newest.unwrap_or_else(|| program.into())
}
