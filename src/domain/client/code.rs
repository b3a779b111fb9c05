//! Authorization codes: a user approves a request and gets a code, which the client exchanges for a session of its own.
//! The first attempt uses a code up, whether it succeeds or not. A code that comes back after it opened a session was
//! copied, so that session ends.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, sea_query::Expr};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::request::Request;
use crate::{
    db::{self, entity::authorization_codes},
    domain::{
        Ctx, Wait,
        access::{Origin, Person, RECENT},
        audit::{self, Event, Kind},
        batch, rate_limit,
        session::{
            for_client::{self, Opening},
            refresh::Refreshed,
        },
        sign_in::send_limit,
        transaction::Work,
        vault::{self, Digest},
    },
    error::Result,
    limits::{AUTHORIZATION_CODE, Rule},
    settings::clients::Client,
};

const ID: usize = 16;
const RANDOM: usize = 32;
const LENGTH: usize = ID + RANDOM;
/// Length of a code verifier (RFC 7636, 4.1).
const VERIFIER: std::ops::RangeInclusive<usize> = 43..=128;

/// What became of an approval.
pub enum Approval {
    /// The URL that brings the code to the client.
    Redirect(SecretString),
    /// The client asked for a new sign-in, and this one is old.
    SignInAgain,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Makes a code for a request that a user approved. Two statements and one limiter call.
pub async fn approve(ctx: &Ctx, person: Person<'_>, request: &Request) -> Result<Approval> {
    let now = ctx.now();
    let (user, session) = (person.user(), person.session());
    // The page asks for the sign-in; this is the check that no page can skip.
    if request.needs_sign_in && session.created_at < now - RECENT {
        return Ok(Approval::SignInAgain);
    }
    let wait = rate_limit::take(ctx, person.origin(), Rule::AuthorizePerson, user.id.to_string(), now).await?;
    if let Some(wait) = wait {
        return Ok(Approval::Wait(wait));
    }
    let id = ctx.new_id(now);
    let mut code = Zeroizing::new([0; LENGTH]);
    code[..ID].copy_from_slice(id.as_bytes());
    ctx.entropy.fill(&mut code[ID..]);
    let work = Work::begin(ctx).await?;
    let row = authorization_codes::Model {
        id,
        code_hash: vault::sha256(&*code),
        client_id: request.client.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        session_id: session.id,
        created_at: now,
        expires_at: now + AUTHORIZATION_CODE,
        used_at: None,
        opened_session_id: None,
    };
    db::insert(&*work, row).await?;
    let detail = json!({ "client": request.client.id, "session": session.id });
    audit::record(ctx, &work, now, &[Event::own(Kind::ClientApproved, person, detail)]).await?;
    work.commit(ctx).await?;
    let code = Zeroizing::new(vault::encode(&*code));
    Ok(Approval::Redirect(request.granted(ctx, &code)?))
}

/// What a client sends to exchange a code.
pub struct Presented<'a> {
    /// The client.
    pub client: &'a Client,
    /// The code.
    pub code: &'a str,
    /// The redirect URI of the request.
    pub redirect_uri: &'a str,
    /// The secret whose SHA-256 the request had.
    pub verifier: &'a str,
}

impl Presented<'_> {
    fn fits(&self, code: &authorization_codes::Model) -> bool {
        let is_verifier = VERIFIER.contains(&self.verifier.len())
            && self.verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        code.client_id == self.client.id
            && code.redirect_uri == self.redirect_uri
            && is_verifier
            && vault::sha256(self.verifier.as_bytes()) == code.challenge
    }
}

