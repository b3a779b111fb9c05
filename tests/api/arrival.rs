//! Timing attack by email: does the arrival time of an attacker's own email reveal whether other addresses have an
//! account? The attacker requests codes for as many addresses of a domain as the domain has delivery slots, then one
//! for their own address in that domain, and measures when it arrives. A real mail server takes 0.2 seconds per email.
//!
//! A leak would change the arrival time by about one delivery, so a few samples are enough. If the two groups of
//! addresses differ by more than the noise, or the noise is too large, the test takes more samples.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use doorcode::{adapter::mail::smtp::Smtp, db::entity::Role, domain::mail::delivery};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    harness::{Client, TestApp, eventually},
    smtp_server::{SmtpServer, embedded_only},
    timing::{Apart, unlimited},
};

/// Number of delivery slots per domain. With all of them in use, the attacker's own email waits for a free slot.
const BEFORE: usize = 8;
/// Number of applications measured in parallel, each with a separate mail server.
const LANES: usize = 3;
/// Number of rounds per application. The second and third entries apply only if the rounds before are inconclusive.
const ROUNDS: [usize; 3] = [4, 4, 8];
/// A difference between medians of up to this many microseconds counts as noise. A tenth of a delivery.
const BOUND: f64 = 20_000.0;
/// Maximum noise in microseconds: half of a delivery. More noise could hide a leak.
const NOISY: f64 = 100_000.0;

const OWN: &str = "own@example.com";

/// An application with a slow mail server, and its running delivery loop.
struct Lane<'a> {
    app: &'a TestApp,
    server: SmtpServer,
    stop: watch::Sender<bool>,
}

impl<'a> Lane<'a> {
    fn open(app: &'a TestApp) -> Self {
        let server = SmtpServer::slow("0.18", "0.22");
        let smtp = Smtp::new(&server.url().into(), "Doorcode <no-reply@example.com>", false).unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(delivery::run(Arc::clone(&app.app.ctx), Arc::new(smtp), stopped));
        Self { app, server, stop }
    }

    /// Calls `ask` for each of the other addresses, then requests the attacker's own email. Returns the microseconds
    /// until the own email arrives.
    async fn own_mail(&self, guest: &Client<'_>, ask: impl AsyncFn(usize)) -> f64 {
        eventually("the outbox is empty", async || self.app.count("outbox", "state = 'PENDING'").await == 0).await;
        let earlier = self.server.arrivals(OWN).len();
        for number in 0..BEFORE {
            ask(number).await;
        }
        let asked = Instant::now();
        guest.challenge(OWN).await;
        loop {
            if let Some(arrival) = self.server.arrivals(OWN).get(earlier) {
                return arrival.duration_since(asked).as_secs_f64() * 1e6;
            }
            assert!(asked.elapsed() < Duration::from_secs(20), "the attacker's own email arrives");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Returns the times of the first group, the second group, and the first group again, in microseconds. The order of
    /// the measurements changes each round.
    async fn sample(&self, rounds: usize, guest: &Client<'_>, ask: impl AsyncFn(usize, usize)) -> [Vec<f64>; 3] {
        let mut times = [const { Vec::new() }; 3];
        // The first round is not counted: the delivery loop learns how long this mail server takes.
        for round in 0..=rounds {
            for place in 0..3 {
                let slot = (place + round) % 3;
                let time = self.own_mail(guest, async |number| ask(slot % 2, number).await).await;
                if round > 0 {
                    times[slot].push(time);
                }
            }
        }
        self.stop.send_replace(true);
        times
    }
}

fn target(name: &str, number: usize) -> String {
    format!("{name}{number}@example.com")
}

async fn make_targets(app: &TestApp, name: &str) {
    for number in 0..BEFORE {
        app.make(&target(name, number), Role::User).await;
    }
}

/// Fails if the arrival times of the two groups differ by more than noise. `lane` runs the given number of rounds.
async fn assert_equal_arrival_times(lane: impl AsyncFn(usize) -> [Vec<f64>; 3]) {
    let mut times = [const { Vec::new() }; 3];
    let mut difference = None;
    for rounds in ROUNDS {
        for lane in join_all((0..LANES).map(|_| lane(rounds))).await {
            for (all, more) in times.iter_mut().zip(lane) {
                all.extend(more);
            }
        }
        let [kind, other, same] = &times;
        let Apart { least, limit, story } = Apart::of(kind, same, other, BOUND);
        difference = (least > limit).then_some(story);
        if difference.is_none() && limit < NOISY {
            break;
        }
    }
    assert_eq!(difference, None, "the arrival time of the own email reveals accounts");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_arrival_time_does_not_reveal_accounts_when_sign_up_is_closed() {
    if embedded_only() {
        return;
    }
    assert_equal_arrival_times(async |rounds| {
        let app = unlimited("closed").await;
        app.make(OWN, Role::User).await;
        make_targets(&app, "known").await;
        let guest = app.guest();
        let ask = async |kind: usize, number| {
            drop(guest.challenge(&target(["known", "stranger"][kind], number)).await);
        };
        Lane::open(&app).sample(rounds, &guest, ask).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_arrival_time_does_not_reveal_whether_a_new_address_is_taken() {
    if embedded_only() {
        return;
    }
    assert_equal_arrival_times(async |rounds| {
        let app = unlimited("open").await;
        let person = app.person(OWN, Role::User).await;
        make_targets(&app, "taken").await;
        let guest = app.guest();
        let ask = async |kind: usize, number| {
            let email = target(["free", "taken"][kind], number);
            let answer = person.change("changeEmail", json!({ "email": email }), "__typename").await;
            assert_eq!(answer.field("changeEmail")["__typename"], "CodeSent");
        };
        Lane::open(&app).sample(rounds, &guest, ask).await
    })
    .await;
}
