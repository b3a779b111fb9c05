//! What the objects of one answer need together is read together: a statement for a whole level of a list, however long
//! the list is. Keys carry the proof that a person may be read, so nothing can be loaded that may not be seen. Nothing
//! is kept from one operation to the next.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::Arc,
    task::{Context as TaskContext, Poll},
    time::Duration,
};

use async_graphql::{
    Context, Request,
    dataloader::{DataLoader, Loader},
    runtime::Timer,
};
use futures_util::{
    Stream, StreamExt,
    future::{BoxFuture, ready},
    stream::{FuturesUnordered, poll_fn},
    task::{FutureObj, Spawn, SpawnError},
};
use tokio::sync::mpsc;
use tracing::Instrument;

use super::error::ApiError;
use crate::{
    db::entity::{audit_events, devices, sessions, users},
    domain::{Ctx, access::ReadAccess, audit, device, range_query::Slice, session, user},
    error::Result,
    observability::spans,
};

/// The open sessions of a person: a part of the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sessions(pub ReadAccess, pub Slice);

/// How many open sessions a person has.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionCount(pub ReadAccess);

/// The devices of a person, the latest hundred.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Devices(pub ReadAccess);

/// The events about a person: a part of the list.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Events(pub ReadAccess, pub Slice);

/// How many events there are about a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EventCount(pub ReadAccess);

/// A person met in a list; nobody when they are gone, or hidden.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Person(pub ReadAccess);

/// A person who was asked for by id, and so is looked up where the latest is known.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Known(pub ReadAccess);

/// What reads the batches. One for each operation, made by [`Api`](super::Api).
pub(super) struct Batches(Arc<Ctx>);

const DEVICES: usize = 20;

/// A kind of key, what is loaded for it, and the one domain call that loads many.
macro_rules! batches {
    ($($key:ty => $value:ty, |$ctx:ident, $keys:ident| $load:expr;)+) => { $(
        impl Loader<$key> for Batches {
            type Value = $value;
            type Error = ApiError;

            async fn load(&self, $keys: &[$key]) -> Result<HashMap<$key, $value>, ApiError> {
                let $ctx = &*self.0;
                let reading = async { Ok($load) };
                reading.instrument(spans::batch(stringify!($key), $keys.len())).await
            }
        }
    )+ };
}

batches! {
    Sessions => Vec<sessions::Model>, |ctx, keys| {
        let wanted: Vec<_> = keys.iter().map(|Sessions(access, slice)| (*access, *slice)).collect();
        in_order(keys, session::list_open(ctx, &wanted).await?)
    };
    SessionCount => u64, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|SessionCount(access)| *access).collect();
        let counts = session::count_open(ctx, &people).await?;
        keys.iter().filter_map(|key| Some((*key, *counts.get(&key.0.user_id())?))).collect()
    };
    Devices => Vec<devices::Model>, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|Devices(access)| *access).collect();
        in_order(keys, device::list_each(ctx, &people, DEVICES as u64).await?)
    };
    Events => Vec<(audit_events::Model, ReadAccess)>, |ctx, keys| {
        let wanted: Vec<_> = keys.iter().map(|Events(access, slice)| (*access, *slice)).collect();
        in_order(keys, audit::list::list_about(ctx, &wanted).await?)
    };
    EventCount => u64, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|EventCount(access)| *access).collect();
        let counts = audit::list::count_about(ctx, &people).await?;
        keys.iter().filter_map(|key| Some((*key, *counts.get(&key.0.user_id())?))).collect()
    };
    Person => (users::Model, ReadAccess), |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|Person(access)| *access).collect();
        let found = user::list::find_each(ctx, &people).await?;
        found.into_iter().map(|(access, user)| (Person(access), (user, access))).collect()
    };
    Known => (users::Model, ReadAccess), |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|Known(access)| *access).collect();
        let found = user::list::find_each(ctx, &people).await?;
        found.into_iter().map(|(access, user)| (Known(access), (user, access))).collect()
    };
}

fn in_order<K: Copy + Eq + Hash, V>(keys: &[K], values: Vec<V>) -> HashMap<K, V> {
    keys.iter().copied().zip(values).collect()
}

/// What a key stands for; nothing when there is nothing, or nothing to see.
pub(super) async fn load<K>(ctx: &Context<'_>, key: K) -> Result<Option<<Batches as Loader<K>>::Value>, ApiError>
where
    K: Send + Sync + Hash + Eq + Clone + 'static,
    Batches: Loader<K, Error = ApiError>,
{
    ctx.data_unchecked::<DataLoader<Batches>>().load_one(key).await
}

type Batch = FutureObj<'static, ()>;

/// Takes batches instead of a pool of tasks.
struct Queue(mpsc::UnboundedSender<Batch>);

impl Spawn for Queue {
    fn spawn_obj(&self, batch: Batch) -> Result<(), SpawnError> {
        self.0.send(batch).map_err(|_| SpawnError::shutdown())
    }
}

/// A batch waits for no time: it runs when the operation can do nothing more without it, and so when everything that
/// could be in it is in it.
struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// The batches of one operation, waiting for their turn.
pub(super) struct Turns(mpsc::UnboundedReceiver<Batch>);

/// Gives an operation its loader.
pub(super) fn give(request: Request, ctx: Option<&Arc<Ctx>>) -> (Request, Turns) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let loader = ctx.map(|ctx| DataLoader::new(Batches(Arc::clone(ctx)), Queue(sender), NoDelay));
    let request = match loader {
        Some(loader) => request.data(loader),
        None => request,
    };
    (request, Turns(receiver))
}

impl Turns {
    /// The answers of an operation, which runs in turns with its batches and ends with them.
    pub(super) fn take<T>(mut self, answers: impl Stream<Item = T> + Send) -> impl Stream<Item = T> + Send {
        let mut answers = Box::pin(answers);
        let mut running = FuturesUnordered::new();
        poll_fn(move |task: &mut TaskContext<'_>| {
            loop {
                if let Poll::Ready(answer) = answers.poll_next_unpin(task) {
                    return Poll::Ready(answer);
                }
                while let Ok(batch) = self.0.try_recv() {
                    running.push(batch);
                }
                // When a batch is done, whoever waited for it goes on.
                if !matches!(running.poll_next_unpin(task), Poll::Ready(Some(()))) {
                    return Poll::Pending;
                }
            }
        })
    }
}
