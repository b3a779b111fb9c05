//! Long tests of load and faults, for `tests/run --all`.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doorcode::domain::Ctx;
use serde_json::json;
use tokio::sync::watch;
use verificai::{
    provider::offline::Rules,
    queue,
    worker::{Pace, Worker},
};

use crate::{
    harness::{START, Verificai, order},
    process::Home,
    proxy::{Proxy, through},
};

/// Copies the only analysis, until its owner has `number`, each with its own turn.
async fn copy(app: &Verificai, number: i32) {
    let postgres = app.app.ctx.db.backend() == sea_orm::DbBackend::Postgres;
    // Ids are UUIDs v7 whose order is that of the numbers. SQLite stores them as bytes.
    let id = if postgres {
        "CAST('01980000-0000-7000-8000-' || lpad(to_hex(i), 12, '0') AS uuid)"
    } else {
        "unhex('0198000000007000800000' || printf('%010x', i))"
    };
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < {number})");
    let original = "(SELECT id FROM analyses WHERE idempotency_key = 'original')";
    for sql in [
        format!(
            "{numbers} INSERT INTO analyses (id, owner_id, prompt_id, prompt_version, status, progress, attempts, turn, \
             idempotency_key, request_hash, variables, ready_at, created_at) SELECT {id}, owner_id, prompt_id, \
             prompt_version, status, 0, 0, i, 'copy' || i, request_hash, variables, ready_at, created_at \
             FROM analyses, n WHERE idempotency_key = 'original'"
        ),
        format!(
            "{numbers} INSERT INTO analysis_files SELECT {id}, position, name, bytes, sha256, language, status \
             FROM analysis_files, n WHERE analysis_id = {original}"
        ),
        format!(
            "{numbers} INSERT INTO analysis_texts SELECT {id}, position, text FROM analysis_texts, n \
             WHERE analysis_id = {original}"
        ),
    ] {
        app.run(&sql, []).await;
    }
}

