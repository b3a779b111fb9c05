//! The standby that lists may be read from, for `doorcode doctor`: whether it answers, whether it follows and how far
//! behind, and whether it is a copy of what everything else is written to. Everything here reads.

use std::time::Duration;

use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Row, postgres::PgConnection, query};
use tokio::time::{sleep, timeout};

use super::{ASK, CONNECT, unreachable};
use crate::{
    db::{
        error::describe,
        postgres::{options, standby_options},
        replica::LAG,
    },
    doctor::finding::Finding,
};

const REPLICA: &str = "read replica";
/// Whoever is shown a list that is older than this misses what was done before they asked.
const LAG_MS: i64 = 10_000;
/// After a quiet hour the next change is an hour behind, for the moment that replaying it takes.
const MOMENT: Duration = Duration::from_millis(250);

/// What a copy has in common with its original.
#[derive(Clone)]
struct Identity {
    major: i32,
    name: String,
}

/// What the standby tells of itself.
#[derive(Clone)]
struct Facts {
    is_standby: bool,
    is_paused: bool,
    /// Whether the primary sends to it. A standby may live of archived files instead.
    is_fed: bool,
    /// Milliseconds behind the primary; none when that cannot be told.
    lag: Option<i64>,
    identity: Identity,
}

/// Asks the standby, and the primary what it should be a copy of.
pub(in crate::doctor) async fn examine(url: &str, primary: &str) -> Vec<Finding> {
    let (facts, original) = tokio::join!(look(url), timeout(CONNECT, original(primary)));
    match facts {
        Ok(facts) => judge(&facts, original.ok().flatten().as_ref()),
        Err(seen) => vec![Finding::problem(
            REPLICA,
            seen,
            "start the standby, and let DATABASE_READ_URL name host, port, user, password and TLS as it has them; or \
             leave it out: the primary answers lists meanwhile",
        )],
    }
}

async fn original(url: &str) -> Option<Identity> {
    let mut connection = options(url).ok()?.connect().await.ok()?;
    identity(&mut connection).await.ok()
}

/// The facts, or what is in the way of them.
async fn look(url: &str) -> Result<Facts, String> {
    let options = standby_options(url).map_err(|error| error.to_string())?;
    let mut connection = match timeout(CONNECT, options.connect()).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return Err(unreachable(&error).seen),
        Err(_) => return Err("the server does not answer".to_owned()),
    };
    match timeout(ASK, ask(&mut connection)).await {
        Ok(Ok(facts)) => Ok(facts),
        Ok(Err(error)) => Err(describe(&error)),
        Err(_) => Err("the server takes too long".to_owned()),
    }
}

async fn ask(connection: &mut PgConnection) -> Result<Facts, sqlx::Error> {
    let mut facts = facts(connection).await?;
    for _ in 0..2 {
        if facts.lag.is_some_and(|lag| lag > LAG_MS) {
            sleep(MOMENT).await;
            facts = self::facts(connection).await?;
        }
    }
    Ok(facts)
}

async fn facts(connection: &mut PgConnection) -> Result<Facts, sqlx::Error> {
    let sql = format!(
        "SELECT is_standby, is_fed, CASE WHEN is_standby THEN pg_is_wal_replay_paused() ELSE false END, \
         ({LAG} * 1000)::bigint \
         FROM (SELECT pg_is_in_recovery() AS is_standby, EXISTS (SELECT FROM pg_stat_wal_receiver) AS is_fed) AS state"
    );
    let state = query(AssertSqlSafe(sql)).fetch_one(&mut *connection).await?;
    Ok(Facts {
        is_standby: state.try_get(0)?,
        is_fed: state.try_get(1)?,
        is_paused: state.try_get(2)?,
        lag: state.try_get(3)?,
        identity: identity(connection).await?,
    })
}

async fn identity(connection: &mut PgConnection) -> Result<Identity, sqlx::Error> {
    let row = query("SELECT current_setting('server_version_num')::int / 10000, current_database()::text");
    let row = row.fetch_one(connection).await?;
    Ok(Identity { major: row.try_get(0)?, name: row.try_get(1)? })
}

