//! The SQLite database: one writing connection and a few readers. In-memory databases are not supported, because every
//! connection would get its own. The file is created readable for its owner only.

use std::{
    fs::{self, OpenOptions},
    io,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use sea_orm::{
    DatabaseConnection,
    sqlx::{
        self, ConnectOptions, Connection, SqliteConnection, SqlitePool,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use super::{ACQUIRE, OnStatement, bad_url, error::describe};
use crate::{error::Error, observability::metrics::Pool};

/// Wait for a lock held by another process, such as the command line. Writers of this process queue for the one
/// connection instead.
const BUSY: Duration = Duration::from_secs(1);
/// Number of readers. Each takes a thread and a page cache of at most 2 MB.
const READERS: u32 = 8;

/// The connections to an opened file.
pub(super) struct Opened {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) file: PathBuf,
}

/// Opens the file; creates it if the URL has `mode=rwc`.
pub(super) async fn open(url: &str, data: &Path, on_statement: Option<OnStatement>) -> Result<Opened, Error> {
    let (options, file) = options(url, data)?;
    if has(url, "mode=rwc") {
        create(&file).map_err(|error| Error::Unavailable(format!("{}: {error}", file.display())))?;
    }
    // FULL, because NORMAL may lose an acknowledged commit at a power failure: a code could be used twice.
    let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let writer = connected(pool(1).after_release(|connection, _| Box::pin(is_done(connection))), writing).await?;
    let reader = connected(pool(READERS), options.pragma("query_only", "ON")).await?;
    Ok(Opened { writer: observed(writer, on_statement.clone()), reader: observed(reader, on_statement), file })
}

/// Opens an existing file read-only, without creating or changing it.
pub(super) async fn look(url: &str, data: &Path) -> Result<Opened, Error> {
    let (options, file) = options(url, data)?;
    let reader = observed(connected(pool(1), options.pragma("query_only", "ON")).await?, None);
    Ok(Opened { writer: reader.clone(), reader, file })
}

/// The connect options and path of the file.
pub(crate) fn options(url: &str, data: &Path) -> Result<(SqliteConnectOptions, PathBuf), Error> {
    if url.contains(":memory:") || has(url, "mode=memory") {
        return Err(bad_url("must name a file: a database in memory would be a different one for each connection"));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| bad_url("is not a SQLite URL"))?;
    let file = resolve(options.get_filename(), data);
    // A missing file is an error here: SQLite would create one that is readable for everyone.
    let options = options
        .filename(&file)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    Ok((options, file))
}

/// The file named by a URL.
pub(super) fn file(url: &str, data: &Path) -> Result<PathBuf, Error> {
    options(url, data).map(|(_, file)| file)
}

/// Whether the query of a URL contains this pair.
fn has(url: &str, wanted: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair == wanted))
}

/// Resolves a relative path in the data folder, unless it already starts with it.
fn resolve(name: &Path, data: &Path) -> PathBuf {
    if name.is_absolute() || name.starts_with(data) { name.to_owned() } else { data.join(name) }
}

/// Creates the file and its folder for this user only. SQLite gives its other files the same mode.
fn create(file: &Path) -> io::Result<()> {
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    private_file(file).map(drop)
}

/// Opens a file for writing; creates it with mode 0600.
pub(super) fn private_file(file: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

fn pool(most: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(most)
        .acquire_timeout(ACQUIRE)
        // A file connection cannot break, so there is nothing to test and no need to reconnect.
        .test_before_acquire(false)
        .max_lifetime(None)
}

async fn connected(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    pool.connect_with(options).await.map_err(|error| Error::Unavailable(describe(&error)))
}

/// Whether a released connection has left its transaction. If the disk is full or fails, SQLite rolls back by itself,
/// the driver's rollback fails, and the driver still counts an open transaction. Later statements would run inside it
/// and never be committed, so such a connection is closed.
async fn is_done(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The ping first rolls back a transaction that was left open.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn observed(pool: SqlitePool, on_statement: Option<OnStatement>) -> DatabaseConnection {
    let mut connection = DatabaseConnection::from(pool);
    if let Some(report) = on_statement {
        connection.set_metric_callback(move |info| report(info));
    }
    connection
}

/// The current state of a pool.
pub(super) fn state(name: &'static str, pool: &SqlitePool) -> Pool {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let most = pool.options().get_max_connections();
    Pool { name, idle, used: pool.size().saturating_sub(idle), most }
}
