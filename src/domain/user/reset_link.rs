//! A link to set a new password, which an administrator sends. It is a sign-in link: the user signs in with it, and then
//! sets a password without the current one.

use serde_json::json;
use uuid::Uuid;

use super::{
    lock::{Locked, lock},
    manage::By,
    notice,
};
use crate::{
    db::entity::{UserStatus, users},
    domain::{
        Ctx, Wait,
        access::{Admin, Recent},
        audit::{self, Kind},
        mail::message::{Link, Message},
        rate_limit,
        sign_in::{challenge, link},
        transaction::Work,
    },
    email_address::EmailAddress,
    error::{Error, Result},
    limits::Rule,
};

/// Mails the link. Five statements and one limiter call. The rate limit is for the user, so that no administrator fills
/// a mailbox.
///
/// # Errors
/// [`Error::MethodDisabled`] without passwords, and [`Error::Invalid`] if the user is not active.
pub async fn send(ctx: &Ctx, admin: Recent<Admin<'_>>, id: Uuid) -> Result<Result<users::Model, Wait>> {
    if !ctx.settings.methods.password {
        return Err(Error::MethodDisabled);
    }
    let now = ctx.now();
    if let Some(wait) = rate_limit::take(ctx, admin.origin(), Rule::ResetPerson, id.to_string(), now).await? {
        return Ok(Err(wait));
    }
    let by = By::Admin(admin);
    let work = Work::begin(ctx).await?;
    let Locked { before: user, .. } = lock(ctx, &work, by, id, None).await?;
    if user.status != UserStatus::Active {
        return Err(Error::invalid("id", "This user can't sign in. Restore them first."));
    }
    let email = EmailAddress::parse(&user.email)
        .map_err(|_| Error::Internal(format!("user {} has no valid email address", user.id)))?;
    let key = challenge::address_key(ctx, email.as_str()).newest;
    let link = link::issue(ctx, &*work, &key, &email, true, now).await?;
    let message = Message::ResetLink(Link(link.url));
    notice::send(ctx, &*work, &user, message, None, now, link.expires_at).await?;
    audit::record(ctx, &work, now, &[by.event(Kind::PasswordResetSent, id, json!({}))]).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Ok(user))
}
