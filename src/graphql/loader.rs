//! Data loaders. One database statement reads what all objects on one level of a response need. Keys contain a
//! `ReadAccess`, so resolvers can only load what the viewer may see. Nothing is cached across operations.

use std::{
    any::type_name,
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
use chrono::{DateTime, Utc};
use futures_util::{
    Stream, StreamExt,
    future::{BoxFuture, ready},
    stream::{FuturesUnordered, poll_fn},
    task::{FutureObj, Spawn, SpawnError},
};
use tokio::sync::mpsc;
use tracing::Instrument;
use uuid::Uuid;

use super::error::ApiError;
use crate::{
    db::entity::{api_keys, audit_events, authentications, devices, sessions, users},
    domain::{
        Ctx,
        access::ReadAccess,
        audit,
        credential::{api_key, password},
        device,
        range_query::Slice,
        session, user,
    },
    error::Result,
    observability::spans,
};

/// A range of a user's open sessions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Sessions(pub ReadAccess, pub Slice);

/// The number of a user's open sessions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SessionCount(pub ReadAccess);

/// A range of a user's sessions that are over.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EndedSessions(pub ReadAccess, pub Slice);

/// The number of a user's sessions that are over.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EndedSessionCount(pub ReadAccess);

/// A user's devices, at most [`DEVICES`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Devices(pub ReadAccess);

/// A user's API keys, at most [`API_KEYS`].
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ApiKeys(pub ReadAccess);

/// A range of the audit events about a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Events(pub ReadAccess, pub Slice);

/// The number of audit events about a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct EventCount(pub ReadAccess);

/// A user whom another object refers to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Person(pub ReadAccess);

/// A user whom the client requested by ID.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Known(pub ReadAccess);

/// The time at which a user set their password; nothing without one.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct PasswordTime(pub ReadAccess);

/// The proofs of a session that the viewer has in hand.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Proofs(pub Uuid);

/// A key whose value is loaded from the database together with those of all other objects on the same level of a
/// response. A key should hold proof that the caller may read the value, because the batch checks no permissions.
///
/// ```
/// use std::collections::HashMap;
///
/// use doorcode::{domain::Ctx, error::Result, graphql::Batch};
///
/// /// The number of notes of a user.
/// #[derive(Clone, Copy, PartialEq, Eq, Hash)]
/// struct NoteCount(u128);
///
/// impl Batch for NoteCount {
///     type Value = u64;
///
///     async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, u64>> {
///         // One statement for all keys: SELECT user_id, COUNT(*) … WHERE user_id IN (…) GROUP BY user_id
///         Ok(keys.iter().map(|key| (*key, 0)).collect())
///     }
/// }
/// ```
pub trait Batch: Copy + Eq + Hash + Send + Sync + 'static {
    /// The value of a key.
    type Value: Clone + Send + Sync + 'static;

    /// Loads the values of some keys, in a constant number of statements. A key without a value is left out.
    fn load(ctx: &Ctx, keys: &[Self]) -> impl Future<Output = Result<HashMap<Self, Self::Value>>> + Send;
}

/// Reads batches of keys from the database. Each operation has its own.
struct Batches(Arc<Ctx>);

impl<K: Batch> Loader<K> for Batches {
    type Value = K::Value;
    type Error = ApiError;

    async fn load(&self, keys: &[K]) -> Result<HashMap<K, K::Value>, ApiError> {
        let loading = K::load(&self.0, keys);
        let name = type_name::<K>().rsplit("::").next().unwrap_or_default();
        Ok(loading.instrument(spans::batch(name, keys.len())).await?)
    }
}

/// Maximum number of devices per user in a response.
const DEVICES: usize = 20;
/// Maximum number of API keys per user in a response. The number that work at a time is lower.
const API_KEYS: u64 = 50;

