//! Creates a migrated database for each test. `tests/run` starts the servers.
//!
//! `DOORCODE_TEST_DATABASE_URL` is a PostgreSQL database from which the tests create further databases. Tests of the
//! database code run on SQLite and PostgreSQL. All other tests run on SQLite, or on PostgreSQL if
//! `DOORCODE_TEST_STACK=servers`.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
    time::Duration,
};

use doorcode::{
    db::{Db, OnStatement, Options, migrate},
    error::Result,
};
use sea_orm::{
    DbBackend,
    sqlx::{AssertSqlSafe, Connection, PgConnection, Row, raw_sql},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;
use url::Url;
use uuid::Uuid;

use crate::harness::on_servers;

/// Key of the advisory lock that is held while the template is created. An arbitrary number.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61_7465;

/// A database for one test. Dropping this value deletes the database.
pub(crate) struct TestDatabase {
    /// The value for `DATABASE_URL`.
    pub(crate) url: String,
    /// The folder of the SQLite file; `None` on PostgreSQL.
    folder: Option<TempDir>,
}

impl TestDatabase {
    pub(crate) async fn connect(&self) -> Db {
        self.try_connect(None).await.unwrap()
    }

    /// Connects. Calls `on_statement` for every SQL statement.
    pub(crate) async fn try_connect(&self, on_statement: Option<OnStatement>) -> Result<Db> {
        let wait = Duration::from_secs(30);
        Db::connect_with(&Options { wait, ..options(&self.url, (1, 20), Path::new(".")) }, on_statement).await
    }
}

/// Connection options that fail immediately if the server is down.
pub(crate) fn options(url: &str, pool: (u32, u32), data: &Path) -> Options {
    Options { url: url.into(), pool, wait: Duration::ZERO, data: data.into() }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.folder.is_some() {
            return;
        }
        // Uses a separate runtime: `drop` cannot block on the test's runtime, which may be unwinding after a panic.
        let name = Url::parse(&self.url).unwrap().path().trim_start_matches('/').to_owned();
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(maintain(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        });
        if dropping.join().is_err() {
            tracing::warn!("a test database was not deleted");
        }
    }
}

/// A migrated database: PostgreSQL if `DOORCODE_TEST_STACK=servers`, otherwise SQLite.
pub(crate) async fn fresh_database() -> TestDatabase {
    fresh_database_of(if on_servers() { DbBackend::Postgres } else { DbBackend::Sqlite }).await
}

pub(crate) async fn fresh_database_of(backend: DbBackend) -> TestDatabase {
    if backend == DbBackend::Postgres {
        return create_database(Some(&postgres_template().await)).await;
    }
    let database = empty_database_of(backend).await;
    let file = database.folder.as_ref().unwrap().path().join("doorcode.db");
    fs::write(file, sqlite_template().await).unwrap();
    database
}

/// An empty database, without migrations.
pub(crate) async fn empty_database_of(backend: DbBackend) -> TestDatabase {
    if backend == DbBackend::Postgres {
        return create_database(None).await;
    }
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("doorcode.db").display());
    TestDatabase { url, folder: Some(folder) }
}

/// The databases for tests of the database code: SQLite and PostgreSQL, or only SQLite if
/// `DOORCODE_TEST_EMBEDDED_ONLY=1`.
pub(crate) fn every_backend() -> Vec<DbBackend> {
    let embedded_only = std::env::var("DOORCODE_TEST_EMBEDDED_ONLY").is_ok_and(|value| value == "1");
    match maintenance_url() {
        Some(_) => vec![DbBackend::Sqlite, DbBackend::Postgres],
        None if embedded_only => vec![DbBackend::Sqlite],
        None => panic!("run tests/run, which starts PostgreSQL, or set DOORCODE_TEST_EMBEDDED_ONLY=1"),
    }
}

fn maintenance_url() -> Option<String> {
    std::env::var("DOORCODE_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty())
}

/// The content of a migrated SQLite file. Complete, because closing the database merged the write-ahead log.
async fn sqlite_template() -> &'static [u8] {
    static TEMPLATE: OnceCell<Vec<u8>> = OnceCell::const_new();
    TEMPLATE
        .get_or_init(|| async {
            let database = empty_database_of(DbBackend::Sqlite).await;
            let db = database.connect().await;
            migrate::up(&db).await.unwrap();
            db.close().await.unwrap();
            fs::read(database.folder.as_ref().unwrap().path().join("doorcode.db")).unwrap()
        })
        .await
}

/// The name of a migrated PostgreSQL database to copy. The name contains a fingerprint of the migrations. The database
/// is not deleted, so that later runs reuse it.
async fn postgres_template() -> String {
    static TEMPLATE: OnceCell<String> = OnceCell::const_new();
    TEMPLATE.get_or_init(make_postgres_template).await.clone()
}

async fn make_postgres_template() -> String {
    let name = format!("doorcode_template_{:016x}", fingerprint());
    let mut connection = maintenance().await;
    raw_sql(AssertSqlSafe(format!("SELECT pg_advisory_lock({TEMPLATE_LOCK})"))).execute(&mut connection).await.unwrap();
    let count = format!("SELECT count(*) FROM pg_database WHERE datname = '{name}'");
    let found: i64 = raw_sql(AssertSqlSafe(count)).fetch_one(&mut connection).await.unwrap().get(0);
    if found == 0 {
        // The database gets its final name last, so that a template with that name is always complete.
        let database = create_database(None).await;
        let db = database.connect().await;
        migrate::up(&db).await.unwrap();
        db.close().await.unwrap();
        let draft = Url::parse(&database.url).unwrap().path().trim_start_matches('/').to_owned();
        maintain(&format!("ALTER DATABASE {draft} RENAME TO {name}")).await;
    }
    connection.close().await.unwrap();
    name
}

async fn create_database(template: Option<&str>) -> TestDatabase {
    let name = format!("doorcode_test_{}", Uuid::now_v7().simple());
    let from = template.map(|template| format!(" TEMPLATE {template}")).unwrap_or_default();
    maintain(&format!("CREATE DATABASE {name}{from}")).await;
    TestDatabase { url: database_url(&name), folder: None }
}

fn database_url(name: &str) -> String {
    let mut url = Url::parse(&maintenance_url().expect("DOORCODE_TEST_DATABASE_URL")).unwrap();
    url.set_path(name);
    url.into()
}

async fn maintenance() -> PgConnection {
    PgConnection::connect(&maintenance_url().expect("DOORCODE_TEST_DATABASE_URL")).await.unwrap()
}

async fn maintain(sql: &str) {
    let mut connection = maintenance().await;
    raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// A hash of all migrations.
fn fingerprint() -> u64 {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migration/src");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        fs::read(file).unwrap().hash(&mut hasher);
    }
    hasher.finish()
}
