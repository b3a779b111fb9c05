//! One-time codes by email: [`request`] sends one and [`verify`] consumes it. Both do the same work and give the same
//! response whether or not the address has an account. A code is compared only after its attempt was counted.

use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Outcome, Proof,
    challenge::{self, Aim, Counted, Fresh, HANDLE_BYTES, LoginLookup, NewCode, Try},
    finish, link, missed, record_if_expired,
    send_limit::{self, Granted, KnownDevice, Sender},
};
use crate::{
    db::entity::{Role, UserStatus, email_codes},
    domain::{
        Ctx, Wait,
        access::{Origin, Viewer},
        audit::{self, Event, Kind},
        device,
        mail::{
            message::{Code, Link, Message},
            outbox,
            template::Locale,
        },
        transaction::Work,
        user,
        vault::{self, Macs},
    },
    email_address::{EmailAddress, InvalidEmail},
    error::{Error, Result},
    limits::{self, Quota, Rule},
    ports::Entropy,
};

/// The method name in `amr` and the audit trail.
const METHOD: &str = "otp";
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

/// Starts a sign-in. Four statements and one limiter call for every address; one more statement if the mail contains a
/// link.
pub async fn request(ctx: &Ctx, origin: &Origin, request: Request<'_>) -> Result<Requested> {
    let email = match EmailAddress::parse(request.email) {
        Ok(email) => email,
        Err(invalid) => return Ok(Requested::InvalidEmail(invalid)),
    };
    let now = ctx.now();
    let lookup = Lookup::new(ctx, email, &request, now).await?;
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
        Err(wait) => return Ok(Requested::Wait(wait)),
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
        return Ok(Requested::Wait(refusal.record(ctx, origin).await?));
    }
    let (challenge, handle) = lookup.write_challenge(ctx, &*work, &code, now).await?;
    let (message, mail_expires_at) = match link {
        Some(link) => (Message::Link(Link(link.url)), link.expires_at),
        None => (Message::Code(Code(code)), challenge.expires_at),
    };
    let letter = outbox::Letter {
        to: lookup.email.as_str(),
        message,
        locale: lookup.mail_locale(request.accepted),
        origin: Some(origin),
        expires_at: mail_expires_at,
        deliver: lookup.deliver(ctx),
    };
    outbox::enqueue(ctx, &*work, letter, now).await?;
    let kind = if needs_link { Kind::LinkRequested } else { Kind::CodeRequested };
    let detail = json!({ "challenge": challenge.id, "address": vault::label(&lookup.address_key.newest) });
    let email = Some(lookup.email.as_str());
    let event = Event { kind, origin: Some(origin), actor: None, subject: None, detail, email };
    audit::record(ctx, &work, now, &[event]).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();

    Ok(Requested::Sent(sent(ctx, &challenge, handle, lookup.email, granted.pair_is_spent, now)))
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
    /// The presented handle, reused if its challenge is live and belongs to this address.
    handle: Option<Zeroizing<[u8; HANDLE_BYTES]>>,
    found: LoginLookup,
    test_code: Option<SecretString>,
    locale: Option<Locale>,
}

