//! Serves one connection, from the TLS handshake until the connection is closed.

use std::{convert::Infallible, io, io::ErrorKind, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::ConnectInfo,
    http::{HeaderValue, Request, StatusCode, header},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::{mpsc, watch},
    time::{sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::{
    connection_table::ConnectionSlot,
    tracked::{Phase, Phased, TrackedConnection},
    wire::Wire,
};
use crate::{http::server::tls::Tls, observability::metrics::Present};

/// Maximum size of the request headers, and of the write buffer, in bytes.
const BUFFER: usize = 16 * 1024;
/// Timeout for a TLS handshake that is in progress when shutdown begins. This is enough for a distant client.
const FINAL_HANDSHAKE: Duration = Duration::from_secs(1);

/// The timeouts (see [`Caps`](super::Caps)) and the shared state of one connection.
pub(crate) struct Terms {
    pub handshake: Duration,
    pub headers: Duration,
    pub life: Duration,
    pub farewell: Duration,
    pub end: Duration,
    pub tracked: Arc<TrackedConnection>,
    pub _slot: Option<ConnectionSlot>,
    pub _counted: Present,
}

/// A handle to the connection of a request. While a clone exists, the connection counts against the limits, and
/// shutdown waits for it. Handlers that continue after their response keep a clone, for example for a WebSocket.
#[derive(Clone)]
pub(crate) struct ConnectionHandle {
    stopping: watch::Receiver<bool>,
    _held: mpsc::Sender<Infallible>,
}

impl ConnectionHandle {
    /// Resolves when shutdown begins.
    pub(crate) async fn stopping(&mut self) {
        // A closed channel also means shutdown.
        drop(self.stopping.wait_for(|stopping| *stopping).await);
    }
}

/// Serves one connection until it ends, reaches its maximum lifetime, or shutdown begins. A connection that becomes a
/// WebSocket keeps its slot until its handle is dropped.
pub(crate) async fn serve_connection(
    wire: Wire<TcpStream>,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    router: Router,
    terms: Terms,
    mut stop_signal: watch::Receiver<bool>,
) {
    let (held, mut released) = mpsc::channel(1);
    let handle = ConnectionHandle { stopping: stop_signal.clone(), _held: held };
    match tls {
        None => serve_http(wire, peer, router, &terms, handle).await,
        Some(tls) => match tls_handshake(wire, &tls, &terms, stop_signal.clone()).await {
            Some(stream) => serve_http(stream, peer, router, &terms, handle).await,
            None => return,
        },
    }
    let stop = async {
        drop(stop_signal.wait_for(|stopping| *stopping).await);
        sleep(terms.end).await;
    };
    tokio::select! {
        _ = released.recv() => {}
        () = stop => tracing::debug!("an upgraded connection did not close in time"),
    }
}

/// Performs the TLS handshake, with its timeout. Failures are logged at debug level, because clients can cause them.
async fn tls_handshake(
    wire: Wire<TcpStream>,
    tls: &Tls,
    terms: &Terms,
    mut stop_signal: watch::Receiver<bool>,
) -> Option<TlsStream<Wire<TcpStream>>> {
    let stop = async {
        drop(stop_signal.wait_for(|stopping| *stopping).await);
        sleep(FINAL_HANDSHAKE).await;
    };
    let handshaken = tokio::select! {
        handshaken = tls.accept(wire) => handshaken,
        () = sleep(terms.handshake) => Err(ErrorKind::TimedOut.into()),
        () = terms.tracked.evicted() => Err(ErrorKind::ConnectionAborted.into()),
        () = stop => Err(ErrorKind::TimedOut.into()),
    };
    let mut stream = handshaken.inspect_err(|error| tracing::debug!(%error, "a TLS handshake failed")).ok()?;
    // rustls buffers encrypted data that the client has not read. This memory is not accounted for, so limit it.
    stream.get_mut().1.set_buffer_limit(Some(BUFFER));
    Some(stream)
}

async fn serve_http<S>(stream: S, peer: SocketAddr, router: Router, terms: &Terms, handle: ConnectionHandle)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut stop_signal = handle.stopping.clone();
    let stopping = stop_signal.clone();
    let tracked = Arc::clone(&terms.tracked);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let stays = tracked.enter(Phase::Reading);
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(handle.clone());
        let response = router.clone().oneshot(request.map(|body| Phased::request(body, &tracked)));
        let (stopping, tracked) = (stopping.clone(), Arc::clone(&tracked));
        async move {
            if !stays {
                return Err(io::Error::from(ErrorKind::ConnectionAborted));
            }
            let mut response = response.await.unwrap_or_else(|never| match never {});
            // Tells the client not to send another request.
            if *stopping.borrow() && response.status() != StatusCode::SWITCHING_PROTOCOLS {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            let phases = phases(&response);
            Ok(response.map(|body| Phased::response(body, &tracked, phases)))
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(terms.headers).max_buf_size(BUFFER);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let ends = async {
        tokio::select! {
            ended = &mut connection => return log_end(ended),
            // A closed channel also means shutdown.
            _ = stop_signal.wait_for(|stopping| *stopping) => {}
            () = sleep(terms.life) => {}
        }
        // The kernel may already hold the client's next request. Closing now would reset the connection, so wait
        // briefly for such a request.
        if let Ok(ended) = timeout(terms.farewell, &mut connection).await {
            return log_end(ended);
        }
        // An idle connection closes now, and any other connection after its current response.
        connection.as_mut().graceful_shutdown();
        if let Ok(ended) = timeout(terms.end, connection).await {
            log_end(ended);
        } else {
            tracing::debug!("a connection did not close in time and was dropped");
        }
    };
    tokio::select! {
        () = ends => {}
        // Close an evicted connection at once, because another connection already uses its slot.
        () = terms.tracked.evicted() => tracing::debug!("evicted a connection"),
    }
}

/// Content type of an event stream, a response that stays open until the client disconnects.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Returns the phase of a connection while the response body is produced, and the phase after its last byte.
fn phases(response: &Response) -> (Phase, Phase) {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        (Phase::Kept, Phase::Kept)
    } else if response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == EVENTS) {
        (Phase::Kept, Phase::Flushing)
    } else {
        (Phase::Writing, Phase::Flushing)
    }
}

/// Logs why a connection failed. The level is debug, because clients often disconnect, are slow or speak another
/// protocol.
fn log_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}
