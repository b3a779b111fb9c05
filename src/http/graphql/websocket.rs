//! `GET /graphql` with an upgrade to a WebSocket: subscriptions over the protocol `graphql-transport-ws`, which the
//! GraphQL library implements. This module checks the handshake. `slots` limits the number of sockets, `connection`
//! enforces the limits of one socket, and `executor` runs subscriptions. Queries and mutations do not run on a socket,
//! because they are limited and counted over HTTP. Pages from unlisted origins are rejected.

mod connection;
mod executor;
mod message;
mod slots;

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

use crate::{
    graphql::error::Code,
    http::{
        Server,
        body::MAX_BODY,
        caller::{self, Bearer, meter::Meter},
        method_not_allowed,
        networks::Shares,
        response::{Refusal, RequestId, accept::MediaType},
        server::ConnectionHandle,
    },
    settings::Settings,
};
use connection::Connection;
pub(crate) use connection::stopping;
pub(crate) use executor::outcomes;
pub(crate) use slots::{SocketOwner, SocketSlot, SocketSlots};

/// The only supported subprotocol. The older `graphql-ws` uses different messages.
const PROTOCOL: &str = "graphql-transport-ws";
/// Buffer sizes per socket, in bytes. The library's defaults are 128 KiB each.
const READ_BUFFER: usize = 4 * 1024;
const WRITE_BUFFER: usize = 4 * 1024;
/// Maximum number of bytes that may wait to be written before the socket is closed. Many times the largest event.
const MAX_UNWRITTEN: usize = 1024 * 1024;

/// Limits for WebSocket connections and event streams.
#[derive(Clone, Debug)]
pub struct SocketCaps {
    /// Maximum number of authenticated sockets in this process. A tenth is reserved for managers and administrators. A
    /// thousand sockets take some tens of megabytes, and each session is checked every 30 seconds.
    pub in_all: usize,
    /// Maximum number of authenticated sockets per network.
    pub of_network: Shares,
    /// Maximum number of sockets per user.
    pub of_person: usize,
    /// Maximum number of sockets per session, such as a browser with a few tabs.
    pub of_session: usize,
    /// Maximum number of sockets that have not authenticated yet.
    pub strangers: usize,
    /// Maximum number of sockets per network that have not authenticated yet.
    pub strangers_of_network: Shares,
    /// An unauthenticated socket may be evicted only after it has been open for at least this long.
    pub spare: Duration,
    /// Maximum number of subscriptions per socket.
    pub subscriptions: usize,
    /// How long a client may take to authenticate with `connection_init`.
    pub init: Duration,
    /// How long a socket may stay open without a subscription.
    pub idle: Duration,
    /// Ping interval. A client that sends nothing between two pings is disconnected.
    pub ping: Duration,
    /// Timeout for writing one message. A client that reads too slowly is disconnected.
    pub write: Duration,
    /// Maximum number of messages that a client may send per minute, including pings and pongs.
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

/// Handles requests on `/graphql` with a method other than `POST`. Upgrades WebSocket requests, and rejects all others.
pub(crate) async fn handle(
    State(server): State<Arc<Server>>,
    Extension(id): Extension<RequestId>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::GET || !is_websocket_request(&parts.headers) {
        return method_not_allowed(Extension(id)).await;
    }
    if !body.is_end_stream() {
        // The bytes of the body would be read as WebSocket frames.
        let refusal = Refusal::new(Code::BadRequest, "A WebSocket request must not have a body.");
        let close = [(header::CONNECTION, "close")];
        return (close, refusal.respond(&id, MediaType::Json)).into_response();
    }
    match open(server, parts, &id).await {
        Ok(response) => response,
        Err(refusal) => refusal.respond(&id, MediaType::Json),
    }
}

fn is_websocket_request(headers: &HeaderMap) -> bool {
    headers.get(header::UPGRADE).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn open(server: Arc<Server>, mut parts: Parts, id: &RequestId) -> Result<Response, Refusal> {
    if !is_allowed_origin(&server.ctx.settings, &parts.headers) {
        return Err(Refusal::new(Code::Forbidden, "This origin is not allowed. Add it to DOORCODE_CORS_ORIGINS."));
    }
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &())
        .await
        .map_err(|_| Refusal::new(Code::BadRequest, "This is not a valid WebSocket handshake."))?
        .protocols([PROTOCOL]);
    let other = || Refusal::new(Code::BadRequest, format!("Use the subprotocol `{PROTOCOL}`."));
    upgrade.selected_protocol().ok_or_else(other)?;
    // If a client offers both protocols, the library would choose the older one.
    parts.headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(PROTOCOL));
    let protocol = GraphQLProtocol::from_request_parts(&mut parts, &()).await.map_err(|_| other())?;
    let full = || Refusal::new(Code::Unavailable, "Too many open sockets. Try again later.");
    if server.is_draining() {
        return Err(full());
    }
    let origin = caller::origin(&parts, &id.0);
    Meter::of(&server.ctx, &origin, &Bearer::None).charge(&server.ctx).await?;
    let slot = server.sockets.admit(&origin).map_err(|_| full())?;
    let handle = parts.extensions.remove::<ConnectionHandle>();
    let id = id.clone();
    Ok(upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_UNWRITTEN)
        // The library cuts the connection at twice our limit, so a slightly larger message still gets a close reason.
        .max_message_size(2 * MAX_BODY)
        .max_frame_size(2 * MAX_BODY)
        .on_upgrade(move |socket| {
            Connection::new(server, socket, origin, id, slot, handle).run(protocol).in_current_span()
        }))
}

/// Whether a request comes from our own origin, a listed origin, or no origin. Browsers always send `Origin`. A client
/// that sends none is not a browser, so no web page can abuse it.
fn is_allowed_origin(settings: &Settings, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let own = settings.public_url.origin().ascii_serialization();
    let is_listed = |origin: &str| origin == own || settings.cors_origins.allow(origin);
    origins.next().is_none() && origin.to_str().is_ok_and(is_listed)
}
