//! The cache that replicas share: keys with a lifetime in Redis, on a single server, Sentinel or Cluster. A call takes
//! 100 ms at most. While Redis is away, nothing is cached, and only one call in a second waits for it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use redis::{Cmd, FromRedisValue, RedisResult, Value};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use crate::{
    adapter::limiter::redis::link::{self, Connection, Link},
    ports::Cache,
};

/// Time limit for one call.
const BUDGET: Duration = Duration::from_millis(100);
/// How long to leave Redis alone after a failed call.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum size of a value in bytes. Larger ones are not cached.
const MAX_VALUE: usize = 512 * 1024;

/// Entries in Redis.
pub struct RedisCache {
    link: Arc<Link>,
    prefix: String,
    /// No calls until then.
    paused: Mutex<Option<Instant>>,
    is_away: AtomicBool,
}

impl RedisCache {
    /// Parses the URL without connecting. Accepts the same URL forms as the limiter. `name` is part of every key, so all
    /// replicas of a service must use the same `name`. Errors never contain the URL.
    pub fn new(url: &SecretString, name: &str) -> Result<Self, String> {
        Ok(Self {
            link: Arc::new(Link::new(url)?),
            prefix: format!("doorcode:cache:{name}:"),
            paused: Mutex::default(),
            is_away: AtomicBool::default(),
        })
    }

    async fn run<T: FromRedisValue>(&self, command: Cmd) -> Option<T> {
        let paused = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if paused.is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let why = match timeout(BUDGET, self.send(command)).await {
            Ok(Ok(value)) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the cache in Redis is available again");
                }
                return Some(value);
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "Redis did not respond in time".to_owned(),
        };
        *self.paused.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + PAUSE);
        if !self.is_away.swap(true, Ordering::Relaxed) {
            tracing::warn!(why, "the cache in Redis is not available: everything is read from the database");
        }
        None
    }

    async fn send<T: FromRedisValue>(&self, command: Cmd) -> RedisResult<T> {
        let (connection, number) = self.link.connection().await?;
        let sent = match connection {
            Connection::Server(mut server) => command.query_async(&mut server).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
        };
        if sent.as_ref().is_err_and(link::is_broken) {
            self.link.forget(number);
        }
        sent
    }

    fn command(&self, name: &str, key: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg([&self.prefix, key].concat());
        command
    }
}

#[async_trait]
impl Cache for RedisCache {
    async fn get(&self, key: &str) -> Option<Bytes> {
        let value: Option<Vec<u8>> = self.run(self.command("GET", key)).await?;
        value.map(Bytes::from)
    }

    async fn set(&self, key: &str, value: Bytes, ttl: Duration) {
        if value.len() <= MAX_VALUE {
            let mut command = self.command("SET", key);
            command.arg(&value[..]).arg("PX").arg(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX).max(1));
            self.run::<Value>(command).await;
        }
    }

    async fn remove(&self, key: &str) {
        self.run::<Value>(self.command("DEL", key)).await;
    }
}
