//! Loading all settings: from variables to `Settings` or to a list of problems. Each part has tests in its file.

mod help;
mod production;
mod refusals;

use std::{fs, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, Command, FromArgMatches, builder::Resettable};
use secrecy::ExposeSecret;

use super::*;
use crate::limits::Rule;
use crate::observability::{LogEmails, LogFormat};
use crate::ports::Entropy;

const GOOD_SECRET: &str = "hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU";
/// The minimum that production requires.
const PRODUCTION: [(&str, &str); 5] = [
    ("DOORCODE_MODE", "production"),
    ("DOORCODE_SECRET", GOOD_SECRET),
    ("SMTP_URL", "smtps://user:canary-password@smtp.example.com"),
    ("DOORCODE_PUBLIC_URL", "https://login.example.com"),
    ("DOORCODE_MAIL_FROM", "Example <no-reply@example.com>"),
];
/// Published settings, which must stay.
const CONTRACT: &str = "DATABASE_URL REDIS_URL SMTP_URL DOORCODE_MODE DOORCODE_SECRET DOORCODE_LISTEN \
    DOORCODE_OPS_LISTEN DOORCODE_PUBLIC_URL DOORCODE_DATA DOORCODE_SIGNUP DOORCODE_TEST_CODES DOORCODE_LIMIT_SEND_PAIR \
    DOORCODE_LIMIT_SEND_ADDRESS DOORCODE_LIMIT_SEND_ADDRESS_DAY DOORCODE_LIMIT_SEND_NETWORK \
    DOORCODE_LIMIT_SEND_INSTANCE DOORCODE_LIMIT_VERIFY_NETWORK DOORCODE_LIMIT_GUESS_ACCOUNT \
    DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH DOORCODE_LIMIT_REFRESH_SESSION DOORCODE_LIMIT_API_CALLER DOORCODE_SEND_COOLDOWN \
    DOORCODE_CODE_LENGTH DOORCODE_CODE_TTL DOORCODE_CODE_TRIES DOORCODE_TRUSTED_PROXIES DOORCODE_CORS_ORIGINS \
    DOORCODE_MAIL_FROM DOORCODE_BRAND DOORCODE_LOGO DOORCODE_ACCENT DOORCODE_SUPPORT_URL DOORCODE_TERMS_URL \
    DOORCODE_PRIVACY_URL DOORCODE_TOKEN_ALG DOORCODE_TOKEN_AUDIENCE DOORCODE_ACCESS_TTL \
    DOORCODE_REFRESH_IDLE DOORCODE_SESSION_MAX DOORCODE_SESSION_SHORT DOORCODE_METHODS DOORCODE_PASSWORD_MIN \
    DOORCODE_DEFAULT_ROLE DOORCODE_IP_RETENTION DOORCODE_GRAPHIQL \
    DOORCODE_INTROSPECTION DOORCODE_SINGLE_REPLICA DOORCODE_EXPOSE_DEVELOPMENT DOORCODE_DATABASE_POOL DOORCODE_LOG \
    DOORCODE_LOG_FORMAT DOORCODE_AUDIT_RETENTION DOORCODE_ERASE_AFTER DOORCODE_NOTICES DOORCODE_FEDERATION \
    DOORCODE_DOCUMENTS DOORCODE_LOG_EMAILS DOORCODE_TRACE_RATIO DOORCODE_DATABASE_WAIT OTEL_EXPORTER_OTLP_ENDPOINT \
    OTEL_EXPORTER_OTLP_HEADERS OTEL_SERVICE_NAME DOORCODE_TLS_CERT DOORCODE_TLS_KEY \
    DOORCODE_SECRETS_FOLDER DOORCODE_CLIENTS DOORCODE_CONSOLE";

/// The quotas that `valid_values_are_loaded` sets.
const QUOTAS: [(Rule, &str); 10] = [
    (Rule::SendPair, "4/3600"),
    (Rule::SendAddress, "7/7200"),
    (Rule::SendAddressDay, "13/172800"),
    (Rule::SendNetwork, "31/960"),
    (Rule::SendInstance, "1000000000/2678400"),
    (Rule::VerifyNetwork, "32/120"),
    (Rule::GuessAccount, "21/259200"),
    (Rule::GuessAccountMonth, "101/2505600"),
    (Rule::RefreshSession, "33/180"),
    (Rule::ApiCaller, "1/1"),
];

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        for (byte, step) in buffer.iter_mut().zip(0_u8..) {
            *byte = step.wrapping_mul(167).wrapping_add(13);
        }
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-21T12:00:00Z".parse().unwrap()
}

/// The flags without the environment of this process.
fn command() -> Command {
    ServeFlags::augment_args(Command::new("doorcode")).mut_args(|flag| flag.env(Resettable::Reset))
}

