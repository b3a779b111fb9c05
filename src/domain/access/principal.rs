//! The caller of a request: where it comes from, and which principal sent it. A function takes the narrowest of these
//! types: [`Person`] for what only a session may do, [`Actor`] for what API keys may do too.

use std::{net::IpAddr, ops::Deref};

use uuid::Uuid;

use super::{Scope, scope::PROFILE_READ};
use crate::{
    db::entity::{Role, api_keys, sessions, users},
    error::{Error, Result},
};

/// Where a request comes from, for rate limits, mails and the audit trail.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Client IP address, as reported by trusted proxies.
    pub ip: IpAddr,
    /// `User-Agent`, truncated to the column's length.
    pub user_agent: Option<String>,
    /// The request id, also sent as `x-request-id` in the response.
    pub request_id: String,
    /// The session of the request; `None` until it is known, and without one.
    pub session: Option<Uuid>,
}

/// A signed-in user and the session of the request, both checked in the database for this request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The user.
    pub user: users::Model,
    /// The session of the request.
    pub session: sessions::Model,
}

/// An API key and its owner, both checked in the database for this request.
#[derive(Clone, Debug)]
pub struct KeyHolder {
    /// The owner.
    pub user: users::Model,
    /// The key.
    pub key: api_keys::Model,
}

impl KeyHolder {
    /// Whether the key has a scope that the owner's current role can use.
    pub fn has(&self, scope: Scope) -> bool {
        self.user.role >= scope.role && self.key.has(scope.name)
    }
}

impl SignedIn {
    /// Whether the session may use a scope. A session of the API has them all, and its role is checked elsewhere. A
    /// session of another application only reads the account.
    fn has(&self, scope: Scope) -> bool {
        self.session.client_id.is_none() || scope == PROFILE_READ
    }
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub enum Principal {
    /// Nobody in particular.
    Anonymous,
    /// A signed-in user.
    Session(SignedIn),
    /// A program with a user's API key.
    ApiKey(KeyHolder),
}

/// The caller of a request, signed in or not.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Where the request comes from.
    pub origin: Origin,
    /// Who sent it.
    pub principal: Principal,
}

/// A caller with an account, by session or by API key.
#[derive(Clone, Copy, Debug)]
pub struct Actor<'a> {
    viewer: &'a Viewer,
    user: &'a users::Model,
}

impl<'a> Actor<'a> {
    /// The user, or the owner of the API key.
    pub fn user(self) -> &'a users::Model {
        self.user
    }

    /// Where the request comes from.
    pub fn origin(self) -> &'a Origin {
        &self.viewer.origin
    }

    /// The API key of the request; `None` for a session.
    pub fn key(self) -> Option<&'a api_keys::Model> {
        self.viewer.key().map(|holder| &holder.key)
    }

    /// The application whose session the request has; `None` for a session of the API.
    pub(crate) fn client_id(self) -> Option<&'a str> {
        self.viewer.session()?.session.client_id.as_deref()
    }

    pub(super) fn may(self, role: Role) -> bool {
        self.user().role >= role
    }
}

/// A signed-in caller with any role: may read their own account and end their own sessions. Never an API key, nor a
/// session of another application.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    actor: Actor<'a>,
    session: &'a sessions::Model,
}

impl<'a> Person<'a> {
    /// The session of the request.
    pub fn session(self) -> &'a sessions::Model {
        self.session
    }
}

impl<'a> Deref for Person<'a> {
    type Target = Actor<'a>;

    fn deref(&self) -> &Actor<'a> {
        &self.actor
    }
}

impl<'a> From<Person<'a>> for Actor<'a> {
    fn from(person: Person<'a>) -> Self {
        person.actor
    }
}

impl Viewer {
    /// A caller, whose session is noted in the origin.
    pub fn new(origin: Origin, principal: Principal) -> Self {
        let session = if let Principal::Session(signed_in) = &principal { Some(signed_in.session.id) } else { None };
        Self { origin: Origin { session, ..origin }, principal }
    }

    /// The signed-in caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an anonymous caller, [`Error::InsufficientScope`] for an API key or a session of
    /// another application.
    pub fn person(&self) -> Result<Person<'_>> {
        match &self.principal {
            Principal::Anonymous => Err(Error::Unauthenticated),
            Principal::Session(SignedIn { user, session }) if session.client_id.is_none() => {
                Ok(Person { actor: Actor { viewer: self, user }, session })
            }
            Principal::Session(_) | Principal::ApiKey(_) => Err(Error::InsufficientScope),
        }
    }

    /// The caller if it has this scope, as every session of the API does.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an anonymous caller, [`Error::InsufficientScope`] for an API key or a session of
    /// another application without the scope.
    pub fn actor(&self, scope: Scope) -> Result<Actor<'_>> {
        let actor = self.identified()?;
        if self.has(scope) { Ok(actor) } else { Err(Error::InsufficientScope) }
    }

    /// Whether the caller has a scope.
    pub(crate) fn has(&self, scope: Scope) -> bool {
        match &self.principal {
            Principal::Anonymous => false,
            Principal::Session(signed_in) => signed_in.has(scope),
            Principal::ApiKey(holder) => holder.has(scope),
        }
    }

    /// Whether the caller may use only the fields that its scopes allow: an API key, or a session of another application.
    pub(crate) fn is_limited(&self) -> bool {
        self.key().is_some() || self.session().is_some_and(|signed_in| signed_in.session.client_id.is_some())
    }

    /// The caller if it has an account. Proves no permission.
    pub(crate) fn identified(&self) -> Result<Actor<'_>> {
        let user = self.user().ok_or(Error::Unauthenticated)?;
        Ok(Actor { viewer: self, user })
    }

    /// The session of the caller; `None` without one.
    pub fn session(&self) -> Option<&SignedIn> {
        if let Principal::Session(signed_in) = &self.principal { Some(signed_in) } else { None }
    }

    /// The API key of the caller; `None` without one.
    pub fn key(&self) -> Option<&KeyHolder> {
        if let Principal::ApiKey(holder) = &self.principal { Some(holder) } else { None }
    }

    /// The id of the session or API key; `None` for an anonymous caller.
    pub fn credential(&self) -> Option<Uuid> {
        self.session().map(|signed_in| signed_in.session.id).or_else(|| self.key().map(|holder| holder.key.id))
    }

    /// The user whose session or API key this is.
    pub(crate) fn user(&self) -> Option<&users::Model> {
        self.session().map(|signed_in| &signed_in.user).or_else(|| self.key().map(|holder| &holder.user))
    }
}
