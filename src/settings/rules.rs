//! Rules between settings: contradictions, and what production and development refuse. Rules skip variables that are
//! already invalid.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::ExposeSecret;

use super::{
    Mode, Settings,
    parse::{SmtpSecurity, is_loopback},
    problems::Reader,
    safety,
};
use crate::email_address::EmailAddress;

const TEN_MINUTES: Duration = Duration::from_mins(10);

/// Facts that the rules need and [`Settings`] does not keep.
pub(super) struct RawValues {
    /// How the connection to the mail server is protected, if there is one.
    pub(super) smtp: Option<SmtpSecurity>,
    /// The address in `DOORCODE_MAIL_FROM`.
    pub(super) sender: String,
    /// Whether `DOORCODE_PUBLIC_URL` was given.
    pub(super) has_public_url: bool,
    /// The file in `DOORCODE_DOCUMENTS`. It is read after all other checks.
    pub(super) documents: Option<PathBuf>,
    /// `DOORCODE_LOGO`.
    pub(super) logo: Option<PathBuf>,
    /// The file in `DOORCODE_CLIENTS`, which is read then too.
    pub(super) clients: Option<PathBuf>,
}

pub(super) fn check(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    contradictions(reader, settings, raw);
    // With an invalid mode, we do not know which rules apply.
    if reader.is_fine("DOORCODE_MODE") {
        match settings.mode {
            Mode::Production => production(reader, settings, raw),
            Mode::Development => development(reader, settings),
        }
    }
}

/// Contradictions that are wrong in every mode.
fn contradictions(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    let (idle, most) = (settings.tokens.refresh_idle, settings.tokens.session_max);
    if idle > most && reader.is_fine("DOORCODE_REFRESH_IDLE") && reader.is_fine("DOORCODE_SESSION_MAX") {
        reader.refuse(
            "DOORCODE_REFRESH_IDLE",
            "is longer than DOORCODE_SESSION_MAX, which ends the session first",
            "Write a shorter duration, for example DOORCODE_REFRESH_IDLE=7d, or a longer DOORCODE_SESSION_MAX",
        );
    }
    if settings.tokens.session_short > most
        && reader.is_fine("DOORCODE_SESSION_SHORT")
        && reader.is_fine("DOORCODE_SESSION_MAX")
    {
        reader.refuse(
            "DOORCODE_SESSION_SHORT",
            "is longer than DOORCODE_SESSION_MAX, which ends the session first",
            "Write a shorter duration, for example DOORCODE_SESSION_SHORT=24h, or a longer DOORCODE_SESSION_MAX",
        );
    }
    let (listen, ops) = (settings.listen, settings.ops_listen);
    let overlaps = listen.ip() == ops.ip() || listen.ip().is_unspecified() || ops.ip().is_unspecified();
    if listen.port() != 0 && listen.port() == ops.port() && overlaps {
        reader.refuse(
            "DOORCODE_OPS_LISTEN",
            "uses the port of DOORCODE_LISTEN",
            "Write another port, for example DOORCODE_OPS_LISTEN=127.0.0.1:4001",
        );
    }
    if raw.documents.is_some() {
        let switches = [
            ("DOORCODE_GRAPHIQL", settings.graphiql, "is on, but DOORCODE_DOCUMENTS refuses its queries"),
            ("DOORCODE_FEDERATION", settings.federation, "is on, but DOORCODE_DOCUMENTS refuses gateway queries"),
        ];
        for (variable, _, wrong) in switches.into_iter().filter(|(_, on, _)| *on) {
            reader.refuse(variable, wrong, format!("Write {variable}=false, or remove DOORCODE_DOCUMENTS"));
        }
    }
    if settings.tls.is_some() && settings.public_url.scheme() == "http" && reader.is_fine("DOORCODE_PUBLIC_URL") {
        let odd = "is http://, but DOORCODE_LISTEN speaks TLS, so links in emails do not work";
        reader.warn("DOORCODE_PUBLIC_URL", odd, "Write an https:// URL");
    }
}

