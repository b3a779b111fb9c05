//! Sends email over SMTP. Emails are sent unencrypted only to loopback in development. The outbox retries failed
//! emails. Errors contain no addresses or passwords.
//!
//! A rehearsal pretends to deliver a decoy, which is an outbox row whose recipient must not get an email. It builds the
//! message and opens a connection, but instead of sending, it waits as long as a recent conversation took.
//!
//! This module pools connections itself, because lettre's pool reuses a connection after an abandoned command. The next
//! email on that connection would then read the response to the previous one.

mod pace;
mod target;
mod wire;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use lettre::{
    Address, Message,
    message::{
        Attachment, Mailbox, MultiPart, MultiPartKind, SinglePart,
        header::{ContentType, HeaderName, HeaderValue},
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

/// Maximum number of idle connections.
const IDLE_CONNECTIONS: usize = 4;
/// Maximum idle time of a connection. Servers close idle connections after a few minutes.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Maximum number of emails and rehearsals per connection. Each reuse sends a NOOP, and some servers slow down clients
/// that send many NOOPs.
const USES: u32 = 50;

/// Timeouts of the transport.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Timeout for connecting, and for the response to each command.
    pub step: Duration,
    /// Timeout for a whole email. The server's final response may take all the remaining time: giving up there risks a
    /// duplicate, because the server may have accepted the email.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { step: Duration::from_secs(10), whole: Duration::from_secs(30) }
    }
}

/// Sends emails to a mail server.
pub struct Smtp {
    pub(crate) target: Target,
    from: Mailbox,
    patience: Patience,
    idle: Mutex<Vec<(Connection, Instant)>>,
    pace: Pace,
}

/// Why [`Smtp::test`] failed.
#[derive(Clone, Debug)]
pub struct Untested {
    /// The stage that failed.
    pub stage: Stage,
    /// The error message, safe to log.
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

/// Validates an `SMTP_URL` without connecting. The error is one sentence for the operator.
pub fn check_url(url: &SecretString, production: bool) -> Result<(), String> {
    Target::parse(url, production).map(drop)
}

impl Smtp {
    /// Creates a transport from `SMTP_URL` and `DOORCODE_MAIL_FROM`, without connecting.
    pub fn new(url: &SecretString, from: &str, production: bool) -> Result<Self, String> {
        let target = Target::parse(url, production)?;
        let from = from.parse::<Mailbox>().ok().filter(|mailbox| mailbox.email.to_string().is_ascii());
        let from = from.ok_or("DOORCODE_MAIL_FROM is not a mailbox: write Name <no-reply@example.com>")?;
        Ok(Self { target, from, patience: Patience::default(), idle: Mutex::default(), pace: Pace::default() })
    }

    /// Replaces the timeouts.
    #[must_use]
    pub fn with_patience(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// Connects, signs in and sends NOOP, to check the settings. Returns the server's certificate, if any.
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
            Err(_) => Err(timed_out().into()),
        }
    }

