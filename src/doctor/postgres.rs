//! PostgreSQL, for `doorcode doctor`: whether it answers, keeps what it confirmed, and works as our statements need it.
//! Everything here reads, with one connection.

use std::{collections::HashMap, time::Duration};

use chrono::{DateTime, Datelike, Utc};
use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Row,
    postgres::{PgConnectOptions, PgConnection},
    query,
};
use tokio::time::{Instant, timeout};

use crate::{
    db::{error::describe, postgres::options},
    doctor::finding::Finding,
    ports::Clock,
};

const DATABASE: &str = "database";
/// For a connection with its handshake, and then for all questions together.
const CONNECT: Duration = Duration::from_secs(5);
const ASK: Duration = Duration::from_secs(3);
/// Each request waits for a few round trips.
const SLOW_MS: u128 = 20;
/// What our statements and their plans are tried on begins here.
const OLDEST: i32 = 13;
/// Replicas that stay within this of the database stay within two of each other, and nobody notices.
const SKEW_MS: i64 = 1_000;
/// So much do those who check our tokens allow: beyond it a token is refused as made in the future.
const LEEWAY_MS: i64 = 5_000;

/// Every table whose rows we write.
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

/// What the server tells of itself.
#[derive(Default)]
struct Facts {
    settings: HashMap<String, String>,
    is_standby: bool,
    is_encrypted: bool,
    /// The most connections of this user, and to this database; none when there is no bound.
    bounds: [Option<i64>; 2],
    /// Tables that this user may not change.
    forbidden: Option<String>,
    /// The server's clock less ours, in milliseconds.
    skew: i64,
}

impl Facts {
    fn get(&self, setting: &str) -> &str {
        self.settings.get(setting).map_or("unknown", String::as_str)
    }

    fn number(&self, setting: &str) -> i64 {
        self.get(setting).parse().unwrap_or_default()
    }
}

pub(super) async fn examine(url: &str, pool: u32, clock: &dyn Clock) -> Vec<Finding> {
    let options = match options(url) {
        Ok(options) => options,
        Err(error) => return vec![Finding::problem(DATABASE, error.to_string(), "correct DATABASE_URL")],
    };
    let mut connection = match timeout(CONNECT, options.connect()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return vec![unreachable(&error)],
        Err(_) => {
            let advice = "see whether host and port in DATABASE_URL are right and no firewall is between";
            return vec![Finding::problem(DATABASE, "the server does not answer", advice)];
        }
    };
    let asked = timeout(ASK, async {
        let mut latency = u128::MAX;
        // Any of them may meet a busy moment: the fastest one tells the way.
        for _ in 0..3 {
            let start = Instant::now();
            connection.ping().await?;
            latency = latency.min(start.elapsed().as_millis());
        }
        Ok::<_, sqlx::Error>((latency, ask(&mut connection, clock).await?))
    });
    match asked.await {
        Ok(Ok((latency, facts))) => judge(&facts, latency, pool, is_near(&options), clock.now()),
        Ok(Err(error)) => vec![Finding::problem(DATABASE, describe(&error), "see in the server's log what it refused")],
        Err(_) => vec![Finding::problem(DATABASE, "the server takes too long", "see what keeps the server busy")],
    }
}

/// Says why in our own words: the server's would name the user.
fn unreachable(error: &sqlx::Error) -> Finding {
    let code = match error {
        sqlx::Error::Database(refusal) => refusal.code().unwrap_or_default().into_owned(),
        _ => String::new(),
    };
    let (seen, advice) = match code.as_str() {
        "28P01" | "28000" => ("the server refuses user, password or this host", "correct DATABASE_URL or pg_hba.conf"),
        "3D000" => ("the server has no database of this name", "createdb NAME, or correct DATABASE_URL"),
        "53300" => ("the server has no connection left", "raise max_connections, or lower DOORCODE_DATABASE_POOL"),
        "57P03" => ("the server is starting or stopping", "try again in a moment"),
        _ => {
            let advice = "start PostgreSQL, and see whether DATABASE_URL names its host, port and TLS as it has them";
            return Finding::problem(DATABASE, describe(error), advice);
        }
    };
    Finding::problem(DATABASE, seen, advice)
}

