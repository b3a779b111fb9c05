//! What every way of signing in shares: the proof it must bring, and the way from a proof to a session.
//! One-time codes and sign-in links stand beside each other in their own files.

mod budget;
pub mod challenge;
pub mod email_code;
pub mod link;
pub mod send_limit;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Ctx, Wait,
    access::{SignedIn, Viewer},
    audit::{self, Event, Kind},
    device,
    mail::message::Message,
    session::{self, Opening, refresh::RefreshToken},
    transaction::Work,
    user::{self, Admitted, Proved},
};
use crate::{email_address::EmailAddress, error::Result};

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
    /// The language that was asked for.
    locale: Option<String>,
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

/// What was presented is over or never was.
async fn missed(ctx: &Ctx, viewer: &Viewer, now: DateTime<Utc>) -> Result<Outcome> {
    let refused = send_limit::take_miss(ctx, &viewer.origin, now).await?;
    Ok(refused.map_or(Outcome::Expired, Outcome::Wait))
}

/// An outcome on its way out: whoever watches the trail sees what was tried in vain. When that cannot be written now, it
/// stays counted and is written later.
async fn told(ctx: &Ctx, viewer: &Viewer, method: &'static str, outcome: Outcome) -> Outcome {
    if matches!(outcome, Outcome::Expired)
        && let Err(error) = audit::record_expired(ctx, &viewer.origin, method).await
    {
        tracing::warn!(%error, "a try in vain is not in the trail yet");
    }
    outcome
}

/// From a proof to a session, in the caller's transaction: person, device, session, audit trail, and a mail about a device
/// that is new to somebody who was here before. `None` when nobody may
/// sign in with this address any more. A session that the same person came with ends in favour of the new one.
async fn finish(
    ctx: &Ctx,
    work: &Work,
    viewer: &Viewer,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<Option<Completed>> {
    let origin = &viewer.origin;
    let proved = Proved { email: &proof.email, fixed: proof.fixed, locale: proof.locale.as_deref() };
    let admitted = user::admit(ctx, &**work, proved, now).await?;
    let Some(Admitted { user: person, is_new: is_new_user, was_here }) = admitted else {
        return Ok(None);
    };
    let device = device::remember(ctx, &**work, person.id, proof.device_id, origin, now).await?;
    let opening = Opening { credential_id: proof.credential_id, method: proof.method, device_id: device.id, origin };
    let (session, refresh_token) = session::open(ctx, &**work, &person, opening, now).await?;

    let subject = Some(person.id);
    let detail = json!({ "session": session.id, "device": device.id, "method": proof.method });
    let email = Some(person.email.as_str());
    let event = |kind, detail| Event { kind, origin: Some(origin), actor: subject, subject, detail, email };
    let mut events = vec![event(if is_new_user { Kind::SignedUp } else { Kind::SignedIn }, detail)];
    if proof.fixed {
        events.push(event(Kind::TestCodeUsed, json!({ "session": session.id })));
    }
    if let Some(former) = viewer.signed_in.as_ref().filter(|former| former.user.id == person.id)
        && session::replace(&**work, former.session.id, now).await?
    {
        events.push(event(Kind::SessionEnded, json!({ "session": former.session.id, "reason": "REPLACED" })));
    }
    audit::record(ctx, work, now, &events).await?;
    if was_here && device.is_new && !proof.fixed {
        user::notice::queue(ctx, &**work, &person, Message::NewDevice, Some(origin), now).await?;
    }
    let signed_in = SignedIn { user: person, session };
    Ok(Some(Completed { signed_in, is_new_user, refresh_token, device_token: device.token }))
}
