//! From flags to settings: every variable is read, then the rules between them are checked, then, if all is well, the
//! data folder is touched. Nothing here stops at the first problem, and nothing reads the environment, the clock or a
//! source of randomness by itself.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use super::{
    Manifest, Mode, Notices, Problems, ServeFlags, Settings, SignUp, TestCode, TlsFiles, numbers,
    parse::{self, SmtpSecurity},
    problems::Reader,
    rules::{self, Facts},
    secret, secret_files, telemetry, test_codes as fixed, unknown,
};
use crate::{db::entity::Role, limits::Limits, ports::Entropy};

/// Where the service is found unless somebody says otherwise.
const DEFAULT_PUBLIC_URL: &str = "http://localhost:4000";
/// The front-end servers that developers run.
const DEVELOPMENT_ORIGINS: [&str; 2] = ["http://localhost:3000", "http://localhost:5173"];

/// See [`Settings::load`], and [`Settings::look`] for what is done without a source of randomness.
pub(super) fn load(
    mut flags: ServeFlags,
    names: impl Iterator<Item = String>,
    now: DateTime<Utc>,
    entropy: Option<&dyn Entropy>,
) -> Result<Settings, Problems> {
    let mut reader = Reader::default();
    let files = secret_files::fill(&mut reader, &mut flags);
    let (mut settings, facts) = read(&mut reader, &flags, now);
    rules::check(&mut reader, &settings, &facts);
    unknown::check(&mut reader, names.chain(files));
    // A start that is refused leaves nothing behind, so files come last.
    if reader.is_clean() {
        settings.documents = documents(&mut reader, facts.documents.as_deref());
    }
    if reader.is_clean() {
        touch_folder(&mut reader, &mut settings, !is_given(flags.database_url.as_deref()), entropy);
    }
    if let Some(files) = &settings.tls {
        secret::warn_of_readers(&mut reader, "the file of DOORCODE_TLS_KEY", &files.key);
    }
    settings.warnings = reader.finish()?;
    Ok(settings)
}

/// See [`super::ops_address`].
pub(super) fn ops_address(raw: Option<&str>) -> Result<SocketAddr, Problems> {
    let mut reader = Reader::default();
    let address = socket(&mut reader, "DOORCODE_OPS_LISTEN", raw, 4001);
    reader.finish().map(|_| address)
}

/// Makes the data folder when something will live in it, and the secret of a development server; or only looks for one.
fn touch_folder(reader: &mut Reader, settings: &mut Settings, has_database: bool, entropy: Option<&dyn Entropy>) {
    if has_database
        && entropy.is_some()
        && let Err(error) = secret::make_folder(&settings.data)
    {
        let wrong = format!("is a folder that cannot be made ({})", error.kind());
        reader.refuse("DOORCODE_DATA", wrong, "Write one that can, for example DOORCODE_DATA=/var/lib/doorcode");
    } else if settings.secrets.is_empty() {
        settings.secrets = secret::keep(reader, &settings.data, entropy);
    }
}

/// Whether there is a value: an empty one counts as none, here as in the reader.
pub(super) fn is_given(raw: Option<&str>) -> bool {
    raw.is_some_and(|text| !text.trim().is_empty())
}

