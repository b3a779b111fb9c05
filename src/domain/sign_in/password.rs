//! Signing in with a password. The work, the answer and the time are the same for an unknown address, an account without a
//! password, a wrong password and an account that may not sign in.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
use serde_json::json;
use uuid::Uuid;

use super::{Completed, Proof, Subject, challenge::Counted, finish};
use crate::{
    db::{
        self,
        entity::{Method, UserStatus},
    },
    domain::{
        Ctx, Wait,
        access::{Origin, Viewer},
        audit::{self, Event, Kind},
        credential::password::{
            Stored,
            hasher::{Slot, Verified},
            policy::Password,
            tries::{self, Try},
        },
        device,
        mail::{
            message::Message,
            outbox::{self, Letter},
            template::Locale,
        },
        transaction::Work,
        vault::Digest,
    },
    email_address::{EmailAddress, InvalidEmail},
    error::{Error, Result},
    limits::{Limits, Rule, network},
    ports::{Charge, Verdict},
};

/// A sign-in with a password.
pub struct Request<'a> {
    /// The email address as typed.
    pub email: &'a str,
    /// The password as typed.
    pub password: Password,
    /// The device token from an earlier sign-in.
    pub device_token: Option<&'a str>,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
}

/// The outcome of a sign-in with a password.
pub enum Outcome {
    /// Signed in.
    SignedIn(Box<Completed>),
    /// The address or the password is wrong, or the user may not sign in with it. Callers cannot tell these apart.
    Wrong,
    /// Not a valid email address.
    InvalidEmail(InvalidEmail),
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Signs in with a password. At most ten statements on PostgreSQL, one fewer on SQLite, and one limiter call. One more
/// statement for the mail about a new device, two more to replace a session. Wrong: five statements and two limiter calls.
///
/// # Errors
/// [`Error::Unavailable`] if too many passwords are being hashed.
pub async fn sign_in(ctx: &Ctx, viewer: &Viewer, request: Request<'_>) -> Result<Outcome> {
    let email = match EmailAddress::parse(request.email) {
        Ok(email) => email,
        Err(invalid) => return Ok(Outcome::InvalidEmail(invalid)),
    };
    let (origin, now) = (&viewer.origin, ctx.now());
    let account = look_up(ctx, &email, request.device_token.and_then(device::token_hash), now).await?;
    // The queue lets in one caller of a network at a time, so the limits are asked while nobody else of it hashes.
    let slot = ctx.hasher.enter(&network(origin.ip, 64), account.device_id.is_some()).await?;
    if let Some(wait) = charge(ctx, origin, false, now).await? {
        return Ok(Outcome::Wait(wait));
    }
    let attempt = match tries::count(ctx, origin, email.as_str(), account.device_id, now).await? {
        Counted::Yes(attempt) => attempt,
        Counted::Dead => return Ok(Outcome::Wrong),
        Counted::Spent { wait, key } => {
            let window = ctx.settings.limits.quota(Rule::GuessPassword).window;
            audit::record_refusal(ctx, now, origin, Rule::GuessPassword.name(), &key, window).await?;
            return Ok(Outcome::Wait(wait));
        }
    };
    let stored = account.stored();
    let expected = stored.as_ref().map_or_else(|| Ok(ctx.hasher.dummy().clone()), |stored| stored.hash(ctx))?;
    let (verified, slot) = ctx.hasher.verify(slot, request.password, expected, &*ctx.entropy).await?;
    let right = match (stored, verified) {
        (Some(stored), Verified::Right { renewed }) if account.status == Some(UserStatus::Active) => {
            Some(stored.compared(ctx, renewed.as_ref())?)
        }
        _ => None,
    };
    if let Some(compared) = right {
        let work = Work::begin(ctx).await?;
        let proof = Proof {
            subject: Subject::Password(compared),
            method: Method::Password,
            id: attempt.id,
            device_id: account.device_id,
            remember: request.remember,
        };
        if let Some(completed) = finish(ctx, &work, viewer, proof, now).await? {
            tries::take_back(&*work, &attempt).await?;
            work.commit(ctx).await?;
            return Ok(Outcome::SignedIn(Box::new(completed)));
        }
    }
    refuse(ctx, origin, &email, &account, &attempt, slot, now).await?;
    Ok(Outcome::Wrong)
}

/// What is known of an address before a password is compared.
#[derive(Debug, FromQueryResult)]
struct Account {
    user_id: Option<Uuid>,
    status: Option<UserStatus>,
    locale: Option<String>,
    device_id: Option<Uuid>,
    version: Option<i32>,
    sealed: Option<Vec<u8>>,
}

impl Account {
    fn stored(&self) -> Option<Stored> {
        let (user_id, version, sealed) = (self.user_id?, self.version?, self.sealed.clone()?);
        Some(Stored { user_id, version, sealed })
    }
}

/// Looks up account, password and device of an address. One statement.
async fn look_up(
    ctx: &Ctx,
    email: &EmailAddress,
    device_hash: Option<Digest>,
    now: DateTime<Utc>,
) -> Result<Account> {
    let sql = "SELECT u.id AS user_id, u.status, u.locale, d.id AS device_id, p.version, p.sealed \
         FROM (SELECT 1 AS one) AS base \
         LEFT JOIN users u ON u.email = $1 \
         LEFT JOIN devices d ON d.user_id = u.id AND d.token_hash = $2 AND d.expires_at > $3 \
         LEFT JOIN passwords p ON p.user_id = u.id";
    let values = [email.as_str().into(), device_hash.into(), now.into()];
    let row = Account::find_by_statement(db::statement(ctx.db.backend(), sql, values)).one(ctx.db.read()).await?;
    row.ok_or_else(|| Error::Internal("the password lookup returned no row".into()))
}

/// Asks the limits of the network and of the instance, or charges them for a wrong password. One limiter call.
async fn charge(ctx: &Ctx, origin: &Origin, counts: bool, now: DateTime<Utc>) -> Result<Option<Wait>> {
    let charges: Vec<_> = charges(&ctx.settings.limits, origin).map(|charge| Charge { counts, ..charge }).collect();
    let verdict = ctx.limiter.take(&charges, now).await.map_err(|error| {
        tracing::error!(%error, "the limiter is unavailable: passwords are refused");
        Error::Unavailable(error.to_string())
    })?;
    let Verdict::Refused { charge, retry_at } = verdict else {
        return Ok(None);
    };
    let refused = &charges[charge];
    audit::record_refusal(ctx, now, origin, refused.rule, &refused.key, refused.window).await?;
    Ok(Some(Wait { now, retry_at }))
}

fn charges(limits: &Limits, origin: &Origin) -> impl Iterator<Item = Charge> {
    [Rule::PasswordNetwork, Rule::PasswordNetworkDay]
        .into_iter()
        .flat_map(|rule| limits.by_network(rule, origin.ip))
        .chain([limits.charge(Rule::PasswordInstance, String::new())])
}

/// Charges and records a wrong password, and tells the owner once a day that the door is closed. The slot is free after
/// the charge.
async fn refuse(
    ctx: &Ctx,
    origin: &Origin,
    email: &EmailAddress,
    account: &Account,
    attempt: &Try,
    slot: Slot,
    now: DateTime<Utc>,
) -> Result<()> {
    charge(ctx, origin, true, now).await?;
    drop(slot);
    audit::record_wrong_password(ctx, origin, email.as_str(), account.user_id, now).await?;
    if account.device_id.is_some() {
        return Ok(());
    }
    let work = Work::begin(ctx).await?;
    if tries::closes_the_door(ctx, &*work, attempt, now).await? {
        let message = Message::PasswordDoorClosed;
        let letter = Letter {
            to: email.as_str(),
            expires_at: now + message.row().good_for,
            message,
            locale: Locale::negotiate(account.locale.as_deref()),
            origin: None,
            // The same work for everybody else.
            deliver: account.sealed.is_some() && account.status == Some(UserStatus::Active),
        };
        outbox::enqueue(ctx, &*work, letter, now).await?;
        work.commit(ctx).await?;
        ctx.outbox_filled.notify_one();
        return Ok(());
    }
    work.commit(ctx).await
}
