//! What is said on one socket, from its first message to its last. It waits for nobody without a bound: not for the
//! first message, not for a reader, not for an answer to a ping. It runs subscriptions and nothing else, and ends with
//! the session that it stands on.

use std::{collections::HashMap, convert::Infallible, panic::AssertUnwindSafe, pin::pin, sync::Arc, time::Duration};

use async_graphql::parser::types::OperationType;
use axum::{
    extract::ws::{Message, WebSocket},
    http::{HeaderMap, HeaderValue, header},
};
use futures_util::{
    StreamExt,
    future::{AbortHandle, Abortable},
    stream::{self, BoxStream, SelectAll},
};
use serde_json::value::RawValue;
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout},
};
use tracing::Instrument;

use super::{
    Place, SocketCaps, Whose,
    message::{Close, Incoming, Outgoing},
};
use crate::{
    domain::{
        access::{Origin, Viewer},
        live::event_feed::{Ear, Silence},
    },
    error::Error,
    graphql::error::{ApiError, Code},
    http::{
        Server,
        caller::{self, Bearer, Need, meter::Meter},
        graphql::{Checked, LARGEST_BODY, call::Call},
        response::{Outcome, Refusal, RequestId},
        server::Tie,
    },
    observability::metrics::Present,
};

/// How long what was told last may take, and how long the other end may take to close after us.
const LAST_WORDS: Duration = Duration::from_secs(2);
const MINUTE: Duration = Duration::from_mins(1);

/// Why a talk is over.
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

pub(crate) struct Talk {
    server: Arc<Server>,
    socket: WebSocket,
    origin: Origin,
    id: RequestId,
    place: Place,
    tie: Option<Tie>,
    subscriptions: Subscriptions,
    /// The latest message of any kind.
    heard_at: Instant,
    /// Messages since the minute began.
    messages: u32,
    minute: Instant,
}

/// Who speaks, and their ear.
struct Listener {
    bearer: Bearer,
    ear: Arc<Ear>,
}

enum Event {
    Message(Option<Result<Message, axum::Error>>),
    Step(Step),
    Silence(Silence),
    Beat,
    Idle,
    Stop,
}

impl Talk {
    pub(crate) fn new(
        server: Arc<Server>,
        socket: WebSocket,
        origin: Origin,
        id: RequestId,
        place: Place,
        tie: Option<Tie>,
    ) -> Self {
        let now = Instant::now();
        let subscriptions = Subscriptions { steps: SelectAll::new(), running: HashMap::new(), numbers: 0, idle: now };
        Self { server, socket, origin, id, place, tie, subscriptions, heard_at: now, messages: 0, minute: now }
    }

