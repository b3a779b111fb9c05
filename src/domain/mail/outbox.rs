//! The outbox: a queue of sealed letters, erased after sending. The seal includes the recipient and is bound to the
//! row's id, kind and expiry.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveEnum, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, Value};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{message::Message, payload::Payload, template::Locale};
use crate::{
    db::{
        self,
        entity::{MailState, outbox},
    },
    domain::{
        Ctx,
        access::Origin,
        batch,
        vault::{Purpose, Vault},
    },
    error::{Error, Result},
    ports::Entropy,
};

/// A letter about to be queued.
pub struct Letter<'a> {
    /// Recipient's canonical address.
    pub to: &'a str,
    /// Content.
    pub message: Message,
    /// Language.
    pub locale: Locale,
    /// Origin of the request. Left out of the payload if the letter is about an administrator's action.
    pub origin: Option<&'a Origin>,
    /// When the letter and its secret expire. The mail states the time from queueing until then.
    pub expires_at: DateTime<Utc>,
    /// False for a decoy: the same work, for an address that gets no mail.
    pub deliver: bool,
}

/// Queues a letter in the caller's transaction. One statement.
pub async fn enqueue(ctx: &Ctx, db: &impl ConnectionTrait, letter: Letter<'_>, now: DateTime<Utc>) -> Result<()> {
    let row = seal(&ctx.vault, &*ctx.entropy, &letter, ctx.new_id(now), now)?;
    db::insert(db, row).await?;
    Ok(())
}

/// Builds the row of a letter.
fn seal(
    vault: &Vault,
    entropy: &dyn Entropy,
    letter: &Letter<'_>,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<outbox::Model> {
    let (kind, payload) = Payload::of(letter);
    // Larger than any letter: a growing buffer would leave copies of the secret behind.
    let mut plain = Zeroizing::new(Vec::with_capacity(2_048));
    serde_json::to_writer(&mut *plain, &payload).map_err(|error| Error::Internal(format!("sealing mail: {error}")))?;
    Ok(outbox::Model {
        id,
        kind: kind.to_owned(),
        state: MailState::Pending,
        sealed: Some(vault.seal(Purpose::Outbox, &context(id, kind, letter.expires_at), &plain, entropy)?),
        attempts: 0,
        created_at: now,
        next_attempt_at: now,
        claimed_until: None,
        expires_at: letter.expires_at,
        finished_at: None,
        last_error: None,
    })
}

/// Claims up to `most` due letters until `until`. PostgreSQL skips rows locked by another worker; SQLite has one
/// writer. One statement.
pub(super) async fn claim(
    ctx: &Ctx,
    most: i64,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Vec<outbox::Model>> {
    let lock = if ctx.db.backend() == sea_orm::DbBackend::Postgres { "FOR UPDATE SKIP LOCKED" } else { "" };
    let sql = format!(
        "UPDATE outbox SET claimed_until = $2, attempts = attempts + 1 WHERE id IN (\
         SELECT id FROM outbox WHERE state = 'PENDING' AND next_attempt_at <= $1 \
         AND (claimed_until IS NULL OR claimed_until <= $1) \
         ORDER BY next_attempt_at, id LIMIT $3 {lock}) RETURNING *"
    );
    let statement = db::statement(ctx.db.backend(), &sql, [now.into(), until.into(), most.into()]);
    let mut letters = outbox::Entity::find().from_raw_sql(statement).all(ctx.db.write()).await?;
    // The database returns rows in any order, but people use the last mail that arrives.
    letters.sort_unstable_by_key(|letter| (letter.next_attempt_at, letter.id));
    Ok(letters)
}

/// Opens a claimed letter.
pub(super) fn open(vault: &Vault, row: &outbox::Model) -> Option<Payload> {
    let sealed = row.sealed.as_deref()?;
    let plain = vault.open(Purpose::Outbox, &context(row.id, &row.kind, row.expires_at), sealed)?;
    serde_json::from_slice(&plain).ok()
}

/// The outcome of a claim.
pub(super) enum Outcome {
    /// The mail server accepted it.
    Sent,
    /// A decoy: the same work without a mail.
    Decoy,
    /// It expired before it could be sent.
    Expired,
    /// Failed permanently.
    Failed(String),
    /// Retry at this time, for this reason.
    Again(DateTime<Utc>, String),
    /// Not tried; due again at this time.
    Released(DateTime<Utc>),
}

impl Outcome {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Decoy => "decoy",
            Self::Expired => "expired",
            Self::Failed(_) => "failed",
            Self::Again(..) => "retried",
            Self::Released(_) => "released",
        }
    }
}

