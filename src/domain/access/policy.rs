//! What callers may do, as proofs that only this file makes.

use std::ops::Deref;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Person, SignedIn, Viewer};
use crate::{
    db::entity::{Role, UserStatus, users},
    domain::{Ctx, audit},
    error::{Error, Result},
};

impl Viewer {
    /// What the viewer may see of somebody; nothing is noted when that is nothing.
    pub fn access_to(&self, user_id: Uuid) -> Option<ReadAccess> {
        let person = self.person().ok()?;
        if person.user().id == user_id {
            return Some(person.access());
        }
        Manager::of(person).map(|manager| manager.access_to(user_id))
    }
}

/// A person with a role, and proof of it. Only this file makes one.
macro_rules! proofs {
    ($($(#[doc = $doc:literal])+ $proof:ident, $role:ident;)+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $proof<'a>(Person<'a>);

        impl<'a> $proof<'a> {
            fn of(person: Person<'a>) -> Option<Self> {
                person.may(Role::$role).then_some(Self(person))
            }

            /// The proof for whoever asks for `field`. A refusal is noted in the audit trail.
            pub async fn require(ctx: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Self> {
                let person = viewer.person()?;
                match Self::of(person) {
                    Some(proof) => Ok(proof),
                    None => {
                        audit::record_denial(ctx, person, field).await?;
                        Err(Error::Forbidden)
                    }
                }
            }
        }

        impl<'a> Deref for $proof<'a> {
            type Target = Person<'a>;

            fn deref(&self) -> &Person<'a> {
                &self.0
            }
        }
    )+ };
}

proofs! {
    /// Proof of USER or more: may change themselves.
    Member, User;
    /// Proof of MANAGER or more: may read people and the audit trail.
    Manager, Manager;
    /// Proof of ADMIN: may change people.
    Admin, Admin;
}

impl Manager<'_> {
    /// What a manager sees of somebody.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        Overseer::from(self).access_to(user_id)
    }
}

/// What stands at the root of the process and holds the parts of it, of which a request gets [`Ctx`] alone.
pub(crate) trait Root {}

/// Proof of a shell on the server: whoever has that has the database and the server secret, so there is nothing to hide
/// from them. It is made of the root of the process. No request holds one, nor can it name the type, which `http` and
/// `graphql` may not; so no request comes by this proof, whoever sent it.
#[derive(Clone, Copy, Debug)]
pub struct Shell(());

impl Shell {
    /// The proof, for the command line.
    pub(crate) fn of(_: &impl Root) -> Self {
        Self(())
    }

    /// Everything about somebody.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        Overseer::from(self).access_to(user_id)
    }
}

/// Proof of whoever may read people and the audit trail: a manager, or the shell.
#[derive(Clone, Copy, Debug)]
pub struct Overseer(Scope);

impl From<Manager<'_>> for Overseer {
    fn from(manager: Manager<'_>) -> Self {
        Self(if manager.may(Role::Admin) { Scope::Admin } else { Scope::Manager })
    }
}

impl From<Shell> for Overseer {
    fn from(_: Shell) -> Self {
        Self(Scope::Admin)
    }
}

impl Overseer {
    /// What they see of somebody.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        ReadAccess { scope: self.0, user_id }
    }

    /// Whether deleted people are shown, too.
    pub fn sees_deleted(self) -> bool {
        self.0 == Scope::Admin
    }
}

impl Admin<'_> {
    /// Whether somebody may be given this role, or has one that may be taken: none above the administrator's own.
    pub fn may_give(self, role: Role) -> bool {
        role <= self.user().role
    }
}

/// How long after signing in people may do what cannot be undone.
pub const RECENT: TimeDelta = TimeDelta::minutes(10);

/// A proof of somebody who signed in within [`RECENT`].
#[derive(Clone, Copy, Debug)]
pub struct Recent<P>(P);

