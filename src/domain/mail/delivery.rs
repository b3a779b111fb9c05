//! The delivery loop: takes due letters from the outbox, renders and sends them, and tries again with growing pauses.
//! What may pass is tried until the letter expires, and after that it is never sent. A letter is noted as sent right after
//! the next hop took it: only a process that dies between the two can send it twice.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument, Span};

use super::{
    outbox,
    payload::Payload,
    template::{self, Content, Locale, Message},
};
use crate::{
    db::entity::{MailState, outbox as table},
    domain::{Ctx, Result, vault},
    ports::{DeliveryFailure, Mail, MailTransport},
    trace,
};

/// Letters under way at once in one process.
const AT_ONCE: u64 = 8;
/// Longer than any delivery takes, so that a claim ends only when its worker is gone.
const CLAIM: TimeDelta = TimeDelta::seconds(90);
/// How often the table is looked at when nobody says that it was filled.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(2);
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(10);
/// A letter that left must be noted, or it would leave again: worth several tries.
const NOTE_TRIES: u32 = 5;

/// Runs until `stop` says so; what is under way then is finished first.
pub async fn run(ctx: Arc<Ctx>, transport: Arc<dyn MailTransport>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match deliver_due(&ctx, &*transport).await {
            // A full batch: there may be more.
            Ok(taken) if taken >= AT_ONCE => continue,
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the outbox could not be read"),
        }
        tokio::select! {
            () = ctx.outbox_filled.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sends what is due now, at most one batch; how many letters were taken.
pub async fn deliver_due(ctx: &Ctx, transport: &dyn MailTransport) -> Result<u64> {
    let now = ctx.now();
    let letters = outbox::claim(ctx, AT_ONCE, now, now + CLAIM).await?;
    let taken = letters.len() as u64;
    join_all(letters.iter().map(|letter| handle(ctx, transport, letter))).await;
    Ok(taken)
}

/// One letter, as a trace of its own.
async fn handle(ctx: &Ctx, transport: &dyn MailTransport, letter: &table::Model) {
    let payload = outbox::open(&ctx.vault, letter);
    let queued_by = payload.as_ref().and_then(|payload| payload.trace.as_deref());
    let span = trace::delivery(&letter.kind, letter.attempts, queued_by);
    finish(ctx, transport, letter, payload.as_ref()).instrument(span).await;
}

async fn finish(ctx: &Ctx, transport: &dyn MailTransport, letter: &table::Model, payload: Option<&Payload>) {
    let outcome = attempt(ctx, transport, letter, payload).await;
    trace::came_to(&Span::current(), outcome.name());
    for round in 1..=NOTE_TRIES {
        match note(ctx, letter, &outcome).await {
            Ok(()) => return ctx.metrics.mailed(&letter.kind, outcome.name()),
            Err(error) => tracing::warn!(%error, letter = %letter.id, round, "could not note what became of a mail"),
        }
        tokio::time::sleep(Duration::from_millis(200) * round).await;
    }
    tracing::error!(letter = %letter.id, "gave up noting what became of a mail: it may be sent again");
}

/// What one try came to.
enum Outcome {
    Sent,
    /// For an address that gets no mail: the same work up to this point, and the same statements after it.
    Decoy,
    Expired,
    Failed(String),
    Again(DateTime<Utc>, String),
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Decoy => "decoy",
            Self::Expired => "expired",
            Self::Failed(_) => "failed",
            Self::Again(..) => "retried",
        }
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
        // While secrets rotate, another replica may have the one that sealed it.
        return again("no server secret of this process opens this letter");
    };
    let Some(message) = payload.message(&letter.kind, ctx.settings.public_url.as_str()) else {
        // While versions are replaced, another replica may be newer.
        return again("this version of the program knows no such letter");
    };
    let mail = match render(&ctx.settings.brand, letter, payload, message, now) {
        Ok(mail) => mail,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    if !payload.deliver {
        return Outcome::Decoy;
    }
    let begun = Instant::now();
    let delivered = transport.deliver(&mail).instrument(trace::conversation()).await;
    ctx.metrics.delivered_in(begun.elapsed());
    match delivered {
        Ok(()) => Outcome::Sent,
        Err(DeliveryFailure::Permanent(why)) => Outcome::Failed(why),
        Err(DeliveryFailure::Temporary(why)) => Outcome::Again(ctx.now() + pause(ctx, letter.attempts), why),
    }
}

async fn note(ctx: &Ctx, letter: &table::Model, outcome: &Outcome) -> Result<()> {
    let now = ctx.now();
    match outcome {
        Outcome::Sent => {
            tracing::info!(letter = %letter.id, kind = letter.kind, attempts = letter.attempts, "mail sent");
            outbox::close(ctx, letter, MailState::Sent, now, None).await
        }
        Outcome::Decoy => outbox::close(ctx, letter, MailState::Decoy, now, None).await,
        Outcome::Expired => {
            tracing::warn!(letter = %letter.id, kind = letter.kind, "a mail went stale before it could be sent");
            outbox::close(ctx, letter, MailState::Expired, now, letter.last_error.clone()).await
        }
        Outcome::Failed(why) => {
            tracing::error!(letter = %letter.id, kind = letter.kind, why, "a mail was given up");
            outbox::close(ctx, letter, MailState::Failed, now, Some(why.clone())).await
        }
        Outcome::Again(next, why) => {
            tracing::warn!(letter = %letter.id, attempts = letter.attempts, why, %next, "a mail will be tried again");
            outbox::postpone(ctx, letter, *next, why.clone()).await
        }
    }
}

/// Doubles with every try, up to a bound, and a random half of it so that many letters do not come back at once.
fn pause(ctx: &Ctx, attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts - 1).unwrap_or(0).min(16);
    let full = FIRST_PAUSE.checked_mul(1 << doublings).unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
    let share = i32::from(vault::random::<1>(&*ctx.entropy)[0]);
    full / 2 + full / 2 * share / 255
}

pub(super) fn render(
    brand: &str,
    letter: &table::Model,
    payload: &Payload,
    message: Message,
    now: DateTime<Utc>,
) -> Result<Mail> {
    let code = message.code().map(str::to_owned);
    let content = Content {
        message,
        locale: Locale::negotiate(Some(&payload.locale)),
        lifetime: (letter.expires_at - letter.created_at).to_std().unwrap_or_default(),
        brand: brand.to_owned(),
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
        code,
    })
}
