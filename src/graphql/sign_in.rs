//! `login`, `verify`, `verifyLink` and `refresh`.

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::{
    account::session::Session,
    error::ApiError,
    outcome_label::Reported,
    parts,
    problem::{self, CodeExpired, InvalidCode, InvalidCredentials, InvalidEmail, RateLimited, SessionEnded},
    scalar::EmailAddress,
    user::User,
};
use crate::{
    db::entity::Method,
    domain::{
        Ctx,
        access::{SignedIn as Holder, Viewer},
        credential::password::policy::Password,
        session::refresh::{self, RefreshToken},
        sign_in::{
            Completed, Outcome,
            code_request::{self, Request, Requested, Wanted},
            email_code, link, password,
        },
        token,
    },
    error::{Error, Flaw},
};

/// Input of `login`.
#[derive(InputObject)]
struct LoginInput {
    /// The email address of the user.
    email: String,
    /// The password. Without one, a code is sent by email.
    password: Option<String>,
    /// Whether the user stays signed in. If not, the session ends a day after it began.
    #[graphql(default = true)]
    remember: bool,
    /// The `challenge` of an earlier `CodeSent`, to send another email for the same sign-in. The earlier code stays
    /// valid.
    challenge: Option<String>,
    /// The `deviceToken` of the latest `SignedIn` for this address on this device. It gives the device its own rate
    /// limits.
    device_token: Option<String>,
    /// The language of the email, such as `de` or `fr-CA`. Default: the language of the account, then the first
    /// language of `Accept-Language` that is en, de, fr, es or ja, then English.
    locale: Option<String>,
}

