//! The way in for connections: how many there may be, how long one may keep us waiting, who goes when there are too
//! many, how they end. It knows nothing of what they ask. It speaks HTTP/1 only, over TLS where it is given some; newer
//! versions are a proxy's work.

mod connection;
mod crowd;
mod member;
pub(super) mod memory;
pub(super) mod tls;
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
use connection::{Terms, converse};
use crowd::{Crowd, Wanted};
use wire::{BARE, BARE_TLS, Wire};

/// More than one process can serve well.
const MOST_CONNECTIONS: usize = 10_000;
/// A household needs so many, however few there are.
const LEAST_OF_NETWORK: usize = 16;
/// Proxies keep connections for the next request, nginx and AWS for 60 seconds, Google for 600. The one that closes
/// must be the proxy: a request that meets a connection which we just closed is an error to somebody.
const PROXY_PATIENCE: Duration = Duration::from_secs(620);
/// When the system has no more files for us, some will be free a moment later.
const PAUSE: Duration = Duration::from_millis(200);
/// Between two looks at who might leave.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);
/// How many may wait to be accepted; tokio asks the system for so many.
const LONGEST_QUEUE: usize = 1_024;
/// What a client sent before a stop has been read by then.
const MOMENT: Duration = Duration::from_millis(50);
/// How often the log hears that a bound is reached, however often somebody knocks.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);
/// What the system keeps for one connection: of a request before we read it, and of an answer before it is taken. By
/// itself it keeps up to 6 MB and 4 MB.
const RECEIVE_BUFFER: usize = 32 * 1024;
const SEND_BUFFER: usize = 64 * 1024;
/// Milliseconds after which the system gives up a connection that takes nothing of what it was sent, closed or not.
const UNACKNOWLEDGED: u32 = 30_000;

/// What connections may take.
#[derive(Clone, Debug)]
pub struct Caps {
    /// Connections in all. Beyond them the idlest is closed for a newcomer. Where nobody is idle, newcomers wait in the
    /// system's queue.
    pub in_all: usize,
    /// Connections of one network. Beyond them its idlest is closed for its newcomer. Where nobody is idle, the newcomer
    /// is closed at once. Trusted proxies have no such cap, for everybody comes through them.
    pub of_network: Shares,
    /// Bytes that all connections together may hold: their buffers, headers and bodies.
    pub memory: usize,
    /// For how long a connection must have been idle, or sending headers, before it is closed for a newcomer.
    pub spare: Duration,
    /// How long a client may take to shake hands, where there is TLS.
    pub handshake: Duration,
    /// How long the headers of a request may take, the wait for a connection's first or next request included: hyper
    /// starts its timer as soon as it could read headers, not at their first byte.
    pub headers: Duration,
    /// How long a client may leave an answer unread.
    pub unread: Duration,
    /// How long a connection may live.
    pub life: Duration,
    /// For how long a trusted proxy may send one more request, after a stop, on each connection that it kept. Its answer
    /// ends the connection. An idle one is closed then, when the proxy has hardly any use for it: at once, it would be
    /// closed under requests that are on their way, and a proxy must not send those again.
    pub farewell: Duration,
    /// How long a connection may take to end once it is told to, which is more than any request needs.
    pub end: Duration,
}

impl Caps {
    /// Fewer connections than this are worth a warning.
    pub const FEW: usize = 1_000;

    /// What to tell an operator when there may be few connections.
    pub fn are_few(&self) -> Option<String> {
        let files = most_files()?;
        (self.in_all < Self::FEW).then(|| {
            format!(
                "only {files} files may be open here, so this process holds at most {} connections: set \
                 LimitNOFILE=65536 in the unit of the service, or run `ulimit -n 65536` before it",
                self.in_all
            )
        })
    }

    /// Half of the files are for connections. The other half is for the database and mail, which must find one when
    /// connections have taken all that they may.
    fn most_connections() -> usize {
        most_files().map_or(MOST_CONNECTIONS, |files| MOST_CONNECTIONS.min(files as usize / 2))
    }
}

impl Default for Caps {
    fn default() -> Self {
        let in_all = Self::most_connections();
        Self {
            in_all,
            of_network: Shares::of(in_all, LEAST_OF_NETWORK),
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

/// What a listener stands on.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub caps: &'a Caps,
    pub trusted: &'a [IpNet],
    pub metrics: &'a Metrics,
    /// What all answers together may hold that are yet to be taken.
    pub answers: &'a Pool,
}

/// Serves one listener until `stop` ends. Then it takes who has been let in by the system already and nobody else,
/// closes what is idle, lets requests under way finish, and returns when all connections are gone. Dropped, it cuts
/// them off. Until the stop it takes a new certificate when there is one.
pub(super) async fn run(
    listener: TcpListener,
    tls: Option<&Arc<Tls>>,
    router: Router,
    ground: Ground<'_>,
    stop: impl Future<Output = ()>,
) {
    let mut gate = Gate::new(ground, if tls.is_some() { BARE_TLS } else { BARE });
    let (stopping, told) = watch::channel(false);
    let mut connections = JoinSet::new();
    let take = |gate: &mut Gate<'_>, connections: &mut JoinSet<()>, stream: TcpStream, peer: SocketAddr| {
        if let Some((wire, terms)) = gate.admit(stream, peer.ip().to_canonical()) {
            connections.spawn(converse(wire, peer, tls.cloned(), router.clone(), terms, told.clone()));
        }
    };
    let follow = async {
        match tls {
            Some(tls) => tls.follow().await,
            None => pending().await,
        }
    };
    let (mut stop, mut follow) = (pin!(stop), pin!(follow));
    let most = ground.caps.in_all;
    loop {
        let open = connections.len();
        tokio::select! {
            () = &mut stop => break,
            never = &mut follow => match never {},
            // Taken out here, and only here do they make room.
            Some(_) = connections.join_next() => {}
            () = gate.pressed(open) => gate.relieve(open),
            accepted = listener.accept(), if open < most => match accepted {
                Ok((stream, peer)) => take(&mut gate, &mut connections, stream, peer),
                Err(error) if is_of_one_connection(error.kind()) => {}
                Err(error) => {
                    tracing::error!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                }
            },
        }
    }
    let room = most.saturating_sub(connections.len());
    for (stream, peer) in queue(listener).into_iter().take(room) {
        take(&mut gate, &mut connections, stream, peer);
    }
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
}

/// Bounds what the system keeps for a connection. One that does not know how is no reason not to serve.
fn keep_small(stream: &TcpStream) {
    // Answers are short: waiting for more to send with them costs time and gains nothing.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps its delay");
    }
    #[cfg(unix)]
    {
        use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_send_buffer_size};
        let _ = set_socket_recv_buffer_size(stream, RECEIVE_BUFFER);
        let _ = set_socket_send_buffer_size(stream, SEND_BUFFER);
    }
    #[cfg(target_os = "linux")]
    {
        let _ = rustix::net::sockopt::set_tcp_user_timeout(stream, UNACKNOWLEDGED);
    }
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

