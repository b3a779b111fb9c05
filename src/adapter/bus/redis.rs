//! The Redis bus, for several replicas: pub/sub on one channel, on a single server, Sentinel or Cluster. Local
//! subscribers get this process's messages directly, even while Redis is down. It stores nothing in Redis, validates
//! what it receives and reconnects with backoff.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use redis::{
    RedisError, RedisResult, Value,
    aio::{PubSub, PubSubSink, PubSubStream},
};
use secrecy::SecretString;
use tokio::{
    sync::broadcast,
    time::{interval, sleep, timeout},
};

use super::memory::{BACKLOG, heard};
use crate::{
    adapter::limiter::redis::link::{self, Connection, Link},
    ports::{Bus, BusMessage, BusUnavailable, Entropy},
};

/// Time limit for publishing a message.
const PUBLISH_BUDGET: Duration = Duration::from_millis(900);
/// Reconnect backoff, which doubles from the first to the longest pause.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Ping interval and timeout: an idle subscription does not notice a dead peer.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// Length of the process tag before each message.
const TAG: usize = 16;
/// Maximum message length; longer ones are dropped.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// Publishes to the subscribers of all processes on one Redis.
pub struct RedisBus(Arc<Shared>);

struct Shared {
    link: Link,
    channel: String,
    /// Random tag of this process, to skip its own messages coming back from Redis.
    tag: [u8; TAG],
    listeners: broadcast::Sender<BusMessage>,
    listening: AtomicBool,
}

impl RedisBus {
    /// Parses the URL in the forms of the limiter, without connecting. Replicas meet on the channel of this name.
    /// Errors never contain the URL.
    pub fn new(url: &SecretString, name: &str, entropy: &dyn Entropy) -> Result<Self, String> {
        let mut tag = [0; TAG];
        entropy.fill(&mut tag);
        Ok(Self(Arc::new(Shared {
            link: Link::new(url)?,
            channel: format!("doorcode:live:{name}"),
            tag,
            listeners: broadcast::Sender::new(BACKLOG),
            listening: AtomicBool::new(false),
        })))
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, message: Bytes) -> Result<(), BusUnavailable> {
        // Local subscribers first. An error means that there are none.
        drop(self.0.listeners.send(BusMessage::Message(message.clone())));
        let signed = [&self.0.tag[..], &message[..]].concat();
        timeout(PUBLISH_BUDGET, self.0.send_with_retry(&signed))
            .await
            .map_err(|_| BusUnavailable("Redis did not respond in time".to_owned()))?
            .map_err(|error| BusUnavailable(format!("Redis: {error}")))
    }

    fn subscribe(&self) -> BoxStream<'static, BusMessage> {
        let receiver = self.0.listeners.subscribe();
        if !self.0.listening.swap(true, Ordering::AcqRel) {
            tokio::spawn(listen(Arc::downgrade(&self.0)));
        }
        heard(receiver)
    }
}

impl Shared {
    /// Publishes a message, once more on a new connection if the old one was closed. A duplicate is harmless.
    async fn send_with_retry(&self, message: &[u8]) -> RedisResult<()> {
        let mut second_try = false;
        loop {
            let (connection, number) = self.link.connection().await?;
            let Err(error) = self.send(connection, message).await else { return Ok(()) };
            if link::is_broken(&error) {
                self.link.forget(number);
            }
            if second_try || !link::is_closed(&error) {
                return Err(error);
            }
            second_try = true;
        }
    }

    async fn send(&self, connection: Connection, message: &[u8]) -> RedisResult<()> {
        let mut command = redis::cmd("PUBLISH");
        command.arg(&self.channel).arg(message);
        match connection {
            Connection::Server(mut server) => command.query_async(&mut server).await,
            Connection::Cluster(mut cluster) => command.query_async(&mut cluster).await,
        }
    }

    async fn open(&self) -> RedisResult<PubSub> {
        let mut connection = self.link.listen().await?;
        timeout(PING_TIMEOUT, connection.subscribe(&self.channel)).await.unwrap_or_else(|_| Err(silent()))?;
        Ok(connection)
    }

    /// Forwards a message of another process.
    fn forward(&self, message: &[u8]) {
        let fits = (TAG..=TAG + LONGEST_MESSAGE).contains(&message.len());
        if let Some((tag, body)) = message.split_at_checked(TAG).filter(|_| fits)
            && tag != self.tag
        {
            drop(self.listeners.send(BusMessage::Message(Bytes::copy_from_slice(body))));
        }
    }
}

fn silent() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "Redis does not respond"))
}

/// Subscribes for the lifetime of the bus.
async fn listen(bus: Weak<Shared>) {
    let mut pause = FIRST_PAUSE;
    let mut disconnected = false;
    loop {
        let Some(shared) = bus.upgrade() else { return };
        match shared.open().await {
            Ok(connection) => {
                if disconnected {
                    tracing::info!("connected to the Redis bus again");
                }
                (pause, disconnected) = (FIRST_PAUSE, false);
                // Earlier messages were missed.
                drop(shared.listeners.send(BusMessage::Gap));
                drop(shared);
                let (sink, stream) = connection.split();
                relay(&bus, sink, stream).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut disconnected, true) {
                    tracing::warn!(%error, "cannot connect to the Redis bus: live events of other replicas are missing here");
                }
                drop(shared);
            }
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Forwards messages until the connection breaks.
async fn relay(bus: &Weak<Shared>, mut sink: PubSubSink, mut stream: PubSubStream) {
    let mut ping = interval(PING_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => {
                let (Some(message), Some(shared)) = (message, bus.upgrade()) else { return };
                shared.forward(message.get_payload_bytes());
            }
            _ = ping.tick() => {
                let answered = timeout(PING_TIMEOUT, sink.ping::<Value>()).await;
                if !matches!(answered, Ok(Ok(_))) || bus.strong_count() == 0 {
                    return;
                }
            }
        }
    }
}
