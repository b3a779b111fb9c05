//! Why sessions end.

use chrono::{DateTime, Utc};

use super::is_open;
use crate::db::entity::sessions;

/// The list of reasons: variant, stored name and description. It is passed to the macro `$with`, because the GraphQL
/// schema is generated from the same list.
macro_rules! end_reasons {
    ($with:ident) => {
        $with! {
            /// It was not used for too long, or reached its maximum age. `endedAt` is `null` then.
            Expired = "EXPIRED",
            /// The user signed out.
            SignedOut = "SIGNED_OUT",
            /// The user ended it from another session.
            EndedElsewhere = "ENDED_ELSEWHERE",
            /// A newer sign-in replaced it.
            Replaced = "REPLACED",
            /// A refresh token was used again.
            TokenReused = "TOKEN_REUSED",
            /// An administrator ended it.
            ByAdmin = "BY_ADMIN",
            /// The user was suspended.
            Suspended = "SUSPENDED",
            /// The account was deleted.
            Deleted = "DELETED",
            /// The email address of the account was changed.
            EmailChanged = "EMAIL_CHANGED",
            /// A change of email address was undone from the old address.
            EmailChangeUndone = "EMAIL_CHANGE_UNDONE",
            /// The user reset the password.
            PasswordReset = "PASSWORD_RESET",
            /// The user set, changed or removed the password.
            PasswordChanged = "PASSWORD_CHANGED",
            /// The user said in a notice that they did not sign in.
            Disowned = "DISOWNED",
            /// The authorization code that opened it was used again.
            CodeReused = "CODE_REUSED",
            /// The application that it belongs to was removed.
            ClientRemoved = "CLIENT_REMOVED",
        }
    };
}
pub(crate) use end_reasons;

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// Why a session is over.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EndReason { $($(#[doc = $doc])+ $variant,)+ }

        impl EndReason {
            /// All reasons.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stored and published name. `EXPIRED` is never stored.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }
    };
}
end_reasons!(reasons);

impl EndReason {
    /// Why a session is over at `now`. `None` while it is open.
    pub fn of(session: &sessions::Model, now: DateTime<Utc>) -> Option<Self> {
        match &session.end_reason {
            Some(stored) => Self::ALL.iter().find(|reason| reason.as_str() == stored).copied(),
            None => (!is_open(session, now)).then_some(Self::Expired),
        }
    }
}
