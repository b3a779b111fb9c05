//! The services that are measured: how each is started with production settings, and how it is reached.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::AtomicU64,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    api::Api,
    flow::Target,
    growth,
    http::Client,
    stack::{Server, Setting, Stack, free_address, secret},
    usage::Processes,
};

/// Limits that a run from one address would reach, set so high that it does not.
const LIMITS: [(&str, &str); 13] = [
    ("SEND_PAIR", "1000000/15m"),
    ("SEND_ADDRESS", "1000000/15m"),
    ("SEND_ADDRESS_DAY", "1000000/1d"),
    ("SEND_NETWORK", "100000000/15m"),
    ("SEND_INSTANCE", "1000000000/1d"),
    ("VERIFY_NETWORK", "10000000/1m"),
    ("PASSWORD_NETWORK", "1000000/1m"),
    ("PASSWORD_NETWORK_DAY", "100000000/1d"),
    ("PASSWORD_INSTANCE", "100000000/1d"),
    ("GUESS_PASSWORD", "1000000/1d"),
    ("GUESS_PASSWORD_MONTH", "1000000/30d"),
    ("REFRESH_SESSION", "1000000/1m"),
    ("API_CALLER", "100000000/1m"),
];

/// Which database and limiter Doorcode uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Store {
    /// PostgreSQL, and Redis for the limits.
    Servers,
    /// SQLite, and limits in memory.
    Embedded,
}

/// A running service.
pub(crate) struct System {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) processes: Processes,
    /// Time from the start of the process to the first successful health check.
    pub(crate) started_in: Duration,
    pub(crate) settings: Vec<Setting>,
    pub(crate) program: PathBuf,
    /// Number of people who were loaded into its database.
    pub(crate) crowd: u64,
    /// How often people were picked from the crowd.
    pub(crate) picked: AtomicU64,
    _server: Server,
}

fn setting(name: &str, value: impl Into<String>) -> Setting {
    (name.to_owned(), value.into())
}

/// Production settings for an address, with limits that are not reached.
async fn doorcode_settings(stack: &Stack, store: Store, data: &Path, name: &str) -> Result<Vec<Setting>> {
    let smtp = format!("smtps://127.0.0.1:{}?ca={}", stack.mailbox.tls.port(), stack.authority().display());
    let mut settings = vec![
        setting("DOORCODE_MODE", "production"),
        setting("DOORCODE_DATA", data.to_string_lossy()),
        setting("DOORCODE_SECRET", secret()?),
        setting("DOORCODE_MAIL_FROM", "Bench <no-reply@bench.example>"),
        setting("DOORCODE_ACCESS_TTL", "1h"),
        // As behind a proxy: one address may have more connections than a client.
        setting("DOORCODE_TRUSTED_PROXIES", "127.0.0.1/32"),
        setting("SMTP_URL", smtp),
    ];
    if store == Store::Servers {
        settings.push(setting("DATABASE_URL", stack.database(&growth::database(name)).await?));
        settings.push(setting("REDIS_URL", stack.redis_url.as_str()));
    }
    settings.extend(LIMITS.iter().map(|(rule, quota)| setting(&format!("DOORCODE_LIMIT_{rule}"), *quota)));
    Ok(settings)
}

impl System {
    pub(crate) async fn doorcode(stack: &Stack, program: &Path, store: Store, name: &str) -> Result<Self> {
        let data = stack.folder().join(format!("{name}-data"));
        let settings = doorcode_settings(stack, store, &data, name).await?;
        run(program, &["migrate", "up"], &with_url(&settings), stack.folder()).await?;
        Self::start_doorcode(stack, program, name, settings).await
    }

