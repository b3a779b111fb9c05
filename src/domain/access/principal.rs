//! The caller of a request: where it comes from, and the signed-in user.

use std::net::IpAddr;

use crate::{
    db::entity::{Role, sessions, users},
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

/// The caller of a request, signed in or not.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// Where the request comes from.
    pub origin: Origin,
    /// The signed-in user; `None` for an anonymous request.
    pub signed_in: Option<SignedIn>,
}

/// A signed-in caller with any role: may read their own account and end their own sessions.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    viewer: &'a Viewer,
    signed_in: &'a SignedIn,
}

impl<'a> Person<'a> {
    /// The user.
    pub fn user(self) -> &'a users::Model {
        &self.signed_in.user
    }

    /// The session of the request.
    pub fn session(self) -> &'a sessions::Model {
        &self.signed_in.session
    }

    /// Where the request comes from.
    pub fn origin(self) -> &'a Origin {
        &self.viewer.origin
    }

    pub(super) fn may(self, role: Role) -> bool {
        self.user().role >= role
    }
}

impl Viewer {
    /// The signed-in caller, or [`Error::Unauthenticated`].
    pub fn person(&self) -> Result<Person<'_>> {
        let signed_in = self.signed_in.as_ref().ok_or(Error::Unauthenticated)?;
        Ok(Person { viewer: self, signed_in })
    }
}
