//! Executes subscriptions for the GraphQL library. Each `subscribe` message is charged, checked and authenticated like
//! an HTTP request. Queries and mutations are refused, because they are limited and counted over HTTP.

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
        access::{Origin, Principal, Viewer},
        live::event_feed::EventFeed,
    },
    graphql::error::{ApiError, Code},
    http::{
        Server,
        caller::{self, Bearer, meter::Meter},
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
    /// The authenticated client. Set before the first `subscribe` message.
    pub subscriber: Arc<OnceLock<Subscriber>>,
    pub pending: Arc<Mutex<Option<PendingSubscribe>>>,
    /// One permit for each further subscription that the socket may run.
    pub free: Arc<Semaphore>,
}

/// The authenticated client of a socket and its event feed.
pub(super) struct Subscriber {
    pub bearer: Bearer,
    pub feed: Arc<EventFeed>,
}

/// The parsed `subscribe` message for the next call of the executor. The executor does not use the library's own
/// request for two reasons: that request has no document IDs, and parsing a message twice could lead to two different
/// results.
pub(super) struct PendingSubscribe {
    pub call: Call,
    /// Notified when all checks have passed.
    pub checked: Arc<Notify>,
}

impl Executor for SubscriptionExecutor {
    async fn execute(&self, _request: Request) -> Response {
        only_subscriptions().into()
    }

    fn execute_stream(&self, _request: Request, _data: Option<Arc<Data>>) -> BoxStream<'static, Response> {
        let executor = self.clone();
        let pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).take();
        // The stream holds the permit, and not the task that feeds the stream, so that dropping the stream frees the
        // permit at once.
        let slot = Arc::clone(&self.free).try_acquire_owned().ok();
        let has_slot = slot.is_some();
        let responses = async move {
            let subscribed = executor.subscribe(pending, has_slot).await;
            subscribed.unwrap_or_else(|refusal| stream::once(ready(refusal.into())).boxed())
        };
        let outcomes = outcomes(responses.flatten_stream().boxed(), self.id.clone());
        // If the first response is an error, the subscription ends after it.
        let running = Some((outcomes, slot, true));
        let responses = stream::unfold(running, |running| async move {
            let (mut outcomes, slot, is_first) = running?;
            let outcome = outcomes.next().await?;
            let is_over = is_first && outcome.is_refused();
            Some((outcome.into(), (!is_over).then_some((outcomes, slot, false))))
        });
        responses.boxed()
    }
}

impl SubscriptionExecutor {
    async fn subscribe(
        &self,
        pending: Option<PendingSubscribe>,
        has_slot: bool,
    ) -> Result<BoxStream<'static, Response>, Refusal> {
        let start = Instant::now();
        let subscribed = self.check(pending, has_slot).await;
        let outcome = subscribed.as_ref().err().map_or("ok", |refusal| refusal.code().as_str());
        self.server.ctx.metrics.operated("subscription".into(), outcome.into(), start.elapsed(), None);
        tracing::info!(operation = "subscription", outcome, client = %self.origin.ip, "subscription on a WebSocket");
        subscribed
    }

    /// Checks the rate limit, then the document, then the session, in the same order as for HTTP requests.
    async fn check(
        &self,
        pending: Option<PendingSubscribe>,
        has_slot: bool,
    ) -> Result<BoxStream<'static, Response>, Refusal> {
        let (Some(PendingSubscribe { call, checked }), Some(subscriber)) = (pending, self.subscriber.get()) else {
            return Err(Refusal::new(Code::Internal, "Something went wrong on our side."));
        };
        if !has_slot {
            let most = self.server.sockets.caps().subscriptions;
            return Err(Refusal::new(Code::RateLimited, format!("A socket can run at most {most} subscriptions.")));
        }
        let ctx = &self.server.ctx;
        Meter::of(ctx, &self.origin, &subscriber.bearer).charge(ctx).await?;
        let has_token = subscriber.bearer.is_valid();
        let Checked { request, operation } = self.server.check(call, has_token, self.origin.ip).await?;
        if operation.kind != OperationType::Subscription {
            return Err(only_subscriptions());
        }
        // If the session has ended, refuse the subscription. The feed closes the socket after its last events.
        let signed_in = caller::signed_in(ctx, &subscriber.bearer).await.map_err(ApiError::from)?;
        let principal = signed_in.map_or(Principal::Anonymous, Principal::Session);
        let viewer = Viewer::new(self.origin.clone(), principal);
        let request = self.server.within_scopes(&viewer, request).await?;
        let request = request.data(viewer).data(Arc::clone(&subscriber.feed));
        let present = ctx.metrics.subscribed();
        checked.notify_one();
        Ok(self.server.api.stream(request).inspect(move |_| _ = &present).boxed())
    }
}

fn only_subscriptions() -> Refusal {
    Refusal::new(Code::BadRequest, "Only subscriptions run on a WebSocket. Send queries and mutations with POST.")
}

/// Converts responses to our format. If a resolver panics, the last response is an error. The conversion runs in its
/// own task, because each event holds an execution slot until it is converted, and a slow reader must not block the
/// slot.
pub(crate) fn outcomes(responses: BoxStream<'static, Response>, id: RequestId) -> BoxStream<'static, Outcome> {
    let (sender, mut receiver) = mpsc::channel(1);
    let outcomes = AssertUnwindSafe(responses).catch_unwind().map(move |response| {
        let response = response.unwrap_or_else(|_| {
            let error = ApiError::new(Code::Internal, "Something went wrong on our side.");
            let error = async_graphql::Error::from(error).into_server_error(async_graphql::Pos::default());
            Response::from_errors(vec![error])
        });
        Outcome::of(response, &id)
    });
    let forward = async move {
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
    tokio::spawn(forward.in_current_span());
    stream::poll_fn(move |task| receiver.poll_recv(task)).boxed()
}
