//! Signing in with a password. The work, the answer and the time are the same for an unknown address, an account
//! without a password, a wrong password and an account that may not sign in.

use chrono::{DateTime, Utc};
use sea_orm::FromQueryResult;
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
        audit,
        credential::password::{
            Compared, Stored,
            hasher::{Turn, Verified},
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
/// statement for the email about a new device, two more to replace a session. A wrong password takes four statements,
/// or five for the first of an hour, and two limiter calls.
///
/// # Errors
/// [`Error::Unavailable`] if too many passwords are being hashed.
pub async fn sign_in(ctx: &Ctx, viewer: &Viewer, request: Request<'_>) -> Result<Outcome> {
    let email = match EmailAddress::parse(request.email) {
        Ok(email) => email,
        Err(invalid) => return Ok(Outcome::InvalidEmail(invalid)),
    };
    let (origin, now) = (&viewer.origin, ctx.now());
    let account = look_up(ctx, email, request.device_token.and_then(device::token_hash), now).await?;
    Ok(match check(ctx, origin, &account, request.password, now).await? {
        Checked::Right { compared, attempt } => {
            let work = Work::begin(ctx).await?;
            let proof = Proof {
                subject: Subject::Password(compared),
                method: Method::Password,
                id: attempt.id,
                device_id: account.device_id(),
                remember: request.remember,
                is_announced: false,
            };
            let Some(completed) = finish(ctx, &work, viewer, proof, now).await? else {
                // Changed or suspended in the meantime. The attempt stays counted.
                return Ok(Outcome::Wrong);
            };
            tries::take_back(&*work, &attempt).await?;
            work.commit(ctx).await?;
            Outcome::SignedIn(Box::new(completed))
        }
        Checked::Wrong => Outcome::Wrong,
        Checked::Wait(wait) => Outcome::Wait(wait),
    })
}

/// The outcome of comparing a password.
pub(in crate::domain) enum Checked {
    /// Right. The caller takes the count back in its transaction.
    Right { compared: Compared, attempt: Box<Try> },
    /// Wrong, counted and recorded.
    Wrong,
    /// A rate limit refused the attempt.
    Wait(Wait),
}

/// Compares a password with that of an account: waits for a turn, asks the limits, waits for a slot, counts the
/// attempt, hashes. Each network has one turn at a time, so that concurrent requests cannot exceed a limit that is only
/// asked.
pub(in crate::domain) async fn check(
    ctx: &Ctx,
    origin: &Origin,
    account: &Account,
    password: Password,
    now: DateTime<Utc>,
) -> Result<Checked> {
    let turn = ctx.hasher.enter(&network(origin.ip, 64), account.device_id().is_some()).await?;
    if let Some(wait) = charge(ctx, origin, account, false, now).await? {
        return Ok(Checked::Wait(wait));
    }
    let slot = ctx.hasher.slot(turn).await?;
    let attempt = match tries::count(ctx, origin, account.email.as_str(), account.device_id(), now).await? {
        Counted::Yes(attempt) => attempt,
        Counted::Dead => return Ok(Checked::Wrong),
        Counted::Spent { wait, key } => {
            let window = ctx.settings.limits.quota(Rule::GuessPassword).window;
            audit::record_refusal(ctx, now, origin, Rule::GuessPassword.name(), &key, window).await?;
            return Ok(Checked::Wait(wait));
        }
    };
    let stored = account.stored();
    let hash = stored.as_ref().and_then(|stored| stored.hash(ctx));
    let stored = stored.filter(|_| hash.is_some());
    let expected = hash.unwrap_or_else(|| ctx.hasher.dummy().clone());
    let (verified, mut turn) = ctx.hasher.verify(slot, password, expected, &*ctx.entropy).await?;
    let Verified { is_right, renewed, until } = verified;
    if let Some(stored) = stored.filter(|_| is_right && account.is_active()) {
        return Ok(Checked::Right { compared: stored.compared(ctx, renewed.as_ref())?, attempt });
    }
    refuse(ctx, origin, account, &attempt, &mut turn, now).await?;
    turn.rest(until).await;
    Ok(Checked::Wrong)
}

/// What is known of an address before a password is compared.
pub(in crate::domain) struct Account {
    email: EmailAddress,
    row: Row,
}

#[derive(Debug, FromQueryResult)]
struct Row {
    user_id: Option<Uuid>,
    status: Option<UserStatus>,
    locale: Option<String>,
    device_id: Option<Uuid>,
    version: Option<i32>,
    sealed: Option<Vec<u8>>,
}

impl Account {
    /// The same account for a user who is signed in on this device.
    #[must_use]
    pub(in crate::domain) fn on_device(mut self, device_id: Option<Uuid>) -> Self {
        self.row.device_id = device_id;
        self
    }

    /// The known device that signs in.
    const fn device_id(&self) -> Option<Uuid> {
        self.row.device_id
    }

    fn is_active(&self) -> bool {
        self.row.status == Some(UserStatus::Active)
    }

    fn stored(&self) -> Option<Stored> {
        let (user_id, version, sealed) = (self.row.user_id?, self.row.version?, self.row.sealed.clone()?);
        Some(Stored { user_id, version, sealed })
    }
}

/// Looks up account, password and device of an address. One statement.
pub(in crate::domain) async fn look_up(
    ctx: &Ctx,
    email: EmailAddress,
    device_hash: Option<Digest>,
    now: DateTime<Utc>,
) -> Result<Account> {
    let sql = "SELECT u.id AS user_id, u.status, u.locale, d.id AS device_id, p.version, p.sealed \
         FROM (SELECT 1 AS one) AS base \
         LEFT JOIN users u ON u.email = $1 \
         LEFT JOIN devices d ON d.user_id = u.id AND d.token_hash = $2 AND d.expires_at > $3 \
         LEFT JOIN passwords p ON p.user_id = u.id";
    let values = [email.as_str().into(), device_hash.into(), now.into()];
    let row = Row::find_by_statement(db::statement(ctx.db.backend(), sql, values)).one(ctx.db.read()).await?;
    let row = row.ok_or_else(|| Error::Internal("the password lookup returned no row".into()))?;
    Ok(Account { email, row })
}

/// Asks the limits of the network and of the instance, or charges them for a wrong password. One limiter call.
async fn charge(
    ctx: &Ctx,
    origin: &Origin,
    account: &Account,
    counts: bool,
    now: DateTime<Utc>,
) -> Result<Option<Wait>> {
    let charges: Vec<_> = charges(&ctx.settings.limits, origin, account.device_id())
        .into_iter()
        .map(|charge| Charge { counts, ..charge })
        .collect();
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

/// The limits of a wrong password. A known device has limits of its own, so that other clients in its network cannot
/// use them up.
fn charges(limits: &Limits, origin: &Origin, device: Option<Uuid>) -> Vec<Charge> {
    let rules = [Rule::PasswordNetwork, Rule::PasswordNetworkDay].into_iter();
    match device {
        Some(device) => rules.map(|rule| limits.charge(rule, format!("device:{device}"))).collect(),
        None => rules
            .flat_map(|rule| limits.by_network(rule, origin.ip))
            .chain([limits.charge(Rule::PasswordInstance, String::new())])
            .collect(),
    }
}

/// Charges and records a wrong password. When it uses up the budget for unknown devices, emails the owner, once a day.
async fn refuse(
    ctx: &Ctx,
    origin: &Origin,
    account: &Account,
    attempt: &Try,
    turn: &mut Turn,
    now: DateTime<Utc>,
) -> Result<()> {
    charge(ctx, origin, account, true, now).await?;
    turn.end();
    audit::record_wrong_password(ctx, origin, account.email.as_str(), account.row.user_id, now).await?;
    if account.device_id().is_some() {
        return Ok(());
    }
    let work = Work::begin(ctx).await?;
    if tries::is_last_of_budget(ctx, &work, attempt, now).await? {
        let message = Message::PasswordDoorClosed;
        let letter = Letter {
            to: account.email.as_str(),
            expires_at: now + message.row().good_for,
            message,
            locale: Locale::negotiate(account.row.locale.as_deref()),
            origin: None,
            // Other addresses get a decoy, so that the work is the same.
            deliver: account.row.sealed.is_some() && account.is_active(),
        };
        outbox::enqueue(ctx, &*work, letter, now).await?;
        work.commit(ctx).await?;
        ctx.outbox_filled.notify_one();
        return Ok(());
    }
    work.commit(ctx).await
}
