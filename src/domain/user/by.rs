//! Who changes a user, and what they may change.

use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::{
    db::entity::{Role, users},
    domain::{
        access::{Admin, KeyWriter, Member, Origin, ReadAccess, Recent, Viewer},
        audit::{Event, Kind},
    },
    error::{Error, Result},
};

/// Who makes a change.
#[derive(Clone, Copy)]
pub enum By<'a> {
    /// An administrator who signed in recently.
    Admin(Recent<Admin<'a>>),
    /// An API key of an administrator. It changes no roles, addresses or administrators.
    Key(KeyWriter<'a>),
    /// A user who changes their own account.
    Owner {
        /// The user.
        person: Recent<Member<'a>>,
        /// Their email address, typed again as confirmation.
        typed: &'a str,
    },
    /// The command line on the server.
    CommandLine,
}

impl<'a> By<'a> {
    pub(super) fn origin(self) -> Option<&'a Origin> {
        match self {
            Self::Admin(admin) => Some(admin.origin()),
            Self::Key(writer) => Some(writer.origin()),
            Self::Owner { person, .. } => Some(person.origin()),
            Self::CommandLine => None,
        }
    }

    pub(super) fn event(self, kind: Kind, subject: Uuid, mut detail: Json) -> Event<'a> {
        let actor = match self {
            Self::Admin(admin) => Some(admin.user().id),
            Self::Key(writer) => {
                detail["apiKey"] = json!(writer.key_id());
                Some(writer.user().id)
            }
            Self::Owner { person, .. } => Some(person.user().id),
            Self::CommandLine => None,
        };
        Event { kind, origin: self.origin(), actor, subject: Some(subject), detail, email: None }
    }

    /// The caller's read access to a user whom they changed.
    pub fn access_to(self, viewer: &Viewer, user_id: Uuid) -> Option<ReadAccess> {
        match self {
            Self::Key(writer) => Some(writer.access_to(user_id)),
            _ => viewer.access_to(user_id),
        }
    }

    /// Fails with [`Error::Forbidden`] for a role above the administrator's own. The command line may grant every role.
    pub(super) fn may_give(self, role: Role) -> Result<()> {
        let may = match self {
            Self::Admin(admin) => admin.may_give(role),
            Self::Key(_) if role > Role::User => return Err(Error::InsufficientScope),
            Self::Owner { .. } => false,
            Self::Key(_) | Self::CommandLine => true,
        };
        if may { Ok(()) } else { Err(Error::Forbidden) }
    }
}

/// Refuses what an API key may not change: administrators, and whatever `may_not` says.
pub(super) fn check_key(by: By<'_>, before: &users::Model, may_not: bool) -> Result<()> {
    let is_refused = matches!(by, By::Key(_)) && (may_not || before.role == Role::Admin);
    if is_refused { Err(Error::InsufficientScope) } else { Ok(()) }
}
