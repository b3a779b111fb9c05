//! Requests for a code: for signing in, for registering and for resetting a password. They do the same work and give
//! the same response whether or not the address has an account.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    challenge::{self, Fresh, HANDLE_BYTES, LoginLookup, NewCode, Purpose, Target},
    email_code::{attempts_left, draw_code},
    link,
    send_limit::{self, Granted, KnownDevice, Sender},
};
use crate::{
    db::entity::{Role, UserStatus, email_codes},
    domain::{
        Ctx, Wait,
        access::Origin,
        audit::{self, Event, Kind},
        credential::password::Registration,
        device,
        mail::{
            message::{Code, Link, Message},
            outbox,
            template::Locale,
        },
        transaction::Work,
        user::{self, email_change},
        vault::{self, Macs},
    },
    email_address::{EmailAddress, InvalidEmail},
    error::Result,
    limits::{self, Quota, Rule},
};

/// The suggested wait before requesting another mail. Only a hint; `limits` enforces the actual limits.
const RESEND_PAUSE: Duration = Duration::from_secs(30);

/// A request for a code.
pub struct Request<'a> {
    /// The email address as typed.
    pub email: &'a str,
    /// The handle of the challenge to resend for.
    pub challenge: Option<&'a str>,
    /// The device token from an earlier sign-in.
    pub device_token: Option<&'a str>,
    /// The language of the mail, as a BCP 47 tag.
    pub locale: Option<&'a str>,
    /// The language that the client accepts, for a mail without `locale` to an account without a language.
    pub accepted: Option<Locale>,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
    /// What the code is for.
    pub wanted: Wanted<'a>,
}

/// What a code is requested for.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// To sign in.
    SignIn,
    /// To register with a password.
    Register(&'a Registration),
    /// To set another password.
    ResetPassword,
}

impl Wanted<'_> {
    const fn purpose(self) -> Purpose {
        match self {
            Self::SignIn => Purpose::SignIn,
            Self::Register(_) => Purpose::Register,
            Self::ResetPassword => Purpose::ResetPassword,
        }
    }
}

/// The response for every valid address, with or without an account.
pub struct CodeSent {
    /// The challenge handle.
    pub handle: String,
    /// The canonical form of the address.
    pub email: EmailAddress,
    /// When the code expires.
    pub expires_at: DateTime<Utc>,
    /// When to offer another mail.
    pub resend_at: DateTime<Utc>,
    /// Remaining attempts for the challenge.
    pub attempts_left: u32,
}

/// The outcome of a request for a code.
pub enum Requested {
    /// A mail is sent, if this address may sign in.
    Sent(CodeSent),
    /// Not a valid email address.
    InvalidEmail(InvalidEmail),
    /// A rate limit refused the call.
    Wait(Wait),
}

