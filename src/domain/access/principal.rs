//! The caller of a request: where it comes from, and which principal sent it. A function takes the narrowest of these
//! types: [`Person`] for what only a session may do, [`Actor`] for what API keys may do too.

use std::{net::IpAddr, ops::Deref};

use uuid::Uuid;

use super::Scope;
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

    pub(super) fn may(self, role: Role) -> bool {
        self.user().role >= role
    }
}

/// A signed-in caller with any role: may read their own account and end their own sessions. Never an API key.
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
    /// The signed-in caller.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an anonymous caller, [`Error::InsufficientScope`] for an API key.
    pub fn person(&self) -> Result<Person<'_>> {
        match &self.principal {
            Principal::Anonymous => Err(Error::Unauthenticated),
            Principal::Session(SignedIn { user, session }) => {
                Ok(Person { actor: Actor { viewer: self, user }, session })
            }
            Principal::ApiKey(_) => Err(Error::InsufficientScope),
        }
    }

    /// The caller if it is a session, or an API key with this scope.
    ///
    /// # Errors
    /// [`Error::Unauthenticated`] for an anonymous caller, [`Error::InsufficientScope`] for a key without the scope.
    pub fn actor(&self, scope: Scope) -> Result<Actor<'_>> {
        let actor = self.identified()?;
        if self.key().is_none_or(|holder| holder.has(scope)) { Ok(actor) } else { Err(Error::InsufficientScope) }
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
