//! What one operation asks of the database and of Redis: `bench count`.

use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use crate::{
    flow::Flow,
    load::Plan,
    measure,
    pairs::Sides,
    prepare::{self, WARM_UP},
    stack::Stack,
    system::System,
};

/// Operations that are counted. Work that does not belong to one, such as a look at the outbox every second, is spread
/// over them.
pub(crate) const OPERATIONS: u64 = 300;
/// PostgreSQL publishes the counters of a connection at most once a second.
const PUBLISHED: Duration = Duration::from_millis(1_500);

/// What one operation costs on average.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) system: String,
    pub(crate) flow: String,
    /// Without `BEGIN` and `COMMIT`.
    pub(crate) statements: f64,
    pub(crate) transactions: f64,
    /// Flushes of the write-ahead log.
    pub(crate) flushes: f64,
    pub(crate) wal_bytes: f64,
    pub(crate) redis_calls: f64,
    /// Reads from Redis's sockets: about one for each round trip.
    pub(crate) redis_reads: f64,
    pub(crate) list: Vec<Statement>,
}

/// A statement of an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Statement {
    pub(crate) number: f64,
    /// Microseconds of one execution in the executor.
    pub(crate) micros: f64,
    pub(crate) text: String,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The flow to count
    flow: Flow,
    #[command(flatten)]
    sides: Sides,
}

pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let stack = Stack::start().await?;
    for system in arguments.sides.start(&stack).await? {
        let counts = count(&stack, &system, arguments.flow, WARM_UP, OPERATIONS).await?;
        counts.print();
        for Statement { number, micros, text } in &counts.list {
            println!("  {number:>6.2} {micros:>6.0} us  {}", text.chars().take(110).collect::<String>());
        }
    }
    Ok(())
}

impl Counts {
    /// One line for people.
    pub(crate) fn print(&self) {
        let Self { system, flow, statements, transactions, flushes, wal_bytes, redis_calls, redis_reads, .. } = self;
        println!(
            "{system} {flow}: {statements:.2} statements, {transactions:.2} transactions, {flushes:.2} flushes, \
             {wal_bytes:.0} bytes of log, {redis_calls:.2} calls and {redis_reads:.2} reads of Redis"
        );
    }
}

/// Counts a number of operations on one connection.
pub(crate) async fn count(stack: &Stack, system: &System, flow: Flow, warm_up: Duration, most: u64) -> Result<Counts> {
    let browsers = prepare::browsers(stack, system, flow, 1, warm_up).await?;
    stack.track("top").await?;
    sleep(PUBLISHED).await;
    let before = Totals::read(stack).await?;
    stack.admin.batch_execute("SELECT pg_stat_statements_reset()").await?;
    let plan = Plan { most, ..Plan::closed(Duration::from_mins(1)) };
    let (run, _) = measure::run(stack, system, flow.name(), browsers, plan).await?;
    sleep(PUBLISHED).await;
    let after = Totals::read(stack).await?;
    let each = |total: i64| total as f64 / run.operations as f64;
    let sql = "SELECT regexp_replace(query, '\\s+', ' ', 'g'), calls, mean_exec_time FROM pg_stat_statements s \
               JOIN pg_database d ON d.oid = s.dbid WHERE d.datname = $1 ORDER BY calls DESC, query";
    let rows = stack.admin.query(sql, &[&system.name.replace('-', "_")]).await?;
    stack.track("none").await?;
    let mut counts = Counts {
        system: system.name.clone(),
        flow: flow.name().to_owned(),
        flushes: each(after.flushes - before.flushes),
        wal_bytes: each(after.wal_bytes - before.wal_bytes),
        redis_calls: each(after.redis_calls - before.redis_calls),
        redis_reads: each(after.redis_reads - before.redis_reads),
        ..Counts::default()
    };
    for row in rows {
        let (text, calls, ms): (String, i64, f64) = (row.get(0), row.get(1), row.get(2));
        match text.split_whitespace().next().unwrap_or_default().to_ascii_uppercase().trim_end_matches(';') {
            "BEGIN" | "START" => counts.transactions += each(calls),
            "COMMIT" | "ROLLBACK" => {}
            _ => counts.statements += each(calls),
        }
        // Rarer statements belong to the housekeeping of the service.
        if each(calls) >= 0.02 {
            counts.list.push(Statement { number: each(calls), micros: ms * 1e3, text });
        }
    }
    Ok(counts)
}

struct Totals {
    flushes: i64,
    wal_bytes: i64,
    redis_calls: i64,
    redis_reads: i64,
}

impl Totals {
    async fn read(stack: &Stack) -> Result<Self> {
        let row = stack.admin.query_one("SELECT wal_sync, wal_bytes::int8 FROM pg_stat_wal", &[]).await?;
        let client = redis::Client::open(stack.redis_url.as_str())?;
        let mut redis = client.get_multiplexed_async_connection().await?;
        let info: String = redis::cmd("INFO").arg("everything").query_async(&mut redis).await?;
        let field = |name: &str| {
            let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().parse::<i64>().ok()).with_context(|| format!("Redis has no {name}"))
        };
        let scripts = info.lines().find_map(|line| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next());
        Ok(Self {
            flushes: row.get(0),
            wal_bytes: row.get(1),
            redis_calls: scripts.and_then(|calls| calls.parse().ok()).unwrap_or_default(),
            redis_reads: field("total_reads_processed")?,
        })
    }
}
