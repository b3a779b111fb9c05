//! One-time codes by email. A code is compared only after its attempt was counted. `code_request.rs` sends them.

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::{
    Outcome, Proof, Subject,
    attempt::{self, Presented, Tried},
    challenge::{self, Purpose, Try},
    finish, record_if_expired,
};
use crate::{
    db::entity::{Method, email_codes},
    domain::{Ctx, access::Viewer, credential::password::Registration, transaction::Work, vault},
    email_address::EmailAddress,
    error::{Error, Result},
    ports::Entropy,
};

/// Signs in with a code, or completes a registration. At most eight statements and one limiter call. One more statement
/// for a first password and one for the mail about a new device, two more to replace a session; one more limiter call
/// if the challenge is expired, used or unknown.
pub async fn verify(ctx: &Ctx, viewer: &Viewer, handle: &str, code: &str) -> Result<Outcome> {
    let now = ctx.now();
    let presented = Presented { handle, code, purposes: &[Purpose::SignIn, Purpose::Register] };
    let outcome = match attempt::try_code(ctx, &viewer.origin, None, presented, now).await? {
        Tried::Right(attempt) => sign_in(ctx, viewer, &attempt, now).await?,
        Tried::Wrong { attempts_left } => Outcome::Wrong { attempts_left },
        Tried::Expired => Outcome::Expired,
        Tried::Wait(wait) => Outcome::Wait(wait),
    };
    Ok(record_if_expired(ctx, viewer, Method::EmailCode, outcome).await)
}

/// Consumes the code and opens a session in one transaction.
async fn sign_in(ctx: &Ctx, viewer: &Viewer, attempt: &Try, now: DateTime<Utc>) -> Result<Outcome> {
    let work = Work::begin(ctx).await?;
    if !challenge::consume(&*work, attempt, now).await? {
        return Ok(Outcome::Expired);
    }
    let completed = finish(ctx, &work, viewer, proof(ctx, attempt)?, now).await?;
    work.commit(ctx).await?;
    Ok(completed.map_or(Outcome::Expired, |completed| Outcome::SignedIn(Box::new(completed))))
}

/// What a consumed code proves. A fixed code proves no mailbox, so no password comes with it.
pub(super) fn proof(ctx: &Ctx, attempt: &Try) -> Result<Proof> {
    let row = &attempt.challenge;
    let email = EmailAddress::parse(&row.email)
        .map_err(|_| Error::Internal(format!("challenge {} has no valid email address", row.id)))?;
    let sealed = row.sealed.as_deref().filter(|_| !row.fixed);
    let registration = sealed.map(|sealed| Registration::open(ctx, row.id, sealed)).transpose()?;
    Ok(Proof {
        subject: Subject::Mailbox { email, fixed: row.fixed, locale: row.locale.clone(), registration },
        method: Method::EmailCode,
        id: row.id,
        device_id: row.device_id,
        remember: row.remember,
        is_announced: false,
    })
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
