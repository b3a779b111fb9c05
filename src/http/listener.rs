//! The way in for connections: how many there may be, how long one may keep us waiting, how they end. It knows nothing
//! of what they ask. It speaks HTTP/1 only, over TLS where it is given some; newer versions are a proxy's work.

use std::{
    collections::HashMap,
    convert::Infallible,
    future::pending,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::ConnectInfo,
    http::{HeaderValue, Request, StatusCode, header},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::IpNet;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use super::tls::Tls;
use crate::{
    domain::policy::network,
    metrics::{Metrics, Present, most_files},
};

/// More than one process can serve well.
const MOST_CONNECTIONS: usize = 10_000;
/// Proxies keep connections for the next request, nginx and AWS for 60 seconds, Google for 600. The one that closes
/// must be the proxy: a request that meets a connection which we just closed is an error to somebody.
const PROXY_PATIENCE: Duration = Duration::from_secs(620);
/// What one connection may have in memory, its headers among it.
const BUFFER: usize = 32 * 1024;
/// When the system has no more files for us, some will be free a moment later.
const PAUSE: Duration = Duration::from_millis(200);
/// How many may wait to be accepted; tokio asks the system for so many.
const LONGEST_QUEUE: usize = 1_024;
/// What a client sent before a stop has been read by then.
const MOMENT: Duration = Duration::from_millis(50);
/// Who shakes hands at a stop is given so long for it: two ways around the earth.
const LAST_HANDSHAKE: Duration = Duration::from_secs(1);
/// How often the log hears that a network is full, however often it knocks.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Connections in all. Those beyond wait in the system's queue until one ends.
    pub in_all: usize,
    /// Connections of one network, an IPv4 address or an IPv6 `/64`. Those beyond are closed at once. Trusted proxies
    /// have no such cap, for everybody comes through them.
    pub of_network: usize,
    /// How long a client may take to shake hands, where there is TLS.
    pub handshake: Duration,
    /// How long the headers of a request may take, the wait for a connection's first or next request included: hyper
    /// starts its timer as soon as it could read headers, not at their first byte.
    pub headers: Duration,
    /// How long a connection may live, so that one which never reads its answers ends too.
    pub life: Duration,
    /// For how long a trusted proxy may send one more request, after a stop, on each connection that it kept. Its answer
    /// ends the connection. An idle one is closed then, when the proxy has hardly any use for it: at once, it would be
    /// closed under requests that are on their way, and a proxy must not send those again.
    pub farewell: Duration,
    /// How long a connection may take to end once it is told to, which is more than any request needs.
    pub end: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            // Half of the files are for the database and mail, which must find one when connections have taken all that
            // they may.
            in_all: most_files().map_or(MOST_CONNECTIONS, |files| MOST_CONNECTIONS.min(files as usize / 2)),
            of_network: 256,
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(30),
            life: Duration::from_mins(10),
            farewell: Duration::from_secs(3),
            end: Duration::from_secs(15),
        }
    }
}

