//! The SQLite file, for `doorcode doctor`: whether it is there, whole, and can be written. It makes no file, and rolls back
//! what it begins.

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
/// A large file takes longer than a person waits, and may be checked with the tool that SQLite brings.
const CHECKING: Duration = Duration::from_secs(3);

pub(super) async fn examine(settings: &Settings) -> Findings {
    let (options, file) = options(settings.database_url.expose_secret(), &settings.data)
        .map_err(|error| Finding::problem(DATABASE, error.to_string(), "correct DATABASE_URL"))?;
    let name = file.display();
    if !file.exists() {
        return Err(Finding::skipped(DATABASE, format!("{name} is not there yet: `doorcode migrate up` makes it")));
    }
    let owner = format!("chown {name} and what lies beside it to the user of the server");
    let mut connection = options
        .clone()
        .pragma("query_only", "ON")
        .connect()
        .await
        .map_err(|error| Finding::problem(DATABASE, describe(&error), &owner))?;
    let opened = opened(&mut connection).await.map_or_else(
        |error| {
            let advice = format!("{name} may be no database: restore the latest backup");
            Finding::problem(DATABASE, describe(&error), advice)
        },
        // The next start puts a file in another journal mode into this one.
        |(version, journal)| Finding::ok(DATABASE, format!("SQLite {version}, journal {journal}, {name}")),
    );
    let whole = whole(&mut connection, &file).await;
    // The last connection that closes removes what SQLite put beside the file.
    drop(connection.close().await);
    let held = "see which other process has it open for so long, and end that";
    let written = try_to_write(&options).await.map_or_else(
        |error| Finding::problem(WRITES, describe(&error), if is_held(&error) { held } else { &owner }),
        |()| Finding::ok(WRITES, "a transaction that writes can begin"),
    );
    Ok(vec![opened, whole, written])
}

/// Whether another process has the lock (`SQLITE_BUSY`, `SQLITE_LOCKED`).
fn is_held(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

/// The version of SQLite and the journal mode.
async fn opened(connection: &mut SqliteConnection) -> Result<(String, String), sqlx::Error> {
    let version = query("SELECT sqlite_version()").fetch_one(&mut *connection).await?.try_get(0)?;
    Ok((version, query("PRAGMA journal_mode").fetch_one(connection).await?.try_get(0)?))
}

async fn whole(connection: &mut SqliteConnection, file: &Path) -> Finding {
    const CHECK: &str = "database file";
    let seen = match timeout(CHECKING, query("PRAGMA quick_check(1)").fetch_one(connection)).await {
        Ok(Ok(row)) if row.try_get::<String, _>(0).is_ok_and(|it| it == "ok") => return Finding::ok(CHECK, "whole"),
        Ok(Ok(_)) => "damaged".to_owned(),
        Ok(Err(error)) => describe(&error),
        Err(_) => {
            let why = format!("too large to check here: sqlite3 {} 'PRAGMA quick_check'", file.display());
            return Finding::skipped(CHECK, why);
        }
    };
    Finding::problem(CHECK, seen, "stop the server, keep a copy of the file, and restore the latest backup")
}

/// Takes the lock of a writer and gives it back.
async fn try_to_write(options: &SqliteConnectOptions) -> Result<(), sqlx::Error> {
    let mut connection = options.connect().await?;
    query("BEGIN IMMEDIATE").execute(&mut connection).await?;
    query("ROLLBACK").execute(&mut connection).await?;
    connection.close().await
}
