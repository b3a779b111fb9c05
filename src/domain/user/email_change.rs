//! Changes a user's own email address. A code sent to the new address proves it, and a notice to the old address
//! contains an undo link; see `email_change/undo.rs`. The responses do not reveal whether another account has the new
//! address.

pub mod undo;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{
    lock::lock_own,
    manage::{next, write},
    may_sign_up, notice,
};
use crate::{
    db::{
        self,
        entity::{email_changes, email_codes, users},
    },
    domain::{
        Ctx, Wait,
        access::{Member, Origin, Recent},
        audit::{self, Event, Kind},
        batch,
        mail::{
            message::{self, Message},
            outbox::{self, Letter},
            template::Locale,
        },
        session::{self, EndReason},
        sign_in::{
            attempt::{self, Presented, Tried},
            challenge::{self, Fresh, HANDLE_BYTES, NewCode, Purpose, Try},
            code_request::{self, CodeSent, Resent},
            email_code,
            send_limit::{self, Sender},
        },
        transaction::Work,
        vault,
    },
    email_address::{EmailAddress, InvalidEmail},
    error::{Error, Result},
    limits::EMAIL_CHANGE_UNDO,
    settings::SignUp,
};

const TOKEN_BYTES: usize = 32;

/// The outcome of a request for a code.
pub enum Requested {
    /// A code is sent, unless another account has this address.
    Sent(CodeSent),
    /// The address cannot be used.
    Invalid(Unusable),
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Why an address cannot become the user's new address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Not a valid email address.
    Invalid(InvalidEmail),
    /// The user already has this address.
    Own,
    /// The sign-up policy does not allow its domain.
    ForeignDomain,
}

/// Mails a code to the new address. Four statements and one limiter call. The mail is in `locale`, else in the language
/// of the account, else in `accepted`.
pub async fn request(
    ctx: &Ctx,
    member: Recent<Member<'_>>,
    email: &str,
    locale: Option<&str>,
    accepted: Option<Locale>,
) -> Result<Requested> {
    let email = match parse_new_email(ctx, *member, email) {
        Ok(email) => email,
        Err(reason) => return Ok(Requested::Invalid(reason)),
    };
    let (user, origin, now) = (member.user(), member.origin(), ctx.now());
    let address_key = challenge::address_key(ctx, email.as_str());
    let taken = is_taken(ctx, &email).await?;
    let pair_is_spent = match take_send(ctx, origin, &email, taken, now).await? {
        Ok(pair_is_spent) => pair_is_spent,
        Err(wait) => return Ok(Requested::Wait(wait)),
    };
    let code = draw_code(ctx);
    let work = Work::begin(ctx).await?;
    let fresh = Fresh {
        purpose: Purpose::ChangeEmail(user.id),
        email: &email,
        address_key: &address_key,
        device_id: None,
        fixed: false,
        locale: None,
        remember: true,
        registration: None,
    };
    let (challenge, handle) = challenge::issue(ctx, &*work, fresh, &code, now).await?;
    let locale = match (locale.or(user.locale.as_deref()), accepted) {
        (None, Some(accepted)) => accepted,
        (tag, _) => Locale::negotiate(tag),
    };
    mail_code(ctx, &work, origin, &challenge, Mail { code, locale, deliver: !taken }, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Requested::Sent(code_request::sent(ctx, &challenge, handle, email, pair_is_spent, now)))
}

/// Mails another code for a live challenge. Six statements and one limiter call.
pub(in crate::domain) async fn resend(
    ctx: &Ctx,
    origin: &Origin,
    handle: &[u8; HANDLE_BYTES],
    live: &email_codes::Model,
    now: DateTime<Utc>,
) -> Result<Resent> {
    let (Some(user_id), Ok(email)) = (live.user_id, EmailAddress::parse(&live.email)) else {
        return Ok(Resent::Expired);
    };
    let taken = is_taken(ctx, &email).await?;
    let user = users::Entity::find_by_id(user_id).one(ctx.db.read()).await?;
    let pair_is_spent = match take_send(ctx, origin, &email, taken, now).await? {
        Ok(pair_is_spent) => pair_is_spent,
        Err(wait) => return Ok(Resent::Wait(wait)),
    };
    let code = draw_code(ctx);
    let work = Work::begin(ctx).await?;
    let hash = challenge::code_hash(ctx, handle, &email, Purpose::ChangeEmail(user_id), &code);
    let Some(challenge) = challenge::add_code(ctx, &*work, live.id, NewCode { hash, fixed: false }, now).await? else {
        return Ok(Resent::Expired);
    };
    let locale = Locale::negotiate(user.as_ref().and_then(|user| user.locale.as_deref()));
    mail_code(ctx, &work, origin, &challenge, Mail { code, locale, deliver: !taken }, now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Resent::Sent(code_request::sent(ctx, &challenge, vault::encode(handle), email, pair_is_spent, now)))
}

fn draw_code(ctx: &Ctx) -> SecretString {
    email_code::draw_code(&*ctx.entropy, ctx.settings.limits.code_length).into()
}

/// Charges a mail; whether the address and network may send no other for now.
async fn take_send(
    ctx: &Ctx,
    origin: &Origin,
    email: &EmailAddress,
    taken: bool,
    now: DateTime<Utc>,
) -> Result<Result<bool, Wait>> {
    let sender = Sender { origin, email, device: None, has_link: true, is_mail: !taken, is_test: false };
    Ok(send_limit::take_send(ctx, &sender, now).await?.map(|granted| granted.pair_is_spent))
}

/// A code about to be mailed.
struct Mail {
    code: SecretString,
    locale: Locale,
    deliver: bool,
}

