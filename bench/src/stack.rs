//! The servers of a run: PostgreSQL and Redis on free ports of loopback, in a temporary folder that is removed at the
//! end. PostgreSQL keeps its default durability, because commits are part of what is measured.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    os::unix::fs::{PermissionsExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::mailbox::Mailbox;

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);

/// A child process that ends with this value, or with the driver if that is killed.
pub(crate) struct Server {
    name: String,
    child: Child,
    signal: Signal,
    log: PathBuf,
}

impl Server {
    /// Starts a program through `setpriv`, which lets the kernel end it together with the driver. As `nobody` if asked
    /// and if the driver is root, because PostgreSQL refuses to run as root.
    pub(crate) fn start(name: &str, folder: &Path, as_nobody: bool, command: &[&str], env: &[Setting]) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = fs::File::create(&log)?;
        let mut setpriv = Command::new("setpriv");
        setpriv.args(["--pdeathsig", "TERM"]).args(if as_nobody { nobody()? } else { Vec::new() });
        setpriv.args(command).current_dir(folder).env_clear().stdin(Stdio::null());
        if let Some(path) = std::env::var_os("PATH") {
            setpriv.env("PATH", path);
        }
        setpriv.envs(env.iter().map(|(name, value)| (name, value)));
        let child = setpriv.stdout(output.try_clone()?).stderr(output).spawn().context("cannot run setpriv")?;
        Ok(Self { name: name.to_owned(), child, signal: Signal::TERM, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until a condition holds, and returns how long that took. Fails with the log if the program ends.
    pub(crate) async fn ready(&mut self, mut is_ready: impl AsyncFnMut() -> bool) -> Result<Duration> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE && self.child.try_wait()?.is_none() {
            if is_ready().await {
                return Ok(started.elapsed());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().rev().take(20).collect();
        let lines: Vec<_> = lines.into_iter().rev().collect();
        bail!("{} does not start. Its output:\n{}", self.name, lines.join("\n"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid
            && matches!(self.child.try_wait(), Ok(None))
        {
            // A process that has just ended needs no signal.
            let _ = kill_process(pid, self.signal);
        }
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > Duration::from_secs(10) {
                drop(self.child.kill());
            }
            sleep(Duration::from_millis(5));
        }
    }
}

/// An environment variable.
pub(crate) type Setting = (String, String);

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The user and group id of `nobody`.
fn nobody_ids() -> Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let line = users.lines().find(|line| line.starts_with("nobody:")).context("there is no user nobody")?;
    let ids: Vec<&str> = line.split(':').collect();
    Ok((ids[2].parse()?, ids[3].parse()?))
}

fn nobody() -> Result<Vec<String>> {
    if !is_root() {
        return Ok(Vec::new());
    }
    let (user, group) = nobody_ids()?;
    Ok(vec![format!("--reuid={user}"), format!("--regid={group}"), "--clear-groups".to_owned()])
}

/// A random secret in Base64.
pub(crate) fn secret() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).context("the system provides no randomness")?;
    Ok(STANDARD.encode(bytes))
}

/// A free port of loopback.
pub(crate) fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The folder of PostgreSQL's programs.
fn postgres_programs() -> Result<PathBuf> {
    let installed = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = installed.map(|entry| entry.path().join("bin")).filter(|path| path.join("initdb").exists()).max();
    newest.context("PostgreSQL is not installed; on Debian, install postgresql")
}

/// The servers of a run and its folder. Fields are dropped in order, so the folder goes last.
pub(crate) struct Stack {
    pub(crate) postgres: Server,
    pub(crate) redis: Server,
    pub(crate) mailbox: Mailbox,
    /// URL of PostgreSQL without a database.
    postgres_url: String,
    pub(crate) redis_url: String,
    pub(crate) admin: tokio_postgres::Client,
    folder: TempDir,
}

impl Stack {
    pub(crate) async fn start() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("doorcode-bench.").tempdir()?;
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o711))?;
        let servers = path.join("servers");
        fs::create_dir(&servers)?;
        if is_root() {
            let (user, group) = nobody_ids()?;
            chown(&servers, Some(user), Some(group))?;
        }
        crate::certificate::create(path)?;
        let mailbox = Mailbox::open(path).await?;
        let (postgres, postgres_url) = start_postgres(&servers).await?;
        let (redis, redis_url) = start_redis(&servers).await?;
        let (admin, connection) =
            tokio_postgres::connect(&format!("{postgres_url}/postgres"), tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        admin.batch_execute("CREATE EXTENSION pg_stat_statements").await?;
        let stack = Self { postgres, redis, mailbox, postgres_url, redis_url, admin, folder };
        stack.track("none").await?;
        Ok(stack)
    }

    /// Chooses which statements PostgreSQL counts: `top` or `none`.
    pub(crate) async fn track(&self, what: &str) -> Result<()> {
        self.admin.batch_execute(&format!("ALTER SYSTEM SET pg_stat_statements.track = {what}")).await?;
        Ok(self.admin.batch_execute("SELECT pg_reload_conf()").await?)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Certificate of the mail catcher.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder().join("smtp.pem")
    }

    /// Creates a database, if it does not exist, and returns its URL.
    pub(crate) async fn database(&self, name: &str) -> Result<String> {
        let exists = self.admin.query("SELECT 1 FROM pg_database WHERE datname = $1", &[&name]).await?;
        if exists.is_empty() {
            self.admin.batch_execute(&format!("CREATE DATABASE {name}")).await?;
        }
        Ok(format!("{}/{name}", self.postgres_url))
    }

    /// Writes everything to disk, so that a checkpoint of one run does not burden the next.
    pub(crate) async fn settle(&self) -> Result<()> {
        Ok(self.admin.batch_execute("CHECKPOINT").await?)
    }
}

