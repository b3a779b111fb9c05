//! Rules between settings: what production refuses, what development refuses, and what contradicts itself.
//! A rule says nothing about a variable that could not be read: its problem is known already.

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

/// Facts about settings that the settings themselves no longer show.
pub(super) struct RawValues {
    /// How mail travels, when there is a mail server.
    pub(super) smtp: Option<SmtpSecurity>,
    /// The address in `DOORCODE_MAIL_FROM`.
    pub(super) sender: String,
    /// Whether `DOORCODE_PUBLIC_URL` was given.
    pub(super) has_public_url: bool,
    /// The file that `DOORCODE_DOCUMENTS` names, which is read when all else is right.
    pub(super) documents: Option<PathBuf>,
}

/// Notes everything that is wrong or odd with settings that are fine one by one.
pub(super) fn check(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    agreement(reader, settings, raw);
    // Without a mode that could be read nobody knows which rules were meant.
    if reader.is_fine("DOORCODE_MODE") {
        match settings.mode {
            Mode::Production => production(reader, settings, raw),
            Mode::Development => development(reader, settings),
        }
    }
}

/// What contradicts itself in any mode.
fn agreement(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    let (idle, most) = (settings.tokens.refresh_idle, settings.tokens.session_max);
    if idle > most && reader.is_fine("DOORCODE_REFRESH_IDLE") && reader.is_fine("DOORCODE_SESSION_MAX") {
        reader.refuse(
            "DOORCODE_REFRESH_IDLE",
            "is longer than DOORCODE_SESSION_MAX, after which the session is over in any case",
            "Write a shorter one, for example DOORCODE_REFRESH_IDLE=7d, or a longer DOORCODE_SESSION_MAX",
        );
    }
    let (listen, ops) = (settings.listen, settings.ops_listen);
    let same_place = listen.ip() == ops.ip() || listen.ip().is_unspecified() || ops.ip().is_unspecified();
    if listen.port() != 0 && listen.port() == ops.port() && same_place {
        reader.refuse(
            "DOORCODE_OPS_LISTEN",
            "has the port of DOORCODE_LISTEN",
            "Write another port, for example DOORCODE_OPS_LISTEN=127.0.0.1:4001",
        );
    }
    if raw.documents.is_some() {
        let switches = [
            ("DOORCODE_GRAPHIQL", settings.graphiql, "is on, and would send what DOORCODE_DOCUMENTS refuses"),
            ("DOORCODE_FEDERATION", settings.federation, "is on, and DOORCODE_DOCUMENTS refuses what a gateway asks"),
        ];
        for (variable, _, wrong) in switches.into_iter().filter(|(_, on, _)| *on) {
            reader.refuse(variable, wrong, format!("Write {variable}=false, or leave DOORCODE_DOCUMENTS out"));
        }
    }
    if settings.tls.is_some() && settings.public_url.scheme() == "http" && reader.is_fine("DOORCODE_PUBLIC_URL") {
        let odd = "is http:// and DOORCODE_LISTEN speaks TLS, so links in mail lead nowhere";
        reader.warn("DOORCODE_PUBLIC_URL", odd, "Write https://");
    }
}

/// What a server for real people must not do without.
fn production(reader: &mut Reader, settings: &Settings, raw: &RawValues) {
    // What could not be looked for may be there.
    let all_read = reader.is_fine("DOORCODE_SECRETS_FOLDER");
    if settings.secrets.is_empty() && all_read && reader.is_fine("DOORCODE_SECRET") {
        reader.refuse(
            "DOORCODE_SECRET",
            "is needed in production",
            "Write 32 bytes or more of randomness, for example what `openssl rand -base64 32` prints",
        );
    }
    let tls = "Write, for example, SMTP_URL=smtps://user:password@smtp.example.com, or smtp://…?tls=required";
    match raw.smtp {
        None if all_read && reader.is_fine("SMTP_URL") => reader.refuse("SMTP_URL", "is needed in production", tls),
        Some(SmtpSecurity::MaybePlain) => {
            reader.refuse("SMTP_URL", "would send codes in plain text, which production refuses", tls);
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
            "Write the address that people use, for example DOORCODE_PUBLIC_URL=https://login.example.com",
        );
    }
    let is_loopback = is_loopback(&settings.public_url);
    if !settings.is_https() && !is_loopback && reader.is_fine("DOORCODE_PUBLIC_URL") {
        reader.refuse(
            "DOORCODE_PUBLIC_URL",
            "is not https, which production needs everywhere but on this very machine",
            "Write, for example, DOORCODE_PUBLIC_URL=https://login.example.com",
        );
    }
    if is_loopback && reader.is_fine("DOORCODE_PUBLIC_URL") {
        let odd = "is this very machine, so links in mail work nowhere else";
        reader.warn("DOORCODE_PUBLIC_URL", odd, "Write the address that people use");
    }
    let nobody_encrypts = settings.tls.is_none() && settings.trusted_proxies.is_empty();
    if nobody_encrypts && !is_local(settings.listen) && reader.is_fine("DOORCODE_TRUSTED_PROXIES") {
        reader.warn(
            "DOORCODE_LISTEN",
            "is beyond loopback in clear",
            "Name the proxy that speaks TLS in DOORCODE_TRUSTED_PROXIES, or set DOORCODE_TLS_CERT and DOORCODE_TLS_KEY",
        );
    }
    if settings.limits.code_ttl > TEN_MINUTES {
        let odd = "is longer than the ten minutes that OWASP ASVS 5.0 (6.5.5) grants a mailed code";
        reader.warn("DOORCODE_CODE_TTL", odd, "Write 10m or less");
    }
    production_storage(reader, settings);
    safety::check(reader, settings);
}

