//! Database connections, on SQLite and PostgreSQL: error kinds, time limits, and recovery from failures.

use std::{
    fs,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use doorcode::{
    db::{Db, Options, entity, migrate, statement},
    error::Error,
};
use futures_util::FutureExt;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, PaginatorTrait, TransactionTrait, Value,
    sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql},
};
use tempfile::TempDir;
use url::Url;
use uuid::Uuid;

use crate::{
    database::{empty_database_of, every_backend, fresh_database_of, options},
    program::{free_port, own_postgres::OwnPostgres},
};

/// Maximum time until a client gets `UNAVAILABLE`.
const PROMISED: Duration = Duration::from_secs(2);

const KEY: &str =
    "INSERT INTO signing_keys (id, algorithm, sealed, created_at, signs_from) VALUES ($1, $2, $3, $4, $4)";

fn key(id: Uuid, algorithm: &str) -> [Value; 4] {
    [id.into(), algorithm.into(), vec![1_u8].into(), chrono::DateTime::UNIX_EPOCH.into()]
}

#[tokio::test]
async fn placeholders_are_numbered_on_both_databases() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        // `KEY` uses its fourth value twice. This statement uses its values out of order.
        db.write().execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "EdDSA"))).await.unwrap();
        let sql = "SELECT count(*) AS n FROM signing_keys WHERE algorithm = $2 AND signs_from >= $1 AND created_at = $1
                   AND algorithm <> $3";
        let values = [chrono::DateTime::UNIX_EPOCH.into(), "EdDSA".into(), "ES256".into()];
        let row = db.read().query_one_raw(statement(backend, sql, values)).await.unwrap().unwrap();
        assert_eq!(row.try_get::<i64>("", "n").unwrap(), 1, "{backend:?}");
    }
}

#[tokio::test]
async fn a_constraint_violation_is_a_conflict_and_other_errors_name_no_value() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let id = Uuid::now_v7();
        db.write().execute_raw(statement(backend, KEY, key(id, "EdDSA"))).await.unwrap();
        let twice = db.write().execute_raw(statement(backend, KEY, key(id, "EdDSA"))).await;
        assert!(matches!(twice.map_err(Error::from), Err(Error::Conflict)), "{backend:?}");

        let checked = db.write().execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "canary"))).await;
        let Err(Error::Internal(text)) = checked.map_err(Error::from) else { panic!("{backend:?}") };
        assert!(text.contains("signing_keys_algorithm_check") && !text.contains("canary"), "{text}");

        let wrong = db.read().execute_unprepared("SELECT missing FROM nowhere").await;
        let Err(Error::Internal(text)) = wrong.map_err(Error::from) else { panic!("{backend:?}") };
        assert!(text.contains("nowhere"), "{text}");

        if backend == DbBackend::Postgres {
            let cast = statement(backend, "SELECT CAST(CAST($1 AS text) AS uuid)", ["canary".into()]);
            let Err(Error::Internal(text)) = db.read().query_one_raw(cast).await.map_err(Error::from) else { panic!() };
            assert!(text.contains("22P02") && !text.contains("canary"), "{text}");
        }
    }
}

#[tokio::test]
async fn an_unknown_stored_value_is_not_repeated_in_errors() {
    let database = empty_database_of(DbBackend::Sqlite).await;
    let db = database.connect().await;
    db.write()
        .execute_unprepared(
            "CREATE TABLE users (id, email, name, role, status, created_at, updated_at, last_sign_in_at)",
        )
        .await
        .unwrap();
    let row = "INSERT INTO users VALUES (x'00000000000000000000000000000000', 'a', 'b', 'canary', 'canary', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00', 'canary')";
    db.write().execute_unprepared(row).await.unwrap();
    let Err(Error::Internal(text)) = entity::users::Entity::find().one(db.read()).await.map_err(Error::from) else {
        panic!()
    };
    assert!(!text.contains("canary"), "{text}");
}

#[tokio::test]
async fn every_statement_is_reported_to_a_test_that_asks() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let count = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&count);
        let db = database
            .try_connect(Some(Arc::new(move |_| {
                counter.fetch_add(1, Ordering::Relaxed);
            })))
            .await
            .unwrap();
        entity::users::Entity::find().count(db.read()).await.unwrap();
        db.write().execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "EdDSA"))).await.unwrap();
        let transaction = db.begin().await.unwrap();
        transaction.execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "EdDSA"))).await.unwrap();
        transaction.commit().await.unwrap();
        assert_eq!(
            count.load(Ordering::Relaxed),
            3,
            "{backend:?}: a SELECT, and an INSERT inside and outside a transaction"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_read_write_transactions_lose_no_update() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let racing: Vec<_> = (0..32)
            .map(|_| {
                let db = db.clone();
                tokio::spawn(async move {
                    let transaction = db.begin().await?;
                    entity::signing_keys::Entity::find().count(&transaction).await?;
                    transaction.execute_raw(statement(db.backend(), KEY, key(Uuid::now_v7(), "EdDSA"))).await?;
                    transaction.commit().await?;
                    Ok::<_, Error>(())
                })
            })
            .collect();
        for racer in racing {
            racer.await.unwrap().unwrap();
        }
        assert_eq!(entity::signing_keys::Entity::find().count(db.read()).await.unwrap(), 32, "{backend:?}");
    }
}

