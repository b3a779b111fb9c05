//! Mutations for one's own account: profile, email address, data export and deletion.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, SimpleObject, Union};

use crate::{
    domain::{
        Check, Edit,
        access::{Member, Recent},
        user::{
            email_change::{
                self, Confirmed, Requested,
                undo::{self, Undone},
            },
            export,
            manage::{self, By, Changed},
            name::Name,
            profile::{self, Profile},
        },
    },
    graphql::{
        outcome_label::Reported,
        parts,
        problem::{self, CodeExpired, EmailTaken, InvalidCode, InvalidEmail, LastAdmin, Message, RateLimited},
        scalar::Json,
        sign_in::CodeSent,
        user::User,
    },
};

/// Input of `updateProfile`. Omitted fields stay as they are; `null` clears a field.
#[derive(InputObject)]
struct UpdateProfileInput {
    /// The display name: one line of at most 100 characters.
    name: MaybeUndefined<String>,
    /// The language of emails to you: `en`, `de`, `fr`, `es` or `ja`.
    locale: MaybeUndefined<String>,
}

/// The result of `updateProfile`.
#[derive(Union)]
enum UpdateProfileResult {
    ProfileUpdated(ProfileUpdated),
    RateLimited(RateLimited),
}

/// The profile is updated.
#[derive(SimpleObject)]
struct ProfileUpdated {
    /// The signed-in user.
    user: User,
}

/// Input of `changeEmail`.
#[derive(InputObject)]
struct ChangeEmailInput {
    /// The new email address.
    email: String,
    /// The language of the email, such as `de` or `fr-CA`. Default: the language of your account, then as for `login`.
    locale: Option<String>,
}

