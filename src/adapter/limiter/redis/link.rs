//! The Redis connection: parses the URL, connects on first use and drops a broken connection. Startup never waits for
//! Redis. Errors never contain the URL, because it may contain a password.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
    RedisResult, ServerErrorKind, TlsMode,
    aio::{MultiplexedConnection, PubSub},
    cluster::ClusterClient,
    cluster_async::ClusterConnection,
    io::tcp::TcpSettings,
    sentinel::{Sentinel, SentinelNodeConnectionInfo},
};
use secrecy::{ExposeSecret, SecretString};
use url::form_urlencoded;

/// Timeouts for connecting and for each response. Their sum is below the time limit for a limiter call (900 ms).
const CONNECT_TIMEOUT: Duration = Duration::from_millis(400);
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(400);

/// Time limit for opening a connection. Finding the master or the nodes of a cluster takes several connections, so this
/// limit is longer than that of a limiter call. The attempt continues in the background after the caller gives up.
const OPEN_TIMEOUT: Duration = Duration::from_secs(3);

/// Maximum number of commands that wait to be sent on the connection.
const QUEUE: usize = 1_024;

/// Error for an invalid URL, in place of the library's error, which may quote parts of the URL.
const UNUSABLE: &str =
    "REDIS_URL can't be used: check hosts, ports and database number, and write special characters as %XX";

/// An open connection, cheap to clone.
#[derive(Clone)]
pub(crate) enum Connection {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// The Redis deployment.
enum Target {
    Server(Client),
    Cluster { client: Box<ClusterClient>, nodes: Vec<ConnectionInfo> },
    Sentinel { sentinels: Vec<ConnectionInfo>, service: String, node: SentinelNodeConnectionInfo },
}

/// One shared connection, opened on demand.
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    target: Target,
    /// The open connection and its number.
    current: Mutex<Option<(Connection, u64)>>,
    /// Locked while connecting, so that concurrent callers open only one connection. Stores the last error, for callers
    /// that waited for the lock.
    opening: tokio::sync::Mutex<Option<RedisError>>,
    /// Number of finished attempts to connect.
    attempts: AtomicU64,
}

impl Link {
    pub(in crate::adapter) fn new(url: &SecretString) -> Result<Self, String> {
        let target = Target::parse(url.expose_secret())?;
        Ok(Self(Arc::new(Inner {
            target,
            current: Mutex::new(None),
            opening: tokio::sync::Mutex::new(None),
            attempts: AtomicU64::new(0),
        })))
    }

    /// Returns the current connection, or opens one. The number identifies the connection for [`Link::forget`].
    pub(crate) async fn connection(&self) -> RedisResult<(Connection, u64)> {
        if let Some(open) = self.0.current() {
            return Ok(open);
        }
        // Connect in a separate task, so that a caller's timeout does not cancel the attempt.
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move { inner.open().await })
            .await
            .unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "opening a connection was interrupted"))))
    }

    /// Opens a separate connection for pub/sub.
    pub(in crate::adapter) async fn listen(&self) -> RedisResult<PubSub> {
        tokio::time::timeout(OPEN_TIMEOUT, self.0.target.listen())
            .await
            .unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "Redis did not respond in time"))))
    }

    /// Drops the current connection if it has this number.
    pub(in crate::adapter) fn forget(&self, number: u64) {
        let mut current = self.0.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|(_, open)| *open == number) {
            *current = None;
        }
    }
}

impl Inner {
    fn current(&self) -> Option<(Connection, u64)> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn open(&self) -> RedisResult<(Connection, u64)> {
        let seen = self.attempts.load(Ordering::Acquire);
        let mut failure = self.opening.lock().await;
        if let Some(open) = self.current() {
            return Ok(open);
        }
        // Callers that waited during a failed attempt share its error instead of trying again.
        if self.attempts.load(Ordering::Acquire) != seen
            && let Some(error) = &*failure
        {
            return Err(error.clone());
        }
        let opened = tokio::time::timeout(OPEN_TIMEOUT, self.target.connect())
            .await
            .unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "Redis did not respond in time"))));
        let number = self.attempts.fetch_add(1, Ordering::AcqRel);
        match opened {
            Ok(connection) => {
                *failure = None;
                let open = (connection, number);
                *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Some(open.clone());
                Ok(open)
            }
            Err(error) => {
                *failure = Some(error.clone());
                Err(error)
            }
        }
    }
}

