//! People as clients see them. Only the person themselves is reachable here so far; what others may see is decided in
//! `domain::policy`, never in a resolver.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Scalar, ScalarType, Value};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    device::Device,
    error::ApiError,
    parts,
    relay::{self, Kind, Page},
    session::{Session, SessionConnection},
};
use crate::{
    db::entity,
    domain::{device, policy::SignedIn, session},
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
            Value::String(text) => crate::domain::email_address::EmailAddress::parse(&text)
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
    /// The session that this request came with or made, to mark as current.
    current: Option<Uuid>,
}

impl User {
    pub(super) fn new(model: entity::users::Model, current: Option<Uuid>) -> Self {
        Self { model: Arc::new(model), current }
    }
}

impl From<&SignedIn> for User {
    fn from(signed_in: &SignedIn) -> Self {
        Self::new(signed_in.user.clone(), Some(signed_in.session.id))
    }
}

/// A person.
#[Object]
impl User {
    /// Opaque and typed; see `node`.
    pub(super) async fn id(&self) -> ID {
        relay::encode(Kind::User, self.model.id)
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

    /// The latest completed sign-in.
    async fn last_sign_in_at(&self) -> Option<DateTime<Utc>> {
        self.model.last_sign_in_at
    }

    /// The sessions that are open now, latest first.
    #[graphql(complexity = "first.or(last).unwrap_or(20).clamp(1, 100) as usize * child_complexity")]
    async fn sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "So many from the start, at most 100; 20 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "So many from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Result<SessionConnection, ApiError> {
        let (domain, _) = parts(ctx);
        let page = Page::new(first, after.as_deref(), last, before.as_deref())?;
        let wanted = session::Slice {
            most: page.fetch(),
            older_than: page.after,
            newer_than: page.before,
            oldest_first: page.backward,
        };
        let rows = session::list_open(domain, self.model.id, wanted).await?;
        let (rows, page_info) = page.cut(rows, |row| row.id);
        let sessions = rows.into_iter().map(|row| Session::of(row, Arc::clone(&self.model), self.current)).collect();
        Ok(SessionConnection::new(sessions, page_info, self.model.id))
    }

    /// The devices that are remembered, latest first, at most 100. Forget those that you do not know.
    #[graphql(complexity = "20 * child_complexity")]
    async fn devices(&self, ctx: &Context<'_>) -> Result<Vec<Device>, ApiError> {
        let (domain, _) = parts(ctx);
        let devices = device::list(domain, self.model.id, 100).await?;
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
}
