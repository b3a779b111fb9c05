//! The audit trail. An event about a change is written in the transaction of that change. Events never hold a secret
//! and are append-only, with three exceptions: a refusal's count grows, client addresses are removed after their
//! retention, and personal data of erased users is removed. `audit/list.rs` reads them.

pub mod deletion;
pub mod event_stream;
mod forget;
pub mod list;
pub mod network;
pub mod refusals;
pub mod statistics;
pub mod tail;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::{Value as Json, json};
use std::time::Duration;
use uuid::Uuid;

pub use self::forget::{Erased, forget_addresses, forget_people};
use super::{
    Ctx,
    access::{Actor, Origin},
    batch,
    transaction::Work,
};
use crate::{
    db::{
        self,
        entity::{Method, audit_events},
    },
    error::{Error, Result},
    limits::Rule,
    observability::LogEmails,
    ports::Verdict,
};

/// The list of kinds: variant, stored name and description. It is passed to the macro `$with`, because the GraphQL
/// schema is generated from the same list.
macro_rules! audit_kinds {
    ($with:ident) => {
        $with! {
            /// A code was requested for an email address.
            CodeRequested = "CODE_REQUESTED",
            /// A code was requested for an email address, and the email has a sign-in link instead.
            LinkRequested = "LINK_REQUESTED",
            /// A wrong code was entered.
            WrongCode = "WRONG_CODE",
            /// Someone asked to register an email address with a password.
            RegistrationRequested = "REGISTRATION_REQUESTED",
            /// A wrong password was entered. One event per account and hour: `count` has the number of attempts.
            WrongPassword = "WRONG_PASSWORD",
            /// A code to reset a password was requested.
            PasswordResetRequested = "PASSWORD_RESET_REQUESTED",
            /// An administrator emailed a user a link to set a new password.
            PasswordResetSent = "PASSWORD_RESET_SENT",
            /// A password was reset with a code from an email, which ended all sessions.
            PasswordReset = "PASSWORD_RESET",
            /// A user set or changed their password.
            PasswordSet = "PASSWORD_SET",
            /// A password was removed by its user, or with an account that was taken back.
            PasswordRemoved = "PASSWORD_REMOVED",
            /// An API key was created by its owner or on the command line.
            ApiKeyCreated = "API_KEY_CREATED",
            /// An API key got a new secret.
            ApiKeyRotated = "API_KEY_ROTATED",
            /// API keys were revoked by their owner, by an administrator, or with an account that was taken back.
            ApiKeyRevoked = "API_KEY_REVOKED",
            /// A user said in a notice that they did not sign in, which ended all sessions.
            SessionDisowned = "SESSION_DISOWNED",
            /// An expired or unknown code or link was used. One event per hour for codes, and one for links.
            ExpiredCode = "EXPIRED_CODE",
            /// A user signed in.
            SignedIn = "SIGNED_IN",
            /// A user signed in for the first time, which created the account.
            SignedUp = "SIGNED_UP",
            /// A fixed test code was used.
            TestCodeUsed = "TEST_CODE_USED",
            /// A user signed out.
            SignedOut = "SIGNED_OUT",
            /// A session was ended by its user from another session, by an administrator, by a newer sign-in, or with
            /// the account.
            SessionEnded = "SESSION_ENDED",
            /// A refresh token was used again, which ended the session.
            RefreshTokenReused = "REFRESH_TOKEN_REUSED",
            /// A known device was forgotten.
            DeviceForgotten = "DEVICE_FORGOTTEN",
            /// A rate limit refused a call. One event per rule, key and window.
            LimitRefused = "LIMIT_REFUSED",
            /// A user was denied an operation. One event per user and hour: `count` has the number of denials, `detail`
            /// the first field.
            PermissionDenied = "PERMISSION_DENIED",
            /// A new signing key was created.
            KeyRotated = "KEY_ROTATED",
            /// A user changed their own name or language.
            ProfileChanged = "PROFILE_CHANGED",
            /// A user requested a new email address, and a code was sent to it.
            EmailChangeRequested = "EMAIL_CHANGE_REQUESTED",
            /// A user confirmed a new email address.
            EmailChanged = "EMAIL_CHANGED",
            /// A change of email address was undone from the old address.
            EmailChangeUndone = "EMAIL_CHANGE_UNDONE",
            /// An account was created by an administrator or on the command line.
            UserCreated = "USER_CREATED",
            /// A name, role, status or email address was changed by an administrator or on the command line.
            UserChanged = "USER_CHANGED",
            /// An account was deleted by its user or an administrator. It can be restored until it is erased.
            UserDeleted = "USER_DELETED",
            /// A deleted account was restored, or a suspension was lifted.
            UserRestored = "USER_RESTORED",
            /// A deleted account was permanently erased.
            UserErased = "USER_ERASED",
            /// A user approved to sign in to an application.
            ClientApproved = "CLIENT_APPROVED",
            /// A user signed in to an application.
            ClientSignedIn = "CLIENT_SIGNED_IN",
            /// An authorization code was used by another application or with a wrong verifier, or its user's session was
            /// over.
            AuthorizationCodeRefused = "AUTHORIZATION_CODE_REFUSED",
            /// An authorization code was used again, which ended the session that it opened.
            AuthorizationCodeReused = "AUTHORIZATION_CODE_REUSED",
            /// An application was registered on the command line, so that users can sign in to it.
            ClientAdded = "CLIENT_ADDED",
            /// An application was removed on the command line, which ended its sessions.
            ClientRemoved = "CLIENT_REMOVED",
            /// A user exported their data.
            DataExported = "DATA_EXPORTED",
            /// Users were imported on the command line. One event for each batch, with counts.
            PeopleImported = "PEOPLE_IMPORTED",
            /// All users were exported on the command line, with their password hashes.
            PeopleExported = "PEOPLE_EXPORTED",
        }
    };
}
pub(crate) use audit_kinds;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The kind of an audit event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $variant,)+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored and published name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}
audit_kinds!(kinds);

