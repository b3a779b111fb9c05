//! The `User` type, `me` and `user`. Access is decided in `domain::access`, never in a resolver.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    account::{
        api_key::ApiKey,
        device::Device,
        session::{self, Session},
    },
    admin::audit::{AuditEvent, Trail},
    error::ApiError,
    loader, parts,
    relay::{self, Connection, Kind, Page},
    scalar::EmailAddress,
};
use crate::{
    db::entity,
    domain::{
        access::{Person, ReadAccess, SignedIn, Viewer},
        user,
    },
    error::Error,
};

/// The role of a user. From lowest to highest: GUEST, USER, MANAGER, ADMIN. Each role includes the permissions of the
/// lower ones.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::Role")]
pub(super) enum Role {
    /// Manages all users.
    Admin,
    /// Reads all users and audit events.
    Manager,
    /// Reads and changes their own account.
    User,
    /// Reads their own account.
    Guest,
}

/// The status of a user.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::UserStatus")]
pub(super) enum UserStatus {
    /// The user can sign in.
    Active,
    /// The user can't sign in until an administrator restores the account.
    Suspended,
    /// The account is deleted. An administrator can restore it until it is erased.
    Deleted,
}

#[derive(Clone)]
pub(super) struct User {
    model: Arc<entity::users::Model>,
    access: ReadAccess,
    /// The session of this request, for `Session.current`.
    current: Option<Uuid>,
}

impl User {
    /// A user whom the viewer may see.
    pub(super) fn seen((model, access): (entity::users::Model, ReadAccess), viewer: &Viewer) -> Self {
        let current = viewer.session().map(|signed_in| signed_in.session.id);
        Self { model: Arc::new(model), access, current }
    }

    /// The signed-in user.
    pub(super) fn own(person: Person<'_>) -> Self {
        let current = Some(person.session().id);
        Self { model: Arc::new(person.user().clone()), access: person.access(), current }
    }

    /// The signed-in user after a change to their account.
    pub(super) fn own_after(person: Person<'_>, model: entity::users::Model) -> Self {
        Self { model: Arc::new(model), ..Self::own(person) }
    }

    /// When the user set their password, if the viewer may know: `None` if not, `Some(None)` without a password.
    async fn password(&self, ctx: &Context<'_>) -> Result<Option<Option<DateTime<Utc>>>, ApiError> {
        if !self.access.shows_credentials() {
            return Ok(None);
        }
        loader::load(ctx, loader::PasswordTime(self.access)).await.map(Some)
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

/// A user account.
#[Object]
impl User {
    /// The ID of the user, for `node`.
    pub(super) async fn id(&self) -> ID {
        relay::encode(Kind::User, self.model.id)
    }

    /// The UUID of the user, as in the `sub` claim of access tokens. Store it with your own data. Every argument for
    /// the ID of a user accepts it too.
    async fn database_id(&self) -> String {
        self.model.id.to_string()
    }

    /// The email address for signing in.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.model.email.clone())
    }

    /// The display name.
    async fn name(&self) -> Option<&str> {
        self.model.name.as_deref()
    }

    /// The role, which decides what the user may do.
    async fn role(&self) -> Role {
        self.model.role.into()
    }

    /// The status, which decides whether the user can sign in.
    async fn status(&self) -> UserStatus {
        self.model.status.into()
    }

    /// The time at which the account was created.
    async fn created_at(&self) -> DateTime<Utc> {
        self.model.created_at
    }

    /// The time of the last change to the account.
    async fn updated_at(&self) -> DateTime<Utc> {
        self.model.updated_at
    }

    /// The language of emails to the user, if one is set.
    async fn locale(&self) -> Option<&str> {
        self.model.locale.as_deref()
    }

    /// The version of the account, which increases with every change. Mutations that get an outdated version fail with
    /// `CONFLICT`.
    async fn version(&self) -> i32 {
        self.model.version
    }

    /// The time at which the account was deleted. `null` unless it is deleted.
    async fn deleted_at(&self) -> Option<DateTime<Utc>> {
        self.model.deleted_at
    }

    /// The time of the latest sign-in.
    async fn last_sign_in_at(&self) -> Option<DateTime<Utc>> {
        self.model.last_sign_in_at
    }

    /// Whether the user has a password. `null` unless it is you or you have the role ADMIN.
    async fn has_password(&self, ctx: &Context<'_>) -> Result<Option<bool>, ApiError> {
        Ok(self.password(ctx).await?.map(|changed_at| changed_at.is_some()))
    }

    /// The time at which the user set the current password. `null` without a password, and unless it is you or you have
    /// the role ADMIN.
    async fn password_changed_at(&self, ctx: &Context<'_>) -> Result<Option<DateTime<Utc>>, ApiError> {
        Ok(self.password(ctx).await?.flatten())
    }

    /// Lists the API keys of the user: those that work or have expired first, then those that were revoked in the last
    /// 30 days, newest first, at most 50. Only the user and administrators see them; others get an empty list.
    async fn api_keys(&self, ctx: &Context<'_>) -> Result<Vec<ApiKey>, ApiError> {
        let (_, viewer) = parts(ctx);
        if viewer.is_limited() {
            return Err(Error::InsufficientScope.into());
        }
        if !self.access.shows_credentials() {
            return Ok(Vec::new());
        }
        let keys = loader::load(ctx, loader::ApiKeys(self.access)).await?.unwrap_or_default();
        Ok(keys.into_iter().map(ApiKey::from).collect())
    }

    /// Lists the open sessions of the user, newest first.
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Session>, ApiError> {
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = loader::load(ctx, loader::Sessions(self.access, page.slice())).await?.unwrap_or_default();
        let list = session::Sessions::Open(self.access);
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), |row| Session::new(row, self.clone()), list))
    }

    /// Lists the sessions of the user that ended or expired in the last 30 days, newest first.
    async fn ended_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<Session>, ApiError> {
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = loader::load(ctx, loader::EndedSessions(self.access, page.slice())).await?.unwrap_or_default();
        let list = session::Sessions::Ended(self.access);
        Ok(Connection::new(&page, rows, |row| relay::cursor(row.id), |row| Session::new(row, self.clone()), list))
    }

    /// Lists the audit events about the user, newest first.
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<Connection<AuditEvent>, ApiError> {
        let page = Page::by_id(first, after.as_deref(), last, before.as_deref())?;
        let rows = loader::load(ctx, loader::Events(self.access, page.slice())).await?.unwrap_or_default();
        Ok(Connection::new(&page, rows, |(row, _)| relay::cursor(row.id), AuditEvent::from, Trail::About(self.access)))
    }

    /// Lists the known devices of the user, at most the 20 used last.
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>, ApiError> {
        let devices = loader::load(ctx, loader::Devices(self.access)).await?.unwrap_or_default();
        Ok(devices.into_iter().map(Device::from).collect())
    }
}

#[derive(Default)]
pub(super) struct UserQuery;

#[Object]
impl UserQuery {
    /// The signed-in user. `null` without a bearer token.
    async fn me(&self, ctx: &Context<'_>) -> Option<User> {
        let (_, viewer) = parts(ctx);
        let me = viewer.identified().ok()?;
        Some(User::seen((me.user().clone(), me.access()), viewer))
    }

    /// Looks up a user by ID or by email address: yourself, or any user with the role MANAGER. Takes exactly one
    /// argument.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the user, or the UUID in the `sub` claim of an access token.")] id: Option<ID>,
        #[graphql(desc = "The email address of the user. `NOT_FOUND` if no account that you can see has it.")]
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
