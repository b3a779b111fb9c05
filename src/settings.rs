//! The settings of the process. `table` has one row for each, `load` reads them, `rules` and `safety` compare them with
//! each other, and all that is wrong is reported at once as [`Problems`]. No default is unsafe in production, and no value
//! of a setting is ever printed.

mod env_file;
mod load;
mod manifest;
mod odds;
mod parse;
mod problems;
mod reference;
mod rules;
mod safety;
mod secret;
mod secret_files;
mod table;
mod telemetry;
mod test_codes;
#[cfg(test)]
mod tests;
mod unknown;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, NaiveDate, Utc};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::{
    db::{self, entity::Role},
    email_address::EmailAddress,
    limits::Limits,
    observability::{Log, Traces},
    ports::Entropy,
};

pub use manifest::{DocumentId, Manifest, document_id, parse_id, written};
pub use odds::Odds;
pub use problems::{Problem, Problems};
pub use reference::reference;
pub use table::{Row, ServeFlags, rows};

/// How careful the process is about where it finds itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything embedded, loopback only, GraphiQL and inbox on.
    Development,
    /// Refuses to start on anything unsafe.
    Production,
}

/// Who may make an account by signing in for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Anybody.
    Open,
    /// Nobody: accounts are made by administrators.
    Closed,
    /// People whose address is in one of these domains (canonical ASCII).
    Domains(Vec<String>),
}

/// Origins of other sites whose pages may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// `DOORCODE_CORS_ORIGINS`.
    pub listed: Vec<String>,
    /// Development: a front-end server of a developer may use any port.
    pub loopback: bool,
}

impl Origins {
    /// Whether pages of this origin may call the API.
    pub fn allow(&self, origin: &str) -> bool {
        let is_loopback = || {
            let exact = |url: Url| parse::is_loopback(&url) && url.origin().ascii_serialization() == origin;
            Url::parse(origin).is_ok_and(exact)
        };
        self.listed.iter().any(|listed| listed == origin) || (self.loopback && is_loopback())
    }
}

/// A fixed code for an address of a test or an app reviewer.
#[derive(Clone, Debug)]
pub struct TestCode {
    /// Whose.
    pub email: EmailAddress,
    /// The code.
    pub code: SecretString,
    /// The last day it works, in UTC.
    pub until: NaiveDate,
}

/// The algorithm that new signing keys get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256.
    Es256,
    /// RSA, 3072 bits.
    Rs256,
    /// HMAC, which nobody else can check.
    Hs256,
}

/// Which mails tell people what happened to their account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// A sign-in from a device that was not known.
    pub new_device: bool,
    /// A change of the address, by its owner or by an administrator.
    pub email_change: bool,
    /// A change of the role.
    pub role_change: bool,
}

impl Notices {
    /// Every one.
    pub const ALL: Self = Self { new_device: true, email_change: true, role_change: true };
}

/// Where the certificate of the public listener and its key are. What is in them is read by whoever serves.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// `DOORCODE_TLS_CERT`.
    pub certificate: PathBuf,
    /// `DOORCODE_TLS_KEY`.
    pub key: PathBuf,
}

/// Access and refresh tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// For keys made from now on.
    pub algorithm: TokenAlgorithm,
    /// `aud`.
    pub audience: String,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// A session ends when it was not refreshed for so long.
    pub refresh_idle: Duration,
    /// A session ends after so long whatever happens.
    pub session_max: Duration,
    /// The same for users who do not ask to stay signed in.
    pub session_short: Duration,
}

