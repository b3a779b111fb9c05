//! What workers do when the provider fails.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::TimeDelta;
use verificai::provider::{Failure, Provider, Question, Reply, offline::Rules};

use crate::harness::{Scripted, Verificai};

fn failing(failure: Failure) -> Arc<dyn Provider> {
    Arc::new(Scripted(move || {
        let failure = failure.clone();
        async move { Err::<Reply, _>(failure) }
    }))
}

#[tokio::test]
async fn a_failed_attempt_is_repeated_after_a_pause_that_grows() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let broken = || failing(Failure::temporary("The provider answered with the status 500."));
    for (attempt, pause) in (1..).zip([2, 4, 8, 16]) {
        assert_eq!(app.work_with(broken()).await, 1);
        let found = app.analysis(&ada, &id).await;
        assert_eq!((&found["status"], &found["attempts"]), (&"QUEUED".into(), &attempt.into()));
        assert!(found["error"].as_str().unwrap().contains("500"));
        // The pause is at least half of this, and at most all of it.
        app.pass(TimeDelta::milliseconds(pause * 500 - 1));
        assert_eq!(app.work_with(broken()).await, 0, "too early after attempt {attempt}");
        app.pass(TimeDelta::milliseconds(pause * 500 + 10));
    }
    assert_eq!(app.work_with(broken()).await, 1);
    assert_eq!(app.analysis(&ada, &id).await["status"], "FAILED");
    app.pass(TimeDelta::hours(1));
    assert_eq!(app.work().await, 0, "given up after five attempts");
}

#[tokio::test]
async fn a_later_attempt_can_succeed() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    app.work_with(failing(Failure::temporary("The provider cannot be reached."))).await;
    app.pass(TimeDelta::seconds(3));
    assert_eq!(app.work().await, 1);
    let found = app.analysis(&ada, &id).await;
    assert_eq!((&found["status"], &found["attempts"], &found["error"]), (&"SUCCEEDED".into(), &2.into(), &().into()));
    assert_eq!(app.rows("analysis_results").await, 1);
}

#[tokio::test]
async fn the_pause_that_the_provider_asks_for_is_kept() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    app.start_one(&ada, "k").await;
    let after = Some(Duration::from_secs(70));
    app.work_with(failing(Failure { after, ..Failure::temporary("The provider has too many requests.") })).await;
    app.pass(TimeDelta::seconds(69));
    assert_eq!(app.work().await, 0);
    app.pass(TimeDelta::seconds(2));
    assert_eq!(app.work().await, 1);
}

#[tokio::test]
async fn a_refused_question_is_not_repeated() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let refused = Failure { is_final: true, ..Failure::temporary("The provider answered with the status 400.") };
    app.work_with(failing(refused)).await;
    let found = app.analysis(&ada, &id).await;
    assert_eq!((&found["status"], &found["attempts"], &found["result"]), (&"FAILED".into(), &1.into(), &().into()));
}

/// A provider that cannot be asked at the moment.
struct Closed(Mutex<Result<(), Duration>>);

#[async_trait::async_trait]
impl Provider for Closed {
    async fn ask(&self, question: Question<'_>) -> Result<Reply, Failure> {
        Rules.ask(question).await
    }

    fn admit(&self) -> Result<(), Duration> {
        *self.0.lock().unwrap()
    }
}

#[tokio::test]
async fn while_the_provider_is_closed_no_attempt_is_used_up() {
    let app = Verificai::new().await;
    let ada = app.sign_in("ada@example.com").await;
    let id = app.start_one(&ada, "k").await;
    let provider = Arc::new(Closed(Mutex::new(Err(Duration::from_secs(1)))));
    assert_eq!(app.work_with(Arc::clone(&provider) as Arc<dyn Provider>).await, 0);
    assert_eq!(app.analysis(&ada, &id).await["attempts"], 0);
    *provider.0.lock().unwrap() = Ok(());
    assert_eq!(app.work_with(provider).await, 1);
}
