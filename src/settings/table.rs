//! All settings, one row each. Flags, `--help`, `docs/operate/settings.md`, the reader, the check for unknown variables
//! and the secret files come from this table. Rate limits are defined in `limits.rs` and added here; `flags.rs` turns
//! rows into flags.

use std::{borrow::Cow, collections::BTreeMap, path::PathBuf, time::Duration};

use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::{
    Accent, HashCost, Methods, Mode, Notices, SignUp, TokenAlgorithm,
    parse::{self, SmtpSecurity},
    problems::Reader,
    secret, telemetry, theme,
};
use crate::{
    db::entity::Role,
    limits::Rule,
    observability::{LogEmails, LogFormat},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// One setting.
pub struct Row {
    /// The environment variable.
    pub variable: Cow<'static, str>,
    /// Kind of value, such as `URL`.
    pub value: &'static str,
    /// Heading in the help.
    pub group: &'static str,
    /// Help text.
    pub help: Cow<'static, str>,
    /// The default value, or a description of what happens without one.
    pub default: Result<Cow<'static, str>, &'static str>,
    /// A valid value.
    pub example: Cow<'static, str>,
    /// Whether its value must never be shown and may come from a file.
    pub is_secret: bool,
}

/// A row is: field, variable, kind of value, `default "value"` or `none "what happens without"`, example, parser and
/// type.
macro_rules! settings {
    ($($group:literal { $(
        $(#[doc = $doc:literal])+
        $field:ident $variable:literal $value:ident $kind:ident $default:literal example $example:literal
        $(~ $secret:ident)? $parse:expr => $type:ty;
    )+ })+) => {
        /// The settings as text, from flags and environment variables. An empty value counts as not set.
        #[derive(Clone, Default)]
        pub struct ServeFlags {
            $($($(#[doc = $doc])+ pub $field: Option<String>,)+)+
            /// The rate limits that are set.
            pub limits: BTreeMap<Rule, String>,
        }

        impl ServeFlags {
            pub(super) fn get_mut(&mut self, variable: &str) -> Option<&mut Option<String>> {
                match variable {
                    $($($variable => Some(&mut self.$field),)+)+
                    _ => None,
                }
            }
        }

        /// The value of each row. `None` if it has no default and is not set.
        #[expect(dead_code, reason = "secret_files reads its folder before all others")]
        pub(super) struct Values { $($(pub(super) $field: settings!(@type $kind $type),)+)+ }

        impl Values {
            pub(super) fn read(reader: &mut Reader, flags: &ServeFlags) -> Self {
                Self { $($($field: {
                    let parse: fn(&str) -> parse::Parsed<$type> = $parse;
                    let value = reader.optional($variable, flags.$field.as_deref(), $example, parse);
                    settings!(@value $kind $variable $default value parse)
                },)+)+ }
            }
        }

        /// Every setting, in the order of the help.
        pub fn rows() -> Vec<Row> {
            let mut rows = vec![$($(Row {
                variable: Cow::Borrowed($variable),
                value: stringify!($value),
                group: $group,
                help: Cow::Borrowed(concat!($($doc, "\n",)+)),
                default: settings!(@default $kind $default),
                example: Cow::Borrowed($example),
                is_secret: false $(|| settings!(@secret $secret))?,
            },)+)+];
            let limits = rows.iter().rposition(|row| row.group == LIMITS).map_or(rows.len(), |last| last + 1);
            rows.splice(limits..limits, limit_rows());
            rows
        }
    };
    (@type default $type:ty) => { $type };
    (@type none $type:ty) => { Option<$type> };
    (@value default $variable:literal $default:literal $value:ident $parse:ident) => {
        $value.unwrap_or_else(|| default($variable, $default, $parse))
    };
    (@value none $variable:literal $default:literal $value:ident $parse:ident) => { $value };
    (@default default $default:literal) => { Ok(Cow::Borrowed($default)) };
    (@default none $default:literal) => { Err($default) };
    (@secret secret) => { true };
}

const LIMITS: &str = "Limits";

settings! {
    "Start" {
        /// `development` listens on loopback only and serves GraphiQL and an inbox. `production` refuses to start with
        /// unsafe settings.
        mode "DOORCODE_MODE" MODE default "development" example "production" parse::mode => Mode;
        /// Address and port for the API and the pages.
        listen "DOORCODE_LISTEN" ADDRESS default "127.0.0.1:4000" example "0.0.0.0:4000"
            parse::socket => std::net::SocketAddr;
        /// PEM file with the TLS certificate of the public port and its chain. It is reloaded when it changes.
        tls_cert "DOORCODE_TLS_CERT" FILE none "none; a proxy terminates TLS" example "/etc/doorcode/tls.pem"
            parse::folder => PathBuf;
        /// PEM file with the private key of the certificate, without a passphrase. Only this user should be able to
        /// read it.
        tls_key "DOORCODE_TLS_KEY" FILE none "none" example "/etc/doorcode/tls.key" parse::folder => PathBuf;
        /// Address and port for health checks and metrics. Do not expose it to the internet.
        ops_listen "DOORCODE_OPS_LISTEN" ADDRESS default "127.0.0.1:4001" example "0.0.0.0:4001"
            parse::socket => std::net::SocketAddr;
        /// URL where users reach the service. It is the issuer of tokens and the start of every link in emails.
        /// Production requires https://, except on loopback.
        public_url "DOORCODE_PUBLIC_URL" URL none
            "required in production; in development http://localhost and the port of `DOORCODE_LISTEN`"
            example "https://login.example.com" parse::public_url => Url;
        /// Server secret from which all keys are derived: at least 32 random bytes. During a rotation, list several,
        /// newest first, separated by commas. Use the variable instead of the flag, because other users of the machine
        /// can read command lines.
        secret "DOORCODE_SECRET" SECRET none
            "required in production; in development one is generated and kept in the file `secret` in the data folder"
            example "$(openssl rand -base64 32)" ~secret secret::parse => Vec<SecretString>;
        /// Folder with secrets as files. Each file is named like its variable, such as `SMTP_URL`, and contains the
        /// value. Do not set a secret both here and in the environment.
        secrets_folder "DOORCODE_SECRETS_FOLDER" FOLDER none "none" example "/run/secrets" parse::folder => PathBuf;
        /// Allow a development server to listen beyond loopback. Everyone who can reach it can then read all mail in
        /// the inbox. As the host, it accepts every IP address, localhost and the host of `DOORCODE_PUBLIC_URL`;
        /// without this setting only the last two, and other hosts get status 421.
        expose_development "DOORCODE_EXPOSE_DEVELOPMENT" BOOL default "false" example "true" parse::boolean => bool;
    }
    "Storage" {
        /// Data folder for the SQLite database and the development secret. It is created if missing, readable by this
        /// user only.
        data "DOORCODE_DATA" FOLDER default "./data" example "/var/lib/doorcode" parse::folder => PathBuf;
        /// Database: SQLite (one process only) or PostgreSQL.
        database_url "DATABASE_URL" URL none "the SQLite file `doorcode.db` in the data folder"
            example "postgres://doorcode:password@db.example.com/doorcode" ~secret parse::database_url => SecretString;
        /// Minimum and maximum number of PostgreSQL connections.
        database_pool "DOORCODE_DATABASE_POOL" RANGE default "5-20" example "2-10" parse::pool => (u32, u32);
        /// How long to wait for PostgreSQL at startup, 0s to 1h.
        database_wait "DOORCODE_DATABASE_WAIT" DURATION default "30s" example "5m"
            |text| parse::duration(text, Duration::ZERO, HOUR) => Duration;
        /// Redis for rate limits that replicas share: one server, a cluster (`redis+cluster://`) or Sentinel
        /// (`redis+sentinel://`), with `rediss` for TLS. Production on PostgreSQL requires it unless
        /// `DOORCODE_SINGLE_REPLICA` is set.
        redis_url "REDIS_URL" URL none "each process counts limits by itself"
            example "rediss://:password@redis.example.com:6379" ~secret parse::redis_url => SecretString;
        /// Declare that no other process uses this database. Production on PostgreSQL then counts limits in memory and
        /// does not require `REDIS_URL`.
        single_replica "DOORCODE_SINGLE_REPLICA" BOOL default "false" example "true" parse::boolean => bool;
    }
    "Mail" {
        /// SMTP server. Production requires TLS: `smtps://`, or `smtp://` with `?tls=required`.
        smtp_url "SMTP_URL" URL none "required in production; in development, mail goes to the built-in inbox"
            example "smtps://user:password@smtp.example.com" ~secret parse::smtp_url => (SecretString, SmtpSecurity);
        /// Sender of every email. Production requires an address in a real domain.
        mail_from "DOORCODE_MAIL_FROM" MAILBOX default "Doorcode <no-reply@localhost>"
            example "Example <no-reply@example.com>" parse::mailbox => (String, String);
    }
    "Sign-in" {
        /// Who can create an account by signing in: everyone (`open`), no one (`closed`), or addresses in a list of
        /// domains (`domains:example.com,example.org`).
        signup "DOORCODE_SIGNUP" POLICY default "open" example "domains:example.com,example.org"
            parse::signup => SignUp;
        /// Role of new users: `USER` or `GUEST`. Administrators grant more.
        default_role "DOORCODE_DEFAULT_ROLE" ROLE default "USER" example "GUEST" parse::default_role => Role;
        /// How users can sign in: `code` for emailed codes, which is required because a code always works, and
        /// `password`.
        methods "DOORCODE_METHODS" LIST default "code,password" example "code" parse::methods => Methods;
        /// Minimum number of characters in a new password, 8 to 64. NIST SP 800-63B-4 requires 15 where a password is
        /// the only factor; the default is the 8 that OWASP ASVS 5.0 (6.2.1) requires.
        password_min "DOORCODE_PASSWORD_MIN" COUNT default "8" example "15" |text| parse::number(text, 8, 64) => u32;
        /// Cost of a password hash, argon2id: memory in KiB, passes and lanes. A stored hash gets the new cost when its
        /// user signs in. Production refuses less than OWASP recommends.
        password_cost "DOORCODE_PASSWORD_COST" COST default "m=19456,t=2,p=1" example "m=47104,t=1,p=1"
            parse::hash_cost => HashCost;
        /// List of breached passwords that users cannot choose, made by `doorcode breached build`. It is opened at start;
        /// a new list needs a restart.
        breached_passwords "DOORCODE_BREACHED_PASSWORDS" FILE none "only common passwords are refused"
            example "/etc/doorcode/breached.filter" parse::folder => PathBuf;
        /// Number of digits in a code, 6 to 12. One digit fewer makes guessing ten times easier. Production refuses to
        /// start if a year of guessing opens an account with odds above 1 in 1,000, so six digits require a smaller
        /// `DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH`, such as `80/30d`.
        code_length "DOORCODE_CODE_LENGTH" DIGITS default "8" example "10"
            |text| parse::number(text, 6, 12) => u32;
        /// How long a code is valid, 1m to 30m.
        code_ttl "DOORCODE_CODE_TTL" DURATION default "5m" example "10m"
            |text| parse::duration(text, MINUTE, 30 * MINUTE) => Duration;
        /// Number of attempts per code, 1 to 10.
        code_tries "DOORCODE_CODE_TRIES" COUNT default "3" example "5" |text| parse::number(text, 1, 10) => u32;
        /// Fixed codes for test accounts and app reviewers with the role USER or GUEST: `address=code@date`, separated
        /// by commas. The date is the last day (UTC) on which the code works, at most 90 days ahead. Until then, these
        /// addresses cannot get a higher role. Expired codes are ignored with a warning. Of the send limits, only
        /// `send.network` applies to these addresses.
        test_codes "DOORCODE_TEST_CODES" LIST none "none" example "review@example.com=83120475@2027-01-31" ~secret
            |text| Ok(text.to_owned()) => String;
    }
    "Other applications" {
        /// Applications that users can sign in to with OAuth 2.1: a JSON list of objects with `id`, `name`,
        /// `redirectUris` and optionally `audience` and `logo`. It is read at start. `doorcode client add` registers an
        /// application in the database instead.
        clients "DOORCODE_CLIENTS" FILE none "only the applications of `doorcode client`"
            example "/etc/doorcode/clients.json" parse::folder => PathBuf;
    }
    "Limits" {
        /// Minimum duration of the first refusal by `send.pair`, 1s to 1d.
        send_cooldown "DOORCODE_SEND_COOLDOWN" DURATION default "5m" example "10m"
            |text| parse::duration(text, SECOND, DAY) => Duration;
    }
    "Tokens" {
        /// Algorithm of new signing keys: `EdDSA`, `ES256`, `RS256`, or `HS256`, which only this server can verify.
        token_alg "DOORCODE_TOKEN_ALG" ALGORITHM default "EdDSA" example "ES256" parse::algorithm => TokenAlgorithm;
        /// The `aud` claim of access tokens.
        token_audience "DOORCODE_TOKEN_AUDIENCE" AUDIENCE none "the public URL" example "https://api.example.com"
            |text| parse::printable(text, 255) => String;
        /// Lifetime of an access token, 1m to 1h.
        access_ttl "DOORCODE_ACCESS_TTL" DURATION default "15m" example "5m"
            |text| parse::duration(text, MINUTE, HOUR) => Duration;
        /// A session ends when it is not refreshed for this long, at most `DOORCODE_SESSION_MAX`.
        refresh_idle "DOORCODE_REFRESH_IDLE" DURATION default "7d" example "1d"
            |text| parse::duration(text, MINUTE, 365 * DAY) => Duration;
        /// A session always ends after this long, at most 365d.
        session_max "DOORCODE_SESSION_MAX" DURATION default "30d" example "90d"
            |text| parse::duration(text, MINUTE, 365 * DAY) => Duration;
        /// A session that is not to be remembered (`remember: false`) always ends after this long, at most
        /// `DOORCODE_SESSION_MAX`.
        session_short "DOORCODE_SESSION_SHORT" DURATION none "24h, or `DOORCODE_SESSION_MAX` if that is shorter"
            example "12h" |text| parse::duration(text, MINUTE, 365 * DAY) => Duration;
    }
    "Pages" {
        /// Name in emails and on the pages, at most 64 characters.
        brand "DOORCODE_BRAND" NAME default "Doorcode" example "Example Login"
            |text| parse::printable(text, 64) => String;
        /// Image in place of Doorcode's mark on the pages and in emails: PNG, or SVG, which emails don't show. At most
        /// 100 KiB, and 2000 pixels wide and high.
        logo "DOORCODE_LOGO" FILE none "Doorcode's mark on the pages, and the name in emails"
            example "/etc/doorcode/logo.png" parse::folder => PathBuf;
        /// Colour of buttons and links: one for light and dark pages, or one for each. It needs a contrast of 3:1 with
        /// the cards, `#ffffff` and `#16181c`. Text on it is white or black, whichever can be read.
        accent "DOORCODE_ACCENT" COLOUR none "Doorcode's blue" example "#0a2540,#7aa7ff" theme::accent => Accent;
        /// Where users get help: a page, or an address as `mailto:help@example.com`. Pages link to it, and emails name
        /// it.
        support_url "DOORCODE_SUPPORT_URL" URL none "no link" example "mailto:help@example.com" theme::support => Url;
        /// Terms of service. Pages link to them, and registration says that they apply.
        terms_url "DOORCODE_TERMS_URL" URL none "no link" example "https://example.com/terms" theme::page => Url;
        /// Privacy notice. Pages link to it, and registration says that it applies.
        privacy_url "DOORCODE_PRIVACY_URL" URL none "no link" example "https://example.com/privacy" theme::page => Url;
        /// Whether `/admin` exists, the console for managers and administrators.
        console "DOORCODE_CONSOLE" BOOL default "true" example "false" parse::boolean => bool;
        /// Whether `/graphiql` exists.
        graphiql "DOORCODE_GRAPHIQL" BOOL none
            "`true` in development, `false` in production or with `DOORCODE_DOCUMENTS`" example "false"
            parse::boolean => bool;
        /// Whether clients can query the schema.
        introspection "DOORCODE_INTROSPECTION" BOOL none "`true` in development, `false` in production"
            example "false" parse::boolean => bool;
        /// Manifest of trusted documents. The server then runs only these operations and those of its own pages. It is
        /// a JSON file as written by Relay, GraphQL Code Generator or Apollo, with the SHA-256 of each document as its
        /// id. `doorcode documents` checks it.
        documents "DOORCODE_DOCUMENTS" FILE none "every document runs" example "/etc/doorcode/documents.json"
            parse::folder => PathBuf;
        /// Whether the API is an Apollo Federation 2 subgraph, so that a gateway can query the schema and resolve users
        /// by id. All other callers can then query the schema too, even without introspection.
        federation "DOORCODE_FEDERATION" BOOL default "false" example "true" parse::boolean => bool;
    }
    "Network" {
        /// Proxies whose forwarding headers are trusted: networks or addresses, separated by commas. Production refuses
        /// more of the internet than an IPv4 /8 or an IPv6 /24, and IPv6 networks that embed IPv4 addresses.
        trusted_proxies "DOORCODE_TRUSTED_PROXIES" LIST none "none; the connecting address is the client"
            example "10.0.0.0/8,fd00::/8" |text| parse::list(text, parse::network) => Vec<IpNet>;
        /// Origins of other sites whose pages can call the API. Production refuses http://, except on loopback.
        cors_origins "DOORCODE_CORS_ORIGINS" LIST none "every loopback origin in development, none in production"
            example "https://app.example.com" |text| parse::list(text, parse::origin) => Vec<String>;
        /// How long client addresses are kept in sessions and audit events, 0s to 3650d.
        ip_retention "DOORCODE_IP_RETENTION" DURATION default "90d" example "30d"
            |text| parse::duration(text, Duration::ZERO, 3650 * DAY) => Duration;
    }
    "Users" {
        /// How long audit events are kept, 1d to 3650d. Production refuses less than 7d, because owners need them to
        /// recover a stolen account.
        audit_retention "DOORCODE_AUDIT_RETENTION" DURATION default "400d" example "90d"
            |text| parse::duration(text, DAY, 3650 * DAY) => Duration;
        /// How long a deleted account can be restored before it is erased for good, 0s to 3650d. Erasing keeps the
        /// audit events without the identity of the user. Production refuses less than 7d, the time that owners have to
        /// recover a stolen account; `doorcode purge --erase-after 0s` erases sooner.
        erase_after "DOORCODE_ERASE_AFTER" DURATION default "30d" example "7d"
            |text| parse::duration(text, Duration::ZERO, 3650 * DAY) => Duration;
        /// Emails that notify users of changes to their account, separated by commas: `new-device`, `email-change` and
        /// `role-change`, or `none`. `email-change` covers changes by an administrator; changes by users themselves are
        /// always announced, because the old address can undo them.
        notices "DOORCODE_NOTICES" LIST default "new-device,email-change,role-change" example "new-device,role-change"
            parse::notices => Notices;
    }
    "Telemetry" {
        /// Log filter: a level, or levels by module.
        log "DOORCODE_LOG" FILTER default "info" example "info,doorcode=debug" parse::log_filter => String;
        /// Format of log lines: `text` for people, `json` for machines.
        log_format "DOORCODE_LOG_FORMAT" FORMAT none "`text` in development, `json` in production" example "json"
            |text| parse::choice(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)]) => LogFormat;
        /// How email addresses appear in the log: `plain`, or `hashed`, which lets you find the lines of an address
        /// without revealing it (`doorcode user hash` prints the hash of an address).
        log_emails "DOORCODE_LOG_EMAILS" HOW default "hashed" example "plain"
            |text| parse::choice(text, &[("hashed", LogEmails::Hashed), ("plain", LogEmails::Plain)]) => LogEmails;
        /// Base URL of the OpenTelemetry collector that receives traces over OTLP/HTTP; `/v1/traces` is added.
        otel_exporter_otlp_endpoint "OTEL_EXPORTER_OTLP_ENDPOINT" URL none "no traces"
            example "http://collector.example.com:4318" telemetry::endpoint => Url;
        /// Headers for the collector: `name=value`, separated by commas, values percent-encoded.
        otel_exporter_otlp_headers "OTEL_EXPORTER_OTLP_HEADERS" LIST none "none"
            example "authorization=Bearer%20abc" ~secret telemetry::headers => Vec<(String, SecretString)>;
        /// Service name in traces.
        otel_service_name "OTEL_SERVICE_NAME" NAME default "doorcode" example "login"
            |text| parse::printable(text, 64) => String;
        /// Share of requests that are traced, 0 to 1. Requests that are part of an unsampled trace are never traced.
        trace_ratio "DOORCODE_TRACE_RATIO" RATIO default "1" example "0.1" telemetry::ratio => f64;
    }
}

fn limit_rows() -> impl Iterator<Item = Row> {
    Rule::ALL.iter().filter_map(|rule| {
        let (variable, quota, example) = rule.setting()?;
        Some(Row {
            variable: variable.into(),
            value: "QUOTA",
            group: LIMITS,
            help: rule.help().into(),
            default: Ok(parse::written(quota).into()),
            example: example.into(),
            is_secret: false,
        })
    })
}

#[expect(clippy::expect_used, reason = "every start parses all defaults")]
fn default<T>(variable: &str, text: &str, parse: fn(&str) -> parse::Parsed<T>) -> T {
    parse(text).map_err(|_| ()).expect(variable)
}

impl Row {
    /// The flag, without dashes.
    pub fn flag(&self) -> String {
        self.variable.trim_start_matches("DOORCODE_").to_lowercase().replace('_', "-")
    }

    /// The default in Markdown.
    pub fn default_text(&self) -> String {
        match &self.default {
            Ok(value) => format!("`{value}`"),
            Err(without) => (*without).to_owned(),
        }
    }

    /// The example in Markdown.
    pub fn example_text(&self) -> String {
        if self.example.contains('`') { self.example.to_string() } else { format!("`{}`", self.example) }
    }

    /// The help as one paragraph.
    pub fn paragraph(&self) -> String {
        self.help.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}
