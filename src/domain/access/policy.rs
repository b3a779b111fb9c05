//! Permissions as types ("proofs"). Only this file can create their values, so holding one proves the permission.

use std::ops::Deref;

use chrono::TimeDelta;
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::{Actor, Person, Scope, SignedIn, Viewer, scope};
use crate::{
    db::entity::{Role, UserStatus, users},
    domain::{Ctx, audit, session::authentication, user},
    error::{Error, Result},
};

impl Viewer {
    /// The viewer's read access to a user; `None` if there is none. A refusal is not recorded.
    pub fn access_to(&self, user_id: Uuid) -> Option<ReadAccess> {
        self.reads(scope::PROFILE_READ, scope::PEOPLE_READ, user_id)
    }

    /// The viewer's read access to the audit events about a user; `None` if there is none.
    fn trail_of(&self, user_id: Uuid) -> Option<ReadAccess> {
        self.reads(scope::AUDIT_READ, scope::AUDIT_READ, user_id)
    }

    /// An API key needs the first scope for its owner, and the second for others.
    fn reads(&self, own: Scope, others: Scope, user_id: Uuid) -> Option<ReadAccess> {
        match self.actor(own) {
            Ok(actor) if actor.user().id == user_id => Some(actor.access()),
            _ => Some(Manager::of(self.actor(others).ok()?)?.access_to(user_id)),
        }
    }
}

/// Defines a type for a caller with at least a given role.
macro_rules! proofs {
    ($($(#[doc = $doc:literal])+ $proof:ident, $caller:ident, $role:ident;)+) => { $(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $proof<'a>($caller<'a>);

        impl<'a> $proof<'a> {
            fn of(caller: $caller<'a>) -> Option<Self> {
                caller.may(Role::$role).then_some(Self(caller))
            }

            async fn check(ctx: &Ctx, caller: $caller<'a>, field: &'static str) -> Result<Self> {
                match Self::of(caller) {
                    Some(proof) => Ok(proof),
                    None => {
                        audit::record_denial(ctx, caller, field).await?;
                        Err(Error::Forbidden)
                    }
                }
            }
        }

        impl<'a> Deref for $proof<'a> {
            type Target = $caller<'a>;

            fn deref(&self) -> &$caller<'a> {
                &self.0
            }
        }
    )+ };
}

proofs! {
    /// A signed-in user with role USER or higher: may change their own account.
    Member, Person, User;
    /// A caller with role MANAGER or higher: may read users or the audit trail.
    Manager, Actor, Manager;
    /// A signed-in user with role ADMIN: may change users.
    Admin, Person, Admin;
}

impl<'a> Member<'a> {
    /// Checks the viewer's role for a request for `field`. A refusal is recorded in the audit trail.
    pub async fn require(ctx: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Self> {
        Self::check(ctx, viewer.person()?, field).await
    }

    /// Locks the user's row for the rest of the transaction. Of two requests that count a user's rows and insert one if
    /// there is room, the second waits here and counts the row of the first. Fails if the session has ended meanwhile.
    /// One statement.
    pub async fn lock(self, tx: &DatabaseTransaction) -> Result<()> {
        user::lock::lock_own(tx, self).await.map(drop)
    }
}

impl<'a> Admin<'a> {
    /// Checks the viewer's role for a request for `field`. A refusal is recorded in the audit trail.
    pub async fn require(ctx: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Self> {
        Self::check(ctx, viewer.person()?, field).await
    }
}

impl<'a> Manager<'a> {
    /// Checks the viewer's role for a request for `field`, and the scope of an API key. A refusal of the role is
    /// recorded in the audit trail.
    pub async fn require(ctx: &Ctx, viewer: &'a Viewer, scope: Scope, field: &'static str) -> Result<Self> {
        Self::check(ctx, viewer.actor(scope)?, field).await
    }

    /// The manager's read access to a user.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        Overseer::from(self).access_to(user_id)
    }

