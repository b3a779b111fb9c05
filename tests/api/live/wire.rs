//! A listening application, and WebSocket clients that connect to it. The tests that use this module check the results.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use doorcode::{
    domain::{Ctx, live},
    http::{Caps, Server, SocketCaps, serve},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::Response},
};

/// Time limit for a step that must not wait for a timeout.
const AT_ONCE: Duration = Duration::from_secs(10);
/// After this long without a message, no further message is expected.
const QUIET: Duration = Duration::from_millis(400);

/// A listening application and its event loop.
pub(super) struct Served {
    pub(super) address: SocketAddr,
    pub(super) stop: watch::Sender<bool>,
    pub(super) serving: JoinHandle<()>,
}

impl Served {
    pub(super) async fn new(ctx: &Arc<Ctx>) -> Self {
        Self::with(ctx, SocketCaps::default(), Caps::default()).await
    }

    pub(super) async fn bounded(ctx: &Arc<Ctx>, caps: SocketCaps) -> Self {
        Self::with(ctx, caps, Caps::default()).await
    }

    pub(super) async fn with(ctx: &Arc<Ctx>, sockets: SocketCaps, caps: Caps) -> Self {
        let (public, ops) = (TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await);
        let public = public.unwrap();
        let address = public.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        run_live(ctx, &stopped);
        let serving =
            tokio::spawn(serve(caps, None, Server::with(Arc::clone(ctx), sockets), public, ops.unwrap(), stopped));
        Self { address, stop, serving }
    }

    /// Opens a socket with these headers. If the handshake fails, returns the response as the error.
    pub(super) async fn open(&self, headers: &[(&'static str, &str)]) -> Result<Socket, Response<Option<Vec<u8>>>> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(Error::Http(response)) => Err(*response),
            Err(error) => panic!("{error}"),
        }
    }

    /// Opens a socket without sending `connection_init`.
    pub(super) async fn silent(&self) -> Socket {
        self.open(&[PROTOCOL]).await.unwrap_or_else(|answer| panic!("{answer:?}"))
    }

    /// Whether a socket can be opened. Closes it immediately.
    pub(super) async fn has_room(&self, token: &str) -> bool {
        let Ok(mut socket) = self.open(&[PROTOCOL]).await else { return false };
        socket.init(token).await;
        matches!(socket.hear().await, SocketEvent::Said(_))
    }

    /// Opens a socket and authenticates with this token.
    pub(super) async fn socket(&self, token: &str) -> Socket {
        let mut socket = self.silent().await;
        socket.init(token).await;
        assert_eq!(socket.hear().await, SocketEvent::Said(json!({ "type": "connection_ack" })));
        socket
    }
}

pub(super) const PROTOCOL: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

/// Starts the event loops that the program runs.
pub(super) fn run_live(ctx: &Arc<Ctx>, stop: &watch::Receiver<bool>) {
    tokio::spawn(live::run(Arc::clone(ctx), stop.clone()));
}

/// What a client receives from a socket.
#[derive(Debug, PartialEq)]
pub(super) enum SocketEvent {
    Said(Value),
    /// A close frame with this code.
    Closed(u16),
    /// The connection ended without a close frame.
    Gone,
    Nothing,
}

impl SocketEvent {
    /// The code of an `error` message. Panics if it is another message.
    pub(super) fn error(&self, id: &str) -> &str {
        let Self::Said(message) = self else { panic!("{self:?}") };
        assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
        assert!(message["payload"][0]["extensions"]["requestId"].is_string(), "{message}");
        message["payload"][0]["extensions"]["code"].as_str().unwrap_or_else(|| panic!("{message}"))
    }

    /// The data of a `next` message. Panics if it is another message.
    pub(super) fn data(&self, id: &str) -> &Value {
        let Self::Said(message) = self else { panic!("{self:?}") };
        assert_eq!((&message["type"], &message["id"]), (&json!("next"), &json!(id)), "{message}");
        assert!(message["payload"]["errors"].is_null(), "{message}");
        &message["payload"]["data"]
    }
}

pub(super) struct Socket(pub(super) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub(super) async fn say(&mut self, message: Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(super) async fn send(&mut self, message: Message) {
        self.0.send(message).await.unwrap();
    }

    pub(super) async fn init(&mut self, token: &str) {
        let payload = json!({ "authorization": format!("Bearer {token}") });
        self.say(json!({ "type": "connection_init", "payload": payload })).await;
    }

    pub(super) async fn subscribe(&mut self, id: &str, query: &str) {
        self.subscribe_with(id, query, json!({})).await;
    }

    pub(super) async fn subscribe_with(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "id": id, "type": "subscribe", "payload": payload })).await;
    }

    /// Waits until the server has handled everything sent so far.
    pub(super) async fn settle(&mut self) {
        self.say(json!({ "type": "ping" })).await;
        assert_eq!(self.hear().await, SocketEvent::Said(json!({ "type": "pong" })));
    }

    /// The next message. Skips WebSocket pings.
    pub(super) async fn hear(&mut self) -> SocketEvent {
        self.hear_within(AT_ONCE).await
    }

    pub(super) async fn hears_nothing(&mut self) {
        assert_eq!(self.hear_within(QUIET).await, SocketEvent::Nothing);
    }

    pub(super) async fn hear_within(&mut self, patience: Duration) -> SocketEvent {
        let heard = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => return SocketEvent::Said(serde_json::from_str(&text).unwrap()),
                    Some(Ok(Message::Close(frame))) => {
                        return SocketEvent::Closed(frame.map_or(0, |frame| frame.code.into()));
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return SocketEvent::Gone,
                }
            }
        };
        timeout(patience, heard).await.unwrap_or(SocketEvent::Nothing)
    }
}
