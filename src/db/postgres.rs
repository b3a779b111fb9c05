//! The PostgreSQL pool, and how it detects that the server went away. It never logs statements, and its waits stay
//! within the time limit of a request.

use std::{
    io::{self, ErrorKind},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{
    DatabaseConnection,
    sqlx::{
        self, ConnectOptions, Connection, Executor, PgPool, Row,
        pool::PoolConnectionMetadata,
        postgres::{PgConnectOptions, PgConnection, PgPoolOptions},
    },
};
use tokio::{
    task::yield_now,
    time::{Instant, sleep, timeout},
};

use super::{
    ACQUIRE, OnStatement, bad_url,
    error::{server_name, unreachable},
};
use crate::{error::Error, observability::metrics::Pool};

/// Retry interval when connecting at startup.
const RETRY: Duration = Duration::from_millis(500);
/// Statement timeout.
const STATEMENT: &str = "10s";
/// Timeout of an idle transaction, in case a process hangs while holding locks.
const IDLE_TRANSACTION: &str = "30s";
/// Connections idle for this long are checked before use.
const IDLE: Duration = Duration::from_secs(5);
/// Time limit of that check.
const ALIVE: Duration = Duration::from_millis(500);
/// How long after a failed statement its connection may still be in use.
const AFTERMATH: Duration = Duration::from_secs(1);
/// Time limit for an abandoned connection to finish its work: longer than any statement.
const RELEASE: Duration = Duration::from_secs(11);

/// Opens the pool and waits for the server, which may start later than this process.
pub(super) async fn open(
    url: &str,
    (fewest, most): (u32, u32),
    wait: Duration,
    on_statement: Option<OnStatement>,
) -> Result<(DatabaseConnection, ConnectionErrors), Error> {
    let options = options(url)?;
    let server_name = server_name(url, &options);
    let errors = ConnectionErrors::default();
    let pool = pool(&errors).min_connections(fewest).max_connections(most).acquire_timeout(ACQUIRE);
    let pool = pool.after_connect(|connection, _| Box::pin(check_primary(connection))).connect_lazy_with(options);
    wait_for_server(&pool, &server_name, wait).await?;
    Ok((reporting(pool, &errors, on_statement), errors))
}

fn pool(errors: &ConnectionErrors) -> PgPoolOptions {
    let (suspects, released) = (errors.clone(), errors.clone());
    PgPoolOptions::new()
        // The driver's own test costs every request a round trip; ours runs only when needed.
        .test_before_acquire(false)
        .before_acquire(move |connection, seen| suspects.check(connection, &seen))
        .after_release(move |connection, _| released.settle(connection))
}

/// Checks that a new connection reaches the primary. Pauses on failure, because the pool retries at once.
async fn check_primary(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let checked = check_writable(connection).await;
    if checked.is_err() {
        sleep(RETRY).await;
    }
    checked
}

/// Checks that the server accepts writes. After a failover, the old primary may still respond under the same name or on
/// old connections, but read-only.
async fn check_writable(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row = connection.fetch_one("SELECT current_setting('transaction_read_only') = 'on'").await?;
    if row.try_get(0)? {
        let wrong = "the database is read-only, or a standby";
        return Err(sqlx::Error::Io(io::Error::new(ErrorKind::ReadOnlyFilesystem, wrong)));
    }
    Ok(())
}

/// Wraps a pool to report statements and note failures.
fn reporting(pool: PgPool, errors: &ConnectionErrors, on_statement: Option<OnStatement>) -> DatabaseConnection {
    let failing = errors.clone();
    let mut connection = DatabaseConnection::from(pool);
    connection.set_metric_callback(move |info| {
        if info.failed {
            failing.note();
        }
        if let Some(report) = &on_statement {
            report(info);
        }
    });
    connection
}

/// Connect options for the primary.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = any_options(url).map_err(|()| bad_url("is not a PostgreSQL URL"))?;
    Ok(options.options([("statement_timeout", STATEMENT), ("idle_in_transaction_session_timeout", IDLE_TRANSACTION)]))
}

