//! Maps database errors to the program's error type: conflict, unavailable or internal. Messages are for the log and
//! never hold a bound or stored value.

use std::io::{self, ErrorKind};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, error::DatabaseError, postgres::PgConnectOptions, sqlite::SqliteError},
};

use crate::error::Error;

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        match &error {
            DbErr::ConnectionAcquire(cause) => Self::Unavailable(format!("no database connection: {cause}")),
            DbErr::Conn(RuntimeErr::SqlxError(cause)) => Self::Unavailable(describe(cause)),
            DbErr::Conn(RuntimeErr::Internal(text)) => Self::Unavailable(text.clone()),
            DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => classify(cause),
            // These two quote the stored value.
            DbErr::Type(_) | DbErr::Json(_) => Self::Internal("a stored value does not fit its column".to_owned()),
            DbErr::TryIntoErr { from, into, .. } => Self::Internal(format!("a stored {from} is not a valid {into}")),
            _ => Self::Internal(error.to_string()),
        }
    }
}

/// Classifies a driver error.
fn classify(error: &sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(refusal) if refusal.is_unique_violation() || refusal.is_foreign_key_violation() => {
            tracing::debug!(error = describe(error), "the database refused a row");
            Error::Conflict
        }
        sqlx::Error::Database(refusal) if !is_temporary(refusal.as_ref()) => Error::Internal(describe(error)),
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

/// Whether the error is temporary.
fn is_temporary(refusal: &dyn DatabaseError) -> bool {
    let code = refusal.code().unwrap_or_default();
    if refusal.try_downcast_ref::<SqliteError>().is_some() {
        // The low byte is the primary code: busy, locked, out of memory, interrupted, I/O error, disk full, cannot
        // open. Read-only is missing on purpose: it means that code wrote through a reader.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 7 | 9 | 10 | 13 | 14));
    }
    // Single codes: deadlock, serialization failure, lock timeout, idle-in-transaction timeout, and a server that
    // became a read-only standby. Whole classes: lost connections, exhausted resources (including the disk), operator
    // intervention or timeout, and system errors.
    matches!(code.as_ref(), "40001" | "40P01" | "55P03" | "25P03" | "25006")
        || ["08", "53", "57", "58"].iter().any(|class| code.starts_with(class))
}

/// Describes an error without quoting a value.
pub(crate) fn describe(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(refusal) => {
            let code = refusal.code().unwrap_or_default();
            // PostgreSQL quotes values in messages about data (class 22) and in those raised by functions. Messages of
            // these classes name at most tables, columns and constraints.
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
        // Its source may quote the URL and thus the password.
        sqlx::Error::Configuration(_) => "the database URL is wrong".to_owned(),
        other => other.to_string(),
    }
}

/// The server's address, for messages to the operator. After an unencoded `/`, `?` or `#` in a password, the parser
/// takes the part before it for host and port, so a late `@` hides the address.
pub(super) fn server_name(url: &str, options: &PgConnectOptions) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let after_authority = rest.find(['/', '?', '#']).and_then(|end| rest.get(end..));
    if after_authority.is_some_and(|after| after.contains('@')) {
        return "PostgreSQL at the address in DATABASE_URL".to_owned();
    }
    match options.get_socket() {
        Some(socket) => format!("PostgreSQL at {}", socket.display()),
        None => format!("PostgreSQL at {}:{}", options.get_host(), options.get_port()),
    }
}

/// Explains why PostgreSQL cannot be reached, and the next step. The server's own message would name the user.
pub(super) fn unreachable(server_name: &str, error: &sqlx::Error) -> String {
    let code = match error {
        sqlx::Error::Database(refusal) => refusal.code().unwrap_or_default(),
        _ => "".into(),
    };
    let (cause, advice) = match (&*code, error) {
        ("28P01", _) => ("wrong user or password".into(), "Correct the user or the password in DATABASE_URL."),
        ("28000", _) => ("this user may not sign in from here".into(), "Correct DATABASE_URL or pg_hba.conf."),
        ("3D000", _) => ("no such database".into(), "Create it with `createdb`, or correct the name in DATABASE_URL."),
        ("42501", _) => {
            ("this user may not use the database".into(), "Grant it CONNECT, or correct the user in DATABASE_URL.")
        }
        ("53300", _) => {
            ("too many connections".into(), "Raise max_connections, or lower DOORCODE_DATABASE_POOL on every replica.")
        }
        ("57P03", _) => ("it is starting or stopping".into(), "Try again in a moment."),
        (_, sqlx::Error::Tls(_)) => {
            (describe(error), "Does the server offer TLS with a certificate that fits sslmode in DATABASE_URL?")
        }
        (_, sqlx::Error::Io(cause)) if cause.kind() == ErrorKind::ReadOnlyFilesystem => {
            ("it is read-only, or a standby".into(), "Name the primary in DATABASE_URL.")
        }
        (_, sqlx::Error::Io(cause)) => (reason(cause), "Is the server running and reachable from here?"),
        (_, sqlx::Error::PoolTimedOut) => ("timed out".into(), "Is the server running and reachable from here?"),
        _ => (describe(error), "See the server's log for the reason."),
    };
    let verb = if code.is_empty() { "reach" } else { "connect to" };
    format!("Cannot {verb} {server_name} ({cause}). {advice}")
}

/// The kind of a system error; other errors, such as failed name resolution, have only their text.
fn reason(cause: &io::Error) -> String {
    if cause.raw_os_error().is_some() { cause.kind().to_string() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[test]
    fn a_server_name_never_contains_a_part_of_the_password() {
        for (url, named) in [
            ("postgres://u:canary@db.example.com/doorcode", "PostgreSQL at db.example.com:5432"),
            ("postgres://u:canary@[::1]:6432/doorcode?sslmode=require", "PostgreSQL at [::1]:6432"),
            ("postgres://u:canary@db/x?host=/run/postgresql", "PostgreSQL at /run/postgresql"),
            ("postgres://u:12/canary@db.example.com/doorcode", "PostgreSQL at the address in DATABASE_URL"),
            ("postgres://u:12#canary@db.example.com/doorcode", "PostgreSQL at the address in DATABASE_URL"),
        ] {
            assert_eq!(server_name(url, &PgConnectOptions::from_str(url).unwrap()), named);
        }
    }

    #[test]
    fn an_unresolved_host_is_named_as_the_cause() {
        let cause = io::Error::other("failed to lookup address information: Name or service not known");
        let text = unreachable("PostgreSQL at db:5432", &sqlx::Error::Io(cause));
        assert!(text.starts_with("Cannot reach PostgreSQL at db:5432 (failed to lookup address"), "{text}");
        let text = unreachable("PostgreSQL at db:5432", &sqlx::Error::Io(io::Error::from_raw_os_error(113)));
        let expected = "Cannot reach PostgreSQL at db:5432 (host unreachable). Is the server running and reachable from \
                        here?";
        assert_eq!(text, expected);
    }
}
