//! Mail over SMTP. It never sends in clear but to loopback in development, never retries (the outbox
//! does), and never puts an address or a password into an error.
//!
//! The connections are pooled here and not by lettre: its pool takes a connection back whose command was
//! given up half way, and the next mail would then read the answer to the one before.

mod examine;
mod target;
mod wire;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::{
        client::AsyncSmtpConnection,
        commands::{self, Data, Noop, Rcpt},
        extension::{MailBodyParameter, MailParameter},
    },
};
use secrecy::SecretString;
use tokio::time::{Instant, timeout};

use self::{
    target::Target,
    wire::{Trouble, open, step},
};
use crate::ports::{DeliveryFailure, Mail, MailTransport};

pub use examine::examine;

/// How many connections wait for the next mail.
const IDLE_CONNECTIONS: usize = 4;
/// How long they wait. Servers hang up after minutes.
const IDLE_TIME: Duration = Duration::from_secs(30);

/// How long the transport waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection, and for the answer to each command.
    pub step: Duration,
    /// For a mail from beginning to end. The server's last word, with which it takes the mail over, may
    /// use all that is left of it: giving up there risks a second copy.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { step: Duration::from_secs(10), whole: Duration::from_secs(30) }
    }
}

/// Hands mails to a mail server.
pub struct Smtp {
    target: Target,
    from: Mailbox,
    patience: Patience,
    idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

/// Says what is wrong with an `SMTP_URL`, before anything is built on it.
pub fn check_url(url: &SecretString, production: bool) -> Result<(), String> {
    Target::parse(url, production).map(drop)
}

impl Smtp {
    /// A transport for `SMTP_URL` and `DOORCODE_MAIL_FROM`. Nothing is connected yet.
    pub fn new(url: &SecretString, from: &str, production: bool) -> Result<Self, String> {
        let target = Target::parse(url, production)?;
        let from = from.parse::<Mailbox>().ok().filter(|mailbox| mailbox.email.to_string().is_ascii());
        let from = from.ok_or("DOORCODE_MAIL_FROM is no mailbox: write Name <no-reply@example.com>")?;
        Ok(Self { target, from, patience: Patience::default(), idle: Mutex::default() })
    }

    /// The same transport with other time-outs.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Connects, signs in and says NOOP, for a person who wants to know whether the settings work. Gives the server's
    /// certificate where there is one.
    pub async fn test(&self) -> Result<Option<Vec<u8>>, String> {
        let attempt = async {
            let mut connection = open(&self.target, self.patience.step).await?;
            step("NOOP", self.patience.step, &self.target, connection.command(Noop)).await?;
            let certificate = connection.peer_certificate().ok();
            hang_up(connection).await;
            Ok::<_, Trouble>(certificate)
        };
        match timeout(self.patience.whole, attempt).await {
            Ok(result) => result.map_err(|trouble| trouble.text),
            Err(_) => Err("the mail server takes too long".to_owned()),
        }
    }

    /// The mail as it travels. The same row gives the same Message-ID, so that a second copy is known as one.
    fn compose(&self, mail: &Mail, to: Address) -> Result<Message, lettre::error::Error> {
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let parts = MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            // `=_` never occurs in an encoded body, so no text can end its part.
            .boundary(format!("=_{}", mail.id.simple()))
            .singlepart(SinglePart::plain(mail.text.clone()))
            .singlepart(SinglePart::html(mail.html.clone()));
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(automatic)
            .multipart(parts)
    }

    /// A connection that is known to answer: one that waited, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, Trouble> {
        while let Some((mut connection, since)) = self.take_idle() {
            let is_fresh = since.elapsed() < IDLE_TIME;
            if is_fresh && step("NOOP", self.patience.step, &self.target, connection.command(Noop)).await.is_ok() {
                return Ok(connection);
            }
        }
        open(&self.target, self.patience.step).await
    }

    fn take_idle(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Only connections whose last command was answered come back here.
    fn park(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_TIME);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push((connection, Instant::now()));
        }
    }

    /// One mail on one connection.
    async fn converse(&self, to: Address, message: &[u8]) -> Result<(), DeliveryFailure> {
        let temporary = |trouble: Trouble| DeliveryFailure::Temporary(trouble.text);
        let patience = self.patience;
        let mut connection = self.connection().await.map_err(temporary)?;
        let parameters =
            if message.is_ascii() { vec![] } else { vec![MailParameter::Body(MailBodyParameter::EightBitMime)] };
        // A refusal of the sender is about our settings, not about this mail.
        let sender = commands::Mail::new(Some(self.from.email.clone()), parameters);
        step("sender", patience.step, &self.target, connection.command(sender)).await.map_err(temporary)?;
        let outcome = async {
            let recipient = Rcpt::new(to, vec![]);
            step("recipient", patience.step, &self.target, connection.command(recipient)).await?;
            step("DATA", patience.step, &self.target, connection.command(Data)).await?;
            step("mail", patience.whole, &self.target, connection.message(message)).await
        };
        match outcome.await {
            Ok(_) => {
                self.park(connection);
                Ok(())
            }
            Err(trouble) => {
                if trouble.code.is_some() {
                    hang_up(connection).await;
                }
                Err(judge(trouble))
            }
        }
    }
}

#[async_trait]
impl MailTransport for Smtp {
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        let to = mail.to.parse::<Address>().ok().filter(|to| AsRef::<str>::as_ref(to).is_ascii());
        let to = to.ok_or_else(|| DeliveryFailure::Permanent("the recipient is no address".to_owned()))?;
        let message = self
            .compose(mail, to.clone())
            .map_err(|_| DeliveryFailure::Permanent("the mail could not be composed".to_owned()))?
            .formatted();
        let late = |_| DeliveryFailure::Temporary("the mail server takes too long".to_owned());
        timeout(self.patience.whole, self.converse(to, &message)).await.map_err(late)?
    }
}

/// A 55x is about this recipient or this mail. Other 5xx answers (wrong sequence, not signed in, going
/// away) are about the conversation and may be gone the next time.
fn judge(trouble: Trouble) -> DeliveryFailure {
    match trouble.code {
        Some(550..=559 | 540..=549 | 570..=579) => DeliveryFailure::Permanent(trouble.text),
        _ => DeliveryFailure::Temporary(trouble.text),
    }
}

/// Says goodbye without waiting long for the answer.
async fn hang_up(mut connection: AsyncSmtpConnection) {
    // Whether the server answers no longer matters.
    let _ = timeout(Duration::from_secs(1), connection.abort()).await;
}

/// Templates make one-line subjects; the last gate before the wire does not rely on it.
fn one_line(subject: &str) -> String {
    subject.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}
