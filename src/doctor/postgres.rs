//! PostgreSQL: connection, durability, configuration and capacity. Read-only, over one connection.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Row,
    postgres::{PgConnectOptions, PgConnection},
    query,
};
use secrecy::ExposeSecret as _;
use tokio::time::{Instant, timeout};

use super::{Findings, finding::Finding};
use crate::{
    adapter::system::SystemClock,
    db::{error::describe, postgres::options},
    ports::Clock,
    settings::Settings,
};

const DATABASE: &str = "database";
/// Time limits for the connection, and for all queries together.
const CONNECT: Duration = Duration::from_secs(5);
const QUERY: Duration = Duration::from_secs(3);
/// Latency above which to warn: each request waits for several round trips.
const SLOW_MS: u128 = 20;
/// Oldest version that we test.
const OLDEST: i32 = 13;
/// Clock skew above which to warn. Replicas within it differ by at most twice as much, which is harmless.
const SKEW_MS: i64 = 1_000;
/// Clock skew above which backends refuse our tokens as issued in the future.
const LEEWAY_MS: i64 = 5_000;

const TABLES: [&str; 9] = [
    "users",
    "devices",
    "sessions",
    "email_codes",
    "sign_in_links",
    "email_changes",
    "outbox",
    "audit_events",
    "signing_keys",
];

/// State read from the server.
#[derive(Default)]
struct ServerState {
    settings: HashMap<String, String>,
    is_standby: bool,
    is_encrypted: bool,
    /// Maximum connections of this user and to this database. `None` if unlimited.
    bounds: [Option<i64>; 2],
    /// Tables that this user cannot write to.
    forbidden: Option<String>,
    /// The server's clock minus ours, in milliseconds.
    skew: i64,
}

impl ServerState {
    fn get(&self, setting: &str) -> &str {
        self.settings.get(setting).map_or("unknown", String::as_str)
    }

    fn number(&self, setting: &str) -> i64 {
        self.get(setting).parse().unwrap_or_default()
    }
}

pub(super) async fn examine(settings: &Settings) -> Findings {
    let problem = |seen: String, advice| Finding::problem(DATABASE, seen, advice);
    let options = options(settings.database_url.expose_secret())
        .map_err(|error| problem(error.to_string(), "correct DATABASE_URL"))?;
    let silent = "check host and port in DATABASE_URL, and firewalls";
    let mut connection = timeout(CONNECT, options.connect())
        .await
        .map_err(|_| problem("the server does not answer".to_owned(), silent))?
        .map_err(|error| unreachable(&error))?;
    let (latency, server) = timeout(QUERY, read_state(&mut connection, &SystemClock))
        .await
        .map_err(|_| problem("the server is too slow".to_owned(), "check the load of the server"))?
        .map_err(|error| problem(describe(&error), "see the log of the server"))?;
    Ok(evaluate(&server, latency, settings.database_pool.1, is_local(&options), SystemClock.now()))
}

/// Describes the error without the server's text, which names the user.
fn unreachable(error: &sqlx::Error) -> Finding {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default();
    let (seen, advice) = match &*code {
        "28P01" | "28000" => ("the server refuses user, password or this host", "correct DATABASE_URL or pg_hba.conf"),
        "3D000" => ("the database does not exist", "createdb NAME, or correct DATABASE_URL"),
        "53300" => ("the server has no free connections", "raise max_connections, or lower DOORCODE_DATABASE_POOL"),
        "57P03" => ("the server is starting or stopping", "try again in a moment"),
        _ => {
            let advice = "start PostgreSQL, and check host, port and sslmode in DATABASE_URL";
            return Finding::problem(DATABASE, describe(error), advice);
        }
    };
    Finding::problem(DATABASE, seen, advice)
}

