//! Sign-in: what all methods share, from a proven email address to a session. `email_code.rs` has one-time codes and
//! `link.rs` has sign-in links.

pub(in crate::domain) mod attempt;
pub(in crate::domain) mod budget;
pub mod challenge;
pub mod code_request;
pub mod email_code;
pub mod link;
pub mod password;
pub mod register;
pub mod reset;
pub mod send_limit;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    Ctx, Wait,
    access::{SignedIn, Viewer},
    audit::{self, Event, Kind},
    credential::password::{self as credential, Compared, Registration},
    device,
    mail::message::Message,
    session::{self, Opening, disown, refresh::RefreshToken},
    transaction::Work,
    user::{self, Admitted, Proved, notice},
};
use crate::{db::entity::Method, email_address::EmailAddress, error::Result};

/// What a method returns after it consumed its credential in the transaction that [`finish`] continues.
pub(in crate::domain) struct Proof {
    pub subject: Subject,
    pub method: Method,
    /// The code, link or attempt that was consumed. It opens one session at most.
    pub id: Uuid,
    /// The known device that signs in.
    pub device_id: Option<Uuid>,
    /// Whether the user asks to stay signed in.
    pub remember: bool,
    /// Whether the caller announces the sign-in by a mail of its own.
    pub is_announced: bool,
}

/// Who proved their identity.
pub(in crate::domain) enum Subject {
    /// The reader of a mailbox, who may have no account yet.
    Mailbox {
        email: EmailAddress,
        /// Whether a fixed test code was used.
        fixed: bool,
        locale: Option<String>,
        /// The password and name for a new account. An account that exists keeps its own.
        registration: Option<Registration>,
    },
    /// A user who knows the password of this version.
    Password(Compared),
}

/// A completed sign-in.
pub struct Completed {
    /// The user and their new session.
    pub signed_in: SignedIn,
    /// Whether this sign-in created the account.
    pub is_new_user: bool,
    /// How the user signed in.
    pub method: Method,
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
async fn record_if_expired(ctx: &Ctx, viewer: &Viewer, method: Method, outcome: Outcome) -> Outcome {
    if matches!(outcome, Outcome::Expired)
        && let Err(error) = audit::record_expired(ctx, &viewer.origin, method).await
    {
        tracing::warn!(%error, "could not yet record an attempt with an expired or unknown code");
    }
    outcome
}

/// Completes a sign-in in the caller's transaction: user, device, session and audit events. Queues a mail if a
/// returning user has a new device. If the same user is already signed in, the new session replaces the old one. `None`
/// if this subject may no longer sign in.
pub(in crate::domain) async fn finish(
    ctx: &Ctx,
    work: &Work,
    viewer: &Viewer,
    proof: Proof,
    now: DateTime<Utc>,
) -> Result<Option<Completed>> {
    let origin = &viewer.origin;
    let Proof { subject, method, id, device_id, remember, is_announced } = proof;
    let Some(Admitted { user, is_new, was_here }) = admit(ctx, work, &subject, now).await? else {
        return Ok(None);
    };
    let device = device::remember(ctx, &**work, user.id, device_id, origin, now).await?;
    let opening = Opening { proof_id: id, method, remember, device_id: device.id, origin };
    let (session, refresh_token) = session::open(ctx, &**work, &user, opening, now).await?;

    let detail = json!({ "session": session.id, "device": device.id, "method": method.amr() });
    let (actor, email) = (Some(user.id), Some(user.email.as_str()));
    let event = |kind, detail| Event { kind, origin: Some(origin), actor, subject: actor, detail, email };
    let mut events = vec![event(if is_new { Kind::SignedUp } else { Kind::SignedIn }, detail)];
    let fixed = matches!(subject, Subject::Mailbox { fixed: true, .. });
    if fixed {
        events.push(event(Kind::TestCodeUsed, json!({ "session": session.id })));
    }
    if let Some(former) = viewer.session().filter(|former| former.user.id == user.id)
        && session::replace(&**work, former.session.id, now).await?
    {
        events.push(event(Kind::SessionEnded, json!({ "session": former.session.id, "reason": "REPLACED" })));
    }
    audit::record(ctx, work, now, &events).await?;
    if was_here && device.is_new && !fixed && !is_announced {
        let disown = disown::link(ctx, &session, now);
        notice::queue(ctx, &**work, &user, Message::NewDevice(disown), Some(origin), now).await?;
    }
    let signed_in = SignedIn { user, session };
    Ok(Some(Completed { signed_in, is_new_user: is_new, method, refresh_token, device_token: device.token }))
}

/// Finds or creates the user behind a proof. A new account gets the password it registered with.
async fn admit(ctx: &Ctx, work: &Work, subject: &Subject, now: DateTime<Utc>) -> Result<Option<Admitted>> {
    match subject {
        Subject::Mailbox { email, fixed, locale, registration } => {
            let name = registration.as_ref().and_then(Registration::name);
            let proved = Proved { email, fixed: *fixed, locale: locale.as_deref(), name };
            let admitted = user::admit(ctx, &**work, proved, now).await?;
            if let (Some(Admitted { user, is_new: true, .. }), Some(registration)) = (&admitted, registration) {
                credential::store(ctx, &**work, user.id, registration.hash(), now).await?;
            }
            Ok(admitted)
        }
        Subject::Password(compared) => {
            let admitted = user::admit_again(ctx, &**work, compared.user_id(), now).await?;
            // Under the user's lock: a reset that came first has changed the version.
            let is_current = admitted.is_some() && compared.is_current(&**work).await?;
            Ok(admitted.filter(|_| is_current))
        }
    }
}
