//! The pump of one socket. It owns the socket and holds its bounds: how long the client may take to say who it is, to
//! read, to answer a ping and to be idle, and how much it may send. Between the client and the library, which speaks the
//! protocol, it passes messages one at a time. It ends with the session that it stands on.

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
    executor::{Handed, Listener, SubscriptionExecutor},
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
        caller::{self, Need},
        graphql::LARGEST_BODY,
        response::RequestId,
        server::ConnectionHandle,
    },
};

/// How long what was told last may take, and how long the other end may take to close after us.
const LAST_WORDS: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_mins(1);

/// Why a connection is over.
enum End {
    /// The other end is gone, or as good as gone: nothing more is said.
    Gone,
    Close(Close),
}

impl From<Close> for End {
    fn from(close: Close) -> Self {
        Self::Close(close)
    }
}

type Result<T, E = End> = std::result::Result<T, E>;
/// What came out of the socket; nothing when it is closed.
type Received = Option<Result<Message, axum::Error>>;

pub(super) struct Connection {
    socket: WebSocket,
    executor: SubscriptionExecutor,
    place: SocketSlot,
    handle: Option<ConnectionHandle>,
    /// By the client's ids: whether anything has been sent of it.
    running: HashMap<String, bool>,
    /// Subscriptions that are over for the client, by id: how many `complete` the library has yet to say, one for each.
    ended: HashMap<String, usize>,
    /// The subscription that is being checked. Until it runs or its refusal is sent, nothing more is read.
    starting: Option<(String, Arc<Notify>)>,
    /// Since when nothing runs, while nothing does.
    idle: Instant,
    /// The latest message of any kind.
    heard_at: Instant,
    /// Messages since the minute began.
    messages: u32,
    minute: Instant,
}

