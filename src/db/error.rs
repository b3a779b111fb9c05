//! What a database error means: somebody was faster, try again, or a fault of ours.
//! The text is for the log, and never holds a value: neither one that was bound nor one that was stored.

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, error::DatabaseError, sqlite::SqliteError},
};

use crate::error::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(cause) => Self::Unavailable(format!("no database connection: {cause}")),
            DbErr::Conn(RuntimeErr::SqlxError(cause)) => Self::Unavailable(describe(cause)),
            DbErr::Conn(RuntimeErr::Internal(text)) => Self::Unavailable(text.clone()),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => judge(cause),
            // These two quote the stored value.
            DbErr::Type(_) | DbErr::Json(_) => Self::Internal("a stored value does not fit its column".to_owned()),
            DbErr::TryIntoErr { from, into, .. } => Self::Internal(format!("a stored {from} is no {into}")),
            _ => Self::Internal(error.to_string()),
        }
    }
}

/// What an error of the driver means.
fn judge(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(refusal) if refusal.is_unique_violation() || refusal.is_foreign_key_violation() => {
            tracing::debug!(error = describe(error), "the database refused a row");
            Error::Conflict
        }
        sqlx::Error::Database(refusal) if !is_passing(refusal.as_ref()) => Error::Internal(describe(error)),
        sqlx::Error::Database(_)
        | sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => Error::Unavailable(describe(error)),
        _ => Error::Internal(describe(error)),
    }
}

/// Whether the same statement may work a little later.
fn is_passing(refusal: &dyn DatabaseError) -> bool {
    let code = refusal.code().unwrap_or_default();
    if refusal.try_downcast_ref::<SqliteError>().is_some() {
        // The low byte is the kind of error: busy, locked, no memory, interrupted, input or output, disk full,
        // cannot open. Read-only is not among them: it is how a reader says that somebody made it write.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 9 | 10 | 13 | 14));
    }
    // Deadlock and serialization, no lock in time, idle too long in a transaction, and a server that has just
    // become a read-only standby, one by one; whole classes for lost connections, exhausted resources (the disk
    // too), an operator's or a time-out's intervention, and the system below the server.
    matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "25P03" | "25006")
        || ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

/// Says what happened without quoting a value.
pub(crate) fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            // PostgreSQL quotes values in its messages about data (class 22) and in whatever a function raises;
            // the messages of these classes name tables, columns and constraints at most.
            let quotes_no_value = refusal.try_downcast_ref::<SqliteError>().is_some()
                || ["08", "23", "25", "28", "3D", "40", "42", "53", "55", "57", "58"]
                    .iter()
                    .any(|class| code.starts_with(class));
            let message = if quotes_no_value { refusal.message() } else { "message withheld" };
            let table = refusal.table().map(|table| format!(" (table {table})")).unwrap_or_default();
            format!("database error {code}: {message}{table}")
        }
        sqlx::Error::ColumnDecode { index, .. } => format!("column {index} holds what its type does not allow"),
        sqlx::Error::Decode(_) => "a stored value could not be read".to_owned(),
        sqlx::Error::Encode(_) | sqlx::Error::InvalidArgument(_) => "a value could not be sent".to_owned(),
        // The source of this one may quote the URL, and so the password.
        sqlx::Error::Configuration(_) => "the database URL is wrong".to_owned(),
        other => other.to_string(),
    }
}