/// Every setting; what could not be read has its default until the problems are told.
fn read(reader: &mut Reader, flags: &ServeFlags, now: DateTime<Utc>) -> (Settings, Facts) {
    let mode = reader.or("DOORCODE_MODE", flags.mode.as_deref(), Mode::Development, "production", parse::mode);
    let in_development = mode == Mode::Development;
    let public_url = public_url(reader, flags);
    let data =
        reader.or("DOORCODE_DATA", flags.data.as_deref(), PathBuf::from("./data"), "/var/lib/doorcode", parse::folder);
    let limits = numbers::limits(reader, flags);
    let (mail_from, sender) = mail_from(reader, flags);
    let (smtp_url, smtp) = smtp_url(reader, flags).unzip();
    let example = "/etc/doorcode/documents.json";
    warn_of_no_list(reader, flags.documents.as_deref());
    let documents = reader.optional("DOORCODE_DOCUMENTS", flags.documents.as_deref(), example, parse::folder);
    let settings = Settings {
        mode,
        listen: socket(reader, "DOORCODE_LISTEN", flags.listen.as_deref(), 4000),
        tls: tls(reader, flags),
        ops_listen: socket(reader, "DOORCODE_OPS_LISTEN", flags.ops_listen.as_deref(), 4001),
        tokens: numbers::tokens(reader, flags, &public_url),
        public_url,
        expose_development: boolean(reader, "DOORCODE_EXPOSE_DEVELOPMENT", flags.expose_development.as_deref(), false),
        database_url: database_url(reader, flags, &data),
        database_read_url: database_read_url(reader, flags),
        data,
        database_pool: reader.or(
            "DOORCODE_DATABASE_POOL",
            flags.database_pool.as_deref(),
            (5, 20),
            "5-20",
            parse::pool,
        ),
        database_wait: numbers::database_wait(reader, flags),
        redis_url: redis_url(reader, flags),
        smtp_url,
        secrets: secrets(reader, flags),
        signup: signup(reader, flags),
        test_codes: test_codes(reader, flags, &limits, now),
        limits,
        trusted_proxies: trusted_proxies(reader, flags),
        cors_origins: cors_origins(reader, flags, in_development),
        mail_from,
        brand: brand(reader, flags),
        default_role: default_role(reader, flags),
        ip_retention: numbers::ip_retention(reader, flags),
        audit_retention: numbers::audit_retention(reader, flags),
        erase_after: numbers::erase_after(reader, flags),
        notices: notices(reader, flags),
        federation: boolean(reader, "DOORCODE_FEDERATION", flags.federation.as_deref(), false),
        graphiql: boolean(
            reader,
            "DOORCODE_GRAPHIQL",
            flags.graphiql.as_deref(),
            in_development && documents.is_none(),
        ),
        documents: None,
        introspection: boolean(reader, "DOORCODE_INTROSPECTION", flags.introspection.as_deref(), in_development),
        single_replica: boolean(reader, "DOORCODE_SINGLE_REPLICA", flags.single_replica.as_deref(), false),
        log: telemetry::log(reader, flags, in_development),
        traces: telemetry::traces(reader, flags),
        warnings: Vec::new(),
    };
    let has_public_url = is_given(flags.public_url.as_deref());
    (settings, Facts { smtp, sender, has_public_url, documents })
}

/// Both files or none. Listening in clear where somebody wrote half of it down would be worse than not to start.
fn tls(reader: &mut Reader, flags: &ServeFlags) -> Option<TlsFiles> {
    let (one, other) = ("DOORCODE_TLS_CERT", "DOORCODE_TLS_KEY");
    let certificate = reader.optional(one, flags.tls_cert.as_deref(), "/etc/doorcode/tls.pem", parse::folder);
    let key = reader.optional(other, flags.tls_key.as_deref(), "/etc/doorcode/tls.key", parse::folder);
    let lonely = match (certificate, key) {
        (Some(certificate), Some(key)) => return Some(TlsFiles { certificate, key }),
        (None, None) => return None,
        (Some(_), None) => [one, other],
        (None, Some(_)) => [other, one],
    };
    if lonely.iter().all(|variable| reader.is_fine(variable)) {
        let [given, missing] = lonely;
        reader.refuse(given, format!("is nothing without {missing}"), format!("Set {missing}, too, or neither"));
    }
    None
}

/// Notes a lock that was meant to be closed: an empty value counts as none, here as everywhere.
fn warn_of_no_list(reader: &mut Reader, raw: Option<&str>) {
    if raw.is_some_and(|text| text.trim().is_empty()) {
        reader.warn("DOORCODE_DOCUMENTS is empty, so any document runs");
    }
}

/// Reads the manifest of trusted documents, where one is named.
fn documents(reader: &mut Reader, file: Option<&Path>) -> Option<Arc<Manifest>> {
    match Manifest::read(file?) {
        Ok(manifest) => Some(Arc::new(manifest)),
        Err(wrong) => {
            let instead = "Name a JSON file of SHA-256 ids and documents; `doorcode documents FILE` checks one";
            reader.refuse("DOORCODE_DOCUMENTS", wrong, instead);
            None
        }
    }
}

fn boolean(reader: &mut Reader, variable: &str, raw: Option<&str>, default: bool) -> bool {
    reader.or(variable, raw, default, "true", parse::boolean)
}

fn socket(reader: &mut Reader, variable: &str, raw: Option<&str>, port: u16) -> SocketAddr {
    let default = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    reader.or(variable, raw, default, &default.to_string(), parse::socket)
}

fn public_url(reader: &mut Reader, flags: &ServeFlags) -> Url {
    #[expect(clippy::expect_used, reason = "a constant, and every start parses it")]
    let default = Url::parse(DEFAULT_PUBLIC_URL).expect("the default public URL is a URL");
    let example = "https://login.example.com";
    reader.or("DOORCODE_PUBLIC_URL", flags.public_url.as_deref(), default, example, parse::public_url)
}

