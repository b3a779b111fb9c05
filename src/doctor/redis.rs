//! Redis, for `doorcode doctor`: whether it answers, may write, forgets nothing while it runs and little when it stops.
//! It changes no setting and leaves no key but the one of the readiness probe, which goes by itself. What an access list
//! forbids it to read is a warning.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redis::{
    Cmd, RedisResult, Value,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
    cmd, from_redis_value,
};
use secrecy::SecretString;
use tokio::time::Instant;

use crate::{
    adapter::limiter::redis::{RedisLimiter, link::Connection},
    doctor::finding::{Finding, State},
    ports::{Clock, Limiter},
};

const REDIS: &str = "redis";
/// Above this every sign-in is slow.
const SLOW_MS: u128 = 50;
/// Older versions get no corrections from anybody.
const OLDEST: (u32, u32) = (6, 2);
/// More is no skew between machines that are kept on time.
const SKEW_MS: i64 = 5_000;

/// Asks one server, or every master of a cluster.
pub(super) async fn examine(url: &SecretString, clock: &dyn Clock) -> Vec<Finding> {
    let limiter = match RedisLimiter::new(url) {
        Ok(limiter) => limiter,
        Err(wrong) => return vec![Finding::problem(REDIS, wrong, "correct REDIS_URL")],
    };
    // Opening takes longer than a charge may; once it is open, charges find it so.
    let connection = match limiter.link.connection().await {
        Ok((connection, _)) => connection,
        Err(error) => return vec![unreachable(&error.to_string())],
    };
    let mut latency = u128::MAX;
    // The first charge also brings the script along, and any may meet a busy moment: the fastest one tells the way.
    for _ in 0..4 {
        let start = Instant::now();
        if let Err(error) = limiter.ping().await {
            return vec![unreachable(&error.to_string())];
        }
        latency = latency.min(start.elapsed().as_millis());
    }
    let seen = format!("counts limits; one charge takes {latency} ms");
    let mut findings = vec![if latency > SLOW_MS {
        Finding::warning(REDIS, seen, "run Redis near Doorcode: every sign-in waits for it")
    } else {
        Finding::ok(REDIS, seen)
    }];
    findings.extend(worst_of(nodes(&connection, clock).await));
    findings
}

fn unreachable(why: &str) -> Finding {
    let advice = "see whether REDIS_URL names a master that runs, with the right password and scheme (rediss:// for TLS) \
                  and a user who may run EVAL and EVALSHA: until then nobody can sign in";
    Finding::problem(REDIS, why, advice)
}

/// The findings of each node by its name, which is empty for a server that is alone.
async fn nodes(connection: &Connection, clock: &dyn Clock) -> BTreeMap<String, Vec<Finding>> {
    let info = ask(connection, cmd("INFO")).await.unwrap_or_default();
    let mut config = cmd("CONFIG");
    config.arg("GET");
    let saves = ask(connection, config.clone().arg("save").to_owned()).await.unwrap_or_default();
    let policies = ask(connection, config.arg("maxmemory-policy").to_owned()).await.unwrap_or_default();
    let before = clock.now();
    let times = ask(connection, cmd("TIME")).await.unwrap_or_default();
    let after = clock.now();
    let middle = before + (after - before) / 2;
    let cluster = match connection {
        Connection::Server(_) => HashMap::new(),
        Connection::Cluster(_) => {
            let mut command = cmd("CLUSTER");
            command.arg("INFO");
            ask(connection, command).await.unwrap_or_default()
        }
    };
    let mut names: BTreeSet<_> = info.keys().chain(times.keys()).cloned().collect();
    if names.is_empty() {
        // Nothing may be read: that is to be told of somebody, too.
        names.insert(String::new());
    }
    let of_node = |name: String| {
        let text = text_of(&info, &name);
        let facts = facts(&text);
        let mut findings = vec![version(&facts), role(&facts)];
        findings.push(eviction(facts.get("maxmemory_policy").copied(), setting(&policies, &name).as_deref()));
        findings.extend(memory(&facts));
        findings.push(persistence(&facts, setting(&saves, &name).as_deref()));
        findings.push(skew(times.get(&name), middle.timestamp_millis()));
        let state = text_of(&cluster, &name);
        findings.extend((!state.is_empty()).then(|| whole(&state)));
        (name, findings)
    };
    names.into_iter().map(of_node).collect()
}

type Replies = HashMap<String, Value>;