    /// Builds the message. The Message-ID is built only from the ID of the outbox row and our domain, so it is the same
    /// on every retry and a mail server can detect duplicates.
    fn compose(&self, mail: &Mail, to: Address) -> Result<Message, lettre::error::Error> {
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned());
        let parts = MultiPart::builder()
            .kind(MultiPartKind::Alternative)
            // `=_` never occurs in an encoded body, so the text of an email cannot contain the boundary.
            .boundary(format!("=_{}", mail.id.simple()))
            .singlepart(SinglePart::plain(mail.text.clone()));
        let html = SinglePart::html(mail.html.clone());
        let parts = match &mail.logo {
            Some(logo) => parts.multipart(with_logo(mail, html, logo)?),
            None => parts.singlepart(html),
        };
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(one_line(&mail.subject))
            .message_id(Some(format!("<{}@{}>", mail.id, self.from.email.domain())))
            .raw_header(automatic)
            .multipart(parts)
    }

    /// Returns the recipient's address and the encoded message.
    fn letter(&self, mail: &Mail) -> Result<(Address, Vec<u8>), DeliveryFailure> {
        let to = mail.to.parse::<Address>().ok().filter(|to| AsRef::<str>::as_ref(to).is_ascii());
        let to = to.ok_or_else(|| DeliveryFailure::Permanent("the recipient is not a valid address".to_owned()))?;
        let message = self
            .compose(mail, to.clone())
            .map_err(|_| DeliveryFailure::Permanent("cannot build the mail".to_owned()))?;
        Ok((to, message.formatted()))
    }

    /// Returns an idle connection that still responds, or else a new connection.
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
        let found = timeout_at(end, found).await.unwrap_or_else(|_| Err(timed_out()));
        found.map_err(|error| DeliveryFailure::Temporary(error.text))
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

    /// Sends one email on a connection.
    async fn converse(&self, wire: &mut AsyncSmtpConnection, to: Address, message: &[u8]) -> Result<(), SmtpError> {
        let patience = self.patience;
        let parameters =
            if message.is_ascii() { vec![] } else { vec![MailParameter::Body(MailBodyParameter::EightBitMime)] };
        let sender = commands::Mail::new(Some(self.from.email.clone()), parameters);
        // If the server refuses the sender, the fault is in our settings, not in this email. Drop the
        // code, so that `classify` treats the error as temporary.
        let own_fault = |error| SmtpError { code: None, ..error };
        step("sender", patience.step, &self.target, wire.command(sender)).await.map_err(own_fault)?;
        let recipient = Rcpt::new(to, vec![]);
        step("recipient", patience.step, &self.target, wire.command(recipient)).await?;
        step("DATA", patience.step, &self.target, wire.command(Data)).await?;
        step("mail", patience.whole, &self.target, wire.message(message)).await?;
        Ok(())
    }

    /// Keeps or closes a connection after a conversation. Only a connection whose conversation succeeded is reused.
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
        let ended = conversation.unwrap_or_else(|_| Err(timed_out()));
        self.pace.remember(&domain, begun.elapsed(), ended.clone(), Instant::now());
        self.leave(connection, &ended).await;
        ended.map_err(classify)
    }

    async fn rehearse(&self, mail: &Mail, draw: u64) -> Result<(), DeliveryFailure> {
        let (to, _) = self.letter(mail)?;
        let end = Instant::now() + self.patience.whole;
        // A delivery opens a connection, so a rehearsal opens one too. Otherwise the timing of the next email would
        // reveal whether this one was a decoy.
        let connection = self.connection(end).await?;
        let now = Instant::now();
        let Past { took, ended } = self.pace.recall(to.domain(), draw, now);
        sleep_until((now + took).min(end)).await;
        self.leave(connection, &ended).await;
        ended.map_err(classify)
    }
}

fn timed_out() -> SmtpError {
    SmtpError::new("the mail server took too long")
}

/// A 54x, 55x or 57x response rejects this recipient or email, so the failure is permanent. Other 5xx responses, such
/// as "bad sequence of commands", concern the conversation and may not happen again, so the failure is temporary.
fn classify(error: SmtpError) -> DeliveryFailure {
    match error.code {
        Some(550..=559 | 540..=549 | 570..=579) => DeliveryFailure::Permanent(error.text),
        _ => DeliveryFailure::Temporary(error.text),
    }
}

/// Sends QUIT and closes the connection. Waits at most a second for the response.
async fn hang_up(mut connection: AsyncSmtpConnection) {
    // The conversation is over, so this response does not matter.
    let _ = timeout(Duration::from_secs(1), connection.abort()).await;
}

/// The HTML part together with the logo, so that no client has to load it.
fn with_logo(mail: &Mail, html: SinglePart, logo: &Bytes) -> Result<MultiPart, lettre::error::Error> {
    let png = ContentType::parse("image/png").map_err(|_| lettre::error::Error::NonAsciiChars)?;
    let related = MultiPart::builder().kind(MultiPartKind::Related).boundary(format!("=_{}_logo", mail.id.simple()));
    Ok(related.singlepart(html).singlepart(Attachment::new_inline(Mail::LOGO.to_owned()).body(logo.to_vec(), png)))
}

/// Replaces control characters in a subject. Templates never produce any; this is a second defence against injected
/// headers.
fn one_line(subject: &str) -> String {
    subject.chars().map(|char| if char.is_control() { ' ' } else { char }).collect()
}