fn judge(facts: &Facts, original: Option<&Identity>) -> Vec<Finding> {
    let role = if facts.is_standby {
        Finding::ok(REPLICA, "a standby answers")
    } else {
        Finding::warning(
            REPLICA,
            "the server is no standby, so nothing of the primary comes to it unless it is that",
            "let DATABASE_READ_URL name a standby of DATABASE_URL's server, or leave it out",
        )
    };
    vec![role, lag(facts), copy(&facts.identity, original)]
}

fn lag(facts: &Facts) -> Finding {
    const CHECK: &str = "replica lag";
    if !facts.is_standby {
        return Finding::skipped(CHECK, "no standby, so nothing is replayed");
    }
    if facts.is_paused {
        let advice = "SELECT pg_wal_replay_resume(); on the standby, as a superuser";
        return Finding::problem(CHECK, "replay is paused: lists stay as they were then", advice);
    }
    let advice = "see in the standby's log whether it is connected, and what keeps it from replaying: lists are as old";
    let source = if facts.is_fed { "" } else { ", and the primary sends nothing to it" };
    match facts.lag {
        None => Finding::warning(CHECK, format!("cannot be told: it replayed no change yet{source}"), advice),
        Some(lag) if lag > LAG_MS => Finding::warning(CHECK, format!("{} s behind{source}", lag / 1_000), advice),
        // Clocks of two machines differ a little.
        Some(lag) => Finding::ok(CHECK, format!("{} ms behind{source}", lag.max(0))),
    }
}

/// A standby has every database of its primary, and the wrong one answers as readily.
fn copy(ours: &Identity, original: Option<&Identity>) -> Finding {
    const CHECK: &str = "replica copy";
    let Some(original) = original else { return Finding::skipped(CHECK, "the primary could not be asked") };
    if ours.name != original.name {
        let advice = "let DATABASE_READ_URL end with the database's name as DATABASE_URL does";
        return Finding::problem(CHECK, "its database has another name than the primary's", advice);
    }
    if ours.major != original.major {
        let seen = format!("PostgreSQL {}, and the primary is {}: no copy of it", ours.major, original.major);
        return Finding::problem(CHECK, seen, "let DATABASE_READ_URL name a standby of DATABASE_URL's server");
    }
    Finding::ok(CHECK, format!("the same database as the primary's, PostgreSQL {}", ours.major))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::State;

    #[test]
    fn each_way_in_which_a_standby_is_none_or_stays_behind_is_told() {
        let identity = Identity { major: 17, name: "doorcode".into() };
        let well =
            Facts { is_standby: true, is_paused: false, is_fed: true, lag: Some(-3), identity: identity.clone() };
        let other_name = Identity { name: "postgres".into(), ..identity.clone() };
        let other_major = Identity { major: 16, ..identity.clone() };
        let (ok, skipped, warning, problem) = (State::Ok, State::Skipped, State::Warning, State::Problem);
        for (facts, expected) in [
            (well.clone(), [ok, ok, ok]),
            (Facts { lag: Some(10_000), is_fed: false, ..well.clone() }, [ok, ok, ok]),
            (Facts { lag: Some(10_001), ..well.clone() }, [ok, warning, ok]),
            (Facts { lag: None, ..well.clone() }, [ok, warning, ok]),
            (Facts { is_paused: true, ..well.clone() }, [ok, problem, ok]),
            (Facts { is_standby: false, ..well.clone() }, [warning, skipped, ok]),
            (Facts { identity: other_name, ..well.clone() }, [ok, ok, problem]),
            (Facts { identity: other_major, ..well.clone() }, [ok, ok, problem]),
        ] {
            let findings = judge(&facts, Some(&identity));
            assert_eq!(findings.iter().map(|it| it.state).collect::<Vec<_>>(), expected, "{findings:?}");
        }
        assert_eq!(copy(&identity, None).state, skipped);
    }
}
