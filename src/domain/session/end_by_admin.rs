//! The end of one session by an administrator.

use serde_json::json;
use uuid::Uuid;

use super::{EndReason, for_client};
use crate::{
    domain::{
        Ctx,
        access::{Admin, SignedIn},
        audit::{self, Event, Kind},
        transaction::Work,
    },
    error::{Error, Result},
};

/// Ends a session of any user, and those of applications that were opened from it. Returns the session and its user;
/// does nothing if it is already over. Four statements.
pub async fn end_by_admin(ctx: &Ctx, admin: Admin<'_>, id: Uuid) -> Result<SignedIn> {
    let now = ctx.now();
    let mut found = ctx.sessions.find(id).await?.ok_or(Error::NotFound)?;
    let user = found.user.id;
    let work = Work::begin(ctx).await?;
    let ended = for_client::end_with_children(&work, (user, id), EndReason::ByAdmin, now).await?;
    let event = |session: &Uuid| {
        let detail = json!({ "session": session, "reason": EndReason::ByAdmin.as_str() });
        let (origin, actor, subject) = (Some(admin.origin()), Some(admin.user().id), Some(user));
        Event { kind: Kind::SessionEnded, origin, actor, subject, detail, email: None }
    };
    let events: Vec<_> = ended.iter().map(|session| event(&session.id)).collect();
    audit::record(ctx, &work, now, &events).await?;
    work.commit(ctx).await?;
    if let Some(session) = ended.into_iter().find(|session| session.id == id) {
        found.session = session;
    }
    Ok(found)
}
