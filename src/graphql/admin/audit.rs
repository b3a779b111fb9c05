//! The `AuditEvent` type and the `auditEvents` query. `domain::access` decides whether the viewer may see the users and
//! the origin (IP address and user agent) of an event.

mod details;
mod statistics;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::details::AuditDetails;
pub(crate) use self::statistics::StatisticsQuery;
use crate::{
    db::entity::audit_events,
    domain::{
        Check, Ctx,
        access::{Manager, ReadAccess, scope},
        audit::{
            self,
            list::{self, Filter},
            network::Place,
        },
    },
    error::Error,
    graphql::{
        error::ApiError,
        loader, parts,
        relay::{self, Connection, Kind, Listed, Page},
        scalar::{EmailAddress, Json},
        user::User,
    },
};

macro_rules! shown {
    ($($(#[doc = $doc:tt])+ $variant:ident = $name:tt,)+) => {
        /// The kind of an audit event. Later versions can add kinds.
        #[derive(Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(remote = "audit::Kind")]
        pub(crate) enum AuditKind { $($(#[doc = $doc])+ $variant,)+ }
    };
}
audit::audit_kinds!(shown);

#[derive(Clone)]
pub(crate) struct AuditEvent {
    model: audit_events::Model,
    access: ReadAccess,
}

impl From<list::Seen> for AuditEvent {
    fn from(seen: list::Seen) -> Self {
        let (model, access) = list::hide_label(seen);
        Self { model, access }
    }
}

impl AuditEvent {
    fn known_kind(&self) -> Result<AuditKind, ApiError> {
        let kind = audit::Kind::ALL.iter().find(|kind| kind.as_str() == self.model.kind);
        let unknown = || Error::Internal(format!("unknown kind of audit event: {}", self.model.kind));
        Ok(kind.copied().ok_or_else(unknown)?.into())
    }

    /// Loads a user of the event. `None` if the viewer may not see that user.
    async fn user(&self, ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<User>, ApiError> {
        let (_, viewer) = parts(ctx);
        let Some(access) = id.and_then(|id| self.access.of_another(id)) else {
            return Ok(None);
        };
        Ok(loader::load(ctx, loader::Person(access)).await?.map(|seen| User::seen(seen, viewer)))
    }

    /// Whether the viewer may not see the subject of the event. If so, the event shows no details.
    async fn is_veiled(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        let is_about = self.model.subject_id.filter(|_| !self.access.sees_deleted());
        Ok(is_about.is_some() && self.user(ctx, is_about).await?.is_none())
    }

    /// Returns a value of the event. `None` if the viewer may not see the subject.
    async fn unveiled<T>(&self, ctx: &Context<'_>, value: T) -> Option<Result<T, ApiError>> {
        match self.is_veiled(ctx).await {
            Ok(veiled) => (!veiled).then_some(Ok(value)),
            Err(error) => Some(Err(error)),
        }
    }

    /// Returns a value about the origin of the event. `None` if the viewer may not see the origin.
    async fn origin<T>(&self, ctx: &Context<'_>, value: Option<T>) -> Option<Result<T, ApiError>> {
        let value = value.filter(|_| self.access.shows_origin_of(self.model.actor_id))?;
        self.unveiled(ctx, value).await
    }
}

/// An event in the audit trail. Events outlive users: `actor` and `subject` are `null` if the user was erased, is
/// unknown, or is hidden from you.
#[Object]
impl AuditEvent {
    /// The ID of the event, for `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::AuditEvent, self.model.id)
    }

    /// The time at which the event happened.
    async fn at(&self) -> DateTime<Utc> {
        self.model.at
    }

    /// The kind of event.
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
    async fn kind(&self) -> Result<AuditKind, ApiError> {
        self.known_kind()
    }

    /// The user who caused the event.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        self.user(ctx, self.model.actor_id).await.transpose()
    }

    /// The user whom the event is about.
    async fn subject(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        self.user(ctx, self.model.subject_id).await.transpose()
    }

    /// The IP address of the client. `null` once it is erased, or if hidden from you.
    async fn ip_address(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.ip_address.as_deref()).await
    }

    /// The `User-Agent` header of the client. `null` once it is erased, or if hidden from you.
    async fn user_agent(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.user_agent.as_deref()).await
    }

    /// The ID of the request, as in the `x-request-id` header of its response.
    async fn request_id(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.request_id.as_deref()).await
    }

    /// The session that the event opened or ended, or else the session in which it was caused. `null` if there was
    /// none, once it is erased, or if hidden from you. A session is deleted 30 days after its end.
    async fn session_id(&self, ctx: &Context<'_>) -> Option<Result<ID, ApiError>> {
        self.origin(ctx, self.model.session_id.map(|id| relay::encode(Kind::Session, id))).await
    }

    /// The details as fields. `null` if the subject is hidden from you.
    async fn details(&self, ctx: &Context<'_>) -> Option<Result<AuditDetails, ApiError>> {
        self.unveiled(ctx, AuditDetails::new(&self.model.kind, &self.model.detail)).await
    }

    /// The details as JSON, whose keys depend on the kind. `null` if the subject is hidden from you.
    async fn detail(&self, ctx: &Context<'_>) -> Option<Result<Json<&serde_json::Value>, ApiError>> {
        self.unveiled(ctx, Json(&self.model.detail)).await
    }

    /// The number of occurrences. Repeated refusals share one event.
    async fn count(&self) -> i32 {
        self.model.count
    }
}

/// A list of audit events.
pub(crate) enum Trail {
    /// All events that match a filter.
    All(Filter),
    /// The events about a user.
    About(ReadAccess),
}

impl Listed for AuditEvent {
    const NAME: &'static str = "AuditEvent";
    type List = Trail;

    async fn count(ctx: &Context<'_>, trail: &Trail) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        match trail {
            Trail::All(filter) => {
                let manager = Manager::require(domain, viewer, scope::AUDIT_READ, "auditEvents").await?;
                Ok(list::count(domain, manager, filter).await?)
            }
            Trail::About(access) => Ok(loader::load(ctx, loader::EventCount(*access)).await?.unwrap_or_default()),
        }
    }
}