/// Connect options without timeouts.
fn any_options(url: &str) -> Result<PgConnectOptions, ()> {
    let options = PgConnectOptions::from_str(url).map_err(drop)?.application_name("doorcode");
    // Our statements are too short to be worth JIT compilation, which takes about 100 ms.
    Ok(options.options([("jit", "off")]).disable_statement_logging())
}

async fn wait_for_server(pool: &PgPool, server_name: &str, wait: Duration) -> Result<(), Error> {
    let deadline = Instant::now() + wait;
    loop {
        let Err(mut error) = pool.acquire().await else {
            return Ok(());
        };
        if matches!(error, sqlx::Error::PoolTimedOut) {
            // The pool hides the cause, so try a single connection.
            let alone = async { check_writable(&mut PgConnection::connect_with(&pool.connect_options()).await?).await };
            error = timeout(ALIVE, alone).await.unwrap_or(Ok(())).err().unwrap_or(error);
        }
        let worth_waiting = match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            // The server is starting, stopping or out of connections. A wrong password or a missing database is not
            // worth waiting for.
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default();
                code.starts_with("57") || code.starts_with("53")
            }
            _ => false,
        };
        if !worth_waiting || Instant::now() + RETRY > deadline {
            return Err(Error::Startup(unreachable(server_name, &error)));
        }
        tracing::warn!(error = unreachable(server_name, &error), "cannot connect to the database yet");
        sleep(RETRY).await;
    }
}

/// Time of the last failed statement. Its connection is suspect, and so is every connection not used since: a server
/// that goes away breaks all of them. Checking them limits the damage to one failed request.
#[derive(Clone, Debug)]
pub(super) struct ConnectionErrors {
    start: Instant,
    /// Milliseconds from `start` to the last failure; zero if there was none.
    last: Arc<AtomicU64>,
}

impl Default for ConnectionErrors {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl ConnectionErrors {
    /// Marks all connections that are idle now or soon as suspect.
    pub(super) fn note(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now.max(1), Ordering::Relaxed);
    }

    fn is_suspect(&self, idle_for: Duration) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let since = self.start.elapsed().saturating_sub(Duration::from_millis(last));
        idle_for >= IDLE || (last > 0 && idle_for + AFTERMATH >= since)
    }

    /// Checks a connection released soon after a failure: an abandoned statement may still wait on it. The driver would
    /// wait without limit (about 15 minutes for a dead host), and the pool would fill up with such connections. Ends a
    /// transaction whose begin was abandoned, which the driver does not know. An error closes it.
    fn settle<'c>(&self, connection: &'c mut PgConnection) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
        let errors = self.clone();
        Box::pin(async move {
            // The caller that gave up calls `note` in the next moment.
            yield_now().await;
            if errors.is_suspect(Duration::ZERO) {
                in_time(RELEASE, async { connection.execute("BEGIN; ROLLBACK").await.map(drop) }).await?;
            }
            Ok(true)
        })
    }

    /// Checks a suspect connection before use. On an error, the pool drops it and opens another for the same request.
    fn check<'c>(
        &self,
        connection: &'c mut PgConnection,
        seen: &PoolConnectionMetadata,
    ) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
        let suspect = self.is_suspect(seen.idle_for);
        Box::pin(async move {
            if suspect {
                in_time(ALIVE, check_writable(connection)).await?;
            }
            Ok(true)
        })
    }
}

async fn in_time(limit: Duration, answer: impl Future<Output = Result<(), sqlx::Error>>) -> Result<(), sqlx::Error> {
    timeout(limit, answer).await.map_err(|_| sqlx::Error::Io(ErrorKind::TimedOut.into()))?
}

/// The current state of a pool.
pub(super) fn state(name: &'static str, pool: &PgPool) -> Pool {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let most = pool.options().get_max_connections();
    Pool { name, idle, used: pool.size().saturating_sub(idle), most }
}