    /// Until one of the two ends it.
    pub(crate) async fn run(mut self) {
        let end = match self.introduce().await {
            Ok(listener) => match self.converse(&listener).await {
                Ok(never) => match never {},
                Err(end) => end,
            },
            Err(end) => end,
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
        self.server.sockets.caps()
    }

    /// The first message says who speaks.
    async fn introduce(&mut self) -> Result<Listener> {
        let init = self.caps().init;
        let lost = self.place.lost();
        let payload = tokio::select! {
            payload = timeout(init, self.first_message()) => payload.map_err(|_| Close::INIT_TIMEOUT)??,
            () = lost => return Err(Close::LATER.into()),
        };
        let server = Arc::clone(&self.server);
        let headers = payload.and_then(|payload| token_of(&payload)).ok_or(Close::FORBIDDEN)?;
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
        self.place = server.sockets.claim(&self.origin, &signed_in).map_err(|full| match full {
            Whose::Everybody => Close::LATER,
            _ => Close::TOO_MANY_SOCKETS,
        })?;
        let ear = Arc::new(Ear::open(&server.ctx, &signed_in));
        self.tell(&Outgoing::ConnectionAck).await?;
        self.subscriptions.idle = Instant::now();
        Ok(Listener { bearer, ear })
    }

    async fn first_message(&mut self) -> Result<Option<Box<RawValue>>> {
        loop {
            let message = self.socket.recv().await;
            match self.read(message)? {
                Some(Incoming::ConnectionInit { payload }) => return Ok(payload),
                Some(Incoming::Subscribe { .. }) => return Err(Close::UNAUTHORIZED.into()),
                Some(Incoming::Ping) => self.tell(&Outgoing::Pong).await?,
                Some(Incoming::Pong | Incoming::Complete { .. }) | None => {}
            }
        }
    }

    async fn converse(&mut self, listener: &Listener) -> Result<Infallible> {
        let mut silence = pin!(listener.ear.silence());
        let ping = self.caps().ping;
        let mut beat = interval_at(Instant::now() + ping, ping);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut pinged_at = None;
        loop {
            let idle = self.subscriptions.idle + self.caps().idle;
            let event = tokio::select! {
                message = self.socket.recv() => Event::Message(message),
                Some(step) = self.subscriptions.steps.next() => Event::Step(step),
                why = &mut silence => Event::Silence(why),
                _ = beat.tick() => Event::Beat,
                () = sleep_until(idle), if self.subscriptions.running.is_empty() => Event::Idle,
                () = stopping(&mut self.tie) => Event::Stop,
            };
            match event {
                Event::Message(message) => {
                    if let Some(message) = self.read(message)? {
                        self.answer(listener, message).await?;
                    }
                }
                Event::Step(step) => self.pass_on(step).await?,
                Event::Silence(why) => return Err(self.fall_silent(why).await),
                Event::Beat => {
                    if pinged_at.is_some_and(|at| self.heard_at < at) {
                        return Err(End::Gone);
                    }
                    pinged_at = Some(Instant::now());
                    self.send(Message::Ping(Vec::new().into())).await?;
                }
                Event::Idle => return Err(Close::IDLE.into()),
                Event::Stop => return Err(Close::STOPPING.into()),
            }
        }
    }

    /// Nothing more will be heard: what was heard before is still told, and then why.
    async fn fall_silent(&mut self, why: Silence) -> End {
        let rest = async {
            while let Some(step) = self.subscriptions.steps.next().await {
                self.pass_on(step).await?;
            }
            Ok(())
        };
        match (timeout(LAST_WORDS, rest).await, why) {
            (Ok(Err(end)), _) => end,
            (_, Silence::Over) => Close::UNAUTHORIZED.into(),
            (_, Silence::OtherRole) => Close::FORBIDDEN.into(),
            (_, Silence::Missed) => Close::LATER.into(),
        }
    }

    /// One message of the protocol; nothing when it was one of the transport.
    fn read(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<Option<Incoming>> {
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

    async fn answer(&mut self, listener: &Listener, message: Incoming) -> Result<()> {
        match message {
            Incoming::ConnectionInit { .. } => Err(Close::TOO_MANY_INITS.into()),
            Incoming::Ping => self.tell(&Outgoing::Pong).await,
            Incoming::Pong => Ok(()),
            Incoming::Complete { id } => {
                self.subscriptions.stop(&id);
                Ok(())
            }
            Incoming::Subscribe { id, call } => {
                if self.subscriptions.running.contains_key(id.as_str()) {
                    return Err(Close::ID_EXISTS.into());
                }
                let begun = Instant::now();
                let subscribed = self.subscribe(listener, call).await;
                let outcome = subscribed.as_ref().err().map_or("ok", |refusal| refusal.code().as_str());
                self.server.ctx.metrics.operated("subscription".into(), outcome.into(), begun.elapsed(), None);
                tracing::info!(operation = "subscription", outcome, client = %self.origin.ip, "on a socket");
                match subscribed {
                    Ok(answers) => {
                        self.subscriptions.start(&id, answers);
                        Ok(())
                    }
                    Err(refusal) => self.tell(&Outgoing::Error { id: &id, payload: refusal.errors(&self.id) }).await,
                }
            }
        }
    }

    /// The same way as over HTTP: guard, charge, session. What is refused is told, and leaves the socket open.
    async fn subscribe(&mut self, listener: &Listener, call: Call) -> Result<BoxStream<'static, Outcome>, Refusal> {
        let most = self.caps().subscriptions;
        if self.subscriptions.running.len() >= most {
            let message = format!("A socket carries at most {most} subscriptions.");
            return Err(Refusal::new(Code::RateLimited, message));
        }
        let ctx = &self.server.ctx;
        Meter::of(ctx, &self.origin, &listener.bearer).charge(ctx).await?;
        let has_token = matches!(listener.bearer, caller::Bearer::Claims(_));
        let Checked { request, operation } = self.server.check(call, has_token, self.origin.ip).await?;
        if operation.kind != OperationType::Subscription {
            let message = "Only subscriptions run on a socket: send questions and changes with POST.";
            return Err(Refusal::new(Code::BadRequest, message));
        }
        let signed_in = match caller::signed_in(ctx, &listener.bearer, Need::Strict).await {
            Ok(signed_in) => signed_in,
            // A session that is over closes the socket, too; but the ear does that, for it knows what to tell before.
            Err(error) => return Err(ApiError::from(error).into()),
        };
        let request = request.data(Viewer { origin: self.origin.clone(), signed_in }).data(Arc::clone(&listener.ear));
        Ok(outcomes(self.server.api.stream(request), self.id.clone(), ctx.metrics.subscribed()))
    }

    async fn pass_on(&mut self, step: Step) -> Result<()> {
        let Step { id, number, what } = step;
        if !self.subscriptions.is_running(&id, number) {
            return Ok(());
        }
        match what {
            // Nothing was subscribed to: the protocol has a message of its own for that, which is also the end.
            Some((outcome, true)) if is_refused(&outcome) => {
                self.subscriptions.stop(&id);
                let payload = serde_json::to_value(&outcome.errors).unwrap_or_default();
                self.tell(&Outgoing::Error { id: &id, payload }).await
            }
            Some((outcome, _)) => self.tell(&Outgoing::Next { id: &id, payload: &outcome }).await,
            None => {
                self.subscriptions.stop(&id);
                self.tell(&Outgoing::Complete { id: &id }).await
            }
        }
    }

    async fn tell(&mut self, message: &Outgoing<'_>) -> Result<()> {
        self.send(message.message()).await
    }

    /// While this waits nothing else is read or told, so a slow reader makes nothing grow but what their ear keeps.
    async fn send(&mut self, message: Message) -> Result<()> {
        let write = self.caps().write;
        match timeout(write, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(End::Gone),
        }
    }
}

/// `{"authorization": "Bearer …"}`, in either spelling, as the header that it stands for.
fn token_of(payload: &RawValue) -> Option<HeaderMap> {
    let payload: HashMap<String, &RawValue> = serde_json::from_str(payload.get()).ok()?;
    let value = payload.get("authorization").or_else(|| payload.get("Authorization"))?;
    let value: String = serde_json::from_str(value.get()).ok()?;
    Some(HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_str(&value).ok()?)]))
}