/// The settings of one process.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Settings {
    /// `DOORCODE_MODE`.
    pub mode: Mode,
    /// `DOORCODE_DATA`: where SQLite and the development secret live.
    pub data: PathBuf,
    /// `DOORCODE_LISTEN`.
    pub listen: SocketAddr,
    /// `DOORCODE_TLS_CERT` and `DOORCODE_TLS_KEY`: with them `listen` speaks TLS.
    pub tls: Option<TlsFiles>,
    /// `DOORCODE_OPS_LISTEN`.
    pub ops_listen: SocketAddr,
    /// `DOORCODE_PUBLIC_URL`, without a trailing slash in `issuer()`.
    pub public_url: Url,
    /// `DOORCODE_EXPOSE_DEVELOPMENT`.
    pub expose_development: bool,
    /// `DATABASE_URL`.
    pub database_url: SecretString,
    /// Fewest and most connections to PostgreSQL.
    pub database_pool: (u32, u32),
    /// How long PostgreSQL may take to answer at the start.
    pub database_wait: Duration,
    /// `REDIS_URL`.
    pub redis_url: Option<SecretString>,
    /// `SMTP_URL`.
    pub smtp_url: Option<SecretString>,
    /// `DOORCODE_SECRET`, newest first; never empty but for [`Settings::look`].
    pub secrets: Vec<SecretString>,
    /// `DOORCODE_SIGNUP`.
    pub signup: SignUp,
    /// `DOORCODE_TEST_CODES` that are not past their date.
    pub test_codes: Vec<TestCode>,
    /// Everything in limits.md.
    pub limits: Limits,
    /// `DOORCODE_TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `DOORCODE_CORS_ORIGINS`.
    pub cors_origins: Origins,
    /// `DOORCODE_MAIL_FROM`, already checked to be a mailbox.
    pub mail_from: String,
    /// `DOORCODE_BRAND`.
    pub brand: String,
    /// `DOORCODE_TOKEN_…` and the lifetimes.
    pub tokens: TokenSettings,
    /// `DOORCODE_DEFAULT_ROLE`.
    pub default_role: Role,
    /// `DOORCODE_IP_RETENTION`.
    pub ip_retention: Duration,
    /// `DOORCODE_AUDIT_RETENTION`.
    pub audit_retention: Duration,
    /// `DOORCODE_ERASE_AFTER`.
    pub erase_after: Duration,
    /// `DOORCODE_NOTICES`.
    pub notices: Notices,
    /// `DOORCODE_FEDERATION`.
    pub federation: bool,
    /// `DOORCODE_GRAPHIQL`.
    pub graphiql: bool,
    /// `DOORCODE_INTROSPECTION`.
    pub introspection: bool,
    /// What `DOORCODE_DOCUMENTS` names: the only documents that run. Without it all do.
    pub documents: Option<Arc<Manifest>>,
    /// `DOORCODE_SINGLE_REPLICA`: nobody else counts limits on this database.
    pub single_replica: bool,
    /// `DOORCODE_LOG…`.
    pub log: Log,
    /// Where traces go; nowhere without.
    pub traces: Option<Traces>,
    /// What was odd but not wrong, to be logged once at start.
    pub warnings: Vec<Problem>,
}

impl Settings {
    /// How to reach the database.
    pub fn database(&self) -> db::Options {
        db::Options {
            url: self.database_url.clone(),
            pool: self.database_pool,
            wait: self.database_wait,
            data: self.data.clone(),
        }
    }

    /// The fixed code of an address, up to and on its last day.
    pub fn test_code(&self, email: &str, now: DateTime<Utc>) -> Option<&TestCode> {
        self.test_codes.iter().find(|test| test.email.as_str() == email && now.date_naive() <= test.until)
    }

    /// Reads all settings, or names everything that is wrong with them. The names in `environment` are searched for
    /// typing mistakes; the values come from `flags`, which clap has filled from the same environment, and which hold
    /// secrets in clear: nobody keeps them after this. The data folder is touched last, and only when everything is
    /// right.
    pub fn load(
        flags: ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
        now: DateTime<Utc>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Problems> {
        load::load(flags, environment.map(|(name, _)| name), now, Some(entropy))
    }

    /// The same for whoever only wants to look: no folder is made and no secret, so a development server that never
    /// started has none.
    pub fn look(
        flags: ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problems> {
        load::load(flags, environment.map(|(name, _)| name), now, None)
    }

    /// Whether browsers come over TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// `iss` in tokens and the start of every link: the public URL without its trailing slash.
    pub fn issuer(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    /// Whether this process has the built-in inbox: development without a mail server.
    pub fn has_inbox(&self) -> bool {
        self.mode == Mode::Development && self.smtp_url.is_none()
    }
}

const ENV_FILE: &str = ".env";

/// Adds the `.env` file of the current folder, if there is one, to the environment; what is set already stays. In
/// production only one that says `DOORCODE_MODE=production`. To be called first of all, before there are threads and
/// before the flags are parsed.
pub fn read_dotenv() -> Result<(), Problems> {
    let mode = env_file::mode(std::env::args_os()).or_else(|| std::env::var("DOORCODE_MODE").ok());
    env_file::read(Path::new(ENV_FILE), mode.as_deref())
}

/// Adds what there is to say of the `.env` file to what was loaded with this `DOORCODE_MODE`.
pub fn with_env_file(mode: Option<&str>, loaded: Result<Settings, Problems>) -> Result<Settings, Problems> {
    env_file::tell(Path::new(ENV_FILE), mode, loaded)
}

/// `DOORCODE_OPS_LISTEN` by itself, for whoever asks a server that runs how it is.
pub fn ops_address(raw: Option<&str>) -> Result<SocketAddr, String> {
    load::ops_address(raw).map_err(|problems| problems.to_string())
}

/// The environment as text, for [`Settings::load`]. Names that are no text are replaced, never a reason to panic.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}
