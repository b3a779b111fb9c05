//! What only some set-ups have, as `doorcode doctor` finds it: a certificate of its own, a standby to read lists from, and
//! a collector of traces.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Read},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::Command,
};

use sea_orm::DbBackend;
use url::Url;

use super::{Report, Setup, public::make_past};
use crate::{
    certificates::{Certificates, P256},
    database::fresh_database_of,
    harness::on_servers,
    program::free_port,
    standby::Standby,
};

impl Report {
    #[track_caller]
    pub(super) fn assert_told(&self, state: &str, check: &str, words: &str) {
        let found = self.findings.iter().find(|finding| finding["check"] == check);
        let found = found.unwrap_or_else(|| panic!("{check} in {}", self.printed));
        assert_eq!(found["state"], state, "{found}");
        assert!(found["seen"].as_str().unwrap().contains(words), "{words} in {found}");
    }
}

#[track_caller]
fn psql(url: &str, statement: &str) {
    let status = Command::new("psql").args([url, "-qc", statement]).status().unwrap();
    assert!(status.success(), "{statement}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_tls_that_are_no_pair_are_over_or_open_to_all_are_told() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    setup.examine().assert_told("skipped", "tls files", "a proxy");
    let certificates = Certificates::new();
    certificates.make("other", P256);
    let key = certificates.path("tls.key");
    let mode = |path: &str, mode: u32| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let folder = certificates.0.path().to_str().unwrap();
    mode(folder, 0o700);
    mode(&key, 0o644);
    setup.set("DOORCODE_TLS_CERT", certificates.path("tls.pem")).set("DOORCODE_TLS_KEY", &key);
    let report = setup.examine();
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    report.assert_told("ok", "tls files", "the key is the certificate's");
    report.assert_told("warning", "tls certificate", "good until");
    report.assert_told("ok", "tls key", "others cannot read it");

    mode(folder, 0o755);
    setup.examine().assert_told("warning", "tls key", "others can read");
    mode(&key, 0o640);
    setup.examine().assert_told("ok", "tls key", "others cannot read it");

    setup.set("DOORCODE_TLS_KEY", certificates.path("other.key"));
    setup.examine().assert_wrong("tls files", &["DOORCODE_TLS_KEY", "not the one of the certificate"]);
    setup.set("DOORCODE_TLS_KEY", certificates.path("no-such-file"));
    setup.examine().assert_wrong("tls files", &["DOORCODE_TLS_KEY", "cannot be read"]);
    make_past(certificates.0.path());
    setup.set("DOORCODE_TLS_CERT", certificates.path("certificate.pem"));
    setup.set("DOORCODE_TLS_KEY", certificates.path("key.pem"));
    setup.examine().assert_wrong("tls certificate", &["is over since 2021-01-01", "renew it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_stands_still_is_none_or_is_away_is_told() {
    if !on_servers() {
        return;
    }
    let database = fresh_database_of(DbBackend::Postgres).await;
    let mut standby = Standby::new(&[]).await;
    let sql = |statement: &str| psql(&database.url, statement);
    // As in service: somebody to whom the server does not tell everything.
    sql("CREATE ROLE doctors_reader LOGIN PASSWORD 'canary-of-a-reader'");
    standby.catches_up().await;
    let mut there = Url::parse(&standby.url_of(&database.url)).unwrap();
    there.set_username("doctors_reader").unwrap();
    there.set_password(Some("canary-of-a-reader")).unwrap();
    let there = there.to_string();
    let mut setup = Setup::new(&database);
    setup.examine().assert_told("skipped", "read replica", "the primary answers lists");
    setup.set("DATABASE_READ_URL", &there);
    let report = setup.examine();
    report.assert_told("ok", "read replica", "a standby answers");
    report.assert_told("ok", "replica lag", "ms behind");
    report.assert_told("ok", "replica copy", "the same database");
    assert!(!report.printed.contains("sends nothing"), "{}", report.printed);

    let mut other = Url::parse(&there).unwrap();
    other.set_path("postgres");
    setup.set("DATABASE_READ_URL", other);
    setup.examine().assert_told("problem", "replica copy", "another name");
    let mut primary = Url::parse(&database.url).unwrap();
    primary.set_query(Some("application_name=another"));
    setup.set("DATABASE_READ_URL", primary);
    let report = setup.examine();
    report.assert_told("warning", "read replica", "no standby");
    report.assert_told("skipped", "replica lag", "no standby");
    let mut wrong = Url::parse(&there).unwrap();
    wrong.set_password(Some("canary-of-the-standby")).unwrap();
    setup.set("DATABASE_READ_URL", wrong);
    setup.examine().assert_told("problem", "read replica", "refuses user, password");

    setup.set("DATABASE_READ_URL", &there);
    standby.freeze().await;
    setup.examine().assert_told("problem", "replica lag", "replay is paused");
    standby.stop();
    let report = setup.examine();
    assert!(report.checks("problem").contains(&"read replica"), "{}", report.printed);
    assert!(report.printed.contains("start the standby"), "{}", report.printed);
    sql("DROP ROLE doctors_reader");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_replays_late_is_told_with_its_seconds() {
    if !on_servers() {
        return;
    }
    let database = fresh_database_of(DbBackend::Postgres).await;
    let standby = Standby::new(&[]).await;
    standby.catches_up().await;
    let mut setup = Setup::new(&database);
    setup.set("DATABASE_READ_URL", standby.url_of(&database.url));
    let there = standby.url_of(&database.url);
    psql(&there, "ALTER SYSTEM SET recovery_min_apply_delay = '10min'");
    psql(&there, "SELECT pg_reload_conf()");
    psql(&database.url, "SET synchronous_commit = on; CREATE TABLE late (id int)");
    tokio::time::sleep(std::time::Duration::from_secs(11)).await;
    setup.examine().assert_told("warning", "replica lag", "s behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_is_connected_to_told_nothing_and_missed_only_with_a_warning() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    setup.examine().assert_told("skipped", "trace collector", "no traces");
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = |host: &str, port: u16| format!("http://{host}:{port}/canary-of-a-path");
    setup
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-of-the-collector")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("127.0.0.1", collector.local_addr().unwrap().port()));
    setup.examine().assert_told("ok", "trace collector", "takes connections");
    collector.set_nonblocking(true).unwrap();
    // Once for people and once for programs.
    for _ in 0..2 {
        let mut sent = Vec::new();
        collector.accept().unwrap().0.read_to_end(&mut sent).unwrap();
        assert!(sent.is_empty());
    }
    assert_eq!(collector.accept().unwrap_err().kind(), ErrorKind::WouldBlock);

    setup.set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("127.0.0.1", free_port()));
    let report = setup.examine();
    report.assert_told("warning", "trace collector", "takes no connection");
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    setup.set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("collector.invalid", 4318));
    setup.examine().assert_told("warning", "trace collector", "has no address");
}