#[tokio::test]
async fn a_dropped_transaction_stores_nothing() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let transaction = db.begin().await.unwrap();
        transaction.execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "EdDSA"))).await.unwrap();
        drop(transaction);
        db.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(entity::signing_keys::Entity::find().count(db.read()).await.unwrap(), 0, "{backend:?}");
    }
}

#[tokio::test]
async fn a_caller_that_gives_up_while_a_transaction_begins_leaves_none_open() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let (db, other) = (database.connect().await, database.connect().await);
        for round in 0..30 {
            // Gives up at the first wait, which is often that for the answer to BEGIN.
            drop(db.begin().now_or_never());
            let id = Uuid::now_v7();
            db.write().execute_raw(statement(backend, KEY, key(id, "EdDSA"))).await.unwrap();
            let stored = entity::signing_keys::Entity::find_by_id(id).one(other.read()).await.unwrap();
            assert!(stored.is_some(), "{backend:?}: write {round} was in somebody else's transaction");
        }
    }
}

#[tokio::test]
async fn an_exhausted_pool_fails_within_the_time_limit() {
    for backend in every_backend() {
        let database = fresh_database_of(backend).await;
        let db = database.connect().await;
        let mut held = Vec::new();
        for _ in 0..if backend == DbBackend::Postgres { 20 } else { 1 } {
            held.push(db.begin().await.unwrap());
        }
        let start = Instant::now();
        let refused = db.write().execute_raw(statement(backend, KEY, key(Uuid::now_v7(), "EdDSA"))).await;
        assert!(matches!(refused.map_err(Error::from), Err(Error::Unavailable(_))), "{backend:?}");
        assert!(matches!(db.begin().await, Err(Error::Unavailable(_))), "{backend:?}");
        assert!(start.elapsed() < PROMISED * 2, "{backend:?}: {:?} for two requests", start.elapsed());
        drop(held);
        db.begin().await.unwrap().commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_locked_sqlite_file_is_unavailable_and_recovers() {
    let database = fresh_database_of(DbBackend::Sqlite).await;
    let (db, other) = (database.connect().await, database.connect().await);
    let lock = other.begin().await.unwrap();
    for _ in 0..2 {
        let start = Instant::now();
        assert!(matches!(db.begin().await, Err(Error::Unavailable(_))));
        let refused = db.write().execute_raw(statement(DbBackend::Sqlite, KEY, key(Uuid::now_v7(), "EdDSA"))).await;
        assert!(matches!(refused.map_err(Error::from), Err(Error::Unavailable(_))));
        assert!(start.elapsed() < PROMISED * 2, "{:?} for two requests", start.elapsed());
    }
    db.ping().await.unwrap();
    entity::users::Entity::find().count(db.read()).await.unwrap();
    lock.commit().await.unwrap();
    db.begin().await.unwrap().commit().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_unavailable_and_stores_no_partial_change() {
    let database = fresh_database_of(DbBackend::Sqlite).await;
    let db = database.connect().await;
    db.write().execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
    let transaction = db.begin().await.unwrap();
    let mut values = key(Uuid::now_v7(), "EdDSA");
    transaction.execute_raw(statement(DbBackend::Sqlite, KEY, values.clone())).await.unwrap();
    values[0] = Uuid::now_v7().into();
    values[2] = vec![1_u8; 1 << 20].into();
    let full = transaction.execute_raw(statement(DbBackend::Sqlite, KEY, values)).await;
    assert!(matches!(full.map_err(Error::from), Err(Error::Unavailable(_))));
    drop(transaction);
    db.write().execute_unprepared("PRAGMA max_page_count = 100000").await.unwrap();
    assert_eq!(entity::signing_keys::Entity::find().count(db.read()).await.unwrap(), 0);
}

/// SQLite rolls the transaction back when the disk is full during a commit.
#[tokio::test]
async fn commits_work_after_an_automatic_sqlite_rollback() {
    let database = fresh_database_of(DbBackend::Sqlite).await;
    let db = database.connect().await;
    let add = async |transaction: &DatabaseTransaction| {
        let values = key(Uuid::now_v7(), "EdDSA");
        transaction.execute_raw(statement(DbBackend::Sqlite, KEY, values)).await.unwrap();
    };
    let ended = db.begin().await.unwrap();
    ended.execute_unprepared("ROLLBACK").await.unwrap();
    drop(ended);
    let given_up = db.begin().await.unwrap();
    add(&given_up).await;
    drop(given_up);
    let transaction = db.begin().await.unwrap();
    add(&transaction).await;
    transaction.commit().await.unwrap();
    assert_eq!(entity::signing_keys::Entity::find().count(db.read()).await.unwrap(), 1);
}

#[tokio::test]
async fn a_reader_of_sqlite_cannot_write_and_commits_are_durable() {
    let database = fresh_database_of(DbBackend::Sqlite).await;
    let db = database.connect().await;
    let refused = db.read().execute_raw(statement(DbBackend::Sqlite, KEY, key(Uuid::now_v7(), "EdDSA"))).await;
    assert!(matches!(refused.map_err(Error::from), Err(Error::Internal(_))));
    for (pragma, expected) in [("synchronous", "2"), ("foreign_keys", "1"), ("journal_mode", "wal")] {
        let sql = format!("SELECT CAST({pragma} AS text) AS v FROM pragma_{pragma}");
        let row = db.write().query_one_raw(statement(DbBackend::Sqlite, &sql, [])).await.unwrap().unwrap();
        assert_eq!(row.try_get::<String>("", "v").unwrap(), expected, "{pragma}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_sqlite_file_is_readable_only_by_its_owner() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = TempDir::new().unwrap();
    let data = folder.path().join("data");
    let db = Db::connect(&options("sqlite://doorcode.db?mode=rwc", (1, 2), &data)).await.unwrap();
    migrate::up(&db).await.unwrap();
    assert_eq!(mode(&data), 0o700);
    for name in ["doorcode.db", "doorcode.db-wal", "doorcode.db-shm", "doorcode.db.migrating"] {
        assert_eq!(mode(&data.join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_work_is_refused_without_repeating_it() {
    let folder = TempDir::new().unwrap();
    for url in
        ["sqlite::memory:", "sqlite://x?mode=memory", "mysql://root:canary@localhost/x", "", "postgres://u:canary@[/"]
    {
        let refused = Db::connect(&options(url, (1, 2), folder.path())).await;
        let Err(Error::Startup(message)) = refused else { panic!("{url}: {refused:?}") };
        assert!(message.starts_with("DATABASE_URL ") && !message.contains("canary"), "{message}");
    }
    let missing = Db::connect(&options("sqlite://missing.db", (1, 2), folder.path())).await;
    assert!(matches!(missing, Err(Error::Unavailable(_))), "{missing:?}");
    assert!(!folder.path().join("missing.db").exists());
}

/// The startup error for a database URL that does not work.
async fn startup_error(url: &str) -> String {
    let refused = Db::connect(&Options { wait: Duration::ZERO, ..options(url, (1, 2), Path::new(".")) }).await;
    let Err(Error::Startup(message)) = refused else { panic!("{refused:?}") };
    assert!(!message.contains("canary"), "{message}");
    message
}

#[tokio::test]
async fn an_unreachable_postgresql_error_names_host_port_and_cause() {
    let port = free_port();
    assert_eq!(
        startup_error(&format!("postgres://doorcode:canary@127.0.0.1:{port}/doorcode")).await,
        format!(
            "Cannot reach PostgreSQL at 127.0.0.1:{port} (connection refused). Is the server running and reachable from \
             here?"
        )
    );
}

#[tokio::test]
async fn a_postgresql_refusal_says_what_to_correct() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    let server = OwnPostgres::start(&["max_connections=3", "superuser_reserved_connections=0", "max_wal_senders=0"]);
    let url = Url::parse(&server.url()).unwrap();
    let place = format!("Cannot connect to PostgreSQL at 127.0.0.1:{}", url.port().unwrap());
    let mut wrong = url.clone();
    wrong.set_password(Some("canary-of-somebody-else")).unwrap();
    let message = startup_error(wrong.as_str()).await;
    assert_eq!(message, format!("{place} (wrong user or password). Correct the user or the password in DATABASE_URL."));
    let mut wrong = url.clone();
    wrong.set_path("/nowhere");
    let message = startup_error(wrong.as_str()).await;
    assert!(message.starts_with(&format!("{place} (no such database). Create it")), "{message}");
    let mut held = Vec::new();
    while let Ok(connection) = PgConnection::connect(url.as_str()).await {
        held.push(connection);
    }
    let message = startup_error(url.as_str()).await;
    assert!(message.starts_with(&format!("{place} (too many connections). Raise max_connections")), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_connection_is_cut_at_most_one_request_fails() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    let database = fresh_database_of(DbBackend::Postgres).await;
    let db = database.connect().await;
    for transactions in [false, true] {
        // Twenty connections at the same time, so that the pool then contains twenty idle ones.
        let mut held = Vec::new();
        for _ in 0..20 {
            held.push(db.begin().await.unwrap());
        }
        drop(held);
        tokio::time::sleep(Duration::from_millis(100)).await;
        cut_all_connections(&database.url).await;

        let mut failed = Vec::new();
        for _ in 0..40 {
            let outcome = if transactions {
                db.begin().await.map(drop)
            } else {
                entity::users::Entity::find().count(db.read()).await.map(drop).map_err(Error::from)
            };
            failed.extend(outcome.err());
        }
        assert!(failed.len() <= 1, "{failed:?}");
        assert!(failed.iter().all(|error| matches!(error, Error::Unavailable(_))), "{failed:?}");
    }
}

/// Simulates a failover: the former primary is now a standby, and its host name still points to it for a while.
#[tokio::test(flavor = "multi_thread")]
async fn read_only_connections_are_replaced_and_a_read_only_database_is_unhealthy() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    let database = fresh_database_of(DbBackend::Postgres).await;
    let db = Db::connect(&options(&database.url, (1, 1), Path::new("."))).await.unwrap();
    let is_unavailable = |outcome: Result<(), Error>| matches!(outcome, Err(Error::Unavailable(_)));
    let write = async || {
        let values = key(Uuid::now_v7(), "EdDSA");
        db.write().execute_raw(statement(DbBackend::Postgres, KEY, values)).await.map(drop).map_err(Error::from)
    };
    let takes_none = "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY";
    db.write().execute_unprepared(takes_none).await.unwrap();
    assert!(is_unavailable(write().await), "the request notices the standby");
    write().await.expect("the retry uses another connection");

    let name = Url::parse(&database.url).unwrap().path().trim_start_matches('/').to_owned();
    let mut server = PgConnection::connect(&database.url).await.unwrap();
    let mut set = async |what: &str| {
        let sql = format!("ALTER DATABASE \"{name}\" {what}");
        raw_sql(AssertSqlSafe(sql)).execute(&mut server).await.unwrap();
    };
    set("SET default_transaction_read_only = on").await;
    db.write().execute_unprepared(takes_none).await.unwrap();
    assert!(is_unavailable(write().await));
    let start = Instant::now();
    assert!(is_unavailable(write().await) && is_unavailable(db.ping().await), "the database is not healthy");
    assert!(start.elapsed() < PROMISED * 2, "{:?} for two requests", start.elapsed());
    set("RESET default_transaction_read_only").await;
    write().await.expect("the pool recovers without a restart");
}

/// Simulates a lost database machine: it does not respond, and does not close connections.
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_times_out_and_is_discarded() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    // Uses a separate server: CREATE DATABASE waits for all sessions of a server, so other tests would wait, too.
    let server = OwnPostgres::start(&[]);
    let wait = Duration::from_secs(30);
    let db = Db::connect(&Options { wait, ..options(&server.url(), (1, 1), Path::new(".")) }).await.unwrap();
    let asked = statement(DbBackend::Postgres, "SELECT pg_backend_pid() AS pid", []);
    let pid: i32 = db.read().query_one_raw(asked.clone()).await.unwrap().unwrap().try_get("", "pid").unwrap();
    let signal = |signal: &str| {
        assert!(Command::new("kill").args([signal, &pid.to_string()]).status().unwrap().success());
    };
    // The pool still waits, without limit, for the server to confirm that the connection is free.
    while db.pools()[0].idle == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    signal("-STOP");
    let answer = db.in_time(db.read().query_one_raw(asked)).await;
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    let start = Instant::now();
    while db.ping().await.is_err() && start.elapsed() < Duration::from_secs(20) {}
    // Before any assertion, because the shutdown of the server would wait for the stopped process.
    signal("-CONT");
    assert!(start.elapsed() < Duration::from_secs(20), "the pool is stuck");
}

async fn cut_all_connections(url: &str) {
    let mut server = PgConnection::connect(url).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    raw_sql(AssertSqlSafe(cut.to_owned())).execute(&mut server).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_unavailable() {
    if !every_backend().contains(&DbBackend::Postgres) {
        return;
    }
    let database = fresh_database_of(DbBackend::Postgres).await;
    let db = database.connect().await;
    let limit =
        db.read().query_one_raw(statement(DbBackend::Postgres, "SHOW statement_timeout", [])).await.unwrap().unwrap();
    assert_eq!(limit.try_get::<String>("", "statement_timeout").unwrap(), "10s");
    let transaction = db.write().begin().await.unwrap();
    transaction.execute_unprepared("SET LOCAL statement_timeout = 50").await.unwrap();
    let late = transaction.execute_unprepared("SELECT pg_sleep(5)").await;
    assert!(matches!(late.map_err(Error::from), Err(Error::Unavailable(_))));
}
