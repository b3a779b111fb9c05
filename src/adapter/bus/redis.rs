//! The bus of a fleet: Redis pub/sub on one channel, alone, behind Sentinel or as a Cluster. Listeners of this process
//! hear its own messages without Redis, so they live on while it is away. It keeps nothing in Redis, trusts nothing that
//! comes from there, and never ends because Redis did: it comes back with a pause that grows.

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

/// A message is told within this, or not at all.
const PUBLISH_BUDGET: Duration = Duration::from_millis(900);
/// Before a broken connection is opened anew: from the first to the longest, twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A listening connection says nothing when its other end is gone, so it is asked.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_PATIENCE: Duration = Duration::from_secs(2);
/// Who says it, before each message.
const TAG: usize = 16;
/// Longer messages are none of ours.
const LONGEST_MESSAGE: usize = 4 * 1024;

/// Tells the listeners of every process on one Redis.
pub struct RedisBus(Arc<Shared>);

struct Shared {
    link: Link,
    channel: String,
    /// This process among those on the channel: its own messages come back from Redis and are known by this.
    tag: [u8; TAG],
    listeners: broadcast::Sender<BusMessage>,
    listening: AtomicBool,
}

impl RedisBus {
    /// Reads the URL, in the forms that the limiter knows, and does nothing else. Replicas meet on a channel of this
    /// name. The error never repeats the URL.
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
        // First those who need no Redis. An error means that nobody listens here.
        drop(self.0.listeners.send(BusMessage::Message(message.clone())));
        let signed = [&self.0.tag[..], &message[..]].concat();
        timeout(PUBLISH_BUDGET, self.0.tell(&signed))
            .await
            .map_err(|_| BusUnavailable("Redis did not answer in time".to_owned()))?
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
    /// Publishes, on a new connection when the open one turns out to be closed. Told twice is no harm.
    async fn tell(&self, message: &[u8]) -> RedisResult<()> {
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
        timeout(PING_PATIENCE, connection.subscribe(&self.channel)).await.unwrap_or_else(|_| Err(silent()))?;
        Ok(connection)
    }

    /// Passes on what another process said.
    fn pass_on(&self, message: &[u8]) {
        let fits = (TAG..=TAG + LONGEST_MESSAGE).contains(&message.len());
        if let Some((tag, said)) = message.split_at_checked(TAG).filter(|_| fits)
            && tag != self.tag
        {
            drop(self.listeners.send(BusMessage::Message(Bytes::copy_from_slice(said))));
        }
    }
}

fn silent() -> RedisError {
    RedisError::from((redis::ErrorKind::Io, "Redis does not answer"))
}

/// Listens for as long as the bus lives.
async fn listen(bus: Weak<Shared>) {
    let mut pause = FIRST_PAUSE;
    let mut away = false;
    loop {
        let Some(shared) = bus.upgrade() else { return };
        match shared.open().await {
            Ok(connection) => {
                if away {
                    tracing::info!("the bus is back");
                }
                (pause, away) = (FIRST_PAUSE, false);
                // Whatever was told until now was not heard here.
                drop(shared.listeners.send(BusMessage::Gap));
                drop(shared);
                let (sink, stream) = connection.split();
                relay(&bus, sink, stream).await;
            }
            Err(error) => {
                if !std::mem::replace(&mut away, true) {
                    tracing::warn!(%error, "the bus is away: what happens on other replicas is not told here");
                }
                drop(shared);
            }
        }
        sleep(pause).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
    }
}

/// Passes on until the connection breaks.
async fn relay(bus: &Weak<Shared>, mut sink: PubSubSink, mut stream: PubSubStream) {
    let mut ping = interval(PING_EVERY);
    loop {
        tokio::select! {
            message = stream.next() => {
                let (Some(message), Some(shared)) = (message, bus.upgrade()) else { return };
                shared.pass_on(message.get_payload_bytes());
            }
            _ = ping.tick() => {
                let answered = timeout(PING_PATIENCE, sink.ping::<Value>()).await;
                if !matches!(answered, Ok(Ok(_))) || bus.strong_count() == 0 {
                    return;
                }
            }
        }
    }
}
