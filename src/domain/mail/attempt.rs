//! One delivery attempt: renders a letter, passes it to the mail server and returns the outcome. A decoy does the same
//! work up to the mail server. Does not access the database.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::{
    message::Message,
    outbox::{self, Outcome},
    payload::Payload,
    template::{self, Content, Locale},
};
use crate::{
    db::entity::outbox as table,
    domain::{Ctx, vault},
    error::Result,
    observability::spans,
    ports::{DeliveryFailure, Mail, MailTransport},
    settings::{Settings, Theme},
};

const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);

/// A claimed letter with its payload opened.
pub(super) struct Claimed {
    pub(super) row: table::Model,
    payload: Option<Payload>,
    pub(super) recipient: Recipient,
}

/// The recipient of a letter; empty if the payload cannot be opened.
#[derive(Clone, Default)]
pub(super) struct Recipient {
    pub(super) address: String,
    pub(super) domain: String,
}

impl Claimed {
    pub(super) fn open(ctx: &Ctx, row: table::Model) -> Self {
        let payload = outbox::open(&ctx.vault, &row);
        let recipient = payload.as_ref().map(|payload| {
            let domain = payload.to.rsplit_once('@').map_or("", |(_, domain)| domain);
            Recipient { address: payload.to.clone(), domain: domain.to_owned() }
        });
        Self { row, payload, recipient: recipient.unwrap_or_default() }
    }

    /// Whether it is a decoy, for an address that gets no mail.
    fn is_decoy(&self) -> bool {
        self.payload.as_ref().is_some_and(|payload| !payload.deliver)
    }

    /// Releases the letter without an attempt.
    pub(super) fn release(self, until: DateTime<Utc>) -> Attempted {
        Attempted { is_decoy: self.is_decoy(), row: self.row, outcome: Outcome::Released(until) }
    }

    /// Tries to deliver, in its own trace.
    pub(super) async fn attempt(self, ctx: &Ctx, transport: &dyn MailTransport) -> Attempted {
        let queued_by = self.payload.as_ref().and_then(|payload| payload.trace.as_deref());
        let span = spans::delivery(&self.row.kind, self.row.attempts, queued_by);
        let work = async {
            let outcome = attempt(ctx, transport, &self.row, self.payload.as_ref()).await;
            spans::came_to(&Span::current(), outcome.name());
            outcome
        };
        let outcome = work.instrument(span).await;
        Attempted { is_decoy: self.is_decoy(), row: self.row, outcome }
    }
}

/// A letter and the outcome of its attempt.
pub(super) struct Attempted {
    pub(super) row: table::Model,
    pub(super) outcome: Outcome,
    is_decoy: bool,
}

impl Attempted {
    /// Counts and logs the outcome, after it is stored. Decoys are not logged.
    pub(super) fn report(&self, ctx: &Ctx) {
        let table::Model { id, kind, attempts, .. } = &self.row;
        if self.is_decoy {
            if !matches!(self.outcome, Outcome::Released(_)) {
                ctx.metrics.mailed(kind, Outcome::Decoy.name());
            }
            return;
        }
        match &self.outcome {
            Outcome::Released(_) => return,
            Outcome::Decoy => {}
            Outcome::Sent => tracing::info!(letter = %id, kind, attempts, "mail sent"),
            Outcome::Expired => tracing::warn!(letter = %id, kind, "mail expired before it could be sent"),
            Outcome::Failed(why) => tracing::error!(letter = %id, kind, why, "mail failed permanently"),
            Outcome::Again(next, why) => {
                tracing::warn!(letter = %id, attempts, why, %next, "mail failed and will be retried");
            }
        }
        ctx.metrics.mailed(kind, self.outcome.name());
    }
}

async fn attempt(
    ctx: &Ctx,
    transport: &dyn MailTransport,
    letter: &table::Model,
    payload: Option<&Payload>,
) -> Outcome {
    let now = ctx.now();
    if letter.expires_at <= now {
        return Outcome::Expired;
    }
    let again = |why: &str| Outcome::Again(now + pause(ctx, letter.attempts), why.to_owned());
    let Some(payload) = payload else {
        // During secret rotation, another replica may have the secret that sealed it.
        return again("no server secret of this process can open this letter");
    };
    let Some(message) = Message::open(&letter.kind, payload) else {
        // During an upgrade, another replica may run a newer version.
        return again("this version does not know this kind of letter");
    };
    let Settings { brand, public_url, theme, .. } = &ctx.settings;
    let mail = match render((brand, theme), public_url.as_str(), letter, payload, message, now) {
        Ok(mail) => mail,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let draw = u64::from_be_bytes(*vault::random(&*ctx.entropy));
    let conversation =
        async { if payload.deliver { transport.deliver(&mail).await } else { transport.rehearse(&mail, draw).await } };
    let begun = Instant::now();
    let ended = conversation.instrument(spans::conversation()).await;
    if payload.deliver {
        ctx.metrics.delivered_in(begun.elapsed());
    }
    match ended {
        Err(DeliveryFailure::Temporary(why)) => Outcome::Again(ctx.now() + pause(ctx, letter.attempts), why),
        _ if !payload.deliver => Outcome::Decoy,
        Err(DeliveryFailure::Permanent(why)) => Outcome::Failed(why),
        Ok(()) => Outcome::Sent,
    }
}

/// Exponential backoff with a maximum; half of it is random, to spread retries.
fn pause(ctx: &Ctx, attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let full = FIRST_PAUSE.checked_mul(1 << doublings).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    jitter(ctx, full)
}

/// A random duration between half of `full` and `full`.
pub(super) fn jitter(ctx: &Ctx, full: TimeDelta) -> TimeDelta {
    let share = i32::from(vault::random::<1>(&*ctx.entropy)[0]);
    full / 2 + full / 2 * share / 255
}

pub(super) fn render(
    (brand, theme): (&str, &Theme),
    page: &str,
    letter: &table::Model,
    payload: &Payload,
    message: Message,
    now: DateTime<Utc>,
) -> Result<Mail> {
    let code = message.code().map(str::to_owned);
    let content = Content {
        message,
        page: page.to_owned(),
        locale: Locale::negotiate(Some(&payload.locale)),
        lifetime: (letter.expires_at - letter.created_at).to_std().unwrap_or_default(),
        brand: brand.to_owned(),
        theme: theme.clone(),
        device: payload.device.clone(),
        network: payload.network.map(|address| address.to_string()),
        asked_at: letter.created_at.min(now),
    };
    let rendered = template::render(&content)?;
    Ok(Mail {
        id: letter.id,
        to: payload.to.clone(),
        subject: rendered.subject,
        text: rendered.text,
        html: rendered.html,
        logo: rendered.logo,
        code,
    })
}
