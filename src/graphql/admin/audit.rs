//! Audit events as clients see them: of everybody for whoever may read the trail, and to everybody about themselves.
//! Of whom and from where something was done is shown as far as `domain::access` says.

use async_graphql::{Context, Enum, ID, InputObject, Json, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    db::entity::audit_events,
    domain::{
        access::{Manager, ReadAccess},
        audit::{
            self,
            list::{self, Filter},
        },
    },
    error::Error,
    graphql::{
        error::ApiError,
        loader, parts,
        relay::{self, Connection, Kind, Listed, Page},
        user::User,
    },
};

macro_rules! shown {
    ($($(#[doc = $doc:tt])+ $variant:ident = $name:tt,)+) => {
        /// What can happen. Later versions add to this list.
        #[derive(Clone, Copy, PartialEq, Eq, Enum)]
        #[graphql(remote = "audit::Kind")]
        pub(crate) enum AuditKind { $($(#[doc = $doc])+ $variant,)+ }
    };
}
audit::audit_kinds!(shown);

/// Something that happened.
#[derive(Clone)]
pub(crate) struct AuditEvent {
    model: audit_events::Model,
    access: ReadAccess,
}

impl From<list::Seen> for AuditEvent {
    fn from((mut model, access): list::Seen) -> Self {
        if let Some(detail) = model.detail.as_object_mut().filter(|_| !access.shows_labels()) {
            detail.remove(audit::ADDRESS_LABEL);
        }
        Self { model, access }
    }
}

impl AuditEvent {
    fn known_kind(&self) -> Result<AuditKind, ApiError> {
        let kind = audit::Kind::ALL.iter().find(|kind| kind.as_str() == self.model.kind);
        let unknown = || Error::Internal(format!("an audit event of an unknown kind: {}", self.model.kind));
        Ok(kind.copied().ok_or_else(unknown)?.into())
    }

    /// Somebody whom the event names, as far as the viewer sees them.
    async fn person(&self, ctx: &Context<'_>, id: Option<Uuid>) -> Result<Option<User>, ApiError> {
        let (_, viewer) = parts(ctx);
        let Some(access) = id.and_then(|id| self.access.of_another(id)) else {
            return Ok(None);
        };
        Ok(loader::load(ctx, loader::Person(access)).await?.map(|seen| User::seen(seen, viewer)))
    }

    /// Whether it is about somebody whom the viewer does not see: then only that it happened is shown.
    async fn is_veiled(&self, ctx: &Context<'_>) -> Result<bool, ApiError> {
        let is_about = self.model.subject_id.filter(|_| !self.access.sees_deleted());
        Ok(is_about.is_some() && self.person(ctx, is_about).await?.is_none())
    }

    /// From where it was done, where that is shown.
    async fn origin<'a>(&self, ctx: &Context<'_>, text: Option<&'a str>) -> Option<Result<&'a str, ApiError>> {
        let text = text.filter(|_| self.access.shows_origin_of(self.model.actor_id))?;
        match self.is_veiled(ctx).await {
            Ok(veiled) => (!veiled).then_some(Ok(text)),
            Err(error) => Some(Err(error)),
        }
    }
}

/// Something that happened. The trail outlives people: `actor` and `subject` are `null` for those who were erased, as
/// they are where nobody is known and where you may not see them.
#[Object]
impl AuditEvent {
    /// Opaque and typed; see `node`.
    pub(crate) async fn id(&self) -> ID {
        relay::encode(Kind::AuditEvent, self.model.id)
    }

    /// When.
    async fn at(&self) -> DateTime<Utc> {
        self.model.at
    }

    /// What.
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
    async fn kind(&self) -> Result<AuditKind, ApiError> {
        self.known_kind()
    }

    /// Who did it.
    async fn actor(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        self.person(ctx, self.model.actor_id).await.transpose()
    }

    /// Whom it is about.
    async fn subject(&self, ctx: &Context<'_>) -> Option<Result<User, ApiError>> {
        self.person(ctx, self.model.subject_id).await.transpose()
    }

    /// The client address, while it is kept.
    async fn ip_address(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.ip_address.as_deref()).await
    }

    /// The client software, as it called itself.
    async fn user_agent(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.user_agent.as_deref()).await
    }

    /// The request, as in the `x-request-id` of its answer.
    async fn request_id(&self, ctx: &Context<'_>) -> Option<Result<&str, ApiError>> {
        self.origin(ctx, self.model.request_id.as_deref()).await
    }

    /// More about it, different for each kind; `null` where it is about somebody whom you may not see.
    async fn detail(&self, ctx: &Context<'_>) -> Option<Result<Json<&serde_json::Value>, ApiError>> {
        match self.is_veiled(ctx).await {
            Ok(veiled) => (!veiled).then_some(Ok(Json(&self.model.detail))),
            Err(error) => Some(Err(error)),
        }
    }

    /// How often: refusals of a kind share an event.
    async fn count(&self) -> i32 {
        self.model.count
    }
}

/// Which list of events a page is of.
pub(crate) enum Trail {
    /// All that fit.
    All(Filter),
    /// What is about a person.
    About(ReadAccess),
}

impl Listed for AuditEvent {
    const NAME: &'static str = "AuditEvent";
    type List = Trail;

    async fn count(ctx: &Context<'_>, trail: &Trail) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        match trail {
            Trail::All(filter) => {
                let manager = Manager::require(domain, viewer, "auditEvents").await?;
                Ok(list::count(domain, manager, filter).await?)
            }
            Trail::About(access) => Ok(loader::load(ctx, loader::EventCount(*access)).await?.unwrap_or_default()),
        }
    }
}

/// Which events; all that is given must fit. Every filter is fast, however long the trail is.
#[derive(InputObject)]
pub(crate) struct AuditFilter {
    /// Of any of these kinds.
    kinds: Option<Vec<AuditKind>>,
    /// Done by this person: their id, or the UUID in the `sub` claim of an access token.
    actor_id: Option<ID>,
    /// About this person: their id, or the UUID in the `sub` claim of an access token.
    subject_id: Option<ID>,
    /// At this moment or later.
    from: Option<DateTime<Utc>>,
    /// Before this moment.
    before: Option<DateTime<Utc>>,
}

impl AuditFilter {
    pub(crate) fn read(self) -> Result<Filter, ApiError> {
        let person = |field, id: Option<ID>| id.map(|id| relay::decode_user(field, &id)).transpose();
        let filter = Filter {
            kinds: self.kinds.map(|kinds| kinds.into_iter().map(Into::into).collect()),
            actor: person("actorId", self.actor_id)?,
            subject: person("subjectId", self.subject_id)?,
            from: self.from,
            before: self.before,
        };
        Ok(filter.canonical())
    }
}

#[derive(Default)]
pub(crate) struct AuditQuery;

#[Object]
impl AuditQuery {
    /// What happened, newest first. For a MANAGER or more; everybody sees what is about themselves in
    /// `me { auditEvents }`.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which events; all when left out.")] filter: Option<AuditFilter>,
    ) -> Result<Connection<AuditEvent>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, "auditEvents").await?;
        let filter = filter.map(AuditFilter::read).transpose()?.unwrap_or_default();
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
    fn a_kind_is_shown_as_it_is_stored() {
        let shown: Vec<_> = AuditKind::items().iter().map(|item| (item.name, audit::Kind::from(item.value))).collect();
        assert_eq!(shown, audit::Kind::ALL.iter().map(|kind| (kind.as_str(), *kind)).collect::<Vec<_>>());
    }
}
