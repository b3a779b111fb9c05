//! Accepts connections, enforces their limits and timeouts, evicts connections under load and shuts down gracefully.
//! Serves HTTP/1.1 only, optionally over TLS. A proxy in front can add HTTP/2 and HTTP/3.

mod connection;
mod connection_table;
pub(super) mod memory;
pub(super) mod tls;
mod tracked;
mod wire;

use std::{
    future::pending,
    io::ErrorKind,
    net::{IpAddr, SocketAddr},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use axum::Router;
use ipnet::IpNet;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::networks::Shares;
use crate::{
    http::server::{memory::Pool, tls::Tls},
    observability::metrics::{Metrics, most_files},
};
pub(super) use connection::{ConnectionHandle, EVENTS};
use connection::{Terms, serve_connection};
use connection_table::{ConnectionTable, EvictionGoal};
use wire::{BASELINE, BASELINE_TLS, Wire};

/// Upper limit for `Caps::in_all`.
const MAX_CONNECTIONS: usize = 10_000;
/// Minimum value for the connection limit per network, even if the file limit allows few connections in total. A
/// household needs this many.
const MIN_PER_NETWORK: usize = 16;
/// Keep-alive timeout for connections from trusted proxies. It must be longer than the proxy's own timeout (nginx and
/// AWS 60 s, Google 600 s). If we closed a connection first, a request that the proxy has just sent would fail.
const PROXY_KEEP_ALIVE: Duration = Duration::from_secs(620);
/// Delay after `accept` fails, for example because no file descriptor is left.
const ACCEPT_RETRY: Duration = Duration::from_millis(200);
/// Interval between eviction checks.
const CHECK_INTERVAL: Duration = Duration::from_millis(50);
/// The backlog that tokio passes to `listen`.
const BACKLOG: usize = 1_024;
/// How long a connection may still receive a request after shutdown began, in case the request is already on its way.
const DRAIN_GRACE: Duration = Duration::from_millis(50);
/// Minimum time between two warnings about limits.
const WARNING_INTERVAL: Duration = Duration::from_mins(1);
/// Socket buffer sizes in bytes. By default, the kernel lets the buffers grow to 6 MB for receiving and 4 MB for
/// sending.
const RECEIVE_BUFFER: usize = 32 * 1024;
const SEND_BUFFER: usize = 64 * 1024;
/// `TCP_USER_TIMEOUT` in milliseconds: the kernel drops a connection if the peer acknowledges no data for this long,
/// even if we have already closed the connection.
const USER_TIMEOUT_MS: u32 = 30_000;

/// Limits and timeouts for connections.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Maximum number of connections. Near the limit, the connections that have been idle longest are evicted. If no
    /// connection can be evicted, new connections wait in the listen backlog.
    pub in_all: usize,
    /// Maximum number of connections per network. At the limit, a new connection evicts the connection of its network
    /// that has been idle longest. If none is idle, the new connection is closed. Trusted proxies are exempt, because
    /// they carry the traffic of many clients.
    pub of_network: Shares,
    /// Maximum memory for the buffers, request headers and request bodies of all connections, in bytes.
    pub memory: usize,
    /// A connection may be evicted only after it has been idle, or sending headers, for at least this long.
    pub spare: Duration,
    /// Timeout for the TLS handshake.
    pub handshake: Duration,
    /// Timeout for request headers. It includes the wait for the first or next request, because hyper starts its timer
    /// as soon as it can read headers and not at their first byte.
    pub headers: Duration,
    /// How long a client that reads too slowly may leave response data unread.
    pub unread: Duration,
    /// Maximum lifetime of a connection.
    pub life: Duration,
    /// How long a trusted proxy may send one more request on each open connection after shutdown began. Closing the
    /// connections at once would break requests that are on their way, and a proxy must not retry those.
    pub farewell: Duration,
    /// How long a request in progress may continue during shutdown. Longer than any request takes.
    pub end: Duration,
}

impl Caps {
    /// If the connection limit is below this number, the operator gets a warning.
    pub const FEW: usize = 1_000;

    /// Returns a warning for the operator if the file limit allows few connections.
    pub fn are_few(&self) -> Option<String> {
        let files = most_files()?;
        (self.in_all < Self::FEW).then(|| {
            format!(
                "the open file limit is {files}, so this process accepts at most {} connections: set \
                 LimitNOFILE=65536 in the systemd unit, or run `ulimit -n 65536` before starting it",
                self.in_all
            )
        })
    }

