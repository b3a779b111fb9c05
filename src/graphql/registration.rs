//! `register`, `resendCode`, `requestPasswordReset` and `resetPassword`.

use async_graphql::{Context, InputObject, Object, Union};

use super::{
    outcome_label::Reported,
    parts,
    problem::{self, CodeExpired, InvalidCode, InvalidEmail, RateLimited, WeakPassword},
    sign_in::{CodeSent, SignedIn, needs_passwords},
};
use crate::domain::{
    Check,
    credential::password::policy::Password,
    sign_in::{
        code_request::{self, Request, Requested, Resent, Wanted},
        register::{self, Register},
        reset::{self, Reset},
    },
    user::name::Name,
};

/// Input of `register`.
#[derive(InputObject)]
struct RegisterInput {
    /// The email address of the new user.
    email: String,
    /// The password of the new user. `signInOptions.passwordPolicy` has the length; spaces count.
    password: String,
    /// The display name: one line of at most 100 characters.
    name: Option<String>,
    /// Whether the user stays signed in. If not, the session ends a day after it began.
    #[graphql(default = true)]
    remember: bool,
    /// The `deviceToken` of the latest `SignedIn` for this address on this device.
    device_token: Option<String>,
    /// The language of the email, such as `de` or `fr-CA` (default: as for `login`).
    locale: Option<String>,
}

/// The result of `register`.
#[derive(Union)]
enum RegisterResult {
    CodeSent(CodeSent),
    WeakPassword(WeakPassword),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// Input of `resendCode`.
#[derive(InputObject)]
struct ResendCodeInput {
    /// The `challenge` from `CodeSent`.
    challenge: String,
}

/// The result of `resendCode`.
#[derive(Union)]
enum ResendCodeResult {
    CodeSent(CodeSent),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// Input of `requestPasswordReset`.
#[derive(InputObject)]
struct RequestPasswordResetInput {
    /// The email address of the account.
    email: String,
    /// The `deviceToken` of the latest `SignedIn` for this address on this device.
    device_token: Option<String>,
    /// The language of the email, such as `de` or `fr-CA` (default: as for `login`).
    locale: Option<String>,
}

/// The result of `requestPasswordReset`.
#[derive(Union)]
enum RequestPasswordResetResult {
    CodeSent(CodeSent),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// Input of `resetPassword`.
#[derive(InputObject)]
struct ResetPasswordInput {
    /// The `challenge` from `CodeSent`, which `requestPasswordReset` returned.
    challenge: String,
    /// The code from the email. Spaces and dashes are ignored.
    code: String,
    /// The new password. `signInOptions.passwordPolicy` has the length; spaces count.
    new_password: String,
    /// Whether the user stays signed in. If not, the session ends a day after it began.
    #[graphql(default = true)]
    remember: bool,
}

/// The result of `resetPassword`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "a request has one of these")]
enum ResetPasswordResult {
    SignedIn(SignedIn),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    WeakPassword(WeakPassword),
    RateLimited(RateLimited),
}

#[derive(Default)]
pub(super) struct RegistrationMutation;

#[Object]
impl RegistrationMutation {
    /// Emails a code to a new user. Pass it to `verify`, which creates the account with this password. If the address
    /// already has an account, the email says so, its code signs in, and the password is discarded; the result is the
    /// same. Problems: `WeakPassword`, `InvalidEmail`, `RateLimited`.
    async fn register(&self, ctx: &Context<'_>, input: RegisterInput) -> Reported<RegisterResult> {
        let (domain, viewer) = parts(ctx);
        needs_passwords(domain)?;
        let mut check = Check::default();
        let name = input.name.and_then(|name| check.field("name", Name::parse(&name)));
        check.done()?;
        let registration = Register {
            email: &input.email,
            password: Password::new(&input.password),
            name,
            device_token: input.device_token.as_deref(),
            locale: input.locale.as_deref(),
            accepted: problem::accepted(ctx),
            remember: input.remember,
        };
        Ok(match register::register(domain, &viewer.origin, registration).await? {
            register::Outcome::Sent(sent) => RegisterResult::CodeSent(CodeSent::new(domain, sent)),
            register::Outcome::Weak(reasons) => RegisterResult::WeakPassword(WeakPassword::of(domain, &reasons)),
            register::Outcome::InvalidEmail(invalid) => RegisterResult::InvalidEmail(invalid.into()),
            register::Outcome::Wait(wait) => RegisterResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Emails another code for a sign-in, registration, password reset or email change in progress. The earlier code
    /// stays valid until it expires; both share the attempts. Problems: `CodeExpired`, `RateLimited`.
    async fn resend_code(&self, ctx: &Context<'_>, input: ResendCodeInput) -> Reported<ResendCodeResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match code_request::resend(domain, &viewer.origin, &input.challenge).await? {
            Resent::Sent(sent) => ResendCodeResult::CodeSent(CodeSent::new(domain, sent)),
            Resent::Expired => ResendCodeResult::CodeExpired(CodeExpired::new()),
            Resent::Wait(wait) => ResendCodeResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Emails a code to reset a password. Pass it to `resetPassword`. The result is the same for every address; without
    /// an account, no email is sent. Problems: `InvalidEmail`, `RateLimited`.
    async fn request_password_reset(
        &self,
        ctx: &Context<'_>,
        input: RequestPasswordResetInput,
    ) -> Reported<RequestPasswordResetResult> {
        let (domain, viewer) = parts(ctx);
        needs_passwords(domain)?;
        let request = Request {
            email: &input.email,
            challenge: None,
            device_token: input.device_token.as_deref(),
            locale: input.locale.as_deref(),
            accepted: problem::accepted(ctx),
            remember: true,
            wanted: Wanted::ResetPassword,
        };
        Ok(match code_request::request(domain, &viewer.origin, request).await? {
            Requested::Sent(sent) => RequestPasswordResetResult::CodeSent(CodeSent::new(domain, sent)),
            Requested::InvalidEmail(invalid) => RequestPasswordResetResult::InvalidEmail(invalid.into()),
            Requested::Wait(wait) => RequestPasswordResetResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Sets a new password with the code from the email and signs the user in. Ends all other sessions, revokes API keys
    /// and forgets all devices. A refused password costs no attempt. Problems: `WeakPassword`, `InvalidCode`,
    /// `CodeExpired`, `RateLimited`.
    async fn reset_password(&self, ctx: &Context<'_>, input: ResetPasswordInput) -> Reported<ResetPasswordResult> {
        let (domain, viewer) = parts(ctx);
        needs_passwords(domain)?;
        let reset = Reset {
            handle: &input.challenge,
            code: &input.code,
            password: Password::new(&input.new_password),
            remember: input.remember,
        };
        Ok(match reset::reset(domain, viewer, reset).await? {
            reset::Outcome::SignedIn(completed) => ResetPasswordResult::SignedIn(SignedIn::new(domain, *completed)?),
            reset::Outcome::Weak(reasons) => ResetPasswordResult::WeakPassword(WeakPassword::of(domain, &reasons)),
            reset::Outcome::Wrong { attempts_left } => {
                ResetPasswordResult::InvalidCode(InvalidCode::new(attempts_left))
            }
            reset::Outcome::Expired => ResetPasswordResult::CodeExpired(CodeExpired::new()),
            reset::Outcome::Wait(wait) => ResetPasswordResult::RateLimited(wait.into()),
        }
        .into())
    }
}
