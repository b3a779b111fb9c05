//! Concurrent requests: an action that must happen once happens once, in any order of the requests. Runs on the
//! database that `DOORCODE_TEST_STACK` selects.

use doorcode::limits::Rule;
use futures_util::future::join_all;
use serde_json::Value;

use crate::harness::{TestApp, other_than};

const RACERS: usize = 64;

fn typed<'a>(answers: &'a [Value], name: &str) -> Vec<&'a Value> {
    answers.iter().filter(|answer| answer["__typename"] == name).collect()
}

async fn open_app() -> TestApp {
    TestApp::with(|flags| drop(flags.limits.insert(Rule::VerifyNetwork, "1000/1m".into()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_concurrent_verifications_of_one_code_sign_in_once() {
    for round in 0..3 {
        let app = open_app().await;
        let guest = app.guest();
        let email = format!("race{round}@example.com");
        let challenge = guest.challenge(&email).await;
        let code = app.last_code_for(&email).await;
        let answers = join_all((0..RACERS).map(|_| guest.verify(&challenge, &code))).await;
        assert_eq!(typed(&answers, "SignedIn").len(), 1);
        assert_eq!(typed(&answers, "CodeExpired").len(), RACERS - 1);
        assert_eq!(app.count("sessions", "1 = 1").await, 1);
        assert_eq!(app.count("users", "1 = 1").await, 1);
        assert_eq!(app.count("audit_events", "kind = 'SIGNED_UP'").await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_three_of_sixty_four_concurrent_wrong_codes_are_compared() {
    let app = open_app().await;
    let guest = app.guest();
    let challenge = guest.challenge("wrong@example.com").await;
    let code = app.last_code_for("wrong@example.com").await;
    let wrong = other_than(&code);
    let answers = join_all((0..RACERS).map(|_| guest.verify(&challenge, &wrong))).await;
    let invalid = typed(&answers, "InvalidCode");
    assert_eq!(invalid.len(), 3);
    let mut left: Vec<_> = invalid.iter().map(|answer| answer["attemptsLeft"].as_i64().unwrap()).collect();
    left.sort_unstable();
    assert_eq!(left, [0, 1, 2]);
    assert_eq!(app.count("email_codes", "attempts = 3 AND units = 3").await, 1);
    assert_eq!(guest.verify(&challenge, &code).await["__typename"], "CodeExpired", "the right code is refused as well");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_guesses_at_many_challenges_never_exceed_an_accounts_budget() {
    let app = TestApp::with(|flags| {
        flags.limits.insert(Rule::VerifyNetwork, "1000/1m".into());
        flags.limits.insert(Rule::SendAddress, "100/15m".into());
        flags.limits.insert(Rule::SendAddressDay, "100/1d".into());
        flags.limits.insert(Rule::GuessAccount, "5/1d".into());
    })
    .await;
    let mut challenges = Vec::new();
    for _ in 0..12 {
        challenges.push(app.guest().challenge("target@example.com").await);
    }
    let code = app.last_code_for("target@example.com").await;
    let (guest, wrong) = (app.guest(), other_than(&code));
    let tries = challenges.iter().flat_map(|challenge| (0..3).map(|_| guest.verify(challenge, &wrong)));
    let answers = join_all(tries).await;
    assert_eq!(typed(&answers, "InvalidCode").len(), 5);
    assert_eq!(typed(&answers, "RateLimited").len(), 31);
    assert_eq!(
        app.count("email_codes", "units > 0").await.min(5),
        app.count("email_codes", "attempts > 0").await.min(5)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_concurrent_refreshes_get_one_successor_and_end_no_session() {
    let app = TestApp::with(|flags| drop(flags.limits.insert(Rule::RefreshSession, "1000/1m".into()))).await;
    let guest = app.guest();
    let signed_in = guest.sign_in("tabs@example.com").await;
    let answers = join_all((0..50).map(|_| guest.refresh(&signed_in.refresh))).await;
    let refreshed = typed(&answers, "Refreshed");
    assert_eq!(refreshed.len(), 50);
    let first = &refreshed[0]["tokens"]["refreshToken"];
    assert!(refreshed.iter().all(|answer| answer["tokens"]["refreshToken"] == *first), "all get the same successor");
    assert_eq!(app.count("sessions", "ended_at IS NULL").await, 1);
    let next = guest.refresh(first.as_str().unwrap()).await;
    assert_eq!(next["__typename"], "Refreshed");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_sharing_an_outbox_send_every_email_once() {
    use doorcode::domain::mail::delivery::deliver_due;
    let app = TestApp::new().await;
    let replicas = [app.replica().await, app.replica().await];
    for number in 0..20 {
        app.guest().challenge(&format!("mail{number}@example.com")).await;
    }
    // Every process has a separate inbox. Together the inboxes must contain each email once.
    let workers = (0..12).map(|number| {
        let worker = match number % 3 {
            0 => &app.app,
            other => &replicas[other - 1].app,
        };
        async move { while deliver_due(&worker.ctx, &worker.transport).await.unwrap() > 0 {} }
    });
    join_all(workers).await;
    let mut sent = Vec::new();
    for worker in std::iter::once(&app.app).chain(replicas.iter().map(|replica| &replica.app)) {
        sent.extend(worker.ctx.inbox.as_ref().unwrap().list(None, 200).into_iter().map(|mail| mail.to));
    }
    sent.sort();
    let total = sent.len();
    sent.dedup();
    assert_eq!((total, sent.len()), (20, 20));
    assert_eq!(app.count("outbox", "state = 'SENT' AND sealed IS NULL AND attempts = 1").await, 20);
}
