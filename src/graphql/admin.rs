//! Mutations for administrators. All require the role ADMIN. All except `endUserSession` and `endUserSessions` also
//! require that the caller signed in by email within the last ten minutes.

pub(super) mod audit;
pub(super) mod mail;
pub(super) mod people;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject, Union};

use super::{
    account::{profile::edit, session::Session},
    error::ApiError,
    outcome_label::Reported,
    parts,
    problem::{EmailTaken, LastAdmin, RateLimited},
    relay,
    user::{Role, User, UserStatus},
};
use crate::{
    db::entity,
    domain::{
        Check, Ctx,
        access::{Admin, KeyWriter, ReadAccess, Recent, SignedIn, Viewer},
        session,
        user::{
            change_detail::Reason,
            manage::{self, By, Change, Changed, NewPerson},
            name::Name,
            profile, reset_link,
        },
    },
    email_address::EmailAddress,
    error::Error,
};

/// Input of `createUser`.
#[derive(InputObject)]
struct CreateUserInput {
    /// The email address for signing in.
    email: String,
    /// The display name: one line of at most 100 characters.
    name: Option<String>,
    /// The role of the user, at most your own.
    #[graphql(default_with = "Role::User")]
    role: Role,
    /// The language of emails to the user: `en`, `de`, `fr`, `es` or `ja`.
    locale: Option<String>,
    /// Whether to email an invitation.
    #[graphql(default = true)]
    invite: bool,
}

/// Input of `updateUser`. Omitted fields stay as they are.
#[derive(InputObject)]
struct UpdateUserInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` of the user that you read. Fails with `CONFLICT` if the user has changed since.
    version: Option<i32>,
    /// The new email address, for a user who lost access to the old one. Both addresses get a notice. All sessions end,
    /// and all known devices are forgotten. For your own address, use `changeEmail`.
    email: Option<String>,
    /// The display name: one line of at most 100 characters. `null` clears it.
    name: MaybeUndefined<String>,
    /// The role of the user, at most your own.
    role: Option<Role>,
    /// The status: ACTIVE or SUSPENDED. Suspending ends all sessions. For DELETED, use `deleteUser`.
    status: Option<UserStatus>,
}

/// Input of `suspendUser`.
#[derive(InputObject)]
struct SuspendUserInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` of the user that you read. Fails with `CONFLICT` if the user has changed since.
    version: Option<i32>,
    /// The reason, for the audit trail: one line of at most 200 characters. Once restored, the user can read it in
    /// their own audit events.
    reason: Option<String>,
}

/// Input of `deleteUser`.
#[derive(InputObject)]
struct DeleteUserInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` of the user that you read. Fails with `CONFLICT` if the user has changed since.
    version: Option<i32>,
}

/// Input of `restoreUser`.
#[derive(InputObject)]
struct RestoreUserInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` of the user that you read. Fails with `CONFLICT` if the user has changed since.
    version: Option<i32>,
}

/// Input of `endUserSessions`.
#[derive(InputObject)]
struct EndUserSessionsInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
}

/// Input of `endUserSession`.
#[derive(InputObject)]
struct EndUserSessionInput {
    /// The ID of the session.
    id: ID,
}

/// Input of `sendPasswordReset`.
#[derive(InputObject)]
struct SendPasswordResetInput {
    /// The ID of the user, or the UUID in the `sub` claim of an access token.
    id: ID,
}

/// The user is saved.
#[derive(SimpleObject)]
struct UserSaved {
    /// The user after the change.
    user: User,
}

/// The result of `createUser`.
#[derive(Union)]
enum CreateUserResult {
    UserSaved(UserSaved),
    EmailTaken(EmailTaken),
}

/// The result of `updateUser`.
#[derive(Union)]
enum UpdateUserResult {
    UserSaved(UserSaved),
    EmailTaken(EmailTaken),
    LastAdmin(LastAdmin),
}

/// The result of `suspendUser`.
#[derive(Union)]
enum SuspendUserResult {
    UserSaved(UserSaved),
    LastAdmin(LastAdmin),
}

/// The result of `deleteUser`.
#[derive(Union)]
enum DeleteUserResult {
    UserSaved(UserSaved),
    LastAdmin(LastAdmin),
}

/// The result of `restoreUser`.
#[derive(SimpleObject)]
struct RestoreUserResult {
    /// The restored user.
    user: User,
}

