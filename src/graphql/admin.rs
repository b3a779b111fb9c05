//! What administrators do to people. Every field needs ADMIN, and all but ending sessions a sign-in of the last ten
//! minutes.

pub(super) mod audit;
pub(super) mod people;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject, Union};

use super::{
    account::profile::edit,
    error::{ApiError, EmailTaken, LastAdmin},
    outcome_label::Reported,
    parts, relay,
    user::{Role, User, UserStatus},
};
use crate::{
    db::entity,
    domain::{
        Check, Ctx,
        access::{Admin, Recent, Viewer},
        user::{
            manage::{self, By, Change, Changed, NewPerson},
            name::Name,
            profile,
        },
    },
    email_address::EmailAddress,
};

/// Somebody who is to get an account.
#[derive(InputObject)]
struct CreateUserInput {
    /// The address that they sign in with.
    email: String,
    /// What they are called: one line of at most 100 characters.
    name: Option<String>,
    /// What they may do; never more than you.
    #[graphql(default_with = "Role::User")]
    role: Role,
    /// The language of their mails: `en`, `de`, `fr`, `es` or `ja`.
    locale: Option<String>,
    /// Whether a mail invites them.
    #[graphql(default = true)]
    invite: bool,
}

/// What to change of somebody. What is left out stays.
#[derive(InputObject)]
struct UpdateUserInput {
    /// Id of a user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` that you decided on; `CONFLICT` if it is another one by now.
    version: Option<i32>,
    /// The address, for somebody who lost their mailbox. Both addresses get a notice, and every session and known device
    /// ends.
    email: Option<String>,
    /// What they are called; `null` for nothing.
    name: MaybeUndefined<String>,
    /// What they may do; never more than you.
    role: Option<Role>,
    /// ACTIVE or SUSPENDED; suspending ends every session. DELETED has a mutation of its own.
    status: Option<UserStatus>,
}

/// Somebody, as you saw them.
#[derive(InputObject)]
struct DeleteUserInput {
    /// Id of a user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` that you decided on; `CONFLICT` if it is another one by now.
    version: Option<i32>,
}

/// Somebody, as you saw them.
#[derive(InputObject)]
struct RestoreUserInput {
    /// Id of a user, or the UUID in the `sub` claim of an access token.
    id: ID,
    /// The `version` that you decided on; `CONFLICT` if it is another one by now.
    version: Option<i32>,
}

/// Whose sessions to end.
#[derive(InputObject)]
struct EndUserSessionsInput {
    /// Id of a user, or the UUID in the `sub` claim of an access token.
    id: ID,
}

/// A person, made or changed as asked.
#[derive(SimpleObject)]
struct UserSaved {
    /// As they are now.
    user: User,
}

/// What became of `createUser`.
#[derive(Union)]
enum CreateUserResult {
    UserSaved(UserSaved),
    EmailTaken(EmailTaken),
}

/// What became of `updateUser`.
#[derive(Union)]
enum UpdateUserResult {
    UserSaved(UserSaved),
    EmailTaken(EmailTaken),
    LastAdmin(LastAdmin),
}

/// What became of `deleteUser`.
#[derive(Union)]
enum DeleteUserResult {
    UserSaved(UserSaved),
    LastAdmin(LastAdmin),
}

/// The restored person.
#[derive(SimpleObject)]
struct RestoreUserResult {
    /// As they are now.
    user: User,
}

/// What was ended.
#[derive(SimpleObject)]
struct EndUserSessionsResult {
    /// How many sessions were ended.
    count: i32,
}

#[derive(Default)]
pub(super) struct AdminMutation;

#[Object]
impl AdminMutation {
    /// Makes an account and, unless told otherwise, invites its owner by mail. For ADMIN.
    async fn create_user(&self, ctx: &Context<'_>, input: CreateUserInput) -> Reported<CreateUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = by(domain, viewer, "createUser").await?;
        let mut check = Check::default();
        let email = check.field("email", EmailAddress::parse(&input.email));
        let name = input.name.and_then(|name| check.field("name", Name::parse(&name)));
        let locale = input.locale.and_then(|tag| check.field("locale", profile::language(&tag)));
        let email = check.finish(email)?;
        let new = NewPerson { email: &email, name, role: input.role.into(), locale, invite: input.invite };
        Ok(match manage::create(domain, by, new).await? {
            Changed::Done(user) => CreateUserResult::UserSaved(saved(viewer, *user)?),
            Changed::EmailTaken | Changed::LastAdmin => CreateUserResult::EmailTaken(EmailTaken::new()),
        }
        .into())
    }

    /// Changes somebody's address, name, role or status; it holds from their very next request. For ADMIN.
    async fn update_user(&self, ctx: &Context<'_>, input: UpdateUserInput) -> Reported<UpdateUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = by(domain, viewer, "updateUser").await?;
        let mut check = Check::default();
        let email = input.email.and_then(|email| check.field("email", EmailAddress::parse(&email)));
        let name = edit(input.name, |name| check.field("name", Name::parse(&name)));
        let status = input.status.and_then(|status| check.field("status", settable(status)));
        let id = relay::decode_user("id", &input.id)?;
        check.done()?;
        let change = Change { version: input.version, email, name, role: input.role.map(Into::into), status };
        Ok(match manage::change(domain, by, id, change).await? {
            Changed::Done(user) => UpdateUserResult::UserSaved(saved(viewer, *user)?),
            Changed::EmailTaken => UpdateUserResult::EmailTaken(EmailTaken::new()),
            Changed::LastAdmin => UpdateUserResult::LastAdmin(LastAdmin::new()),
        }
        .into())
    }

    /// Deletes somebody: signed out at once, gone for everybody but administrators, restorable until erased. For ADMIN.
    async fn delete_user(&self, ctx: &Context<'_>, input: DeleteUserInput) -> Reported<DeleteUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = by(domain, viewer, "deleteUser").await?;
        let id = relay::decode_user("id", &input.id)?;
        Ok(match manage::delete(domain, by, id, input.version).await? {
            Changed::Done(user) => DeleteUserResult::UserSaved(saved(viewer, *user)?),
            Changed::LastAdmin | Changed::EmailTaken => DeleteUserResult::LastAdmin(LastAdmin::new()),
        }
        .into())
    }

    /// Restores somebody who was deleted or suspended; they sign in as before. For ADMIN.
    async fn restore_user(&self, ctx: &Context<'_>, input: RestoreUserInput) -> Reported<RestoreUserResult> {
        let (domain, viewer) = parts(ctx);
        let by = by(domain, viewer, "restoreUser").await?;
        let id = relay::decode_user("id", &input.id)?;
        let user = manage::restore(domain, by, id, input.version).await?;
        Ok(RestoreUserResult { user: saved(viewer, user)?.user }.into())
    }

    /// Signs somebody out everywhere, at once. For ADMIN, however long ago you signed in.
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
}

async fn by<'a>(domain: &Ctx, viewer: &'a Viewer, field: &'static str) -> Result<By<'a>, ApiError> {
    let admin = Admin::require(domain, viewer, field).await?;
    Ok(By::Admin(Recent::require(domain, admin, field).await?))
}

fn settable(status: UserStatus) -> Result<entity::UserStatus, &'static str> {
    match status {
        UserStatus::Deleted => Err("Use deleteUser to delete somebody."),
        status => Ok(status.into()),
    }
}

fn saved(viewer: &Viewer, user: entity::users::Model) -> Result<UserSaved, ApiError> {
    let access = viewer.access_to(user.id).ok_or(crate::error::Error::NotFound)?;
    Ok(UserSaved { user: User::seen((user, access), viewer) })
}