/// The outcome of a request to send another code.
pub enum Resent {
    /// A mail is sent, if this address gets one.
    Sent(CodeSent),
    /// Expired, used, out of attempts or unknown.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Sends a code. Four statements and one limiter call for every address; one more statement if the mail contains a
/// link.
pub async fn request(ctx: &Ctx, origin: &Origin, request: Request<'_>) -> Result<Requested> {
    let email = match EmailAddress::parse(request.email) {
        Ok(email) => email,
        Err(invalid) => return Ok(Requested::InvalidEmail(invalid)),
    };
    let now = ctx.now();
    let target = Target {
        device_hash: request.device_token.and_then(device::token_hash),
        device_id: None,
        handle: request.challenge.and_then(vault::decode::<HANDLE_BYTES>),
        purpose: request.wanted.purpose(),
    };
    let locale = request.locale.map(|tag| Locale::negotiate(Some(tag)));
    let lookup = Lookup::new(ctx, email, target, locale, now).await?;
    let draft = match Draft::begin(ctx, origin, lookup, now).await? {
        Ok(draft) => draft,
        Err(wait) => return Ok(Requested::Wait(wait)),
    };
    let challenge = match draft.add_code().await? {
        Some(challenge) => challenge,
        None => draft.issue_challenge(&request).await?,
    };
    Ok(Requested::Sent(draft.send(challenge, request.accepted).await?))
}

/// Sends another code for a live challenge of any purpose. Five statements and two limiter calls.
pub async fn resend(ctx: &Ctx, origin: &Origin, handle: &str) -> Result<Resent> {
    let now = ctx.now();
    if let Some(wait) = send_limit::take_verify(ctx, origin, now).await? {
        return Ok(Resent::Wait(wait));
    }
    let Some((handle, row)) = find(ctx, handle, now).await? else {
        let refused = send_limit::take_miss(ctx, origin, now).await?;
        return Ok(refused.map_or(Resent::Expired, Resent::Wait));
    };
    let (Some(purpose), Ok(email)) = (Purpose::of(&row), EmailAddress::parse(&row.email)) else {
        return Ok(Resent::Expired);
    };
    if purpose.user_id().is_some() {
        return email_change::resend(ctx, origin, &handle, &row, now).await;
    }
    let target = Target { device_hash: None, device_id: row.device_id, handle: Some(handle), purpose };
    let locale = row.locale.as_deref().map(|tag| Locale::negotiate(Some(tag)));
    let lookup = Lookup::new(ctx, email, target, locale, now).await?;
    let draft = match Draft::begin(ctx, origin, lookup, now).await? {
        Ok(draft) => draft,
        Err(wait) => return Ok(Resent::Wait(wait)),
    };
    let Some(challenge) = draft.add_code().await? else { return Ok(Resent::Expired) };
    Ok(Resent::Sent(draft.send(challenge, None).await?))
}

async fn find(
    ctx: &Ctx,
    handle: &str,
    now: DateTime<Utc>,
) -> Result<Option<(Zeroizing<[u8; HANDLE_BYTES]>, email_codes::Model)>> {
    let Some(handle) = vault::decode::<HANDLE_BYTES>(handle) else { return Ok(None) };
    let row = challenge::find_live(ctx, &vault::sha256(&*handle), now).await?;
    Ok(row.map(|row| (handle, row)))
}

/// A challenge and its handle.
type Written = (email_codes::Model, String);

/// A mail with a code that the limits admitted, in a transaction that is not committed yet.
struct Draft<'a> {
    ctx: &'a Ctx,
    origin: &'a Origin,
    now: DateTime<Utc>,
    lookup: Lookup,
    pair_is_spent: bool,
    code: SecretString,
    link: Option<link::Issued>,
    work: Work,
}

impl<'a> Draft<'a> {
    /// Asks the limits, and writes the link if the mail needs one.
    async fn begin(ctx: &'a Ctx, origin: &'a Origin, lookup: Lookup, now: DateTime<Utc>) -> Result<Result<Self, Wait>> {
        let sender = Sender {
            origin,
            email: &lookup.email,
            device: lookup.device(now),
            has_link: lookup.has_link(ctx),
            is_mail: lookup.deliver(ctx),
            is_test: lookup.test_code.is_some(),
        };
        let granted = match send_limit::take_send(ctx, &sender, now).await? {
            Ok(granted) => granted,
            Err(wait) => return Ok(Err(wait)),
        };
        let needs_link = lookup.needs_link(ctx, &granted);
        let code = lookup.code(ctx);
        let work = Work::begin(ctx).await?;
        let link = if needs_link {
            let (key, deliver) = (&lookup.address_key.newest, lookup.deliver(ctx));
            Some(link::issue(ctx, &*work, key, &lookup.email, deliver, now).await?)
        } else {
            None
        };
        if let Some(refusal) = granted.one_more
            && link.as_ref().is_some_and(|link| !link.is_new)
        {
            drop(work);
            return Ok(Err(refusal.record(ctx, origin).await?));
        }
        Ok(Ok(Self { ctx, origin, now, lookup, pair_is_spent: granted.pair_is_spent, code, link, work }))
    }