/// The result of `endUserSessions`.
#[derive(SimpleObject)]
struct EndUserSessionsResult {
    /// The number of sessions that were ended.
    count: i32,
}

/// The result of `endUserSession`.
#[derive(SimpleObject)]
struct EndUserSessionResult {
    /// The ended session.
    session: Session,
}

/// The email is on its way.
#[derive(SimpleObject)]
struct PasswordResetSent {
    /// The user who gets the email.
    user: User,
}

/// The result of `sendPasswordReset`.
#[derive(Union)]
enum SendPasswordResetResult {
    PasswordResetSent(PasswordResetSent),
    RateLimited(RateLimited),
}

#[derive(Default)]
pub(super) struct AdminMutation;

#[Object]
impl AdminMutation {
    /// Creates an account and, by default, emails an invitation. Requires the role ADMIN and a sign-in by email within
    /// the last ten minutes. Problem: `EmailTaken`.
    async fn create_user(&self, ctx: &Context<'_>, input: CreateUserInput) -> Reported<CreateUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = writer(domain, viewer, "createUser").await?;
        let mut check = Check::default();
        let email = check.field("email", EmailAddress::parse(&input.email));
        let name = input.name.and_then(|name| check.field("name", Name::parse(&name)));
        let locale = input.locale.and_then(|tag| check.field("locale", profile::language(&tag)));
        let email = check.finish(email)?;
        let new = NewPerson { email: &email, name, role: input.role.into(), locale, invite: input.invite };
        Ok(match manage::create(domain, by, new).await? {
            Changed::Done(user) => CreateUserResult::UserSaved(saved(viewer, by, *user)?),
            Changed::EmailTaken | Changed::LastAdmin => CreateUserResult::EmailTaken(EmailTaken::new()),
        }
        .into())
    }

    /// Updates the email address, name, role or status of a user. The changes take effect on the user's next request.
    /// Requires the role ADMIN and a sign-in by email within the last ten minutes. Problems: `EmailTaken`, `LastAdmin`.
    async fn update_user(&self, ctx: &Context<'_>, input: UpdateUserInput) -> Reported<UpdateUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = writer(domain, viewer, "updateUser").await?;
        let mut check = Check::default();
        let email = input.email.and_then(|email| check.field("email", EmailAddress::parse(&email)));
        let name = edit(input.name, |name| check.field("name", Name::parse(&name)));
        let status = input.status.and_then(|status| check.field("status", settable(status)));
        let id = relay::decode_user("id", &input.id)?;
        check.done()?;
        let change =
            Change { version: input.version, email, name, role: input.role.map(Into::into), status, reason: None };
        Ok(match manage::change(domain, by, id, change).await? {
            Changed::Done(user) => UpdateUserResult::UserSaved(saved(viewer, by, *user)?),
            Changed::EmailTaken => UpdateUserResult::EmailTaken(EmailTaken::new()),
            Changed::LastAdmin => UpdateUserResult::LastAdmin(LastAdmin::new()),
        }
        .into())
    }

    /// Suspends a user: ends all of their sessions and blocks sign-in until `restoreUser`. Does nothing if the user is
    /// already suspended. Requires the role ADMIN and a sign-in by email within the last ten minutes. Problem:
    /// `LastAdmin`.
    async fn suspend_user(&self, ctx: &Context<'_>, input: SuspendUserInput) -> Reported<SuspendUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = writer(domain, viewer, "suspendUser").await?;
        let mut check = Check::default();
        let reason = input.reason.and_then(|reason| check.field("reason", Reason::parse(&reason)));
        let id = relay::decode_user("id", &input.id)?;
        check.done()?;
        let status = Some(entity::UserStatus::Suspended);
        let change = Change { version: input.version, status, reason, ..Change::default() };
        Ok(match manage::change(domain, by, id, change).await? {
            Changed::Done(user) => SuspendUserResult::UserSaved(saved(viewer, by, *user)?),
            Changed::LastAdmin | Changed::EmailTaken => SuspendUserResult::LastAdmin(LastAdmin::new()),
        }
        .into())
    }

