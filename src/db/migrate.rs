//! Bringing the schema up and down, safely when several processes try at once.
//! All steps of a call are one transaction: they all happen, or nothing did.

use std::{collections::HashSet, fs, path::Path, time::Duration};

use migration::{Migrator, MigratorTrait, SchemaManager};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, TransactionTrait, Value};
use tokio::time::{Instant, sleep};

use super::{Db, sqlite, statement};
use crate::error::Error;

/// How long to wait for another process that is migrating.
const PATIENCE: Duration = Duration::from_mins(2);
/// Between two looks at the lock file.
const LOOK: Duration = Duration::from_millis(50);
/// The advisory lock's number: "doorcode" in ASCII, so that nobody else's is likely to be the same.
const LOCK: i64 = i64::from_be_bytes(*b"doorcode");

/// Applies what is pending. Does nothing, and takes no lock, when that is nothing; so an older program may still
/// start on a newer schema while a fleet is being replaced.
pub async fn up(db: &Db) -> Result<(), Error> {
    apply::<Migrator>(db).await
}

/// The same for the steps of an application beside Doorcode's own, which come first. It must keep them in a table of its
/// own, named by `migration_table_name`: then neither disturbs the other.
pub async fn up_with<M: MigratorTrait>(db: &Db) -> Result<(), Error> {
    if M::migration_table_name().to_string() == Migrator::migration_table_name().to_string() {
        return Err(Error::Internal(
            "an application's migrations need a `migration_table_name` of their own".to_owned(),
        ));
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

/// Whether every step of an application is applied. Never writes.
pub async fn is_current_with<M: MigratorTrait>(db: &Db) -> Result<bool, Error> {
    Ok(status_with::<M>(db).await?.iter().all(|(_, applied)| *applied))
}

/// Takes the newest `steps` back, with the data they held.
pub async fn down(db: &Db, steps: u32) -> Result<(), Error> {
    let lock = Lock::take(db).await?;
    Migrator::down(&lock.transaction, Some(steps)).await?;
    lock.commit().await
}

/// Every step this program knows, oldest first, and whether it is applied. Never writes.
pub async fn status(db: &Db) -> Result<Vec<(String, bool)>, Error> {
    status_with::<Migrator>(db).await
}

async fn status_with<M: MigratorTrait>(db: &Db) -> Result<Vec<(String, bool)>, Error> {
    let applied = applied(db, &M::migration_table_name().to_string()).await?;
    let known = M::get_migration_files();
    Ok(known.iter().map(|step| (step.name().to_owned(), applied.contains(step.name()))).collect())
}

/// Whether every step this program knows is applied.
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

/// The right to change the schema, and the transaction to do it in.
struct Lock {
    // Fields are dropped in this order: an abandoned transaction rolls back before the next process gets the lock.
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
    // A step over a large table takes as long as it takes; only the wait for the lock is limited.
    let limits = format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
         SET LOCAL lock_timeout = '{}s'",
        PATIENCE.as_secs()
    );
    transaction.execute_unprepared(&limits).await?;
    let take = statement(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [Value::from(LOCK)]);
    transaction.execute_raw(take).await?;
    Ok(transaction)
}

/// Locks a file of its own: SQLite's locks on the database file are none of our business.
async fn file_lock(database: &Path) -> Result<fs::File, Error> {
    let mut name = database.as_os_str().to_owned();
    name.push(".migrating");
    let file = sqlite::private_file(Path::new(&name)).map_err(|error| unavailable(&error))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(fs::TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOOK).await,
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::Unavailable("another process has been migrating for too long".to_owned()));
            }
            Err(fs::TryLockError::Error(error)) => return Err(unavailable(&error)),
        }
    }
}

fn unavailable(error: &std::io::Error) -> Error {
    Error::Unavailable(format!("the lock file of migrations: {error}"))
}