/// One command to the server, or to every master.
async fn ask(connection: &Connection, command: Cmd) -> RedisResult<Replies> {
    match connection.clone() {
        Connection::Server(mut server) => Ok([(String::new(), command.query_async(&mut server).await?)].into()),
        Connection::Cluster(mut cluster) => {
            let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            from_redis_value(cluster.route_command(command, everywhere).await?).map_err(Into::into)
        }
    }
}

/// A reply of one node as text; empty when there is none.
fn text_of(replies: &Replies, node: &str) -> String {
    replies.get(node).and_then(|reply| from_redis_value(reply.clone()).ok()).unwrap_or_default()
}

/// The value of the one setting that was asked for.
fn setting(replies: &Replies, node: &str) -> Option<String> {
    let found: HashMap<String, String> = from_redis_value(replies.get(node)?.clone()).ok()?;
    found.into_values().next()
}

/// The lines of `INFO`.
fn facts(info: &str) -> HashMap<&str, &str> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn version(facts: &HashMap<&str, &str>) -> Finding {
    const CHECK: &str = "redis version";
    let (name, version) = match (facts.get("valkey_version"), facts.get("redis_version")) {
        (Some(version), _) => ("Valkey", *version),
        (None, Some(version)) => ("Redis", *version),
        (None, None) => return unread(CHECK, "INFO"),
    };
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let known = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if known < OLDEST {
        let advice = "upgrade to a version that still gets corrections";
        return Finding::warning(CHECK, format!("{name} {version}"), advice);
    }
    Finding::ok(CHECK, format!("{name} {version}"))
}

fn role(facts: &HashMap<&str, &str>) -> Finding {
    const CHECK: &str = "redis role";
    match facts.get("role") {
        Some(&"master") => Finding::ok(CHECK, "master"),
        Some(_) => Finding::problem(
            CHECK,
            "a replica, which takes no writes",
            "let REDIS_URL name the master, or the sentinels: redis+sentinel://host:26379/service",
        ),
        None => unread(CHECK, "INFO"),
    }
}

/// What happens to counters when memory runs out. `INFO` tells; where it does not, the setting does.
fn eviction(told: Option<&str>, set: Option<&str>) -> Finding {
    const CHECK: &str = "redis eviction";
    match told.or(set) {
        Some("noeviction") => Finding::ok(CHECK, "noeviction"),
        Some(policy) => Finding::problem(
            CHECK,
            format!("maxmemory-policy is {policy}: a full Redis forgets who was refused"),
            "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf or in the settings of the service",
        ),
        None => unread(CHECK, "INFO or CONFIG GET"),
    }
}

/// Without eviction a full Redis refuses to count, and then nobody signs in.
fn memory(facts: &HashMap<&str, &str>) -> Option<Finding> {
    const CHECK: &str = "redis memory";
    let number = |name: &str| facts.get(name)?.parse::<u64>().ok();
    let (used, most) = (number("used_memory")?, number("maxmemory")?);
    if most == 0 {
        return Some(Finding::ok(CHECK, format!("{} MiB used, no limit", used >> 20)));
    }
    let seen = format!("{} of {} MiB used", used >> 20, most >> 20);
    Some(if used.saturating_mul(10) > most.saturating_mul(9) {
        Finding::warning(
            CHECK,
            seen,
            "raise maxmemory, or give Doorcode a Redis of its own: a full one refuses to count",
        )
    } else {
        Finding::ok(CHECK, seen)
    })
}

/// What a restart forgets. Guesses are counted in the database too; how many codes were mailed only here.
fn persistence(facts: &HashMap<&str, &str>, saves: Option<&str>) -> Finding {
    const CHECK: &str = "redis persistence";
    let fails = |name: &str| facts.get(name).is_some_and(|outcome| *outcome == "err");
    if fails("aof_last_write_status") || fails("rdb_last_bgsave_status") {
        let advice = "see in its log why, usually a full disk: until it can, it refuses to count and nobody signs in";
        return Finding::problem(CHECK, "Redis cannot write to its disk", advice);
    }
    match (facts.get("aof_enabled"), saves) {
        (Some(&"1"), _) => Finding::ok(CHECK, "append-only file"),
        (_, Some(saves)) if !saves.is_empty() => Finding::ok(CHECK, "snapshots"),
        (Some(_), Some(_)) => Finding::warning(
            CHECK,
            "none: after a restart all limits on sending start anew",
            "CONFIG SET appendonly yes, and the same in redis.conf or in the settings of the service",
        ),
        _ => unread(CHECK, "INFO and CONFIG GET"),
    }
}

