//! The one path of an attempt with a mailed code: charge the network, count, compare. What a right code then allows is
//! up to the caller.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::{
    challenge::{self, Aim, Counted, HANDLE_BYTES, Purpose, Try},
    email_code, send_limit,
};
use crate::{
    domain::{
        Ctx, Wait,
        access::{Origin, Person},
        audit::{self, Event, Kind},
        vault,
    },
    error::Result,
    limits::Rule,
};

/// A handle and a code as a caller presents them.
pub(in crate::domain) struct Presented<'a> {
    pub handle: &'a str,
    pub code: &'a str,
    /// What the code is to be used for. Codes of other purposes are as unknown as any.
    pub purposes: &'a [Purpose],
}

/// The outcome of an attempt.
pub(in crate::domain) enum Tried {
    /// The code is right. It is not consumed yet.
    Right(Box<Try>),
    /// The code is wrong, and the attempt was counted.
    Wrong { attempts_left: u32 },
    /// Expired, used, out of attempts or unknown.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Tries a code. Three statements and one limiter call; one more call if the challenge is expired, used or unknown.
pub(in crate::domain) async fn try_code(
    ctx: &Ctx,
    origin: &Origin,
    caller: Option<Person<'_>>,
    presented: Presented<'_>,
    now: DateTime<Utc>,
) -> Result<Tried> {
    let code = email_code::normalize(presented.code, ctx.settings.limits.code_length)?;
    let Some(handle) = vault::decode::<HANDLE_BYTES>(presented.handle) else {
        return missed(ctx, origin, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, origin, now).await? {
        return Ok(Tried::Wait(wait));
    }
    let aim = Aim { purposes: presented.purposes, handle_hash: &vault::sha256(&*handle) };
    let attempt = match challenge::count_try(ctx, origin, aim, now).await? {
        Counted::Yes(attempt) => attempt,
        Counted::Dead => return missed(ctx, origin, now).await,
        Counted::Spent { wait, key } => {
            let window = ctx.settings.limits.quota(Rule::GuessAccount).window;
            audit::record_refusal(ctx, now, origin, Rule::GuessAccount.name(), &key, window).await?;
            return Ok(Tried::Wait(wait));
        }
    };
    if challenge::is_right(ctx, &attempt, &handle, &code, now) {
        return Ok(Tried::Right(attempt));
    }
    record_wrong(ctx, origin, caller, &attempt, now).await?;
    Ok(Tried::Wrong { attempts_left: email_code::attempts_left(ctx, &attempt.challenge) })
}

async fn missed(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Tried> {
    let refused = send_limit::take_miss(ctx, origin, now).await?;
    Ok(refused.map_or(Tried::Expired, Tried::Wait))
}

async fn record_wrong(
    ctx: &Ctx,
    origin: &Origin,
    caller: Option<Person<'_>>,
    attempt: &Try,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = &attempt.challenge;
    let mut detail = json!({ "challenge": row.id, "attempt": row.attempts });
    let event = if let Some(person) = caller {
        Event::own(Kind::WrongCode, person, detail)
    } else {
        detail[audit::ADDRESS_LABEL] = ctx.vault.address_label(&row.email).into();
        let (origin, email) = (Some(origin), Some(row.email.as_str()));
        Event { kind: Kind::WrongCode, origin, actor: None, subject: None, detail, email }
    };
    audit::record_alone(ctx, now, event).await
}
