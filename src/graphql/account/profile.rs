//! What people do to their own account: profile, address, a copy of their data, the end of it. Most of it needs a sign-in
//! of the last ten minutes.

use async_graphql::{Context, InputObject, Json, MaybeUndefined, Object, SimpleObject, Union};

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
        error::{CodeExpired, EmailTaken, InvalidCode, InvalidEmail, LastAdmin, RateLimited},
        outcome_label::Reported,
        parts,
        sign_in::CodeSent,
        user::User,
    },
};

/// What to change of yourself. What is left out stays; `null` takes it away.
#[derive(InputObject)]
struct UpdateProfileInput {
    /// What you want to be called: one line of at most 100 characters.
    name: MaybeUndefined<String>,
    /// The language of your mails: `en`, `de`, `fr`, `es` or `ja`.
    locale: MaybeUndefined<String>,
}

/// What became of `updateProfile`.
#[derive(Union)]
enum UpdateProfileResult {
    ProfileUpdated(ProfileUpdated),
    RateLimited(RateLimited),
}

/// The changed profile.
#[derive(SimpleObject)]
struct ProfileUpdated {
    /// You.
    user: User,
}

/// The address that you want to have.
#[derive(InputObject)]
struct ChangeEmailInput {
    /// As typed.
    email: String,
    /// The language of the mail, such as `de` or `fr-CA`; yours unless told.
    locale: Option<String>,
}

/// What became of `changeEmail`.
#[derive(Union)]
enum ChangeEmailResult {
    CodeSent(CodeSent),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// A code and the challenge that it was sent for.
#[derive(InputObject)]
struct ConfirmEmailInput {
    /// From the `CodeSent` of `changeEmail`.
    challenge: String,
    /// As typed; blanks and dashes are ignored.
    code: String,
}

/// What became of `confirmEmail`.
#[derive(Union)]
enum ConfirmEmailResult {
    EmailChanged(EmailChanged),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    EmailTaken(EmailTaken),
    RateLimited(RateLimited),
}

/// From now on you sign in with the new address. Your other sessions are over.
#[derive(SimpleObject)]
struct EmailChanged {
    /// You.
    user: User,
}

/// The token of a notice about a changed address.
#[derive(InputObject)]
struct UndoEmailChangeInput {
    /// What follows `#undo=` in the URL.
    token: String,
}

/// What became of `undoEmailChange`.
#[derive(Union)]
enum UndoEmailChangeResult {
    EmailChangeUndone(EmailChangeUndone),
    EmailTaken(EmailTaken),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// The account has its old address again and is signed out everywhere.
#[derive(SimpleObject)]
struct EmailChangeUndone {
    /// What to tell the person.
    message: &'static str,
}

/// To be sure that it is meant.
#[derive(InputObject)]
struct DeleteAccountInput {
    /// Your own address, typed once more.
    email: String,
}

/// What became of `deleteAccount`.
#[derive(Union)]
enum DeleteAccountResult {
    AccountDeleted(AccountDeleted),
    LastAdmin(LastAdmin),
}

/// The account is deleted and signed out everywhere. An administrator can restore it until it is erased.
#[derive(SimpleObject)]
struct AccountDeleted {
    /// What to tell the person.
    message: &'static str,
}

/// What became of `exportData`.
#[derive(Union)]
enum ExportDataResult {
    DataExported(DataExported),
    RateLimited(RateLimited),
}

/// A copy of what is kept about you.
#[derive(SimpleObject)]
struct DataExported {
    /// Account, sessions, devices, changes of address and the newest 1,000 audit events.
    data: Json<serde_json::Value>,
}

#[derive(Default)]
pub(crate) struct ProfileMutation;

#[Object]
impl ProfileMutation {
    /// Changes your name or the language of your mails. For USER and up.
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

    /// Mails a code to the address that you want to have. For USER and up, with a sign-in of the last ten minutes. The
    /// answer is the same whether or not somebody has the address; if so, no mail goes out.
    async fn change_email(&self, ctx: &Context<'_>, input: ChangeEmailInput) -> Reported<ChangeEmailResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "changeEmail").await?;
        let member = Recent::require(domain, member, "changeEmail").await?;
        let requested = email_change::request(domain, member, &input.email, input.locale.as_deref()).await?;
        Ok(match requested {
            Requested::Sent(sent) => ChangeEmailResult::CodeSent(CodeSent::new(domain, sent)),
            Requested::Invalid(message) => ChangeEmailResult::InvalidEmail(InvalidEmail { message }),
            Requested::Wait(wait) => ChangeEmailResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Changes your address with the code that came to the new one. Your other sessions end, and the old address gets a
    /// notice with a way to undo it within seven days.
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

    /// Takes an address back with the token from the notice to it: for when somebody else changed it. The account is
    /// signed out everywhere. Call it when the person presses a button, never on load: mail scanners open links.
    async fn undo_email_change(
        &self,
        ctx: &Context<'_>,
        input: UndoEmailChangeInput,
    ) -> Reported<UndoEmailChangeResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match undo::undo(domain, viewer, &input.token).await? {
            Undone::Restored { may_sign_in } => UndoEmailChangeResult::EmailChangeUndone(EmailChangeUndone {
                message: if may_sign_in {
                    "The account has this address again and is signed out everywhere. Sign in with a new code."
                } else {
                    "The account has this address again and is signed out everywhere. An administrator keeps it shut; \
                     ask whoever runs this service."
                },
            }),
            Undone::Parked => UndoEmailChangeResult::EmailTaken(EmailTaken {
                message: "This address belongs to another account by now. Nobody can sign in any more to the one that \
                    it was taken from; ask whoever runs this service to give it back."
                    .into(),
            }),
            Undone::Expired => UndoEmailChangeResult::CodeExpired(CodeExpired {
                message: "This link is expired or was used already. Ask whoever runs this service.".into(),
            }),
            Undone::Wait(wait) => UndoEmailChangeResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Deletes your account, at once. For USER and up, with a sign-in of the last ten minutes. What is kept of it is
    /// erased some time after; until then an administrator can restore it.
    async fn delete_account(&self, ctx: &Context<'_>, input: DeleteAccountInput) -> Reported<DeleteAccountResult> {
        let (domain, viewer) = parts(ctx);
        let member = Member::require(domain, viewer, "deleteAccount").await?;
        let member = Recent::require(domain, member, "deleteAccount").await?;
        let by = By::Owner { person: member, typed: &input.email };
        Ok(match manage::delete(domain, by, member.user().id, None).await? {
            Changed::LastAdmin => DeleteAccountResult::LastAdmin(LastAdmin::new()),
            Changed::Done(_) | Changed::EmailTaken => DeleteAccountResult::AccountDeleted(AccountDeleted {
                message: "Your account is deleted. Ask an administrator soon if you want it back.",
            }),
        }
        .into())
    }

    /// A copy of all that is kept about you, as JSON. With a sign-in of the last ten minutes.
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

/// What a field of an input asks for: to keep what is when it was left out, to clear it when it was `null`.
pub(crate) fn edit<T>(value: MaybeUndefined<String>, mut read: impl FnMut(String) -> Option<T>) -> Edit<T> {
    match value {
        MaybeUndefined::Undefined => Edit::Keep,
        MaybeUndefined::Null => Edit::Clear,
        MaybeUndefined::Value(text) => read(text).map_or(Edit::Keep, Edit::Set),
    }
}