/// Limits are counted by our clock, so nothing breaks; but one of the two is wrong, and it may be ours.
fn skew(time: Option<&Value>, now: i64) -> Finding {
    const CHECK: &str = "redis clock";
    let Some((seconds, micros)) = time.and_then(|time| from_redis_value::<(i64, i64)>(time.clone()).ok()) else {
        return unread(CHECK, "TIME");
    };
    let skew = seconds.saturating_mul(1_000).saturating_add(micros / 1_000).saturating_sub(now);
    if skew.abs() > SKEW_MS {
        let seen = format!("{} s {} ours", skew.abs() / 1_000, if skew > 0 { "ahead of" } else { "behind" });
        return Finding::warning(CHECK, seen, "run chrony or systemd-timesyncd on both machines; one of them is wrong");
    }
    Finding::ok(CHECK, "as ours")
}

fn whole(state: &str) -> Finding {
    const CHECK: &str = "redis cluster";
    if state.contains("cluster_state:ok") {
        return Finding::ok(CHECK, "whole");
    }
    let advice = "redis-cli --cluster check HOST:PORT tells which slots nobody serves; --cluster fix mends it";
    Finding::problem(CHECK, "not whole: some limits cannot be counted", advice)
}

fn unread(check: &'static str, command: &str) -> Finding {
    let advice = format!("let the user in REDIS_URL run {command}, or look yourself: README.md says what it should be");
    Finding::warning(check, "could not be read", advice)
}

/// One finding for each check: of several nodes the one in the worst state, by name.
fn worst_of(nodes: BTreeMap<String, Vec<Finding>>) -> Vec<Finding> {
    let mut worst: Vec<Finding> = Vec::new();
    let all = nodes.len();
    for (node, findings) in nodes {
        for mut finding in findings {
            if finding.state > State::Ok && all > 1 {
                finding.seen = format!("{node}: {}", finding.seen);
            } else if all > 1 {
                finding.seen = format!("{} ({all} nodes)", finding.seen);
            }
            match worst.iter_mut().find(|known| known.check == finding.check) {
                Some(known) if known.state >= finding.state => {}
                Some(known) => *known = finding,
                None => worst.push(finding),
            }
        }
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(finding: &Finding) -> State {
        assert_eq!(finding.advice.is_some(), finding.state >= State::Warning, "{finding:?}");
        finding.state
    }

    #[test]
    fn a_replica_an_eviction_and_a_disk_that_is_full_are_problems() {
        assert_eq!(state(&role(&facts("# Replication\r\nrole:slave\r\n"))), State::Problem);
        assert_eq!(state(&role(&facts("role:master\r\n"))), State::Ok);
        assert_eq!(state(&eviction(Some("volatile-ttl"), None)), State::Problem);
        assert_eq!(state(&eviction(None, Some("allkeys-lru"))), State::Problem);
        assert_eq!(state(&persistence(&facts("aof_enabled:1\r\naof_last_write_status:err"), None)), State::Problem);
        assert_eq!(state(&whole("cluster_state:fail")), State::Problem);
    }

    #[test]
    fn what_may_not_be_read_is_a_warning() {
        let nothing = facts("");
        for finding in
            [version(&nothing), role(&nothing), eviction(None, None), persistence(&nothing, None), skew(None, 0)]
        {
            assert_eq!((state(&finding), finding.seen.as_str()), (State::Warning, "could not be read"));
        }
    }

    #[test]
    fn a_redis_that_forgets_at_its_end_or_is_nearly_full_is_warned_about() {
        assert_eq!(state(&persistence(&facts("aof_enabled:0"), Some(""))), State::Warning);
        assert_eq!(state(&persistence(&facts("aof_enabled:0"), Some("3600 1"))), State::Ok);
        assert_eq!(state(&memory(&facts("used_memory:95\nmaxmemory:100")).unwrap()), State::Warning);
        assert_eq!(state(&memory(&facts("used_memory:5\nmaxmemory:100")).unwrap()), State::Ok);
        assert_eq!(state(&version(&facts("redis_version:5.0.14"))), State::Warning);
        let time = Value::Array(vec![Value::Int(100), Value::Int(0)]);
        assert_eq!(state(&skew(Some(&time), 108_000)), State::Warning);
        assert_eq!(state(&skew(Some(&time), 101_000)), State::Ok);
    }

    #[test]
    fn of_several_nodes_the_worst_is_told_by_name() {
        let told = worst_of(BTreeMap::from([
            ("a:1".to_owned(), vec![Finding::ok("redis role", "master")]),
            ("b:2".to_owned(), vec![Finding::problem("redis role", "a replica", "…")]),
        ]));
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].seen, "b:2: a replica");
    }
}
