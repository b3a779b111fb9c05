//! The way to the database: connections, transactions, and what a database error means to the rest of the program.
//! Nothing here knows a table; queries live in the domain file that owns theirs, and the schema in `migration`.
//!
//! SQLite takes one writer at a time, so it gets one writing connection, where writers queue in order instead of
//! failing on each other, and a few readers beside it. PostgreSQL gets one pool for both.

use std::{path::PathBuf, pin::pin, sync::Arc, time::Duration};

use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, EntityTrait,
    IntoActiveModel, ModelTrait, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value, metric,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::{error::Error, observability::metrics::Pool};

pub mod digest;
pub mod entity;
pub(crate) mod error;
pub mod migrate;
pub(crate) mod postgres;
pub(crate) mod sqlite;

/// How long a caller waits for a connection. Two seconds is what a client waits for `UNAVAILABLE`, and saying so
/// takes a moment too.
const ACQUIRE: Duration = Duration::from_millis(1_800);

/// Called with every statement after it ran. For tests that count them; it must not log the values it can see.
pub type OnStatement = Arc<dyn Fn(&metric::Info<'_>) + Send + Sync>;

/// How to reach the database.
#[derive(Clone, Debug)]
pub struct Options {
    /// `sqlite:…` or `postgres://…`.
    pub url: SecretString,
    /// The fewest and most connections to PostgreSQL.
    pub pool: (u32, u32),
    /// How long PostgreSQL may take to come up.
    pub wait: Duration,
    /// The folder where a SQLite file with a relative name lives.
    pub data: PathBuf,
}

impl Options {
    /// Whether the database is SQLite, and not PostgreSQL.
    pub fn is_sqlite(&self) -> bool {
        let url = self.url.expose_secret();
        url.starts_with("sqlite:")
    }

    /// The file of SQLite, where the data is in one.
    pub fn file(&self) -> Option<PathBuf> {
        self.is_sqlite().then(|| sqlite::file(self.url.expose_secret(), &self.data).ok()).flatten()
    }
}

/// The database of a process. A clone is another handle to the same connections.
#[derive(Clone, Debug)]
pub struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    backend: DbBackend,
    /// The SQLite file, which migrations put their lock beside.
    file: Option<PathBuf>,
    /// Makes PostgreSQL's pool look at its connections again.
    trouble: Option<postgres::ConnectionErrors>,
}

impl Db {
    /// Connects, and waits for PostgreSQL as long as the options say; a SQLite file is made when the URL says `mode=rwc`.
    pub async fn connect(options: &Options) -> Result<Self, Error> {
        Self::connect_with(options, None).await
    }

    /// Connects, and reports every statement to `on_statement`.
    pub async fn connect_with(options: &Options, on_statement: Option<OnStatement>) -> Result<Self, Error> {
        let address = options.url.expose_secret();
        if address.starts_with("postgres://") || address.starts_with("postgresql://") {
            let (connection, trouble) = postgres::open(address, options.pool, options.wait, on_statement).await?;
            Ok(Self {
                writer: connection.clone(),
                reader: connection,
                backend: DbBackend::Postgres,
                file: None,
                trouble: Some(trouble),
            })
        } else if address.starts_with("sqlite:") {
            Ok(Self::of_sqlite(sqlite::open(address, &options.data, on_statement).await?))
        } else {
            Err(bad_url("must begin with sqlite:// or postgres://"))
        }
    }

    /// Connects to look at what is there, for `doorcode doctor`: with a connection or two, and SQLite's may not write.
    pub async fn look(options: &Options) -> Result<Self, Error> {
        let address = options.url.expose_secret();
        if address.starts_with("sqlite:") {
            return Ok(Self::of_sqlite(sqlite::look(address, &options.data).await?));
        }
        Self::connect(&Options { pool: (1, 2), wait: Duration::ZERO, ..options.clone() }).await
    }

    fn of_sqlite(opened: sqlite::Opened) -> Self {
        let sqlite::Opened { writer, reader, file } = opened;
        Self { writer, reader, backend: DbBackend::Sqlite, file: Some(file), trouble: None }
    }

    /// For selects outside of a transaction. On SQLite it refuses to write.
    pub fn read(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For a write that is one statement, committed when it returns. Whoever holds a transaction uses that instead:
    /// on SQLite it has the only connection that writes, and this one would wait for it in vain.
    pub fn write(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Begins a transaction that may write. Dropping it rolls back.
    ///
    /// SQLite's is IMMEDIATE: one that reads first and asks for the write lock later is refused when somebody else
    /// wrote in between.
    pub async fn begin(&self) -> Result<DatabaseTransaction, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        // The wait for a connection is limited by the pool. This limits what comes after it as well: another
        // process that holds SQLite's lock, or a server that accepted the connection and went silent.
        self.in_time(self.writer.begin_with_options(options)).await
    }

    /// Which database this is, for the few statements that have to differ.
    pub fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Whether the database answers, within the time a request would wait for it.
    pub async fn ping(&self) -> Result<(), Error> {
        self.in_time(self.reader.execute_unprepared("SELECT 1")).await.map(drop)
    }

    /// The pools as they are now.
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

    /// Closes every connection, after the statements that run on them. SQLite folds its log into the file.
    pub async fn close(self) -> Result<(), Error> {
        self.reader.close().await?;
        self.writer.close().await?;
        Ok(())
    }

    /// Gives up on an answer when a request would, and notes what the statements' own callback does not see.
    pub async fn in_time<T, E: Into<Error>>(&self, answer: impl Future<Output = Result<T, E>>) -> Result<T, Error> {
        // It is dropped last, and with it goes the connection: that is suspect by then.
        let mut asked = pin!(answer);
        let answer = match timeout(ACQUIRE, &mut asked).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(Error::Unavailable("the database did not answer in time".to_owned())),
        };
        if let Err(Error::Unavailable(_)) = &answer {
            self.suspect();
        }
        answer
    }

    /// Somebody gave up on something that may have waited for the database: its connections prove that they are alive.
    /// To be called in the same breath, for what was given up on is giving its connection back.
    pub fn suspect(&self) {
        if let Some(trouble) = &self.trouble {
            trouble.note();
        }
    }
}

/// A statement of our own words, with its values apart from it, for what the query builder cannot say.
///
/// Placeholders are `$1`, `$2` … on both databases, and the same one may stand in several places. Two traps: a
/// cast is written `CAST($1 AS …)`, since `$1::…` is one long name to SQLite; and a placeholder without a value is
/// NULL on SQLite, not an error.
pub fn statement(backend: DbBackend, sql: &str, values: impl IntoIterator<Item = Value>) -> Statement {
    Statement::from_sql_and_values(backend, sql, values)
}

/// So many placeholders for `IN (…)`, the first of them with this number.
pub fn numbered(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Writes a row with every column as it stands in the model; ids are ours, never the database's. One statement.
pub async fn insert<M>(db: &impl ConnectionTrait, row: M) -> Result<(), Error>
where
    M: ModelTrait + IntoActiveModel<<M::Entity as EntityTrait>::ActiveModel>,
    <M::Entity as EntityTrait>::ActiveModel: ActiveModelTrait<Entity = M::Entity>,
{
    insert_all(db, [row]).await
}

/// Writes rows the same way. One statement, or none when there are no rows; a database takes only so many values.
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
