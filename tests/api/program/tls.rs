//! The certificate and key files of the program: checks at the start, and changes while it runs.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
    time::Duration,
};

use tokio::time::sleep;

use super::{Home, Program};
use crate::certificates::{Certificates, P256};

/// Time after which the program must have noticed a changed file: twice its check interval, and the duration of a
/// check.
const LOOKED: Duration = Duration::from_secs(7);

fn with(certificates: &Certificates) -> impl FnOnce(&mut Command) {
    let (certificate, key) = (certificates.path("tls.pem"), certificates.path("tls.key"));
    move |command| {
        command.env("DOORCODE_TLS_CERT", certificate).env("DOORCODE_TLS_KEY", key);
    }
}

/// Whether the program serves the certificate with this name.
async fn shows(program: &Program, certificates: &Certificates, name: &str) -> bool {
    match certificates.connect(name, ([127, 0, 0, 1], program.port).into()).await {
        Ok(mut client) => client.is_served().await,
        Err(_) => false,
    }
}

fn complaints(program: &Program) -> usize {
    program.printed().matches("keeping the current one").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_restart_and_connections_stay_open() {
    let home = Home::new().await;
    let certificates = Certificates::new();
    let mut program = home.start_with(with(&certificates)).await;
    assert!(program.printed().contains("https://localhost:"), "{}", program.printed());
    let mut from_before = certificates.connect("tls", ([127, 0, 0, 1], program.port).into()).await.unwrap();
    assert!(from_before.is_served().await);
    certificates.make("new", ["rsa", "rsa_keygen_bits:2048"]);
    assert!(!shows(&program, &certificates, "new").await);
    certificates.replace("tls", "new");
    sleep(LOOKED).await;
    assert!(shows(&program, &certificates, "new").await, "{}", program.printed());
    assert!(from_before.is_served().await, "the new certificate closes no connection");
    assert_eq!(complaints(&program), 0, "{}", program.printed());
    program.signal("-TERM");
    assert!(program.child.wait().unwrap().success(), "{}", program.printed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_new_certificate_is_logged_once_and_the_old_one_stays() {
    let home = Home::new().await;
    let certificates = Certificates::new();
    let program = home.start_with(with(&certificates)).await;
    for name in ["first", "other", "good"] {
        certificates.make(name, P256);
    }
    certificates.replace("first", "tls");
    let key = certificates.path("tls.key");
    for (count, what) in (1..).zip(["a key of another certificate", "half a file", "no file"]) {
        match count {
            1 => assert!(fs::copy(certificates.path("other.key"), &key).is_ok()),
            2 => fs::write(&key, &fs::read(certificates.path("good.key")).unwrap()[..99]).unwrap(),
            _ => fs::remove_file(&key).unwrap(),
        }
        sleep(LOOKED).await;
        assert!(shows(&program, &certificates, "first").await, "{what}");
        assert_eq!(complaints(&program), count, "{what}:\n{}", program.printed());
    }
    certificates.replace("tls", "good");
    sleep(LOOKED).await;
    assert!(shows(&program, &certificates, "good").await, "the program uses the next valid certificate");
    let pem = fs::read_to_string(certificates.path("other.key")).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    assert!(!program.printed().contains(secret) && !program.printed().contains("BEGIN"), "the output contains no key");
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_tls_handshakes_are_not_logged() {
    let home = Home::new().await;
    let certificates = Certificates::new();
    let program = home.start_with(with(&certificates)).await;
    let before = program.printed();
    for _ in 0..50 {
        assert!(reqwest::get(format!("http://127.0.0.1:{}/", program.port)).await.is_err());
    }
    assert!(shows(&program, &certificates, "tls").await);
    let printed = program.printed();
    let new: Vec<_> = printed[before.len()..].lines().filter(|line| !line.contains("/health")).collect();
    assert!(new.is_empty(), "{new:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mismatched_certificate_and_key_stop_the_start() {
    let home = Home::new().await;
    let certificates = Certificates::new();
    certificates.make("other", P256);
    fs::write(certificates.path("empty"), "").unwrap();
    fs::write(certificates.path("big"), vec![b'x'; 2 * 1024 * 1024]).unwrap();
    let locked = Command::new("openssl")
        .args(["ec", "-aes128", "-passout", "pass:x", "-in"])
        .args([certificates.path("tls.key"), "-out".into(), certificates.path("locked")])
        .output();
    assert!(locked.unwrap().status.success());
    for (certificate, key, variable, reason) in [
        ("tls.pem", "other.key", "DOORCODE_TLS_KEY", "does not match the certificate"),
        ("tls.pem", "no-such-file", "DOORCODE_TLS_KEY", "cannot be read"),
        ("tls.pem", "", "DOORCODE_TLS_KEY", "not a file"),
        ("tls.pem", "tls.pem", "DOORCODE_TLS_KEY", "without a private key"),
        ("tls.pem", "locked", "DOORCODE_TLS_KEY", "passphrase"),
        ("no-such-file", "tls.key", "DOORCODE_TLS_CERT", "cannot be read"),
        ("empty", "tls.key", "DOORCODE_TLS_CERT", "without a certificate"),
        ("tls.key", "tls.key", "DOORCODE_TLS_CERT", "without a certificate"),
        ("big", "tls.key", "DOORCODE_TLS_CERT", "larger than"),
    ] {
        let output = home
            .command()
            .env("DOORCODE_TLS_CERT", certificates.path(certificate))
            .env("DOORCODE_TLS_KEY", certificates.path(key))
            .output()
            .unwrap();
        let error = super::text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{certificate} {key}: {error}");
        assert!(error.contains(variable) && error.contains(reason), "{certificate} {key}: {error}");
        assert!(!error.contains("panicked") && !error.contains("BEGIN"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_world_readable_key_is_warned_about_at_start() {
    let home = Home::new().await;
    let certificates = Certificates::new();
    let warning = "DOORCODE_TLS_KEY names a file that every user of this machine can read or change";
    for (folder, mode, warned) in
        [(0o755, 0o600, false), (0o755, 0o640, false), (0o700, 0o644, false), (0o755, 0o644, true)]
    {
        fs::set_permissions(certificates.path("."), Permissions::from_mode(folder)).unwrap();
        fs::set_permissions(certificates.path("tls.key"), Permissions::from_mode(mode)).unwrap();
        let program = home.start_with(with(&certificates)).await;
        assert_eq!(program.printed().contains(warning), warned, "{folder:o} {mode:o}:\n{}", program.printed());
    }
}
