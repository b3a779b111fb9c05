//! Redis: connection, role, eviction, persistence and clock. Changes no setting, and writes only the key of the
//! readiness probe, which expires. Commands that an access list forbids give warnings.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use redis::{
    Cmd, RedisResult, Value,
    cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo},
    from_redis_value,
};
use secrecy::SecretString;
use tokio::time::Instant;

use super::{
    Findings,
    finding::{Finding, State},
};
use crate::{
    adapter::{
        limiter::redis::{RedisLimiter, link::Connection},
        system::SystemClock,
    },
    ports::{Clock, Limiter},
};

const REDIS: &str = "redis";
/// Latency above which sign-ins are slow.
const SLOW_MS: u128 = 50;
const OLDEST: (u32, u32) = (6, 2);
/// Clock skew above which a machine is not synchronized.
const SKEW_MS: i64 = 5_000;
/// Seen if a command is not allowed.
const UNREAD: &str = "could not be read";
const OR_CHECK: &str = "or check it yourself";

/// Checks one server, or every master of a cluster.
pub(super) async fn examine(url: &SecretString) -> Findings {
    let limiter = RedisLimiter::new(url).map_err(|wrong| Finding::problem(REDIS, wrong, "correct REDIS_URL"))?;
    // Connect first, because connecting may take longer than a charge is allowed to.
    let (connection, _) = limiter.link.connection().await.map_err(|error| unreachable(&error.to_string()))?;
    let mut latency = u128::MAX;
    // Take the fastest: the first charge loads the script, and any may hit a busy moment.
    for _ in 0..4 {
        let start = Instant::now();
        limiter.ping().await.map_err(|error| unreachable(&error.to_string()))?;
        latency = latency.min(start.elapsed().as_millis());
    }
    let mut findings = vec![finding!(REDIS, ok "counts limits; one charge takes {latency} ms",
        warning if latency > SLOW_MS => "counts limits; one charge takes {latency} ms"
            => "run Redis close to Doorcode: every sign-in waits for it",
    )];
    findings.extend(worst_of(nodes(&connection, &SystemClock).await));
    Ok(findings)
}

fn unreachable(why: &str) -> Finding {
    let advice = "check that REDIS_URL names a running master, with the right password and scheme (rediss:// for TLS), \
                  and a user that can run EVAL and EVALSHA; until then, no one can sign in";
    Finding::problem(REDIS, why, advice)
}

/// The findings by node. The name of a single server is empty.
async fn nodes(connection: &Connection, clock: &dyn Clock) -> BTreeMap<String, Vec<Finding>> {
    let info = query(connection, "INFO").await;
    let saves = query(connection, "CONFIG GET save").await;
    let policies = query(connection, "CONFIG GET maxmemory-policy").await;
    let before = clock.now();
    let times = query(connection, "TIME").await;
    let middle = before + (clock.now() - before) / 2;
    let cluster = match connection {
        Connection::Server(_) => HashMap::new(),
        Connection::Cluster(_) => query(connection, "CLUSTER INFO").await,
    };
    let mut names: BTreeSet<_> = info.keys().chain(times.keys()).cloned().collect();
    if names.is_empty() {
        // Nothing is readable; report that for one node.
        names.insert(String::new());
    }
    let of_node = |name: String| {
        let text = text_of(&info, &name);
        let server = server(&text);
        let policy = setting(&policies, &name);
        let mut findings = vec![
            version(&server),
            role(&server),
            eviction(server.get("maxmemory_policy").copied().or(policy.as_deref())),
            persistence(&server, setting(&saves, &name).as_deref()),
            skew(times.get(&name), middle.timestamp_millis()),
        ];
        findings.extend(memory(&server));
        let state = text_of(&cluster, &name);
        findings.extend((!state.is_empty()).then(|| cluster_state(&state)));
        (name, findings)
    };
    names.into_iter().map(of_node).collect()
}

type Replies = HashMap<String, Value>;
type ServerState<'a> = HashMap<&'a str, &'a str>;

