//! The settings of the process. `table` defines them, `load` reads them, `rules` and `safety` check combinations. All
//! errors are reported at once as [`Problems`]. No default is unsafe in production, and no value is ever printed.

pub mod clients;
mod env_file;
mod flags;
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
mod theme;
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
pub use theme::{Accent, Colour, Logo, LogoKind, Shades, Theme};

/// Whether the server is for development or for real users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything embedded, loopback only, with GraphiQL and the inbox.
    Development,
    /// Refuses to start with unsafe settings.
    Production,
}

/// Who may create an account by signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Everyone.
    Open,
    /// Nobody: administrators create accounts.
    Closed,
    /// Only addresses in these domains (canonical ASCII).
    Domains(Vec<String>),
}

/// Origins of other sites whose pages may call the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    /// `DOORCODE_CORS_ORIGINS`.
    pub listed: Vec<String>,
    /// Allows every loopback origin, because a front-end development server may use any port.
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

/// How users can sign in, besides emailed codes, which always work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Methods {
    /// With a password.
    pub password: bool,
}

/// Maximum number of characters in a password.
pub const PASSWORD_MAX: u32 = 256;

/// A fixed code for a test account or an app reviewer.
#[derive(Clone, Debug)]
pub struct TestCode {
    /// The address that the code is for.
    pub email: EmailAddress,
    /// The code.
    pub code: SecretString,
    /// The last day (UTC) on which it works.
    pub until: NaiveDate,
}

/// The algorithm of new signing keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA on P-256.
    Es256,
    /// RSA, 3072 bits.
    Rs256,
    /// HMAC, which only this server can verify.
    Hs256,
}

/// Which account changes are announced by email.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notices {
    /// A sign-in from a new device.
    pub new_device: bool,
    /// A change of the address by an administrator.
    pub email_change: bool,
    /// A change of the role.
    pub role_change: bool,
}

impl Notices {
    /// All notices.
    pub const ALL: Self = Self { new_device: true, email_change: true, role_change: true };
}

/// Paths of the public listener's certificate and key. The server reads the files.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// `DOORCODE_TLS_CERT`.
    pub certificate: PathBuf,
    /// `DOORCODE_TLS_KEY`.
    pub key: PathBuf,
}

/// Cost of a new password hash, argon2id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// The first choice of OWASP for argon2id.
    fn default() -> Self {
        Self { memory: 19 * 1024, passes: 2, lanes: 1 }
    }
}

/// Settings of access and refresh tokens.
#[derive(Clone, Debug)]
pub struct TokenSettings {
    /// Algorithm of new keys.
    pub algorithm: TokenAlgorithm,
    /// The `aud` claim.
    pub audience: String,
    /// Lifetime of an access token.
    pub access_ttl: Duration,
    /// A session ends when it is not refreshed for this long.
    pub refresh_idle: Duration,
    /// A session always ends after this long.
    pub session_max: Duration,
    /// A session that is not to be remembered always ends after this long.
    pub session_short: Duration,
}