/// The ends of two channels whose others the library has. One message fits into each.
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
        place: SocketSlot,
        handle: Option<ConnectionHandle>,
    ) -> Self {
        let now = Instant::now();
        let free = Arc::new(Semaphore::new(server.sockets.caps().subscriptions));
        let executor =
            SubscriptionExecutor { server, origin, id, listener: Arc::default(), handed: Arc::default(), free };
        Self {
            socket,
            executor,
            place,
            handle,
            running: HashMap::new(),
            ended: HashMap::new(),
            starting: None,
            idle: now,
            heard_at: now,
            messages: 0,
            minute: now,
        }
    }

    /// Until one of the two ends it.
    pub(super) async fn run(mut self, protocol: GraphQLProtocol) {
        let (sender, mut incoming) = mpsc::channel(1);
        let (outgoing, receiver) = mpsc::channel(1);
        let incoming = stream::poll_fn(move |task| incoming.poll_recv(task)).map(Ok);
        let outgoing = sink::unfold(outgoing, async |outgoing: mpsc::Sender<Message>, message| {
            outgoing.send(message).await.map(|()| outgoing)
        });
        let library = GraphQLWebSocket::new_with_pair(outgoing, incoming, self.executor.clone(), protocol).serve();
        let end = tokio::select! {
            Err(end) = self.converse(Library { sender, receiver }) => end,
            // It ends by itself only over a message that it cannot read, and it gets none.
            () = library => Close::BROKEN.into(),
        };
        if let End::Close(close) = end {
            tracing::debug!(?close, "a socket closes");
            if self.send(close.message()).await.is_err() {
                return;
            }
        }
        // What is closed with messages unread is reset, and the reset may overtake the reason.
        let rest = async { while matches!(self.socket.recv().await, Some(Ok(_))) {} };
        drop(timeout(LAST_WORDS, rest).await);
    }

    fn caps(&self) -> &SocketCaps {
        self.executor.server.sockets.caps()
    }

    async fn converse(&mut self, mut library: Library) -> Result<Infallible> {
        let (init, lost) = (self.caps().init, self.place.lost());
        let (permit, message) = tokio::select! {
            first = timeout(init, self.first_message(&library.sender, &mut library.receiver)) => {
                first.map_err(|_| Close::INIT_TIMEOUT)??
            }
            () = lost => return Err(Close::LATER.into()),
        };
        let feed = self.introduce(&message).await?;
        permit.send(message.message());
        let mut silence = pin!(feed.silence());
        self.idle = Instant::now();
        let ping = self.caps().ping;
        let mut beat = interval_at(Instant::now() + ping, ping);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pinged_at = None;
        loop {
            let idle = self.idle + self.caps().idle;
            tokio::select! {
                (permit, message) = receive(&mut self.socket, &library.sender), if self.starting.is_none() => {
                    self.pass_in(permit, message)?;
                }
                Some(message) = library.receiver.recv() => self.pass_out(message).await?,
                () = checked(self.starting.as_ref()) => self.starting = None,
                why = &mut silence => return Err(self.fall_silent(why, library.receiver).await),
                // A pong that came in the meantime is unread while a subscription is being checked.
                _ = beat.tick(), if self.starting.is_none() => {
                    if pinged_at.is_some_and(|at| self.heard_at < at) {
                        return Err(End::Gone);
                    }
                    pinged_at = Some(Instant::now());
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
                () = sleep_until(idle), if self.running.is_empty() => return Err(Close::IDLE.into()),
                () = stopping(&mut self.handle) => return Err(Close::STOPPING.into()),
            }
        }
    }

    /// The `connection_init` of the client, which is yet to be passed on.
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

    /// Finds out who speaks, and gives them a place and a feed.
    async fn introduce(&mut self, message: &Incoming) -> Result<Arc<EventFeed>> {
        let server = &self.executor.server;
        let headers = token_of(message).ok_or(Close::FORBIDDEN)?;
        let refused = |error| match error {
            Error::Unauthenticated => Close::FORBIDDEN,
            other => {
                tracing::warn!(error = %other, "somebody on a socket could not be looked up");
                Close::LATER
            }
        };
        let bearer = caller::bearer(&server.ctx, &headers).await.map_err(refused)?;
        let signed_in = caller::signed_in(&server.ctx, &bearer, Need::Strict).await.map_err(refused)?;
        let signed_in = signed_in.ok_or(Close::FORBIDDEN)?;
        self.place = server.sockets.claim(&self.executor.origin, &signed_in).map_err(|full| match full {
            SocketOwner::Everybody => Close::LATER,
            _ => Close::TOO_MANY_SOCKETS,
        })?;
        let feed = Arc::new(EventFeed::open(&server.ctx, &signed_in));
        self.executor.listener.get_or_init(|| Listener { bearer, feed: Arc::clone(&feed) });
        Ok(feed)
    }

    /// One message of the protocol; nothing when it was one of the transport.
    fn read(&mut self, message: Received) -> Result<Option<Incoming>> {
        let message = match message {
            None | Some(Ok(Message::Close(_))) => return Err(End::Gone),
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket broke");
                return Err(Close::BROKEN.into());
            }
            Some(Ok(message)) => message,
        };
        self.heard_at = Instant::now();
        self.count()?;
        match message {
            Message::Text(text) if text.len() > LARGEST_BODY => Err(Close::TOO_LARGE.into()),
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

    /// From the client to the library.
    fn pass_in(&mut self, permit: Permit<'_, Message>, message: Received) -> Result<()> {
        let Some(incoming) = self.read(message)? else { return Ok(()) };
        let message = incoming.message();
        match incoming {
            Incoming::ConnectionInit { .. } => return Err(Close::TOO_MANY_INITS.into()),
            Incoming::Subscribe { id, .. } if self.running.contains_key(&id) => return Err(Close::ID_EXISTS.into()),
            Incoming::Subscribe { id, call } => {
                let checked = Arc::new(Notify::new());
                let handed = Handed { call, checked: Arc::clone(&checked) };
                *self.executor.handed.lock().unwrap_or_else(PoisonError::into_inner) = Some(handed);
                self.running.insert(id.clone(), false);
                self.starting = Some((id, checked));
            }
            Incoming::Complete { id } => self.end(&id),
            Incoming::Ping | Incoming::Pong => {}
        }
        permit.send(message);
        Ok(())
    }

    /// A subscription is over for the client, and the library has yet to say so.
    fn end(&mut self, id: &str) {
        if let Some((id, _)) = self.running.remove_entry(id) {
            *self.ended.entry(id).or_default() += 1;
            self.idle = Instant::now();
        }
    }

    /// From the library to the client.
    async fn pass_out(&mut self, message: Message) -> Result<()> {
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

    /// Nothing more will be heard: what was heard before is still told, and then why.
    async fn fall_silent(&mut self, why: FeedEnd, mut receiver: mpsc::Receiver<Message>) -> End {
        let rest = async {
            while !self.running.is_empty()
                && let Some(message) = receiver.recv().await
            {
                self.pass_out(message).await?;
            }
            Ok(())
        };
        match (timeout(LAST_WORDS, rest).await, why) {
            (Ok(Err(end)), _) => end,
            (_, FeedEnd::Over) => Close::UNAUTHORIZED.into(),
            (_, FeedEnd::OtherRole) => Close::FORBIDDEN.into(),
            (_, FeedEnd::Missed) => Close::LATER.into(),
        }
    }

    /// While this waits, nothing else is read or sent, so a slow reader only fills the bounded feed.
    async fn send(&mut self, message: Message) -> Result<()> {
        let write = self.caps().write;
        match timeout(write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }
}

/// The next message, once the library has room for it: a pump that waited for room could not take what the library says.
async fn receive<'a>(socket: &mut WebSocket, library: &'a mpsc::Sender<Message>) -> (Permit<'a, Message>, Received) {
    match library.reserve().await {
        Ok(permit) => (permit, socket.recv().await),
        // The library is gone, which ends everything.
        Err(_) => std::future::pending().await,
    }
}

/// Resolves when the subscription that is being checked runs; never, when there is none.
async fn checked(starting: Option<&(String, Arc<Notify>)>) {
    match starting {
        Some((_, checked)) => checked.notified().await,
        None => std::future::pending().await,
    }
}

/// `{"authorization": "Bearer …"}`, in either spelling, as the header that it stands for.
fn token_of(message: &Incoming) -> Option<HeaderMap> {
    let Incoming::ConnectionInit { payload: Some(payload) } = message else { return None };
    let payload: HashMap<String, &RawValue> = serde_json::from_str(payload.get()).ok()?;
    let value = payload.get("authorization").or_else(|| payload.get("Authorization"))?;
    let value: String = serde_json::from_str(value.get()).ok()?;
    Some(HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).ok()?)]))
}

/// Resolves when everything stops; never, when nobody would tell.
pub(crate) async fn stopping(handle: &mut Option<ConnectionHandle>) {
    match handle {
        Some(handle) => handle.stopping().await,
        None => std::future::pending().await,
    }
}