/// What production requires, and what it warns about.
fn production(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    // If the folder of secrets is unreadable, a missing secret may be in it.
    let all_read = reader.is_fine("DOORCODE_SECRETS_FOLDER");
    if settings.secrets.is_empty() && all_read && reader.is_fine("DOORCODE_SECRET") {
        reader.refuse(
            "DOORCODE_SECRET",
            "is required in production",
            "Set it to at least 32 random bytes, for example the output of `openssl rand -base64 32`",
        );
    }
    let tls = "Write, for example, SMTP_URL=smtps://user:password@smtp.example.com, or smtp://…?tls=required";
    match raw.smtp {
        None if all_read && reader.is_fine("SMTP_URL") => reader.refuse("SMTP_URL", "is required in production", tls),
        Some(SmtpSecurity::MaybePlain) => {
            reader.refuse("SMTP_URL", "may send codes in plain text, which production refuses", tls);
        }
        _ => {}
    }
    if EmailAddress::parse(&raw.sender).is_err() && reader.is_fine("DOORCODE_MAIL_FROM") {
        reader.refuse(
            "DOORCODE_MAIL_FROM",
            "needs an address in a real domain in production (the default has none)",
            "Write, for example, DOORCODE_MAIL_FROM=Example <no-reply@example.com>",
        );
    }
    if !raw.has_public_url && reader.is_fine("DOORCODE_PUBLIC_URL") {
        reader.refuse(
            "DOORCODE_PUBLIC_URL",
            "is required in production: it is in every token and link",
            "Write the URL that users open, for example DOORCODE_PUBLIC_URL=https://login.example.com",
        );
    }
    let is_loopback = is_loopback(&settings.public_url);
    if !settings.is_https() && !is_loopback && reader.is_fine("DOORCODE_PUBLIC_URL") {
        reader.refuse(
            "DOORCODE_PUBLIC_URL",
            "is not https://, which production requires except on loopback",
            "Write, for example, DOORCODE_PUBLIC_URL=https://login.example.com",
        );
    }
    if is_loopback && reader.is_fine("DOORCODE_PUBLIC_URL") {
        let odd = "is a loopback URL, so links in emails work only on this machine";
        reader.warn("DOORCODE_PUBLIC_URL", odd, "Write the URL that users open");
    }
    let no_tls = settings.tls.is_none() && settings.trusted_proxies.is_empty();
    if no_tls && !is_local(settings.listen) && reader.is_fine("DOORCODE_TRUSTED_PROXIES") {
        reader.warn(
            "DOORCODE_LISTEN",
            "accepts plain HTTP from other machines",
            "Set DOORCODE_TRUSTED_PROXIES to the proxy that speaks TLS, or set DOORCODE_TLS_CERT and DOORCODE_TLS_KEY",
        );
    }
    if settings.limits.code_ttl > TEN_MINUTES {
        let odd = "is longer than the 10 minutes that OWASP ASVS 5.0 (6.5.5) allows for an emailed code";
        reader.warn("DOORCODE_CODE_TTL", odd, "Write 10m or less");
    }
    production_storage(reader, settings);
    safety::check(reader, settings);
}

fn production_storage(reader: &mut Reader, settings: &Settings) {
    let database = settings.database_url.expose_secret();
    let counts_in_memory = settings.redis_url.is_none() && !settings.single_replica;
    let all_valid = ["DATABASE_URL", "REDIS_URL", "DOORCODE_SINGLE_REPLICA"].iter().all(|name| reader.is_fine(name));
    if database.starts_with("postgres") && counts_in_memory && all_valid {
        reader.refuse(
            "REDIS_URL",
            "is required with PostgreSQL in production, because replicas must share their rate limits",
            "Write, for example, REDIS_URL=rediss://:password@redis.example.com:6379, \
             or DOORCODE_SINGLE_REPLICA=true if this is the only process",
        );
    }
    database_encryption(reader, "DATABASE_URL", database);
    let redis = settings.redis_url.as_ref().map_or("", |url| url.expose_secret());
    if redis.starts_with("redis") && !redis.starts_with("rediss") && !stays_here(redis) {
        reader.warn("REDIS_URL", "sends data in plain text", "Write rediss://, unless the network is private");
    }
    if database.contains(":memory:") || database.contains("mode=memory") {
        let odd = "is in memory, so all accounts are lost when the process ends";
        reader.warn("DATABASE_URL", odd, "Name a file or a server");
    }
}

/// Warns if the connection to PostgreSQL may not be encrypted and authenticated.
fn database_encryption(reader: &mut Reader, variable: &str, database: &str) {
    let encrypted = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
    if database.starts_with("postgres")
        && !stays_here(database)
        && !encrypted.iter().any(|mode| database.contains(mode))
    {
        let instead = "Add sslmode=verify-full, unless the network is private";
        reader.warn(variable, "may send data in plain text", instead);
    } else if database.contains("sslmode=require") {
        reader.warn(variable, "encrypts, but does not verify the server's certificate", "Write sslmode=verify-full");
    }
}

/// Whether every host of a URL is this machine.
fn stays_here(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    hosts
        .split(',')
        .all(|host| host.is_empty() || ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local)))
}

/// What development refuses, because its inbox is open to everyone who reaches it.
fn development(reader: &mut Reader, settings: &Settings) {
    if let Some(wrong) = safety::short_trail(reader, settings) {
        reader.warn("DOORCODE_AUDIT_RETENTION", wrong, "Write 7d or more, as production requires");
    }
    for (variable, address) in [("DOORCODE_LISTEN", settings.listen), ("DOORCODE_OPS_LISTEN", settings.ops_listen)] {
        if is_local(address) {
            continue;
        }
        if settings.expose_development {
            let odd = "is beyond loopback, so everyone who can reach this development server can read all mail";
            reader.warn(variable, odd, "Write a loopback address, unless this is intended");
        } else if reader.is_fine(variable) && reader.is_fine("DOORCODE_EXPOSE_DEVELOPMENT") {
            reader.refuse(
                variable,
                "is beyond loopback, where everyone who can reach a development server can read all mail",
                format!(
                    "Write a loopback address, for example {variable}=127.0.0.1:{}, or DOORCODE_MODE=production, \
                     or DOORCODE_EXPOSE_DEVELOPMENT=true if this is intended",
                    address.port()
                ),
            );
        }
    }
}

/// Whether only this machine can connect.
fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}
