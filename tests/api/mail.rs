//! The outbox, a table of queued emails ("letters"). A letter is sent once, expires or fails. It is stored encrypted,
//! and its content is erased afterwards. Some tests use a real mail server with TLS.

use std::sync::Arc;

use doorcode::{
    adapter::mail::smtp::Smtp,
    domain::mail::delivery::{self, deliver_due},
    ports::{DeliveryFailure, Mail, MailTransport},
};
use secrecy::SecretString;
use tokio::sync::watch;

use crate::{
    harness::{SignedIn, TestApp, eventually},
    smtp_server::{SmtpServer, Tls, embedded_only},
};

/// A mail transport whose deliveries always fail with this error.
struct FailingHop(DeliveryFailure);

impl FailingHop {
    fn saying(says: DeliveryFailure) -> Arc<dyn MailTransport> {
        Arc::new(Self(says))
    }
}

#[async_trait::async_trait]
impl MailTransport for FailingHop {
    async fn deliver(&self, _: &Mail) -> Result<(), DeliveryFailure> {
        Err(match &self.0 {
            DeliveryFailure::Temporary(why) => DeliveryFailure::Temporary(why.clone()),
            DeliveryFailure::Permanent(why) => DeliveryFailure::Permanent(why.clone()),
        })
    }

    async fn rehearse(&self, mail: &Mail, _: u64) -> Result<(), DeliveryFailure> {
        self.deliver(mail).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_has_expired_is_never_sent() {
    let app = TestApp::new().await;
    app.guest().challenge("stale@example.com").await;
    app.clock.pass(301.0);
    assert!(app.mails_for("stale@example.com").await.is_empty());
    assert_eq!(app.count("outbox", "state = 'EXPIRED' AND sealed IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_is_temporarily_refused_is_retried_with_backoff_until_its_code_expires() {
    let app = TestApp::new().await;
    app.guest().challenge("again@example.com").await;
    let moody = FailingHop::saying(DeliveryFailure::Temporary("451 not now".into()));
    let mut pauses = Vec::new();
    let mut waited = 0.0;
    // The code expires after five minutes. The pause before the last attempt is random and can be long.
    for _ in 0..900 {
        let taken = deliver_due(&app.app.ctx, &moody).await.unwrap();
        if taken > 0 {
            pauses.push(waited);
            waited = 0.0;
        }
        app.clock.pass(1.0);
        waited += 1.0;
    }
    assert!((5..=10).contains(&pauses.len()), "{pauses:?}");
    assert!(pauses[pauses.len() - 2] > pauses[1] * 3.0, "the pauses grow: {pauses:?}");
    assert_eq!(app.count("outbox", "state = 'EXPIRED' AND last_error = '451 not now' AND sealed IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_email_that_is_permanently_refused_is_not_retried() {
    let app = TestApp::new().await;
    app.guest().challenge("never@example.com").await;
    let moody = FailingHop::saying(DeliveryFailure::Permanent("550 no such box".into()));
    assert_eq!(deliver_due(&app.app.ctx, &moody).await.unwrap(), 1);
    app.clock.pass(120.0);
    assert_eq!(deliver_due(&app.app.ctx, &moody).await.unwrap(), 0);
    assert_eq!(app.count("outbox", "state = 'FAILED' AND last_error = '550 no such box' AND sealed IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_claimed_by_a_dead_worker_is_delivered_by_another() {
    let app = TestApp::new().await;
    app.guest().challenge("orphan@example.com").await;
    let ctx = Arc::clone(&app.app.ctx);
    let hanging: Arc<dyn MailTransport> = Arc::new(HangingHop);
    let worker = tokio::spawn(async move { deliver_due(&ctx, &hanging).await });
    eventually("the mail is claimed", async || app.count("outbox", "claimed_until IS NOT NULL").await == 1).await;
    worker.abort();
    assert!(app.mails_for("orphan@example.com").await.is_empty(), "no other worker takes a claimed letter");
    app.clock.pass(91.0);
    assert_eq!(app.mails_for("orphan@example.com").await.len(), 1);
}

/// A mail transport whose deliveries never finish.
struct HangingHop;

#[async_trait::async_trait]
impl MailTransport for HangingHop {
    async fn deliver(&self, _: &Mail) -> Result<(), DeliveryFailure> {
        std::future::pending().await
    }

    async fn rehearse(&self, mail: &Mail, _: u64) -> Result<(), DeliveryFailure> {
        self.deliver(mail).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outbox_rows_are_encrypted_and_bound_to_their_id() {
    let app = TestApp::new().await;
    app.guest().challenge("sealed@example.com").await;
    app.guest().challenge("other@example.com").await;
    // An encrypted letter that is moved to another row cannot be decrypted, so it is not sent to the wrong recipient.
    app.sql("UPDATE outbox SET sealed = (SELECT first.sealed FROM outbox first ORDER BY first.id LIMIT 1)").await;
    let sent = app.mails_for("sealed@example.com").await.len() + app.mails_for("other@example.com").await.len();
    assert_eq!(sent, 1, "only the letter in its original row is sent");
    assert_eq!(app.count("outbox", "state = 'PENDING' AND last_error LIKE 'no server secret%'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn login_does_not_wait_for_a_mail_server_that_hangs() {
    let app = TestApp::new().await;
    let (stop, stopped) = watch::channel(false);
    let looped = tokio::spawn(delivery::run(Arc::clone(&app.app.ctx), Arc::new(HangingHop), stopped));
    let start = std::time::Instant::now();
    for number in 0..5 {
        app.guest().challenge(&format!("fast{number}@example.com")).await;
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(2));
    looped.abort();
    drop(stop);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_sent_through_a_real_mail_server_signs_in() {
    if embedded_only() {
        return;
    }
    for tls in [Tls::Smtps, Tls::Required] {
        let server = SmtpServer::start(tls);
        let app = TestApp::new().await;
        let smtp = Smtp::new(&SecretString::from(server.url()), "Doorcode <no-reply@example.com>", true).unwrap();
        let (stop, stopped) = watch::channel(false);
        let looped = tokio::spawn(delivery::run(Arc::clone(&app.app.ctx), Arc::new(smtp), stopped));
        let guest = app.guest();
        let challenge = guest.challenge("real@example.com").await;
        eventually("the mail is sent", async || app.count("outbox", "state = 'SENT'").await == 1).await;
        let messages = server.messages(1);
        let text = messages[0]["text"].as_str().unwrap();
        let code: String = text.split("To copy: ").nth(1).unwrap().chars().take(8).collect();
        SignedIn::read(&guest.verify(&challenge, &code).await);
        stop.send_replace(true);
        looped.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoy_costs_the_worker_as_much_as_an_email() {
    let app = TestApp::with(|flags| flags.signup = Some("domains:example.com".into())).await;
    let mut costs = Vec::new();
    for email in ["real@example.com", "decoy@example.org"] {
        app.guest().challenge(email).await;
        app.take_statements();
        assert_eq!(deliver_due(&app.app.ctx, &app.app.transport).await.unwrap(), 1);
        costs.push(app.take_statements());
    }
    assert_eq!(costs[0], costs[1], "a decoy runs the same statements");
    assert_eq!(app.count("outbox", "state = 'DECOY' AND sealed IS NULL").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_user_agent_never_appears_in_mail() {
    let app = TestApp::new().await;
    let mut stranger = app.guest();
    let bait = "Account locked! Verify at https://evil.example/unlock";
    stranger.headers.insert("user-agent", bait.parse().unwrap());
    stranger.challenge("bait@example.com").await;
    stranger.headers.insert(
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".parse().unwrap(),
    );
    stranger.challenge("fox@example.com").await;
    let mail = &app.mails_for("bait@example.com").await[0];
    assert!(!mail.text.contains("evil") && !mail.html.contains("evil") && !mail.text.contains("locked"));
    assert!(app.mails_for("fox@example.com").await[0].text.contains("Firefox on Linux"));
}