    /// Uses half of the file descriptors for connections. The other half stays free for the database, Redis and mail.
    fn most_connections() -> usize {
        most_files().map_or(MAX_CONNECTIONS, |files| MAX_CONNECTIONS.min(files as usize / 2))
    }
}

impl Default for Caps {
    fn default() -> Self {
        let in_all = Self::most_connections();
        Self {
            in_all,
            of_network: Shares::of(in_all, MIN_PER_NETWORK),
            memory: 256 * 1024 * 1024,
            spare: Duration::from_secs(1),
            handshake: Duration::from_secs(10),
            headers: Duration::from_secs(30),
            unread: Duration::from_secs(10),
            life: Duration::from_mins(10),
            farewell: Duration::from_secs(3),
            end: Duration::from_secs(15),
        }
    }
}

/// The limits and shared state that a listener uses.
#[derive(Clone, Copy)]
pub(super) struct ListenerContext<'a> {
    pub caps: &'a Caps,
    pub trusted: &'a [IpNet],
    pub metrics: &'a Metrics,
    /// Memory for responses that clients have not read yet.
    pub responses: &'a Pool,
}

/// Serves one listener until `stop` resolves, and reloads the TLS certificate when it changes. After `stop`, accepts
/// the connections that are already in the listen backlog, closes idle connections and lets running requests finish.
/// Returns when all connections are closed. Dropping the future closes all connections at once.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<&Arc<Tls>>,
    router: Router,
    context: ListenerContext<'_>,
    stop: impl Future<Output = ()>,
) {
    let mut gate = Gate::new(context, if tls.is_some() { BASELINE_TLS } else { BASELINE });
    let (stopping, stop_signal) = watch::channel(false);
    let mut connections = JoinSet::new();
    let take = |gate: &mut Gate<'_>, connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr| {
        if let Some((wire, terms)) = gate.admit(stream, peer.ip().to_canonical()) {
            connections.spawn(serve_connection(wire, peer, tls.cloned(), router.clone(), terms, stop_signal.clone()));
        }
    };
    let follow = async {
        match tls {
            Some(tls) => tls.follow().await,
            None => pending().await,
        }
    };
    let (mut stop, mut follow) = (pin!(stop), pin!(follow));
    let most = context.caps.in_all;
    loop {
        let open = connections.len();
        tokio::select! {
            () = &mut stop => break,
            never = &mut follow => match never {},
            // A finished connection counts as open until this branch removes it.
            Some(_) = connections.join_next() => {}
            () = gate.pressed(open) => gate.evict(open),
            accepted = listener.accept(), if open < most => match accepted {
                Ok((stream, peer)) => take(&mut gate, &mut connections, stream, peer),
                Err(error) if is_peer_error(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "cannot accept a connection");
                    sleep(ACCEPT_RETRY).await;
                }
            },
        }
    }
    let room = most.saturating_sub(connections.len());
    for (stream, peer) in drain_backlog(listener).into_iter().take(room) {
        take(&mut gate, &mut connections, stream, peer);
    }
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Sets socket options. A platform that does not support an option keeps its default.
fn set_socket_options(stream: &TcpStream) {
    // Responses are short, so waiting to fill a packet (Nagle's algorithm) would only add latency.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    #[cfg(unix)]
    {
        use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
        let _ = set_socket_recv_buffer_size(stream, RECEIVE_BUFFER);
        let _ = set_socket_send_buffer_size(stream, SEND_BUFFER);
    }
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, USER_TIMEOUT_MS);
    }
}

/// Closes the listener and returns the connections in its backlog. Those clients are already connected and may have
/// sent a request, so dropping their connections would make the requests fail.
fn drain_backlog(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let waiting = std::iter::from_fn(|| listener.accept().ok()).take(BACKLOG);
    let ours = waiting.filter_map(|(stream, peer)| {
        stream.set_nonblocking(true).ok()?;
        Some((TcpStream::from_std(stream).ok()?, peer))
    });
    ours.collect()
}

/// Whether `accept` failed because the client is already gone.
fn is_peer_error(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset)
}