/// Implements [`Batch`] for each row. A row contains the type of the key, the type of the value, and the domain call
/// that loads a batch of keys.
macro_rules! batches {
    ($($key:ty => $value:ty, |$ctx:ident, $keys:ident| $load:expr;)+) => { $(
        impl Batch for $key {
            type Value = $value;

            async fn load($ctx: &Ctx, $keys: &[$key]) -> Result<HashMap<$key, $value>> {
                Ok($load)
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
    EndedSessions => Vec<sessions::Model>, |ctx, keys| {
        let wanted: Vec<_> = keys.iter().map(|EndedSessions(access, slice)| (*access, *slice)).collect();
        in_order(keys, session::ended::list(ctx, &wanted).await?)
    };
    EndedSessionCount => u64, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|EndedSessionCount(access)| *access).collect();
        let counts = session::ended::count(ctx, &people).await?;
        keys.iter().filter_map(|key| Some((*key, *counts.get(&key.0.user_id())?))).collect()
    };
    PasswordTime => DateTime<Utc>, |ctx, keys| {
        let users: Vec<_> = keys.iter().map(|PasswordTime(access)| access.user_id()).collect();
        let times = password::changed_at(ctx, &users).await?;
        keys.iter().filter_map(|key| Some((*key, *times.get(&key.0.user_id())?))).collect()
    };
    Proofs => Vec<authentications::Model>, |ctx, keys| {
        let sessions: Vec<_> = keys.iter().map(|Proofs(session)| *session).collect();
        let proofs = session::authentication::of_sessions(ctx, &sessions).await?;
        proofs.into_iter().map(|(session, proofs)| (Proofs(session), proofs)).collect()
    };
    Devices => Vec<devices::Model>, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|Devices(access)| *access).collect();
        in_order(keys, device::list_each(ctx, &people, DEVICES as u64).await?)
    };
    ApiKeys => Vec<api_keys::Model>, |ctx, keys| {
        let people: Vec<_> = keys.iter().map(|ApiKeys(access)| *access).collect();
        in_order(keys, api_key::list_each(ctx, &people, API_KEYS).await?)
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

/// Loads the value of a key. `None` if it does not exist or the viewer may not see it. Boxed, because the futures
/// of fields lie inside each other as deep as an operation goes.
pub fn load<'a, K: Batch>(ctx: &Context<'a>, key: K) -> BoxFuture<'a, Result<Option<K::Value>, ApiError>> {
    let batches = ctx.data_unchecked::<DataLoader<Batches>>();
    Box::pin(batches.load_one(key))
}

type Task = FutureObj<'static, ()>;

/// Puts batches into a queue instead of spawning them as tasks, so that [`Queued::drive`] can run them.
struct Queue(mpsc::UnboundedSender<Task>);

impl Spawn for Queue {
    fn spawn_obj(&self, batch: Task) -> Result<(), SpawnError> {
        self.0.send(batch).map_err(|_| SpawnError::shutdown())
    }
}

/// A timer without delay. Libraries usually wait a moment to collect more keys for a batch. Here a batch runs only when
/// the operation can do nothing else, so all its keys have already been collected.
struct NoDelay;

impl Timer for NoDelay {
    fn delay(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(ready(()))
    }
}

/// The batches that one operation has queued.
pub(super) struct Queued(mpsc::UnboundedReceiver<Task>);

/// Attaches a new loader to an operation. Returns the operation and the queue of its batches.
pub(super) fn attach(request: Request, ctx: Option<&Arc<Ctx>>) -> (Request, Queued) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let loader = ctx.map(|ctx| DataLoader::new(Batches(Arc::clone(ctx)), Queue(sender), NoDelay));
    let request = match loader {
        Some(loader) => request.data(loader),
        None => request,
    };
    (request, Queued(receiver))
}

impl Queued {
    /// Runs an operation until it waits for batches, then runs those batches, and so on, all in one task.
    pub(super) fn drive<T>(mut self, responses: impl Stream<Item = T> + Send) -> impl Stream<Item = T> + Send {
        let mut responses = Box::pin(responses);
        let mut running = FuturesUnordered::new();
        poll_fn(move |task: &mut TaskContext<'_>| {
            loop {
                if let Poll::Ready(response) = responses.poll_next_unpin(task) {
                    return Poll::Ready(response);
                }
                while let Ok(batch) = self.0.try_recv() {
                    running.push(batch);
                }
                // When a batch has finished, the operation can continue.
                if !matches!(running.poll_next_unpin(task), Poll::Ready(Some(()))) {
                    return Poll::Pending;
                }
            }
        })
    }
}
