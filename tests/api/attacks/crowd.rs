//! Hostile documents sent many times concurrently: total memory, and response times of other clients.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;

use super::{
    Attack, JSON, Table, documents,
    graphql::few,
    target::{Target, http},
};

/// Number of times that each document is sent.
const TIMES: usize = 200;
/// Number of parallel connections.
const CONNECTIONS: usize = 32;
/// Maximum response time for a well-behaved client during the attack: the server's time limit for one operation. A
/// debug build on two free cores takes a fifth of this time.
const PATIENCE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_attacks_use_bounded_memory_and_delay_no_other_client() {
    let target = Target::new(few).await;
    let tokens = target.sign_in("bystander@example.com").await;
    let me = [JSON, ("authorization", &format!("Bearer {}", tokens["accessToken"].as_str().unwrap()))];
    let me = http("POST", "/graphql", &me, r#"{"query":"{ me { email } }"}"#);
    let documents =
        [documents::guesses("x", "12345678"), documents::floods(), documents::multipliers(), documents::broken()]
            .concat();
    let db = target.database().await;
    let before = target.counters(&db).await;
    let mut table = Table::default();
    let done = AtomicBool::new(false);
    let slowest = async {
        let mut slowest = Duration::ZERO;
        while !done.load(Ordering::SeqCst) {
            let (reply, took) = target.send(&me).await;
            let reply = reply.expect("a response to the other client");
            assert_eq!(reply.json["data"]["me"]["email"], "bystander@example.com", "{}", reply.text);
            slowest = slowest.max(took);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        slowest
    };
    let crowd = async {
        for attack in documents.into_iter().map(Attack::document) {
            together(&target, &mut table, Arc::new(attack)).await;
        }
        done.store(true, Ordering::SeqCst);
    };
    let (slowest, ()) = tokio::join!(slowest, crowd);
    assert_eq!(target.counters(&db).await, before, "no counter changed");
    println!("the other client waited at most {slowest:?}");
    table.close();
    assert!(slowest < PATIENCE, "the other client waited {slowest:?}");
}

/// Sends one document many times over parallel connections.
async fn together(target: &Target, table: &mut Table, attack: Arc<Attack>) {
    let resident = target.resident();
    target.forget_peak();
    let sent = AtomicUsize::new(0);
    let start = Instant::now();
    let connections = (0..CONNECTIONS).map(|_| async {
        let mut wire = target.connect().await;
        let mut complaints = Vec::new();
        while sent.fetch_add(1, Ordering::SeqCst) < TIMES {
            let mut reply = wire.ask(&attack.bytes).await;
            if reply.is_none() {
                // The server closes a connection after its last response if it did not read the request to the end.
                wire = target.connect().await;
                reply = wire.ask(&attack.bytes).await;
            }
            complaints.extend(attack.complaint(reply.as_ref()).map(|why| format!("{}: {why}", attack.name)));
        }
        complaints
    });
    table.broken.extend(join_all(connections).await.into_iter().flatten());
    let each = start.elapsed() / u32::try_from(TIMES).unwrap();
    table.measured(target, &attack.name, resident);
    let what = format!("{TIMES} at once: {}", attack.name);
    table.write(target, &what, &format!("{:?}", attack.allowed[0]), each, resident);
}
