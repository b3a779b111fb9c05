//! Turns flags into settings: reads every variable, checks the rules between them, then creates the data folder.
//! Collects all problems. The environment, the clock and randomness come from the caller.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use url::Url;

use super::{
    Manifest, Mode, Origins, Problems, ServeFlags, Settings, TestCode, Theme, TlsFiles, TokenSettings,
    clients::{self, Client},
    parse,
    problems::{Reader, is_given},
    rules::{self, RawValues},
    secret, secret_files,
    table::Values,
    test_codes as fixed, unknown,
};
use crate::{
    limits::{Limits, Rule},
    observability::{Log, LogFormat, Traces},
    ports::Entropy,
};

/// Send limits that development loosens, because developers sign in all day.
pub(super) const LOOSE_IN_DEVELOPMENT: [Rule; 4] =
    [Rule::SendPair, Rule::SendAddress, Rule::SendAddressDay, Rule::SendNetwork];
/// Default of `DOORCODE_SESSION_SHORT`.
const DAY: Duration = Duration::from_hours(24);
/// Factor by which development loosens them.
pub(super) const LOOSER: u32 = 100;

/// Implements [`Settings::load`] with `entropy` and [`Settings::look`] without.
pub(super) fn load(
    mut flags: ServeFlags,
    names: impl Iterator<Item = String>,
    now: DateTime<Utc>,
    entropy: Option<&dyn Entropy>,
) -> Result<Settings, Problems> {
    let mut reader = Reader::default();
    let files = secret_files::fill(&mut reader, &mut flags);
    let (mut settings, raw) = read(&mut reader, &flags, now);
    rules::check(&mut reader, &settings, &raw);
    unknown::check(&mut reader, names.chain(files));
    // Files come last, so that a refused start leaves nothing behind.
    if reader.is_clean() {
        settings.documents = documents(&mut reader, raw.documents.as_deref());
        settings.theme.read_logo(&mut reader, raw.logo.as_deref());
        settings.clients = clients(&mut reader, raw.clients.as_deref());
    }
    if reader.is_clean() {
        touch_folder(&mut reader, &mut settings, !is_given(flags.database_url.as_deref()), entropy);
    }
    if let Some(files) = &settings.tls {
        secret::warn_if_open_to_all(&mut reader, ("DOORCODE_TLS_KEY", "names a file"), &files.key);
    }
    settings.warnings = reader.finish()?;
    Ok(settings)
}

pub(super) fn ops_address(raw: Option<&str>) -> Result<SocketAddr, Problems> {
    let mut reader = Reader::default();
    let flags = ServeFlags { ops_listen: raw.map(str::to_owned), ..ServeFlags::default() };
    let address = Values::read(&mut reader, &flags).ops_listen;
    reader.finish().map(|_| address)
}

/// Creates the data folder if it is needed, and a development secret. Without `entropy`, only looks for a secret.
fn touch_folder(reader: &mut Reader, settings: &mut Settings, has_database: bool, entropy: Option<&dyn Entropy>) {
    if has_database
        && entropy.is_some()
        && let Err(error) = secret::create_folder(&settings.data)
    {
        let wrong = format!("is a folder that cannot be created ({})", error.kind());
        reader.refuse(
            "DOORCODE_DATA",
            wrong,
            "Name a folder that this user can create, such as DOORCODE_DATA=/var/lib/doorcode",
        );
    } else if settings.secrets.is_empty() {
        settings.secrets = secret::read_or_create(reader, &settings.data, entropy);
    }
}

/// Reads every setting. An invalid one has its default until the problems are reported.
#[expect(clippy::too_many_lines, reason = "a list of fields")]
fn read(reader: &mut Reader, flags: &ServeFlags, now: DateTime<Utc>) -> (Settings, RawValues) {
    let values = Values::read(reader, flags);
    let in_development = values.mode == Mode::Development;
    let limits = limits(reader, flags, &values, in_development);
    let test_codes = test_codes(reader, values.test_codes.as_deref(), &limits, now);
    let tls = tls(reader, values.tls_cert, values.tls_key);
    let (mail_from, sender) = values.mail_from;
    let (smtp_url, smtp) = values.smtp_url.unzip();
    let raw = RawValues {
        smtp,
        sender,
        has_public_url: values.public_url.is_some(),
        documents: values.documents,
        logo: values.logo,
        clients: values.clients,
    };
    let public_url = values.public_url.unwrap_or_else(|| local_url(values.listen, tls.is_some()));
    if flags.documents.as_deref().is_some_and(|text| text.trim().is_empty()) {
        let instead = "Name a manifest of trusted documents, or remove the variable";
        reader.warn("DOORCODE_DOCUMENTS", "is empty, so every document runs", instead);
    }
    let audience = || public_url.as_str().trim_end_matches('/').to_owned();
    let traces = values.otel_exporter_otlp_endpoint.map(|endpoint| Traces {
        endpoint,
        headers: values.otel_exporter_otlp_headers.unwrap_or_default(),
        service: values.otel_service_name,
        ratio: values.trace_ratio,
    });
    let settings = Settings {
        mode: values.mode,
        listen: values.listen,
        tls,
        ops_listen: values.ops_listen,
        tokens: TokenSettings {
            algorithm: values.token_alg,
            audience: values.token_audience.unwrap_or_else(audience),
            access_ttl: values.access_ttl,
            refresh_idle: values.refresh_idle,
            session_max: values.session_max,
            session_short: values.session_short.unwrap_or(DAY.min(values.session_max)),
        },
        public_url,
        expose_development: values.expose_development,
        database_url: values.database_url.unwrap_or_else(|| database_in(&values.data)),
        data: values.data,
        database_pool: values.database_pool,
        database_wait: values.database_wait,
        redis_url: values.redis_url,
        smtp_url,
        secrets: values.secret.unwrap_or_default(),
        signup: values.signup,
        test_codes,
        limits,
        trusted_proxies: values.trusted_proxies.unwrap_or_default(),
        cors_origins: Origins { listed: values.cors_origins.unwrap_or_default(), loopback: in_development },
        mail_from,
        brand: values.brand,
        theme: Theme {
            logo: None,
            accent: values.accent,
            support: values.support_url,
            terms: values.terms_url,
            privacy: values.privacy_url,
        },
        default_role: values.default_role,
        methods: values.methods,
        password_min: values.password_min,
        password_cost: values.password_cost,
        breached_passwords: values.breached_passwords,
        ip_retention: values.ip_retention,
        audit_retention: values.audit_retention,
        erase_after: values.erase_after,
        notices: values.notices,
        federation: values.federation,
        console: values.console,
        graphiql: values.graphiql.unwrap_or(in_development && raw.documents.is_none()),
        documents: None,
        clients: Arc::default(),
        introspection: values.introspection.unwrap_or(in_development),
        single_replica: values.single_replica,
        log: Log {
            filter: values.log,
            format: values.log_format.unwrap_or(if in_development { LogFormat::Text } else { LogFormat::Json }),
            emails: values.log_emails,
        },
        traces,
        warnings: Vec::new(),
    };
    (settings, raw)
}

