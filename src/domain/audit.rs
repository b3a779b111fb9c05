//! The audit trail: what may be recorded, and how. An event that tells of a change is written in its
//! transaction. Events are never changed after (a refusal's count and the erasure of old addresses aside) and never hold a secret.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Value, sea_query::Expr,
};
use serde_json::{Value as Json, json};
use std::time::Duration;
use uuid::Uuid;

use super::{Ctx, Result, policy::Origin};
use crate::db::{self, entity::audit_events};

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody asked for a code for an address.
    CodeRequested,
    /// The same, and the mail that went out carries a link.
    LinkRequested,
    /// A counted try with a wrong code.
    WrongCode,
    /// Somebody signed in.
    SignedIn,
    /// Somebody signed in for the first time, which made their account.
    SignedUp,
    /// A fixed test code was used.
    TestCodeUsed,
    /// Somebody ended the session they came with.
    SignedOut,
    /// A session ended: by its owner from elsewhere, by a newer sign-in, or by reuse of a refresh token.
    SessionEnded,
    /// An old refresh token was presented: the session ended.
    RefreshTokenReused,
    /// A device was forgotten.
    DeviceForgotten,
    /// A limit refused; one row a rule, key and window.
    LimitRefused,
    /// A new signing key was made.
    KeyRotated,
    /// An account was made or changed from the command line.
    UserChanged,
}

impl Kind {
    /// How the kind is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodeRequested => "CODE_REQUESTED",
            Self::LinkRequested => "LINK_REQUESTED",
            Self::WrongCode => "WRONG_CODE",
            Self::SignedIn => "SIGNED_IN",
            Self::SignedUp => "SIGNED_UP",
            Self::TestCodeUsed => "TEST_CODE_USED",
            Self::SignedOut => "SIGNED_OUT",
            Self::SessionEnded => "SESSION_ENDED",
            Self::RefreshTokenReused => "REFRESH_TOKEN_REUSED",
            Self::DeviceForgotten => "DEVICE_FORGOTTEN",
            Self::LimitRefused => "LIMIT_REFUSED",
            Self::KeyRotated => "KEY_ROTATED",
            Self::UserChanged => "USER_CHANGED",
        }
    }
}

/// One event about to be recorded.
pub struct Event<'a> {
    /// What.
    pub kind: Kind,
    /// From where; none from the command line.
    pub origin: Option<&'a Origin>,
    /// By whom.
    pub actor: Option<Uuid>,
    /// About whom.
    pub subject: Option<Uuid>,
    /// More, never a secret.
    pub detail: Json,
}

/// Records events in one statement, in the caller's transaction.
pub async fn record(ctx: &Ctx, db: &impl ConnectionTrait, now: DateTime<Utc>, events: &[Event<'_>]) -> Result<()> {
    let rows = events.iter().map(|event| {
        tell(event.kind, event.origin, event.subject);
        row(ctx, now, event).into_active_model().reset_all()
    });
    audit_events::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Records that a limit refused: the first refusal of a rule, key and window writes a row, later ones count it up.
pub async fn record_refusal(
    ctx: &Ctx,
    now: DateTime<Utc>,
    origin: &Origin,
    rule: &'static str,
    key: &str,
    window: Duration,
) -> Result<()> {
    let window_number = now.timestamp() / i64::try_from(window.as_secs().max(1)).unwrap_or(i64::MAX);
    let detail = json!({ "rule": rule });
    let event =
        row(ctx, now, &Event { kind: Kind::LimitRefused, origin: Some(origin), actor: None, subject: None, detail });
    tracing::warn!(rule, ip = %origin.ip, request_id = origin.request_id, "a limit refused");
    let values: [Value; 9] = [
        event.id.into(),
        event.at.into(),
        event.kind.into(),
        event.ip_address.into(),
        event.user_agent.into(),
        event.request_id.into(),
        event.detail.into(),
        1.into(),
        format!("{rule}:{key}:{window_number}").into(),
    ];
    let sql = "INSERT INTO audit_events \
         (id, at, kind, ip_address, user_agent, request_id, detail, count, refusal_key) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (refusal_key) DO UPDATE SET count = audit_events.count + 1";
    ctx.db.write().execute_raw(db::statement(ctx.db.backend(), sql, values)).await?;
    Ok(())
}

/// Takes client addresses out of what is older than they may be kept.
pub async fn forget_addresses(ctx: &Ctx, before: DateTime<Utc>) -> Result<()> {
    audit_events::Entity::update_many()
        .col_expr(audit_events::Column::IpAddress, Expr::value(Option::<String>::None))
        .filter(audit_events::Column::IpAddress.is_not_null())
        .filter(audit_events::Column::At.lt(before))
        .exec(ctx.db.write())
        .await?;
    Ok(())
}

fn row(ctx: &Ctx, now: DateTime<Utc>, event: &Event<'_>) -> audit_events::Model {
    audit_events::Model {
        id: ctx.new_id(now),
        at: now,
        kind: event.kind.as_str().to_owned(),
        actor_id: event.actor,
        subject_id: event.subject,
        ip_address: event.origin.map(|origin| origin.ip.to_string()),
        user_agent: event.origin.and_then(|origin| origin.user_agent.clone()),
        request_id: event.origin.map(|origin| origin.request_id.clone()),
        detail: event.detail.clone(),
        count: 1,
        refusal_key: None,
    }
}

/// One line an event in the log: enough to follow what happened, nothing that signs anybody in.
fn tell(kind: Kind, origin: Option<&Origin>, subject: Option<Uuid>) {
    tracing::info!(
        event = kind.as_str(),
        user = subject.map(tracing::field::display),
        ip = origin.map(|origin| tracing::field::display(origin.ip)),
        request_id = origin.map(|origin| origin.request_id.as_str()),
        "authentication event"
    );
}
