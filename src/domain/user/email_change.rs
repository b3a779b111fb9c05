//! Changing one's own address: a code to the new one proves it, a notice to the old one brings the way to undo it, which
//! is in `email_change/undo.rs`. Answers are the same whether or not somebody has the new address.

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
        entity::{email_changes, users},
    },
    domain::{
        Ctx, Wait,
        access::{Member, Recent},
        audit::{self, Event, Kind},
        batch,
        mail::{
            message::{self, Message},
            outbox::{self, Letter},
            template::Locale,
        },
        session::{self, EndReason},
        sign_in::{
            challenge::{self, Aim, Counted, Fresh, HANDLE_BYTES, Purpose, Try},
            email_code::{self, CodeSent},
            send_limit::{self, Sender},
        },
        transaction::Work,
        vault,
    },
    email_address::EmailAddress,
    error::{Error, Result},
    limits::{EMAIL_CHANGE_UNDO, Rule},
    settings::SignUp,
};

const TOKEN_BYTES: usize = 32;

/// What became of a request.
pub enum Requested {
    /// A code is on its way, unless somebody has this address.
    Sent(CodeSent),
    /// Not an address, or none that may be used here: the sentence says why.
    Invalid(String),
    /// A limit refused.
    Wait(Wait),
}

/// Mails a code to the address that somebody wants to have. Four statements and one call of the limiter.
pub async fn request(ctx: &Ctx, member: Recent<Member<'_>>, email: &str, locale: Option<&str>) -> Result<Requested> {
    let email = match wanted(ctx, *member, email) {
        Ok(email) => email,
        Err(sentence) => return Ok(Requested::Invalid(sentence)),
    };
    let (user, origin, now) = (member.user(), member.origin(), ctx.now());
    let address_key = challenge::address_key(ctx, email.as_str());
    let taken = is_taken(ctx, &email).await?;
    let sender = Sender { origin, email: &email, device: None, has_link: true, is_mail: !taken, is_test: false };
    let pair_is_spent = match send_limit::take_send(ctx, &sender, now).await? {
        Ok(granted) => granted.pair_is_spent,
        Err(wait) => return Ok(Requested::Wait(wait)),
    };
    let code = SecretString::from(email_code::draw_code(&*ctx.entropy, ctx.settings.limits.code_length));
    let work = Work::begin(ctx).await?;
    let fresh = Fresh {
        purpose: Purpose::ChangeEmail(user.id),
        email: &email,
        address_key: &address_key,
        device_id: None,
        fixed: false,
        locale: None,
    };
    let (challenge, handle) = challenge::issue(ctx, &*work, fresh, &code, now).await?;
    let letter = Letter {
        to: email.as_str(),
        message: Message::EmailCode(message::Code(code)),
        locale: Locale::negotiate(locale.or(user.locale.as_deref())),
        origin: Some(origin),
        expires_at: challenge.expires_at,
        deliver: !taken,
    };
    outbox::enqueue(ctx, &*work, letter, now).await?;
    let detail = json!({ "challenge": challenge.id, "address": vault::label(&address_key.newest) });
    audit::record(ctx, &work, now, &[Event::own(Kind::EmailChangeRequested, **member, detail)]).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Requested::Sent(email_code::sent(ctx, &challenge, handle, email, pair_is_spent, now)))
}

/// The address, if it may be had: the sign-up policy's domains hold for those who are in already.
fn wanted(ctx: &Ctx, member: Member<'_>, email: &str) -> Result<EmailAddress, String> {
    let email = EmailAddress::parse(email).map_err(|invalid| invalid.to_string())?;
    if email.as_str() == member.user().email {
        return Err("This is already your address.".to_owned());
    }
    let policy = &ctx.settings.signup;
    if matches!(policy, SignUp::Domains(_)) && !may_sign_up(policy, &email) {
        return Err("Addresses at this domain can't be used here.".to_owned());
    }
    Ok(email)
}

