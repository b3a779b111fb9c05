//! Mail over SMTP. It never sends in clear but to loopback in development, never retries (the outbox
//! does), and never puts an address or a password into an error. A rehearsal of a mail does all of this but the
//! conversation, in whose place it waits for as long as a recent one took.
//!
//! The connections are pooled here and not by lettre: its pool takes a connection back whose command was
//! given up half way, and the next mail would then read the answer to the one before.

mod pace;
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
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

pub use self::wire::Stage;
use self::{
    pace::{Pace, Past},
    target::Target,
    wire::{SmtpError, open, step},
};
use crate::ports::{DeliveryFailure, Mail, MailTransport};

/// How many connections wait for the next mail.
const IDLE_CONNECTIONS: usize = 4;
/// How long they wait. Servers hang up after minutes.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// How many mails, and rehearsals, use one connection. Servers slow down who says NOOP a hundred times.
const USES: u32 = 50;

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
    pub(crate) target: Target,
    from: Mailbox,
    patience: Patience,
    idle: Mutex<Vec<(Connection, Instant)>>,
    pace: Pace,
}

/// Why [`Smtp::test`] did not come to its end.
#[derive(Clone, Debug)]
pub struct Untested {
    /// Where it stopped.
    pub stage: Stage,
    /// What went wrong, in words that are fit for a log.
    pub text: String,
}

impl From<SmtpError> for Untested {
    fn from(SmtpError { stage, text, .. }: SmtpError) -> Self {
        Self { stage, text }
    }
}

struct Connection {
    wire: AsyncSmtpConnection,
    uses: u32,
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
        Ok(Self { target, from, patience: Patience::default(), idle: Mutex::default(), pace: Pace::default() })
    }

    /// The same transport with other time-outs.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Connects, signs in and says NOOP, for a person who wants to know whether the settings work. Gives the server's
    /// certificate where there is one.
    pub async fn test(&self) -> Result<Option<Vec<u8>>, Untested> {
        let attempt = async {
            let mut connection = open(&self.target, self.patience.step).await?;
            step("NOOP", self.patience.step, &self.target, connection.command(Noop)).await?;
            let certificate = connection.peer_certificate().ok();
            hang_up(connection).await;
            Ok::<_, SmtpError>(certificate)
        };
        match timeout(self.patience.whole, attempt).await {
            Ok(result) => result.map_err(Untested::from),
            Err(_) => Err(late().into()),
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

    /// The recipient, and the mail in bytes.
    fn letter(&self, mail: &Mail) -> Result<(Address, Vec<u8>), DeliveryFailure> {
        let to = mail.to.parse::<Address>().ok().filter(|to| AsRef::<str>::as_ref(to).is_ascii());
        let to = to.ok_or_else(|| DeliveryFailure::Permanent("the recipient is no address".to_owned()))?;
        let message = self
            .compose(mail, to.clone())
            .map_err(|_| DeliveryFailure::Permanent("the mail could not be composed".to_owned()))?;
        Ok((to, message.formatted()))
    }

    /// A connection that is known to answer: one that waited, or a new one.
    async fn connection(&self, end: Instant) -> Result<Connection, DeliveryFailure> {
        let found = async {
            while let Some((mut connection, since)) = self.take_idle() {
                let is_fresh = since.elapsed() < IDLE_TIME;
                let wire = &mut connection.wire;
                if is_fresh && step("NOOP", self.patience.step, &self.target, wire.command(Noop)).await.is_ok() {
                    return Ok(connection);
                }
            }
            Ok(Connection { wire: open(&self.target, self.patience.step).await?, uses: 0 })
        };
        let found = timeout_at(end, found).await.unwrap_or_else(|_| Err(late()));
        found.map_err(|trouble| DeliveryFailure::Temporary(trouble.text))
    }

    fn take_idle(&self) -> Option<(Connection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn park(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE_TIME);
        if idle.len() < IDLE_CONNECTIONS {
            idle.push((connection, Instant::now()));
        }
    }

    /// One mail on one connection.
    async fn converse(&self, wire: &mut AsyncSmtpConnection, to: Address, message: &[u8]) -> Result<(), SmtpError> {
        let patience = self.patience;
        let parameters =
            if message.is_ascii() { vec![] } else { vec![MailParameter::Body(MailBodyParameter::EightBitMime)] };
        let sender = commands::Mail::new(Some(self.from.email.clone()), parameters);
        // A refusal of the sender is about our settings, not about this mail.
        let ours = |trouble| SmtpError { code: None, ..trouble };
        step("sender", patience.step, &self.target, wire.command(sender)).await.map_err(ours)?;
        let recipient = Rcpt::new(to, vec![]);
        step("recipient", patience.step, &self.target, wire.command(recipient)).await?;
        step("DATA", patience.step, &self.target, wire.command(Data)).await?;
        step("mail", patience.whole, &self.target, wire.message(message)).await?;
        Ok(())
    }

    /// What becomes of a connection after a conversation that ended like this. It is used again only if its last
    /// command was answered.
    async fn leave(&self, mut connection: Connection, ended: &Result<(), SmtpError>) {
        connection.uses += 1;
        match ended {
            Ok(()) if connection.uses < USES => self.park(connection),
            Err(SmtpError { code: None, .. }) => {}
            Ok(()) | Err(_) => hang_up(connection.wire).await,
        }
    }
}

#[async_trait]
impl MailTransport for Smtp {
    async fn deliver(&self, mail: &Mail) -> Result<(), DeliveryFailure> {
        let (to, message) = self.letter(mail)?;
        let domain = to.domain().to_owned();
        let end = Instant::now() + self.patience.whole;
        let mut connection = self.connection(end).await?;
        let begun = Instant::now();
        let conversation = timeout_at(end, self.converse(&mut connection.wire, to, &message)).await;
        let ended = conversation.unwrap_or_else(|_| Err(late()));
        self.pace.remember(&domain, begun.elapsed(), ended.clone(), Instant::now());
        self.leave(connection, &ended).await;
        ended.map_err(judge)
    }

    async fn rehearse(&self, mail: &Mail, draw: u64) -> Result<(), DeliveryFailure> {
        let (to, _) = self.letter(mail)?;
        let end = Instant::now() + self.patience.whole;
        // A connection, too: who sends the next mail must not find out from its time whether one was opened for this.
        let connection = self.connection(end).await?;
        let now = Instant::now();
        let Past { took, ended } = self.pace.recall(to.domain(), draw, now);
        sleep_until((now + took).min(end)).await;
        self.leave(connection, &ended).await;
        ended.map_err(judge)
    }
}

fn late() -> SmtpError {
    SmtpError::new("the mail server takes too long")
}

/// A 55x is about this recipient or this mail. Other 5xx answers (wrong sequence, not signed in, going
/// away) are about the conversation and may be gone the next time.
fn judge(trouble: SmtpError) -> DeliveryFailure {
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