/// Whether a first answer says that there will be no other.
fn is_refused(outcome: &Outcome) -> bool {
    !outcome.errors.is_empty() && matches!(outcome.data, None | Some(async_graphql::Value::Null))
}

/// Resolves when everything stops; never, when nobody would tell.
pub(crate) async fn stopping(tie: &mut Option<Tie>) {
    match tie {
        Some(tie) => tie.stopping().await,
        None => std::future::pending().await,
    }
}

/// Answers in our shape. A panic in a resolver is one more answer, and the last. They are made in a task of their own:
/// an event has a place among what is under way until it is answered, which must not wait for a slow reader.
pub(crate) fn outcomes(
    answers: BoxStream<'static, async_graphql::Response>,
    id: RequestId,
    present: Present,
) -> BoxStream<'static, Outcome> {
    let (sender, mut receiver) = mpsc::channel(1);
    let outcomes = AssertUnwindSafe(answers).catch_unwind().map(move |answer| {
        let response = answer.unwrap_or_else(|_| {
            let error = ApiError::new(Code::Internal, "Something went wrong on our side.");
            let error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
            async_graphql::Response::from_errors(vec![error])
        });
        Outcome::of(response, &id)
    });
    let telling = async move {
        let _present = present;
        let mut outcomes = pin!(outcomes);
        let mut next = async || {
            tokio::select! {
                outcome = outcomes.next() => outcome,
                () = sender.closed() => None,
            }
        };
        while let Some(outcome) = next().await
            && sender.send(outcome).await.is_ok()
        {}
    };
    tokio::spawn(telling.in_current_span());
    stream::poll_fn(move |task| receiver.poll_recv(task)).boxed()
}

/// One thing that a subscription has to tell: an answer and whether it is the first, or its end.
struct Step {
    id: Arc<str>,
    number: u64,
    what: Option<(Outcome, bool)>,
}

struct Subscriptions {
    steps: SelectAll<BoxStream<'static, Step>>,
    /// By the client's ids. The number tells one from an earlier one of the same id.
    running: HashMap<Arc<str>, (u64, AbortHandle)>,
    numbers: u64,
    /// Since when nothing runs, while nothing does.
    idle: Instant,
}

impl Subscriptions {
    fn start(&mut self, id: &str, answers: BoxStream<'static, Outcome>) {
        let (abort, aborted) = AbortHandle::new_pair();
        let (id, number): (Arc<str>, _) = (id.into(), self.numbers);
        self.numbers += 1;
        self.running.insert(Arc::clone(&id), (number, abort));
        let what = answers.enumerate().map(|(position, outcome)| Some((outcome, position == 0)));
        let what = what.chain(stream::once(async { None }));
        let steps = what.map(move |what| Step { id: Arc::clone(&id), number, what });
        self.steps.push(Abortable::new(steps, aborted).boxed());
    }

    fn stop(&mut self, id: &str) {
        if let Some((_, abort)) = self.running.remove(id) {
            abort.abort();
            self.idle = Instant::now();
        }
    }

    fn is_running(&self, id: &str, number: u64) -> bool {
        self.running.get(id).is_some_and(|(running, _)| *running == number)
    }
}