/// Stores the outcome of claimed letters and erases the payload of finished ones. Skips a letter that another worker
/// has claimed since. One statement, whatever the outcomes.
pub(super) async fn settle<'a>(
    ctx: &Ctx,
    letters: impl Iterator<Item = (&'a outbox::Model, &'a Outcome)>,
) -> Result<()> {
    let mut values: Vec<Value> = vec![ctx.now().into()];
    let mut rows = Vec::new();
    for (row, outcome) in letters {
        let (state, next, error) = match outcome {
            Outcome::Sent => (MailState::Sent, None, None),
            Outcome::Decoy => (MailState::Decoy, None, None),
            Outcome::Expired => (MailState::Expired, None, row.last_error.clone()),
            Outcome::Failed(why) => (MailState::Failed, None, Some(why.clone())),
            Outcome::Again(next, why) => (MailState::Pending, Some(*next), Some(why.clone())),
            Outcome::Released(until) => (MailState::Pending, Some(*until), row.last_error.clone()),
        };
        let tries = row.attempts - i32::from(matches!(outcome, Outcome::Released(_)));
        let first = values.len() + 1;
        let placeholders: Vec<_> = (first..first + 7).map(|number| format!("${number}")).collect();
        rows.push(format!("({})", placeholders.join(", ")));
        values.extend([row.id.into(), row.attempts.into(), row.claimed_until.into()]);
        values.extend([
            state.to_value().into(),
            tries.into(),
            next.unwrap_or(row.next_attempt_at).into(),
            error.into(),
        ]);
    }
    let sql = format!(
        "UPDATE outbox SET state = v.column4, attempts = v.column5, next_attempt_at = v.column6, \
         last_error = v.column7, claimed_until = NULL, \
         sealed = CASE WHEN v.column4 = 'PENDING' THEN outbox.sealed END, \
         finished_at = CASE WHEN v.column4 <> 'PENDING' THEN $1 END \
         FROM (VALUES {}) AS v WHERE outbox.id = v.column1 AND outbox.attempts = v.column2 \
         AND outbox.claimed_until = v.column3 AND outbox.state = 'PENDING'",
        rows.join(", ")
    );
    ctx.db.write().execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}

fn context(id: Uuid, kind: &str, expires_at: DateTime<Utc>) -> Vec<u8> {
    let mut context = id.as_bytes().to_vec();
    context.extend_from_slice(&expires_at.timestamp_micros().to_be_bytes());
    context.extend_from_slice(kind.as_bytes());
    // During a rolling upgrade, version 1 would send any code as a sign-in code. Other kinds get a context that it
    // cannot open.
    if !matches!(kind, "code" | "link") {
        context.extend_from_slice(b"/2");
    }
    context
}

/// The number of queued letters and the age of the oldest. One statement.
pub async fn waiting(ctx: &Ctx) -> Result<(u64, Duration)> {
    let count = outbox::Entity::find()
        .select_only()
        .column_as(outbox::Column::Id.count(), "letters")
        .column_as(outbox::Column::CreatedAt.min(), "oldest")
        .filter(outbox::Column::State.eq(MailState::Pending));
    let found: Option<(i64, Option<DateTime<Utc>>)> = count.into_tuple().one(ctx.db.read()).await?;
    let (letters, oldest) = found.unwrap_or_default();
    let age = oldest.and_then(|oldest| (ctx.now() - oldest).to_std().ok()).unwrap_or_default();
    Ok((u64::try_from(letters).unwrap_or_default(), age))
}

/// Deletes letters finished before `finished_before`.
pub async fn purge(ctx: &Ctx, finished_before: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM outbox WHERE finished_at < $1 ORDER BY finished_at";
    batch::run(ctx, "DELETE FROM outbox", old, &[finished_before.into()]).await
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
