//! A real standby of PostgreSQL, made with `pg_basebackup`, for `DATABASE_READ_URL`: lists are read from it, and nothing
//! else. It is told to stop replaying, to go away and to come back. Needs `tests/run --servers`.

use std::{
    fs::File,
    net::TcpListener,
    os::unix::fs::{MetadataExt, chown},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use doorcode::db::{entity::Role, statement};
use sea_orm::{
    DbBackend,
    sqlx::{AssertSqlSafe, Connection, PgConnection, Row, postgres::PgRow, raw_sql},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::timeout;
use url::Url;

use crate::{
    harness::{Client, TestApp, on_servers},
    program::free_port,
};

/// A copy of the tests' PostgreSQL that follows it; it goes away when it is dropped.
pub(crate) struct Standby {
    folder: TempDir,
    port: u16,
    options: &'static [&'static str],
    server: Option<Child>,
}

impl Standby {
    /// Copies the tests' server and waits until the copy takes connections.
    pub(crate) async fn new(options: &'static [&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(nobody("-u")), Some(nobody("-g"))).unwrap();
        }
        let mut standby = Self { folder, port: free_port(), options, server: None };
        let copied = standby
            .command("pg_basebackup")
            .args(["--dbname", &maintenance_url(), "--pgdata", &standby.data()])
            .args(["--checkpoint=fast", "--write-recovery-conf", "--no-sync"])
            .output()
            .unwrap();
        assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
        standby.start().await;
        standby
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    /// A program of PostgreSQL's, which refuses to run as root.
    fn command(&self, name: &str) -> Command {
        let newest =
            std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().map(|folder| folder.unwrap().path());
        let program = newest.max().map_or_else(|| PathBuf::from(name), |folder| folder.join("bin").join(name));
        let mut command = Command::new("setpriv");
        if is_root() {
            let (user, group) = (nobody("-u"), nobody("-g"));
            command.args([&format!("--reuid={user}"), &format!("--regid={group}"), "--clear-groups"]);
        }
        command.args(["--pdeathsig", "TERM"]).arg(program).current_dir(self.folder.path());
        command
    }

    async fn start(&mut self) {
        let log = File::create(self.folder.path().join("log")).unwrap();
        let mut server = self.command("postgres");
        server
            .args(["-D", &self.data(), "-p", &self.port.to_string(), "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "unix_socket_directories=", "-c", "max_connections=400", "-c", "fsync=off"])
            .args(self.options.iter().flat_map(|option| ["-c", option]))
            .stdout(Stdio::null())
            .stderr(log);
        self.server = Some(server.spawn().unwrap());
        let url = self.url_of(&maintenance_url());
        eventually("the standby takes connections", async || PgConnection::connect(&url).await.is_ok()).await;
    }

    /// Gone without a word, as a machine is.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            drop(Command::new("kill").args(["-QUIT", &server.id().to_string()]).status());
            drop(server.wait());
        }
    }

    /// The same database on this server.
    pub(crate) fn url_of(&self, url: &str) -> String {
        let mut url = Url::parse(url).unwrap();
        url.set_port(Some(self.port)).unwrap();
        url.into()
    }

    /// An application with this standby beside its database.
    async fn app(&self) -> TestApp {
        let app = TestApp::with(|flags| {
            flags.database_read_url = flags.database_url.as_deref().map(|url| self.url_of(url));
        })
        .await;
        self.catches_up().await;
        app
    }

    async fn ask(&self, sql: &str) -> PgRow {
        ask(&self.url_of(&maintenance_url()), sql).await
    }

    /// Waits until all that was written so far is here.
    pub(crate) async fn catches_up(&self) {
        // Commits of the tests' server are written out a moment later; this one is at once, and all before it.
        let flush = "SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'test', '')::text";
        ask(&maintenance_url(), flush).await;
        let now: String = ask(&maintenance_url(), "SELECT pg_current_wal_lsn()::text").await.get(0);
        eventually("the standby catches up", async || {
            self.ask(&format!("SELECT pg_last_wal_replay_lsn() >= '{now}'")).await.get(0)
        })
        .await;
    }

    /// From now on it stays in the past.
    pub(crate) async fn freeze(&self) {
        self.catches_up().await;
        self.ask("SELECT pg_wal_replay_pause()::text").await;
        eventually("the standby is frozen", async || {
            self.ask("SELECT pg_get_wal_replay_pause_state()").await.get::<String, _>(0) == "paused"
        })
        .await;
    }

    pub(crate) async fn thaw(&self) {
        self.ask("SELECT pg_wal_replay_resume()::text").await;
        self.catches_up().await;
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The number of the account that owns nothing, or of its group.
fn nobody(which: &str) -> u32 {
    let told = Command::new("id").args([which, "nobody"]).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
}

fn maintenance_url() -> String {
    std::env::var("DOORCODE_TEST_DATABASE_URL").expect("run tests/run")
}

/// Waits for a server, which has all that other tests write to read again.
async fn eventually(what: &str, mut check: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if check().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never came true: {what}");
}

async fn ask(url: &str, sql: &str) -> PgRow {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let row = raw_sql(AssertSqlSafe(sql.to_owned())).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    row
}

/// The addresses of everybody in the list, sorted.
async fn listed(client: &Client<'_>) -> Vec<String> {
    let answer = client.query("{ users(first: 100) { totalCount nodes { email } } }", json!({})).await;
    let nodes = answer.json["data"]["users"]["nodes"].as_array().unwrap_or_else(|| panic!("{}", answer.text));
    assert_eq!(answer.json["data"]["users"]["totalCount"], nodes.len(), "{}", answer.text);
    let mut emails: Vec<_> = nodes.iter().map(|node| node["email"].as_str().unwrap().to_owned()).collect();
    emails.sort();
    emails
}

async fn value(client: &Client<'_>, query: &str, path: &str) -> Value {
    let answer = client.query(query, json!({})).await;
    answer.json["data"].pointer(path).unwrap_or_else(|| panic!("{path} in {}", answer.text)).clone()
}

#[tokio::test]
async fn lists_are_read_from_the_standby_and_everything_else_from_the_primary() {
    if !on_servers() {
        return;
    }
    let standby = Standby::new(&[]).await;
    let app = standby.app().await;
    let manager = app.person("grace@example.com", Role::Manager).await;
    let bob = app.person("bob@example.com", Role::User).await;
    standby.freeze().await;

    // What is written now is on the primary alone.
    let events = "{ auditEvents(first: 1) { totalCount } }";
    let events_before = value(&manager, events, "/auditEvents/totalCount").await;
    let carol = app.person("carol@example.com", Role::User).await;
    app.guest().sign_in("bob@example.com").await;
    app.guest().sign_in("grace@example.com").await;
    app.ctx().db.ping().await.unwrap();

    assert_eq!(listed(&manager).await, ["bob@example.com", "grace@example.com"], "the list is of the standby");
    assert_eq!(value(&manager, events, "/auditEvents/totalCount").await, events_before);
    let open = "sessions { totalCount nodes { id } }";
    let others = format!("{{ users(filter: {{ emailPrefix: \"bob\" }}) {{ nodes {{ {open} devices {{ id }} }} }} }}");
    assert_eq!(value(&manager, &others, "/users/nodes/0/sessions/totalCount").await, 1, "of the standby, too");
    assert_eq!(value(&manager, &others, "/users/nodes/0/devices").await.as_array().unwrap().len(), 1);

    // Whoever is asked for by id is looked up; one's own is found at once, and nothing waits for the standby.
    let user = format!("{{ user(id: \"{}\") {{ email sessions {{ totalCount }} }} }}", carol.signed_in.user);
    assert_eq!(value(&manager, &user, "/user/email").await, "carol@example.com");
    let own = format!("{{ me {{ {open} devices {{ id }} auditEvents {{ totalCount }} }} }}");
    assert_eq!(value(&bob, &own, "/me/sessions/totalCount").await, 2, "one's own list is the primary's");
    assert_eq!(value(&bob, &own, "/me/sessions/nodes").await.as_array().unwrap().len(), 2);
    assert_eq!(value(&bob, &own, "/me/devices").await.as_array().unwrap().len(), 2);
    assert_eq!(value(&manager, &own, "/me/sessions/totalCount").await, 2, "also a manager's own");
    let refreshed = app.guest().refresh(&carol.signed_in.refresh).await;
    assert_eq!(refreshed["__typename"], "Refreshed", "{refreshed}");
    assert_eq!(carol.logout().await.json["data"]["logout"]["__typename"], "LoggedOut");
    assert_eq!(carol.me().await.code(), "UNAUTHENTICATED", "at once, whatever the standby knows");
    app.set_role("grace@example.com", Role::User).await;
    assert_ne!(manager.query("{ users { totalCount } }", json!({})).await.json["data"]["users"]["totalCount"], 2);

    app.set_role("grace@example.com", Role::Manager).await;
    let manager = app.guest();
    let signed_in = manager.sign_in("grace@example.com").await;
    let manager = manager.with_bearer(&signed_in.access);
    assert_eq!(listed(&manager).await.len(), 2);
    standby.thaw().await;
    assert_eq!(listed(&manager).await.len(), 3, "and then the standby knows everything");
}

#[tokio::test]
async fn without_its_standby_lists_are_answered_by_the_primary() {
    if !on_servers() {
        return;
    }
    let mut standby = Standby::new(&[]).await;
    let app = standby.app().await;
    let manager = app.person("grace@example.com", Role::Manager).await;
    standby.freeze().await;
    app.make("carol@example.com", Role::User).await;
    assert_eq!(listed(&manager).await.len(), 1, "the standby answers");
    let parts = async || manager.get("/ready").await.json["parts"].clone();
    assert_eq!(parts().await[3]["name"], "replica");
    assert_eq!(parts().await[3]["ok"], true);

    let log = tempfile::NamedTempFile::new().unwrap();
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::INFO);
    let guard = tracing::subscriber::set_default(lines.with_writer(Arc::new(log.reopen().unwrap())).finish());
    standby.stop();
    let begun = Instant::now();
    assert_eq!(listed(&manager).await.len(), 2, "the primary answers");
    assert!(begun.elapsed() < Duration::from_secs(2), "within the time of an operation: {:?}", begun.elapsed());
    for _ in 0..20 {
        let begun = Instant::now();
        assert_eq!(listed(&manager).await.len(), 2);
        assert!(begun.elapsed() < Duration::from_millis(450), "nobody else waits: {:?}", begun.elapsed());
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let ready = manager.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json["parts"][3]["ok"]), (200, &json!(false)), "{}", ready.text);

    // It is looked at again, once in a while.
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(listed(&manager).await.len(), 2);
    let told = std::fs::read_to_string(log.path()).unwrap();
    assert_eq!(told.matches("the read replica is not well").count(), 1, "{told}");

    standby.start().await;
    standby.freeze().await;
    app.make("dave@example.com", Role::User).await;
    assert_eq!(listed(&manager).await.len(), 3, "not before the pause is over");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(listed(&manager).await.len(), 2, "the standby answers again");
    drop(guard);
}

#[tokio::test]
async fn a_standby_that_is_far_behind_is_not_asked() {
    if !on_servers() {
        return;
    }
    let standby = Standby::new(&[]).await;
    let app = standby.app().await;
    let manager = app.person("grace@example.com", Role::Manager).await;
    standby.freeze().await;
    app.make("carol@example.com", Role::User).await;
    assert_eq!(listed(&manager).await.len(), 1, "a little behind it may be");
    tokio::time::sleep(Duration::from_secs(36)).await;
    assert_eq!(listed(&manager).await.len(), 2, "but not half a minute");
    let ready = manager.get("/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json["parts"][3]["ok"]), (200, &json!(false)), "{}", ready.text);

    // All that other tests wrote meanwhile may take long to replay; it is enough that it is not half a minute behind.
    let thawed: String = standby.ask("SELECT clock_timestamp()::text, pg_wal_replay_resume()::text").await.get(0);
    let asked = format!(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%FROM users%' AND pid <> pg_backend_pid() \
         AND query_start > '{thawed}')"
    );
    let is_asked = async {
        while !standby.ask(&asked).await.get::<bool, _>(0) {
            // As often as one caller may ask.
            tokio::time::sleep(Duration::from_millis(200)).await;
            listed(&manager).await;
        }
    };
    timeout(Duration::from_mins(1), is_asked).await.expect("it is asked again");
}

#[tokio::test]
async fn a_standby_that_is_slow_or_in_conflict_with_what_it_replays_is_not_waited_for() {
    if !on_servers() {
        return;
    }
    // What is in the way of replaying is cut off at once.
    let standby = Standby::new(&["max_standby_streaming_delay=0"]).await;
    let app = standby.app().await;
    app.make("ada@example.com", Role::User).await;
    standby.catches_up().await;
    let db = &app.ctx().db;
    let answered_by_standby = async |sql: &str| -> bool {
        let rows = db.lists().all(statement(DbBackend::Postgres, sql, [])).await.unwrap();
        rows[0].try_get("", "standby").unwrap()
    };
    let quick = "SELECT pg_is_in_recovery() AS standby";
    assert!(answered_by_standby(quick).await);
    let fresh = db.primary().all(statement(DbBackend::Postgres, quick, [])).await.unwrap();
    assert!(!fresh[0].try_get::<bool>("", "standby").unwrap());

    let reading = answered_by_standby("SELECT pg_is_in_recovery() AS standby, pg_sleep(0.4)::text FROM users");
    let locking = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        app.sql("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; COMMIT").await;
    };
    let (by_standby, ()) = tokio::join!(reading, locking);
    assert!(!by_standby, "what was cut off there is answered by the primary");
    assert!(answered_by_standby(quick).await, "a conflict is no reason to leave the standby alone");

    let begun = Instant::now();
    let slow = "SELECT pg_is_in_recovery() AS standby, \
                pg_sleep(CASE WHEN pg_is_in_recovery() THEN 5 ELSE 0 END)::text";
    assert!(!answered_by_standby(slow).await);
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(!answered_by_standby(quick).await, "slowness is");
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(CASE%' AND state = 'active' \
                   AND pid <> pg_backend_pid()";
    eventually("the standby gives up, too", async || standby.ask(running).await.get::<i64, _>(0) == 0).await;
}

#[tokio::test]
async fn nothing_is_ever_written_where_lists_are_read() {
    if !on_servers() {
        return;
    }
    // Should the URL name the primary itself, its connections for lists still only read.
    let app = TestApp::with(|flags| flags.database_read_url.clone_from(&flags.database_url)).await;
    let read_only = statement(DbBackend::Postgres, "SELECT current_setting('transaction_read_only') AS only", []);
    let of = async |lists: doorcode::db::Lists<'_>| -> String {
        lists.all(read_only.clone()).await.unwrap()[0].try_get("", "only").unwrap()
    };
    assert_eq!(of(app.ctx().db.lists()).await, "on");
    assert_eq!(of(app.ctx().db.primary()).await, "off");
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = format!("postgres://u:p@127.0.0.1:{}/d", unused.local_addr().unwrap().port());
    drop(unused);
    let begun = Instant::now();
    let alone = TestApp::with(|flags| flags.database_read_url = Some(nowhere)).await;
    let manager = alone.person("grace@example.com", Role::Manager).await;
    assert_eq!(listed(&manager).await, ["grace@example.com"], "a process starts and serves without its standby");
    assert!(begun.elapsed() < Duration::from_secs(5));
}