impl<'a, P: Deref<Target = Person<'a>>> Recent<P> {
    /// The proof for whoever asks for `field`, or [`Error::ReauthenticationRequired`], which is noted.
    pub async fn require(ctx: &Ctx, proof: P, field: &'static str) -> Result<Self> {
        check_recent(ctx, *proof, field).await?;
        Ok(Self(proof))
    }
}

impl<'a> Recent<Person<'a>> {
    /// The proof for any person who asks for `field`, or [`Error::ReauthenticationRequired`], which is noted.
    pub async fn require_person(ctx: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Self> {
        let person = viewer.person()?;
        check_recent(ctx, person, field).await?;
        Ok(Self(person))
    }
}

async fn check_recent(ctx: &Ctx, person: Person<'_>, field: &'static str) -> Result<()> {
    if ctx.now() - person.session().created_at <= RECENT {
        return Ok(());
    }
    audit::record_stale(ctx, person, field).await?;
    Err(Error::ReauthenticationRequired)
}

impl<P> Deref for Recent<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

/// With whose eyes a person is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scope {
    Own,
    Manager,
    Admin,
}

/// Proof that a person may be read, with their sessions, devices and events. Only this file makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadAccess {
    scope: Scope,
    user_id: Uuid,
}

impl Person<'_> {
    /// What they see of themselves.
    pub fn access(self) -> ReadAccess {
        ReadAccess { scope: Scope::Own, user_id: self.user().id }
    }
}

impl SignedIn {
    /// People see themselves.
    pub fn access(&self) -> ReadAccess {
        ReadAccess { scope: Scope::Own, user_id: self.user.id }
    }
}

impl ReadAccess {
    /// What the viewer may see of somebody. What is hidden from them is as absent as what is not there, and that they
    /// asked is noted.
    pub async fn require(ctx: &Ctx, viewer: &Viewer, user_id: Uuid, field: &'static str) -> Result<Self> {
        let person = viewer.person()?;
        if let Some(access) = viewer.access_to(user_id) {
            return Ok(access);
        }
        audit::record_denial(ctx, person, field).await?;
        Err(Error::NotFound)
    }

    /// The same for several people, each in their place. However many are hidden, it is noted once.
    pub async fn require_each(
        ctx: &Ctx,
        viewer: &Viewer,
        user_ids: &[Uuid],
        field: &'static str,
    ) -> Result<Vec<Result<Self>>> {
        let Ok(person) = viewer.person() else {
            return Ok(user_ids.iter().map(|_| Err(Error::Unauthenticated)).collect());
        };
        let all_access: Vec<_> = user_ids.iter().map(|id| viewer.access_to(*id).ok_or(Error::NotFound)).collect();
        if all_access.iter().any(Result::is_err) {
            audit::record_denial(ctx, person, field).await?;
        }
        Ok(all_access)
    }

    /// Whether it is of the person who looks.
    pub fn is_own(self) -> bool {
        self.scope == Scope::Own
    }

    /// Of whom.
    pub fn user_id(self) -> Uuid {
        self.user_id
    }

    /// Of somebody else, met on the way: whoever did something to them, say.
    pub fn of_another(self, user_id: Uuid) -> Option<Self> {
        (self.scope != Scope::Own || self.user_id == user_id).then_some(Self { user_id, ..self })
    }

    /// Whether this row is shown: deleted people are gone for everybody but administrators.
    pub fn shows(self, user: &users::Model) -> bool {
        self.user_id == user.id && (user.status != UserStatus::Deleted || self.scope == Scope::Admin)
    }

    /// Whether deleted people are shown, too, and what happened to them.
    pub fn sees_deleted(self) -> bool {
        self.scope != Scope::Manager
    }

    /// Whether one sees the labels of addresses in events. Whoever asks for a code for an address finds its label there, and
    /// so all that happened with that address, before and after its owner had an account.
    pub fn shows_labels(self) -> bool {
        self.scope == Scope::Admin
    }

    /// Whether one sees from where an actor came. Nobody learns that of whoever did something to them.
    pub fn shows_origin_of(self, actor: Option<Uuid>) -> bool {
        self.scope != Scope::Own || actor.is_none_or(|actor| actor == self.user_id)
    }
}