/// The result of `login`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "a request has one of these")]
enum LoginResult {
    CodeSent(CodeSent),
    SignedIn(SignedIn),
    InvalidCredentials(InvalidCredentials),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// An email with a code is on its way, if this address may sign in. The result is the same for every address.
#[derive(SimpleObject)]
pub(super) struct CodeSent {
    /// The handle of this sign-in. Keep it in the client: the code works only together with it.
    challenge: String,
    /// The email address in canonical form.
    email: EmailAddress,
    /// The number of digits in the code.
    code_length: i32,
    /// The time at which the code expires.
    expires_at: DateTime<Utc>,
    /// The time from which to offer another email.
    resend_at: DateTime<Utc>,
    /// The number of attempts that are left for this challenge.
    attempts_left: i32,
}

impl CodeSent {
    pub(super) fn new(domain: &Ctx, sent: code_request::CodeSent) -> Self {
        Self {
            challenge: sent.handle,
            email: EmailAddress(sent.email.as_str().to_owned()),
            code_length: i32::try_from(domain.settings.limits.code_length).unwrap_or_default(),
            expires_at: sent.expires_at,
            resend_at: sent.resend_at,
            attempts_left: count(sent.attempts_left),
        }
    }
}

/// Input of `verify`.
#[derive(InputObject)]
struct VerifyInput {
    /// The `challenge` from `CodeSent`.
    challenge: String,
    /// The code from the email. Spaces and dashes are ignored.
    code: String,
}

/// Input of `verifyLink`.
#[derive(InputObject)]
struct VerifyLinkInput {
    /// The text after `#link=` in the URL of the link.
    token: String,
}

/// The result of `verify` or `verifyLink`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "one of these lives for one request")]
enum VerifyResult {
    SignedIn(SignedIn),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// The user is signed in.
#[derive(SimpleObject)]
pub(super) struct SignedIn {
    /// The tokens of the session.
    tokens: Tokens,
    /// The user who signed in.
    user: User,
    /// The new session.
    session: Session,
    /// Whether this sign-in created the account.
    is_new_user: bool,
    /// A token for this device. Store it for this address and send it with the next `login`. Each sign-in replaces it.
    device_token: String,
}

/// The tokens of a session.
#[derive(SimpleObject)]
struct Tokens {
    /// The access token to send as `Authorization: Bearer …`.
    access_token: String,
    /// The type of the access token, always `Bearer`.
    token_type: &'static str,
    /// The time at which the access token expires.
    expires_at: DateTime<Utc>,
    /// The token for the next `refresh`. Works once.
    refresh_token: String,
    /// The time at which the session ends unless it is refreshed.
    refresh_expires_at: DateTime<Utc>,
}

/// Input of `refresh`.
#[derive(InputObject)]
struct RefreshInput {
    /// The newest refresh token of the session.
    refresh_token: String,
}

/// The result of `refresh`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "one of these lives for one request")]
enum RefreshResult {
    Refreshed(Refreshed),
    SessionEnded(SessionEnded),
    RateLimited(RateLimited),
}

/// The session continues with new tokens.
#[derive(SimpleObject)]
struct Refreshed {
    /// The tokens of the session.
    tokens: Tokens,
    /// The session.
    session: Session,
}

#[derive(Default)]
pub(super) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Signs a user in. With `password`, at once: the result is never `CodeSent`. Without, it emails a code to the
    /// address; pass the code to `verify`. When an address is close to its limits, the email has a link instead, for
    /// `verifyLink`. Problems: `InvalidCredentials`, `InvalidEmail`, `RateLimited`.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Reported<LoginResult> {
        let (domain, viewer) = parts(ctx);
        if let Some(typed) = &input.password {
            return login_with_password(domain, viewer, &input, typed).await;
        }
        let request = Request {
            email: &input.email,
            challenge: input.challenge.as_deref(),
            device_token: input.device_token.as_deref(),
            locale: input.locale.as_deref(),
            remember: input.remember,
            wanted: Wanted::SignIn,
            accepted: problem::accepted(ctx),
        };
        Ok(match code_request::request(domain, &viewer.origin, request).await? {
            Requested::Sent(sent) => LoginResult::CodeSent(CodeSent::new(domain, sent)),
            Requested::InvalidEmail(invalid) => LoginResult::InvalidEmail(invalid.into()),
            Requested::Wait(wait) => LoginResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Signs a user in with the code from the email. A bearer token is optional: the new session replaces a session of
    /// the same user. Problems: `InvalidCode`, `CodeExpired`, `RateLimited`.
    async fn verify(&self, ctx: &Context<'_>, input: VerifyInput) -> Reported<VerifyResult> {
        let (domain, viewer) = parts(ctx);
        verified(domain, email_code::verify(domain, viewer, &input.challenge, &input.code).await?)
    }

    /// Signs a user in with the token from an emailed link, which works once. Call it when the user presses a button,
    /// not on page load, because mail scanners open links. Problems: `CodeExpired`, `RateLimited`.
    async fn verify_link(&self, ctx: &Context<'_>, input: VerifyLinkInput) -> Reported<VerifyResult> {
        let (domain, viewer) = parts(ctx);
        verified(domain, link::verify(domain, viewer, &input.token).await?)
    }

    /// Exchanges a refresh token for new tokens. For ten seconds, the same refresh token returns the same successor, so
    /// that several tabs can refresh at once. Using it later ends the session. Problems: `SessionEnded`, `RateLimited`.
    async fn refresh(&self, ctx: &Context<'_>, input: RefreshInput) -> Reported<RefreshResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match refresh::refresh(domain, &viewer.origin, &input.refresh_token, None).await? {
            refresh::Outcome::Refreshed(refreshed) => {
                let refresh::Refreshed { signed_in, methods, token } = *refreshed;
                let tokens = tokens(domain, &signed_in, &methods, &token)?;
                RefreshResult::Refreshed(Refreshed { tokens, session: signed_in.into() })
            }
            refresh::Outcome::Ended => RefreshResult::SessionEnded(SessionEnded::new()),
            refresh::Outcome::Wait(wait) => RefreshResult::RateLimited(wait.into()),
        }
        .into())
    }
}

async fn login_with_password(domain: &Ctx, viewer: &Viewer, input: &LoginInput, typed: &str) -> Reported<LoginResult> {
    needs_passwords(domain)?;
    let mut flaws = Vec::new();
    if typed.is_empty() {
        flaws.push(Flaw { field: "password".into(), message: "Enter a password, or omit it to get a code.".into() });
    }
    if input.challenge.is_some() {
        let message = "A challenge belongs to a sign-in with a code. Omit the challenge or the password.";
        flaws.push(Flaw { field: "challenge".into(), message: message.into() });
    }
    if !flaws.is_empty() {
        return Err(ApiError::flawed(flaws));
    }
    let request = password::Request {
        email: &input.email,
        password: Password::new(typed),
        device_token: input.device_token.as_deref(),
        remember: input.remember,
    };
    Ok(match password::sign_in(domain, viewer, request).await? {
        password::Outcome::SignedIn(completed) => LoginResult::SignedIn(SignedIn::new(domain, *completed)?),
        password::Outcome::Wrong => LoginResult::InvalidCredentials(InvalidCredentials::wrong()),
        password::Outcome::InvalidEmail(invalid) => LoginResult::InvalidEmail(invalid.into()),
        password::Outcome::Wait(wait) => LoginResult::RateLimited(wait.into()),
    }
    .into())
}

/// Refuses an operation about passwords where the settings turn them off.
pub(super) fn needs_passwords(domain: &Ctx) -> Result<(), Error> {
    if domain.settings.methods.password { Ok(()) } else { Err(Error::MethodDisabled) }
}

fn verified(domain: &Ctx, outcome: Outcome) -> Reported<VerifyResult> {
    Ok(match outcome {
        Outcome::SignedIn(completed) => VerifyResult::SignedIn(SignedIn::new(domain, *completed)?),
        Outcome::Wrong { attempts_left } => VerifyResult::InvalidCode(InvalidCode::new(attempts_left)),
        Outcome::Expired => VerifyResult::CodeExpired(CodeExpired::new()),
        Outcome::Wait(wait) => VerifyResult::RateLimited(wait.into()),
    }
    .into())
}

impl SignedIn {
    pub(super) fn new(domain: &Ctx, completed: Completed) -> Result<Self, ApiError> {
        let holder = completed.signed_in;
        Ok(Self {
            tokens: tokens(domain, &holder, &[completed.method], &completed.refresh_token)?,
            user: User::from(&holder),
            is_new_user: completed.is_new_user,
            device_token: completed.device_token.expose_secret().to_owned(),
            session: holder.into(),
        })
    }
}

/// The only place in the API that turns tokens into text for a client.
fn tokens(domain: &Ctx, holder: &Holder, methods: &[Method], refresh_token: &RefreshToken) -> Result<Tokens, ApiError> {
    let (access_token, expires_at) = token::sign(domain, holder, methods, domain.now())?;
    Ok(Tokens {
        access_token: access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_at,
        refresh_token: refresh_token.reveal().expose_secret().to_owned(),
        refresh_expires_at: holder.session.idle_expires_at,
    })
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
