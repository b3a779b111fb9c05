//! The pools of PostgreSQL connections, and how they find out that a server went away.
//! It never logs a statement, and never holds a request for longer than a client waits.

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
    error::{place, unreachable},
};
use crate::{error::Error, observability::metrics::Pool};

/// Between two tries to find the server when this process starts.
const RETRY: Duration = Duration::from_millis(500);
/// The longest that one statement may run.
const STATEMENT: &str = "10s";
/// The longest that a transaction of ours may do nothing, should a process hang with locks in its hands.
const IDLE_TRANSACTION: &str = "30s";
/// A connection that nobody used for so long is asked whether it is alive before a request gets it.
const IDLE: Duration = Duration::from_secs(5);
/// How long it may take to say yes.
const ALIVE: Duration = Duration::from_millis(500);
/// For how long the connection on which a statement failed may still be in use.
const AFTERMATH: Duration = Duration::from_secs(1);
/// How long a connection that somebody gave up on may take to come to its end: longer than any statement.
const RELEASE: Duration = Duration::from_secs(11);

/// Opens the pool and waits for the server, which may come up later than this process.
pub(super) async fn open(
    url: &str,
    (fewest, most): (u32, u32),
    wait: Duration,
    on_statement: Option<OnStatement>,
) -> Result<(DatabaseConnection, ConnectionErrors), Error> {
    let options = options(url)?;
    let place = place(url, &options);
    let trouble = ConnectionErrors::default();
    let pool = pool(&trouble).min_connections(fewest).max_connections(most).acquire_timeout(ACQUIRE);
    let pool = pool.after_connect(|connection, _| Box::pin(meets_the_primary(connection))).connect_lazy_with(options);
    wait_for_server(&pool, &place, wait).await?;
    Ok((reporting(pool, &trouble, on_statement), trouble))
}

fn pool(trouble: &ConnectionErrors) -> PgPoolOptions {
    let (suspects, released) = (trouble.clone(), trouble.clone());
    PgPoolOptions::new()
        // The driver's own test costs every request a round trip; ours costs only those that need one.
        .test_before_acquire(false)
        .before_acquire(move |connection, seen| suspects.check(connection, &seen))
        .after_release(move |connection, _| released.settle(connection))
}

/// Whether a new connection is one to the primary, with a pause if it is none: the pool tries again at once, and with it
/// everybody who waits for a connection.
async fn meets_the_primary(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let met = takes_writes(connection).await;
    if met.is_err() {
        sleep(RETRY).await;
    }
    met
}

/// Whether the server takes writes. After a failover the former primary may still answer under the same name or on old
/// connections and take none; nothing that holds on to it is healthy.
async fn takes_writes(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let row = connection.fetch_one("SELECT current_setting('transaction_read_only') = 'on'").await?;
    if row.try_get(0)? {
        let wrong = "the database takes no writes: it is a standby, or read-only";
        return Err(sqlx::Error::Io(io::Error::new(ErrorKind::ReadOnlyFilesystem, wrong)));
    }
    Ok(())
}

/// A pool that reports its statements, and notes what fails.
fn reporting(pool: PgPool, trouble: &ConnectionErrors, on_statement: Option<OnStatement>) -> DatabaseConnection {
    let failing = trouble.clone();
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

/// How every connection to the primary is opened.
pub(crate) fn options(url: &str) -> Result<PgConnectOptions, Error> {
    let options = any_options(url).map_err(|()| bad_url("is not a PostgreSQL URL"))?;
    Ok(options.options([("statement_timeout", STATEMENT), ("idle_in_transaction_session_timeout", IDLE_TRANSACTION)]))
}

/// How every connection is opened.
fn any_options(url: &str) -> Result<PgConnectOptions, ()> {
    let options = PgConnectOptions::from_str(url).map_err(drop)?.application_name("doorcode");
    // No statement of ours runs for long enough to be worth compiling, which would take a tenth of a second.
    Ok(options.options([("jit", "off")]).disable_statement_logging())
}

async fn wait_for_server(pool: &PgPool, place: &str, wait: Duration) -> Result<(), Error> {
    let deadline = Instant::now() + wait;
    loop {
        let Err(mut error) = pool.acquire().await else {
            return Ok(());
        };
        if matches!(error, sqlx::Error::PoolTimedOut) {
            // A pool does not tell why it has no connection.
            let alone = async { takes_writes(&mut PgConnection::connect_with(&pool.connect_options()).await?).await };
            error = timeout(ALIVE, alone).await.unwrap_or(Ok(())).err().unwrap_or(error);
        }
        let worth_waiting = match &error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut => true,
            // Starting, stopping, or out of connections: anything but a wrong password or a missing database.
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default();
                code.starts_with("57") || code.starts_with("53")
            }
            _ => false,
        };
        if !worth_waiting || Instant::now() + RETRY > deadline {
            return Err(Error::Startup(unreachable(place, &error)));
        }
        tracing::warn!(error = unreachable(place, &error), "the database does not answer yet");
        sleep(RETRY).await;
    }
}

/// When a statement last failed. The connection that it failed on is suspect, and so is each that nobody has used since
/// then: a server that went away took all of them along, and then each would cost a request of its own to find out. One
/// failed request is enough.
#[derive(Clone, Debug)]
pub(super) struct ConnectionErrors {
    start: Instant,
    /// Milliseconds from `start` to the last failure; zero when there was none.
    last: Arc<AtomicU64>,
}

impl Default for ConnectionErrors {
    fn default() -> Self {
        Self { start: Instant::now(), last: Arc::default() }
    }
}

impl ConnectionErrors {
    /// Makes every connection that is idle now, or soon, prove that it is alive before it is used again.
    pub(super) fn note(&self) {
        let now = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now.max(1), Ordering::Relaxed);
    }

    fn is_suspect(&self, idle_for: Duration) -> bool {
        let last = self.last.load(Ordering::Relaxed);
        let since = self.start.elapsed().saturating_sub(Duration::from_millis(last));
        idle_for >= IDLE || (last > 0 && idle_for + AFTERMATH >= since)
    }

    /// What is given back soon after a failure may be what somebody waited for in vain. The driver waits for its answer
    /// without an end: of a machine that is gone there is none for a quarter of an hour, and the pool would soon consist
    /// of such connections. An error has it closed.
    fn settle<'c>(&self, connection: &'c mut PgConnection) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
        let trouble = self.clone();
        Box::pin(async move {
            // Whoever gave up says so in the next moment.
            yield_now().await;
            if trouble.is_suspect(Duration::ZERO) {
                in_time(RELEASE, connection.ping()).await?;
            }
            Ok(true)
        })
    }

    /// An error makes the pool throw the connection away and open another for the same request.
    fn check<'c>(
        &self,
        connection: &'c mut PgConnection,
        seen: &PoolConnectionMetadata,
    ) -> BoxFuture<'c, Result<bool, sqlx::Error>> {
        let suspect = self.is_suspect(seen.idle_for);
        Box::pin(async move {
            if suspect {
                in_time(ALIVE, takes_writes(connection)).await?;
            }
            Ok(true)
        })
    }
}

async fn in_time(limit: Duration, answer: impl Future<Output = Result<(), sqlx::Error>>) -> Result<(), sqlx::Error> {
    timeout(limit, answer).await.map_err(|_| sqlx::Error::Io(ErrorKind::TimedOut.into()))?
}

/// How a pool is now.
pub(super) fn state(name: &'static str, pool: &PgPool) -> Pool {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let most = pool.options().get_max_connections();
    Pool { name, idle, used: pool.size().saturating_sub(idle), most }
}