    /// Adds the code to the presented challenge, if it is live.
    async fn add_code(&self) -> Result<Option<Written>> {
        let Lookup { target, found, email, test_code, .. } = &self.lookup;
        let Some((handle, id)) = target.handle.as_ref().zip(found.challenge_id) else { return Ok(None) };
        let hash = challenge::code_hash(self.ctx, &**handle, email, target.purpose, &self.code);
        let code = NewCode { hash, fixed: test_code.is_some() };
        let challenge = challenge::add_code(self.ctx, &*self.work, id, code, self.now).await?;
        Ok(challenge.map(|challenge| (challenge, vault::encode(&**handle))))
    }

    /// Writes a new challenge for the code.
    async fn issue_challenge(&self, request: &Request<'_>) -> Result<Written> {
        let Lookup { target, found, email, address_key, test_code, locale } = &self.lookup;
        let fresh = Fresh {
            purpose: target.purpose,
            email,
            address_key,
            device_id: found.device_id,
            fixed: test_code.is_some(),
            locale: *locale,
            remember: request.remember,
            registration: if let Wanted::Register(registration) = request.wanted { Some(registration) } else { None },
        };
        challenge::issue(self.ctx, &*self.work, fresh, &self.code, self.now).await
    }

    /// Queues the mail, records the event and commits.
    async fn send(self, (challenge, handle): Written, accepted: Option<Locale>) -> Result<CodeSent> {
        let Self { ctx, origin, now, lookup, pair_is_spent, code, link, work } = self;
        let kind = lookup.audit_kind(link.is_some());
        let (message, expires_at) = match link {
            Some(link) => (Message::Link(Link(link.url)), link.expires_at),
            None => (lookup.message(Code(code)), challenge.expires_at),
        };
        let letter = outbox::Letter {
            to: lookup.email.as_str(),
            message,
            locale: lookup.mail_locale(accepted),
            origin: Some(origin),
            expires_at,
            deliver: lookup.deliver(ctx),
        };
        outbox::enqueue(ctx, &*work, letter, now).await?;
        let detail = json!({ "challenge": challenge.id, "address": vault::label(&lookup.address_key.newest) });
        let email = Some(lookup.email.as_str());
        let event = Event { kind, origin: Some(origin), actor: None, subject: None, detail, email };
        audit::record(ctx, &work, now, &[event]).await?;
        work.commit(ctx).await?;
        ctx.outbox_filled.notify_one();
        Ok(sent(ctx, &challenge, handle, lookup.email, pair_is_spent, now))
    }
}

pub(in crate::domain) fn sent(
    ctx: &Ctx,
    challenge: &email_codes::Model,
    handle: String,
    email: EmailAddress,
    pair_is_spent: bool,
    now: DateTime<Utc>,
) -> CodeSent {
    let pause = if pair_is_spent { ctx.settings.limits.quota(Rule::SendPair).window } else { RESEND_PAUSE };
    CodeSent {
        handle,
        email,
        expires_at: challenge.expires_at,
        resend_at: now + pause,
        attempts_left: attempts_left(ctx, challenge),
    }
}

/// A request for a code with all that is known about it before the first write.
struct Lookup {
    email: EmailAddress,
    address_key: Macs,
    target: Target,
    found: LoginLookup,
    test_code: Option<SecretString>,
    locale: Option<Locale>,
}

impl Lookup {
    async fn new(
        ctx: &Ctx,
        email: EmailAddress,
        target: Target,
        locale: Option<Locale>,
        now: DateTime<Utc>,
    ) -> Result<Self> {
        let address_key = challenge::address_key(ctx, email.as_str());
        let found = challenge::look_up(ctx, email.as_str(), &address_key, &target, now).await?;
        let test_code = if target.purpose == Purpose::SignIn { test_code(ctx, &email, &found, now) } else { None };
        Ok(Self { email, address_key, target, found, test_code, locale })
    }

