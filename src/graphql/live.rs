//! Subscriptions. Each reads the event feed of its connection, which ends with the session; nothing here checks a
//! permission again, and no event shows what a list would hide. Events are small, because they are not charged.

use std::sync::Arc;

use async_graphql::{Context, Subscription};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc::Receiver;

use super::{
    account::session::Session,
    admin::audit::{AuditEvent, AuditFilter},
    admission::Bounded,
    error::{ApiError, Code},
    parts,
    user::User,
};
use crate::domain::{
    access::{Manager, SignedIn},
    live::event_feed::EventFeed,
};

#[derive(Default)]
pub(super) struct LiveSubscription;

#[Subscription]
impl LiveSubscription {
    /// Your sessions as they end, wherever they are ended: the last one to be told is the one that you listen with. A
    /// session whose time has run out is not told, for it ends by itself at its `expiresAt`.
    #[expect(clippy::unused_async, reason = "the library awaits what makes a stream")]
    async fn session_ended(
        &self,
        ctx: &Context<'_>,
    ) -> Result<impl Stream<Item = Bounded<Session>> + 'static, ApiError> {
        let (_, viewer) = parts(ctx);
        let person = viewer.person()?;
        let (access, viewer) = (person.access(), viewer.clone());
        let ended = feed(ctx)?.ended_sessions(person)?;
        let session = move |ended: SignedIn| Session::new(ended.session, User::seen((ended.user, access), &viewer));
        Ok(as_stream(ended).map(move |ended| Bounded(session(ended))))
    }

    /// What happens, as it happens. For a MANAGER or more. What happened while you were not connected is in
    /// `auditEvents`; under great load some events are only there.
    async fn audit_event_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which events; all when left out.")] filter: Option<AuditFilter>,
    ) -> Result<impl Stream<Item = Bounded<AuditEvent>> + 'static, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, "auditEventAdded").await?;
        let filter = filter.map(AuditFilter::read).transpose()?.unwrap_or_default();
        let events = feed(ctx)?.events(manager, filter)?;
        Ok(as_stream(events).map(|seen| Bounded(seen.into())))
    }
}

/// The feed of the connection. A request with a single response has none.
fn feed<'a>(ctx: &Context<'a>) -> Result<&'a Arc<EventFeed>, ApiError> {
    let message = "Subscribe over a WebSocket or with `Accept: text/event-stream`.";
    ctx.data_opt().ok_or_else(|| ApiError::new(Code::BadRequest, message))
}

fn as_stream<T: Send + 'static>(mut receiver: Receiver<T>) -> impl Stream<Item = T> + Send + 'static {
    stream::poll_fn(move |task| receiver.poll_recv(task))
}
