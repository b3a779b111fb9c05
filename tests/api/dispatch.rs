//! The delivery order of queued letters: independent slots that recipient domains share fairly. A decoy is a letter
//! that is never sent: it is queued for an address that may not get mail, and occupies a slot like any other letter, so
//! that delivery times do not reveal which addresses have an account.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use doorcode::{
    adapter::mail::smtp::Smtp,
    domain::mail::delivery::{self, deliver_due},
    ports::{DeliveryFailure, Mail, MailTransport},
};
use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

use crate::{
    harness::{TestApp, eventually},
    smtp_server::{SmtpServer, Tls, embedded_only},
    timing::unlimited,
};

/// A mail transport that records each email. Deliveries to `hang.example` do not finish until `goes_on` is true.
struct Hop {
    given: Mutex<Vec<(Mail, bool)>>,
    goes_on: watch::Sender<bool>,
    takes: Duration,
}

impl Hop {
    fn new() -> Arc<Self> {
        Self::taking(Duration::ZERO)
    }

    fn taking(takes: Duration) -> Arc<Self> {
        Arc::new(Self { given: Mutex::default(), goes_on: watch::Sender::new(false), takes })
    }

    /// The emails so far, each with `false` if it is a decoy.
    fn given(&self) -> Vec<(Mail, bool)> {
        self.given.lock().unwrap().clone()
    }

    fn count(&self, domain: &str) -> usize {
        self.given().iter().filter(|(mail, _)| mail.to.ends_with(domain)).count()
    }

    async fn take(&self, mail: &Mail, deliver: bool) -> Result<(), DeliveryFailure> {
        self.given.lock().unwrap().push((mail.clone(), deliver));
        if mail.to.ends_with("@hang.example") {
            self.goes_on.subscribe().wait_for(|goes_on| *goes_on).await.unwrap();
        }
        sleep(self.takes).await;
        Ok(())
    }
}

#[async_trait::async_trait]
impl MailTransport for Hop {
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        self.take(mail, true).await
    }

    async fn rehearse(&self, mail: &Mail, _: u64) -> Result<(), DeliveryFailure> {
        self.take(mail, false).await
    }
}

fn run(app: &TestApp, hop: &Arc<Hop>) -> (JoinHandle<()>, watch::Sender<bool>) {
    let (stop, stopped) = watch::channel(false);
    let hop: Arc<dyn MailTransport> = Arc::<Hop>::clone(hop);
    (tokio::spawn(delivery::run(Arc::clone(&app.app.ctx), hop, stopped)), stop)
}

