//! The SQLite file: one connection that writes, a few that read.
//! It never opens a database in memory (every connection would have its own) and never makes a file others can read.

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

/// How long to wait for the lock of another process, such as the command line beside a server. Writers of this
/// process never meet there: they queue for the one connection.
const BUSY: Duration = Duration::from_secs(1);
/// Each reader is a thread and a page cache of two megabytes at most.
const READERS: u32 = 8;

/// What opening a file gives.
pub(super) struct Opened {
    pub(super) writer: DatabaseConnection,
    pub(super) reader: DatabaseConnection,
    pub(super) file: PathBuf,
}

/// Opens the file, making it when the URL says `mode=rwc`.
pub(super) async fn open(url: &str, data: &Path, on_statement: Option<OnStatement>) -> Result<Opened, Error> {
    let (options, file) = options(url, data)?;
    if has(url, "mode=rwc") {
        create(&file).map_err(|error| Error::Unavailable(format!("{}: {error}", file.display())))?;
    }
    // FULL, because with NORMAL a commit that was answered may be gone after a power cut: a code could be used twice.
    let writing = options.clone().journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
    let writer = connected(pool(1).after_release(|connection, _| Box::pin(is_done(connection))), writing).await?;
    let reader = connected(pool(READERS), options.pragma("query_only", "ON")).await?;
    Ok(Opened { writer: observed(writer, on_statement.clone()), reader: observed(reader, on_statement), file })
}

/// Opens a file that is there to look at it: it is not made, nothing in it changes, and it keeps its mode.
pub(super) async fn look(url: &str, data: &Path) -> Result<Opened, Error> {
    let (options, file) = options(url, data)?;
    let reader = observed(connected(pool(1), options.pragma("query_only", "ON")).await?, None);
    Ok(Opened { writer: reader.clone(), reader, file })
}

/// How every connection is opened, and to which file.
pub(crate) fn options(url: &str, data: &Path) -> Result<(SqliteConnectOptions, PathBuf), Error> {
    if url.contains(":memory:") || has(url, "mode=memory") {
        return Err(bad_url("must name a file: a database in memory would be a different one for each connection"));
    }
    let options = SqliteConnectOptions::from_str(url).map_err(|_| bad_url("is not a SQLite URL"))?;
    let file = place(options.get_filename(), data);
    // The file is there by the time of opening, or it is a mistake to report: SQLite would make one that everybody can
    // read.
    let options = options
        .filename(&file)
        .create_if_missing(false)
        .foreign_keys(true)
        .busy_timeout(BUSY)
        .disable_statement_logging();
    Ok((options, file))
}

/// The file that a URL names.
pub(super) fn file(url: &str, data: &Path) -> Result<PathBuf, Error> {
    options(url, data).map(|(_, file)| file)
}

/// Whether a URL says so after its question mark.
fn has(url: &str, wanted: &str) -> bool {
    url.split_once('?').is_some_and(|(_, query)| query.split('&').any(|pair| pair == wanted))
}

/// A relative name means the data folder, whether or not the URL already says so.
fn place(name: &Path, data: &Path) -> PathBuf {
    if name.is_absolute() || name.starts_with(data) { name.to_owned() } else { data.join(name) }
}

/// Makes the file, and its folder, for this user alone. What SQLite puts beside the file gets the file's mode.
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

/// Opens a file for writing, made with mode 0600 when it is not there.
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
        // Nothing between us and a file can be cut, so there is nothing to test and no reason to reconnect.
        .test_before_acquire(false)
        .max_lifetime(None)
}

async fn connected(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, Error> {
    pool.connect_with(options).await.map_err(|error| Error::Unavailable(describe(&error)))
}

/// Whether a connection that is given back is out of its transaction, as it is but for one thing: where the disk is full
/// or fails, SQLite rolls back by itself, and the driver, whose own way back fails then, goes on counting a transaction.
/// All that came after would be inside of that one, answered and never committed. Such a connection is closed.
async fn is_done(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // What was left open is rolled back before this is answered.
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

/// How a pool is now.
pub(super) fn state(name: &'static str, pool: &SqlitePool) -> Pool {
    let idle = u32::try_from(pool.num_idle()).unwrap_or(u32::MAX);
    let most = pool.options().get_max_connections();
    Pool { name, idle, used: pool.size().saturating_sub(idle), most }
}