async fn start_postgres(folder: &Path) -> Result<(Server, String)> {
    let programs = postgres_programs()?;
    let program = |name: &str| programs.join(name).to_string_lossy().into_owned();
    let password = secret()?.replace(['+', '/', '='], "");
    let file = folder.join("password");
    fs::write(&file, &password)?;
    let file = file.to_string_lossy();
    let mut initdb = Command::new("setpriv");
    initdb.args(nobody()?).arg(program("initdb")).current_dir(folder);
    initdb.args(["--pgdata=postgres", "--username=doorcode", "--auth=password", "--encoding=UTF8", "--locale=C"]);
    let output = initdb.arg(format!("--pwfile={file}")).output().context("cannot run initdb")?;
    ensure!(output.status.success(), "initdb failed: {}", String::from_utf8_lossy(&output.stderr));
    let port = free_address()?.port();
    let port_text = port.to_string();
    let postgres = program("postgres");
    let mut command = vec![postgres.as_str(), "-D", "postgres", "-p", &port_text];
    for option in [
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "max_connections=400",
        "shared_preload_libraries=pg_stat_statements",
        "shared_buffers=512MB",
        "max_wal_size=4GB",
    ] {
        command.extend(["-c", option]);
    }
    let mut server = Server::start("postgres", folder, true, &command, &[])?;
    server.signal = Signal::QUIT;
    let url = format!("postgres://doorcode:{password}@127.0.0.1:{port}");
    let own = format!("{url}/postgres");
    server.ready(async || tokio_postgres::connect(&own, tokio_postgres::NoTls).await.is_ok()).await?;
    Ok((server, url))
}

async fn start_redis(folder: &Path) -> Result<(Server, String)> {
    let port = free_address()?.port().to_string();
    let command =
        ["redis-server", "--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", "."];
    let mut server = Server::start("redis", folder, true, &command, &[])?;
    let url = format!("redis://127.0.0.1:{port}");
    let client = redis::Client::open(url.as_str())?;
    server.ready(async || client.get_multiplexed_async_connection().await.is_ok()).await?;
    Ok((server, url))
}
