//! What every way of signing in shares: the proof it must bring, and the way from a proof to a session.
//! One-time codes and sign-in links stand beside each other in their own files.

pub mod allowance;
pub mod challenge;
pub mod email_code;
pub mod link;

use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Ctx, Result, Wait,
    audit::{self, Event, Kind},
    device,
    email_address::EmailAddress,
    policy::{SignedIn, Viewer},
    session::{self, Opening, refresh::RefreshToken},
    user,
};

/// A proof of an address that was just used up, in the transaction that `finish` goes on with.
struct Proof {
    /// The code's or link's id.
    credential_id: Uuid,
    /// `otp` or `link`.
    method: &'static str,
    /// Whose address.
    email: EmailAddress,
    /// The known device that asked.
    device_id: Option<Uuid>,
    /// Whether it was a fixed test code.
    fixed: bool,
}

/// A completed sign-in.
pub struct Completed {
    /// The person and their new session.
    pub signed_in: SignedIn,
    /// Whether this sign-in made the account.
    pub is_new_user: bool,
    /// The first refresh token.
    pub refresh_token: RefreshToken,
    /// What the device presents at its next `login`.
    pub device_token: SecretString,
}

/// What became of a code or a link.
pub enum Outcome {
    /// Signed in.
    SignedIn(Box<Completed>),
    /// Wrong, and counted.
    Wrong {
        /// Tries that the challenge still has.
        attempts_left: u32,
    },
    /// Expired, used, used up, or never existed: one answer.
    Expired,
    /// A limit refused; the answer says until when.
    Wait(Wait),
}

/// From a proof to a session, in the caller's transaction: person, device, session, audit trail. `None` when nobody may
/// sign in with this address any more. A session that the same person came with ends in favour of the new one.
async fn finish(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    viewer: &Viewer,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<Option<Completed>> {
    let origin = &viewer.origin;
    let Some((person, is_new_user)) = user::admit(ctx, db, &proof.email, now).await? else {
        return Ok(None);
    };
    let (device_id, device_token) = device::remember(ctx, db, person.id, proof.device_id, origin, now).await?;
    let opening = Opening { credential_id: proof.credential_id, method: proof.method, device_id, origin };
    let (session, refresh_token) = session::open(ctx, db, &person, opening, now).await?;

    let subject = Some(person.id);
    let detail = json!({ "session": session.id, "device": device_id, "method": proof.method });
    let event = |kind, detail| Event { kind, origin: Some(origin), actor: subject, subject, detail };
    let mut events = vec![event(if is_new_user { Kind::SignedUp } else { Kind::SignedIn }, detail)];
    if proof.fixed {
        events.push(event(Kind::TestCodeUsed, json!({ "session": session.id })));
    }
    if let Some(former) = viewer.signed_in.as_ref().filter(|former| former.user.id == person.id)
        && session::replace(db, former.session.id, now).await?
    {
        events.push(event(Kind::SessionEnded, json!({ "session": former.session.id, "reason": "REPLACED" })));
    }
    audit::record(ctx, db, now, &events).await?;
    let signed_in = SignedIn { user: person, session };
    Ok(Some(Completed { signed_in, is_new_user, refresh_token, device_token }))
}