/// The settings of one process.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent switch")]
pub struct Settings {
    /// `DOORCODE_MODE`.
    pub mode: Mode,
    /// `DOORCODE_DATA`: folder of the SQLite database and the development secret.
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
    /// Minimum and maximum number of PostgreSQL connections.
    pub database_pool: (u32, u32),
    /// How long to wait for PostgreSQL at startup.
    pub database_wait: Duration,
    /// `REDIS_URL`.
    pub redis_url: Option<SecretString>,
    /// `SMTP_URL`.
    pub smtp_url: Option<SecretString>,
    /// `DOORCODE_SECRET`, newest first. Empty only after [`Settings::look`].
    pub secrets: Vec<SecretString>,
    /// `DOORCODE_SIGNUP`.
    pub signup: SignUp,
    /// `DOORCODE_METHODS`.
    pub methods: Methods,
    /// `DOORCODE_PASSWORD_MIN`, in characters.
    pub password_min: u32,
    /// `DOORCODE_BREACHED_PASSWORDS`: the list, which is opened with the other dependencies.
    pub breached_passwords: Option<PathBuf>,
    /// `DOORCODE_TEST_CODES` that have not expired.
    pub test_codes: Vec<TestCode>,
    /// Rate limits.
    pub limits: Limits,
    /// `DOORCODE_TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<IpNet>,
    /// `DOORCODE_CORS_ORIGINS`.
    pub cors_origins: Origins,
    /// `DOORCODE_MAIL_FROM`, a valid mailbox.
    pub mail_from: String,
    /// `DOORCODE_BRAND`.
    pub brand: String,
    /// `DOORCODE_LOGO`, `DOORCODE_ACCENT` and the links.
    pub theme: Theme,
    /// `DOORCODE_TOKEN_…` and lifetimes.
    pub tokens: TokenSettings,
    /// `DOORCODE_DEFAULT_ROLE`.
    pub default_role: Role,
    /// Cost of a password hash.
    pub password_cost: HashCost,
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
    /// `DOORCODE_CONSOLE`.
    pub console: bool,
    /// `DOORCODE_GRAPHIQL`.
    pub graphiql: bool,
    /// `DOORCODE_INTROSPECTION`.
    pub introspection: bool,
    /// The manifest in `DOORCODE_DOCUMENTS`: the only documents that run. All run if `None`.
    pub documents: Option<Arc<Manifest>>,
    /// The applications in the file `DOORCODE_CLIENTS`. Others are in the database.
    pub clients: Arc<[clients::Client]>,
    /// `DOORCODE_SINGLE_REPLICA`: no other process counts limits for this database.
    pub single_replica: bool,
    /// `DOORCODE_LOG…`.
    pub log: Log,
    /// The trace collector. No traces if `None`.
    pub traces: Option<Traces>,
    /// Questionable but valid settings, logged once at startup.
    pub warnings: Vec<Problem>,
}

impl Settings {
    /// The connection options of the database.
    pub fn database(&self) -> db::Options {
        db::Options {
            url: self.database_url.clone(),
            pool: self.database_pool,
            wait: self.database_wait,
            data: self.data.clone(),
        }
    }

    /// The fixed code of an address, if it has not expired.
    pub fn test_code(&self, email: &str, now: DateTime<Utc>) -> Option<&TestCode> {
        self.test_codes.iter().find(|test| test.email.as_str() == email && now.date_naive() <= test.until)
    }

    /// Reads all settings from `flags`, which clap has filled from the environment. Variable names in `environment`
    /// are checked for typos. Creates the data folder last, and only if all settings are valid.
    ///
    /// `flags` contain secrets in plain text, so they are consumed.
    ///
    /// # Errors
    /// Everything that is wrong, in one list.
    pub fn load(
        flags: ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
        now: DateTime<Utc>,
        entropy: &dyn Entropy,
    ) -> Result<Self, Problems> {
        load::load(flags, environment.map(|(name, _)| name), now, Some(entropy))
    }

    /// Like [`Settings::load`], but creates neither the data folder nor a secret. There is no secret if a development
    /// server has never started.
    pub fn look(
        flags: ServeFlags,
        environment: impl Iterator<Item = (String, String)>,
        now: DateTime<Utc>,
    ) -> Result<Self, Problems> {
        load::load(flags, environment.map(|(name, _)| name), now, None)
    }

    /// Whether the public URL is https.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }

    /// The public URL without its trailing slash: `iss` in tokens and the start of every link.
    pub fn issuer(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    /// Whether emails go to the built-in inbox: in development without a mail server.
    pub fn has_inbox(&self) -> bool {
        self.mode == Mode::Development && self.smtp_url.is_none()
    }
}

const ENV_FILE: &str = ".env";

/// Adds the `.env` file of the current folder to the environment. Variables that are already set win. In production,
/// the file counts only if it says `DOORCODE_MODE=production`. Call this before starting threads and parsing flags.
pub fn read_dotenv() -> Result<(), Problems> {
    let mode = env_file::mode(std::env::args_os()).or_else(|| std::env::var("DOORCODE_MODE").ok());
    env_file::read(Path::new(ENV_FILE), mode.as_deref())
}

/// Adds warnings about the `.env` file to settings loaded with this `DOORCODE_MODE`.
pub fn with_env_file(mode: Option<&str>, loaded: Result<Settings, Problems>) -> Result<Settings, Problems> {
    env_file::warn(Path::new(ENV_FILE), mode, loaded)
}

/// Parses `DOORCODE_OPS_LISTEN` alone, for `doorcode health`.
pub fn ops_address(raw: Option<&str>) -> Result<SocketAddr, String> {
    load::ops_address(raw).map_err(|problems| problems.to_string())
}

/// The environment as text, for [`Settings::load`]. Replaces invalid Unicode instead of panicking.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}
