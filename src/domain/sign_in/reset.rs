//! Resetting a password with a mailed code. It ends every session, forgets every device, voids what is pending for the
//! account, and signs the caller in.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use serde_json::json;

use super::{
    Completed,
    attempt::{self, Presented, Tried},
    challenge::{self, HANDLE_BYTES, Purpose, Try},
    email_code, finish,
};
use crate::{
    db::entity::{UserStatus, users},
    domain::{
        Ctx, Wait,
        access::Viewer,
        audit::{self, Event, Kind},
        credential::password::{
            self,
            hasher::Hash,
            policy::{Password, Weakness},
            weaknesses,
        },
        mail::message::Message,
        session::{EndReason, disown},
        transaction::Work,
        user::{notice, take_back},
        vault,
    },
    email_address::EmailAddress,
    error::Result,
    limits::network,
};

/// A code with a new password.
pub struct Reset<'a> {
    /// The challenge handle.
    pub handle: &'a str,
    /// The code as typed.
    pub code: &'a str,
    /// The new password.
    pub password: Password,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
}

/// The outcome of a reset.
pub enum Outcome {
    /// The password is set, and the caller is signed in.
    SignedIn(Box<Completed>),
    /// The password is refused. No attempt was counted.
    Weak(Vec<Weakness>),
    /// The code is wrong, and the attempt was counted.
    Wrong {
        /// Remaining attempts for the challenge.
        attempts_left: u32,
    },
    /// Expired, used, out of attempts or unknown.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Sets a new password with a code.
///
/// # Errors
/// [`crate::error::Error::Unavailable`] if too many passwords are being hashed.
pub async fn reset(ctx: &Ctx, viewer: &Viewer, reset: Reset<'_>) -> Result<Outcome> {
    let (origin, now) = (&viewer.origin, ctx.now());
    let handle = vault::decode::<HANDLE_BYTES>(reset.handle);
    let row = match &handle {
        Some(handle) => challenge::find_live(ctx, &vault::sha256(&**handle), now).await?,
        None => None,
    };
    let row = row.filter(|row| Purpose::of(row) == Some(Purpose::ResetPassword));
    let email = row.as_ref().and_then(|row| EmailAddress::parse(&row.email).ok());
    let is_known = row.is_some_and(|row| row.device_id.is_some());
    let turn = ctx.hasher.enter(&network(origin.ip, 64), is_known).await?;
    let slot = ctx.hasher.slot(turn).await?;
    let (weaknesses, slot) = weaknesses(ctx, slot, &reset.password, email.as_ref(), None).await?;
    if !weaknesses.is_empty() {
        return Ok(Outcome::Weak(weaknesses));
    }
    let presented = Presented { handle: reset.handle, code: reset.code, purposes: &[Purpose::ResetPassword] };
    match attempt::try_code(ctx, origin, None, presented, now).await? {
        Tried::Right(attempt) => {
            let (hash, _) = ctx.hasher.hash(slot, reset.password, &*ctx.entropy).await?;
            let completed = replace(ctx, viewer, &attempt, &hash, reset.remember).await?;
            Ok(completed.map_or(Outcome::Expired, |completed| Outcome::SignedIn(Box::new(completed))))
        }
        Tried::Wrong { attempts_left } => Ok(Outcome::Wrong { attempts_left }),
        Tried::Expired => Ok(Outcome::Expired),
        Tried::Wait(wait) => Ok(Outcome::Wait(wait)),
    }
}

/// Consumes the code, stores the new password and opens a session, in one transaction. `None` if the code was used or
/// the user may not sign in.
async fn replace(ctx: &Ctx, viewer: &Viewer, attempt: &Try, hash: &Hash, remember: bool) -> Result<Option<Completed>> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    if !challenge::consume(&*work, attempt, now).await? {
        return Ok(None);
    }
    let user = users::Entity::find()
        .filter(users::Column::Email.eq(&*attempt.challenge.email))
        .filter(users::Column::Status.eq(UserStatus::Active))
        .lock_exclusive();
    let Some(user) = user.one(&*work).await? else {
        work.commit(ctx).await?;
        return Ok(None);
    };
    let ended = take_back::end_access(ctx, &work, &user, EndReason::PasswordReset, now).await?;
    password::store(ctx, &*work, user.id, hash, now).await?;
    let mut proof = email_code::proof(ctx, attempt)?;
    (proof.remember, proof.is_announced) = (remember, true);
    let Some(completed) = finish(ctx, &work, viewer, proof, now).await? else { return Ok(None) };
    let subject = Some(user.id);
    let detail = json!({ "sessions": ended, "session": completed.signed_in.session.id });
    let (origin, email) = (Some(&viewer.origin), Some(user.email.as_str()));
    let event = Event { kind: Kind::PasswordReset, origin, actor: subject, subject, detail, email };
    audit::record(ctx, &work, now, &[event]).await?;
    let message = Message::PasswordChanged(disown::link(ctx, &completed.signed_in.session, now));
    notice::queue(ctx, &*work, &user, message, origin, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Some(completed))
}