/// Where production keeps its data and counts its limits.
fn production_storage(reader: &mut Reader, settings: &Settings) {
    let database = settings.database_url.expose_secret();
    let counts_alone = settings.redis_url.is_none() && !settings.single_replica;
    let is_known = ["DATABASE_URL", "REDIS_URL", "DOORCODE_SINGLE_REPLICA"].iter().all(|name| reader.is_fine(name));
    if database.starts_with("postgres") && counts_alone && is_known {
        reader.refuse(
            "REDIS_URL",
            "is needed with PostgreSQL in production, because each replica would count limits by itself",
            "Write, for example, REDIS_URL=rediss://:password@redis.example.com:6379, \
             or DOORCODE_SINGLE_REPLICA=true when this is the only process",
        );
    }
    privacy(reader, "DATABASE_URL", database);
    let redis = settings.redis_url.as_ref().map_or("", |url| url.expose_secret());
    if redis.starts_with("redis") && !redis.starts_with("rediss") && !stays_here(redis) {
        reader.warn("REDIS_URL", "travels in plain text", "Write rediss:// unless the network is your own");
    }
    if database.contains(":memory:") || database.contains("mode=memory") {
        let odd = "is in memory, so every account is gone when this process ends";
        reader.warn("DATABASE_URL", odd, "Name a file or a server");
    }
}

/// How a PostgreSQL is reached.
fn privacy(reader: &mut Reader, variable: &str, database: &str) {
    let encrypted = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
    if database.starts_with("postgres")
        && !stays_here(database)
        && !encrypted.iter().any(|mode| database.contains(mode))
    {
        let instead = "Add sslmode=verify-full unless the network is your own";
        reader.warn(variable, "may travel in plain text", instead);
    } else if database.contains("sslmode=require") {
        reader.warn(variable, "encrypts and does not ask who answers", "Write sslmode=verify-full");
    }
}

/// Whether every host of a URL is this very machine.
fn stays_here(url: &str) -> bool {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
    hosts
        .split(',')
        .all(|host| host.is_empty() || ["127.0.0.1", "localhost", "[::1]"].iter().any(|local| host.starts_with(local)))
}

/// What a server with an open inbox must not do.
fn development(reader: &mut Reader, settings: &Settings) {
    if let Some(wrong) = safety::short_trail(reader, settings) {
        reader.warn("DOORCODE_AUDIT_RETENTION", wrong, "Write 7d or more, which production asks for");
    }
    for (variable, address) in [("DOORCODE_LISTEN", settings.listen), ("DOORCODE_OPS_LISTEN", settings.ops_listen)] {
        if is_local(address) {
            continue;
        }
        if settings.expose_development {
            let odd = "is beyond loopback in development, where anybody who reaches it can read everything";
            reader.warn(variable, odd, "Write a loopback address unless this is meant");
        } else if reader.is_fine(variable) && reader.is_fine("DOORCODE_EXPOSE_DEVELOPMENT") {
            reader.refuse(
                variable,
                "is beyond loopback, and a development server shows everybody's mail to whoever reaches it",
                format!(
                    "Write a loopback address, for example {variable}=127.0.0.1:{}, or DOORCODE_MODE=production, \
                     or DOORCODE_EXPOSE_DEVELOPMENT=true if you mean it",
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