impl Lookup {
    async fn new(ctx: &Ctx, email: EmailAddress, request: &Request<'_>, now: DateTime<Utc>) -> Result<Self> {
        let address_key = challenge::address_key(ctx, email.as_str());
        let handle = request.challenge.and_then(vault::decode::<HANDLE_BYTES>);
        let handle_hash = handle.as_ref().map(|handle| vault::sha256(&**handle));
        let device_hash = request.device_token.and_then(device::token_hash);
        let found = challenge::look_up(ctx, email.as_str(), &address_key, device_hash, handle_hash, now).await?;
        let test_code = test_code(ctx, &email, &found, now);
        let locale = request.locale.map(|tag| Locale::negotiate(Some(tag)));
        Ok(Self { email, address_key, handle, found, test_code, locale })
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

    /// Whether a mail is really sent: not for a fixed code, and not if the address may not sign in.
    fn deliver(&self, ctx: &Ctx) -> bool {
        let may_sign_in = match self.found.status {
            Some(status) => status == UserStatus::Active,
            None => user::may_sign_up(&ctx.settings.signup, &self.email),
        };
        may_sign_in && self.test_code.is_none()
    }

    /// The language of the mail: as requested, else of the account, else as accepted. Only the mail depends on it, never
    /// the response.
    fn mail_locale(&self, accepted: Option<Locale>) -> Locale {
        let of_account = self.found.locale.as_deref().and_then(Locale::of_tag);
        self.locale.or(of_account).or(accepted).unwrap_or(Locale::En)
    }

    /// Whether a valid link was mailed. A decoy's link counts only while the address may not sign in, so that a user
    /// who gets an account, or gets it back, is not locked out.
    fn has_link(&self, ctx: &Ctx) -> bool {
        self.found.link_mailed.is_some_and(|mailed| mailed || !self.deliver(ctx))
    }

    /// Adds the code to the presented challenge if it is live, or writes a new challenge.
    async fn write_challenge(
        &self,
        ctx: &Ctx,
        db: &impl sea_orm::ConnectionTrait,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<(email_codes::Model, String)> {
        if let Some((handle, id)) = self.handle.as_ref().zip(self.found.challenge_id) {
            let hash = challenge::code_hash(ctx, &**handle, &self.email, challenge::Purpose::SignIn, code);
            let code = NewCode { hash, fixed: self.test_code.is_some() };
            if let Some(challenge) = challenge::add_code(ctx, db, id, code, now).await? {
                return Ok((challenge, vault::encode(&**handle)));
            }
        }
        let fresh = Fresh {
            purpose: challenge::Purpose::SignIn,
            email: &self.email,
            address_key: &self.address_key,
            device_id: self.found.device_id,
            fixed: self.test_code.is_some(),
            locale: self.locale,
        };
        challenge::issue(ctx, db, fresh, code, now).await
    }
}

/// Signs in with a code. At most seven statements and one limiter call. One more statement for the mail about a new
/// device, two more to replace a session; one more limiter call if the challenge is expired, used or unknown.
pub async fn verify(ctx: &Ctx, viewer: &Viewer, handle: &str, code: &str) -> Result<Outcome> {
    let outcome = attempt(ctx, viewer, handle, code).await?;
    Ok(record_if_expired(ctx, viewer, METHOD, outcome).await)
}

async fn attempt(ctx: &Ctx, viewer: &Viewer, handle: &str, code: &str) -> Result<Outcome> {
    let code = normalize(code, ctx.settings.limits.code_length)?;
    let now = ctx.now();
    let Some(handle) = vault::decode::<HANDLE_BYTES>(handle) else {
        return missed(ctx, viewer, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, &viewer.origin, now).await? {
        return Ok(Outcome::Wait(wait));
    }
    let aim = Aim { purpose: challenge::Purpose::SignIn, handle_hash: &vault::sha256(&*handle) };
    let attempt = match challenge::count_try(ctx, &viewer.origin, aim, now).await? {
        Counted::Yes(attempt) => attempt,
        Counted::Dead => return missed(ctx, viewer, now).await,
        Counted::Spent { wait, key } => {
            let window = ctx.settings.limits.quota(Rule::GuessAccount).window;
            audit::record_refusal(ctx, now, &viewer.origin, Rule::GuessAccount.name(), &key, window).await?;
            return Ok(Outcome::Wait(wait));
        }
    };
    if challenge::is_right(ctx, &attempt.challenge, &*handle, &code, now) {
        sign_in(ctx, viewer, &attempt, now).await
    } else {
        let row = &attempt.challenge;
        let address = ctx.vault.address_label(&row.email);
        let detail = json!({ "challenge": row.id, "attempt": row.attempts, "address": address });
        let origin = Some(&viewer.origin);
        let email = Some(row.email.as_str());
        let event = Event { kind: Kind::WrongCode, origin, actor: None, subject: None, detail, email };
        audit::record_alone(ctx, now, event).await?;
        Ok(Outcome::Wrong { attempts_left: attempts_left(ctx, row) })
    }
}

/// Consumes the code and opens a session in one transaction.
async fn sign_in(ctx: &Ctx, viewer: &Viewer, attempt: &Try, now: DateTime<Utc>) -> Result<Outcome> {
    let work = Work::begin(ctx).await?;
    if !challenge::consume(&*work, attempt, now).await? {
        return Ok(Outcome::Expired);
    }
    let row = &attempt.challenge;
    let email = EmailAddress::parse(&row.email)
        .map_err(|_| Error::Internal(format!("challenge {} has no valid email address", row.id)))?;
    let proof = Proof {
        credential_id: row.id,
        method: METHOD,
        email,
        device_id: row.device_id,
        fixed: row.fixed,
        locale: row.locale.clone(),
    };
    let completed = finish(ctx, &work, viewer, proof, now).await?;
    work.commit(ctx).await?;
    Ok(completed.map_or(Outcome::Expired, |completed| Outcome::SignedIn(Box::new(completed))))
}

/// Removes whitespace and dashes from a code. Input that cannot be a code is an input error and does not count as an
/// attempt.
pub(in crate::domain) fn normalize(code: &str, length: usize) -> Result<Zeroizing<String>> {
    let wrong = || Error::invalid("code", format!("The code has {length} digits."));
    if code.len() > 64 {
        return Err(wrong());
    }
    let digits: String = code.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '‐' | '–')).collect();
    let digits = Zeroizing::new(digits);
    if digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit()) { Ok(digits) } else { Err(wrong()) }
}

pub(in crate::domain) fn attempts_left(ctx: &Ctx, challenge: &email_codes::Model) -> u32 {
    ctx.settings.limits.code_tries.saturating_sub(u32::try_from(challenge.attempts).unwrap_or(u32::MAX))
}

/// The fixed code of a test address, if it has not expired and the user's role is USER at most.
fn test_code(ctx: &Ctx, email: &EmailAddress, lookup: &LoginLookup, now: DateTime<Utc>) -> Option<SecretString> {
    let is_allowed = lookup.role.unwrap_or(ctx.settings.default_role) <= Role::User;
    ctx.settings.test_code(email.as_str(), now).filter(|_| is_allowed).map(|test| test.code.clone())
}

/// Draws uniformly distributed digits. Bytes from 250 up are skipped, because they would favor some digits.
pub(in crate::domain) fn draw_code(entropy: &dyn Entropy, length: usize) -> String {
    const FAIR: u8 = 250;
    let mut code = String::with_capacity(length);
    while code.len() < length {
        let bytes = vault::random::<16>(entropy);
        let fair = bytes.iter().filter(|byte| **byte < FAIR).map(|byte| char::from(b'0' + byte % 10));
        code.extend(fair.take(length - code.len()));
    }
    code
}

#[cfg(test)]
#[path = "uniformity_tests.rs"]
mod uniformity;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_dashes_in_a_code_are_ignored_and_all_else_is_refused() {
        for good in ["12345678", "1234 5678", " 1234-5678 ", "12 34 56 78", "1234–5678", "1234\u{a0}5678"] {
            assert_eq!(normalize(good, 8).unwrap().as_str(), "12345678");
        }
        for bad in ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨", "12345678\0", "+12345678", "1e345678"] {
            assert!(normalize(bad, 8).is_err(), "{bad:?}");
        }
        assert!(normalize(&" ".repeat(10_000), 8).is_err());
    }
}
