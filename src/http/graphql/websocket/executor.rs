//! What the library runs subscriptions with. A `subscribe` passes the guard, is charged and has its session looked up
//! here, as over HTTP. Only subscriptions run: queries and mutations are limited and counted over HTTP.

use std::{
    future::ready,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use async_graphql::{Data, Executor, Request, Response, parser::types::OperationType};
use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::{Notify, Semaphore, mpsc};
use tracing::Instrument;

use crate::{
    domain::{
        access::{Origin, Viewer},
        live::event_feed::EventFeed,
    },
    graphql::error::{ApiError, Code},
    http::{
        Server,
        caller::{self, Bearer, Need, meter::Meter},
        graphql::{Checked, call::Call},
        response::{Outcome, Refusal, RequestId},
    },
};

/// The executor of one socket.
#[derive(Clone)]
pub(super) struct SubscriptionExecutor {
    pub server: Arc<Server>,
    pub origin: Origin,
    pub id: RequestId,
    /// Who signed in. Set before the first `subscribe`.
    pub listener: Arc<OnceLock<Listener>>,
    pub handed: Arc<Mutex<Option<Handed>>>,
    /// One permit for each subscription that the socket may still carry.
    pub free: Arc<Semaphore>,
}

/// Who signed in on a socket, and their feed.
pub(super) struct Listener {
    pub bearer: Bearer,
    pub feed: Arc<EventFeed>,
}

/// What the socket read of a `subscribe`, for the executor that the library calls next. The library's own request has
/// no document ids, and reading the message twice could read it in two ways.
pub(super) struct Handed {
    pub call: Call,
    /// Notified once nothing is left to refuse before the subscription runs.
    pub checked: Arc<Notify>,
}

impl Executor for SubscriptionExecutor {
    async fn execute(&self, _request: Request) -> Response {
        only_subscriptions().into()
    }

    fn execute_stream(&self, _request: Request, _data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let executor = self.clone();
        let handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The stream has its place, and not the task that feeds it: the next `subscribe` finds the place free at once.
        let place = Arc::clone(&self.free).try_acquire_owned().ok();
        let has_place = place.is_some();
        let responses = async move {
            let subscribed = executor.subscribe(handed, has_place).await;
            subscribed.unwrap_or_else(|refusal| stream::once(ready(refusal.into())).boxed())
        };
        let outcomes = outcomes(responses.flatten_stream().boxed(), self.id.clone());
        // A subscription whose first response is a refusal is over, whatever its stream would still bring.
        let running = Some((outcomes, place, true));
        let responses = stream::unfold(running, |running| async move {
            let (mut outcomes, place, is_first) = running?;
            let outcome = outcomes.next().await?;
            let is_over = is_first && outcome.is_refused();
            Some((outcome.into(), (!is_over).then_some((outcomes, place, false))))
        });
        responses.boxed()
    }
}

impl SubscriptionExecutor {
    async fn subscribe(
        &self,
        handed: Option<Handed>,
        has_place: bool,
    ) -> Result<BoxStream<'static, Response>, Refusal> {
        let begun = Instant::now();
        let subscribed = self.check(handed, has_place).await;
        let outcome = subscribed.as_ref().err().map_or("ok", |refusal| refusal.code().as_str());
        self.server.ctx.metrics.operated("subscription".into(), outcome.into(), begun.elapsed(), None);
        tracing::info!(operation = "subscription", outcome, client = %self.origin.ip, "on a socket");
        subscribed
    }

    /// In the same order as over HTTP: charge, guard, session.
    async fn check(&self, handed: Option<Handed>, has_place: bool) -> Result<BoxStream<'static, Response>, Refusal> {
        let (Some(Handed { call, checked }), Some(listener)) = (handed, self.listener.get()) else {
            return Err(Refusal::new(Code::Internal, "Something went wrong on our side."));
        };
        if !has_place {
            let most = self.server.sockets.caps().subscriptions;
            return Err(Refusal::new(Code::RateLimited, format!("A socket carries at most {most} subscriptions.")));
        }
        let ctx = &self.server.ctx;
        Meter::of(ctx, &self.origin, &listener.bearer).charge(ctx).await?;
        let has_token = matches!(listener.bearer, Bearer::Claims(_));
        let Checked { request, operation } = self.server.check(call, has_token, self.origin.ip).await?;
        if operation.kind != OperationType::Subscription {
            return Err(only_subscriptions());
        }
        // A session that is over closes the socket, too; the feed does that, after the last events.
        let signed_in = caller::signed_in(ctx, &listener.bearer, Need::Strict).await.map_err(ApiError::from)?;
        let request = request.data(Viewer { origin: self.origin.clone(), signed_in }).data(Arc::clone(&listener.feed));
        let present = ctx.metrics.subscribed();
        checked.notify_one();
        Ok(self.server.api.stream(request).inspect(move |_| _ = &present).boxed())
    }
}

fn only_subscriptions() -> Refusal {
    Refusal::new(Code::BadRequest, "Only subscriptions run on a socket: send questions and changes with POST.")
}

/// Answers in our shape. A panic in a resolver is one more answer, and the last. They are made in a task of their own:
/// an event has a place among what is under way until it is answered, which must not wait for a slow reader.
pub(crate) fn outcomes(answers: BoxStream<'static, Response>, id: RequestId) -> BoxStream<'static, Outcome> {
    let (sender, mut receiver) = mpsc::channel(1);
    let outcomes = AssertUnwindSafe(answers).catch_unwind().map(move |answer| {
        let response = answer.unwrap_or_else(|_| {
            let error = ApiError::new(Code::Internal, "Something went wrong on our side.");
            let error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
            Response::from_errors(vec![error])
        });
        Outcome::of(response, &id)
    });
    let telling = async move {
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
