//! Runs one WebSocket and enforces its limits: the message rate, and the timeouts for authentication, slow readers,
//! pings and sockets without a subscription. Passes messages one at a time between the client and the GraphQL library,
//! which implements the protocol. Closes the socket when the session ends.

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
    http::{Server, body::MAX_BODY, caller, response::RequestId, server::ConnectionHandle},
};

/// Timeout for sending the remaining events, and another for the closing handshake with the client.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_mins(1);

/// Why a connection ends.
enum End {
    /// The client disconnected or does not respond, so nothing more is sent.
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
    /// Running subscriptions by the client's ID, and whether any event was sent.
    running: HashMap<String, bool>,
    /// Subscriptions that have ended for the client but not for the library, with the number of `complete` messages
    /// that the library will still send for each ID. The client does not receive these messages.
    ended: HashMap<String, usize>,
    /// The subscription that is being checked. No other message is read until it runs or is refused.
    starting: Option<(String, Arc<Notify>)>,
    /// When the last subscription ended, or when the socket opened. Used only while no subscription is running.
    idle: Instant,
    /// When the last message arrived.
    last_message_at: Instant,
    /// Number of messages received in the current minute.
    messages: u32,
    minute: Instant,
}

/// Our ends of the two channels to and from the library. Each channel holds one message.
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

    /// Runs the socket until the client or the server closes it.
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
            // The library ends only on a malformed message. We never pass one to it.
            () = library => Close::BROKEN.into(),
        };
        if let End::Close(close) = end {
            tracing::debug!(?close, "a socket closes");
            if self.send(close.message()).await.is_err() {
                return;
            }
        }
        // Read the remaining messages. If we closed with unread messages, the kernel would reset the connection, and
        // the client might not receive the close reason.
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
                // While a subscription is being checked, we read no messages, so a pong may have arrived unnoticed.
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

    /// Waits for `connection_init`, and does not pass it to the library yet. Passes other messages.
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

    /// Authenticates the client with the token in `connection_init`. Takes a slot and opens an event feed for the
    /// session.
    async fn authenticate(&mut self, message: &Incoming) -> Result<Arc<EventFeed>> {
        let server = &self.executor.server;
        let headers = token_of(message).ok_or(Close::FORBIDDEN)?;
        let refused = |error| match error {
            Error::Unauthenticated => Close::FORBIDDEN,
            other => {
                tracing::warn!(error = %other, "cannot look up the session for a WebSocket");
                Close::LATER
            }
        };
        let bearer = caller::bearer(&server.ctx, &headers).await.map_err(refused)?;
        let signed_in = caller::signed_in(&server.ctx, &bearer).await.map_err(refused)?;
        let signed_in = signed_in.ok_or(Close::FORBIDDEN)?;
        self.slot = server.sockets.claim(&self.executor.origin, &signed_in).map_err(|full| match full {
            SocketOwner::Everybody => Close::LATER,
            _ => Close::TOO_MANY_SOCKETS,
        })?;
        let feed = Arc::new(EventFeed::open(&server.ctx, &signed_in));
        self.executor.subscriber.get_or_init(|| Subscriber { bearer, feed: Arc::clone(&feed) });
        Ok(feed)
    }

    /// Parses a protocol message. Returns `None` for WebSocket control frames such as pongs.
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

    /// Ends a subscription for the client before the library has ended it.
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

    /// Sends a message to the client. While this waits, nothing else happens on the socket, so a slow reader can only
    /// fill the event feed, which is bounded.
    async fn send(&mut self, message: Message) -> Result<()> {
        let write = self.caps().write;
        match timeout(write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Disconnected),
        }
    }
}

/// Waits until the library has room for a message, then receives one. If we received first, we could wait for the
/// library while the library waits for us to take its output, which would be a deadlock.
async fn receive<'a>(socket: &mut WebSocket, library: &'a mpsc::Sender<Message>) -> (Permit<'a, Message>, Received) {
    match library.reserve().await {
        Ok(permit) => (permit, socket.recv().await),
        // The library has ended, so the connection will end. Wait until then.
        Err(_) => std::future::pending().await,
    }
}

/// Resolves when the check of the new subscription is done. Never resolves if there is no check.
async fn checked(starting: Option<&(String, Arc<Notify>)>) {
    match starting {
        Some((_, checked)) => checked.notified().await,
        None => std::future::pending().await,
    }
}

/// Returns `{"authorization": "Bearer …"}` from the payload as a header map. The key may also be `Authorization`.
fn token_of(message: &Incoming) -> Option<HeaderMap> {
    let Incoming::ConnectionInit { payload: Some(payload) } = message else { return None };
    let payload: HashMap<String, &RawValue> = serde_json::from_str(payload.get()).ok()?;
    let value = payload.get("authorization").or_else(|| payload.get("Authorization"))?;
    let value: String = serde_json::from_str(value.get()).ok()?;
    Some(HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).ok()?)]))
}

/// Resolves when shutdown begins. Never resolves without a handle.
pub(crate) async fn stopping(handle: &mut Option<ConnectionHandle>) {
    match handle {
        Some(handle) => handle.stopping().await,
        None => std::future::pending().await,
    }
}
