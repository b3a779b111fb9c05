//! The SQLite file, for `doorcode doctor`: whether it is there, whole, and can be written. It makes no file, and what it
//! begins it rolls back.

use std::{path::Path, time::Duration};

use sea_orm::sqlx::{
    ConnectOptions, Connection, Row, query,
    sqlite::{SqliteConnectOptions, SqliteConnection},
};
use tokio::time::timeout;

use crate::{
    db::{error::describe, sqlite::options},
    doctor::finding::Finding,
};

const DATABASE: &str = "database";
/// A large file takes longer than a person waits, and may be checked with the tool that SQLite brings.
const CHECKING: Duration = Duration::from_secs(3);

pub(super) async fn examine(url: &str, data: &Path) -> Vec<Finding> {
    let (options, file) = match options(url, data) {
        Ok(opened) => opened,
        Err(error) => return vec![Finding::problem(DATABASE, error.to_string(), "correct DATABASE_URL")],
    };
    if !file.exists() {
        let why = format!("{} is not there yet: `doorcode migrate up` makes it", file.display());
        return vec![Finding::skipped(DATABASE, why)];
    }
    let owner = format!("chown {} and what lies beside it to the user of the server", file.display());
    let mut connection = match options.clone().pragma("query_only", "ON").connect().await {
        Ok(connection) => connection,
        Err(error) => return vec![Finding::problem(DATABASE, describe(&error), owner)],
    };
    let mut findings = vec![opened(&mut connection, &file).await, whole(&mut connection, &file).await];
    // Whoever closes last takes away what SQLite put beside the file.
    drop(connection.close().await);
    findings.push(match try_to_write(&options).await {
        Ok(()) => Finding::ok("database writes", "a transaction that writes can begin"),
        Err(error) if is_held(&error) => {
            let advice = "see which other process has it open for so long, and end that";
            Finding::problem("database writes", describe(&error), advice)
        }
        Err(error) => Finding::problem("database writes", describe(&error), owner),
    });
    findings
}

/// Whether somebody else has the lock (`SQLITE_BUSY`, `SQLITE_LOCKED`).
fn is_held(error: &sea_orm::sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|refusal| refusal.code()?.parse::<u32>().ok());
    code.is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

async fn opened(connection: &mut SqliteConnection, file: &Path) -> Finding {
    let asked = async {
        let version: String = query("SELECT sqlite_version()").fetch_one(&mut *connection).await?.try_get(0)?;
        let journal: String = query("PRAGMA journal_mode").fetch_one(&mut *connection).await?.try_get(0)?;
        Ok::<_, sea_orm::sqlx::Error>((version, journal))
    };
    match asked.await {
        Ok((version, journal)) => {
            // A file in another mode is put into this one by the next start.
            Finding::ok(DATABASE, format!("SQLite {version}, journal {journal}, {}", file.display()))
        }
        Err(error) => {
            let advice = format!("{} may be no database: restore the latest backup", file.display());
            Finding::problem(DATABASE, describe(&error), advice)
        }
    }
}

async fn whole(connection: &mut SqliteConnection, file: &Path) -> Finding {
    const CHECK: &str = "database file";
    let restore = "stop the server, keep a copy of the file, and restore the latest backup";
    match timeout(CHECKING, query("PRAGMA quick_check(1)").fetch_one(connection)).await {
        Ok(Ok(row)) => match row.try_get::<String, _>(0).as_deref() {
            Ok("ok") => Finding::ok(CHECK, "whole"),
            _ => Finding::problem(CHECK, "damaged", restore),
        },
        Ok(Err(error)) => Finding::problem(CHECK, describe(&error), restore),
        Err(_) => {
            Finding::skipped(CHECK, format!("too large to check here: sqlite3 {} 'PRAGMA quick_check'", file.display()))
        }
    }
}

/// Takes the lock of a writer and lets it go.
async fn try_to_write(options: &SqliteConnectOptions) -> Result<(), sea_orm::sqlx::Error> {
    let mut connection = options.connect().await?;
    query("BEGIN IMMEDIATE").execute(&mut connection).await?;
    query("ROLLBACK").execute(&mut connection).await?;
    connection.close().await
}