/// Serves one listener until `stop` ends. Then it takes who has been let in by the system already and nobody else,
/// closes what is idle, lets requests under way finish, and returns when all connections are gone. Dropped, it cuts
/// them off. Until the stop it takes a new certificate when there is one.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<&Arc<Tls>>,
    router: Router,
    (caps, trusted): (&Caps, &[IpNet]),
    metrics: &Metrics,
    stop: impl Future<Output = ()>,
) {
    let mut gate = Gate { caps, trusted, metrics, networks: Arc::default(), warned: None };
    let (stopping, told) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut take = |connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr| {
        if let Some(terms) = gate.admit(peer.ip().to_canonical()) {
            connections.spawn(converse(stream, peer, tls.cloned(), router.clone(), terms, told.clone()));
        }
    };
    let follow = async {
        match tls {
            Some(tls) => tls.follow().await,
            None => pending().await,
        }
    };
    let (mut stop, mut follow) = (pin!(stop), pin!(follow));
    loop {
        tokio::select! {
            () = &mut stop => break,
            never = &mut follow => match never {},
            // Taken out here, and only here do they make room.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept(), if connections.len() < caps.in_all => match accepted {
                Ok((stream, peer)) => take(&mut connections, stream, peer),
                Err(error) if is_of_one_connection(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    let room = caps.in_all.saturating_sub(connections.len());
    for (stream, peer) in queue(listener).into_iter().take(room) {
        take(&mut connections, stream, peer);
    }
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Closes a listener; who was waiting in its queue. To them they are connected, and their requests are on the way:
/// closing with them in it would be a reset instead of an answer.
fn queue(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting = std::iter::from_fn(|| listener.accept().ok()).take(LONGEST_QUEUE);
    let ours = waiting.filter_map(|(stream, peer)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    });
    ours.collect()
}

/// Whether accepting failed because whoever knocked is gone, which is no trouble of ours.
fn is_of_one_connection(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

/// Lets connections in, and counts them by network.
struct Gate<'a> {
    caps: &'a Caps,
    trusted: &'a [IpNet],
    metrics: &'a Metrics,
    networks: Networks,
    warned: Option<Instant>,
}

type Networks = Arc<Mutex<HashMap<String, usize>>>;

/// What one connection was let in on.
struct Terms {
    handshake: Duration,
    headers: Duration,
    life: Duration,
    farewell: Duration,
    end: Duration,
    /// Held for as long as the connection lives.
    _seat: Option<Seat>,
    _counted: Present,
}

/// One connection of a network, until it is dropped.
struct Seat {
    networks: Networks,
    network: String,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = networks.get_mut(&self.network) {
            *taken -= 1;
            // A network without connections leaves nothing, or the map would remember everybody who ever came.
            if *taken == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

/// What a request gets of its connection, for those that outlive their answer. While it is held, the connection counts
/// against the caps and a stop waits for it.
#[derive(Clone)]
pub(super) struct Tie {
    stopping: watch::Receiver<bool>,
    _held: mpsc::Sender<Infallible>,
}

impl Tie {
    /// Resolves when everything stops.
    pub(super) async fn stopping(&mut self) {
        // An error means that nobody is left to tell, which is a stop as well.
        drop(self.stopping.wait_for(|stopping| *stopping).await);
    }
}

impl Gate<'_> {
    fn admit(&mut self, ip: IpAddr) -> Option<Terms> {
        let Caps { handshake, end, farewell, .. } = *self.caps;
        if self.trusted.iter().any(|net| net.contains(&ip)) {
            let (headers, life) = (PROXY_PATIENCE, Duration::MAX);
            return Some(Terms {
                handshake,
                headers,
                life,
                farewell,
                end,
                _seat: None,
                _counted: self.metrics.connected(),
            });
        }
        let network = network(ip, 64);
        let mut networks = self.networks.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = networks.entry(network.clone()).or_default();
        if *taken < self.caps.of_network {
            *taken += 1;
            let seat = Seat { networks: Arc::clone(&self.networks), network };
            let Caps { headers, life, .. } = *self.caps;
            return Some(Terms {
                handshake,
                headers,
                life,
                farewell: MOMENT,
                end,
                _seat: Some(seat),
                _counted: self.metrics.connected(),
            });
        }
        drop(networks);
        if self.warned.is_none_or(|at| at.elapsed() > BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            tracing::warn!(network, "too many connections; if this is a proxy, DOORCODE_TRUSTED_PROXIES must name it");
        }
        None
    }
}

/// Serves one connection until it ends, has lived long enough, or everything stops. What it became by an upgrade has its
/// own bounds on its life, and keeps its place here until it is gone.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    router: Router,
    terms: Terms,
    mut told: watch::Receiver<bool>,
) {
    // Answers are short: waiting for more to send with them costs time and gains nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    let (held, mut released) = mpsc::channel(1);
    let tie = Tie { stopping: told.clone(), _held: held };
    match tls {
        None => speak(stream, peer, router, &terms, tie).await,
        Some(tls) => match shake_hands(stream, &tls, &terms, told.clone()).await {
            Some(stream) => speak(stream, peer, router, &terms, tie).await,
            None => return,
        },
    }
    let stop = async {
        drop(told.wait_for(|stopping| *stopping).await);
        sleep(terms.end).await;
    };
    tokio::select! {
        _ = released.recv() => {}
        () = stop => tracing::debug!("a socket did not end in time and was left"),
    }
}

/// The handshake of TLS, in its time. That it failed is the client's affair: it may be slow, too old, or not know that
/// it should speak TLS.
async fn shake_hands(
    stream: TcpStream,
    tls: &Tls,
    terms: &Terms,
    mut told: watch::Receiver<bool>,
) -> Option<TlsStream<TcpStream>> {
    let stop = async {
        drop(told.wait_for(|stopping| *stopping).await);
        sleep(LAST_HANDSHAKE).await;
    };
    let shaken = tokio::select! {
        shaken = tls.accept(stream) => shaken,
        () = sleep(terms.handshake) => Err(ErrorKind::TimedOut.into()),
        () = stop => Err(ErrorKind::TimedOut.into()),
    };
    shaken.inspect_err(|error| tracing::debug!(%error, "a handshake failed")).ok()
}

/// Speaks HTTP until there is no more of it on this connection.
async fn speak<S>(stream: S, peer: SocketAddr, router: Router, terms: &Terms, tie: Tie)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut told = tie.stopping.clone();
    let stopping = told.clone();
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(tie.clone());
        let answer = router.clone().oneshot(request);
        let stopping = stopping.clone();
        async move {
            let mut answer = answer.await?;
            // So that the client sends nothing more on a connection that is about to close.
            if *stopping.borrow() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(terms.headers).max_buf_size(BUFFER);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        ended = &mut connection => return note(ended),
        // An error means that nobody is left to tell, which is a stop as well.
        _ = told.wait_for(|stopping| *stopping) => {}
        () = sleep(terms.life) => {}
    }
    // Its request may lie unread with the system, and closing over that is a reset.
    if let Ok(ended) = timeout(terms.farewell, &mut connection).await {
        return note(ended);
    }
    // Idle it closes now, else after the answer to what is under way.
    connection.as_mut().graceful_shutdown();
    if let Ok(ended) = timeout(terms.end, connection).await {
        note(ended);
    } else {
        tracing::debug!("a connection did not end in time and was cut off");
    }
}

/// How a connection ended is its client's affair: it may be slow, leave in the middle, or speak something else.
fn note(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}