/// The flags as clap reads them from these variables.
fn flags(variables: &[(&str, &str)]) -> ServeFlags {
    let documented = ServeFlags::augment_args(Command::new("doorcode"));
    let mut arguments = vec!["doorcode".to_owned()];
    for (variable, value) in variables {
        let flag = documented.get_arguments().find(|flag| flag.get_env().is_some_and(|name| name == *variable));
        arguments.push(format!("--{}={value}", flag.and_then(clap::Arg::get_long).unwrap()));
    }
    ServeFlags::from_arg_matches(&command().try_get_matches_from(arguments).unwrap()).unwrap()
}

fn load(variables: &[(&str, &str)]) -> Result<Settings, Problems> {
    let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::load(flags(variables), environment, now(), &Fixed)
}

/// Development with a secret and a database, so that nothing is written.
fn develop(variables: &[(&str, &str)]) -> Result<Settings, Problems> {
    load(&[&[("DOORCODE_SECRET", GOOD_SECRET), ("DATABASE_URL", "sqlite::memory:")], variables].concat())
}

/// Valid production settings, with some variables changed or (if empty) removed.
fn produce(changes: &[(&str, &str)]) -> Result<Settings, Problems> {
    let kept = |(name, _): &&(&str, &str)| changes.iter().all(|(changed, _)| changed != name);
    let mut variables: Vec<_> = PRODUCTION.iter().filter(kept).copied().collect();
    if changes.iter().all(|(name, _)| *name != "DATABASE_URL") {
        variables.push(("DATABASE_URL", "sqlite:///nowhere/doorcode.db"));
    }
    variables.extend(changes);
    load(&variables)
}

/// Asserts that exactly one variable has a problem, with these words.
#[track_caller]
fn assert_refused(result: Result<Settings, Problems>, variable: &str, words: &str) {
    let problems = result.unwrap_err();
    let named: Vec<_> = problems.iter().map(|problem| problem.variable.as_str()).collect();
    assert_eq!(named, [variable], "{problems}");
    assert!(problems.to_string().contains(words), "{words:?} is not in: {problems}");
    assert!(problems.iter().all(|problem| problem.instead.len() > 10), "{problems}");
}

#[test]
fn without_variables_it_is_a_safe_development_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("a?b#c%20");
    let settings = load(&[("DOORCODE_DATA", data.to_str().unwrap())]).unwrap();
    assert_eq!(settings.mode, Mode::Development);
    assert_eq!(
        (settings.listen.to_string(), settings.ops_listen.to_string()),
        ("127.0.0.1:4000".into(), "127.0.0.1:4001".into())
    );
    assert_eq!(settings.issuer(), "http://localhost:4000");
    assert_eq!(settings.tokens.audience, "http://localhost:4000");
    let (limits, defaults) = (&settings.limits, Limits::default());
    for rule in Rule::ALL {
        let factor = if load::LOOSE_IN_DEVELOPMENT.contains(rule) || *rule == Rule::SendAccount { 100 } else { 1 };
        assert_eq!(limits.quota(*rule), defaults.quota(*rule).times(factor), "{}", rule.name());
    }
    for allowed in ["http://localhost:3000", "http://127.0.0.1:5173", "http://app.localhost", "https://[::1]:8443"] {
        assert!(settings.cors_origins.allow(allowed), "{allowed}");
    }
    for refused in
        ["http://localhost.example.com", "http://127.0.0.1.example.com", "http://192.0.2.1", "null", "file://"]
    {
        assert!(!settings.cors_origins.allow(refused), "{refused}");
    }
    assert_eq!(settings.database_pool, (5, 20));
    assert_eq!(settings.ip_retention, Duration::from_hours(90 * 24));
    assert_eq!((settings.default_role, settings.signup.clone()), (Role::User, SignUp::Open));
    assert_eq!((settings.log.filter.as_str(), settings.log.format), ("info", LogFormat::Text));
    assert!(
        settings.console
            && settings.graphiql
            && settings.introspection
            && settings.has_inbox()
            && !settings.single_replica
    );
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    assert_eq!(fs::read_to_string(data.join("secret")).unwrap(), settings.secrets[0].expose_secret());
    let expected = format!("sqlite://{}/a%3Fb%23c%2520/doorcode.db?mode=rwc", folder.path().display());
    assert_eq!(settings.database_url.expose_secret(), expected);
}

#[test]
fn production_is_closed_by_default() {
    let settings = produce(&[]).unwrap();
    assert_eq!(settings.mode, Mode::Production);
    assert!(settings.console && !settings.graphiql && !settings.introspection && !settings.has_inbox());
    assert!(settings.cors_origins == Origins { listed: Vec::new(), loopback: false } && settings.warnings.is_empty());
    assert_eq!(settings.log.format, LogFormat::Json);
    let opened = produce(&[("DOORCODE_GRAPHIQL", "true"), ("DOORCODE_INTROSPECTION", "TRUE")]).unwrap();
    assert!(opened.graphiql && opened.introspection);
}

