//! `GET /graphql` with an upgrade: subscriptions over `graphql-transport-ws`. Here is who may open a socket, and how
//! many. Places are in `room`, the bounds of one socket in `connection`, what runs on it in `executor`; the protocol is
//! the library's. A socket never runs a question or a change, for those are limited and counted over HTTP, and it never
//! believes a page from an origin that is not listed.

mod connection;
mod executor;
mod message;
mod room;

use std::{sync::Arc, time::Duration};

use async_graphql_axum::GraphQLProtocol;
use axum::{
    Extension,
    body::HttpBody as _,
    extract::{FromRequestParts, Request, State, WebSocketUpgrade},
    http::{HeaderMap, HeaderValue, Method, header, request::Parts},
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::LARGEST_BODY;
use crate::{
    graphql::error::Code,
    http::{
        Server,
        caller::{self, Bearer, meter::Meter},
        method_not_allowed,
        networks::Shares,
        response::{MediaType, Refusal, RequestId},
        server::ConnectionHandle,
    },
    settings::Settings,
};
use connection::Connection;
pub(crate) use connection::stopping;
pub(crate) use executor::outcomes;
pub(crate) use room::{Room, SocketOwner, SocketSlot};

/// The one subprotocol. `graphql-ws`, as a subprotocol, is an older one with other messages.
const PROTOCOL: &str = "graphql-transport-ws";
/// What one socket has for reading and for writing. The library's own buffers are 128 KiB each.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 4 * 1024;
/// What may wait to be written before the socket is broken: the largest answer fits many times.
const MOST_UNWRITTEN: usize = 1024 * 1024;

/// What sockets may take.
#[derive(Clone, Debug)]
pub struct SocketCaps {
    /// Sockets and streams of this process. A thousand cost some tens of megabytes, and a check of each session every
    /// thirty seconds. A tenth is kept for a MANAGER or more.
    pub in_all: usize,
    /// Of one network, whoever comes through it.
    pub of_network: Shares,
    /// Of one person. Each takes room from everybody.
    pub of_person: usize,
    /// Of one session: a browser with a handful of tabs.
    pub of_session: usize,
    /// Sockets that have not said yet whose they are. They take no room from those that have.
    pub strangers: usize,
    /// The same, of one network.
    pub strangers_of_network: Shares,
    /// For how long a socket must have been silent before its place goes to a newcomer when there is none left.
    pub spare: Duration,
    /// Subscriptions on one socket.
    pub subscriptions: usize,
    /// How long a socket may take to say who it is.
    pub init: Duration,
    /// How long a socket may be without a subscription.
    pub idle: Duration,
    /// How often the other end is asked whether it is there; one that did not answer the last time is gone.
    pub ping: Duration,
    /// How long one message may take to be written. Whoever reads slower is let go.
    pub write: Duration,
    /// Messages that a client may send a minute, whatever they are.
    pub messages: u32,
}

impl Default for SocketCaps {
    fn default() -> Self {
        Self {
            in_all: 1_000,
            of_network: Shares { narrow: 50, middle: 75, wide: 125 },
            of_person: 20,
            of_session: 5,
            strangers: 100,
            strangers_of_network: Shares { narrow: 5, middle: 8, wide: 12 },
            spare: Duration::from_secs(1),
            subscriptions: 10,
            init: Duration::from_secs(5),
            idle: Duration::from_mins(1),
            ping: Duration::from_secs(20),
            write: Duration::from_secs(10),
            messages: 600,
        }
    }
}

/// Everything on `/graphql` that is no POST: a socket when it asks for one, and otherwise refused.
pub(crate) async fn handle(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::GET || !asks_for_a_socket(&parts.headers) {
        return method_not_allowed(Extension(id)).await;
    }
    if !body.is_end_stream() {
        // Its bytes would be read as frames.
        let refusal = Refusal::new(Code::BadRequest, "A request for a WebSocket has no body.");
        let close = [(header::CONNECTION, "close")];
        return (close, refusal.answer(&id, MediaType::Json)).into_response();
    }
    match open(server, parts, &id).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(&id, MediaType::Json),
    }
}

fn asks_for_a_socket(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn open(server: Arc<Server>, mut parts: Parts, id: &RequestId) -> Result<Response, Refusal> {
    if !is_from_here(&server.ctx.settings, &parts.headers) {
        return Err(Refusal::new(Code::Forbidden, "Pages of this origin may not open a socket here."));
    }
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Refusal::new(Code::BadRequest, "This is not the beginning of a WebSocket."))?
        .protocols([PROTOCOL]);
    let other = || Refusal::new(Code::BadRequest, format!("The subprotocol here is `{PROTOCOL}`."));
    upgrade.selected_protocol().ok_or_else(other)?;
    // The library would take the older protocol where a client offers both.
    parts.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let protocol = GraphQLProtocol::from_request_parts(&mut parts, &()).await.map_err(|_| other())?;
    let full = || Refusal::new(Code::Unavailable, "There is no room for another socket. Try again later.");
    if server.is_draining() {
        return Err(full());
    }
    let origin = caller::origin(&parts, &id.0);
    Meter::of(&server.ctx, &origin, &Bearer::None).charge(&server.ctx).await?;
    let place = server.sockets.enter(&origin).map_err(|_| full())?;
    let handle = parts.extensions.remove::<ConnectionHandle>();
    let id = id.clone();
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MOST_UNWRITTEN)
        // Twice what is taken, so that one a little too large gets a proper answer.
        .max_message_size(2 * LARGEST_BODY)
        .max_frame_size(2 * LARGEST_BODY)
        .on_upgrade(move |socket| {
            Connection::new(server, socket, origin, id, place, handle).run(protocol).in_current_span()
        }))
}

/// Browsers say which page asks, and send what they hold for us along whoever asks; so pages of others are refused.
/// Whatever is no browser says nothing, and has nothing that it was not given.
fn is_from_here(settings: &Settings, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let own = settings.public_url.origin().ascii_serialization();
    let is_listed = |origin: &str| origin == own || settings.cors_origins.allow(origin);
    origins.next().is_none() && origin.to_str().is_ok_and(is_listed)
}
