//! The limiter of a fleet: one Lua script per key in Redis, alone, behind Sentinel or as a Cluster. When Redis
//! does not answer within a second, neither does this: it says so, and callers keep the door shut. It never
//! counts anything in the process and never asks Redis for the time.

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

/// A take answers within this, whatever Redis does.
const TAKE_BUDGET: Duration = Duration::from_millis(900);

/// How much longer than needed a key lives, in milliseconds: more than the replicas' clocks may differ.
const SLACK_MS: i64 = 60_000 + SKEW / 1_000;

/// The source of the script, which lies beside this file.
const SOURCE: &str = include_str!("limiter.lua");

/// Counts in Redis. Cloning is not needed: one link is shared by all callers.
pub struct RedisLimiter {
    pub(crate) link: Link,
    script: Script,
}

/// What one script call gave: numbers, or the server's error for this key alone.
type Reply = RedisResult<Vec<i64>>;

impl RedisLimiter {
    /// Reads the URL and does nothing else: the server may come later. Forms: `redis://` and `rediss://` for
    /// one server, `redis+cluster://a:1,b:2` for a cluster, `redis+sentinel://a:1,b:2/service` for Sentinel
    /// (the latter two with `rediss+…` as well). The error never repeats the URL.
    pub fn new(url: &SecretString) -> Result<Self, String> {
        Ok(Self { link: Link::new(url)?, script: Script::new(SOURCE) })
    }

    /// One command for each key, by the script's hash or, once that is unknown, by its source.
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

    /// Runs all calls, on one server in one write and one read, and those again whose server did not know the
    /// script (a restart, `SCRIPT FLUSH`, a new master). Errors are each key's own.
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

    /// One exchange on the open connection, or on a new one. A connection that turns out to be closed is
    /// replaced and the commands are sent once more: if the old one had carried them, a unit counts twice, which
    /// errs on the closed side.
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
            // Newest first, so that a key charged twice returns to what it was.
            give_back.reverse();
            let given = if give_back.is_empty() { Vec::new() } else { self.run(&give_back).await };
            // A unit that could not be given back stays taken until its window passes: the closed side again.
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
        .unwrap_or_else(|_| Err(LimiterUnavailable("Redis did not answer in time".to_owned())))
}

fn unavailable(error: &RedisError) -> LimiterUnavailable {
    LimiterUnavailable(format!("Redis: {error}"))
}

/// One script call before it is a command.
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

/// The other end of what `limiter.lua` returns.
fn read_answer(numbers: &[i64]) -> RedisResult<Answer> {
    match *numbers {
        [0, retry_at] => Ok(Answer::Refused(retry_at)),
        [2] => Ok(Answer::Open),
        [1, last, time, seq, latest, refused, cooldown_until] => {
            Ok(Answer::Admitted(Receipt { last: last == 1, time, seq, latest, refused: refused == 1, cooldown_until }))
        }
        _ => Err(RedisError::from((ErrorKind::UnexpectedReturnType, "the limiter script answered oddly"))),
    }
}

/// One server takes all commands in one pipeline. A cluster refuses pipelines across slots, so there each
/// command goes its own way, all at once.
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
