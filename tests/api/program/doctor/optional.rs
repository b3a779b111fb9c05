//! Optional parts in `doorcode doctor`: a TLS certificate, a list of breached passwords and a trace collector.

use std::{
    fs::{self, Permissions},
    io::{ErrorKind, Read},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
};

use super::{Report, Setup, public::make_expired};
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
async fn doctor_reports_mismatched_expired_or_readable_tls_files() {
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
    make_expired(certificates.0.path());
    setup.set("DOORCODE_TLS_CERT", certificates.path("certificate.pem"));
    setup.set("DOORCODE_TLS_KEY", certificates.path("key.pem"));
    setup.examine().assert_wrong("tls certificate", &["expired on 2021-01-01", "renew it"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_connects_to_the_collector_without_sending_and_only_warns() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    setup.examine().assert_told("skipped", "trace collector", "no traces");
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = |host: &str, port: u16| format!("http://{host}:{port}/canary-of-a-path");
    setup
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=canary-of-the-collector")
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint("127.0.0.1", collector.local_addr().unwrap().port()));
    setup.examine().assert_told("ok", "trace collector", "accepts connections");
    collector.set_nonblocking(true).unwrap();
    // Once as text and once as JSON.
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

#[tokio::test(flavor = "multi_thread")]
async fn doctor_reports_a_list_of_breached_passwords_that_cannot_be_opened() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    setup.examine().assert_told("skipped", "breached passwords", "only common passwords");
    let [list, out] = ["list.txt", "breached.filter"].map(|name| setup.folder.path().join(name));
    fs::write(&list, "B1B3773A05C0ED0176787A4F1574FF0075F7521E:3\n").unwrap();
    assert!(setup.run(&["breached", "build", "list.txt", "breached.filter"]).status.success());
    setup.set("DOORCODE_BREACHED_PASSWORDS", out.display().to_string());
    setup.examine().assert_told("ok", "breached passwords", "1 hashes");
    let whole = fs::read(&out).unwrap();
    fs::write(&out, &whole[1..]).unwrap();
    setup.examine().assert_wrong("breached passwords", &["not a list", "doorcode breached build"]);
    fs::write(&out, &whole[..whole.len() - 1]).unwrap();
    setup.examine().assert_wrong("breached passwords", &["incomplete", "does not start"]);
}
