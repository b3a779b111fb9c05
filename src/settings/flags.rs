//! Every setting as a command-line flag with its environment variable and its documentation, which is what
//! `doorcode serve --help` prints. Nothing is read or checked here: all flags are plain text, so that the reader can
//! name every bad value at once instead of stopping at the first.

use std::fmt;

use clap::{Args, Command};

/// The settings as given, unread. An empty value counts as none.
#[derive(Args, Clone, Default)]
pub struct ServeFlags {
    /// How careful to be: `development` listens on loopback alone and has GraphiQL and the inbox; `production` refuses
    /// to start on anything unsafe.
    ///
    /// Default: `development`. Example: `production`
    #[arg(long, env = "DOORCODE_MODE", value_name = "MODE", help_heading = "Start")]
    pub mode: Option<String>,
    /// Address and port of the API and the pages.
    ///
    /// Default: `127.0.0.1:4000`. Example: `0.0.0.0:4000`
    #[arg(long, env = "DOORCODE_LISTEN", value_name = "ADDRESS", help_heading = "Start")]
    pub listen: Option<String>,
    /// The certificate with which the public port speaks TLS, and those that vouch for it: a PEM file. It is read anew
    /// when it changes.
    ///
    /// Default: none, a proxy speaks TLS. Example: `/etc/doorcode/tls.pem`
    #[arg(long, env = "DOORCODE_TLS_CERT", value_name = "FILE", help_heading = "Start")]
    pub tls_cert: Option<String>,
    /// The private key of that certificate: a PEM file without a passphrase, readable by this user alone.
    ///
    /// Default: none. Example: `/etc/doorcode/tls.key`
    #[arg(long, env = "DOORCODE_TLS_KEY", value_name = "FILE", help_heading = "Start")]
    pub tls_key: Option<String>,
    /// Address and port of health, readiness and metrics; keep it away from the internet.
    ///
    /// Default: `127.0.0.1:4001`. Example: `0.0.0.0:4001`
    #[arg(long, env = "DOORCODE_OPS_LISTEN", value_name = "ADDRESS", help_heading = "Start")]
    pub ops_listen: Option<String>,
    /// Where people reach the service: the issuer in tokens and the start of every link in mail. In production
    /// https://, unless its host is loopback.
    ///
    /// Default: `http://localhost:4000`. Example: `https://login.example.com`
    #[arg(long, env = "DOORCODE_PUBLIC_URL", value_name = "URL", help_heading = "Start")]
    pub public_url: Option<String>,
    /// The server secret that all keys are derived from, 32 bytes or more of randomness. While rotating, several with
    /// commas between them, newest first. Prefer the variable: other users of the machine can read a command line.
    ///
    /// Default: needed in production; in development one is made and kept in the file `secret` in the data folder.
    /// Example: what `openssl rand -base64 32` prints
    #[arg(long, env = "DOORCODE_SECRET", value_name = "SECRET", help_heading = "Start", hide_env_values = true)]
    pub secret: Option<String>,
    /// A folder with secrets: for each a file that is named like its variable, such as `SMTP_URL`, and holds its value.
    /// What is in such a file must not be in the environment, too.
    ///
    /// Default: none. Example: `/run/secrets`
    #[arg(long, env = "DOORCODE_SECRETS_FOLDER", value_name = "FOLDER", help_heading = "Start")]
    pub secrets_folder: Option<String>,
    /// Lets a development server listen beyond loopback, where anybody who reaches it reads everybody's mail in the
    /// inbox. It then answers to every IP address, localhost and the host of `DOORCODE_PUBLIC_URL`. Without it a
    /// development server answers only to the last two; a request for another host gets 421.
    ///
    /// Default: `false`. Example: `true`
    #[arg(long, env = "DOORCODE_EXPOSE_DEVELOPMENT", value_name = "BOOL", help_heading = "Start", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub expose_development: Option<String>,
    /// What is logged: a level, or levels by module.
    ///
    /// Default: `info`. Example: `info,doorcode=debug`
    #[arg(long, env = "DOORCODE_LOG", value_name = "FILTER", help_heading = "Telemetry")]
    pub log: Option<String>,
    /// How log lines look: `text` for people, `json` for machines.
    ///
    /// Default: `text` in development and `json` in production. Example: `json`
    #[arg(long, env = "DOORCODE_LOG_FORMAT", value_name = "FORMAT", help_heading = "Telemetry")]
    pub log_format: Option<String>,
    /// How people's addresses stand in the log: `hashed`, so that lines of one address can be found (`doorcode user hash`
    /// prints an address's) and nobody who reads the log learns it, or `plain`.
    ///
    /// Default: `hashed`. Example: `plain`
    #[arg(long, env = "DOORCODE_LOG_EMAILS", value_name = "HOW", help_heading = "Telemetry")]
    pub log_emails: Option<String>,
    /// The OpenTelemetry collector that gets traces, over OTLP/HTTP: its base, to which `/v1/traces` is added.
    ///
    /// Default: none, nothing is traced. Example: `http://collector.example.com:4318`
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL", help_heading = "Telemetry")]
    pub otel_exporter_otlp_endpoint: Option<String>,
    /// What the collector wants to see in headers: `name=value` with commas between, values percent-encoded.
    ///
    /// Default: none. Example: `authorization=Bearer%20abc`
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        value_name = "LIST",
        help_heading = "Telemetry",
        hide_env_values = true
    )]
    pub otel_exporter_otlp_headers: Option<String>,
    /// What traces call this service.
    ///
    /// Default: `doorcode`. Example: `login`
    #[arg(long, env = "OTEL_SERVICE_NAME", value_name = "NAME", help_heading = "Telemetry")]
    pub otel_service_name: Option<String>,
    /// The share of requests that are traced, 0 to 1. Of requests that come with a trace, those it says are not traced
    /// are not, and of the others the same share.
    ///
    /// Default: `1`. Example: `0.1`
    #[arg(long, env = "DOORCODE_TRACE_RATIO", value_name = "RATIO", help_heading = "Telemetry")]
    pub trace_ratio: Option<String>,
    /// The data folder: the SQLite database, and the secret in development. Made when it is missing, for this user
    /// alone.
    ///
    /// Default: `./data`. Example: `/var/lib/doorcode`
    #[arg(long, env = "DOORCODE_DATA", value_name = "FOLDER", help_heading = "Storage")]
    pub data: Option<String>,
    /// The database: SQLite for one process, PostgreSQL for one or many.
    ///
    /// Default: `doorcode.db` in the data folder. Example: `postgres://doorcode:password@db.example.com/doorcode`
    #[arg(long, env = "DATABASE_URL", value_name = "URL", help_heading = "Storage", hide_env_values = true)]
    pub database_url: Option<String>,
    /// A standby of the same PostgreSQL, for the lists that managers look through; they may then be as old as it is
    /// behind. Without it, and while it is away, the database answers them.
    ///
    /// Default: none, everything is read from the database. Example:
    /// `postgres://doorcode:password@standby.example.com/doorcode`
    #[arg(long, env = "DATABASE_READ_URL", value_name = "URL", help_heading = "Storage", hide_env_values = true)]
    pub database_read_url: Option<String>,
    /// Fewest and most connections to PostgreSQL; at most as many to its standby.
    ///
    /// Default: `5-20`. Example: `2-10`
    #[arg(long, env = "DOORCODE_DATABASE_POOL", value_name = "FEWEST-MOST", help_heading = "Storage")]
    pub database_pool: Option<String>,
    /// How long to wait at the start for PostgreSQL to answer, 0s to 1h.
    ///
    /// Default: `30s`. Example: `5m`
    #[arg(long, env = "DOORCODE_DATABASE_WAIT", value_name = "DURATION", help_heading = "Storage")]
    pub database_wait: Option<String>,
    /// The shared limiter: one Redis server, a Cluster (`redis+cluster://`) or Sentinel (`redis+sentinel://`), with
    /// `rediss` for TLS. Production on PostgreSQL needs it, unless there is a single replica.
    ///
    /// Default: none, limits are counted in this process. Example: `rediss://:password@redis.example.com:6379`
    #[arg(long, env = "REDIS_URL", value_name = "URL", help_heading = "Storage", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// Promises that this is the only process on its database, so that production on PostgreSQL may count limits in
    /// it, without `REDIS_URL`.
    ///
    /// Default: `false`. Example: `true`
    #[arg(long, env = "DOORCODE_SINGLE_REPLICA", value_name = "BOOL", help_heading = "Storage", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub single_replica: Option<String>,
    /// The mail server. In production with TLS that cannot be stripped: `smtps://`, or `smtp://` with `?tls=required`.
    ///
    /// Default: none, mail goes to the built-in inbox (development alone). Example:
    /// `smtps://user:password@smtp.example.com`
    #[arg(long, env = "SMTP_URL", value_name = "URL", help_heading = "Mail", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// The sender of every mail. Production needs one in a real domain.
    ///
    /// Default: `Doorcode <no-reply@localhost>`. Example: `Example <no-reply@example.com>`
    #[arg(long, env = "DOORCODE_MAIL_FROM", value_name = "MAILBOX", help_heading = "Mail")]
    pub mail_from: Option<String>,
    /// Who may make an account by signing in for the first time: `open`, `closed`, or `domains:` with a list.
    ///
    /// Default: `open`. Example: `domains:example.com,example.org`
    #[arg(long, env = "DOORCODE_SIGNUP", value_name = "POLICY", help_heading = "Codes")]
    pub signup: Option<String>,
    /// The role of new people: `USER` or `GUEST`. More is given by an administrator.
    ///
    /// Default: `USER`. Example: `GUEST`
    #[arg(long, env = "DOORCODE_DEFAULT_ROLE", value_name = "ROLE", help_heading = "Codes")]
    pub default_role: Option<String>,
    /// Digits in a code, 6 to 12. Each digit less makes guessing ten times easier. Production refuses odds above 1 in
    /// 1,000 a year for an account, so six digits need a smaller `DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH`, such as 80/30d.
    ///
    /// Default: `8`. Example: `10`
    #[arg(long, env = "DOORCODE_CODE_LENGTH", value_name = "DIGITS", help_heading = "Codes")]
    pub code_length: Option<String>,
    /// How long a code is good, 1m to 30m.
    ///
    /// Default: `5m`. Example: `10m`
    #[arg(long, env = "DOORCODE_CODE_TTL", value_name = "DURATION", help_heading = "Codes")]
    pub code_ttl: Option<String>,
    /// Wrong tries that a code survives, 1 to 10.
    ///
    /// Default: `3`. Example: `5`
    #[arg(long, env = "DOORCODE_CODE_TRIES", value_name = "COUNT", help_heading = "Codes")]
    pub code_tries: Option<String>,
    /// Fixed codes for named addresses of tests and app reviewers, for USER and GUEST alone: `address=code@date` with
    /// commas between. The date is the last day (UTC), at most 90 days ahead; past it the code is left out with a
    /// warning. Until then these addresses cannot get a higher role, and the code of one that has it signs nobody in.
    ///
    /// Default: none. Example: `review@example.com=83120475@2027-01-31`
    #[arg(long, env = "DOORCODE_TEST_CODES", value_name = "LIST", help_heading = "Codes", hide_env_values = true)]
    pub test_codes: Option<String>,
    /// How long the first refusal of `send.pair` lasts at least, 1s to 1d.
    ///
    /// Default: `5m`. Example: `10m`
    #[arg(long, env = "DOORCODE_SEND_COOLDOWN", value_name = "DURATION", help_heading = "Limits")]
    pub send_cooldown: Option<String>,
    /// Codes for one address asked from one network.
    ///
    /// Default: `3/15m`. Example: `5/30m`
    #[arg(long, env = "DOORCODE_LIMIT_SEND_PAIR", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_send_pair: Option<String>,
    /// Codes for one address from all networks together.
    ///
    /// Default: `6/15m`. Example: `10/30m`
    #[arg(long, env = "DOORCODE_LIMIT_SEND_ADDRESS", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_send_address: Option<String>,
    /// The same over a day; the last mail it allows carries a sign-in link.
    ///
    /// Default: `12/1d`. Example: `20/1d`
    #[arg(long, env = "DOORCODE_LIMIT_SEND_ADDRESS_DAY", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_send_address_day: Option<String>,
    /// Codes asked from one IPv4 address or IPv6 /64; four times that for its /56, sixteen times for its /48.
    ///
    /// Default: `30/15m`. Example: `100/15m`
    #[arg(long, env = "DOORCODE_LIMIT_SEND_NETWORK", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_send_network: Option<String>,
    /// Codes of the whole instance; once half is spent, each network has a share.
    ///
    /// Default: `100000/1d`. Example: `5000/1d`
    #[arg(long, env = "DOORCODE_LIMIT_SEND_INSTANCE", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_send_instance: Option<String>,
    /// Codes, links and undo tokens from one network that are over or never were; of all that it presents, twenty times
    /// that.
    ///
    /// Default: `30/1m`. Example: `60/1m`
    #[arg(long, env = "DOORCODE_LIMIT_VERIFY_NETWORK", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_verify_network: Option<String>,
    /// Wrong codes against one address, counted in the database.
    ///
    /// Default: `20/1d`. Example: `10/1d`
    #[arg(long, env = "DOORCODE_LIMIT_GUESS_ACCOUNT", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_guess_account: Option<String>,
    /// The same over a longer time.
    ///
    /// Default: `100/30d`. Example: `50/30d`
    #[arg(long, env = "DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_guess_account_month: Option<String>,
    /// Refreshes of one session.
    ///
    /// Default: `30/1m`. Example: `60/1m`
    #[arg(long, env = "DOORCODE_LIMIT_REFRESH_SESSION", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_refresh_session: Option<String>,
    /// Operations of one session, or of one network when anonymous; all sessions of a network together have ten times
    /// that.
    ///
    /// Default: `600/1m`. Example: `1200/1m`
    #[arg(long, env = "DOORCODE_LIMIT_API_CALLER", value_name = "QUOTA", help_heading = "Limits")]
    pub limit_api_caller: Option<String>,
    /// The algorithm of signing keys made from now on: `EdDSA`, `ES256`, `RS256`, or `HS256`, which nobody else can
    /// check.
    ///
    /// Default: `EdDSA`. Example: `ES256`
    #[arg(long, env = "DOORCODE_TOKEN_ALG", value_name = "ALGORITHM", help_heading = "Tokens")]
    pub token_alg: Option<String>,
    /// The `aud` claim of access tokens.
    ///
    /// Default: the public URL. Example: `https://api.example.com`
    #[arg(long, env = "DOORCODE_TOKEN_AUDIENCE", value_name = "AUDIENCE", help_heading = "Tokens")]
    pub token_audience: Option<String>,
    /// Life of an access token, 1m to 1h.
    ///
    /// Default: `15m`. Example: `5m`
    #[arg(long, env = "DOORCODE_ACCESS_TTL", value_name = "DURATION", help_heading = "Tokens")]
    pub access_ttl: Option<String>,
    /// A session ends when it was not refreshed for so long; at most `DOORCODE_SESSION_MAX`.
    ///
    /// Default: `7d`. Example: `1d`
    #[arg(long, env = "DOORCODE_REFRESH_IDLE", value_name = "DURATION", help_heading = "Tokens")]
    pub refresh_idle: Option<String>,
    /// A session ends after so long whatever happens, at most 365d.
    ///
    /// Default: `30d`. Example: `90d`
    #[arg(long, env = "DOORCODE_SESSION_MAX", value_name = "DURATION", help_heading = "Tokens")]
    pub session_max: Option<String>,
    /// The name in mail and on the pages, at most 64 characters.
    ///
    /// Default: `Doorcode`. Example: `Example Login`
    #[arg(long, env = "DOORCODE_BRAND", value_name = "NAME", help_heading = "Pages")]
    pub brand: Option<String>,
    /// Whether `/graphiql` exists.
    ///
    /// Default: `true` in development and `false` in production or with `DOORCODE_DOCUMENTS`. Example: `false`
    #[arg(long, env = "DOORCODE_GRAPHIQL", value_name = "BOOL", help_heading = "Pages", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub graphiql: Option<String>,
    /// Whether the schema can be asked for over the API.
    ///
    /// Default: `true` in development and `false` in production. Example: `false`
    #[arg(long, env = "DOORCODE_INTROSPECTION", value_name = "BOOL", help_heading = "Pages", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub introspection: Option<String>,
    /// A manifest of trusted documents: the server runs the operations in it, and those of its own pages, and refuses
    /// all others. A JSON file as Relay, GraphQL Code Generator or Apollo write it, with the SHA-256 of each document as
    /// its id; `doorcode documents` checks one.
    ///
    /// Default: none, any document runs. Example: `/etc/doorcode/documents.json`
    #[arg(long, env = "DOORCODE_DOCUMENTS", value_name = "FILE", help_heading = "Pages")]
    pub documents: Option<String>,
    /// The proxies whose forwarding headers are believed: networks or addresses with commas between. Production refuses
    /// more of the internet than an IPv4 /8 or an IPv6 /24, and IPv6 networks that stand for IPv4 ones.
    ///
    /// Default: none, the peer of the connection is the client. Example: `10.0.0.0/8,fd00::/8`
    #[arg(long, env = "DOORCODE_TRUSTED_PROXIES", value_name = "LIST", help_heading = "Network")]
    pub trusted_proxies: Option<String>,
    /// Origins of other sites whose pages may call the API. Production refuses http://, except on loopback.
    ///
    /// Default: `http://localhost:3000,http://localhost:5173` in development and none in production. Example:
    /// `https://app.example.com`
    #[arg(long, env = "DOORCODE_CORS_ORIGINS", value_name = "LIST", help_heading = "Network")]
    pub cors_origins: Option<String>,
    /// How long client addresses are kept in sessions and audit events, 0s to 3650d.
    ///
    /// Default: `90d`. Example: `30d`
    #[arg(long, env = "DOORCODE_IP_RETENTION", value_name = "DURATION", help_heading = "Network")]
    pub ip_retention: Option<String>,
    /// How long audit events are kept, 1d to 3650d. Production refuses less than 7d: who deleted an account is read from
    /// them when its owner takes it back.
    ///
    /// Default: `400d`. Example: `90d`
    #[arg(long, env = "DOORCODE_AUDIT_RETENTION", value_name = "DURATION", help_heading = "People")]
    pub audit_retention: Option<String>,
    /// How long a deleted account can be restored before it is erased for good, 0s to 3650d. The audit trail keeps what
    /// happened without telling to whom. Production refuses less than 7d, the time in which an owner can take an account
    /// back from a thief; `doorcode purge --erase-after 0s` erases sooner.
    ///
    /// Default: `30d`. Example: `7d`
    #[arg(long, env = "DOORCODE_ERASE_AFTER", value_name = "DURATION", help_heading = "People")]
    pub erase_after: Option<String>,
    /// Which mails tell people what happened to their account: `new-device`, `email-change` (by an administrator; one's
    /// own change, which the old address can undo, is always told) and `role-change`, with commas between, or `none`.
    ///
    /// Default: `new-device,email-change,role-change`. Example: `new-device,role-change`
    #[arg(long, env = "DOORCODE_NOTICES", value_name = "LIST", help_heading = "People")]
    pub notices: Option<String>,
    /// Whether the API is an Apollo Federation 2 subgraph: a gateway may ask it for the schema and for people by id.
    /// Everybody else who reaches it may ask for the schema then, too, even with introspection off.
    ///
    /// Default: `false`. Example: `true`
    #[arg(long, env = "DOORCODE_FEDERATION", value_name = "BOOL", help_heading = "Pages", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub federation: Option<String>,
}

impl fmt::Debug for ServeFlags {
    /// Some of the flags are secrets, so none is shown.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ServeFlags").finish_non_exhaustive()
    }
}

/// The environment variable of every setting, in the order of the help.
pub(super) fn variables() -> Vec<String> {
    let command = ServeFlags::augment_args(Command::new("doorcode"));
    let names = command.get_arguments().filter_map(|flag| flag.get_env());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}