fn mail_from(reader: &mut Reader, flags: &ServeFlags) -> (String, String) {
    let default = ("Doorcode <no-reply@localhost>".to_owned(), "no-reply@localhost".to_owned());
    let example = "Example <no-reply@example.com>";
    reader.or("DOORCODE_MAIL_FROM", flags.mail_from.as_deref(), default, example, parse::mailbox)
}

fn smtp_url(reader: &mut Reader, flags: &ServeFlags) -> Option<(SecretString, SmtpSecurity)> {
    let example = "smtps://user:password@smtp.example.com";
    reader.optional("SMTP_URL", flags.smtp_url.as_deref(), example, parse::smtp_url)
}

fn redis_url(reader: &mut Reader, flags: &ServeFlags) -> Option<SecretString> {
    let example = "rediss://:password@redis.example.com:6379";
    reader.optional("REDIS_URL", flags.redis_url.as_deref(), example, parse::redis_url)
}

fn database_url(reader: &mut Reader, flags: &ServeFlags, data: &Path) -> SecretString {
    // The driver decodes the path, so what would end it or look encoded is encoded.
    let folder = data.to_string_lossy().replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    let default = SecretString::from(format!("sqlite://{}/doorcode.db?mode=rwc", folder.trim_end_matches('/')));
    let example = "postgres://doorcode:password@db.example.com/doorcode";
    reader.or("DATABASE_URL", flags.database_url.as_deref(), default, example, parse::database_url)
}

fn database_read_url(reader: &mut Reader, flags: &ServeFlags) -> Option<SecretString> {
    let example = "postgres://doorcode:password@standby.example.com/doorcode";
    reader.optional("DATABASE_READ_URL", flags.database_read_url.as_deref(), example, parse::postgres_url)
}

fn secrets(reader: &mut Reader, flags: &ServeFlags) -> Vec<SecretString> {
    let example = "$(openssl rand -base64 32)";
    reader.or("DOORCODE_SECRET", flags.secret.as_deref(), Vec::new(), example, secret::parse)
}

fn signup(reader: &mut Reader, flags: &ServeFlags) -> SignUp {
    let example = "domains:example.com,example.org";
    reader.or("DOORCODE_SIGNUP", flags.signup.as_deref(), SignUp::Open, example, parse::signup)
}

fn brand(reader: &mut Reader, flags: &ServeFlags) -> String {
    let (default, example) = ("Doorcode".to_owned(), "Example Login");
    reader.or("DOORCODE_BRAND", flags.brand.as_deref(), default, example, |text| parse::printable(text, 64))
}

fn default_role(reader: &mut Reader, flags: &ServeFlags) -> Role {
    reader.or("DOORCODE_DEFAULT_ROLE", flags.default_role.as_deref(), Role::User, "GUEST", parse::default_role)
}

fn notices(reader: &mut Reader, flags: &ServeFlags) -> Notices {
    reader.or("DOORCODE_NOTICES", flags.notices.as_deref(), Notices::ALL, "new-device,role-change", parse::notices)
}

fn trusted_proxies(reader: &mut Reader, flags: &ServeFlags) -> Vec<IpNet> {
    let parse = |text: &str| parse::list(text, parse::network);
    let raw = flags.trusted_proxies.as_deref();
    reader.or("DOORCODE_TRUSTED_PROXIES", raw, Vec::new(), "10.0.0.0/8,fd00::/8", parse)
}

fn cors_origins(reader: &mut Reader, flags: &ServeFlags, in_development: bool) -> Vec<String> {
    let default = if in_development { DEVELOPMENT_ORIGINS.map(str::to_owned).to_vec() } else { Vec::new() };
    let parse = |text: &str| parse::list(text, parse::origin);
    reader.or("DOORCODE_CORS_ORIGINS", flags.cors_origins.as_deref(), default, "https://app.example.com", parse)
}

fn test_codes(reader: &mut Reader, flags: &ServeFlags, limits: &Limits, now: DateTime<Utc>) -> Vec<TestCode> {
    let today = now.date_naive();
    let digits = reader.is_fine("DOORCODE_CODE_LENGTH").then_some(limits.code_length);
    let parse = |text: &str| fixed::parse(text, today, digits);
    let example = "review@example.com=83120475@2027-01-31 with a date at most 90 days ahead";
    let raw = flags.test_codes.as_deref();
    let (codes, warnings) = reader.or("DOORCODE_TEST_CODES", raw, (Vec::new(), Vec::new()), example, parse);
    for warning in warnings {
        reader.warn(warning);
    }
    codes
}