/// The result of `changeEmail`.
#[derive(Union)]
enum ChangeEmailResult {
    CodeSent(CodeSent),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// Input of `confirmEmail`.
#[derive(InputObject)]
struct ConfirmEmailInput {
    /// The `challenge` from `CodeSent`, which `changeEmail` returned.
    challenge: String,
    /// The code from the email. Spaces and dashes are ignored.
    code: String,
}

/// The result of `confirmEmail`.
#[derive(Union)]
enum ConfirmEmailResult {
    EmailChanged(EmailChanged),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    EmailTaken(EmailTaken),
    RateLimited(RateLimited),
}

/// The email address is changed. Your other sessions have ended.
#[derive(SimpleObject)]
struct EmailChanged {
    /// The signed-in user.
    user: User,
}

/// Input of `undoEmailChange`.
#[derive(InputObject)]
struct UndoEmailChangeInput {
    /// The text after `#undo=` in the URL of the link.
    token: String,
}

/// The result of `undoEmailChange`.
#[derive(Union)]
enum UndoEmailChangeResult {
    EmailChangeUndone(EmailChangeUndone),
    EmailTaken(EmailTaken),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// The account has its old email address again. All of its sessions have ended.
#[derive(SimpleObject)]
struct EmailChangeUndone {
    /// The message to show to the user.
    message: Message,
}

/// Input of `deleteAccount`.
#[derive(InputObject)]
struct DeleteAccountInput {
    /// Your current email address, as a confirmation.
    email: String,
}

/// The result of `deleteAccount`.
#[derive(Union)]
enum DeleteAccountResult {
    AccountDeleted(AccountDeleted),
    LastAdmin(LastAdmin),
}

/// The account is deleted and its sessions have ended. An administrator can restore it until it is erased.
#[derive(SimpleObject)]
struct AccountDeleted {
    /// The message to show to the user.
    message: Message,
}

/// The result of `exportData`.
#[derive(Union)]
enum ExportDataResult {
    DataExported(DataExported),
    RateLimited(RateLimited),
}

/// A copy of your data.
#[derive(SimpleObject)]
struct DataExported {
    /// The account, sessions, devices, email changes and the newest 1,000 audit events.
    data: Json<serde_json::Value>,
}

#[derive(Default)]
pub(crate) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Updates your name or the language of your emails, at most 20 times an hour. Requires the role USER. Problem:
    /// `RateLimited`.
    async fn update_profile(&self, ctx: &Context<'_>, input: UpdateProfileInput) -> Reported<UpdateProfileResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "updateProfile").await?;
        let mut check = Check::default();
        let profile = Profile {
            name: edit(input.name, |name| check.field("name", Name::parse(&name))),
            locale: edit(input.locale, |tag| check.field("locale", profile::language(&tag))),
        };
        check.done()?;
        Ok(match profile::update(domain, member, profile).await? {
            Ok(user) => UpdateProfileResult::ProfileUpdated(ProfileUpdated { user: User::own_after(*member, user) }),
            Err(wait) => UpdateProfileResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Emails a code to your new email address. Pass the code to `confirmEmail`. Requires the role USER and a sign-in
    /// by email within the last ten minutes. The result doesn't reveal whether another account uses the address; if so,
    /// no email is sent. Problems: `InvalidEmail`, `RateLimited`.
    async fn change_email(&self, ctx: &Context<'_>, input: ChangeEmailInput) -> Reported<ChangeEmailResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "changeEmail").await?;
        let member = Recent::require(domain, member, "changeEmail").await?;
        let locale = input.locale.as_deref();
        let requested = email_change::request(domain, member, &input.email, locale, problem::accepted(ctx)).await?;
        Ok(match requested {
            Requested::Sent(sent) => ChangeEmailResult::CodeSent(CodeSent::new(domain, sent)),
            Requested::Invalid(reason) => ChangeEmailResult::InvalidEmail(reason.into()),
            Requested::Wait(wait) => ChangeEmailResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Changes your email address with the code from `changeEmail` and ends your other sessions. The old address gets a
    /// notice with a link to undo the change within seven days. Requires the role USER. Problems: `InvalidCode`,
    /// `CodeExpired`, `EmailTaken`, `RateLimited`.
    async fn confirm_email(&self, ctx: &Context<'_>, input: ConfirmEmailInput) -> Reported<ConfirmEmailResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "confirmEmail").await?;
        Ok(match email_change::confirm(domain, member, &input.challenge, &input.code).await? {
            Confirmed::Changed(user) => {
                ConfirmEmailResult::EmailChanged(EmailChanged { user: User::own_after(*member, *user) })
            }
            Confirmed::Wrong { attempts_left } => ConfirmEmailResult::InvalidCode(InvalidCode::new(attempts_left)),
            Confirmed::Expired => ConfirmEmailResult::CodeExpired(CodeExpired::new()),
            Confirmed::Taken => ConfirmEmailResult::EmailTaken(EmailTaken::new()),
            Confirmed::Wait(wait) => ConfirmEmailResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Restores the old email address with the token from its notice. Ends all sessions, removes the password, revokes
    /// API keys and forgets all devices. Call it when the user presses a button, not on page load, because mail scanners
    /// open links. Problems: `EmailTaken`, `CodeExpired`, `RateLimited`.
    async fn undo_email_change(
        &self,
        ctx: &Context<'_>,
        input: UndoEmailChangeInput,
    ) -> Reported<UndoEmailChangeResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match undo::undo(domain, viewer, &input.token).await? {
            Undone::Restored { may_sign_in } => {
                let message = Message::email_change_undone(may_sign_in);
                UndoEmailChangeResult::EmailChangeUndone(EmailChangeUndone { message })
            }
            Undone::Parked => UndoEmailChangeResult::EmailTaken(EmailTaken::lost()),
            Undone::Expired => UndoEmailChangeResult::CodeExpired(CodeExpired::link()),
            Undone::Wait(wait) => UndoEmailChangeResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Deletes your account and ends all of its sessions. Until the account is erased, an administrator can restore it.
    /// Requires the role USER and a sign-in by email within the last ten minutes. Problem: `LastAdmin`.
    async fn delete_account(&self, ctx: &Context<'_>, input: DeleteAccountInput) -> Reported<DeleteAccountResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "deleteAccount").await?;
        let member = Recent::require(domain, member, "deleteAccount").await?;
        let by = By::Owner { person: member, typed: &input.email };
        Ok(match manage::delete(domain, by, member.user().id, None).await? {
            Changed::LastAdmin => DeleteAccountResult::LastAdmin(LastAdmin::new()),
            Changed::Done(_) | Changed::EmailTaken => {
                DeleteAccountResult::AccountDeleted(AccountDeleted { message: Message::account_deleted() })
            }
        }
        .into())
    }

    /// Returns a copy of your data, at most 3 times an hour. Requires a sign-in by email within the last ten minutes.
    /// Problem: `RateLimited`.
    async fn export_data(&self, ctx: &Context<'_>) -> Reported<ExportDataResult> {
        let (domain, viewer) = parts(ctx);
        let person = Recent::require_person(domain, viewer, "exportData").await?;
        Ok(match export::export(domain, person).await? {
            Ok(copy) => ExportDataResult::DataExported(DataExported { data: Json(copy) }),
            Err(wait) => ExportDataResult::RateLimited(wait.into()),
        }
        .into())
    }
}

/// The edit that an input field asks for: an omitted field keeps its value, `null` clears it.
pub(crate) fn edit<T>(value: MaybeUndefined<String>, mut read: impl FnMut(String) -> Option<T>) -> Edit<T> {
    match value {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::Clear,
        MaybeUndefined::Value(text) => read(text).map_or(Edit::Keep, Edit::Set),
    }
}