impl Target {
    async fn connect(&self) -> RedisResult<Connection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_pipeline_buffer_size(QUEUE);
        match self {
            Self::Server(client) => {
                Ok(Connection::Server(client.get_multiplexed_async_connection_with_config(&config).await?))
            }
            Self::Cluster { client, .. } => Ok(Connection::Cluster(client.get_async_connection().await?)),
            Self::Sentinel { sentinels, service, node } => {
                let client = master(sentinels, service, node).await?;
                Ok(Connection::Server(client.get_multiplexed_async_connection_with_config(&config).await?))
            }
        }
    }

    /// Opens a connection for pub/sub. In a cluster, any node works, because nodes forward messages to each other.
    async fn listen(&self) -> RedisResult<PubSub> {
        match self {
            Self::Server(client) => client.get_async_pubsub().await,
            Self::Cluster { nodes, .. } => {
                let mut failure = RedisError::from((ErrorKind::InvalidClientConfig, "a cluster without nodes"));
                for node in nodes {
                    let client = Client::open(node.clone())?;
                    let opened = tokio::time::timeout(2 * CONNECT_TIMEOUT, client.get_async_pubsub()).await;
                    match opened.unwrap_or_else(|_| Err(RedisError::from((ErrorKind::Io, "a node does not respond")))) {
                        Ok(open) => return Ok(open),
                        Err(error) => failure = error,
                    }
                }
                Err(failure)
            }
            Self::Sentinel { sentinels, service, node } => {
                master(sentinels, service, node).await?.get_async_pubsub().await
            }
        }
    }

    fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").ok_or("REDIS_URL must start with redis:// or rediss://")?;
        let (tls, kind) = match scheme.split_once('+') {
            Some(("redis", kind)) => (false, kind),
            Some(("rediss", kind)) => (true, kind),
            None if scheme == "redis" || scheme == "rediss" => (scheme == "rediss", "server"),
            _ => return Err("REDIS_URL must start with redis:// or rediss://".to_owned()),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = authority.rsplit_once('@').map_or((None, authority), |(user, hosts)| (Some(user), hosts));
        match kind {
            "server" => Ok(Self::Server(Client::open(node(tls, user, hosts, path)?).map_err(|_| UNUSABLE.to_owned())?)),
            "cluster" => Self::cluster(&nodes(tls, user, hosts, path)?),
            "sentinel" => Self::sentinel(tls, user, hosts, path),
            _ => Err("REDIS_URL must have cluster or sentinel after the plus".to_owned()),
        }
    }

    fn cluster(nodes: &[ConnectionInfo]) -> Result<Self, String> {
        ClusterClient::builder(nodes.iter().cloned())
            .connection_timeout(CONNECT_TIMEOUT)
            .response_timeout(RESPONSE_TIMEOUT)
            .overall_response_timeout(Some(2 * RESPONSE_TIMEOUT))
            .retries(3)
            .min_retry_wait(10)
            .max_retry_wait(100)
            .tcp_settings(tcp())
            .build()
            .map(|client| Self::Cluster { client: Box::new(client), nodes: nodes.to_vec() })
            .map_err(|_| UNUSABLE.to_owned())
    }

    /// Parses `host:port,…/service/db?sentinel_user=…&sentinel_password=…`. The user and password before the `@` are
    /// for the master. The `sentinel_…` options are for the sentinels, which often need no password.
    fn sentinel(tls: bool, user: Option<&str>, hosts: &str, path: &str) -> Result<Self, String> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (service, db) = path.split_once('/').unwrap_or((path, ""));
        if service.is_empty() {
            return Err("REDIS_URL needs the service name after the sentinels".to_owned());
        }
        let query: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let mut own = RedisConnectionInfo::default();
        if let Some(user) = query.get("sentinel_user") {
            own = own.set_username(user);
        }
        if let Some(password) = query.get("sentinel_password") {
            own = own.set_password(password);
        }
        let sentinels = nodes(tls, None, hosts, "")?.into_iter().map(|node| node.set_redis_settings(own.clone()));
        let settings = node(tls, user, "master", db)?;
        let mut node = SentinelNodeConnectionInfo::default()
            .set_redis_connection_info(settings.redis_settings().clone())
            .set_tcp_settings(tcp());
        if tls {
            node = node.set_tls_mode(TlsMode::Secure);
        }
        Ok(Self::Sentinel { sentinels: sentinels.collect(), service: service.to_owned(), node })
    }
}

/// Asks the sentinels for the current master.
async fn master(sentinels: &[ConnectionInfo], service: &str, node: &SentinelNodeConnectionInfo) -> RedisResult<Client> {
    Sentinel::build(sentinels.to_vec())?.async_master_for(service, Some(node)).await
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

/// Parses one host from the URL with the client library.
fn node(tls: bool, user: Option<&str>, host: &str, path: &str) -> Result<ConnectionInfo, String> {
    let scheme = if tls { "rediss" } else { "redis" };
    let user = user.map(|user| format!("{user}@")).unwrap_or_default();
    let info = format!("{scheme}://{user}{host}/{path}").into_connection_info().map_err(|_| UNUSABLE.to_owned())?;
    Ok(info.set_tcp_settings(tcp()))
}

fn nodes(tls: bool, user: Option<&str>, hosts: &str, path: &str) -> Result<Vec<ConnectionInfo>, String> {
    hosts.split(',').map(|host| node(tls, user, host.trim(), path)).collect()
}

/// Whether the connection is unusable after this error: it was closed or does not respond, or its server is not a
/// master.
pub(in crate::adapter) fn is_broken(error: &RedisError) -> bool {
    error.is_io_error()
        || error.is_unrecoverable_error()
        || matches!(error.kind(), ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown))
}

/// Whether to retry the command once on a new connection: this one was closed, or its server is read-only.
pub(in crate::adapter) fn is_closed(error: &RedisError) -> bool {
    !error.is_timeout()
        && (error.is_connection_dropped() || error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly))
}