/// Key in `detail` for the label of an address.
pub const ADDRESS_LABEL: &str = "address";

/// An event to record.
pub struct Event<'a> {
    /// What happened.
    pub kind: Kind,
    /// Origin of the request; none for the command line.
    pub origin: Option<&'a Origin>,
    /// User who acted.
    pub actor: Option<Uuid>,
    /// User whom the event is about.
    pub subject: Option<Uuid>,
    /// Details, never a secret.
    pub detail: Json,
    /// Email address, for the log only.
    pub email: Option<&'a str>,
}

/// A written event, and the address for the log after the commit.
pub(super) struct Recorded {
    row: audit_events::Model,
    email: Option<String>,
}

impl<'a> Event<'a> {
    /// An action of a user on their own account.
    pub fn own(kind: Kind, actor: impl Into<Actor<'a>>, detail: Json) -> Self {
        let actor = actor.into();
        let user = Some(actor.user().id);
        Self { kind, origin: Some(actor.origin()), actor: user, subject: user, detail, email: None }
    }
}

/// Records events in the transaction of their change. One statement.
pub async fn record(ctx: &Ctx, work: &Work, now: DateTime<Utc>, events: &[Event<'_>]) -> Result<()> {
    work.note(write(ctx, &**work, now, events).await?);
    Ok(())
}

/// Records an event that belongs to no change.
pub async fn record_alone(ctx: &Ctx, now: DateTime<Utc>, event: Event<'_>) -> Result<()> {
    let recorded = write(ctx, ctx.db.write(), now, &[event]).await?;
    announce(ctx, &recorded);
    Ok(())
}

async fn write(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    events: &[Event<'_>],
) -> Result<Vec<Recorded>> {
    let record = |event: &Event<'_>| Recorded { row: row(ctx, now, event), email: event.email.map(|it| name(ctx, it)) };
    let recorded: Vec<_> = events.iter().map(record).collect();
    let rows: Vec<_> = recorded.iter().map(|event| event.row.clone()).collect();
    db::insert_all(db, rows).await?;
    Ok(recorded)
}

/// The form of an address in the log.
fn name(ctx: &Ctx, email: &str) -> String {
    match ctx.settings.log.emails {
        LogEmails::Hashed => ctx.vault.address_label(email),
        LogEmails::Plain => email.to_owned(),
    }
}

/// Publishes committed events to the log, the metrics and live subscribers. A log line never holds a credential.
pub(super) fn announce(ctx: &Ctx, recorded: &[Recorded]) {
    for Recorded { row, email } in recorded {
        ctx.metrics.happened(&row.kind);
        tracing::info!(
            event = row.kind,
            user = row.subject_id.map(tracing::field::display),
            actor = row.actor_id.map(tracing::field::display),
            email,
            ip = row.ip_address,
            request_id = row.request_id,
            "authentication event"
        );
    }
    ctx.live.announce(recorded.iter().map(|event| event.row.id));
}

/// Records a refusal by a rate limit: one row per rule, key and window, with a count.
pub async fn record_refusal(
    ctx: &Ctx,
    now: DateTime<Utc>,
    origin: &Origin,
    rule: &'static str,
    key: &str,
    window: Duration,
) -> Result<()> {
    ctx.metrics.refused(rule);
    tracing::warn!(rule, ip = %origin.ip, request_id = origin.request_id, "rate limit refused a request");
    let detail = json!({ "rule": rule });
    let event =
        Event { kind: Kind::LimitRefused, origin: Some(origin), actor: None, subject: None, detail, email: None };
    count_up(ctx, now, event, &format!("{rule}:{key}"), window).await
}

/// Window for refusals that do not come from a rate limit.
const SHARED: Duration = Duration::from_hours(1);

/// Records an expired, used or unknown code or link. One row per hour in total, because a stranger can send any number
/// of them from any number of networks. The log has the IP address.
pub async fn record_expired(ctx: &Ctx, origin: &Origin, method: Method) -> Result<()> {
    let method = method.amr();
    tracing::info!(method, ip = %origin.ip, "expired, used or unknown code or link");
    let detail = json!({ "method": method });
    let event = Event { kind: Kind::ExpiredCode, origin: None, actor: None, subject: None, detail, email: None };
    count_up(ctx, ctx.now(), event, &format!("expired:{method}"), SHARED).await
}

/// Records a wrong password: one row per address and hour, which counts.
pub async fn record_wrong_password(
    ctx: &Ctx,
    origin: &Origin,
    email: &str,
    subject: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<()> {
    let address = ctx.vault.address_label(email);
    let key = format!("password:{address}");
    let detail = json!({ ADDRESS_LABEL: address });
    let event =
        Event { kind: Kind::WrongPassword, origin: Some(origin), actor: None, subject, detail, email: Some(email) };
    count_up(ctx, now, event, &key, SHARED).await
}

/// Records a denied permission: one row per user and hour, one log line each.
pub async fn record_denial<'a>(ctx: &Ctx, actor: impl Into<Actor<'a>>, field: &str) -> Result<()> {
    let actor = actor.into();
    tracing::warn!(field, user = %actor.user().id, request_id = actor.origin().request_id, "permission denied");
    let detail = match (actor.key(), actor.client_id()) {
        (Some(key), _) => json!({ "field": field, "apiKey": key.id }),
        (None, Some(client)) => json!({ "field": field, "client": client }),
        (None, None) => json!({ "field": field }),
    };
    deny(ctx, actor, detail).await
}

/// Records, in the same row, that the sign-in was too old for an operation.
pub async fn record_stale(ctx: &Ctx, actor: Actor<'_>, field: &'static str) -> Result<()> {
    tracing::warn!(field, user = %actor.user().id, request_id = actor.origin().request_id, "sign-in too old");
    deny(ctx, actor, json!({ "field": field, "reason": "reauthentication" })).await
}

async fn deny(ctx: &Ctx, actor: Actor<'_>, detail: Json) -> Result<()> {
    let event = Event::own(Kind::PermissionDenied, actor, detail);
    count_up(ctx, ctx.now(), event, &format!("denied:{}", actor.user().id), SHARED).await
}

/// Counts a refusal in a row per key and window. When a network has used up its rows, its refusals share one anonymous
/// row per kind and hour.
async fn count_up(ctx: &Ctx, now: DateTime<Utc>, event: Event<'_>, key: &str, window: Duration) -> Result<()> {
    let (key, until) = in_window(key, now, window);
    if ctx.refusals.is_counted(&key) {
        return Ok(());
    }
    let Some(network) = full_network(ctx, event.origin, now).await? else {
        return refusals::begin(ctx, key, row(ctx, now, &event), until).await;
    };
    let (key, until) = in_window(&format!("network:{}:{network}", event.kind.as_str()), now, SHARED);
    let event = Event { actor: None, subject: None, detail: json!({ "several": true }), ..event };
    refusals::begin(ctx, key, row(ctx, now, &event), until).await
}

/// The key of the current window, and its end.
fn in_window(key: &str, now: DateTime<Utc>, window: Duration) -> (String, DateTime<Utc>) {
    let window = i64::try_from(window.as_secs().max(1)).unwrap_or(i64::MAX);
    let number = now.timestamp() / window;
    let until = DateTime::from_timestamp((number + 1).saturating_mul(window), 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
    (format!("{key}:{number}"), until)
}

/// Charges a row to the network of the request. Returns the network's key if it may add no more. Uses the local
/// limiter, so a refusal never waits for Redis.
async fn full_network(ctx: &Ctx, origin: Option<&Origin>, now: DateTime<Utc>) -> Result<Option<String>> {
    let Some(origin) = origin else { return Ok(None) };
    let charges = ctx.settings.limits.by_network(Rule::AuditNetwork, origin.ip);
    let verdict = ctx.local_limiter.take(&charges, now).await.map_err(|error| Error::Unavailable(error.to_string()))?;
    Ok(match verdict {
        Verdict::Admitted { .. } => None,
        Verdict::Refused { charge, .. } => Some(charges[charge].key.clone()),
    })
}

/// Deletes events older than the retention of the trail.
pub async fn purge(ctx: &Ctx, before: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM audit_events WHERE at < $1 ORDER BY at";
    batch::run(ctx, "DELETE FROM audit_events", old, &[before.into()]).await
}

fn row(ctx: &Ctx, now: DateTime<Utc>, event: &Event<'_>) -> audit_events::Model {
    audit_events::Model {
        id: ctx.new_id(now),
        at: now,
        kind: event.kind.as_str().to_owned(),
        actor_id: event.actor,
        subject_id: event.subject,
        ip_address: event.origin.map(|origin| origin.ip.to_string()),
        network: event.origin.map(|origin| network::of(origin.ip)),
        session_id: session_of(&event.detail).or(event.origin.and_then(|origin| origin.session)),
        user_agent: event.origin.and_then(|origin| origin.user_agent.clone()),
        request_id: event.origin.map(|origin| origin.request_id.clone()),
        detail: event.detail.clone(),
        count: 1,
        refusal_key: None,
    }
}

/// The session that an event is about, as most details have it.
fn session_of(detail: &Json) -> Option<Uuid> {
    Uuid::try_parse(detail["session"].as_str()?).ok()
}
