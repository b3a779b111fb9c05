//! The Redis limiter, for several replicas: one Lua script call per key, on a single server, Sentinel or Cluster. If
//! Redis does not respond within a second, it returns an error and callers refuse the request. It has no local counts
//! and never uses Redis's clock.

pub(crate) mod link;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use redis::{Cmd, ErrorKind, Pipeline, RedisError, RedisResult, Script, ServerErrorKind};
use secrecy::SecretString;

use self::link::{Connection, Link};
use super::window::{Answer, Receipt, SKEW, Terms, verdict};
use crate::ports::{Charge, Limiter, LimiterUnavailable, Verdict};

/// Time limit of a take.
const TAKE_BUDGET: Duration = Duration::from_millis(900);

/// Extra lifetime of a key in milliseconds: more than the clocks of replicas may differ.
const SLACK_MS: i64 = 60_000 + SKEW / 1_000;

/// The script's source.
const SOURCE: &str = include_str!("limiter.lua");

/// Counters in Redis. All callers share one link.
pub struct RedisLimiter {
    pub(crate) link: Link,
    script: Script,
}

/// The result of a script call: numbers, or the server's error for this key.
type Reply = RedisResult<Vec<i64>>;

impl RedisLimiter {
    /// Parses the URL without connecting; the server may start later. Forms: `redis://` and `rediss://` for one server,
    /// `redis+cluster://a:1,b:2` for a cluster, `redis+sentinel://a:1,b:2/service` for Sentinel (the latter two with
    /// `rediss+…` as well). Errors never contain the URL.
    pub fn new(url: &SecretString) -> Result<Self, String> {
        Ok(Self { link: Link::new(url)?, script: Script::new(SOURCE) })
    }

    /// One command per key: by the script's hash, or by its source if the server does not know the hash.
    fn commands(&self, calls: &[Call], by_source: bool) -> Vec<Cmd> {
        calls
            .iter()
            .map(|call| {
                let mut command = redis::cmd(if by_source { "EVAL" } else { "EVALSHA" });
                command.arg(if by_source { SOURCE } else { self.script.get_hash() });
                command.arg(1).arg(&call.key).arg(call.operation).arg(&call.numbers);
                command
            })
            .collect()
    }

    /// Runs all calls, in one round trip on a single server. Calls to a server that does not know the script (after a
    /// restart, `SCRIPT FLUSH` or failover) are repeated. Errors are per key.
    async fn run(&self, calls: &[Call]) -> Vec<Reply> {
        let mut replies = self.exchange(&self.commands(calls, false)).await;
        let unknown = |reply: &Reply| {
            reply.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
        };
        let again: Vec<usize> = (0..replies.len()).filter(|position| unknown(&replies[*position])).collect();
        if !again.is_empty() {
            let commands: Vec<Cmd> =
                again.iter().flat_map(|position| self.commands(&calls[*position..=*position], true)).collect();
            for (position, reply) in again.into_iter().zip(self.exchange(&commands).await) {
                replies[position] = reply;
            }
        }
        replies
    }

    /// One round trip on the open connection or a new one. If the connection was closed, the commands are sent once
    /// more on a new one. A unit may then count twice, which errs on the safe side.
    async fn exchange(&self, commands: &[Cmd]) -> Vec<Reply> {
        let mut second_try = false;
        loop {
            let (connection, number) = match self.link.connection().await {
                Ok(open) => open,
                Err(error) => return vec![Err(error); commands.len()],
            };
            let replies = send(connection, commands).await;
            let broken = replies.iter().any(|reply| reply.as_ref().is_err_and(link::is_broken));
            if broken {
                self.link.forget(number);
            }
            let closed = replies.iter().all(|reply| reply.as_ref().is_err_and(link::is_closed));
            if !closed || second_try || replies.is_empty() {
                return replies;
            }
            second_try = true;
        }
    }

