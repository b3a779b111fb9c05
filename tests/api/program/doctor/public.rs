//! The public URL, as `doorcode doctor` finds it: Doorcode behind it, something else, and certificates that browsers refuse.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use url::Url;

use super::{
    super::{free_port, text, until_somebody_listens},
    Setup,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_public_url_is_followed_to_doorcode_itself() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    let (port, ops) = (free_port(), free_port());
    setup
        .set("DOORCODE_PUBLIC_URL", format!("http://127.0.0.1:{port}"))
        .set("DOORCODE_LISTEN", format!("127.0.0.1:{port}"))
        .set("DOORCODE_OPS_LISTEN", format!("127.0.0.1:{ops}"));
    let mut serving = setup.command(&["serve"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until_somebody_listens(port, Duration::from_secs(10));
    let report = setup.examine();
    serving.kill().unwrap();
    serving.wait().unwrap();
    assert!(report.checks("ok").contains(&"public answer"), "{}", report.printed);

    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    setup.set("DOORCODE_PUBLIC_URL", format!("http://127.0.0.1:{}", other.local_addr().unwrap().port()));
    std::thread::spawn(move || {
        for stream in other.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nwelcome");
        }
    });
    let report = setup.examine();
    assert!(report.checks("warning").contains(&"public answer"), "{}", report.printed);
    assert!(report.printed.contains("not Doorcode (status 200)"), "{}", report.printed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_over_and_one_that_nobody_knows_are_told_apart() {
    let Some((_database, mut setup)) = Setup::on_sqlite().await else { return };
    // The mail server speaks TLS from the first byte, with a certificate of an authority that nobody knows.
    let port = Url::parse(&setup.mail.url()).unwrap().port().unwrap();
    setup.set("DOORCODE_PUBLIC_URL", format!("https://localhost:{port}"));
    let report = setup.examine();
    assert!(report.checks("warning").contains(&"certificate"), "{}", report.printed);
    assert!(report.printed.contains("an authority that browsers do not trust"), "{}", report.printed);

    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    make_past(folder.path());
    let mut serving = Command::new("openssl");
    serving.args(["s_server", "-quiet", "-accept", &port.to_string(), "-key", "key.pem", "-cert", "certificate.pem"]);
    serving.current_dir(folder.path()).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut serving = serving.spawn().unwrap();
    until_somebody_listens(port, Duration::from_secs(10));
    setup.set("DOORCODE_PUBLIC_URL", format!("https://localhost:{port}"));
    let report = setup.examine();
    serving.kill().unwrap();
    serving.wait().unwrap();
    report.assert_wrong("certificate", &["expired", "renew it"]);
}

/// A certificate that was good in 2020, and its key, in a folder.
pub(super) fn make_past(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    let authority = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n\
                     policy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=DNS:localhost\n";
    fs::write(folder.join("ca.cnf"), authority).unwrap();
    fs::write(folder.join("index.txt"), "").unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem";
    openssl(&format!("req -subj /CN=localhost {key} -out request.pem"));
    let past = "-startdate 20200101000000Z -enddate 20210101000000Z";
    openssl(&format!(
        "ca -batch -config ca.cnf -selfsign -keyfile key.pem -in request.pem {past} -notext -out certificate.pem"
    ));
}
