//! Signing in and staying so: `login`, `verify`, `verifyLink`, `refresh`. Outcomes that the person can act on are data.

use async_graphql::{Context, InputObject, Object, SimpleObject, Union};
use chrono::{DateTime, Utc};
use secrecy::ExposeSecret;

use super::{
    account::session::Session,
    error::{ApiError, CodeExpired, InvalidCode, InvalidEmail, RateLimited, SessionEnded},
    outcome_label::Reported,
    parts,
    user::{EmailAddress, User},
};
use crate::domain::{
    Ctx,
    access::SignedIn as Holder,
    session::refresh::{self, RefreshToken},
    sign_in::{
        Outcome,
        email_code::{self, Request, Requested},
        link,
    },
    token,
};

/// Who wants to sign in.
#[derive(InputObject)]
struct LoginInput {
    /// The address as typed.
    email: String,
    /// To send another mail for a sign-in under way: the `challenge` of its `CodeSent`. The code before it stays good.
    challenge: Option<String>,
    /// The `deviceToken` of the latest `SignedIn` on this device, so that nobody else can use up its allowances.
    device_token: Option<String>,
    /// The language of the mail, such as `de` or `fr-CA`; English unless known.
    locale: Option<String>,
}

/// What became of `login`.
#[derive(Union)]
enum LoginResult {
    CodeSent(CodeSent),
    InvalidEmail(InvalidEmail),
    RateLimited(RateLimited),
}

/// A mail is on its way, if this address may sign in here. The answer is the same for every address.
#[derive(SimpleObject)]
pub(super) struct CodeSent {
    /// Keep it in this browser: the code works only together with it.
    challenge: String,
    /// What was typed, in its canonical form.
    email: EmailAddress,
    /// How many digits to ask for.
    code_length: i32,
    /// When the code dies.
    expires_at: DateTime<Utc>,
    /// When asking for another mail makes sense.
    resend_at: DateTime<Utc>,
    /// Wrong codes that may still be typed.
    attempts_left: i32,
}

