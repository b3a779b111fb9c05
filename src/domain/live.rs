//! Delivers committed events to live subscribers on every replica. A request puts ids into a bounded queue and
//! continues. A background task publishes them on the bus, and each replica with subscribers loads the rows once.
//! Delivery is best effort: the audit trail is complete. `live/event_feed.rs` decides who receives what.

pub mod event_feed;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::{
    sync::{broadcast, mpsc, watch},
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{Ctx, access::SignedIn, audit};
use crate::{
    db::entity::{Role, audit_events},
    observability::metrics::Metrics,
    ports::{Bus, BusMessage},
};

/// Capacity of the queue. Events beyond it are not delivered.
const WAITING: usize = 1_024;
/// Maximum events per message, 16 bytes each.
const IDS_PER_MESSAGE: usize = 64;
/// Maximum messages loaded from the database together.
const MESSAGES_PER_READ: usize = 8;
/// Maximum events that a feed may lag behind.
const LAG: usize = 256;
/// Minimum interval between warnings about undelivered events.
const WARN_EVERY: Duration = Duration::from_mins(1);
/// Time limit for publishing the remaining events at shutdown.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);

/// Whether connections for this user come from the reserved capacity: managers and administrators.
pub fn keeps_room_for(signed_in: &SignedIn) -> bool {
    signed_in.user.role >= Role::Manager
}

/// Publisher of committed events.
pub struct Live {
    bus: Arc<dyn Bus>,
    queue: mpsc::Sender<Uuid>,
    /// The receiver, until [`run`] takes it.
    waiting: Mutex<Option<mpsc::Receiver<Uuid>>>,
    news: broadcast::Sender<News>,
    metrics: Metrics,
    warned: Mutex<Option<Instant>>,
}

/// Message to every feed of this process.
#[derive(Clone)]
enum News {
    Event(Arc<audit_events::Model>),
    /// Events may have been missed.
    Gap,
}

impl Live {
    /// Uses this bus.
    pub fn new(bus: Arc<dyn Bus>, metrics: Metrics) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let waiting = Mutex::new(Some(waiting));
        Self { bus, queue, waiting, news: broadcast::Sender::new(LAG), metrics, warned: Mutex::default() }
    }

    /// Queues events for delivery. Never waits and never fails.
    pub fn announce(&self, events: impl ExactSizeIterator<Item = Uuid>) {
        let all = events.len();
        let queued = events.take_while(|event| self.queue.try_send(*event).is_ok()).count();
        if queued < all {
            self.metrics.not_told((all - queued) as u64);
            self.warn("the queue is full");
        }
    }

    fn warn(&self, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() > WARN_EVERY) {
            *warned = Some(Instant::now());
            tracing::warn!(why, "some events were not delivered to live subscribers; the audit trail has all of them");
        }
    }
}

/// Publishes events to the bus and delivers those from the bus, until `stop`.
pub async fn run(ctx: Arc<Ctx>, stop: watch::Receiver<bool>) {
    let waiting = ctx.live.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(waiting) = waiting else { return };
    tokio::select! {
        () = publish_queued(&ctx.live, waiting, stop) => {}
        () = deliver(&ctx) => {}
    }
}

async fn publish_queued(live: &Live, mut waiting: mpsc::Receiver<Uuid>, mut stop: watch::Receiver<bool>) {
    let mut ids = Vec::with_capacity(IDS_PER_MESSAGE);
    loop {
        let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
        tokio::select! {
            _ = waiting.recv_many(&mut ids, IDS_PER_MESSAGE) => {}
            () = stopped => break,
        }
        publish(live, &mut ids).await;
    }
    waiting.close();
    let rest = async {
        while waiting.recv_many(&mut ids, IDS_PER_MESSAGE).await > 0 {
            publish(live, &mut ids).await;
        }
    };
    if timeout(FLUSH_TIMEOUT, rest).await.is_err() {
        tracing::warn!("some events before shutdown were not published to other replicas");
    }
}

async fn publish(live: &Live, ids: &mut Vec<Uuid>) {
    let message: Vec<u8> = ids.drain(..).flat_map(Uuid::into_bytes).collect();
    if let Err(error) = live.bus.publish(Bytes::from(message)).await {
        live.warn(&error.to_string());
    }
}

/// Loads events from the bus once for all feeds of this process; skips them if there are none. Ends only with the bus,
/// which lives as long as the domain.
async fn deliver(ctx: &Ctx) {
    let mut bus = ctx.live.bus.subscribe().ready_chunks(MESSAGES_PER_READ);
    while let Some(messages) = bus.next().await {
        if ctx.live.news.receiver_count() == 0 {
            continue;
        }
        let mut gap = messages.contains(&BusMessage::Gap);
        let ids: Vec<Uuid> = messages.iter().flat_map(ids).collect();
        if !ids.is_empty() {
            match audit::event_stream::news(ctx, &ids).await {
                // An error means that the last feed has just closed.
                Ok(rows) => rows.into_iter().for_each(|row| drop(ctx.live.news.send(News::Event(Arc::new(row))))),
                Err(error) => {
                    ctx.live.warn(&error.to_string());
                    gap = true;
                }
            }
        }
        if gap {
            drop(ctx.live.news.send(News::Gap));
        }
    }
}

/// The ids in a message; empty if the message is malformed.
fn ids(message: &BusMessage) -> Vec<Uuid> {
    let BusMessage::Message(message) = message else { return Vec::new() };
    let (ids, rest) = message.as_chunks::<16>();
    if !rest.is_empty() || ids.len() > IDS_PER_MESSAGE {
        return Vec::new();
    }
    ids.iter().copied().map(Uuid::from_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_message_has_no_ids() {
        let message = |length| BusMessage::Message(Bytes::from(vec![7; length]));
        assert_eq!(ids(&message(32)).len(), 2);
        for length in [0, 1, 15, 17, 16 * (IDS_PER_MESSAGE + 1), 100_000] {
            assert!(ids(&message(length)).is_empty(), "{length}");
        }
        assert!(ids(&BusMessage::Gap).is_empty());
    }
}
