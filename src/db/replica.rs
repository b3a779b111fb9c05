//! A standby of PostgreSQL, which lists may be read from. It is never asked for anything that decides, and nobody waits
//! for it for long: whatever is wrong with it, the primary answers instead.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement,
    sqlx::error::DatabaseError,
};
use tokio::time::{Instant, sleep, timeout};

use super::{Db, OnStatement, postgres};
use crate::error::Error;

/// How long a list waits for the standby, a connection included. Then there is still time for the primary.
pub(super) const PATIENCE: Duration = Duration::from_millis(500);
/// For how long nobody asks a standby that failed; then one request tries it.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is asked how far it is behind, by the list that comes by.
const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
/// What is older is no list that anybody should decide by, least of all while somebody is in the system who should not.
const OLDEST: f64 = 30.0;
/// In which what just arrived is replayed.
const MOMENT: Duration = Duration::from_millis(150);
/// How many seconds the standby is behind. One that has replayed all that it got, and still gets something, is not; nor
/// is one that is no standby. NULL where that cannot be told.
pub(crate) const LAG: &str = "CAST(CASE WHEN NOT pg_is_in_recovery() THEN 0 \
     WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0 \
     ELSE EXTRACT(EPOCH FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END AS double precision)";
/// The log says at most once in so long that lists are read from the primary.
const WARNING: Duration = Duration::from_mins(1);

/// The standby, and when it was last not well.
#[derive(Debug)]
pub(super) struct Replica {
    connection: DatabaseConnection,
    start: Instant,
    /// Milliseconds from `start` to the moment when it may be asked again; zero while it is well.
    resume: AtomicU64,
    /// Milliseconds from `start` to the last look at how far it is behind; zero when there was none.
    looked: AtomicU64,
    /// Milliseconds from `start` to the last warning; zero when there was none.
    warned: AtomicU64,
}

impl Replica {
    /// Connects when the first list is asked for: a process starts and lives without its standby.
    pub(super) fn new(url: &str, most: u32, on_statement: Option<OnStatement>) -> Result<Self, Error> {
        let connection = postgres::standby(url, most, on_statement)?;
        let (resume, looked, warned) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { connection, start: Instant::now(), resume, looked, warned })
    }

    /// The rows, or nothing when the primary is to be asked.
    async fn all(&self, statement: Statement) -> Option<Vec<QueryResult>> {
        if !self.may_be_asked() {
            return None;
        }
        let answer = async {
            self.keeps_up().await?;
            self.connection.query_all_raw(statement).await
        };
        let trouble = match timeout(PATIENCE, answer).await {
            Ok(Ok(rows)) => {
                if self.resume.swap(0, Ordering::Relaxed) > 0 {
                    tracing::info!("the read replica answers again");
                }
                return Some(rows);
            }
            // What it was reading has just changed on the primary: that is how a standby keeps up, and the next
            // statement is as good as ever.
            Ok(Err(error)) if is_conflict(&error) => return None,
            Ok(Err(error)) => Error::from(error).to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        self.resume.store(self.now() + millis(PAUSE), Ordering::Relaxed);
        if self.may_warn() {
            tracing::warn!(error = trouble, "the read replica is not well: the primary answers lists meanwhile");
        }
        None
    }

    pub(super) fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Whether it is not too far behind, of which one list finds out for all that come soon after.
    async fn keeps_up(&self) -> Result<(), DbErr> {
        let (last, now) = (self.looked.load(Ordering::Relaxed), self.now());
        let is_due = last == 0 || now >= last + millis(BETWEEN_LOOKS);
        if is_due && self.looked.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return self.measure().await;
        }
        Ok(())
    }

    async fn lag(&self) -> Result<f64, DbErr> {
        let sql = format!("SELECT COALESCE({LAG}, 0) AS lag");
        let row = self.connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
        Ok(row.map(|row| row.try_get("", "lag")).transpose()?.unwrap_or_default())
    }

    async fn measure(&self) -> Result<(), DbErr> {
        let mut lag = self.lag().await?;
        if lag > OLDEST {
            // After a quiet hour, what comes next looks an hour old until it is replayed.
            sleep(MOMENT).await;
            lag = self.lag().await?;
        }
        if lag > OLDEST {
            // Whoever asks when it may be asked again finds out anew.
            self.looked.store(0, Ordering::Relaxed);
            return Err(DbErr::Custom(format!("it is {lag:.0} s behind")));
        }
        Ok(())
    }

    /// Whether it answers, and keeps up.
    pub(super) async fn ping(&self) -> Result<(), Error> {
        match timeout(PATIENCE, self.measure()).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(Error::Unavailable("the read replica did not answer in time".to_owned())),
        }
    }

    pub(super) async fn close(&self) -> Result<(), Error> {
        Ok(self.connection.close_by_ref().await?)
    }

    /// Always while it is well; after a pause one request is let through, and the others wait for what it finds.
    fn may_be_asked(&self) -> bool {
        let (resume, now) = (self.resume.load(Ordering::Relaxed), self.now());
        let try_once =
            || self.resume.compare_exchange(resume, now + millis(PAUSE), Ordering::Relaxed, Ordering::Relaxed);
        resume == 0 || (now >= resume && try_once().is_ok())
    }

    fn may_warn(&self) -> bool {
        let (last, now) = (self.warned.load(Ordering::Relaxed), self.now());
        let is_due = last == 0 || now >= last + millis(WARNING);
        is_due && self.warned.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Never zero.
    fn now(&self) -> u64 {
        millis(self.start.elapsed()).max(1)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Whether replaying what the primary did came in the way of a statement (40001, 40P01).
fn is_conflict(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause))) = error else {
        return false;
    };
    let refusal = cause.as_database_error();
    refusal.and_then(DatabaseError::code).is_some_and(|code| matches!(code.as_ref(), "40001" | "40P01"))
}

/// Where a list is read. What it gives may be as old as the standby is behind, so nothing is decided by it.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'db> {
    db: &'db Db,
    may_lag: bool,
}

impl<'db> Lists<'db> {
    pub(super) fn new(db: &'db Db) -> Self {
        Self { db, may_lag: true }
    }

    /// From the primary, when somebody is to find what they did a moment ago.
    #[must_use]
    pub fn fresh_if(self, fresh: bool) -> Self {
        Self { may_lag: self.may_lag && !fresh, ..self }
    }

    /// The rows of a statement.
    pub async fn all(self, statement: Statement) -> Result<Vec<QueryResult>, Error> {
        if let Some(replica) = self.db.replica.as_ref().filter(|_| self.may_lag)
            && let Some(rows) = replica.all(statement.clone()).await
        {
            return Ok(rows);
        }
        Ok(self.db.read().query_all_raw(statement).await?)
    }
}
