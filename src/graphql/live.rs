//! Subscriptions. Each subscription reads the event feed of its connection, and the feed ends with the session.
//! Permissions are checked when a subscription starts, and again in the feed. Events are not charged to rate limits, so
//! the maximum cost of a subscription is low.

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
    access::{Manager, SignedIn, scope},
    live::event_feed::EventFeed,
};

#[derive(Default)]
pub(super) struct LiveSubscription;

#[Subscription]
impl LiveSubscription {
    /// Sends each of your sessions when it ends. When the session of this connection ends, that is the last event. A
    /// session that expires at `expiresAt` sends no event.
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

    /// Sends audit events as they happen. Requires the role MANAGER. You can miss events while disconnected or under
    /// heavy load. `auditEvents` returns all events.
    async fn audit_event_added(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only events that match this filter.")] filter: Option<AuditFilter>,
    ) -> Result<impl Stream<Item = Bounded<AuditEvent>> + 'static, ApiError> {
        let (domain, viewer) = parts(ctx);
        // The feed follows a session.
        viewer.person()?;
        let manager = Manager::require(domain, viewer, scope::AUDIT_READ, "auditEventAdded").await?;
        let filter = AuditFilter::read_or_all(filter, domain, manager, "auditEventAdded").await?;
        let events = feed(ctx)?.events(manager, filter)?;
        Ok(as_stream(events).map(|seen| Bounded(seen.into())))
    }
}

/// Returns the event feed of the connection. Fails for a plain HTTP request, which has no feed.
fn feed<'a>(ctx: &Context<'a>) -> Result<&'a Arc<EventFeed>, ApiError> {
    let message = "Subscribe over a WebSocket or with `Accept: text/event-stream`.";
    ctx.data_opt().ok_or_else(|| ApiError::new(Code::BadRequest, message))
}

fn as_stream<T: Send + 'static>(mut receiver: Receiver<T>) -> impl Stream<Item = T> + Send + 'static {
    stream::poll_fn(move |task| receiver.poll_recv(task))
}