    /// Starts Doorcode with these settings on free ports.
    pub(crate) async fn start_doorcode(
        stack: &Stack,
        program: &Path,
        name: &str,
        settings: Vec<Setting>,
    ) -> Result<Self> {
        let (address, ops) = (free_address()?, free_address()?);
        let mut all = settings.clone();
        all.extend([
            setting("DOORCODE_LISTEN", address.to_string()),
            setting("DOORCODE_OPS_LISTEN", ops.to_string()),
            setting("DOORCODE_PUBLIC_URL", format!("http://127.0.0.1:{}", address.port())),
        ]);
        let path = program.to_string_lossy();
        let server = Server::start(name, stack.folder(), false, &[&path], &all)?;
        let system = Self::new(stack, name, Api::Doorcode, server, (address, ops), "/ready").await?;
        Ok(Self { settings: all, program: program.into(), ..system })
    }

    /// Starts the floor: this program, with another command. Its tables are Doorcode's.
    pub(crate) async fn floor(stack: &Stack, program: &Path) -> Result<Self> {
        let data = stack.folder().join("floor-data");
        let settings = doorcode_settings(stack, Store::Servers, &data, "floor").await?;
        run(program, &["migrate", "up"], &with_url(&settings), stack.folder()).await?;
        let address = free_address()?;
        let own = std::env::current_exe()?;
        let (own, listen, smtp) = (own.to_string_lossy(), address.to_string(), stack.mailbox.tls.to_string());
        let authority = stack.authority();
        let authority = authority.to_string_lossy();
        let command = [&*own, "floor", "--listen", &listen, "--smtp", &smtp, "--authority", &*authority];
        let server = Server::start("floor", stack.folder(), false, &command, &settings)?;
        Self::new(stack, "floor", Api::Plain, server, (address, address), "/me").await
    }

    /// Waits until a service that was started answers.
    pub(crate) async fn new(
        stack: &Stack,
        name: &str,
        api: Api,
        mut server: Server,
        (address, ops): (SocketAddr, SocketAddr),
        health: &str,
    ) -> Result<Self> {
        let started_in = server.ready(async || answers(ops, health).await).await?;
        let target = Target { api, address, ops, mailbox: stack.mailbox.clone() };
        let processes =
            Processes { server: vec![server.pid()], postgres: stack.postgres.pid(), redis: stack.redis.pid() };
        let (settings, program, picked) = (Vec::new(), PathBuf::new(), AtomicU64::new(0));
        let name = name.to_owned();
        Ok(Self { name, target, processes, started_in, settings, program, crowd: 0, picked, _server: server })
    }

    /// Runs a command of Doorcode with the server's settings.
    pub(crate) async fn command(&self, folder: &Path, arguments: &[&str]) -> Result<()> {
        run(&self.program, arguments, &self.settings, folder).await
    }
}

fn with_url(settings: &[Setting]) -> Vec<Setting> {
    let mut settings = settings.to_vec();
    settings.push(setting("DOORCODE_PUBLIC_URL", "http://127.0.0.1:4000"));
    settings
}

/// Runs a program to its end and fails with its output if it fails.
pub(crate) async fn run(program: &Path, arguments: &[&str], env: &[Setting], folder: &Path) -> Result<()> {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).env_clear().current_dir(folder).kill_on_drop(true);
    command.envs(env.iter().map(|(name, value)| (name, value)));
    let output = command.output().await.with_context(|| format!("cannot run {}", program.display()))?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} {} failed: {error}", program.display(), arguments.join(" "));
    Ok(())
}

async fn answers(address: SocketAddr, path: &str) -> bool {
    Client::new(address).get(path, "").await.is_ok_and(|response| response.status < 500)
}

/// The release binary. Builds it unless a path is given, so that one command measures the tree as it is.
pub(crate) fn program(given: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(path) = given {
        return fs::canonicalize(&path).with_context(|| format!("no program {}", path.display()));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("no workspace")?;
    let mut cargo = std::process::Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()));
    cargo.current_dir(root).args(["build", "--release", "--locked", "--package", "doorcode", "--bin", "doorcode"]);
    ensure!(cargo.status().context("cannot run cargo")?.success(), "the release build failed");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(target.join("release/doorcode"))
}