    async fn take_all(&self, charges: &[Charge], now: i64) -> Result<Verdict, LimiterUnavailable> {
        let calls: Vec<Call> = charges.iter().map(|charge| Call::take(charge, now)).collect();
        let mut answers = Vec::with_capacity(calls.len());
        let mut failure = None;
        let mut give_back = Vec::new();
        for (call, reply) in calls.iter().zip(self.run(&calls).await) {
            match reply.and_then(|numbers| read_answer(&numbers)) {
                Ok(answer) => {
                    if let Answer::Admitted(receipt) = &answer {
                        give_back.push(Call::give(call.key.clone(), receipt));
                    }
                    answers.push(answer);
                }
                Err(error) => failure = Some(error),
            }
        }
        let verdict = verdict(&answers);
        if failure.is_some() || matches!(verdict, Verdict::Refused { .. }) {
            // Newest first, to restore a key that was charged twice.
            give_back.reverse();
            let given = if give_back.is_empty() { Vec::new() } else { self.run(&give_back).await };
            // A unit that cannot be given back stays taken until its window passes, which errs on the safe side.
            failure = failure.or_else(|| given.into_iter().find_map(Result::err));
        }
        failure.map_or(Ok(verdict), |error| Err(unavailable(&error)))
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn take(&self, charges: &[Charge], now: DateTime<Utc>) -> Result<Verdict, LimiterUnavailable> {
        within_budget(self.take_all(charges, now.timestamp_micros())).await
    }

    async fn ping(&self) -> Result<(), LimiterUnavailable> {
        let probe = Call::take(
            &Charge {
                rule: "ping",
                key: String::new(),
                limit: 1,
                window: Duration::ZERO,
                cooldown: None,
                counts: true,
            },
            0,
        );
        within_budget(async {
            for reply in self.run(&[probe]).await {
                reply.map_err(|error| unavailable(&error))?;
            }
            Ok(())
        })
        .await
    }
}

async fn within_budget<T>(work: impl Future<Output = Result<T, LimiterUnavailable>>) -> Result<T, LimiterUnavailable> {
    tokio::time::timeout(TAKE_BUDGET, work)
        .await
        .unwrap_or_else(|_| Err(LimiterUnavailable("Redis did not respond in time".to_owned())))
}

fn unavailable(error: &RedisError) -> LimiterUnavailable {
    LimiterUnavailable(format!("Redis: {error}"))
}

/// The arguments of a script call.
struct Call {
    key: String,
    operation: &'static str,
    numbers: Vec<i64>,
}

impl Call {
    fn take(charge: &Charge, now: i64) -> Self {
        let Terms { limit, window, cooldown, granule, counts } = Terms::of(charge);
        let life_ms = (window + cooldown + granule) / 1_000 + SLACK_MS;
        Self {
            key: format!("doorcode:limit:{{{}:{}}}", charge.rule, charge.key),
            operation: "take",
            numbers: vec![now, i64::from(limit), window, cooldown, granule, SKEW, life_ms, i64::from(counts)],
        }
    }

    fn give(key: String, receipt: &Receipt) -> Self {
        let Receipt { last: _, time, seq, latest, refused, cooldown_until } = *receipt;
        Self { key, operation: "give", numbers: vec![time, seq, latest, i64::from(refused), cooldown_until] }
    }
}

/// Parses the result of `limiter.lua`.
fn read_answer(numbers: &[i64]) -> RedisResult<Answer> {
    match *numbers {
        [0, retry_at] => Ok(Answer::Refused(retry_at)),
        [2] => Ok(Answer::Open),
        [1, last, time, seq, latest, refused, cooldown_until] => {
            Ok(Answer::Admitted(Receipt { last: last == 1, time, seq, latest, refused: refused == 1, cooldown_until }))
        }
        _ => Err(RedisError::from((ErrorKind::UnexpectedReturnType, "unexpected result of the limiter script"))),
    }
}

/// Sends all commands: in one pipeline on a single server, concurrently on a cluster, which refuses pipelines across
/// slots.
async fn send(connection: Connection, commands: &[Cmd]) -> Vec<Reply> {
    match connection {
        Connection::Server(mut server) => {
            let mut pipeline = Pipeline::with_capacity(commands.len());
            for command in commands {
                pipeline.add_command(command.clone());
            }
            match pipeline.ignore_errors().query_async::<Vec<Reply>>(&mut server).await {
                Ok(replies) => replies,
                Err(error) => vec![Err(error); commands.len()],
            }
        }
        Connection::Cluster(cluster) => {
            join_all(commands.iter().map(|command| {
                let mut cluster = cluster.clone();
                async move { command.query_async(&mut cluster).await }
            }))
            .await
        }
    }
}