    fn device(&self, now: DateTime<Utc>) -> Option<KnownDevice> {
        let LoginLookup { since, device_id, device_user_id, .. } = self.found;
        let is_established = since.is_some_and(|since| since + limits::ESTABLISHED <= now);
        device_id.zip(device_user_id).map(|(id, account)| KnownDevice { id, account, is_established })
    }

    /// Whether the mail contains a link instead of a code: on the address's last mail of the day, or if its guessing
    /// budget has no room for a wrong attempt at the new code. Never for a fixed code, because no mail is sent.
    fn needs_link(&self, ctx: &Ctx, granted: &Granted) -> bool {
        let limits = &ctx.settings.limits;
        let cost = if self.found.challenge_id.is_some() { 2 } else { 1 };
        let spent = |units: i64, quota: Quota| units + cost > i64::from(quota.count);
        self.found.device_id.is_none()
            && self.test_code.is_none()
            && (granted.day_is_spent
                || spent(self.found.day_units, limits.quota(Rule::GuessAccount))
                || spent(self.found.month_units, limits.quota(Rule::GuessAccountMonth)))
    }

    /// The code for the challenge. If the mail contains a link instead, this code is never sent.
    fn code(&self, ctx: &Ctx) -> SecretString {
        let draw = || draw_code(&*ctx.entropy, ctx.settings.limits.code_length).into();
        self.test_code.clone().unwrap_or_else(draw)
    }

    /// Whether a mail is really sent: not for a fixed code, and not if the address may not sign in. Resetting a
    /// password never creates an account.
    fn deliver(&self, ctx: &Ctx) -> bool {
        let may_sign_in = match self.found.status {
            Some(status) => status == UserStatus::Active,
            None if self.target.purpose == Purpose::ResetPassword => false,
            None => user::may_sign_up(&ctx.settings.signup, &self.email),
        };
        may_sign_in && self.test_code.is_none()
    }

    /// Whether a valid link was mailed. A decoy's link counts only while the address may not sign in, so that a user
    /// who gets an account, or gets it back, is not locked out.
    fn has_link(&self, ctx: &Ctx) -> bool {
        self.found.link_mailed.is_some_and(|mailed| mailed || !self.deliver(ctx))
    }

    /// The language of the mail: as requested, else of the account, else as accepted. Only the mail depends on it,
    /// never the response.
    fn mail_locale(&self, accepted: Option<Locale>) -> Locale {
        let of_account = self.found.locale.as_deref().and_then(Locale::of_tag);
        self.locale.or(of_account).or(accepted).unwrap_or(Locale::En)
    }

    fn message(&self, code: Code) -> Message {
        match self.target.purpose {
            Purpose::Register if self.found.status.is_some() => Message::RegisterKnown(code),
            Purpose::Register => Message::Register(code),
            Purpose::ResetPassword => Message::PasswordReset(code),
            Purpose::SignIn | Purpose::ChangeEmail(_) => Message::Code(code),
        }
    }

    fn audit_kind(&self, has_link: bool) -> Kind {
        match self.target.purpose {
            Purpose::Register => Kind::RegistrationRequested,
            Purpose::ResetPassword => Kind::PasswordResetRequested,
            _ if has_link => Kind::LinkRequested,
            _ => Kind::CodeRequested,
        }
    }
}

/// The fixed code of a test address, if it has not expired and the user's role is USER at most.
fn test_code(ctx: &Ctx, email: &EmailAddress, lookup: &LoginLookup, now: DateTime<Utc>) -> Option<SecretString> {
    let is_allowed = lookup.role.unwrap_or(ctx.settings.default_role) <= Role::User;
    ctx.settings.test_code(email.as_str(), now).filter(|_| is_allowed).map(|test| test.code.clone())
}