fn limits(reader: &mut Reader, flags: &ServeFlags, values: &Values, in_development: bool) -> Limits {
    let mut limits = Limits::default();
    limits.send_cooldown = values.send_cooldown;
    limits.code_tries = values.code_tries;
    limits.code_length = values.code_length as usize;
    limits.code_ttl = values.code_ttl;
    for rule in Rule::ALL {
        let Some((variable, default, example)) = rule.setting() else { continue };
        let given = flags.limits.get(rule).map(String::as_str);
        if let Some(quota) = reader.optional(&variable, given, example, parse::quota) {
            limits.set(*rule, quota);
        } else if in_development && LOOSE_IN_DEVELOPMENT.contains(rule) {
            limits.set(*rule, default.times(LOOSER));
        }
    }
    limits
}

/// The default public URL in development.
fn local_url(listen: SocketAddr, tls: bool) -> Url {
    let scheme = if tls { "https" } else { "http" };
    #[expect(clippy::expect_used, reason = "valid with every port")]
    Url::parse(&format!("{scheme}://localhost:{}", listen.port())).expect("a URL")
}

/// The URL of the SQLite file in the data folder. The driver percent-decodes the path, so special characters are
/// encoded.
fn database_in(data: &Path) -> SecretString {
    let folder = data.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{}/doorcode.db?mode=rwc", folder.trim_end_matches('/')).into()
}

/// Both files or neither. Serving plain HTTP because one setting is missing would be worse than not starting.
fn tls(reader: &mut Reader, certificate: Option<PathBuf>, key: Option<PathBuf>) -> Option<TlsFiles> {
    let (one, other) = ("DOORCODE_TLS_CERT", "DOORCODE_TLS_KEY");
    let pair = match (certificate, key) {
        (Some(certificate), Some(key)) => return Some(TlsFiles { certificate, key }),
        (None, None) => return None,
        (Some(_), None) => [one, other],
        (None, Some(_)) => [other, one],
    };
    if pair.iter().all(|variable| reader.is_fine(variable)) {
        let [given, missing] = pair;
        reader.refuse(given, format!("needs {missing} too"), format!("Set {missing}, or remove {given}"));
    }
    None
}

fn documents(reader: &mut Reader, file: Option<&Path>) -> Option<Arc<Manifest>> {
    match Manifest::read(file?) {
        Ok(manifest) => Some(Arc::new(manifest)),
        Err(wrong) => {
            let instead = "Name a JSON file of SHA-256 ids and documents; `doorcode documents FILE` checks it";
            reader.refuse("DOORCODE_DOCUMENTS", wrong, instead);
            None
        }
    }
}

fn clients(reader: &mut Reader, file: Option<&Path>) -> Arc<[Client]> {
    let Some(file) = file else { return Arc::default() };
    clients::read(file).map_or_else(
        |wrong| {
            let example =
                r#"[{"id": "notes", "name": "Notes", "redirectUris": ["https://notes.example.com/callback"]}]"#;
            reader.refuse("DOORCODE_CLIENTS", wrong, format!("Name a JSON file such as {example}"));
            Arc::default()
        },
        Arc::from,
    )
}

fn test_codes(reader: &mut Reader, raw: Option<&str>, limits: &Limits, now: DateTime<Utc>) -> Vec<TestCode> {
    let today = now.date_naive();
    let digits = reader.is_fine("DOORCODE_CODE_LENGTH").then_some(limits.code_length);
    let parse = |text: &str| fixed::parse(text, today, digits);
    let example = "review@example.com=83120475@2027-01-31 with a date at most 90 days ahead";
    let (codes, warnings) = reader.optional("DOORCODE_TEST_CODES", raw, example, parse).unwrap_or_default();
    for odd in warnings {
        reader.warn("DOORCODE_TEST_CODES", odd, "Remove it when the test or review is over");
    }
    codes
}
