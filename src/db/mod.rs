//! Database access: connections, transactions and error mapping. Queries live in the domain, the schema in `migration`.
//!
//! SQLite allows one writer at a time. It gets one writing connection, where writers queue instead of failing, and a
//! few readers. PostgreSQL gets one pool for both.

use std::{
    path::PathBuf,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::future::BoxFuture;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, ModelTrait, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value, metric,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::{runtime::Handle, time::timeout};

use crate::{error::Error, observability::metrics::Pool};

pub mod digest;
pub mod entity;
pub(crate) mod error;
pub mod migrate;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// Maximum wait for a connection. Clients wait two seconds for `UNAVAILABLE`; the rest is for the response.
const ACQUIRE: Duration = Duration::from_millis(1_800);

/// Called after every statement. For tests that count statements; it must not log the values it sees.
pub type OnStatement = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// How to connect to the database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:…` or `postgres://…`.
    pub url: SecretString,
    /// Minimum and maximum number of PostgreSQL connections.
    pub pool: (u32, u32),
    /// How long to wait for PostgreSQL at startup.
    pub wait: Duration,
    /// The folder for SQLite files with a relative path.
    pub data: PathBuf,
}

impl Options {
    /// Whether the database is SQLite.
    pub fn is_sqlite(&self) -> bool {
        let url = self.url.expose_secret();
        url.starts_with("sqlite:")
    }

    /// The SQLite file, if the database is SQLite.
    pub fn file(&self) -> Option<PathBuf> {
        self.is_sqlite().then(|| sqlite::file(self.url.expose_secret(), &self.data).ok()).flatten()
    }
}

/// A transaction of PostgreSQL that begins. If its caller gives up, it begins in the background and is rolled back. The
/// driver rolls back only what has begun: it would put the connection back into the pool in the middle of a
/// transaction, where the next caller's writes would never be committed.
struct Beginning {
    begin: Option<BoxFuture<'static, Result<DatabaseTransaction, DbErr>>>,
    errors: postgres::ConnectionErrors,
}

impl Future for Beginning {
    type Output = Result<DatabaseTransaction, DbErr>;

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(begin) = &mut self.begin else { return Poll::Pending };
        let answer = ready!(begin.as_mut().poll(task));
        self.begin = None;
        Poll::Ready(answer)
    }
}

impl Drop for Beginning {
    fn drop(&mut self) {
        let errors = self.errors.clone();
        if let (Some(mut begin), Ok(runtime)) = (self.begin.take(), Handle::try_current()) {
            runtime.spawn(async move {
                if timeout(ACQUIRE, &mut begin).await.is_err() {
                    // The pool then waits longer, ends the transaction, and closes a connection that does not answer.
                    errors.note();
                }
            });
        }
    }
}

/// The database connections. A clone shares them.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    backend: DbBackend,
    /// The SQLite file; migrations put their lock file next to it.
    file: Option<PathBuf>,
    /// Tells PostgreSQL's pool to check its connections.
    errors: Option<postgres::ConnectionErrors>,
}

impl Db {
    /// Connects and waits for PostgreSQL as configured. Creates a SQLite file if the URL has `mode=rwc`.
    pub async fn connect(options: &Options) -> Result<Self, Error> {
        Self::connect_with(options, None).await
    }

