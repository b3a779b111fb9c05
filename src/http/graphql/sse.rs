//! `POST /graphql` with `Accept: text/event-stream`: one subscription per connection as server-sent events, for clients
//! that cannot open a WebSocket. Requests are read, charged and checked like other requests. Event streams and
//! WebSocket connections share the same limits. A client that reads too slowly is disconnected.

use std::{convert::Infallible, sync::Arc, time::Duration};

use async_graphql::Request;
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::Response,
};
use futures_util::{StreamExt, stream, stream::BoxStream};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};
use tracing::Instrument;

use super::websocket::{SocketCaps, SocketOwner, SocketSlot, outcomes, stopping};
use crate::{
    domain::{
        access::Viewer,
        live::event_feed::{EventFeed, FeedEnd},
    },
    error::Error,
    graphql::error::{ApiError, Code},
    http::{
        Server,
        response::{Outcome, Refusal, RequestId},
        server::{ConnectionHandle, EVENTS},
    },
    observability::metrics::Present,
};

const NO_PROXY_BUFFERING: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");
/// Time to send the remaining events once the feed ends.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(2);
const REASON_TIMEOUT: Duration = Duration::from_millis(100);

/// Whether the `Accept` header names `text/event-stream`. Wildcards don't count.
pub(crate) fn is_wanted(accept: Option<&str>) -> bool {
    let ranges = accept.unwrap_or_default().split(',');
    let mut kinds = ranges.map(|range| range.split(';').next().unwrap_or_default().trim());
    kinds.any(|kind| kind.eq_ignore_ascii_case(EVENTS))
}

/// Starts the subscription and returns the streaming response.
pub(crate) fn open(
    server: &Arc<Server>,
    handle: Option<ConnectionHandle>,
    id: &RequestId,
    viewer: Viewer,
    request: Request,
) -> Result<Response, Refusal> {
    let full = |owner| {
        let code = if owner == SocketOwner::Everybody { Code::Unavailable } else { Code::RateLimited };
        Refusal::new(code, "Too many open streams. Close one, or try again later.")
    };
    let Some(signed_in) = viewer.session() else {
        let refused = viewer.person().err().unwrap_or(Error::Unauthenticated);
        return Err(ApiError::from(refused).into());
    };
    if server.is_draining() {
        return Err(full(SocketOwner::Everybody));
    }
    let slot = server.sockets.claim(&viewer.origin, signed_in).map_err(full)?;
    let feed = Arc::new(EventFeed::open(&server.ctx, signed_in));
    let outcomes = outcomes(server.api.stream(request.data(viewer).data(Arc::clone(&feed))), id.clone());
    let present = server.ctx.metrics.subscribed();
    let (sender, mut receiver) = mpsc::channel(1);
    let caps = server.sockets.caps().clone();
    let events = EventStream { outcomes, feed, sender, handle, caps, _slot: slot, _present: present };
    tokio::spawn(events.run().in_current_span());
    let body = stream::poll_fn(move |task| receiver.poll_recv(task)).map(Ok::<Bytes, Infallible>);
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(EVENTS));
    response.headers_mut().insert(NO_PROXY_BUFFERING.0, HeaderValue::from_static(NO_PROXY_BUFFERING.1));
    Ok(response)
}

/// A running event stream. A separate task writes its events, so that the server notices a client that stops reading.
struct EventStream {
    outcomes: BoxStream<'static, Outcome>,
    feed: Arc<EventFeed>,
    sender: mpsc::Sender<Bytes>,
    handle: Option<ConnectionHandle>,
    caps: SocketCaps,
    _slot: SocketSlot,
    _present: Present,
}

/// The client disconnected or stopped reading.
struct Disconnected;

impl EventStream {
    async fn run(mut self) {
        // The only error is a disconnected client, who cannot be notified.
        drop(self.pump().await);
    }

    async fn pump(&mut self) -> Result<(), Disconnected> {
        let silence = self.feed.silence();
        let mut silence = std::pin::pin!(silence);
        let mut keep_alive = interval(self.caps.ping);
        keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let closed = self.sender.clone();
            tokio::select! {
                outcome = self.outcomes.next() => match outcome {
                    Some(outcome) => self.next(&outcome).await?,
                    // The events ended. Either the subscription was refused, or the feed will report soon why it ended.
                    None => match timeout(REASON_TIMEOUT, &mut silence).await {
                        Ok(why) => return self.drain(why).await,
                        Err(_) => return self.complete().await,
                    },
                },
                why = &mut silence => return self.drain(why).await,
                // Send a comment, so that proxies keep the connection open. The first comment starts the response.
                _ = keep_alive.tick() => self.send(Bytes::from_static(b":\n\n")).await?,
                () = stopping(&mut self.handle) => return Ok(()),
                () = closed.closed() => return Err(Disconnected),
            }
        }
    }

    async fn drain(&mut self, why: FeedEnd) -> Result<(), Disconnected> {
        let rest = async {
            while let Some(outcome) = self.outcomes.next().await {
                self.next(&outcome).await?;
            }
            Ok(())
        };
        timeout(DRAIN_TIMEOUT, rest).await.unwrap_or(Err(Disconnected))?;
        // If the stream ends without `complete`, the client reconnects.
        if why == FeedEnd::Over { self.complete().await } else { Ok(()) }
    }

    async fn next(&mut self, outcome: &Outcome) -> Result<(), Disconnected> {
        // An SSE data line cannot contain line breaks. JSON on one line never contains any.
        let json = serde_json::to_string(outcome).unwrap_or_default();
        self.send(Bytes::from(format!("event: next\ndata: {json}\n\n"))).await
    }

    async fn complete(&mut self) -> Result<(), Disconnected> {
        self.send(Bytes::from_static(b"event: complete\ndata:\n\n")).await
    }

    async fn send(&mut self, event: Bytes) -> Result<(), Disconnected> {
        timeout(self.caps.write, self.sender.send(event)).await.map_err(|_| Disconnected)?.map_err(|_| Disconnected)
    }
}
