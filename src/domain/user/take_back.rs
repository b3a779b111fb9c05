//! Ends all access that a thief may have to an account: sessions, devices, codes, links, API keys and the password.

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::{
    db::entity::users,
    domain::{
        Ctx,
        audit::{self, Event, Kind},
        credential::{api_key, password},
        device,
        session::{self, EndReason},
        sign_in::{challenge, link},
        transaction::Work,
    },
    error::Result,
};

/// Ends every session, revokes every API key, forgets every device and voids all pending codes and links of a user
/// whose row the caller has locked. Returns the ended sessions. Six statements, and one more if there are keys.
pub(in crate::domain) async fn end_access(
    ctx: &Ctx,
    work: &Work,
    user: &users::Model,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    challenge::void_changes(ctx, &**work, user.id, now).await?;
    challenge::void_all(ctx, &**work, &user.email, now).await?;
    link::void(ctx, &**work, &user.email, now).await?;
    api_key::manage::revoke_all(ctx, work, user, reason, now).await?;
    device::forget_all(&**work, user.id).await?;
    session::end_all(&**work, user.id, reason, now).await
}

/// The same when the account is taken back from a thief, who may have set the password too.
pub(in crate::domain) async fn take_back(
    ctx: &Ctx,
    work: &Work,
    user: &users::Model,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<Vec<Uuid>> {
    if password::remove(&**work, user.id).await? {
        let (subject, email) = (Some(user.id), Some(user.email.as_str()));
        let detail = json!({ "reason": reason.as_str() });
        let event = Event { kind: Kind::PasswordRemoved, origin: None, actor: None, subject, detail, email };
        audit::record(ctx, work, now, &[event]).await?;
    }
    end_access(ctx, work, user, reason, now).await
}