/// Admits connections and evicts others to make room.
struct Gate<'a> {
    context: ListenerContext<'a>,
    table: Arc<ConnectionTable>,
    requests: Arc<Pool>,
    /// Bytes held by a connection that has sent nothing.
    baseline: usize,
    looked: Instant,
    warned: Option<Instant>,
}

impl<'a> Gate<'a> {
    fn new(context: ListenerContext<'a>, baseline: usize) -> Self {
        let Caps { of_network, spare, memory, .. } = *context.caps;
        Self {
            context,
            table: ConnectionTable::new(of_network, spare),
            requests: Pool::new(memory),
            baseline,
            looked: Instant::now(),
            warned: None,
        }
    }

    fn admit(&mut self, stream: TcpStream, ip: IpAddr) -> Option<(Wire<TcpStream>, Terms)> {
        let Caps { handshake, headers, unread, life, farewell, end, .. } = *self.context.caps;
        let counted = self.context.metrics.connected();
        let is_proxy = self.context.trusted.iter().any(|net| net.contains(&ip));
        let terms = if is_proxy {
            let tracked = self.table.exempt(ip);
            let (headers, life) = (PROXY_KEEP_ALIVE, Duration::MAX);
            Terms { handshake, headers, life, farewell, end, tracked, _slot: None, _counted: counted }
        } else {
            let slot = match self.table.admit(ip) {
                Ok(slot) => slot,
                Err(network) => {
                    let hint = "if this is a proxy, add it to DOORCODE_TRUSTED_PROXIES";
                    self.warn(|| tracing::warn!(%network, "refused a connection from a network at its limit; {hint}"));
                    return None;
                }
            };
            let (tracked, farewell) = (Arc::clone(&slot.tracked), DRAIN_GRACE);
            Terms { handshake, headers, life, farewell, end, tracked, _slot: Some(slot), _counted: counted }
        };
        let Some(charge) = self.requests.charge(self.baseline) else {
            self.warn(|| tracing::warn!("refused a connection: all connections together use the maximum memory"));
            return None;
        };
        set_socket_options(&stream);
        Some((Wire::new(stream, Arc::clone(&terms.tracked), charge, unread), terms))
    }

    /// Resolves when connections should be evicted, but not before the check interval has passed.
    async fn pressed(&self, open: usize) {
        sleep_until(self.looked + CHECK_INTERVAL).await;
        let (requests, responses) = (&self.requests, self.context.responses);
        if self.excess_connections(open) > 0 || requests.is_scarce() || responses.is_scarce() {
            return;
        }
        tokio::select! {
            () = requests.pressed() => {}
            () = responses.pressed() => {}
        }
    }

    /// Evicts connections until there is room for new connections, requests and responses again.
    fn evict(&mut self, open: usize) {
        self.looked = Instant::now();
        let mut asked = 0;
        let places = self.excess_connections(open);
        if places > 0 {
            asked += self.table.evict(EvictionGoal::Connections(places));
        }
        if self.requests.is_scarce() {
            let wanted = self.requests.excess();
            asked += self.table.evict(EvictionGoal::Bytes { wanted, above: self.spared_bytes(open) });
        }
        if self.context.responses.is_scarce() {
            asked += self.table.evict(EvictionGoal::Writers);
        }
        if asked > 0 {
            self.warn(|| {
                tracing::warn!(open, asked, "near a connection or memory limit: closed idle or slow connections");
            });
        }
    }

    /// Returns how many connections to evict so that 1/64 of the limit stays free for new connections.
    fn excess_connections(&self, open: usize) -> usize {
        let most = self.context.caps.in_all;
        (open + 1).saturating_sub(most - most / 64)
    }

    /// Returns how many bytes a connection may hold without being evicted to free memory. Normally this is the
    /// baseline, which every connection holds. If the baselines alone take half of the memory, it is zero: otherwise
    /// connections that have sent nothing would stay, and only those with a request would be evicted.
    const fn spared_bytes(&self, open: usize) -> usize {
        if open.saturating_mul(self.baseline) > self.context.caps.memory / 2 { 0 } else { self.baseline }
    }

    fn warn(&mut self, warn: impl FnOnce()) {
        if self.warned.is_none_or(|at| at.elapsed() > WARNING_INTERVAL) {
            self.warned = Some(Instant::now());
            warn();
        }
    }
}
