//! Runs one WebSocket and enforces its limits: timeouts for authentication, reading, pongs and idleness, and the
//! message rate. Passes messages one at a time between the client and the library, which implements the protocol.
//! Closes when the session ends.

use std::{
    collections::HashMap,
    convert::Infallible,
    pin::pin,
    sync::{Arc, PoisonError},
};

use async_graphql_axum::{GraphQLProtocol, GraphQLWebSocket};
use axum::{
    extract::ws::{Message, WebSocket},
    http::{HeaderMap, HeaderValue, header},
};
use futures_util::{StreamExt, sink, stream};
use serde_json::value::RawValue;
use tokio::{
    sync::{
        Notify, Semaphore,
        mpsc::{self, Permit},
    },
    time::{Duration, Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};

use super::{
    SocketCaps, SocketOwner, SocketSlot,
    executor::{PendingSubscribe, Subscriber, SubscriptionExecutor},
    message::{Close, Incoming, Outgoing},
};
use crate::{
    domain::{
        access::Origin,
        live::event_feed::{EventFeed, FeedEnd},
    },
    error::Error,
    http::{
        Server,
        caller::{self, BearerPolicy},
        graphql::MAX_BODY,
        response::RequestId,
        server::ConnectionHandle,
    },
};

/// Time to send the remaining events, and for the client to complete the closing handshake.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_mins(1);

/// Why a connection ends.
enum End {
    /// The client disconnected or is unresponsive: send nothing more.
    Disconnected,
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

type Result<T, E = End> = std::result::Result<T, E>;
/// A received message; `None` when the socket is closed.
type Received = Option<Result<Message, axum::Error>>;

pub(super) struct Connection {
    socket: WebSocket,
    executor: SubscriptionExecutor,
    slot: SocketSlot,
    handle: Option<ConnectionHandle>,
    /// Running subscriptions by client id, and whether any event was sent.
    running: HashMap<String, bool>,
    /// Subscriptions ended for the client: the number of `complete` messages the library still owes for each id.
    ended: HashMap<String, usize>,
    /// The subscription being checked. Nothing more is read until it runs or is refused.
    starting: Option<(String, Arc<Notify>)>,
    /// Since when no subscription has been running.
    idle: Instant,
    /// When the last message arrived.
    last_message_at: Instant,
    /// Messages in the current minute.
    messages: u32,
    minute: Instant,
}

/// Our ends of the channels to the library. Each holds one message.
struct Library {
    sender: mpsc::Sender<Message>,
    receiver: mpsc::Receiver<Message>,
}

impl Connection {
    pub(super) fn new(
        server: Arc<Server>,
        socket: WebSocket,
        origin: Origin,
        id: RequestId,
        slot: SocketSlot,
        handle: Option<ConnectionHandle>,
    ) -> Self {
        let now = Instant::now();
        let free = Arc::new(Semaphore::new(server.sockets.caps().subscriptions));
        let executor =
            SubscriptionExecutor { server, origin, id, subscriber: Arc::default(), pending: Arc::default(), free };
        Self {
            socket,
            executor,
            slot,
            handle,
            running: HashMap::new(),
            ended: HashMap::new(),
            starting: None,
            idle: now,
            last_message_at: now,
            messages: 0,
            minute: now,
        }
    }

    /// Runs until either side closes.
    pub(super) async fn run(mut self, protocol: GraphQLProtocol) {
        let (sender, mut incoming) = mpsc::channel(1);
        let (outgoing, receiver) = mpsc::channel(1);
        let incoming = stream::poll_fn(move |task| incoming.poll_recv(task)).map(Ok);
        let outgoing = sink::unfold(outgoing, async |outgoing: mpsc::Sender<Message>, message| {
            outgoing.send(message).await.map(|()| outgoing)
        });
        let library = GraphQLWebSocket::new_with_pair(outgoing, incoming, self.executor.clone(), protocol).serve();
        let end = tokio::select! {
            Err(end) = self.pump(Library { sender, receiver }) => end,
            // The library only returns on a malformed message, and it gets none.
            () = library => Close::BROKEN.into(),
        };
        if let End::Close(close) = end {
            tracing::debug!(?close, "a socket closes");
            if self.send(close.message()).await.is_err() {
                return;
            }
        }
        // Closing with unread messages resets the connection, which could lose the close reason.
        let rest = async { while matches!(self.socket.recv().await, Some(Ok(_))) {} };
        drop(timeout(DRAIN_TIMEOUT, rest).await);
    }

    fn caps(&self) -> &SocketCaps {
        self.executor.server.sockets.caps()
    }

    async fn pump(&mut self, mut library: Library) -> Result<Infallible> {
        let (init, evicted) = (self.caps().init, self.slot.evicted());
        let (permit, message) = tokio::select! {
            first = timeout(init, self.first_message(&library.sender, &mut library.receiver)) => {
                first.map_err(|_| Close::INIT_TIMEOUT)??
            }
            () = evicted => return Err(Close::LATER.into()),
        };
        let feed = self.authenticate(&message).await?;
        permit.send(message.message());
        let mut silence = pin!(feed.silence());
        self.idle = Instant::now();
        let ping = self.caps().ping;
        let mut ping_timer = interval_at(Instant::now() + ping, ping);
        ping_timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pinged_at = None;
        loop {
            let idle = self.idle + self.caps().idle;
            tokio::select! {
                (permit, message) = receive(&mut self.socket, &library.sender), if self.starting.is_none() => {
                    self.forward_to_library(permit, message)?;
                }
                Some(message) = library.receiver.recv() => self.forward_to_client(message).await?,
                () = checked(self.starting.as_ref()) => self.starting = None,
                why = &mut silence => return Err(self.drain(why, library.receiver).await),
                // While a subscription is being checked, a pong may have arrived that is not read yet.
                _ = ping_timer.tick(), if self.starting.is_none() => {
                    if pinged_at.is_some_and(|at| self.last_message_at < at) {
                        return Err(End::Disconnected);
                    }
                    pinged_at = Some(Instant::now());
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
                () = sleep_until(idle), if self.running.is_empty() => return Err(Close::IDLE.into()),
                () = stopping(&mut self.handle) => return Err(Close::STOPPING.into()),
            }
        }
    }

    /// Waits for `connection_init` without passing it on.
    async fn first_message<'a>(
        &mut self,
        sender: &'a mpsc::Sender<Message>,
        receiver: &mut mpsc::Receiver<Message>,
    ) -> Result<(Permit<'a, Message>, Incoming)> {
        loop {
            tokio::select! {
                (permit, message) = receive(&mut self.socket, sender) => match self.read(message)? {
                    Some(message @ Incoming::ConnectionInit { .. }) => return Ok((permit, message)),
                    Some(Incoming::Subscribe { .. }) => return Err(Close::UNAUTHORIZED.into()),
                    Some(message) => permit.send(message.message()),
                    None => {}
                },
                Some(message) = receiver.recv() => self.send(message).await?,
            }
        }
    }

    /// Authenticates the client, and claims a slot and an event feed.
    async fn authenticate(&mut self, message: &Incoming) -> Result<Arc<EventFeed>> {
        let server = &self.executor.server;
        let headers = token_of(message).ok_or(Close::FORBIDDEN)?;
        let refused = |error| match error {
            Error::Unauthenticated => Close::FORBIDDEN,
            other => {
                tracing::warn!(error = %other, "cannot look up the session of a socket");
                Close::LATER
            }
        };
        let bearer = caller::bearer(&server.ctx, &headers).await.map_err(refused)?;
        let signed_in = caller::signed_in(&server.ctx, &bearer, BearerPolicy::Strict).await.map_err(refused)?;
        let signed_in = signed_in.ok_or(Close::FORBIDDEN)?;
        self.slot = server.sockets.claim(&self.executor.origin, &signed_in).map_err(|full| match full {
            SocketOwner::Everybody => Close::LATER,
            _ => Close::TOO_MANY_SOCKETS,
        })?;
        let feed = Arc::new(EventFeed::open(&server.ctx, &signed_in));
        self.executor.subscriber.get_or_init(|| Subscriber { bearer, feed: Arc::clone(&feed) });
        Ok(feed)
    }

    /// Parses a protocol message. Returns `None` for transport messages such as pongs.
    fn read(&mut self, message: Received) -> Result<Option<Incoming>> {
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Disconnected),
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket failed");
                return Err(Close::BROKEN.into());
            }
            Some(Ok(message)) => message,
        };
        self.last_message_at = Instant::now();
        self.count()?;
        match message {
            Message::Text(text) if text.len() > MAX_BODY => Err(Close::TOO_LARGE.into()),
            Message::Text(text) => Incoming::read(&text).map(Some).ok_or(Close::INVALID.into()),
            Message::Binary(_) => Err(Close::INVALID.into()),
            _ => Ok(None),
        }
    }

    fn count(&mut self) -> Result<()> {
        if self.minute.elapsed() >= MINUTE {
            (self.minute, self.messages) = (Instant::now(), 0);
        }
        self.messages += 1;
        if self.messages > self.caps().messages { Err(Close::TOO_FAST.into()) } else { Ok(()) }
    }

    /// Passes a message from the client to the library.
    fn forward_to_library(&mut self, permit: Permit<'_, Message>, message: Received) -> Result<()> {
        let Some(incoming) = self.read(message)? else { return Ok(()) };
        let message = incoming.message();
        match incoming {
            Incoming::ConnectionInit { .. } => return Err(Close::TOO_MANY_INITS.into()),
            Incoming::Subscribe { id, .. } if self.running.contains_key(&id) => return Err(Close::ID_EXISTS.into()),
            Incoming::Subscribe { id, call } => {
                let checked = Arc::new(Notify::new());
                let pending = PendingSubscribe { call, checked: Arc::clone(&checked) };
                *self.executor.pending.lock().unwrap_or_else(PoisonError::into_inner) = Some(pending);
                self.running.insert(id.clone(), false);
                self.starting = Some((id, checked));
            }
            Incoming::Complete { id } => self.end(&id),
            Incoming::Ping | Incoming::Pong => {}
        }
        permit.send(message);
        Ok(())
    }

    /// Ends a subscription for the client before the library confirms it.
    fn end(&mut self, id: &str) {
        if let Some((id, _)) = self.running.remove_entry(id) {
            *self.ended.entry(id).or_default() += 1;
            self.idle = Instant::now();
        }
    }

    /// Passes a message from the library to the client.
    async fn forward_to_client(&mut self, message: Message) -> Result<()> {
        let outgoing = message.to_text().ok().and_then(|text| serde_json::from_str::<Outgoing>(text).ok());
        let outgoing = outgoing.ok_or(Close::BROKEN)?;
        let Some(id) = outgoing.id.as_deref() else { return self.send(message).await };
        if let Some(ends) = self.ended.get_mut(id) {
            *ends -= usize::from(outgoing.is_complete());
            if *ends == 0 {
                self.ended.remove(id);
            }
            return Ok(());
        }
        let is_first = self.running.get_mut(id).is_some_and(|sent| !std::mem::replace(sent, true));
        let refusal = outgoing.refusal().filter(|_| is_first);
        if refusal.is_some() {
            self.end(id);
        } else if outgoing.is_complete() {
            self.running.remove(id);
            self.idle = Instant::now();
        }
        self.starting.take_if(|(id, _)| !self.running.contains_key(id));
        self.send(refusal.unwrap_or(message)).await
    }

    /// Sends the remaining events after the feed ended, then returns the close reason.
    async fn drain(&mut self, why: FeedEnd, mut receiver: mpsc::Receiver<Message>) -> End {
        let rest = async {
            while !self.running.is_empty()
                && let Some(message) = receiver.recv().await
            {
                self.forward_to_client(message).await?;
            }
            Ok(())
        };
        match (timeout(DRAIN_TIMEOUT, rest).await, why) {
            (Ok(Err(end)), _) => end,
            (_, FeedEnd::Over) => Close::UNAUTHORIZED.into(),
            (_, FeedEnd::OtherRole) => Close::FORBIDDEN.into(),
            (_, FeedEnd::Missed) => Close::LATER.into(),
        }
    }

    /// Waiting here stops all other traffic, so a slow reader only fills the bounded feed.
    async fn send(&mut self, message: Message) -> Result<()> {
        let write = self.caps().write;
        match timeout(write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Disconnected),
        }
    }
}