async fn mail_code(
    ctx: &Ctx,
    work: &Work,
    origin: &Origin,
    challenge: &email_codes::Model,
    mail: Mail,
    now: DateTime<Utc>,
) -> Result<()> {
    let letter = Letter {
        to: &challenge.email,
        message: Message::EmailCode(message::Code(mail.code)),
        locale: mail.locale,
        origin: Some(origin),
        expires_at: challenge.expires_at,
        deliver: mail.deliver,
    };
    outbox::enqueue(ctx, &**work, letter, now).await?;
    let detail = json!({ "challenge": challenge.id, "address": vault::label(&challenge.address_key) });
    let (kind, user) = (Kind::EmailChangeRequested, challenge.user_id);
    let event = Event { kind, origin: Some(origin), actor: user, subject: user, detail, email: None };
    audit::record(ctx, work, now, &[event]).await
}

/// Parses the new address. The sign-up policy's domains also apply to existing users.
fn parse_new_email(ctx: &Ctx, member: Member<'_>, email: &str) -> Result<EmailAddress, Unusable> {
    let email = EmailAddress::parse(email).map_err(Unusable::Invalid)?;
    if email.as_str() == member.user().email {
        return Err(Unusable::Own);
    }
    let policy = &ctx.settings.signup;
    if matches!(policy, SignUp::Domains(_)) && !may_sign_up(policy, &email) {
        return Err(Unusable::ForeignDomain);
    }
    Ok(email)
}

async fn is_taken(ctx: &Ctx, email: &EmailAddress) -> Result<bool> {
    let holder = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(ctx.db.read()).await?;
    Ok(holder.is_some())
}

/// The outcome of a confirmation.
pub enum Confirmed {
    /// The address was changed.
    Changed(Box<users::Model>),
    /// The code is wrong, and the attempt was counted.
    Wrong {
        /// Remaining attempts for the challenge.
        attempts_left: u32,
    },
    /// The code is expired, used, out of attempts or unknown.
    Expired,
    /// Another account has the address.
    Taken,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Changes the address if the code is right, and ends all other sessions of the user.
pub async fn confirm(ctx: &Ctx, member: Member<'_>, handle: &str, code: &str) -> Result<Confirmed> {
    let now = ctx.now();
    let presented = Presented { handle, code, purposes: &[Purpose::ChangeEmail(member.user().id)] };
    match attempt::try_code(ctx, member.origin(), Some(*member), presented, now).await? {
        Tried::Right(attempt) => change(ctx, member, &attempt, now).await,
        Tried::Wrong { attempts_left } => Ok(Confirmed::Wrong { attempts_left }),
        Tried::Expired => Ok(Confirmed::Expired),
        Tried::Wait(wait) => Ok(Confirmed::Wait(wait)),
    }
}

/// Consumes the code and changes the address in one transaction.
async fn change(ctx: &Ctx, member: Member<'_>, attempt: &Try, now: DateTime<Utc>) -> Result<Confirmed> {
    let work = Work::begin(ctx).await?;
    // Lock the user first, in the same order as an undo or a sign-out.
    let before = lock_own(&work, member).await?;
    if !challenge::consume(&*work, attempt, now).await? {
        return Ok(Confirmed::Expired);
    }
    let after = users::Model { email: attempt.challenge.email.clone(), ..next(&before, now) };
    match write(&*work, &after).await {
        Err(Error::Conflict) => return taken(ctx, work, attempt, now).await,
        written => written?,
    }
    let ended = session::end_all_but(&*work, member.session(), EndReason::EmailChanged, now).await?;
    let detail = json!({ "email": [before.email, after.email], "sessions": ended });
    audit::record(ctx, &work, now, &[Event::own(Kind::EmailChanged, *member, detail)]).await?;
    // No setting turns this notice off: without it, a stolen session would be enough to steal the account.
    let undo = message::Undo(undoable(ctx, &work, &before, &after, now).await?);
    let (message, origin) = (Message::EmailChanged(undo), Some(member.origin()));
    notice::send(ctx, &*work, &before, message, origin, now, now + EMAIL_CHANGE_UNDO).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Confirmed::Changed(Box::new(after)))
}

/// Consumes the code again after the address turned out to be taken, because the rollback undid the first time.
async fn taken(ctx: &Ctx, failed: Work, attempt: &Try, now: DateTime<Utc>) -> Result<Confirmed> {
    drop(failed);
    challenge::consume(ctx.db.write(), attempt, now).await?;
    Ok(Confirmed::Taken)
}

/// Stores a change so that it can be undone. Returns the undo URL.
async fn undoable(
    ctx: &Ctx,
    work: &Work,
    before: &users::Model,
    after: &users::Model,
    now: DateTime<Utc>,
) -> Result<SecretString> {
    let token = vault::random::<TOKEN_BYTES>(&*ctx.entropy);
    let change = email_changes::Model {
        id: ctx.new_id(now),
        user_id: before.id,
        old_email: before.email.clone(),
        new_email: after.email.clone(),
        token_hash: vault::sha256(&*token),
        created_at: now,
        expires_at: now + EMAIL_CHANGE_UNDO,
        undone_at: None,
    };
    db::insert(&**work, change).await?;
    Ok(vault::link(ctx.settings.issuer(), "undo", &*token))
}

pub(super) async fn of(ctx: &Ctx, user_id: Uuid) -> Result<Vec<email_changes::Model>> {
    let theirs = email_changes::Entity::find().filter(email_changes::Column::UserId.eq(user_id));
    Ok(theirs.all(ctx.db.read()).await?)
}

/// Deletes changes that can no longer be undone.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM email_changes WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM email_changes", old, &[now.into()]).await
}
