//! Sign-in: what all methods share, from a proven email address to a session. `email_code.rs` has one-time codes and
//! `link.rs` has sign-in links.

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
    user::{self, Admitted, Proved, notice},
};
use crate::{email_address::EmailAddress, error::Result};

/// A proven email address. Its code or link was consumed in the transaction that [`finish`] continues.
struct Proof {
    credential_id: Uuid,
    /// `otp` or `link`.
    method: &'static str,
    email: EmailAddress,
    /// The known device that requested the code.
    device_id: Option<Uuid>,
    /// Whether a fixed test code was used.
    fixed: bool,
    locale: Option<String>,
}

/// A completed sign-in.
pub struct Completed {
    /// The user and their new session.
    pub signed_in: SignedIn,
    /// Whether this sign-in created the account.
    pub is_new_user: bool,
    /// The first refresh token.
    pub refresh_token: RefreshToken,
    /// The token to present at the device's next `login`.
    pub device_token: SecretString,
}

/// The outcome of presenting a code or a link.
pub enum Outcome {
    /// Signed in.
    SignedIn(Box<Completed>),
    /// The code is wrong, and the attempt was counted.
    Wrong {
        /// Remaining attempts for the challenge.
        attempts_left: u32,
    },
    /// Expired, used, out of attempts or unknown. Callers cannot tell these apart.
    Expired,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Charges an attempt with an expired, used or unknown code or link.
async fn missed(ctx: &Ctx, viewer: &Viewer, now: DateTime<Utc>) -> Result<Outcome> {
    let refused = send_limit::take_miss(ctx, &viewer.origin, now).await?;
    Ok(refused.map_or(Outcome::Expired, Outcome::Wait))
}

/// Records an [`Outcome::Expired`] in the audit trail and returns the outcome. If the write fails, the attempt stays
/// counted in memory and is written later.
async fn record_if_expired(ctx: &Ctx, viewer: &Viewer, method: &'static str, outcome: Outcome) -> Outcome {
    if matches!(outcome, Outcome::Expired)
        && let Err(error) = audit::record_expired(ctx, &viewer.origin, method).await
    {
        tracing::warn!(%error, "could not yet record an attempt with an expired or unknown code");
    }
    outcome
}

/// Completes a sign-in in the caller's transaction: user, device, session and audit events. Queues a mail if a
/// returning user has a new device. If the same user is already signed in, the new session replaces the old one. `None`
/// if sign-in with this address is no longer allowed.
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
    let Some(Admitted { user, is_new: is_new_user, was_here }) = admitted else {
        return Ok(None);
    };
    let device = device::remember(ctx, &**work, user.id, proof.device_id, origin, now).await?;
    let opening = Opening { credential_id: proof.credential_id, method: proof.method, device_id: device.id, origin };
    let (session, refresh_token) = session::open(ctx, &**work, &user, opening, now).await?;

    let subject = Some(user.id);
    let detail = json!({ "session": session.id, "device": device.id, "method": proof.method });
    let email = Some(user.email.as_str());
    let event = |kind, detail| Event { kind, origin: Some(origin), actor: subject, subject, detail, email };
    let mut events = vec![event(if is_new_user { Kind::SignedUp } else { Kind::SignedIn }, detail)];
    if proof.fixed {
        events.push(event(Kind::TestCodeUsed, json!({ "session": session.id })));
    }
    if let Some(former) = viewer.signed_in.as_ref().filter(|former| former.user.id == user.id)
        && session::replace(&**work, former.session.id, now).await?
    {
        events.push(event(Kind::SessionEnded, json!({ "session": former.session.id, "reason": "REPLACED" })));
    }
    audit::record(ctx, work, now, &events).await?;
    if was_here && device.is_new && !proof.fixed {
        notice::queue(ctx, &**work, &user, Message::NewDevice, Some(origin), now).await?;
    }
    let signed_in = SignedIn { user, session };
    Ok(Some(Completed { signed_in, is_new_user, refresh_token, device_token: device.token }))
}
