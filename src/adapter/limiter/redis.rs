//! The Redis limiter, for several replicas: one Lua script call per key, on a single server, Sentinel or Cluster. If
//! Redis does not respond within 900 ms, the limiter returns an error, and its callers refuse the request. It keeps no
//! counts in this process and never uses Redis's clock.

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

/// Time limit for one limiter call, including connecting and retries.
const TAKE_BUDGET: Duration = Duration::from_millis(900);

/// Extra lifetime of a key in milliseconds, so that a key outlives its window even if the clocks of replicas differ by
/// [`SKEW`].
const SLACK_MS: i64 = 60_000 + SKEW / 1_000;

/// The script's source.
const SOURCE: &str = include_str!("limiter.lua");

/// Counts units in Redis. All callers share one connection.
pub struct RedisLimiter {
    pub(crate) link: Link,
    script: Script,
}

/// The result of one script call: the numbers that the script returns, or an error.
type Reply = RedisResult<Vec<i64>>;

impl RedisLimiter {
    /// Parses the URL without connecting, so Redis may start later. URL forms: `redis://` for one server,
    /// `redis+cluster://a:1,b:2` for a cluster, and `redis+sentinel://a:1,b:2/service` for Sentinel. Each form also
    /// works with `rediss`, for TLS. Errors never contain the URL.
    pub fn new(url: &SecretString) -> Result<Self, String> {
        Ok(Self { link: Link::new(url)?, script: Script::new(SOURCE) })
    }

    /// Builds one command per call. The command names the script by its hash, or contains the whole script if
    /// `by_source` is set.
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

    /// Runs all calls, in one round trip on a single server. If a server does not know the script (after a restart,
    /// `SCRIPT FLUSH` or failover), repeats its calls with the whole script. Returns one result per call.
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

    /// Sends the commands and waits for the replies. If the connection was closed, sends the commands once more on a
    /// new connection. A unit may then count twice: a caller may be refused too early, but no limit is exceeded.
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
            // Give back the newest unit first: if two charges share a key, each unit restores the state before it.
            give_back.reverse();
            let given = if give_back.is_empty() { Vec::new() } else { self.run(&give_back).await };
            // A unit that cannot be given back counts until its window passes: a caller may be refused too early, but
            // no limit is exceeded.
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

/// The key and arguments of one script call.
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

/// Sends all commands. A single server gets them in one pipeline. A cluster refuses pipelines across slots, so it gets
/// them concurrently.
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