    /// Connects and reports every statement to `on_statement`.
    pub async fn connect_with(options: &Options, on_statement: Option<OnStatement>) -> Result<Self, Error> {
        let address = options.url.expose_secret();
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let (connection, errors) = postgres::open(address, options.pool, options.wait, on_statement).await?;
            Ok(Self {
                writer: connection.clone(),
                reader: connection,
                backend: DbBackend::Postgres,
                file: None,
                errors: Some(errors),
            })
        } else if address.starts_with("sqlite:") {
            Ok(Self::of_sqlite(sqlite::open(address, &options.data, on_statement).await?))
        } else {
            Err(bad_url("must begin with sqlite:// or postgres://"))
        }
    }

    /// Connects for `doorcode doctor`: with one or two connections, read-only on SQLite.
    pub async fn look(options: &Options) -> Result<Self, Error> {
        let address = options.url.expose_secret();
        if address.starts_with("sqlite:") {
            return Ok(Self::of_sqlite(sqlite::look(address, &options.data).await?));
        }
        Self::connect(&Options { pool: (1, 2), wait: Duration::ZERO, ..options.clone() }).await
    }

    fn of_sqlite(opened: sqlite::Opened) -> Self {
        let sqlite::Opened { writer, reader, file } = opened;
        Self { writer, reader, backend: DbBackend::Sqlite, file: Some(file), errors: None }
    }

    /// For reads outside a transaction. Read-only on SQLite.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For a single-statement write, committed when it returns. Do not use it while you hold a transaction: on SQLite
    /// that transaction has the only writing connection, and this would deadlock until the timeout.
    pub fn write(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a transaction that may write. Dropping it rolls back.
    ///
    /// On SQLite it is IMMEDIATE: a transaction that reads first and locks later fails if another process has written
    /// in between.
    pub async fn begin(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        // The pool limits the wait for a connection. This also limits what follows: another process may hold SQLite's
        // lock, or a server may accept the connection and go silent.
        let writer = self.writer.clone();
        let begin = async move { writer.begin_with_options(options).await };
        match self.errors.clone() {
            Some(errors) => self.in_time(Beginning { begin: Some(Box::pin(begin)), errors }).await,
            None => self.in_time(begin).await,
        }
    }

    /// The kind of database, for the few statements that differ.
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Checks that the database responds within the time limit of a request.
    pub async fn ping(&self) -> Result<(), Error> {
        self.in_time(self.reader.execute_unprepared("SELECT 1")).await.map(drop)
    }

    /// The current state of the pools.
    pub fn pools(&self) -> Vec<Pool> {
        let state = |name, pool: &DatabaseConnection| match self.backend {
            DbBackend::Postgres => postgres::state(name, pool.get_postgres_connection_pool()),
            _ => sqlite::state(name, pool.get_sqlite_connection_pool()),
        };
        match self.backend {
            DbBackend::Postgres => vec![state("main", &self.writer)],
            _ => vec![state("writer", &self.writer), state("reader", &self.reader)],
        }
    }

    /// Closes all connections after their running statements. SQLite merges its WAL into the file.
    pub async fn close(self) -> Result<(), Error> {
        self.reader.close().await?;
        self.writer.close().await?;
        Ok(())
    }

    /// Applies the time limit of a request, and reports failures that the statement callback does not see.
    pub async fn in_time<T, E: Into<Error>>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        // Dropped last, because dropping it releases the connection, which must be suspect by then.
        let mut answer_future = pin!(answer);
        let answer = match timeout(ACQUIRE, &mut answer_future).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(Error::Unavailable("the database did not respond in time".to_owned())),
        };
        if let Err(Error::Unavailable(_)) = &answer {
            self.suspect();
        }
        answer
    }

    /// Marks the connections as suspect after a caller gave up on the database: they are checked before the next use.
    /// Call it before the abandoned operation is dropped or right after, because it is about to release its connection.
    pub fn suspect(&self) {
        if let Some(errors) = &self.errors {
            errors.note();
        }
    }
}

/// A raw statement with bound values, for what the query builder cannot express.
///
/// Placeholders are `$1`, `$2` … on both databases and may repeat. Two traps: write casts as `CAST($1 AS …)`, because
/// SQLite reads `$1::…` as one name; and on SQLite a placeholder without a value is NULL, not an error.
pub fn statement(backend: DbBackend, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}

/// `count` placeholders for `IN (…)`, starting at number `first`.
pub fn numbered(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Inserts a row with every column as in the model; ids are generated by the program. One statement.
pub async fn insert<M>(db: &impl ConnectionTrait, row: M) -> Result<(), Error>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    <M::Entity as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = M::Entity>,
{
    insert_all(db, [row]).await
}

/// Inserts rows. One statement, or none without rows. Databases limit the number of values.
pub async fn insert_all<M>(db: &impl ConnectionTrait, rows: impl IntoIterator<Item = M>) -> Result<(), Error>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    <M::Entity as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = M::Entity>,
{
    let mut rows = rows.into_iter().map(|row| row.into_active_model().reset_all()).peekable();
    if rows.peek().is_some() {
        M::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

fn bad_url(message: &str) -> Error {
    Error::setting("DATABASE_URL", message)
}