async fn is_taken(ctx: &Ctx, email: &EmailAddress) -> Result<bool> {
    let holder = users::Entity::find().filter(users::Column::Email.eq(email.as_str())).one(ctx.db.read()).await?;
    Ok(holder.is_some())
}

/// What became of a code.
pub enum Confirmed {
    /// The address is theirs.
    Changed(Box<users::Model>),
    /// Wrong, and counted.
    Wrong {
        /// Tries that the challenge still has.
        attempts_left: u32,
    },
    /// Expired, used, used up, or never existed.
    Expired,
    /// Somebody else has the address.
    Taken,
    /// A limit refused.
    Wait(Wait),
}

/// Changes the address with the code that proves it. Every other session of theirs ends.
pub async fn confirm(ctx: &Ctx, member: Member<'_>, handle: &str, code: &str) -> Result<Confirmed> {
    let code = email_code::normalize(code, ctx.settings.limits.code_length)?;
    let now = ctx.now();
    let Some(handle) = vault::decode::<HANDLE_BYTES>(handle) else {
        return missed(ctx, member, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, member.origin(), now).await? {
        return Ok(Confirmed::Wait(wait));
    }
    let purpose = Purpose::ChangeEmail(member.user().id);
    let aim = Aim { purpose, handle_hash: &vault::sha256(&*handle) };
    let attempt = match challenge::count_try(ctx, member.origin(), aim, now).await? {
        Counted::Yes(attempt) => attempt,
        Counted::Dead => return missed(ctx, member, now).await,
        Counted::Spent { wait, key } => {
            let window = ctx.settings.limits.quota(Rule::GuessAccount).window;
            audit::record_refusal(ctx, now, member.origin(), Rule::GuessAccount.name(), &key, window).await?;
            return Ok(Confirmed::Wait(wait));
        }
    };
    let row = &attempt.challenge;
    if !challenge::is_right(ctx, row, &*handle, &code, now) {
        let detail = json!({ "challenge": row.id, "attempt": row.attempts });
        audit::record_alone(ctx, now, Event::own(Kind::WrongCode, *member, detail)).await?;
        return Ok(Confirmed::Wrong { attempts_left: email_code::attempts_left(ctx, row) });
    }
    change(ctx, member, &attempt, now).await
}

async fn missed(ctx: &Ctx, member: Member<'_>, now: DateTime<Utc>) -> Result<Confirmed> {
    let refused = send_limit::take_miss(ctx, member.origin(), now).await?;
    Ok(refused.map_or(Confirmed::Expired, Confirmed::Wait))
}

/// From a right code to the new address, in one transaction with the code's single use.
async fn change(ctx: &Ctx, member: Member<'_>, attempt: &Try, now: DateTime<Utc>) -> Result<Confirmed> {
    let work = Work::begin(ctx).await?;
    // The person first: whoever takes the account back or signs them out meanwhile locks in the same order.
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
    // No setting switches this one off: without it a stolen session is a stolen account.
    let undo = message::Undo(undoable(ctx, &work, &before, &after, now).await?);
    let (message, origin) = (Message::EmailChanged(undo), Some(member.origin()));
    notice::send(ctx, &*work, &before, message, origin, now, now + EMAIL_CHANGE_UNDO).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Confirmed::Changed(Box::new(after)))
}

/// The code stays used although its address was taken in the meantime: what failed undid that, so it is done again.
async fn taken(ctx: &Ctx, failed: Work, attempt: &Try, now: DateTime<Utc>) -> Result<Confirmed> {
    drop(failed);
    challenge::consume(ctx.db.write(), attempt, now).await?;
    Ok(Confirmed::Taken)
}

/// Remembers a change so that it can be undone; the URL that does.
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

/// A person's changes of address, for their own export.
pub(super) async fn of(ctx: &Ctx, user_id: Uuid) -> Result<Vec<email_changes::Model>> {
    let theirs = email_changes::Entity::find().filter(email_changes::Column::UserId.eq(user_id));
    Ok(theirs.all(ctx.db.read()).await?)
}

/// Deletes changes that cannot be undone any more.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM email_changes WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM email_changes", old, &[now.into()]).await
}