/// Whether the server is on this machine.
fn is_local(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The fastest round trip in milliseconds, and the state of the server.
async fn read_state(connection: &mut PgConnection, clock: &dyn Clock) -> Result<(u128, ServerState), sqlx::Error> {
    let mut latency = u128::MAX;
    // Take the fastest, because any of them may hit a busy moment.
    for _ in 0..3 {
        let start = Instant::now();
        connection.ping().await?;
        latency = latency.min(start.elapsed().as_millis());
    }
    let settings = query(
        "SELECT name, setting FROM pg_settings WHERE name IN ('server_version_num', 'synchronous_commit', 'fsync', \
         'full_page_writes', 'max_connections', 'superuser_reserved_connections', 'reserved_connections', \
         'transaction_read_only', 'default_transaction_isolation', 'server_encoding')",
    );
    let settings = settings.fetch_all(&mut *connection).await?;
    let settings = settings.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
    let settings = settings.collect::<Result<_, sqlx::Error>>()?;
    let state = query(
        "SELECT pg_is_in_recovery(), COALESCE((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false), \
         (SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user)::bigint, \
         (SELECT datconnlimit FROM pg_database WHERE datname = current_database())::bigint",
    );
    let state = state.fetch_one(&mut *connection).await?;
    let bound = |at: usize| Ok::<_, sqlx::Error>(state.try_get::<Option<i64>, _>(at)?.filter(|most| *most >= 0));
    let rights = query(
        "SELECT string_agg(name, ', ' ORDER BY name) FROM unnest($1::text[]) AS name \
         WHERE to_regclass(quote_ident(name)) IS NOT NULL AND NOT ( \
         has_table_privilege(quote_ident(name), 'SELECT') AND has_table_privilege(quote_ident(name), 'INSERT') AND \
         has_table_privilege(quote_ident(name), 'UPDATE') AND has_table_privilege(quote_ident(name), 'DELETE'))",
    );
    let rights = rights.bind(TABLES.map(str::to_owned).to_vec()).fetch_one(&mut *connection).await?;
    let time = query("SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000)::bigint");
    let before = clock.now();
    let theirs: i64 = time.fetch_one(&mut *connection).await?.try_get(0)?;
    let ours = before + (clock.now() - before) / 2;
    let server = ServerState {
        settings,
        is_standby: state.try_get(0)?,
        is_encrypted: state.try_get(1)?,
        bounds: [bound(2)?, bound(3)?],
        forbidden: rights.try_get(0)?,
        skew: theirs - ours.timestamp_millis(),
    };
    Ok((latency, server))
}

fn evaluate(server: &ServerState, latency: u128, pool: u32, is_local: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let is = |setting, value| server.get(setting) == value;
    let (commit, isolation) = (server.get("synchronous_commit"), server.get("default_transaction_isolation"));
    let (encoding, forbidden) = (server.get("server_encoding"), server.forbidden.as_deref().unwrap_or_default());
    let encrypted = if server.is_encrypted { "TLS" } else { "none, but the server is on this machine" };
    vec![
        finding!(DATABASE, ok "PostgreSQL answers in {latency} ms",
            warning if latency > SLOW_MS => "PostgreSQL answers in {latency} ms"
                => "run it closer to Doorcode: a sign-in takes a dozen round trips",
        ),
        version(server, now),
        finding!("database writes", ok "primary",
            problem if server.is_standby => "the server is a read-only standby"
                => "set DATABASE_URL to the primary",
            problem if is("transaction_read_only", "on") => "transactions are read-only"
                => "ALTER ROLE and ALTER DATABASE … RESET default_transaction_read_only",
        ),
        // A used code must stay used after a power failure.
        finding!("database durability", ok "synchronous_commit is {commit}, fsync on",
            problem if is("fsync", "off") => "fsync is off: a power failure may destroy the database"
                => "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();",
            problem if commit == "off"
                => "synchronous_commit is off: after a crash, used codes and ended sessions may become valid again"
                => "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf(); ALTER ROLE and ALTER DATABASE \
                    … RESET synchronous_commit, if set there",
            warning if is("full_page_writes", "off") => "full_page_writes is off: a power failure may damage pages"
                => "ALTER SYSTEM SET full_page_writes = on; unless the file system writes pages atomically",
        ),
        // Counting guesses requires that a statement after a lock sees what was committed while it waited.
        finding!("database isolation", ok "{isolation}",
            problem if isolation != "read committed"
                => "the default is {isolation}, but Doorcode requires read committed"
                => "ALTER ROLE and ALTER DATABASE … RESET default_transaction_isolation",
        ),
        finding!("database encoding", ok "{encoding}",
            problem if encoding != "UTF8" => "{encoding} cannot store every name"
                => "createdb --encoding=UTF8 --template=template0 NAME, and move the data there",
        ),
        finding!("database rights", ok "read and write on all tables",
            problem if !forbidden.is_empty() => "missing on {forbidden}"
                => "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO the user of DATABASE_URL",
        ),
        connections(server, i64::from(pool)),
        finding!("database encryption", ok "{encrypted}",
            warning if !server.is_encrypted && !is_local
                => "none: attackers on the network can read and change data"
                => "add sslmode=verify-full to DATABASE_URL, and give the server a certificate",
        ),
        skew(server.skew),
    ]
}

/// Each version is supported until the second week of November, five years after its release in September.
fn version(server: &ServerState, now: DateTime<Utc>) -> Finding {
    let number = server.number("server_version_num");
    let (major, minor) = (i32::try_from(number / 10_000).unwrap_or_default(), number % 10_000);
    let last_year = 2_012 + major;
    let is_unsupported = NaiveDate::from_ymd_opt(last_year, 11, 14).is_some_and(|last| now.date_naive() > last);
    finding!("database version", ok "PostgreSQL {major}.{minor}",
        problem if major < OLDEST => "PostgreSQL {major}.{minor}" => "upgrade: we test {OLDEST} and newer",
        warning if is_unsupported => "PostgreSQL {major}.{minor}"
            => "upgrade: this version has been unsupported since November {last_year}",
    )
}

/// Whether there is room for the pool, and for two, because two replicas run during a rolling update.
fn connections(server: &ServerState, pool: i64) -> Finding {
    let reserved = server.number("superuser_reserved_connections") + server.number("reserved_connections");
    let bounds = server.bounds.iter().flatten().copied();
    let room = bounds.chain([server.number("max_connections") - reserved]).min().unwrap_or_default();
    let seen = format!("{room} available, this process uses up to {pool}");
    let advice = "raise max_connections (or the limit of the role or database), or lower DOORCODE_DATABASE_POOL";
    finding!("database connections", ok "{seen}",
        problem if pool > room => "{seen}" => "{advice}",
        warning if pool * 2 > room => "{seen}: not enough for a second replica" => "{advice}",
    )
}

fn skew(skew: i64) -> Finding {
    let (size, side) = (skew.abs(), if skew > 0 { "ahead of" } else { "behind" });
    let seen = format!("{}.{:03} s {side} ours", size / 1_000, size % 1_000);
    let advice = "run chrony or systemd-timesyncd on both machines: codes and tokens depend on their clocks";
    finding!("database clock", ok "in sync",
        problem if size >= LEEWAY_MS => "{seen}" => "{advice}",
        warning if size >= SKEW_MS => "{seen}" => "{advice}",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    /// A correct server with one changed setting.
    fn with_setting(setting: &str, value: &str) -> ServerState {
        let correct = [
            ("server_version_num", "170002"),
            ("synchronous_commit", "on"),
            ("fsync", "on"),
            ("full_page_writes", "on"),
            ("max_connections", "100"),
            ("superuser_reserved_connections", "3"),
            ("transaction_read_only", "off"),
            ("default_transaction_isolation", "read committed"),
            ("server_encoding", "UTF8"),
        ];
        let settings = correct.into_iter().chain([(setting, value)]);
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        ServerState { settings, is_encrypted: true, ..ServerState::default() }
    }

    fn failed_checks(server: &ServerState) -> Vec<(&'static str, State)> {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let findings = evaluate(server, 1, 20, false, now);
        assert!(findings.iter().all(|finding| finding.advice.is_some() == (finding.state >= State::Warning)));
        findings.into_iter().filter(|it| it.state != State::Ok).map(|it| (it.check, it.state)).collect()
    }

    #[test]
    fn a_correct_server_passes_all_checks() {
        assert_eq!(failed_checks(&with_setting("fsync", "on")), []);
    }

    #[test]
    fn unsafe_settings_are_reported() {
        for (setting, value, check, state) in [
            ("fsync", "off", "database durability", State::Problem),
            ("synchronous_commit", "off", "database durability", State::Problem),
            ("full_page_writes", "off", "database durability", State::Warning),
            ("transaction_read_only", "on", "database writes", State::Problem),
            ("default_transaction_isolation", "repeatable read", "database isolation", State::Problem),
            ("server_encoding", "SQL_ASCII", "database encoding", State::Problem),
            ("server_version_num", "120022", "database version", State::Problem),
            ("server_version_num", "140020", "database version", State::Warning),
            ("max_connections", "20", "database connections", State::Problem),
            ("max_connections", "40", "database connections", State::Warning),
        ] {
            assert_eq!(failed_checks(&with_setting(setting, value)), [(check, state)], "{setting} = {value}");
        }
        for enough in ["local", "remote_write", "remote_apply"] {
            assert_eq!(failed_checks(&with_setting("synchronous_commit", enough)), [], "{enough}");
        }
    }

    #[test]
    fn a_standby_a_plain_connection_missing_rights_and_clock_skew_are_reported() {
        let server = || with_setting("fsync", "on");
        let cases = [
            (ServerState { is_standby: true, ..server() }, "database writes", State::Problem),
            (ServerState { is_encrypted: false, ..server() }, "database encryption", State::Warning),
            (ServerState { forbidden: Some("users".into()), ..server() }, "database rights", State::Problem),
            (ServerState { bounds: [Some(10), None], ..server() }, "database connections", State::Problem),
            (ServerState { skew: -1_500, ..server() }, "database clock", State::Warning),
            (ServerState { skew: 5_001, ..server() }, "database clock", State::Problem),
        ];
        for (server, check, state) in cases {
            assert_eq!(failed_checks(&server), [(check, state)]);
        }
    }
}
