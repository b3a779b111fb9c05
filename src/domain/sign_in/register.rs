//! Registering with a password. The hash waits sealed in the challenge until the mailbox is proved; no account and no
//! password exist before. The answer and the work are the same for an address that has an account.

use super::{
    code_request::{self, CodeSent, Request, Requested, Wanted},
    send_limit,
};
use crate::{
    domain::{
        Ctx, Wait,
        access::Origin,
        credential::password::{
            Registration,
            policy::{Password, Weakness},
            weaknesses,
        },
        mail::template::Locale,
        user::name::Name,
    },
    email_address::{EmailAddress, InvalidEmail},
    error::Result,
    limits::network,
};

/// A registration.
pub struct Register<'a> {
    /// The email address as typed.
    pub email: &'a str,
    /// The chosen password.
    pub password: Password,
    /// The chosen name.
    pub name: Option<Name>,
    /// The device token from an earlier sign-in.
    pub device_token: Option<&'a str>,
    /// The language of the mail, as a BCP 47 tag.
    pub locale: Option<&'a str>,
    /// The language that the client accepts.
    pub accepted: Option<Locale>,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
}

/// The outcome of a registration.
pub enum Outcome {
    /// A mail with a code is sent, if this address may sign in.
    Sent(CodeSent),
    /// The password is refused.
    Weak(Vec<Weakness>),
    /// Not a valid email address.
    InvalidEmail(InvalidEmail),
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Starts a registration. Four statements like a request for a code, two limiter calls and one hash.
///
/// # Errors
/// [`crate::error::Error::Unavailable`] if too many passwords are being hashed.
pub async fn register(ctx: &Ctx, origin: &Origin, register: Register<'_>) -> Result<Outcome> {
    let email = match EmailAddress::parse(register.email) {
        Ok(email) => email,
        Err(invalid) => return Ok(Outcome::InvalidEmail(invalid)),
    };
    let turn = ctx.hasher.enter(&network(origin.ip, 64), false).await?;
    if let Some(wait) = send_limit::ask_network(ctx, origin, ctx.now()).await? {
        return Ok(Outcome::Wait(wait));
    }
    let slot = ctx.hasher.slot(turn).await?;
    let (weaknesses, slot) = weaknesses(ctx, slot, &register.password, Some(&email), register.name.as_ref()).await?;
    if !weaknesses.is_empty() {
        return Ok(Outcome::Weak(weaknesses));
    }
    let (hash, _) = ctx.hasher.hash(slot, register.password, &*ctx.entropy).await?;
    let registration = Registration::new(hash, register.name);
    let request = Request {
        email: register.email,
        challenge: None,
        device_token: register.device_token,
        locale: register.locale,
        accepted: register.accepted,
        remember: register.remember,
        wanted: Wanted::Register(&registration),
    };
    Ok(match code_request::request(ctx, origin, request).await? {
        Requested::Sent(sent) => Outcome::Sent(sent),
        Requested::InvalidEmail(invalid) => Outcome::InvalidEmail(invalid),
        Requested::Wait(wait) => Outcome::Wait(wait),
    })
}
