//! TLS on the public listener, over real sockets with temporary certificates. `program/tls.rs` tests changes of the
//! certificate and key files.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doorcode::{
    http::{Caps, Tls},
    settings::TlsFiles,
};
use rustls::{
    ProtocolVersion,
    version::{TLS12, TLS13},
};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    certificates::{Certificates, P256},
    harness::{TestApp, eventually},
    slow::{AT_ONCE, Client, Listening, QUERY, SHORT, head, of_address},
};

const HEALTH: &str = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";

fn open(certificates: &Certificates) -> Arc<Tls> {
    let files = TlsFiles { certificate: certificates.path("tls.pem").into(), key: certificates.path("tls.key").into() };
    Arc::new(Tls::open(&files).unwrap())
}

async fn listening(certificates: &Certificates, caps: Caps) -> Listening {
    Listening::over(Some(open(certificates)), caps, TestApp::new().await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_1_2_and_1_3_are_served_with_every_kind_of_key() {
    let certificates = Certificates::new();
    for kind in [P256, ["ec", "ec_paramgen_curve:secp384r1"], ["rsa", "rsa_keygen_bits:2048"]] {
        certificates.make("tls", kind);
        let server = listening(&certificates, Caps::default()).await;
        for (version, offered) in [(&TLS13, ["h2", "http/1.1"]), (&TLS12, ["http/1.1", "h2"])] {
            let mut client = certificates.connect_with("tls", server.public, &[version], &offered).await.unwrap();
            assert_eq!(client.agreed(), (Some(version.version), Some("http/1.1".into())));
            assert!(client.is_served().await && client.is_served().await, "a second request on the same connection");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_certificate_chain_is_served() {
    let certificates = Certificates::new();
    certificates.make_chain("tls");
    let server = listening(&certificates, Caps::default()).await;
    assert!(certificates.connect("root", server.public).await.unwrap().is_served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_with_only_http_2_are_refused_and_without_alpn_served() {
    let certificates = Certificates::new();
    let server = listening(&certificates, Caps::default()).await;
    assert!(certificates.connect_with("tls", server.public, &[&TLS13], &["h2"]).await.is_err());
    let mut client = certificates.connect_with("tls", server.public, &[&TLS13], &[]).await.unwrap();
    assert_eq!(client.agreed(), (Some(ProtocolVersion::TLSv1_3), None));
    assert!(client.is_served().await);
}

/// A `ClientHello` that offers versions up to this one, with cipher suites for all versions.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let suites = [0xc0, 0x2b, 0xc0, 0x2f, 0xc0, 0x13, 0xc0, 0x09, 0x00, 0x2f];
    // Curve P-256, uncompressed points, ECDSA and RSA with SHA-256.
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 6, 0, 4, 4, 3, 4, 1],
        // Extended master secret.
        &[0, 23, 0, 0],
    ]
    .concat();
    let length = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap().to_be_bytes();
    let body =
        [&version[..], &[7; 32], &[0], &length(&suites), &suites, &[1, 0], &length(&extensions), &extensions].concat();
    let message = [&[1, 0], &length(&body)[..], &body].concat();
    [&[22, 3, 1], &length(&message)[..], &message].concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_before_tls_1_2_are_refused() {
    let certificates = Certificates::new();
    let server = listening(&certificates, Caps::default()).await;
    let first_of_answer = async |version| {
        let mut client = server.connect().await;
        tokio::io::AsyncWriteExt::write_all(&mut client.0, &hello(version)).await.unwrap();
        let mut answer = [0; 7];
        timeout(AT_ONCE, client.0.read_exact(&mut answer)).await.expect("a response").unwrap();
        answer
    };
    for old in [[3, 0], [3, 1], [3, 2]] {
        let [kind, _, _, _, _, level, reason] = first_of_answer(old).await;
        assert_eq!((kind, level, reason), (21, 2, 70), "a fatal protocol_version alert");
    }
    let [kind, _, _, _, _, message, _] = first_of_answer([3, 3]).await;
    assert_eq!((kind, message), (22, 2), "the same ClientHello with TLS 1.2 is accepted");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_handshakes_time_out_and_delay_no_other_client() {
    let certificates = Certificates::new();
    let server = listening(&certificates, Caps { handshake: SHORT, ..Caps::default() }).await;
    let start = Instant::now();
    let mut silent = server.connect().await;
    let trickle = async {
        let mut client = server.connect().await;
        for byte in hello([3, 3]) {
            if tokio::io::AsyncWriteExt::write_all(&mut client.0, &[byte]).await.is_err() {
                break;
            }
            assert!(start.elapsed() < AT_ONCE, "further bytes must not extend the time limit");
            sleep(Duration::from_millis(20)).await;
        }
        client.closed().await;
    };
    let meanwhile = async {
        for _ in 0..5 {
            let mut client = certificates.connect("tls", server.public).await.unwrap();
            assert!(client.is_served().await);
        }
        assert!(start.elapsed() < SHORT * 3, "slow handshakes delay no other client");
    };
    tokio::join!(trickle, silent.closed(), meanwhile);
    assert!(start.elapsed() >= SHORT && start.elapsed() < AT_ONCE, "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_counts_as_a_connection_of_its_network_until_it_ends() {
    let certificates = Certificates::new();
    let caps = Caps { of_network: of_address(2), handshake: SHORT, ..Caps::default() };
    let server = listening(&certificates, caps).await;
    let (mut one, mut two) = (server.connect().await, server.connect().await);
    assert!(certificates.connect("tls", server.public).await.is_err(), "all slots are taken");
    assert!(one.closed().await < AT_ONCE && two.closed().await < AT_ONCE);
    eventually("a slot is free again", async || certificates.connect("tls", server.public).await.is_ok()).await;
    for _ in 0..20 {
        let mut stranger = server.connect().await;
        stranger.send(HEALTH).await;
        assert!(!stranger.answer().await.contains("HTTP"));
    }
    eventually("failed handshakes release their slots", async || {
        match certificates.connect("tls", server.public).await {
            Ok(mut client) => client.is_served().await,
            Err(_) => false,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tls_client_that_stops_reading_is_disconnected_in_time() {
    let certificates = Certificates::new();
    let spare = Duration::from_hours(1);
    let caps = Caps { of_network: of_address(1), unread: SHORT, spare, ..Caps::default() };
    let server = listening(&certificates, caps).await;
    let mut deaf = certificates.connect("tls", server.public).await.unwrap();
    deaf.send(&"GET /assets/any/graphiql.js HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(50)).await;
    let start = Instant::now();
    assert!(certificates.connect("tls", server.public).await.is_err(), "the only slot is taken");
    eventually("the slot is free", async || certificates.connect("tls", server.public).await.is_ok()).await;
    assert!(start.elapsed() >= SHORT);
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_on_a_tls_port_gets_an_alert_and_is_closed() {
    let certificates = Certificates::new();
    let server = listening(&certificates, Caps::default()).await;
    let mut client = server.connect().await;
    client.send(HEALTH).await;
    let mut answer = Vec::new();
    drop(timeout(AT_ONCE, client.0.read_to_end(&mut answer)).await.expect("a closed connection"));
    assert!(answer.len() <= 7 && !answer.starts_with(b"HTTP"), "{answer:?}");
    assert!(certificates.connect("tls", server.public).await.unwrap().is_served().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_tls_requests_and_does_not_wait_for_silent_clients() {
    let certificates = Certificates::new();
    let server = listening(&certificates, Caps::default()).await;
    let (first, second) = QUERY.split_at(10);
    let mut client = certificates.connect("tls", server.public).await.unwrap();
    client.send(&(head() + first)).await;
    let mut idle = certificates.connect("tls", server.public).await.unwrap();
    assert!(idle.is_served().await);
    let silent = server.connect().await;
    // Wait until the request is in progress.
    sleep(SHORT).await;
    server.stop.send_replace(true);
    eventually("no new connection is accepted", async || TcpStream::connect(server.public).await.is_err()).await;
    client.send(second).await;
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("connection: close"), "{answer}");
    assert!(idle.closed().await < AT_ONCE);
    let stopping = server.stop().await;
    assert!(stopping < AT_ONCE, "{stopping:?}");
    drop::<Client>(silent);
}
