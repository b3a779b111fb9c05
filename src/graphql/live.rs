//! Subscriptions. Each reads the event feed of its connection, which ends with the session. Permissions are checked at
//! the start and in the feed. Events are not charged to rate limits, so their cost has a low maximum.

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
    /// Sends your sessions as they end, last the one of this connection. A session that expires at `expiresAt` sends no
    /// event.
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
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

    /// Sends audit events as they happen. Requires the role MANAGER. Events can be missed while disconnected or under
    /// heavy load; `auditEvents` has them all.
    async fn audit_event_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that match this filter.")] filter: Option<AuditFilter>,
    ) -> Result<impl Stream<Item = Bounded<AuditEvent>> + 'static, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, "auditEventAdded").await?;
        let filter = filter.map(AuditFilter::read).transpose()?.unwrap_or_default();
        let events = feed(ctx)?.events(manager, filter)?;
        Ok(as_stream(events).map(|seen| Bounded(seen.into())))
    }
}

/// The event feed of the connection. A plain HTTP request has none.
fn feed<'a>(ctx: &Context<'a>) -> Result<&'a Arc<EventFeed>, ApiError> {
    let message = "Subscribe over a WebSocket or with `Accept: text/event-stream`.";
    ctx.data_opt().ok_or_else(|| ApiError::new(Code::BadRequest, message))
}

fn as_stream<T: Send + 'static>(mut receiver: Receiver<T>) -> impl Stream<Item = T> + Send + 'static {
    stream::poll_fn(move |task| receiver.poll_recv(task))
}