#[test]
fn valid_values_are_loaded() {
    let settings = develop(&[
        ("DOORCODE_LISTEN", "127.0.0.1:8080"),
        ("DOORCODE_PUBLIC_URL", "https://example.com/login/"),
        ("DOORCODE_DATABASE_POOL", "1-2"),
        ("DOORCODE_SIGNUP", "domains:Bücher.example, example.org"),
        ("DOORCODE_LIMIT_SEND_PAIR", "4/1h"),
        ("DOORCODE_LIMIT_SEND_ADDRESS", "7/2h"),
        ("DOORCODE_LIMIT_SEND_ADDRESS_DAY", "13/2d"),
        ("DOORCODE_LIMIT_SEND_NETWORK", "31/16m"),
        ("DOORCODE_LIMIT_SEND_INSTANCE", "1000000000/31d"),
        ("DOORCODE_LIMIT_VERIFY_NETWORK", "32/2m"),
        ("DOORCODE_LIMIT_GUESS_ACCOUNT", "21/3d"),
        ("DOORCODE_LIMIT_GUESS_ACCOUNT_MONTH", "101/29d"),
        ("DOORCODE_LIMIT_REFRESH_SESSION", "33/3m"),
        ("DOORCODE_LIMIT_API_CALLER", "1/1s"),
        ("DOORCODE_SEND_COOLDOWN", "90s"),
        ("DOORCODE_CODE_LENGTH", "6"),
        ("DOORCODE_CODE_TTL", "30m"),
        ("DOORCODE_CODE_TRIES", "10"),
        ("DOORCODE_TEST_CODES", "review@example.com=831204@2027-01-31"),
        ("DOORCODE_TRUSTED_PROXIES", "10.1.2.3/8, 192.0.2.1,2001:db8::/32"),
        ("DOORCODE_CORS_ORIGINS", "HTTPS://App.Example.com:443, http://localhost:8080,capacitor://localhost"),
        ("DOORCODE_TOKEN_ALG", "es256"),
        ("DOORCODE_TOKEN_AUDIENCE", "everybody"),
        ("DOORCODE_ACCESS_TTL", "1h"),
        ("DOORCODE_REFRESH_IDLE", "365d"),
        ("DOORCODE_SESSION_MAX", "365d"),
        ("DOORCODE_SESSION_SHORT", "365d"),
        ("DOORCODE_METHODS", "Code"),
        ("DOORCODE_PASSWORD_MIN", "64"),
        ("DOORCODE_DEFAULT_ROLE", "guest"),
        ("DOORCODE_BRAND", "Bücher & Söhne <3"),
        ("DOORCODE_IP_RETENTION", "0s"),
        ("DOORCODE_AUDIT_RETENTION", "90d"),
        ("DOORCODE_ERASE_AFTER", "0s"),
        ("DOORCODE_NOTICES", "role-change, New-Device"),
        ("DOORCODE_FEDERATION", "true"),
        ("DOORCODE_CONSOLE", "false"),
        ("DOORCODE_DATABASE_WAIT", "5m"),
        ("DOORCODE_LOG_FORMAT", "json"),
        ("SMTP_URL", "smtp://localhost:1025"),
    ])
    .unwrap();
    let limits = &settings.limits;
    let text = |rule| format!("{}/{}", limits.quota(rule).count, limits.quota(rule).window.as_secs());
    for (rule, expected) in QUOTAS {
        assert_eq!(text(rule), expected);
    }
    assert_eq!((limits.send_cooldown.as_secs(), limits.code_ttl.as_secs()), (90, 1800));
    assert_eq!((limits.code_length, limits.code_tries, settings.password_min), (6, 10, 64));
    assert_eq!(settings.issuer(), "https://example.com/login");
    assert_eq!(settings.signup, SignUp::Domains(vec!["xn--bcher-kva.example".into(), "example.org".into()]));
    assert_eq!(settings.test_codes[0].code.expose_secret(), "831204");
    let proxies: Vec<_> = settings.trusted_proxies.iter().map(ToString::to_string).collect();
    assert_eq!(proxies, ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]);
    assert_eq!(
        settings.cors_origins.listed,
        ["https://app.example.com", "http://localhost:8080", "capacitor://localhost"]
    );
    assert_eq!((settings.tokens.algorithm, settings.tokens.audience.as_str()), (TokenAlgorithm::Es256, "everybody"));
    assert_eq!((settings.tokens.access_ttl.as_secs(), settings.tokens.session_max.as_secs()), (3600, 31_536_000));
    assert_eq!((settings.tokens.session_short.as_secs(), settings.methods.password), (31_536_000, false));
    assert_eq!((settings.default_role, settings.brand.as_str()), (Role::Guest, "Bücher & Söhne <3"));
    assert_eq!((settings.ip_retention, settings.log.format), (Duration::ZERO, LogFormat::Json));
    assert_eq!(settings.database_wait, Duration::from_mins(5));
    assert_eq!((settings.audit_retention, settings.erase_after), (Duration::from_hours(90 * 24), Duration::ZERO));
    assert_eq!(settings.notices, Notices { email_change: false, ..Notices::ALL });
    assert!(settings.federation && !settings.console);
    assert!(!settings.has_inbox(), "a mail server replaces the inbox");
    assert_eq!(settings.warnings.len(), 1, "{:?}", settings.warnings);
}