/// Works with this many loops until nothing is queued or running.
async fn work(app: &Verificai, loops: usize) {
    let (go, stop) = watch::channel(false);
    let running = tokio::spawn(app.worker(Arc::new(Rules)).run(loops, stop));
    while app.number("SELECT COUNT(*) FROM analyses WHERE status IN ('QUEUED', 'RUNNING')").await > 0 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    go.send_replace(true);
    running.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn four_workers_finish_a_thousand_analyses_in_half_a_minute_each_once() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    app.start_one(&ada, "original").await;
    copy(&app, 1_000).await;
    let start = Instant::now();
    work(&app, 4).await;
    println!("1,000 analyses by 4 workers: {:.1?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
    assert_eq!(app.number("SELECT COUNT(*) FROM analyses WHERE status = 'SUCCEEDED' AND attempts = 1").await, 1_000);
    assert_eq!(app.rows("analysis_results").await, 1_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_analyses_of_one_user_do_not_delay_another() {
    let app = Verificai::new().await;
    let (ada, bob) = (app.sign_in("ada@example.com").await, app.sign_in("bob@example.com").await);
    app.start_one(&ada, "original").await;
    copy(&app, 10_000).await;
    app.run("ANALYZE", []).await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let more = app.data(&ada, START, order(&prompt, "more", &[("a.rs", "x")])).await;
    assert_eq!(more["startAnalysis"]["limit"], 10_000, "{more}");
    let start = Instant::now();
    let mut slowest = Duration::ZERO;
    for number in 0..10 {
        let one = Instant::now();
        app.data(&bob, START, order(&prompt, &format!("b{number}"), &[("a.rs", "x")])).await;
        slowest = slowest.max(one.elapsed());
    }
    println!("startAnalysis beside 10,000 others: {:.1?} on average, {slowest:.1?} at most", start.elapsed() / 10);
    // His ten are done after at most twenty.
    let (worker, (_go, stop)) = (app.worker(Arc::new(Rules)), watch::channel(false));
    let start = Instant::now();
    for _ in 0..21 {
        assert!(worker.work(&stop).await.unwrap());
    }
    println!("an analysis beside 10,000 others: {:.1?}", start.elapsed() / 21);
    let his = app.data(&bob, "{ analyses(status: SUCCEEDED) { totalCount } }", json!({})).await;
    assert_eq!(his["analyses"]["totalCount"], 10);
    let taken = Instant::now();
    queue::take(&app.app.ctx, Duration::from_secs(30)).await.unwrap().unwrap();
    println!("taking one of 10,000: {:.1?}", taken.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_again_and_again_lose_nothing() {
    let mut home = Home::new().await;
    home.set("VERIFICAI_WORKERS", "0");
    let server = home.serve("server.log").await;
    let ada = server.sign_in("ada@example.com").await;
    for number in 0..100 {
        server.start(&ada, &format!("k{number}")).await;
    }
    home.set("VERIFICAI_WORKERS", "2");
    let mut workers: Vec<_> = (0..2).map(|name| home.spawn(&["worker"], &format!("worker{name}.log"))).collect();
    for round in 0..10_u64 {
        // Dropping one kills it.
        let name = usize::try_from(round % 2).unwrap();
        tokio::time::sleep(Duration::from_millis(600 + 137 * round % 400)).await;
        workers[name] = home.spawn(&["worker"], &format!("worker{name}-{round}.log"));
    }
    // Those that the killed ones had are free after 30 seconds.
    server.wait_for(&ada, "SUCCEEDED", 100, Duration::from_mins(3)).await;
    let results = server.ask(Some(&ada), "{ usageByDay { analyses } }", json!({})).await;
    assert_eq!(results["data"]["usageByDay"][0]["analyses"], 100, "{results}");
}

/// A context whose connection to PostgreSQL goes through a proxy. `None` on SQLite.
async fn through_proxy() -> Option<(Verificai, Proxy, Arc<Ctx>)> {
    let app = Verificai::new().await;
    let url = app.database_url()?;
    let proxy = Proxy::to(&through(&url, "x").1).await;
    let far = app.replica_at(&through(&url, &proxy.address).0).await;
    let ctx = Arc::clone(&far.app.ctx);
    Some((app, proxy, ctx))
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_survive_a_database_that_is_away_for_ten_seconds() {
    let Some((app, proxy, ctx)) = through_proxy().await else { return println!("skipped: there is no PostgreSQL") };
    let ada = app.sign_in("ada@example.com").await;
    app.start_one(&ada, "original").await;
    copy(&app, 500).await;
    let (go, stop) = watch::channel(false);
    let pace = Pace { lease: Duration::from_secs(30), ..Pace::default() };
    let running = tokio::spawn(Arc::new(Worker::new(ctx, Arc::new(Rules), pace)).run(4, stop));
    let done = async || app.number("SELECT COUNT(*) FROM analyses WHERE status = 'SUCCEEDED'").await;
    while done().await < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    proxy.cut();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = done().await;
    assert!(before < 500);
    tokio::time::sleep(Duration::from_secs(9)).await;
    assert_eq!(done().await, before, "the database is away");
    proxy.restore();
    let start = Instant::now();
    while done().await < 490 {
        assert!(start.elapsed() < Duration::from_mins(1), "{} of 500", done().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Those that were cut off are free when their lease ends. The clock of the test stands still until then.
    app.pass(chrono::TimeDelta::seconds(31));
    while done().await < 500 {
        assert!(start.elapsed() < Duration::from_mins(1), "{} of 500", done().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(app.rows("analysis_results").await, 500);
    go.send_replace(true);
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn starting_takes_under_20_milliseconds() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let prompt = app.preset(&ada, "Bug hunt").await;
    let mut times = Vec::new();
    for number in 0..21 {
        let input = order(&prompt, &format!("k{number}"), &[("a.rs", "fn f() {}\n"), ("b.rs", "fn g() {}\n")]);
        let start = Instant::now();
        app.data(&ada, START, input).await;
        times.push(start.elapsed());
    }
    times.sort_unstable();
    println!("startAnalysis: median {:.1?}, slowest {:.1?}", times[10], times[20]);
    assert!(times[10] < Duration::from_millis(20), "{times:?}");
}