/// Lets connections in, and makes room for them.
struct Gate<'a> {
    ground: Ground<'a>,
    crowd: Arc<Crowd>,
    requests: Arc<Pool>,
    /// What a connection holds that has said nothing.
    bare: usize,
    looked: Instant,
    warned: Option<Instant>,
}

impl<'a> Gate<'a> {
    fn new(ground: Ground<'a>, bare: usize) -> Self {
        let Caps { of_network, spare, memory, .. } = *ground.caps;
        Self {
            ground,
            crowd: Crowd::new(of_network, spare),
            requests: Pool::new(memory),
            bare,
            looked: Instant::now(),
            warned: None,
        }
    }

    fn admit(&mut self, stream: TcpStream, ip: IpAddr) -> Option<(Wire<TcpStream>, Terms)> {
        let Caps { handshake, headers, unread, life, farewell, end, .. } = *self.ground.caps;
        let counted = self.ground.metrics.connected();
        let is_proxy = self.ground.trusted.iter().any(|net| net.contains(&ip));
        let terms = if is_proxy {
            let member = self.crowd.outsider(ip);
            let (headers, life) = (PROXY_PATIENCE, Duration::MAX);
            Terms { handshake, headers, life, farewell, end, member, _seat: None, _counted: counted }
        } else {
            let seat = match self.crowd.join(ip) {
                Ok(seat) => seat,
                Err(network) => {
                    let hint = "if this is a proxy, DOORCODE_TRUSTED_PROXIES must name it";
                    self.warn(|| tracing::warn!(%network, "too many connections that are all in use; {hint}"));
                    return None;
                }
            };
            let (member, farewell) = (Arc::clone(&seat.member), MOMENT);
            Terms { handshake, headers, life, farewell, end, member, _seat: Some(seat), _counted: counted }
        };
        let Some(charge) = self.requests.charge(self.bare) else {
            self.warn(|| tracing::warn!("connections hold all the memory that they may"));
            return None;
        };
        keep_small(&stream);
        Some((Wire::new(stream, Arc::clone(&terms.member), charge, unread), terms))
    }

    /// Resolves when somebody should leave.
    async fn pressed(&self, open: usize) {
        sleep_until(self.looked + BETWEEN_LOOKS).await;
        let (requests, answers) = (&self.requests, self.ground.answers);
        if self.missing(open) > 0 || requests.is_scarce() || answers.is_scarce() {
            return;
        }
        tokio::select! {
            () = requests.pressed() => {}
            () = answers.pressed() => {}
        }
    }

    /// Asks those who need it least to leave.
    fn relieve(&mut self, open: usize) {
        self.looked = Instant::now();
        let mut asked = 0;
        let places = self.missing(open);
        if places > 0 {
            asked += self.crowd.relieve(Wanted::Places(places));
        }
        if self.requests.is_scarce() {
            let wanted = self.requests.excess();
            asked += self.crowd.relieve(Wanted::Bytes { wanted, above: self.spared(open) });
        }
        if self.ground.answers.is_scarce() {
            asked += self.crowd.relieve(Wanted::Writers);
        }
        if asked > 0 {
            self.warn(|| tracing::warn!(open, asked, "connections are scarce: the idlest are closed for newcomers"));
        }
    }

    /// Connections beyond all but a few of those that there may be: newcomers should not have to wait.
    fn missing(&self, open: usize) -> usize {
        let most = self.ground.caps.in_all;
        (open + 1).saturating_sub(most - most / 64)
    }

    /// Bytes that a connection may hold without being closed for its bytes: what every connection needs, unless that
    /// alone takes half of the memory. Otherwise silent connections would stay and those with a request behind them go.
    const fn spared(&self, open: usize) -> usize {
        if open.saturating_mul(self.bare) > self.ground.caps.memory / 2 { 0 } else { self.bare }
    }

    fn warn(&mut self, warn: impl FnOnce()) {
        if self.warned.is_none_or(|at| at.elapsed() > BETWEEN_WARNINGS) {
            self.warned = Some(Instant::now());
            warn();
        }
    }
}
