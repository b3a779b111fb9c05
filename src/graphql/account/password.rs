//! `setPassword`, `removePassword` and `disownSession`.

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};

use crate::{
    domain::{
        access::Member,
        credential::password::{
            change::{self, Changed},
            policy::Password,
        },
        session::disown,
    },
    graphql::{
        outcome_label::Reported,
        parts,
        problem::{CodeExpired, InvalidCredentials, Message, RateLimited, WeakPassword},
        sign_in::needs_passwords,
        user::User,
    },
};

/// Input of `setPassword`.
#[derive(InputObject)]
struct SetPasswordInput {
    /// The current password. Not needed within ten minutes after signing in by email.
    current_password: Option<String>,
    /// The new password. `signInOptions.passwordPolicy` has the length; spaces count.
    new_password: String,
}

/// The result of `setPassword`.
#[derive(Union)]
enum SetPasswordResult {
    PasswordSet(PasswordSet),
    InvalidCredentials(InvalidCredentials),
    WeakPassword(WeakPassword),
    RateLimited(RateLimited),
}

/// The password is set. Your other sessions have ended.
#[derive(SimpleObject)]
struct PasswordSet {
    /// The signed-in user.
    user: User,
}

/// Input of `removePassword`.
#[derive(InputObject)]
struct RemovePasswordInput {
    /// The current password. Not needed within ten minutes after signing in by email.
    current_password: Option<String>,
}

/// The result of `removePassword`.
#[derive(Union)]
enum RemovePasswordResult {
    PasswordRemoved(PasswordRemoved),
    InvalidCredentials(InvalidCredentials),
    RateLimited(RateLimited),
}

/// The account has no password. Your other sessions have ended.
#[derive(SimpleObject)]
struct PasswordRemoved {
    /// The signed-in user.
    user: User,
}

/// Input of `disownSession`.
#[derive(InputObject)]
struct DisownSessionInput {
    /// The text after `#disown=` in the URL of the link.
    token: String,
}

/// The result of `disownSession`.
#[derive(Union)]
enum DisownSessionResult {
    SessionDisowned(SessionDisowned),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// All sessions of the account have ended, and it has no password and no known devices.
#[derive(SimpleObject)]
struct SessionDisowned {
    /// The message to show to the user.
    message: Message,
}

#[derive(Default)]
pub(crate) struct PasswordMutation;

#[Object]
impl PasswordMutation {
    /// Sets or changes your password and ends your other sessions. A notice is sent to your email address. Requires the
    /// role USER, and the current password or a sign-in by email within the last ten minutes. Problems:
    /// `InvalidCredentials`, `WeakPassword`, `RateLimited`.
    async fn set_password(&self, ctx: &Context<'_>, input: SetPasswordInput) -> Reported<SetPasswordResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "setPassword").await?;
        needs_passwords(domain)?;
        let current = input.current_password.as_deref().map(Password::new);
        Ok(match change::set(domain, member, current, Password::new(&input.new_password)).await? {
            Changed::Done => SetPasswordResult::PasswordSet(PasswordSet { user: User::own(*member) }),
            Changed::Wrong => SetPasswordResult::InvalidCredentials(InvalidCredentials::wrong()),
            Changed::Weak(reasons) => SetPasswordResult::WeakPassword(WeakPassword::of(domain, &reasons)),
            Changed::Wait(wait) => SetPasswordResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Removes your password and ends your other sessions. You sign in with a code by email from then on. A notice is
    /// sent to your email address. Requires the role USER, and the current password or a sign-in by email within the
    /// last ten minutes. Problems: `InvalidCredentials`, `RateLimited`.
    async fn remove_password(&self, ctx: &Context<'_>, input: RemovePasswordInput) -> Reported<RemovePasswordResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "removePassword").await?;
        needs_passwords(domain)?;
        let current = input.current_password.as_deref().map(Password::new);
        Ok(match change::remove(domain, member, current).await? {
            Changed::Done => RemovePasswordResult::PasswordRemoved(PasswordRemoved { user: User::own(*member) }),
            Changed::Wrong | Changed::Weak(_) => RemovePasswordResult::InvalidCredentials(InvalidCredentials::wrong()),
            Changed::Wait(wait) => RemovePasswordResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Takes an account back with the token of the link "This wasn't me" in a notice, which works once within seven
    /// days. Ends all sessions, removes the password, revokes API keys and forgets all devices; the user signs in with a
    /// code by email. Call it when the user presses a button, not on page load, because mail scanners open links.
    /// Problems: `CodeExpired`, `RateLimited`.
    async fn disown_session(&self, ctx: &Context<'_>, input: DisownSessionInput) -> Reported<DisownSessionResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match disown::disown(domain, viewer, &input.token).await? {
            disown::Outcome::Disowned => {
                DisownSessionResult::SessionDisowned(SessionDisowned { message: Message::session_disowned() })
            }
            disown::Outcome::Expired => DisownSessionResult::CodeExpired(CodeExpired::link()),
            disown::Outcome::Wait(wait) => DisownSessionResult::RateLimited(wait.into()),
        }
        .into())
    }
}
