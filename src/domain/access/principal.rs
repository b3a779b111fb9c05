//! Who calls: from where, and as whom.

use std::net::IpAddr;

use crate::{
    db::entity::{Role, sessions, users},
    error::{Error, Result},
};

/// Where a request comes from, for limits, mails and the audit trail.
#[derive(Clone, Debug)]
pub struct Origin {
    /// Client address, after trusted proxies.
    pub ip: IpAddr,
    /// Client software, cut to what fits the table.
    pub user_agent: Option<String>,
    /// As in the answer's `x-request-id`.
    pub request_id: String,
}

/// A person and the session they came with, both checked on this very request.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The person.
    pub user: users::Model,
    /// Their session.
    pub session: sessions::Model,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// From where.
    pub origin: Origin,
    /// As whom; nobody when no token was sent.
    pub signed_in: Option<SignedIn>,
}

/// Proof that somebody is signed in; what they hold is theirs to read and to end.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    viewer: &'a Viewer,
    signed_in: &'a SignedIn,
}

impl<'a> Person<'a> {
    /// Who.
    pub fn user(self) -> &'a users::Model {
        &self.signed_in.user
    }

    /// By which session.
    pub fn session(self) -> &'a sessions::Model {
        &self.signed_in.session
    }

    /// From where.
    pub fn origin(self) -> &'a Origin {
        &self.viewer.origin
    }

    pub(super) fn may(self, role: Role) -> bool {
        self.user().role >= role
    }
}

impl Viewer {
    /// The person who asks, or [`Error::Unauthenticated`].
    pub fn person(&self) -> Result<Person<'_>> {
        let signed_in = self.signed_in.as_ref().ok_or(Error::Unauthenticated)?;
        Ok(Person { viewer: self, signed_in })
    }
}
