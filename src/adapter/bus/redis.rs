//! The Redis bus, for several replicas: pub/sub on one channel, on a single server, Sentinel or Cluster. Subscribers in
//! this process receive its own messages directly, even while Redis is down. The bus stores nothing in Redis, checks
//! the length of every message it receives, and reconnects with backoff.

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
/// Pauses between attempts to reconnect. Each pause is twice as long as the previous one, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Ping interval and timeout. Without pings, an idle subscription would not notice that the server is gone.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// Length of the process tag before each message, in bytes.
const TAG: usize = 16;
/// Maximum message length in bytes. Longer messages are dropped.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// Publishes messages to the subscribers in all processes that share a Redis deployment and a channel.
pub struct RedisBus(Arc<Shared>);

struct Shared {
    link: Link,
    channel: String,
    /// Random tag of this process. Redis returns our own messages too; the tag identifies them, so that we skip them.
    tag: [u8; TAG],
    listeners: broadcast::Sender<BusMessage>,
    listening: AtomicBool,
}

impl RedisBus {
    /// Parses the URL without connecting. Accepts the same URL forms as the limiter. `name` is part of the channel
    /// name, so all replicas of a service must use the same `name`. Errors never contain the URL.
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
        // Send to local subscribers first. An error means that there are no local subscribers.
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
    /// Publishes a message. If the connection was closed, tries once more on a new connection. Redis may then publish
    /// the message twice, which is harmless.
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

    /// Forwards a message from another process to local subscribers. Ignores our own messages.
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

/// Keeps a subscription open, reconnecting when needed, until the bus is dropped.
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
                // Messages published before this subscription were missed.
                drop(shared.listeners.send(BusMessage::Gap));
                drop(shared);
                let (sink, stream) = connection.split();
                relay(&bus, sink, stream).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut disconnected, true) {
                    tracing::warn!(%error, "cannot connect to the Redis bus: live events from other replicas are missed");
                }
                drop(shared);
            }
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Forwards messages until the connection breaks or the bus is dropped.
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