/// A filter for audit events. An event must match all given fields.
#[derive(InputObject)]
pub(crate) struct AuditFilter {
    /// Only events of these kinds.
    kinds: Option<Vec<AuditKind>>,
    /// Only events that this user caused. The ID of the user, or the UUID in the `sub` claim of an access token.
    actor_id: Option<ID>,
    /// Only events about this user. The ID of the user, or the UUID in the `sub` claim of an access token.
    subject_id: Option<ID>,
    /// Only events from this IP address, or from this network: an IPv4 /24 such as `203.0.113.0/24`, or an IPv6 /64
    /// such as `2001:db8:1:2::/64`. IP addresses are erased after some time.
    network: Option<String>,
    /// Only events that opened or ended this session, or were caused in it. The ID of the session, or the UUID in the
    /// `sid` claim of an access token.
    session_id: Option<ID>,
    /// Only events that name this email address without a user: requested codes and links, wrong codes and wrong
    /// passwords. Requires the role ADMIN.
    email: Option<EmailAddress>,
    /// Only events at or after this time.
    from: Option<DateTime<Utc>>,
    /// Only events before this time.
    before: Option<DateTime<Utc>>,
}

impl AuditFilter {
    /// Checks the filter for a request for `field`.
    async fn read(self, ctx: &Ctx, manager: Manager<'_>, field: &'static str) -> Result<Filter, ApiError> {
        let user_id = |field, id: Option<ID>| id.map(|id| relay::decode_user(field, &id)).transpose();
        let session_id = |id: ID| relay::decode_or_uuid(Kind::Session, "sessionId", &id);
        let mut check = Check::default();
        let place = self.network.and_then(|text| check.field("network", Place::parse(&text)));
        check.done()?;
        let filter = Filter {
            kinds: self.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            actor: user_id("actorId", self.actor_id)?,
            subject: user_id("subjectId", self.subject_id)?,
            place,
            session: self.session_id.map(session_id).transpose()?,
            labels: match self.email {
                Some(email) => Some(list::labels(ctx, manager, &email.0, field).await?),
                None => None,
            },
            from: self.from,
            before: self.before,
        };
        Ok(filter.canonical())
    }

    /// Does the same, or returns a filter that all events match.
    pub(crate) async fn read_or_all(
        filter: Option<Self>,
        ctx: &Ctx,
        manager: Manager<'_>,
        field: &'static str,
    ) -> Result<Filter, ApiError> {
        match filter {
            Some(filter) => filter.read(ctx, manager, field).await,
            None => Ok(Filter::default()),
        }
    }
}

#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Lists audit events, newest first. Requires the role MANAGER. For events about yourself, use `me { auditEvents
    /// }`.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Only events that match this filter.")] filter: Option<AuditFilter>,
    ) -> Result<Connection<AuditEvent>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, scope::AUDIT_READ, "auditEvents").await?;
        let filter = AuditFilter::read_or_all(filter, domain, manager, "auditEvents").await?;
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let events = list::list(domain, manager, &filter, page.slice()).await?;
        Ok(Connection::new(&page, events, |(row, _)| relay::cursor(row.id), AuditEvent::from, Trail::All(filter)))
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::resolver_utils::EnumType;

    use super::*;

    #[test]
    fn kinds_have_the_same_name_in_the_schema_and_the_database() {
        let shown: Vec<_> = AuditKind::items().iter().map(|item| (item.name, audit::Kind::from(item.value))).collect();
        assert_eq!(shown, audit::Kind::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect::<Vec<_>>());
    }
}
