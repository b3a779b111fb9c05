//! Applies and reverts migrations, safe for concurrent processes. All steps of a call run in one transaction.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, TransactionTrait, Value};
use tokio::time::{Instant, sleep};

use super::{Db, sqlite, statement};
use crate::error::Error;

/// Maximum wait for another process that is migrating.
const LOCK_TIMEOUT: Duration = Duration::from_mins(2);
/// Polling interval of the lock file.
const POLL_EVERY: Duration = Duration::from_millis(50);
/// The advisory lock's number: "doorcode" in ASCII, which is unlikely to clash.
const LOCK: i64 = i64::from_be_bytes(*b"doorcode");

/// Applies pending steps. If there are none, it takes no lock, so an older version can still start on a newer schema
/// during a rolling upgrade.
pub async fn up(db: &Db) -> Result<(), Error> {
    apply::<Migrator>(db).await
}

/// Applies Doorcode's steps, then those of an application. The application must set its own `migration_table_name`, so
/// that neither disturbs the other.
///
/// # Errors
/// [`Error::Internal`] if it uses Doorcode's migration table.
pub async fn up_with<M: MigratorTrait>(db: &Db) -> Result<(), Error> {
    if M::migration_table_name().to_string() == Migrator::migration_table_name().to_string() {
        return Err(Error::Internal("an application's migrations need their own `migration_table_name`".to_owned()));
    }
    up(db).await?;
    apply::<M>(db).await
}

async fn apply<M: MigratorTrait>(db: &Db) -> Result<(), Error> {
    if is_current_with::<M>(db).await? {
        return Ok(());
    }
    let lock = Lock::take(db).await?;
    M::up(&lock.transaction, None).await?;
    lock.commit().await
}

/// Whether every step of an application is applied. Read-only.
pub async fn is_current_with<M: MigratorTrait>(db: &Db) -> Result<bool, Error> {
    Ok(status_with::<M>(db).await?.iter().all(|(_, applied)| *applied))
}

/// Reverts the newest `steps`, which deletes the data in them.
pub async fn down(db: &Db, steps: u32) -> Result<(), Error> {
    let lock = Lock::take(db).await?;
    Migrator::down(&lock.transaction, Some(steps)).await?;
    lock.commit().await
}

/// Every step that this version knows, oldest first, and whether it is applied. Read-only.
pub async fn status(db: &Db) -> Result<Vec<(String, bool)>, Error> {
    status_with::<Migrator>(db).await
}

async fn status_with<M: MigratorTrait>(db: &Db) -> Result<Vec<(String, bool)>, Error> {
    let applied = applied(db, &M::migration_table_name().to_string()).await?;
    let known = M::get_migration_files();
    Ok(known.iter().map(|step| (step.name().to_owned(), applied.contains(step.name()))).collect())
}

/// Whether every step that this version knows is applied.
pub async fn is_current(db: &Db) -> Result<bool, Error> {
    is_current_with::<Migrator>(db).await
}

async fn applied(db: &Db, table: &str) -> Result<HashSet<String>, Error> {
    if !SchemaManager::new(db.read()).has_table(table).await? {
        return Ok(HashSet::new());
    }
    let sql = format!("SELECT version FROM {table}");
    let rows = db.read().query_all_raw(statement(db.backend(), &sql, [])).await?;
    Ok(rows.iter().map(|row| row.try_get("", "version")).collect::<Result<_, _>>()?)
}

/// The migration lock, and the transaction for the steps.
struct Lock {
    // Fields drop in this order: an abandoned transaction must roll back before the next process gets the lock.
    transaction: DatabaseTransaction,
    file: Option<fs::File>,
}

impl Lock {
    async fn take(db: &Db) -> Result<Self, Error> {
        let Some(database) = &db.file else {
            return Ok(Self { transaction: advisory_lock(db).await?, file: None });
        };
        // The transaction alone would do, but other writers wait for it only as long as a request may.
        let file = file_lock(database).await?;
        Ok(Self { transaction: db.begin().await?, file: Some(file) })
    }

    async fn commit(self) -> Result<(), Error> {
        self.transaction.commit().await?;
        drop(self.file);
        Ok(())
    }
}

async fn advisory_lock(db: &Db) -> Result<DatabaseTransaction, Error> {
    let transaction = db.write().begin().await?;
    // A step over a large table may run long; only the wait for the lock is limited.
    let limits = format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
         SET LOCAL lock_timeout = '{}s'",
        LOCK_TIMEOUT.as_secs()
    );
    transaction.execute_unprepared(&limits).await?;
    let take = statement(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [Value::from(LOCK)]);
    transaction.execute_raw(take).await?;
    Ok(transaction)
}

/// Locks a separate file, to stay clear of SQLite's own locks on the database file.
async fn file_lock(database: &Path) -> Result<fs::File, Error> {
    let mut name = database.as_os_str().to_owned();
    name.push(".migrating");
    let file = sqlite::private_file(Path::new(&name)).map_err(|error| unavailable(&error))?;
    let deadline = Instant::now() + LOCK_TIMEOUT;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => sleep(POLL_EVERY).await,
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::Unavailable("timed out waiting for another process that is migrating".to_owned()));
            }
            Err(fs::TryLockError::Error(error)) => return Err(unavailable(&error)),
        }
    }
}

fn unavailable(error: &std::io::Error) -> Error {
    Error::Unavailable(format!("cannot lock the migration lock file: {error}"))
}