/// Receives a message once the library has room for it. Waiting afterwards would deadlock with the library's output.
async fn receive<'a>(socket: &mut WebSocket, library: &'a mpsc::Sender<Message>) -> (Permit<'a, Message>, Received) {
    match library.reserve().await {
        Ok(permit) => (permit, socket.recv().await),
        // The library has ended, which ends the connection.
        Err(_) => std::future::pending().await,
    }
}

/// Resolves when the current check is done; never if there is none.
async fn checked(starting: Option<&(String, Arc<Notify>)>) {
    match starting {
        Some((_, checked)) => checked.notified().await,
        None => std::future::pending().await,
    }
}

/// `{"authorization": "Bearer …"}` in the payload, in either case, as a header map.
fn token_of(message: &Incoming) -> Option<HeaderMap> {
    let Incoming::ConnectionInit { payload: Some(payload) } = message else { return None };
    let payload: HashMap<String, &RawValue> = serde_json::from_str(payload.get()).ok()?;
    let value = payload.get("authorization").or_else(|| payload.get("Authorization"))?;
    let value: String = serde_json::from_str(value.get()).ok()?;
    Some(HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).ok()?)]))
}

/// Resolves when shutdown begins; never without a handle.
pub(crate) async fn stopping(handle: &mut Option<ConnectionHandle>) {
    match handle {
        Some(handle) => handle.stopping().await,
        None => std::future::pending().await,
    }
}