    /// Checks that the manager may see the pseudonyms of email addresses, as administrators do. A refusal is recorded
    /// in the audit trail.
    pub async fn require_labels(self, ctx: &Ctx, field: &'static str) -> Result<()> {
        if self.access_to(Uuid::nil()).shows_labels() {
            return Ok(());
        }
        audit::record_denial(ctx, self.0, field).await?;
        Err(Error::Forbidden)
    }
}

/// An API key with the scope `PEOPLE_WRITE` whose owner is an administrator: may create, rename and suspend users, but
/// no administrators.
#[derive(Clone, Copy, Debug)]
pub struct KeyWriter<'a> {
    actor: Actor<'a>,
    key: Uuid,
}

impl<'a> KeyWriter<'a> {
    /// The permission of an API key. `None` if the caller has none.
    ///
    /// # Errors
    /// [`Error::InsufficientScope`] if the key lacks the scope.
    pub fn of(viewer: &'a Viewer) -> Result<Option<Self>> {
        let Some(holder) = viewer.key() else { return Ok(None) };
        Ok(Some(Self { actor: viewer.actor(scope::PEOPLE_WRITE)?, key: holder.key.id }))
    }

    /// The id of the key.
    pub fn key_id(self) -> Uuid {
        self.key
    }

    /// The key's read access to a user whom it changed.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        ReadAccess { level: Level::Admin, user_id }
    }
}

impl<'a> Deref for KeyWriter<'a> {
    type Target = Actor<'a>;

    fn deref(&self) -> &Actor<'a> {
        &self.actor
    }
}

/// The object at the root of the process, which requests cannot reach: they get only [`Ctx`].
pub(crate) trait Root {}

/// Shell access to the server, which gives unrestricted read access: the shell already has the database and the server
/// secret. Creating one needs the root of the process, and `http` and `graphql` must not name the type, so no request
/// can get one.
#[derive(Clone, Copy, Debug)]
pub struct Shell(());

impl Shell {
    /// Creates the value for the command line.
    pub(crate) fn of(_: &impl Root) -> Self {
        Self(())
    }

    /// Full read access to a user.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        Overseer::from(self).access_to(user_id)
    }
}

/// A caller allowed to read users and the audit trail: a manager or the shell.
#[derive(Clone, Copy, Debug)]
pub struct Overseer(Level);

impl From<Manager<'_>> for Overseer {
    fn from(manager: Manager<'_>) -> Self {
        Self(if manager.may(Role::Admin) { Level::Admin } else { Level::Manager(manager.user().id) })
    }
}

impl From<Shell> for Overseer {
    fn from(_: Shell) -> Self {
        Self(Level::Admin)
    }
}

impl Overseer {
    /// The caller's read access to a user.
    pub fn access_to(self, user_id: Uuid) -> ReadAccess {
        ReadAccess { level: self.0, user_id }
    }

    /// Whether deleted users are visible.
    pub fn sees_deleted(self) -> bool {
        self.0 == Level::Admin
    }
}

impl Admin<'_> {
    /// Whether the administrator may grant or revoke `role`: no role above their own.
    pub fn may_give(self, role: Role) -> bool {
        role <= self.user().role
    }
}

/// Maximum age of a sign-in for operations that cannot be undone.
pub const RECENT: TimeDelta = TimeDelta::minutes(10);

/// A permission of a user who signed in within [`RECENT`].
#[derive(Clone, Copy, Debug)]
pub struct Recent<P>(P);

impl<'a, P: Deref<Target = Person<'a>>> Recent<P> {
    /// Checks the age of the sign-in for a request for `field`. Fails with [`Error::ReauthenticationRequired`], which
    /// is recorded in the audit trail.
    pub async fn require(ctx: &Ctx, proof: P, field: &'static str) -> Result<Self> {
        check_recent(ctx, *proof, field).await?;
        Ok(Self(proof))
    }
}

impl<'a> Recent<Person<'a>> {
    /// The same as [`Recent::require`], for a signed-in user with any role.
    pub async fn require_person(ctx: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Self> {
        let person = viewer.person()?;
        check_recent(ctx, person, field).await?;
        Ok(Self(person))
    }
}

async fn check_recent(ctx: &Ctx, person: Person<'_>, field: &'static str) -> Result<()> {
    let (session, since) = (person.session(), ctx.now() - RECENT);
    // An older session has no proof that is recent: signing in again opens a new one.
    if session.created_at >= since && authentication::has_mailbox_proof(ctx, session.id, since).await? {
        return Ok(());
    }
    audit::record_stale(ctx, person.into(), field).await?;
    Err(Error::ReauthenticationRequired)
}

impl<P> Deref for Recent<P> {
    type Target = P;

