//! `doorcode health`, the health check of a container.

use std::{
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    time::Instant,
};

use super::{Home, text};

/// Runs `doorcode health`, which must only read `DOORCODE_OPS_LISTEN`: the database URL does not work. Returns the exit
/// code, the output and the error output.
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
    assert_eq!(empty.path().read_dir().unwrap().count(), 0, "the command creates no file");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn health_reports_whether_the_local_server_is_ready() {
    let home = Home::new().await;
    let program = home.start().await;
    for listens in [format!("127.0.0.1:{}", program.ops), format!("0.0.0.0:{}", program.ops)] {
        let (code, output, _) = health(&[], &listens);
        assert!(code == Some(0) && output.contains(r#""status":"ready""#), "{code:?} {output}");
        assert_eq!(health(&["--live"], &listens).0, Some(0));
    }
    drop(program);
}

#[test]
fn health_fails_without_a_server_or_with_another_one() {
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
    let (code, output, _) = health(&[], &address);
    assert!(code == Some(1) && output.contains("not ready") && !output.contains('\u{1b}'), "{code:?} {output}");
    let other = answer("HTTP/1.1 200 OK\r\n\r\n<html>");
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("not Doorcode")));
    let start = Instant::now();
    // The kernel accepts the connection, but no program responds.
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("cannot reach")));
    assert!(start.elapsed().as_secs() < 10);
    drop((listener, not_ready.join().unwrap(), other.join().unwrap()));
    assert!(matches!(health(&[], &address), (Some(1), _, why) if why.contains("cannot reach")));
    assert!(matches!(health(&[], "here"), (Some(1), _, why) if why.contains("DOORCODE_OPS_LISTEN")));
}