/// The replies of the server, or of every master, by node. Empty if the command fails.
async fn query(connection: &Connection, command: &str) -> Replies {
    let mut cmd = Cmd::new();
    cmd.arg(command.split(' ').collect::<Vec<_>>());
    let replies: RedisResult<Replies> = match connection.clone() {
        Connection::Server(mut server) => cmd.query_async(&mut server).await.map(|it| [(String::new(), it)].into()),
        Connection::Cluster(mut cluster) => {
            let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            let reply = cluster.route_command(cmd, everywhere).await;
            reply.and_then(|reply| from_redis_value(reply).map_err(Into::into))
        }
    };
    replies.unwrap_or_default()
}

/// The reply of one node as text. Empty if there is none.
fn text_of(replies: &Replies, node: &str) -> String {
    replies.get(node).and_then(|reply| from_redis_value(reply.clone()).ok()).unwrap_or_default()
}

fn setting(replies: &Replies, node: &str) -> Option<String> {
    let found: HashMap<String, String> = from_redis_value(replies.get(node)?.clone()).ok()?;
    found.into_values().next()
}

fn server(info: &str) -> ServerState<'_> {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

fn version(server: &ServerState) -> Finding {
    let valkey = server.get("valkey_version").map(|version| ("Valkey", *version));
    let found = valkey.or_else(|| Some(("Redis", *server.get("redis_version")?)));
    let (name, version) = found.unwrap_or_default();
    let mut numbers = version.split('.').map_while(|number| number.parse().ok());
    let known = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    finding!("redis version", ok "{name} {version}",
        warning if found.is_none() => "{UNREAD}" => "allow the user in REDIS_URL to run INFO, {OR_CHECK}",
        warning if known < OLDEST => "{name} {version}" => "upgrade to a supported version",
    )
}

fn role(server: &ServerState) -> Finding {
    let role = server.get("role");
    finding!("redis role", ok "master",
        warning if role.is_none() => "{UNREAD}" => "allow the user in REDIS_URL to run INFO, {OR_CHECK}",
        problem if role != Some(&"master") => "a read-only replica"
            => "set REDIS_URL to the master, or to the sentinels: redis+sentinel://host:26379/service",
    )
}

/// Whether Redis drops counters when its memory is full.
fn eviction(policy: Option<&str>) -> Finding {
    let name = policy.unwrap_or_default();
    finding!("redis eviction", ok "noeviction",
        warning if policy.is_none() => "{UNREAD}" => "allow the user in REDIS_URL to run CONFIG GET, {OR_CHECK}",
        problem if name != "noeviction" => "maxmemory-policy is {name}: a full Redis drops rate limits"
            => "CONFIG SET maxmemory-policy noeviction, and set it in redis.conf or at your provider",
    )
}

/// Without eviction, a full Redis refuses writes, and no one can sign in.
fn memory(server: &ServerState) -> Option<Finding> {
    let number = |name: &str| server.get(name)?.parse::<u64>().ok();
    let (used, most) = (number("used_memory")?, number("maxmemory")?);
    let (mib, limit) = (used >> 20, most >> 20);
    let seen = if most == 0 { format!("{mib} MiB used, no limit") } else { format!("{mib} of {limit} MiB used") };
    Some(finding!("redis memory", ok "{seen}",
        warning if most > 0 && used.saturating_mul(10) > most.saturating_mul(9) => "{seen}"
            => "raise maxmemory, or use a separate Redis for Doorcode: when it is full, no one can sign in",
    ))
}

/// Whether counters survive a restart. Wrong codes are also counted in the database, but sent codes only here.
fn persistence(server: &ServerState, saves: Option<&str>) -> Finding {
    let fails = |name: &str| server.get(name) == Some(&"err");
    let log = server.get("aof_enabled");
    let (has_log, has_snapshots) = (log == Some(&"1"), saves.is_some_and(|saves| !saves.is_empty()));
    let (is_kept, is_known) = (has_log || has_snapshots, log.is_some() && saves.is_some());
    let kept = if has_log { "append-only file" } else { "snapshots" };
    finding!("redis persistence", ok "{kept}",
        problem if fails("aof_last_write_status") || fails("rdb_last_bgsave_status") => "Redis cannot write to its disk"
            => "see the log of Redis (often a full disk); until it can write, no one can sign in",
        warning if !is_kept && !is_known => "{UNREAD}" => "allow the user in REDIS_URL to run CONFIG GET, {OR_CHECK}",
        warning if !is_kept => "none: a restart resets all send limits"
            => "CONFIG SET appendonly yes, and set it in redis.conf or at your provider",
    )
}