#[test]
fn telemetry_settings_follow_opentelemetry() {
    let settings = load(&[
        ("DOORCODE_LOG", "info,doorcode=debug"),
        ("DOORCODE_LOG_EMAILS", "plain"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.com/otlp"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20canary"),
        ("OTEL_SERVICE_NAME", "login"),
        ("DOORCODE_TRACE_RATIO", "0.25"),
    ])
    .unwrap();
    assert_eq!((settings.log.filter.as_str(), settings.log.emails), ("info,doorcode=debug", LogEmails::Plain));
    let traces = settings.traces.unwrap();
    assert_eq!(traces.endpoint.as_str(), "https://collector.example.com/otlp/v1/traces");
    assert_eq!((traces.service.as_str(), traces.headers.len()), ("login", 1));
    assert!((traces.ratio - 0.25).abs() < f64::EPSILON);
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let empty: Vec<_> = CONTRACT.split(' ').filter(|name| *name != "DOORCODE_DATA").map(|name| (name, " ")).collect();
    let folder = tempfile::tempdir().unwrap();
    let with_data = [&empty[..], &[("DOORCODE_DATA", folder.path().to_str().unwrap())]].concat();
    let settings = load(&with_data).unwrap();
    assert!(settings.redis_url.is_none() && settings.smtp_url.is_none() && settings.mode == Mode::Development);
}

#[test]
fn secrets_are_not_in_the_debug_form_of_settings_or_flags() {
    let variables = [
        ("DOORCODE_SECRET", "canary-hV2mJ0cQ7yXwN4tR9zLbK1sD6fGpA8eU"),
        ("DATABASE_URL", "postgres://doorcode:canary@db.example.com/doorcode"),
        ("REDIS_URL", "rediss://:canary@redis.example.com"),
        ("SMTP_URL", "smtps://user:canary@smtp.example.com"),
        ("DOORCODE_TEST_CODES", "review@example.com=83120475@2027-01-31"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example.com"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary"),
    ];
    let text = format!("{:?} {:?}", load(&variables).unwrap(), flags(&variables));
    assert!(!text.contains("canary") && !text.contains("83120475"), "{text}");
}

#[test]
fn a_development_server_is_reached_where_it_listens() {
    let settings = develop(&[("DOORCODE_LISTEN", "localhost:8080")]).unwrap();
    assert_eq!((settings.listen.to_string().as_str(), settings.issuer()), ("127.0.0.1:8080", "http://localhost:8080"));
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

/// Whether a message repeats the name of its variable.
fn is_repetitive(Problem { variable, wrong, instead }: &Problem) -> bool {
    let mut words = wrong.split(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    words.any(|word| word == variable) || instead.starts_with(&format!("{variable}:"))
}

/// Every reader in a test calls this, so it checks every message that any test causes.
pub(super) fn assert_nothing_is_repeated<'a>(problems: impl IntoIterator<Item = &'a Problem>) {
    for problem in problems {
        assert!(!is_repetitive(problem), "{problem}");
    }
}

#[test]
fn a_message_that_repeats_its_variable_is_found() {
    for (wrong, instead, found) in [
        ("SMTP_URL would send codes in clear", "Write smtps://", true),
        ("is odd: see SMTP_URL", "Write smtps://", true),
        ("is odd", "SMTP_URL: write smtps://", true),
        ("is odd beside MY_SMTP_URL", "Write, for example, SMTP_URL=smtps://smtp.example.com", false),
    ] {
        assert_eq!(is_repetitive(&Problem::new("SMTP_URL", wrong, instead)), found, "{wrong}");
    }
}

#[test]
fn a_removed_setting_is_mentioned() {
    let variables = [("DOORCODE_SECRET", GOOD_SECRET), ("DATABASE_URL", "sqlite::memory:")];
    let gone = ("DATABASE_READ_URL".to_owned(), String::new());
    let settings = Settings::load(flags(&variables), [gone].into_iter(), now(), &Fixed).unwrap();
    assert!(settings.warnings[0].to_string().contains("DATABASE_READ_URL is ignored"), "{:?}", settings.warnings);
}
