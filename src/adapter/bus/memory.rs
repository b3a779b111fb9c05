//! The bus for a single process. Publishing never blocks, and the backlog of a slow subscriber is bounded.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use tokio::sync::broadcast::{self, error::RecvError};

use crate::ports::{Bus, BusMessage, BusUnavailable};

/// How many messages a subscriber may lag behind. A slower subscriber loses messages and receives [`BusMessage::Gap`].
pub(crate) const BACKLOG: usize = 1_024;

/// Publishes messages to the subscribers in this process.
pub struct MemoryBus(broadcast::Sender<BusMessage>);

impl Default for MemoryBus {
    fn default() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn publish(&self, message: Bytes) -> Result<(), BusUnavailable> {
        // An error means that there are no subscribers.
        drop(self.0.send(BusMessage::Message(message)));
        Ok(())
    }

    fn subscribe(&self) -> BoxStream<'static, BusMessage> {
        heard(self.0.subscribe())
    }
}

/// Converts a broadcast receiver to the stream that [`Bus::subscribe`] returns.
pub(crate) fn heard(receiver: broadcast::Receiver<BusMessage>) -> BoxStream<'static, BusMessage> {
    stream::unfold(receiver, async |mut receiver| match receiver.recv().await {
        Ok(heard) => Some((heard, receiver)),
        Err(RecvError::Lagged(_)) => Some((BusMessage::Gap, receiver)),
        Err(RecvError::Closed) => None,
    })
    .boxed()
}
