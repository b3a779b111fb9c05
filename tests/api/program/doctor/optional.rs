//! What only some set-ups have, as `doorcode doctor` finds it: a certificate of its own, and a collector of
//! traces.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Read},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};

use super::{Report, Setup, public::make_past};
use crate::{
    certificates::{Certificates, P256},
    program::free_port,
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
    report.assert_told("ok", "tls files", "matches");
    report.assert_told("warning", "tls certificate", "expires on");
    report.assert_told("ok", "tls key", "cannot read it");

    mode(folder, 0o755);
    setup.examine().assert_told("warning", "tls key", "users can read");
    mode(&key, 0o640);
    setup.examine().assert_told("ok", "tls key", "cannot read it");

    setup.set("DOORCODE_TLS_KEY", certificates.path("other.key"));
    setup.examine().assert_wrong("tls files", &["DOORCODE_TLS_KEY", "does not match the certificate"]);
    setup.set("DOORCODE_TLS_KEY", certificates.path("no-such-file"));
    setup.examine().assert_wrong("tls files", &["DOORCODE_TLS_KEY", "cannot be read"]);
    make_past(certificates.0.path());
    setup.set("DOORCODE_TLS_CERT", certificates.path("certificate.pem"));
    setup.set("DOORCODE_TLS_KEY", certificates.path("key.pem"));
    setup.examine().assert_wrong("tls certificate", &["expired on 2021-01-01", "renew it"]);
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
    setup.examine().assert_told("ok", "trace collector", "accepts connections");
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
    report.assert_told("warning", "trace collector", "cannot connect");
    assert_eq!(report.checks("problem"), [] as [&str; 0], "{}", report.printed);
    setup.set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("collector.invalid", 4318));
    setup.examine().assert_told("warning", "trace collector", "cannot resolve");
}