/// Whether what is sent stays on this machine.
fn is_near(options: &PgConnectOptions) -> bool {
    let host = options.get_host().trim_start_matches('[').trim_end_matches(']');
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn ask(connection: &mut PgConnection, clock: &dyn Clock) -> Result<Facts, sqlx::Error> {
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
    Ok(Facts {
        settings,
        is_standby: state.try_get(0)?,
        is_encrypted: state.try_get(1)?,
        bounds: [bound(2)?, bound(3)?],
        forbidden: rights.try_get(0)?,
        skew: theirs - ours.timestamp_millis(),
    })
}

fn judge(facts: &Facts, latency: u128, pool: u32, is_near: bool, now: DateTime<Utc>) -> Vec<Finding> {
    let seen = format!("PostgreSQL answers in {latency} ms");
    let reached = if latency > SLOW_MS {
        Finding::warning(DATABASE, seen, "run it nearer to Doorcode: a sign-in takes a dozen round trips")
    } else {
        Finding::ok(DATABASE, seen)
    };
    vec![
        reached,
        version(facts, now),
        writes(facts),
        durability(facts),
        isolation(facts),
        encoding(facts),
        rights(facts),
        connections(facts, pool),
        encryption(facts, is_near),
        skew(facts.skew),
    ]
}

/// Each version is looked after until the November five years after its own September.
fn version(facts: &Facts, now: DateTime<Utc>) -> Finding {
    const CHECK: &str = "database version";
    let number = facts.number("server_version_num");
    let (major, minor) = (i32::try_from(number / 10_000).unwrap_or_default(), number % 10_000);
    let seen = format!("PostgreSQL {major}.{minor}");
    let last_year = 2_012 + major;
    if major < OLDEST {
        return Finding::problem(CHECK, seen, format!("upgrade: Doorcode is tried on {OLDEST} and newer"));
    }
    if (now.year(), now.month()) > (last_year, 11) || ((now.year(), now.month()) == (last_year, 11) && now.day() > 14) {
        let advice = "upgrade: this version gets no corrections since the November of";
        return Finding::warning(CHECK, seen, format!("{advice} {last_year}"));
    }
    Finding::ok(CHECK, seen)
}

fn writes(facts: &Facts) -> Finding {
    const CHECK: &str = "database writes";
    if facts.is_standby {
        let advice = "let DATABASE_URL name the primary";
        return Finding::problem(CHECK, "the server is a standby, which takes no writes", advice);
    }
    if facts.get("transaction_read_only") == "on" {
        let advice = "ALTER ROLE and ALTER DATABASE … RESET default_transaction_read_only";
        return Finding::problem(CHECK, "transactions are read-only", advice);
    }
    Finding::ok(CHECK, "a primary")
}

/// A code that was used must stay used, also when the power goes.
fn durability(facts: &Facts) -> Finding {
    const CHECK: &str = "database durability";
    if facts.get("fsync") == "off" {
        let advice = "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();";
        return Finding::problem(CHECK, "fsync is off: a power cut may destroy the whole database", advice);
    }
    if facts.get("synchronous_commit") == "off" {
        let advice = "ALTER SYSTEM SET synchronous_commit = on; SELECT pg_reload_conf(); and ALTER ROLE and \
                      ALTER DATABASE … RESET synchronous_commit, where one of them says otherwise";
        return Finding::problem(
            CHECK,
            "synchronous_commit is off: after a crash a used code works again, and an ended session lives",
            advice,
        );
    }
    if facts.get("full_page_writes") == "off" {
        let advice = "ALTER SYSTEM SET full_page_writes = on; unless the file system never writes half a page";
        return Finding::warning(CHECK, "full_page_writes is off: a power cut may tear pages", advice);
    }
    Finding::ok(CHECK, format!("synchronous_commit is {}, fsync on", facts.get("synchronous_commit")))
}

/// A statement after a lock must see what was committed while it waited: that is how guesses are counted.
fn isolation(facts: &Facts) -> Finding {
    const CHECK: &str = "database isolation";
    match facts.get("default_transaction_isolation") {
        "read committed" => Finding::ok(CHECK, "read committed"),
        other => Finding::problem(
            CHECK,
            format!("transactions are {other} unless told, and Doorcode needs read committed"),
            "ALTER ROLE and ALTER DATABASE … RESET default_transaction_isolation",
        ),
    }
}

fn encoding(facts: &Facts) -> Finding {
    const CHECK: &str = "database encoding";
    match facts.get("server_encoding") {
        "UTF8" => Finding::ok(CHECK, "UTF8"),
        other => {
            let advice = "createdb --encoding=UTF8 --template=template0 NAME, and move the data there";
            Finding::problem(CHECK, format!("{other}, in which not every name can be written"), advice)
        }
    }
}

fn rights(facts: &Facts) -> Finding {
    const CHECK: &str = "database rights";
    match &facts.forbidden {
        None => Finding::ok(CHECK, "may change every table"),
        Some(tables) => {
            let advice =
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO the user of DATABASE_URL";
            Finding::problem(CHECK, format!("may not change {tables}"), advice)
        }
    }
}

/// Whether the pool fits, and fits twice: while one replica takes another's place both are there.
fn connections(facts: &Facts, pool: u32) -> Finding {
    const CHECK: &str = "database connections";
    let reserved = facts.number("superuser_reserved_connections") + facts.number("reserved_connections");
    let bounds = facts.bounds.iter().flatten().copied();
    let room = bounds.chain([facts.number("max_connections") - reserved]).min().unwrap_or_default();
    let seen = format!("room for {room}, and this process takes {pool} at most");
    let advice = "raise max_connections (or the limit of the role or database), or lower DOORCODE_DATABASE_POOL";
    match i64::from(pool) {
        pool if pool > room => Finding::problem(CHECK, seen, advice),
        pool if pool * 2 > room => Finding::warning(CHECK, format!("{seen}: a second replica does not fit"), advice),
        _ => Finding::ok(CHECK, seen),
    }
}

fn encryption(facts: &Facts, is_near: bool) -> Finding {
    const CHECK: &str = "database encryption";
    match (facts.is_encrypted, is_near) {
        (true, _) => Finding::ok(CHECK, "TLS"),
        (false, true) => Finding::ok(CHECK, "none, and it is this machine"),
        (false, false) => Finding::warning(
            CHECK,
            "none: whoever is on the way reads addresses and sealed codes, and may change them",
            "add sslmode=verify-full to DATABASE_URL, and let the server have a certificate",
        ),
    }
}

fn skew(skew: i64) -> Finding {
    const CHECK: &str = "database clock";
    let advice = "run chrony or systemd-timesyncd on both machines: times of codes and tokens are this machine's, and \
                  replicas must agree on them";
    let seen = format!(
        "{}.{:03} s {} ours",
        skew.abs() / 1_000,
        skew.abs() % 1_000,
        if skew > 0 { "ahead of" } else { "behind" }
    );
    match skew.abs() {
        ..SKEW_MS => Finding::ok(CHECK, "as ours"),
        SKEW_MS..LEEWAY_MS => Finding::warning(CHECK, seen, advice),
        _ => Finding::problem(CHECK, seen, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    /// A server as it should be, but for one setting.
    fn but_for(setting: &str, value: &str) -> Facts {
        let well = [
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
        let settings = well.into_iter().chain([(setting, value)]);
        let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Facts { settings, is_encrypted: true, ..Facts::default() }
    }

    fn told(facts: &Facts) -> Vec<(&'static str, State)> {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let findings = judge(facts, 1, 20, false, now);
        assert!(findings.iter().all(|finding| finding.advice.is_some() == (finding.state >= State::Warning)));
        findings.into_iter().filter(|it| it.state != State::Ok).map(|it| (it.check, it.state)).collect()
    }

    #[test]
    fn a_server_as_it_should_be_has_nothing_told_of_it() {
        assert_eq!(told(&but_for("fsync", "on")), []);
    }

    #[test]
    fn each_setting_that_loses_what_was_confirmed_or_breaks_our_statements_is_told() {
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
            assert_eq!(told(&but_for(setting, value)), [(check, state)], "{setting} = {value}");
        }
        for enough in ["local", "remote_write", "remote_apply"] {
            assert_eq!(told(&but_for("synchronous_commit", enough)), [], "{enough}");
        }
    }

    #[test]
    fn a_standby_a_plain_connection_a_missing_right_and_a_wrong_clock_are_told() {
        let facts = || but_for("fsync", "on");
        let cases = [
            (Facts { is_standby: true, ..facts() }, "database writes", State::Problem),
            (Facts { is_encrypted: false, ..facts() }, "database encryption", State::Warning),
            (Facts { forbidden: Some("users".into()), ..facts() }, "database rights", State::Problem),
            (Facts { bounds: [Some(10), None], ..facts() }, "database connections", State::Problem),
            (Facts { skew: -1_500, ..facts() }, "database clock", State::Warning),
            (Facts { skew: 5_001, ..facts() }, "database clock", State::Problem),
        ];
        for (facts, check, state) in cases {
            assert_eq!(told(&facts), [(check, state)]);
        }
    }
}