impl CodeSent {
    pub(super) fn new(domain: &Ctx, sent: email_code::CodeSent) -> Self {
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

/// A code and the challenge that it was sent for.
#[derive(InputObject)]
struct VerifyInput {
    /// From `CodeSent`.
    challenge: String,
    /// As typed; blanks and dashes are ignored.
    code: String,
}

/// The token of a sign-in link.
#[derive(InputObject)]
struct VerifyLinkInput {
    /// What follows `#link=` in the URL.
    token: String,
}

/// What became of `verify` or `verifyLink`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "one of these lives for one request")]
enum VerifyResult {
    SignedIn(SignedIn),
    InvalidCode(InvalidCode),
    CodeExpired(CodeExpired),
    RateLimited(RateLimited),
}

/// Signed in.
#[derive(SimpleObject)]
struct SignedIn {
    /// What to send from now on.
    tokens: Tokens,
    /// Who signed in.
    user: User,
    /// The new session.
    session: Session,
    /// Whether this sign-in made the account.
    is_new_user: bool,
    /// Keep it on this device and send it with the next `login`. It replaces the one before.
    device_token: String,
}

/// What a client sends to be known.
#[derive(SimpleObject)]
struct Tokens {
    /// For `Authorization: Bearer …`, until `expiresAt`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// When the access token dies.
    expires_at: DateTime<Utc>,
    /// For `refresh`, once: each refresh gives a new one.
    refresh_token: String,
    /// When the session ends unless it is refreshed before.
    refresh_expires_at: DateTime<Utc>,
}

/// A refresh token.
#[derive(InputObject)]
struct RefreshInput {
    /// The latest that you were given.
    refresh_token: String,
}

/// What became of `refresh`.
#[derive(Union)]
#[expect(clippy::large_enum_variant, reason = "one of these lives for one request")]
enum RefreshResult {
    Refreshed(Refreshed),
    SessionEnded(SessionEnded),
    RateLimited(RateLimited),
}

/// Still signed in, with new tokens.
#[derive(SimpleObject)]
struct Refreshed {
    /// What to send from now on.
    tokens: Tokens,
    /// The session.
    session: Session,
}

#[derive(Default)]
pub(super) struct SignInMutation;

#[Object]
impl SignInMutation {
    /// Starts signing in: mails a code to the address. Then ask the person for it and call `verify`.
    async fn login(&self, ctx: &Context<'_>, input: LoginInput) -> Reported<LoginResult> {
        let (domain, viewer) = parts(ctx);
        let request = Request {
            email: &input.email,
            challenge: input.challenge.as_deref(),
            device_token: input.device_token.as_deref(),
            locale: input.locale.as_deref(),
        };
        Ok(match email_code::request(domain, &viewer.origin, request).await? {
            Requested::Sent(sent) => LoginResult::CodeSent(CodeSent::new(domain, sent)),
            Requested::InvalidEmail(invalid) => {
                LoginResult::InvalidEmail(InvalidEmail { message: invalid.to_string() })
            }
            Requested::Wait(wait) => LoginResult::RateLimited(wait.into()),
        }
        .into())
    }

    /// Completes signing in with the code from the mail.
    async fn verify(&self, ctx: &Context<'_>, input: VerifyInput) -> Reported<VerifyResult> {
        let (domain, viewer) = parts(ctx);
        verified(domain, email_code::verify(domain, viewer, &input.challenge, &input.code).await?)
    }

    /// Completes signing in with the link from a mail. Call it when the person presses a button, never on load: mail
    /// scanners open links.
    async fn verify_link(&self, ctx: &Context<'_>, input: VerifyLinkInput) -> Reported<VerifyResult> {
        let (domain, viewer) = parts(ctx);
        verified(domain, link::verify(domain, viewer, &input.token).await?)
    }

    /// Exchanges a refresh token for new tokens. Presented twice within ten seconds it gives the same successor, so
    /// several tabs may refresh at once; presented later again it ends the session.
    async fn refresh(&self, ctx: &Context<'_>, input: RefreshInput) -> Reported<RefreshResult> {
        let (domain, viewer) = parts(ctx);
        Ok(match refresh::refresh(domain, &viewer.origin, &input.refresh_token).await? {
            refresh::Outcome::Refreshed(refreshed) => {
                let (holder, refresh_token) = *refreshed;
                let tokens = tokens(domain, &holder, &refresh_token)?;
                RefreshResult::Refreshed(Refreshed { tokens, session: holder.into() })
            }
            refresh::Outcome::Ended => {
                RefreshResult::SessionEnded(SessionEnded { message: "Your session is over. Sign in again.".into() })
            }
            refresh::Outcome::Wait(wait) => RefreshResult::RateLimited(wait.into()),
        }
        .into())
    }
}

fn verified(domain: &Ctx, outcome: Outcome) -> Reported<VerifyResult> {
    Ok(match outcome {
        Outcome::SignedIn(completed) => {
            let holder = completed.signed_in;
            let tokens = tokens(domain, &holder, &completed.refresh_token)?;
            VerifyResult::SignedIn(SignedIn {
                tokens,
                user: User::from(&holder),
                is_new_user: completed.is_new_user,
                device_token: completed.device_token.expose_secret().to_owned(),
                session: holder.into(),
            })
        }
        Outcome::Wrong { attempts_left } => VerifyResult::InvalidCode(InvalidCode::new(attempts_left)),
        Outcome::Expired => VerifyResult::CodeExpired(CodeExpired::new()),
        Outcome::Wait(wait) => VerifyResult::RateLimited(wait.into()),
    }
    .into())
}

/// The one place where tokens become text for a client.
fn tokens(domain: &Ctx, holder: &Holder, refresh_token: &RefreshToken) -> Result<Tokens, ApiError> {
    let (access_token, expires_at) = token::sign(domain, holder, domain.now())?;
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
