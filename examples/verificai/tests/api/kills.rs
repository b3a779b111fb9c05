//! A worker can die at any time: no analysis is lost, and each gets one result.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use chrono::TimeDelta;
use tokio::sync::{Notify, watch};
use verificai::{
    provider::{Failure, Reply, offline::Rules},
    worker::{Pace, Worker},
};

use crate::harness::{PACE, Scripted, Verificai};

/// Runs a future, and drops it when it waits for the `most`th time, as if the process were killed there.
async fn killed<T>(most: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut waits = 0;
    poll_fn(|task| match future.as_mut().poll(task) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending => {
            waits += 1;
            if waits >= most { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}

#[tokio::test]
async fn a_worker_that_dies_at_any_step_loses_nothing_and_leaves_one_result() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let (_go, stop) = watch::channel(false);
    let mut kills = 0;
    // PostgreSQL may answer before the worker waits, so one run has fewer waits than another.
    for run in 0..20 {
        for most in 1..400 {
            let id = app.start_one(&ada, &format!("k{run}-{most}")).await;
            let is_dead = killed(most, Box::pin(app.worker(Arc::new(Rules)).work(&stop))).await.is_none();
            // Another worker finds what the first left behind.
            app.pass(TimeDelta::seconds(31));
            app.work().await;
            let found = app.analysis(&ada, &id).await;
            assert_eq!(found["status"], "SUCCEEDED", "killed at wait {most}: {found}");
            assert_eq!(found["result"]["findings"].as_array().unwrap().len(), 2, "killed at wait {most}");
            assert_eq!(app.number("SELECT COUNT(*) FROM analysis_files WHERE status = 'QUEUED'").await, 0);
            if !is_dead {
                break;
            }
            kills += 1;
        }
        if kills >= 6 {
            break;
        }
    }
    assert!(kills >= 6, "only {kills} steps: does the loop kill anything?");
    assert_eq!(app.rows("analysis_results").await, app.rows("analyses").await);
}

#[tokio::test]
async fn a_worker_that_lost_its_lease_stores_nothing() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&asked), Arc::clone(&answer));
    let slow = Scripted(move || {
        tell.notify_one();
        let wait = Arc::clone(&wait);
        async move {
            wait.notified().await;
            Ok::<_, Failure>(Reply { model: "slow".into(), ..Reply::default() })
        }
    });
    // It sleeps so long that it never extends its lease.
    let pace = Pace { extend: Duration::from_hours(1), ..PACE };
    let worker = Worker::new(Arc::clone(&app.app.ctx), Arc::new(slow), pace);
    let (_go, stop) = watch::channel(false);
    let work = tokio::spawn(async move { worker.work(&stop).await });
    asked.notified().await;
    app.pass(TimeDelta::seconds(31));
    assert_eq!(app.work().await, 1, "another worker takes over");
    answer.notify_one();
    assert!(work.await.unwrap().unwrap());
    let found = app.analysis(&ada, &id).await;
    assert_eq!((found["result"]["model"].as_str(), found["attempts"].as_i64()), (Some("offline-rules"), Some(2)));
}

#[tokio::test]
async fn a_worker_that_works_keeps_its_lease() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    app.start_one(&ada, "k").await;
    let (_go, stop) = watch::channel(false);
    let worker = app.worker(Arc::new(Scripted(pending::<Result<Reply, Failure>>)));
    let work = tokio::spawn(async move { worker.work(&stop).await });
    for _ in 0..3 {
        // Longer than it takes to extend the lease, for the clock and in reality.
        tokio::time::sleep(4 * PACE.extend).await;
        app.pass(TimeDelta::seconds(20));
    }
    tokio::time::sleep(4 * PACE.extend).await;
    assert_eq!(app.work().await, 0);
    work.abort();
}

#[tokio::test]
async fn an_analysis_that_kills_every_worker_is_given_up() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let (_go, stop) = watch::channel(false);
    for _ in 0..5 {
        let worker = app.worker(Arc::new(Scripted(pending::<Result<Reply, Failure>>)));
        worker.recover().await.unwrap();
        assert!(tokio::time::timeout(4 * PACE.extend, worker.work(&stop)).await.is_err());
        app.pass(TimeDelta::seconds(31));
    }
    assert_eq!(app.work().await, 0);
    let found = app.analysis(&ada, &id).await;
    assert_eq!((&found["status"], &found["attempts"]), (&"FAILED".into(), &5.into()));
    assert!(found["error"].as_str().unwrap().contains("stopped each time"), "{found}");
    assert_eq!(app.rows("analysis_texts").await, 0);
}

#[tokio::test]
async fn a_worker_that_stops_gives_its_analysis_back() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let asked = Arc::new(Notify::new());
    let tell = Arc::clone(&asked);
    let silent = Scripted(move || {
        tell.notify_one();
        pending::<Result<Reply, Failure>>()
    });
    let (go, stop) = watch::channel(false);
    let running = tokio::spawn(app.worker(Arc::new(silent)).run(1, stop));
    asked.notified().await;
    go.send_replace(true);
    tokio::time::timeout(Duration::from_secs(5), running).await.unwrap().unwrap().unwrap();
    let found = app.analysis(&ada, &id).await;
    assert_eq!((&found["status"], &found["attempts"]), (&"QUEUED".into(), &0.into()));
    assert_eq!(app.work().await, 1);
}
