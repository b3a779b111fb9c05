//! Other sign-in services: installed into the temporary folder at pinned versions, and started as their documentation
//! says for production, with one process for each core. `bench/peers/README.md` says what each of them does not do.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::{
    api::Api,
    stack::{Server, Setting, Stack, free_address, secret},
    system::{System, run},
};

/// A service from another package registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    BetterAuth,
    /// `FastAPI` without counted tries and without an outbox.
    FastapiPlain,
    FastapiCareful,
    Allauth,
}

impl Peer {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BetterAuth => "better-auth",
            Self::FastapiPlain => "fastapi-plain",
            Self::FastapiCareful => "fastapi-careful",
            Self::Allauth => "django-allauth",
        }
    }

    /// Folder of its source in `bench/peers`.
    const fn source(self) -> &'static str {
        match self {
            Self::BetterAuth => "better-auth",
            Self::FastapiPlain | Self::FastapiCareful => "fastapi",
            Self::Allauth => "django-allauth",
        }
    }

    const fn api(self) -> Api {
        match self {
            Self::BetterAuth => Api::BetterAuth,
            Self::FastapiPlain | Self::FastapiCareful => Api::Plain,
            Self::Allauth => Api::Allauth,
        }
    }

    pub(crate) async fn start(self, stack: &Stack) -> Result<System> {
        let folder = install(stack, self.source()).await?;
        let (address, processes) = (free_address()?, std::thread::available_parallelism()?.get().to_string());
        let port = address.port().to_string();
        let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let path = std::env::var("PATH").unwrap_or_default();
        let settings = vec![
            set("PATH", &path),
            set("PORT", &port),
            set("PROCESSES", &processes),
            set("DATABASE_URL", &stack.database(&self.name().replace('-', "_")).await?),
            set("REDIS_URL", &stack.redis_url),
            set("SMTP_PORT", &stack.mailbox.plain.port().to_string()),
            set("SECRET", &secret()?),
            set("MODE", if self == Self::FastapiCareful { "careful" } else { "plain" }),
            set("NODE_ENV", "production"),
        ];
        self.migrate(&folder, &settings).await?;
        let python = folder.join("venv/bin/python");
        let python = python.to_string_lossy();
        let bind = address.to_string();
        let command: Vec<&str> = match self {
            Self::BetterAuth => vec!["node", "server.mjs"],
            Self::FastapiPlain | Self::FastapiCareful => {
                let mut command = vec![&*python, "-m", "uvicorn", "app:app", "--port", &port, "--workers", &processes];
                command.extend(["--loop", "uvloop", "--http", "httptools", "--no-access-log"]);
                command
            }
            Self::Allauth => {
                let mut command = vec![&*python, "-m", "gunicorn", "project:application", "--bind", &bind];
                command.extend(["--workers", &processes, "--worker-class", "gthread", "--threads", "8"]);
                command
            }
        };
        let server = Server::start(self.name(), &folder, false, &command, &settings)?;
        System::new(stack, self.name(), self.api(), server, (address, address), "/health").await
    }

    async fn migrate(self, folder: &Path, settings: &[Setting]) -> Result<()> {
        let python = folder.join("venv/bin/python");
        match self {
            Self::BetterAuth => run(Path::new("node"), &["server.mjs", "migrate"], settings, folder).await,
            Self::FastapiPlain | Self::FastapiCareful => run(&python, &["app.py"], settings, folder).await,
            Self::Allauth => run(&python, &["project.py", "migrate"], settings, folder).await,
        }
    }
}

/// Copies a peer into the temporary folder and installs what its lock file names.
async fn install(stack: &Stack, name: &str) -> Result<PathBuf> {
    let folder = stack.folder().join("peers").join(name);
    if folder.exists() {
        return Ok(folder);
    }
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(name))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), folder.join(entry.file_name()))?;
        }
    }
    // Proxies and configuration of the package managers are the user's.
    let env: Vec<_> = std::env::vars().collect();
    if folder.join("package-lock.json").exists() {
        let arguments = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
        run(Path::new("npm"), &arguments, &env, &folder).await.context("cannot install a peer")?;
    } else {
        // Debian's interpreter, as in the other tests.
        run(Path::new("/usr/bin/python3"), &["-m", "venv", "venv"], &env, &folder).await?;
        let arguments = ["install", "--disable-pip-version-check", "--no-input", "--no-deps", "-r", "requirements.txt"];
        run(&folder.join("venv/bin/pip"), &arguments, &env, &folder).await.context("cannot install a peer")?;
    }
    Ok(folder)
}
