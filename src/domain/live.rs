//! Committed events on their way to subscribers on every replica. A request puts ids into a bounded queue and goes on; a
//! background task publishes them on the bus; each replica with subscribers reads the rows once. Nothing here is stored,
//! blocks or fails a request: the audit trail has everything. Who may subscribe, and for how long, is in
//! `live/event_feed.rs`.

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

/// Events that may wait to be told. More in one moment are not told.
const WAITING: usize = 1_024;
/// Events in one message, sixteen bytes each.
const IN_A_MESSAGE: usize = 64;
/// Messages that are read from the database together.
const TOGETHER: usize = 8;
/// Events that a listener may lag behind.
const LAG: usize = 256;
/// How often the log hears that events are not told, however many they are.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);
/// What was committed last before a stop is told within this.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Whether some room is kept for this person however many listen: for who looks after others.
pub fn keeps_room_for(signed_in: &SignedIn) -> bool {
    signed_in.user.role >= Role::Manager
}

/// Where committed events go.
pub struct Live {
    bus: Arc<dyn Bus>,
    queue: mpsc::Sender<Uuid>,
    /// The other end of the queue, until somebody runs.
    waiting: Mutex<Option<mpsc::Receiver<Uuid>>>,
    news: broadcast::Sender<News>,
    metrics: Metrics,
    warned: Mutex<Option<Instant>>,
}

/// What every feed of this process receives.
#[derive(Clone)]
enum News {
    Event(Arc<audit_events::Model>),
    /// Something may have been missed.
    Gap,
}

impl Live {
    /// Over this bus.
    pub fn new(bus: Arc<dyn Bus>, metrics: Metrics) -> Self {
        let (queue, waiting) = mpsc::channel(WAITING);
        let waiting = Mutex::new(Some(waiting));
        Self { bus, queue, waiting, news: broadcast::Sender::new(LAG), metrics, warned: Mutex::default() }
    }

    /// Tells whoever listens. Never waits, never fails: what is told is in the audit trail.
    pub fn announce(&self, events: impl ExactSizeIterator<Item = Uuid>) {
        let all = events.len();
        let told = events.take_while(|event| self.queue.try_send(*event).is_ok()).count();
        if told < all {
            self.metrics.not_told((all - told) as u64);
            self.warn("more happens than can be told");
        }
    }

    fn warn(&self, why: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() > BETWEEN_WARNINGS) {
            *warned = Some(Instant::now());
            tracing::warn!(why, "some events are not told to everybody who listens; all are in the audit trail");
        }
    }
}

/// Carries events to the bus, and from it to whoever listens here, until `stop` says so.
pub async fn run(ctx: Arc<Ctx>, stop: watch::Receiver<bool>) {
    let waiting = ctx.live.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(waiting) = waiting else { return };
    tokio::select! {
        () = tell(&ctx.live, waiting, stop) => {}
        () = hear(&ctx) => {}
    }
}

async fn tell(live: &Live, mut waiting: mpsc::Receiver<Uuid>, mut stop: watch::Receiver<bool>) {
    let mut ids = Vec::with_capacity(IN_A_MESSAGE);
    loop {
        let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
        tokio::select! {
            _ = waiting.recv_many(&mut ids, IN_A_MESSAGE) => {}
            () = stopped => break,
        }
        publish(live, &mut ids).await;
    }
    waiting.close();
    let rest = async {
        while waiting.recv_many(&mut ids, IN_A_MESSAGE).await > 0 {
            publish(live, &mut ids).await;
        }
    };
    if timeout(LAST_WORDS, rest).await.is_err() {
        tracing::warn!("the last events before the stop were not told to other replicas");
    }
}

async fn publish(live: &Live, ids: &mut Vec<Uuid>) {
    let message: Vec<u8> = ids.drain(..).flat_map(Uuid::into_bytes).collect();
    if let Err(error) = live.bus.publish(Bytes::from(message)).await {
        live.warn(&error.to_string());
    }
}

/// Reads what the bus names, once for all who listen here, and not at all when nobody does. Ends with the bus, which is
/// never while there is a domain.
async fn hear(ctx: &Ctx) {
    let mut bus = ctx.live.bus.subscribe().ready_chunks(TOGETHER);
    while let Some(heard) = bus.next().await {
        if ctx.live.news.receiver_count() == 0 {
            continue;
        }
        let mut gap = heard.contains(&BusMessage::Gap);
        let ids: Vec<Uuid> = heard.iter().flat_map(ids).collect();
        if !ids.is_empty() {
            match audit::event_stream::news(ctx, &ids).await {
                // An error means that the last listener has just left.
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

/// The ids in a message; none when it is not one of ours.
fn ids(heard: &BusMessage) -> Vec<Uuid> {
    let BusMessage::Message(message) = heard else { return Vec::new() };
    let (ids, rest) = message.as_chunks::<16>();
    if !rest.is_empty() || ids.len() > IN_A_MESSAGE {
        return Vec::new();
    }
    ids.iter().copied().map(Uuid::from_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_is_none_of_ours_names_nothing() {
        let message = |length| BusMessage::Message(Bytes::from(vec![7; length]));
        assert_eq!(ids(&message(32)).len(), 2);
        for length in [0, 1, 15, 17, 16 * (IN_A_MESSAGE + 1), 100_000] {
            assert!(ids(&message(length)).is_empty(), "{length}");
        }
        assert!(ids(&BusMessage::Gap).is_empty());
    }
}