/// The outcome of an exchange.
pub enum Redeemed {
    /// The client has a session.
    Opened(Box<Refreshed>),
    /// The code is unknown, expired or used, or not for this client, redirect URI and verifier, or the user's session is
    /// over. Clients cannot tell these apart.
    Refused,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// Exchanges a code for a session. Six statements and one limiter call.
pub async fn redeem(ctx: &Ctx, origin: &Origin, presented: Presented<'_>) -> Result<Redeemed> {
    let now = ctx.now();
    let Some(code) = vault::decode::<LENGTH>(presented.code) else {
        return missed(ctx, origin, now).await;
    };
    if let Some(wait) = send_limit::take_verify(ctx, origin, now).await? {
        return Ok(Redeemed::Wait(wait));
    }
    let (hash, session) = (vault::sha256(&*code), ctx.new_id(now));
    let work = Work::begin(ctx).await?;
    let Some(row) = use_up(&*work, &hash, id_of(&code), session, now).await? else {
        drop(work);
        end_reused(ctx, origin, &hash, id_of(&code), now).await?;
        return missed(ctx, origin, now).await;
    };
    let fits = presented.fits(&row);
    let opening = Opening { id: session, parent: row.session_id, client_id: &row.client_id, code: row.id };
    let opened = if fits { for_client::open(ctx, &work, opening, now).await? } else { None };
    let Some(opened) = opened else {
        let reason = if fits { "SESSION_OVER" } else { "MISMATCH" };
        let detail = json!({ "client": presented.client.id, "madeFor": row.client_id, "reason": reason });
        let subject = for_client::user_of(&*work, row.session_id).await?;
        let kind = Kind::AuthorizationCodeRefused;
        let event = Event { kind, origin: Some(origin), actor: None, subject, detail, email: None };
        audit::record(ctx, &work, now, &[event]).await?;
        // The code stays used up.
        work.commit(ctx).await?;
        return missed(ctx, origin, now).await;
    };
    let user = Some(opened.signed_in.user.id);
    let detail = json!({ "client": row.client_id, "session": session, "parent": row.session_id });
    let event =
        Event { kind: Kind::ClientSignedIn, origin: Some(origin), actor: user, subject: user, detail, email: None };
    audit::record(ctx, &work, now, &[event]).await?;
    work.commit(ctx).await?;
    Ok(Redeemed::Opened(Box::new(opened)))
}

fn id_of(code: &[u8; LENGTH]) -> Uuid {
    let mut id = [0; ID];
    id.copy_from_slice(&code[..ID]);
    Uuid::from_bytes(id)
}

async fn missed(ctx: &Ctx, origin: &Origin, now: DateTime<Utc>) -> Result<Redeemed> {
    Ok(send_limit::take_miss(ctx, origin, now).await?.map_or(Redeemed::Refused, Redeemed::Wait))
}

/// Uses a code up. `None` if it is unknown, expired or used: of concurrent attempts, one gets it.
async fn use_up(
    db: &impl ConnectionTrait,
    hash: &Digest,
    id: Uuid,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<authorization_codes::Model>> {
    use authorization_codes::Column;
    let used = authorization_codes::Entity::update_many()
        .col_expr(Column::UsedAt, Expr::value(now))
        .col_expr(Column::OpenedSessionId, Expr::value(session))
        .filter(Column::Id.eq(id))
        .filter(Column::CodeHash.eq(hash.clone()))
        .filter(Column::UsedAt.is_null())
        .filter(Column::ExpiresAt.gt(now))
        .exec_with_returning(db)
        .await?;
    Ok(used.into_iter().next())
}

/// Ends the session that a code opened before. One statement if there is none.
async fn end_reused(ctx: &Ctx, origin: &Origin, hash: &Digest, id: Uuid, now: DateTime<Utc>) -> Result<()> {
    let found = authorization_codes::Entity::find_by_id(id).one(ctx.db.write()).await?;
    let opened = found.filter(|code| code.code_hash == *hash).and_then(|code| code.opened_session_id);
    match opened {
        Some(session) => for_client::end_reused(ctx, origin, session, now).await,
        None => Ok(()),
    }
}

/// Deletes codes that expired before `before`. Until then, a code that comes back ends its session.
pub async fn purge(ctx: &Ctx, before: DateTime<Utc>) -> Result<u64> {
    let old = "SELECT id FROM authorization_codes WHERE expires_at < $1 ORDER BY expires_at";
    batch::run(ctx, "DELETE FROM authorization_codes", old, &[before.into()]).await
}