async fn ask(app: &TestApp, letters: usize, domain: &str) {
    let guest = app.guest();
    for number in 0..letters {
        guest.challenge(&format!("person{number}@{domain}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_domain_gets_at_most_a_quarter_of_the_slots() {
    for (signup, done) in [("open", "SENT"), ("domains:example.com", "DECOY")] {
        let (app, hop) = (unlimited(signup).await, Hop::new());
        ask(&app, 40, "hang.example").await;
        ask(&app, 20, "example.com").await;
        let (running, stop) = run(&app, &hop);
        eventually("mail to the other domain is sent", async || app.count("outbox", "state = 'SENT'").await == 20)
            .await;
        assert_eq!(hop.count("@hang.example"), 8);
        assert_eq!(
            app.count("outbox", "state = 'PENDING' AND claimed_until IS NOT NULL").await,
            24,
            "8 are being delivered and 16 wait for a slot"
        );
        assert_eq!(app.count("outbox", "state = 'PENDING' AND claimed_until IS NULL AND attempts = 0").await, 16);

        hop.goes_on.send_replace(true);
        let all = format!("state = '{done}' AND attempts = 1");
        eventually("the waiting mail is sent", async || hop.count("@hang.example") == 24).await;
        app.clock.pass(60.0);
        let sent = if done == "SENT" { 60 } else { 40 };
        eventually("the released mail is sent", async || {
            app.clock.pass(0.5);
            app.count("outbox", &all).await == sent
        })
        .await;
        stop.send_replace(true);
        running.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hanging_domain_does_not_delay_mail_to_other_domains() {
    if embedded_only() {
        return;
    }
    let (app, server) = (unlimited("open").await, SmtpServer::start(Tls::None));
    let guest = app.guest();
    for number in 0..40 {
        guest.challenge(&format!("hang{number}@slow.example")).await;
    }
    let smtp = Smtp::new(&server.url().into(), "Doorcode <no-reply@example.com>", false).unwrap();
    let (_stop, stopped) = watch::channel(false);
    let running = tokio::spawn(delivery::run(Arc::clone(&app.app.ctx), Arc::new(smtp), stopped));
    let start = Instant::now();
    for number in 0..5 {
        let other = format!("ada{number}@example.com");
        guest.challenge(&other).await;
        eventually("the email arrives", async || server.arrivals(&other).len() == 1).await;
    }
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_letters_to_a_fast_domain_cost_one_statement_each() {
    let (app, hop) = (unlimited("open").await, Hop::taking(Duration::from_millis(20)));
    ask(&app, 160, "example.com").await;
    app.take_statements();
    let start = Instant::now();
    let (running, stop) = run(&app, &hop);
    // Moves the test clock along with real time, because released letters become due by that clock.
    while hop.count("@example.com") < 160 {
        sleep(Duration::from_millis(10)).await;
        app.clock.pass(0.01);
        assert!(start.elapsed() < Duration::from_secs(5), "{} in 5 s", hop.count("@example.com"));
    }
    stop.send_replace(true);
    running.await.unwrap();
    let statements = app.take_statements().len();
    assert!(
        statements <= 180,
        "{statements} statements, at most 180 expected: one per letter, and one per batch of eight"
    );
    assert_eq!(app.count("outbox", "state = 'SENT' AND attempts = 1").await, 160);
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_to_one_address_are_sent_in_order_one_at_a_time() {
    let (app, hop) = (unlimited("open").await, Hop::new());
    let guest = app.guest();
    for _ in 0..4 {
        guest.challenge("ada@hang.example").await;
    }
    ask(&app, 1, "hang.example").await;
    let (running, stop) = run(&app, &hop);
    eventually("a letter to each of the two addresses is being delivered", async || hop.given().len() == 2).await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!((hop.count("ada@hang.example"), hop.count("person0@hang.example")), (1, 1));
    hop.goes_on.send_replace(true);
    eventually("all letters are sent", async || app.count("outbox", "state = 'SENT'").await == 5).await;
    stop.send_replace(true);
    running.await.unwrap();
    let ids: Vec<_> =
        hop.given().iter().filter(|(mail, _)| mail.to.starts_with("ada")).map(|(mail, _)| mail.id).collect();
    assert!(ids.len() == 4 && ids.is_sorted(), "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_finishes_current_deliveries_and_releases_waiting_letters() {
    let (app, hop) = (unlimited("domains:hang.example").await, Hop::new());
    ask(&app, 12, "hang.example").await;
    let (running, stop) = run(&app, &hop);
    eventually("eight deliveries are in progress", async || hop.count("@hang.example") == 8).await;
    stop.send_replace(true);
    let waiting = "state = 'PENDING' AND claimed_until IS NULL AND attempts = 0";
    eventually("the other letters are released", async || app.count("outbox", waiting).await == 4).await;
    hop.goes_on.send_replace(true);
    running.await.unwrap();
    assert_eq!(app.count("outbox", "state = 'SENT'").await, 8);
    app.drain_outbox().await;
    assert_eq!(app.count("outbox", "state = 'SENT' AND attempts = 1").await, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_during_a_database_outage_are_recorded_before_more_are_sent() {
    let (app, hop) = (unlimited("open").await, Hop::new());
    ask(&app, 10, "hang.example").await;
    let (running, stop) = run(&app, &hop);
    eventually("eight deliveries are in progress", async || hop.count("@hang.example") == 8).await;
    app.sql("ALTER TABLE outbox RENAME TO away").await;
    hop.goes_on.send_replace(true);
    sleep(Duration::from_millis(300)).await;
    assert_eq!(hop.count("@hang.example"), 8, "the two waiting letters keep waiting");
    app.sql("ALTER TABLE away RENAME TO outbox").await;
    eventually("all deliveries are recorded", async || {
        app.count("outbox", "state = 'SENT' AND attempts = 1").await == 10
    })
    .await;
    assert_eq!(hop.count("@hang.example"), 10, "each letter is delivered once");
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_does_not_finish_a_letter_that_another_worker_has_claimed() {
    let (app, hops) = (unlimited("open").await, [Hop::new(), Hop::new()]);
    ask(&app, 1, "hang.example").await;
    let mut workers = Vec::new();
    for hop in &hops {
        let ctx = Arc::clone(&app.app.ctx);
        let transport: Arc<dyn MailTransport> = Arc::<Hop>::clone(hop);
        workers.push(tokio::spawn(async move { deliver_due(&ctx, &transport).await }));
        eventually("the delivery is in progress", async || hop.count("@hang.example") == 1).await;
        app.clock.pass(91.0);
    }
    for (worker, (hop, state)) in workers.into_iter().zip(hops.iter().zip(["PENDING", "SENT"])) {
        hop.goes_on.send_replace(true);
        assert_eq!(timeout(Duration::from_secs(5), worker).await.unwrap().unwrap().unwrap(), 1);
        assert_eq!(app.count("outbox", &format!("state = '{state}' AND attempts = 2")).await, 1, "{state}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoy_is_rendered_like_an_email_and_marked_as_not_to_be_sent() {
    let (app, hop) = (unlimited("domains:example.com").await, Hop::new());
    let guest = app.guest();
    for email in ["person@example.com", "person@example.org"] {
        guest.challenge(email).await;
    }
    let transport: Arc<dyn MailTransport> = Arc::<Hop>::clone(&hop);
    assert_eq!(deliver_due(&app.app.ctx, &transport).await.unwrap(), 2);
    let mut given = hop.given();
    given.sort_by_key(|(_, deliver)| !deliver);
    let [(mail, true), (decoy, false)] = &given[..] else { panic!("one email and one decoy") };
    assert_eq!((mail.to.as_str(), decoy.to.as_str()), ("person@example.com", "person@example.org"));
    // Identical except for the digits.
    let words = |mail: &Mail| {
        [&mail.subject, &mail.text, &mail.html].map(|part| part.replace(|char: char| char.is_ascii_digit(), "0"))
    };
    assert!(mail.code.is_some() && mail.code != decoy.code && mail.text.contains(mail.code.as_deref().unwrap()));
    assert_eq!(words(mail), words(decoy));
}