/// Limits use our clock, so skew breaks nothing here, but one of the clocks is wrong.
fn skew(time: Option<&Value>, now: i64) -> Finding {
    let time = time.and_then(|time| from_redis_value::<(i64, i64)>(time.clone()).ok());
    let (seconds, micros) = time.unwrap_or_default();
    let skew = seconds.saturating_mul(1_000).saturating_add(micros / 1_000).saturating_sub(now);
    let (size, side) = (skew.abs() / 1_000, if skew > 0 { "ahead of" } else { "behind" });
    finding!("redis clock", ok "in sync",
        warning if time.is_none() => "{UNREAD}" => "allow the user in REDIS_URL to run TIME, {OR_CHECK}",
        warning if skew.abs() > SKEW_MS => "{size} s {side} ours"
            => "run chrony or systemd-timesyncd on both machines; one of them is wrong",
    )
}

fn cluster_state(state: &str) -> Finding {
    finding!("redis cluster", ok "complete",
        problem if !state.contains("cluster_state:ok") => "incomplete: some limits cannot be counted"
            => "find uncovered slots with redis-cli --cluster check HOST:PORT, and repair with --cluster fix",
    )
}

/// The worst finding of all nodes for each check, with the name of the node.
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
    fn a_replica_eviction_and_a_full_disk_are_problems() {
        assert_eq!(state(&role(&server("# Replication\r\nrole:slave\r\n"))), State::Problem);
        assert_eq!(state(&role(&server("role:master\r\n"))), State::Ok);
        assert_eq!(state(&eviction(Some("volatile-ttl"))), State::Problem);
        assert_eq!(state(&eviction(Some("allkeys-lru"))), State::Problem);
        assert_eq!(state(&persistence(&server("aof_enabled:1\r\naof_last_write_status:err"), None)), State::Problem);
        assert_eq!(state(&cluster_state("cluster_state:fail")), State::Problem);
    }

    #[test]
    fn unreadable_state_is_a_warning() {
        let nothing = server("");
        for finding in [version(&nothing), role(&nothing), eviction(None), persistence(&nothing, None), skew(None, 0)] {
            assert_eq!((state(&finding), finding.seen.as_str()), (State::Warning, "could not be read"));
        }
    }

    #[test]
    fn warns_about_missing_persistence_full_memory_old_versions_and_skew() {
        assert_eq!(state(&persistence(&server("aof_enabled:0"), Some(""))), State::Warning);
        assert_eq!(state(&persistence(&server("aof_enabled:0"), Some("3600 1"))), State::Ok);
        assert_eq!(state(&memory(&server("used_memory:95\nmaxmemory:100")).unwrap()), State::Warning);
        assert_eq!(state(&memory(&server("used_memory:5\nmaxmemory:100")).unwrap()), State::Ok);
        assert_eq!(state(&version(&server("redis_version:5.0.14"))), State::Warning);
        let time = Value::Array(vec![Value::Int(100), Value::Int(0)]);
        assert_eq!(state(&skew(Some(&time), 108_000)), State::Warning);
        assert_eq!(state(&skew(Some(&time), 101_000)), State::Ok);
    }

    #[test]
    fn reports_the_worst_node_by_name() {
        let findings = worst_of(BTreeMap::from([
            ("a:1".to_owned(), vec![Finding::ok("redis role", "master")]),
            ("b:2".to_owned(), vec![Finding::problem("redis role", "a replica", "…")]),
        ]));
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].seen, "b:2: a replica");
    }
}
