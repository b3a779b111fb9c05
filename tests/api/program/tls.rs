//! The program with a certificate of its own: what it makes of two files, at its start and when they change.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    process::Command,
    time::Duration,
};

use tokio::time::sleep;

use super::{Home, Program};
use crate::certificates::{Certificates, P256};

/// Twice the time between two looks at the files, and the time of one.
const LOOKED: Duration = Duration::from_secs(7);

fn with(certificates: &Certificates) -> impl FnOnce(&mut Command) {
    let (certificate, key) = (certificates.path("tls.pem"), certificates.path("tls.key"));
    move |command| {
        command.env("DOORCODE_TLS_CERT", certificate).env("DOORCODE_TLS_KEY", key);
    }
}

/// Whether it shows the certificate of that name.
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
async fn a_new_certificate_is_shown_without_a_restart_and_connections_that_there_are_go_on() {
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
    assert!(from_before.is_served().await, "and drops nobody");
    assert_eq!(complaints(&program), 0, "{}", program.printed());
    program.signal("-TERM");
    assert!(program.child.wait().unwrap().success(), "{}", program.printed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_pair_that_is_no_good_is_told_once_and_the_one_before_stays() {
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
    assert!(shows(&program, &certificates, "good").await, "the next good one is taken");
    let pem = fs::read_to_string(certificates.path("other.key")).unwrap();
    let secret = pem.lines().nth(1).unwrap();
    assert!(!program.printed().contains(secret) && !program.printed().contains("BEGIN"), "and no key is told");
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_who_speak_no_tls_leave_no_line_in_the_log() {
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
async fn files_that_are_no_pair_stop_the_start_with_the_reason() {
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
        ("big", "tls.key", "DOORCODE_TLS_CERT", "more than"),
    ] {
        let output = home
            .command()
            .env("DOORCODE_TLS_CERT", certificates.path(certificate))
            .env("DOORCODE_TLS_KEY", certificates.path(key))
            .output()
            .unwrap();
        let told = super::text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{certificate} {key}: {told}");
        assert!(told.contains(variable) && told.contains(reason), "{certificate} {key}: {told}");
        assert!(!told.contains("panicked") && !told.contains("BEGIN"), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_everybody_can_read_is_warned_about_at_the_start() {
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