    /// Deletes a user and ends all of their sessions. Until the account is erased, only administrators see it, and
    /// `restoreUser` restores it. Requires the role ADMIN and a sign-in by email within the last ten minutes. Problem:
    /// `LastAdmin`.
    async fn delete_user(&self, ctx: &Context<'_>, input: DeleteUserInput) -> Reported<DeleteUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = By::Admin(admin(domain, viewer, "deleteUser").await?);
        let id = relay::decode_user("id", &input.id)?;
        Ok(match manage::delete(domain, by, id, input.version).await? {
            Changed::Done(user) => DeleteUserResult::UserSaved(saved(viewer, by, *user)?),
            Changed::LastAdmin | Changed::EmailTaken => DeleteUserResult::LastAdmin(LastAdmin::new()),
        }
        .into())
    }

    /// Restores a deleted or suspended user, who can then sign in again. Requires the role ADMIN and a sign-in by email
    /// within the last ten minutes.
    async fn restore_user(&self, ctx: &Context<'_>, input: RestoreUserInput) -> Reported<RestoreUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = writer(domain, viewer, "restoreUser").await?;
        let id = relay::decode_user("id", &input.id)?;
        let user = manage::restore(domain, by, id, input.version).await?;
        Ok(RestoreUserResult { user: saved(viewer, by, user)?.user }.into())
    }

    /// Ends all sessions of a user. Requires the role ADMIN.
    async fn end_user_sessions(
        &self,
        ctx: &Context<'_>,
        input: EndUserSessionsInput,
    ) -> Reported<EndUserSessionsResult> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "endUserSessions").await?;
        let id = relay::decode_user("id", &input.id)?;
        let count = manage::end_all_sessions(domain, admin, id).await?;
        Ok(EndUserSessionsResult { count: i32::try_from(count).unwrap_or(i32::MAX) }.into())
    }

    /// Ends one session of any user, and the sessions of applications that were opened from it. Does nothing if it is
    /// already over. Requires the role ADMIN.
    async fn end_user_session(&self, ctx: &Context<'_>, input: EndUserSessionInput) -> Reported<EndUserSessionResult> {
        let (domain, viewer) = parts(ctx);
        let admin = Admin::require(domain, viewer, "endUserSession").await?;
        let id = relay::decode_as(relay::Kind::Session, &input.id)?;
        let SignedIn { user, session } = session::end_by_admin(domain, admin, id).await?;
        let user = seen(viewer, viewer.access_to(user.id), user)?;
        Ok(EndUserSessionResult { session: Session::new(session, user) }.into())
    }

    /// Emails a user a link that signs in once within a day, to set a new password. The current password and the
    /// sessions stay until the user sets one. Requires the role ADMIN and a sign-in by email within the last ten
    /// minutes. Problem: `RateLimited`.
    async fn send_password_reset(
        &self,
        ctx: &Context<'_>,
        input: SendPasswordResetInput,
    ) -> Reported<SendPasswordResetResult> {
        let (domain, viewer) = parts(ctx);
        let admin = admin(domain, viewer, "sendPasswordReset").await?;
        let id = relay::decode_user("id", &input.id)?;
        Ok(match reset_link::send(domain, admin, id).await? {
            Ok(user) => {
                let user = seen(viewer, viewer.access_to(user.id), user)?;
                SendPasswordResetResult::PasswordResetSent(PasswordResetSent { user })
            }
            Err(wait) => SendPasswordResetResult::RateLimited(wait.into()),
        }
        .into())
    }
}

async fn admin<'a>(domain: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<Recent<Admin<'a>>, ApiError> {
    let admin = Admin::require(domain, viewer, field).await?;
    Ok(Recent::require(domain, admin, field).await?)
}

/// An administrator who signed in recently, or an API key that may change users.
async fn writer<'a>(domain: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<By<'a>, ApiError> {
    match KeyWriter::of(viewer)? {
        Some(key) => Ok(By::Key(key)),
        None => Ok(By::Admin(admin(domain, viewer, field).await?)),
    }
}

fn settable(status: UserStatus) -> Result<entity::UserStatus, &'static str> {
    match status {
        UserStatus::Deleted => Err("Use `deleteUser` to delete a user."),
        status => Ok(status.into()),
    }
}

fn saved(viewer: &Viewer, by: By<'_>, user: entity::users::Model) -> Result<UserSaved, ApiError> {
    Ok(UserSaved { user: seen(viewer, by.access_to(viewer, user.id), user)? })
}

/// A user whom the caller changed.
fn seen(viewer: &Viewer, access: Option<ReadAccess>, user: entity::users::Model) -> Result<User, ApiError> {
    Ok(User::seen((user, access.ok_or(Error::NotFound)?), viewer))
}
