//! People as clients see them. Only the person themselves is reachable here so far; what others may see is decided in
//! `domain::access`, never in a resolver.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    account::{device::Device, session::Session},
    admin::audit::{AuditEvent, Trail},
    error::ApiError,
    loader, parts,
    relay::{self, Connection, Kind, Page},
};
use crate::{
    db::entity,
    domain::{
        access::{Person, ReadAccess, SignedIn, Viewer},
        user,
    },
};

/// What a person may do. Each role may do all that the ones before it may: GUEST, USER, MANAGER, ADMIN.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::Role")]
pub(super) enum Role {
    /// Changes people.
    Admin,
    /// Reads people and audit events.
    Manager,
    /// Changes itself.
    User,
    /// Reads itself.
    Guest,
}

/// Whether a person may sign in.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::UserStatus")]
pub(super) enum UserStatus {
    /// May sign in.
    Active,
    /// May not, until restored.
    Suspended,
    /// Gone.
    Deleted,
}

/// A canonical e-mail address: ASCII, lower case, the domain in its encoded form.
pub(super) struct EmailAddress(pub String);

/// A canonical e-mail address: ASCII, lower case, the domain in its encoded form.
#[Scalar]
impl ScalarType for EmailAddress {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        match value {
            Value::String(text) => crate::email_address::EmailAddress::parse(&text)
                .map(|email| Self(email.as_str().to_owned()))
                .map_err(async_graphql::InputValueError::custom),
            other => Err(async_graphql::InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

/// A person.
#[derive(Clone)]
pub(super) struct User {
    model: Arc<entity::users::Model>,
    access: ReadAccess,
    /// The session that this request came with or made, to mark as current.
    current: Option<Uuid>,
}

impl User {
    /// Somebody whom the viewer may see.
    pub(super) fn seen((model, access): (entity::users::Model, ReadAccess), viewer: &Viewer) -> Self {
        let current = viewer.signed_in.as_ref().map(|signed_in| signed_in.session.id);
        Self { model: Arc::new(model), access, current }
    }

    /// The person who asks.
    pub(super) fn own(person: Person<'_>) -> Self {
        let current = Some(person.session().id);
        Self { model: Arc::new(person.user().clone()), access: person.access(), current }
    }

    /// The person who asks, as they are after a change of theirs.
    pub(super) fn own_after(person: Person<'_>, model: entity::users::Model) -> Self {
        Self { model: Arc::new(model), ..Self::own(person) }
    }

    pub(super) fn is_current(&self, session: Uuid) -> bool {
        self.current == Some(session)
    }
}

impl From<&SignedIn> for User {
    fn from(signed_in: &SignedIn) -> Self {
        let current = Some(signed_in.session.id);
        Self { model: Arc::new(signed_in.user.clone()), access: signed_in.access(), current }
    }
}

/// A person.
#[Object]
impl User {
    /// Opaque and typed; see `node`.
    pub(super) async fn id(&self) -> ID {
        relay::encode(Kind::User, self.model.id)
    }

    /// UUID of this user, as in the `sub` claim of their access tokens. Store it with your own data; every argument for
    /// the id of a user accepts it too.
    async fn database_id(&self) -> String {
        self.model.id.to_string()
    }

    /// The address they sign in with.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.model.email.clone())
    }

    /// What they want to be called.
    async fn name(&self) -> Option<&str> {
        self.model.name.as_deref()
    }

    /// What they may do.
    async fn role(&self) -> Role {
        self.model.role.into()
    }

    /// Whether they may sign in.
    async fn status(&self) -> UserStatus {
        self.model.status.into()
    }

    /// When the account was made.
    async fn created_at(&self) -> DateTime<Utc> {
        self.model.created_at
    }

    /// When it last changed.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.model.updated_at
    }

    /// The language of their mails, if they ever asked for one.
    async fn locale(&self) -> Option<&str> {
        self.model.locale.as_deref()
    }

    /// Goes up with every change. Send it back with a change of yours, and it is refused as `CONFLICT` if somebody else
    /// came first.
    async fn version(&self) -> i32 {
        self.model.version
    }

    /// When the account was deleted, while it can be restored.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.model.deleted_at
    }

    /// The latest completed sign-in.
    async fn last_sign_in_at(&self) -> Option<DateTime<Utc>> {
        self.model.last_sign_in_at
    }

    /// The sessions that are open now, latest first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Session>, ApiError> {
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = loader::load(ctx, loader::Sessions(self.access, page.slice())).await?.unwrap_or_default();
        let session = |row| Session::new(row, self.clone());
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), session, self.access))
    }

    /// What happened to them and what they did to themselves, newest first.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEvent>, ApiError> {
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = loader::load(ctx, loader::Events(self.access, page.slice())).await?.unwrap_or_default();
        Ok(Connection::new(&page, rows, |(row, _)| relay::cursor(row.id), AuditEvent::from, Trail::About(self.access)))
    }

    /// The devices that are remembered, the twenty that were used last. Forget those that you do not know.
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>, ApiError> {
        let devices = loader::load(ctx, loader::Devices(self.access)).await?.unwrap_or_default();
        Ok(devices.into_iter().map(Device::from).collect())
    }
}

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// The person who is signed in; `null` when no token was sent.
    async fn me(&self, ctx: &Context<'_>) -> Option<User> {
        let (_, viewer) = parts(ctx);
        viewer.signed_in.as_ref().map(User::from)
    }

    /// One person, by id or by address: yourself, or anybody for a MANAGER. Takes exactly one argument.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Id of a user, or the UUID in the `sub` claim of an access token.")] id: Option<ID>,
        #[graphql(desc = "Email address of the account. `NOT_FOUND` if no account has it, or none that you may see.")]
        email: Option<EmailAddress>,
    ) -> Option<Result<User, ApiError>> {
        Some(find(ctx, id.as_ref(), email.as_ref()).await)
    }
}

async fn find(ctx: &Context<'_>, id: Option<&ID>, email: Option<&EmailAddress>) -> Result<User, ApiError> {
    let (domain, viewer) = parts(ctx);
    let found = match (id, email) {
        (Some(id), None) => user::find_seen(domain, viewer, relay::decode_user("id", id)?, "user").await,
        (None, Some(email)) => {
            let email = crate::email_address::EmailAddress::parse(&email.0);
            let email = email.map_err(|error| ApiError::input("email", error.to_string()))?;
            user::find_seen_by_email(domain, viewer, &email, "user").await
        }
        (None, None) => return Err(ApiError::input("id", "Give an `id` or an `email`.")),
        (Some(_), Some(_)) => return Err(ApiError::input("email", "Give an `id` or an `email`, not both.")),
    };
    Ok(User::seen(found?, viewer))
}