    fn deref(&self) -> &P {
        &self.0
    }
}

/// The level of read access.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Level {
    Own,
    /// Of this manager.
    Manager(Uuid),
    Admin,
}

/// Permission to read a user with their sessions, devices and events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ReadAccess {
    level: Level,
    user_id: Uuid,
}

impl Actor<'_> {
    /// The user's read access to their own account.
    pub fn access(self) -> ReadAccess {
        ReadAccess { level: Level::Own, user_id: self.user().id }
    }
}

impl SignedIn {
    /// The user's read access to their own account.
    pub fn access(&self) -> ReadAccess {
        ReadAccess { level: Level::Own, user_id: self.user.id }
    }
}

impl ReadAccess {
    /// The viewer's read access to a user. Fails with [`Error::NotFound`] if there is none, as for a missing user, and
    /// records the refusal.
    pub async fn require(ctx: &Ctx, viewer: &Viewer, user_id: Uuid, field: &'static str) -> Result<Self> {
        Self::or_deny(ctx, viewer, viewer.access_to(user_id), field).await
    }

    /// The same for the audit events about a user.
    pub async fn require_trail(ctx: &Ctx, viewer: &Viewer, user_id: Uuid, field: &'static str) -> Result<Self> {
        Self::or_deny(ctx, viewer, viewer.trail_of(user_id), field).await
    }

    async fn or_deny(ctx: &Ctx, viewer: &Viewer, access: Option<Self>, field: &'static str) -> Result<Self> {
        let actor = viewer.identified()?;
        if access.is_none() {
            audit::record_denial(ctx, actor, field).await?;
        }
        access.ok_or(Error::NotFound)
    }

    /// The same for several users, in the order of `user_ids`. Any number of refusals makes one record.
    pub async fn require_each(
        ctx: &Ctx,
        viewer: &Viewer,
        user_ids: &[Uuid],
        field: &'static str,
    ) -> Result<Vec<Result<Self>>> {
        let Ok(actor) = viewer.identified() else {
            return Ok(user_ids.iter().map(|_| Err(Error::Unauthenticated)).collect());
        };
        let all_access: Vec<_> = user_ids.iter().map(|id| viewer.access_to(*id).ok_or(Error::NotFound)).collect();
        if all_access.iter().any(Result::is_err) {
            audit::record_denial(ctx, actor, field).await?;
        }
        Ok(all_access)
    }

    /// Whether users read their own account.
    pub fn is_own(self) -> bool {
        self.level == Level::Own
    }

    /// The user that may be read.
    pub fn user_id(self) -> Uuid {
        self.user_id
    }

    /// The same level of access to another user, such as the actor of an event; `None` if only one's own account may
    /// be read.
    pub fn of_another(self, user_id: Uuid) -> Option<Self> {
        (self.level != Level::Own || self.user_id == user_id).then_some(Self { user_id, ..self })
    }

    /// Whether this user may be shown. Only administrators see deleted users.
    pub fn shows(self, user: &users::Model) -> bool {
        self.user_id == user.id && (user.status != UserStatus::Deleted || self.level == Level::Admin)
    }

    /// Whether deleted users and their events are visible.
    pub fn sees_deleted(self) -> bool {
        !matches!(self.level, Level::Manager(_))
    }

    /// Whether the pseudonyms of email addresses in events are visible. They would reveal everything that happened with
    /// an address: requesting a code for it is enough to learn its pseudonym.
    pub fn shows_labels(self) -> bool {
        self.level == Level::Admin
    }

    /// Whether it is visible which credentials the user has. Managers see only their own.
    pub fn shows_credentials(self) -> bool {
        !matches!(self.level, Level::Manager(me) if me != self.user_id)
    }

    /// Whether the IP address and user agent of an event's actor are visible. Users see only their own, not those of
    /// others who changed their account.
    pub fn shows_origin_of(self, actor: Option<Uuid>) -> bool {
        self.level != Level::Own || actor.is_none_or(|actor| actor == self.user_id)
    }
}
