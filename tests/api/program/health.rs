//! `doorcode health`, which a container is asked with.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    time::Instant,
};

use super::{Home, text};

/// Nothing of the server's settings but the one that it reads.
fn health(arguments: &[&str], listens: &str) -> (Option<i32>, String, String) {
    let empty = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_doorcode"))
        .arg("health")
        .args(arguments)
        .env_clear()
        .env("DOORCODE_OPS_LISTEN", listens)
        .env("DOORCODE_MODE", "production")
        .env("DATABASE_URL", "postgres://nobody@127.0.0.1:1/nothing")
        .current_dir(empty.path())
        .output()
        .unwrap();
    assert_eq!(empty.path().read_dir().unwrap().count(), 0, "it writes nothing");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn health_tells_whether_the_server_beside_it_can_serve() {
    let home = Home::new().await;
    let program = home.start().await;
    for listens in [format!("127.0.0.1:{}", program.ops), format!("0.0.0.0:{}", program.ops)] {
        let (code, told, _) = health(&[], &listens);
        assert!(code == Some(0) && told.contains(r#""status":"ready""#), "{code:?} {told}");
        assert_eq!(health(&["--live"], &listens).0, Some(0));
    }
    drop(program);
}

#[test]
fn health_fails_where_nobody_answers_or_somebody_else_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let answer = |answer: &'static str| {
        let listener = listener.try_clone().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            assert_ne!(stream.read(&mut [0; 1024]).unwrap(), 0);
            stream.write_all(answer.as_bytes()).unwrap();
        })
    };
    let not_ready = answer("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"status\":\"not ready\",\"x\":\"\\u001b[2J\"}");
    let (code, told, _) = health(&[], &address);
    assert!(code == Some(1) && told.contains("not ready") && !told.contains('\u{1b}'), "{code:?} {told}");
    let other = answer("HTTP/1.1 200 OK\r\n\r\n<html>");
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("not Doorcode")));
    let start = Instant::now();
    // Taken by the system and never answered.
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("cannot reach")));
    assert!(start.elapsed().as_secs() < 10);
    drop((listener, not_ready.join().unwrap(), other.join().unwrap()));
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("cannot reach")));
    assert!(matches!(health(&[], "here"), (Some(1), _, why) if why.contains("DOORCODE_OPS_LISTEN")));
}
