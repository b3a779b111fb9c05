//! The SQLite file: whether it exists, is intact and is writable. Creates no file, and rolls back its transaction.

use std::{path::Path, time::Duration};

use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Row, query,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use super::{Findings, finding::Finding};
use crate::{
    db::{error::describe, sqlite::options},
    settings::Settings,
};

const DATABASE: &str = "database";
const WRITES: &str = "database writes";
/// Time limit for the integrity check. Check larger files with the `sqlite3` tool.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

pub(super) async fn examine(settings: &Settings) -> Findings {
    let (options, file) = options(settings.database_url.expose_secret(), &settings.data)
        .map_err(|error| Finding::problem(DATABASE, error.to_string(), "correct DATABASE_URL"))?;
    let name = file.display();
    if !file.exists() {
        return Err(Finding::skipped(DATABASE, format!("{name} does not exist yet; `doorcode migrate up` creates it")));
    }
    let owner = format!("chown {name} and the files next to it to the user of the server");
    let mut connection = options
        .clone()
        .pragma("query_only", "ON")
        .connect()
        .await
        .map_err(|error| Finding::problem(DATABASE, describe(&error), &owner))?;
    let opened = opened(&mut connection).await.map_or_else(
        |error| {
            let advice = format!("{name} may not be a database: restore the latest backup");
            Finding::problem(DATABASE, describe(&error), advice)
        },
        // Any journal mode is fine, because the next start changes it.
        |(version, journal)| Finding::ok(DATABASE, format!("SQLite {version}, journal {journal}, {name}")),
    );
    let integrity = integrity(&mut connection, &file).await;
    // Closing the last connection removes the files that SQLite put next to the database.
    drop(connection.close().await);
    let held = "find the process that keeps it locked, and stop it";
    let written = try_to_write(&options).await.map_or_else(
        |error| Finding::problem(WRITES, describe(&error), if is_held(&error) { held } else { &owner }),
        |()| Finding::ok(WRITES, "can begin a write transaction"),
    );
    Ok(vec![opened, integrity, written])
}

/// Whether another process has the lock (`SQLITE_BUSY`, `SQLITE_LOCKED`).
fn is_held(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

async fn opened(connection: &mut SqliteConnection) -> Result<(String, String), sqlx::Error> {
    let version = query("SELECT sqlite_version()").fetch_one(&mut *connection).await?.try_get(0)?;
    Ok((version, query("PRAGMA journal_mode").fetch_one(connection).await?.try_get(0)?))
}

async fn integrity(connection: &mut SqliteConnection, file: &Path) -> Finding {
    const CHECK: &str = "database file";
    let seen = match timeout(CHECK_TIMEOUT, query("PRAGMA quick_check(1)").fetch_one(connection)).await {
        Ok(Ok(row)) if row.try_get::<String, _>(0).is_ok_and(|it| it == "ok") => return Finding::ok(CHECK, "intact"),
        Ok(Ok(_)) => "damaged".to_owned(),
        Ok(Err(error)) => describe(&error),
        Err(_) => {
            let why = format!("too large to check here; run sqlite3 {} 'PRAGMA quick_check'", file.display());
            return Finding::skipped(CHECK, why);
        }
    };
    Finding::problem(CHECK, seen, "stop the server, copy the file, and restore the latest backup")
}

/// Takes and releases the write lock.
async fn try_to_write(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    query("BEGIN IMMEDIATE").execute(&mut connection).await?;
    query("ROLLBACK").execute(&mut connection).await?;
    connection.close().await
}
