//! Refresh tokens. Each use replaces the token in one conditional update. For a few seconds the previous token returns
//! the same successor, because of several tabs and lost responses; any older token ends the session. Tokens carry a tag
//! made with the server secret, so a forged token cannot end a session.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};
use secrecy::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{EndReason, end_where, find_with_methods, for_client, is_live, record_ends};
use crate::{
    db::entity::{Method, sessions},
    domain::{
        Ctx, Wait,
        access::{Origin, SignedIn},
        audit::Kind,
        rate_limit,
        transaction::Work,
        vault::{self, Digest, Purpose},
    },
    error::{Error, Result},
    limits::Rule,
};

/// Grace period during which the previous token still returns its successor.
pub const GRACE: TimeDelta = TimeDelta::seconds(10);

const ID: usize = 16;
const RANDOM: usize = 32;
const TAG: usize = 16;
const LENGTH: usize = ID + RANDOM + TAG;

/// A refresh token: the session's id, 256 random bits, and a tag over both.
pub struct RefreshToken(Zeroizing<[u8; LENGTH]>);

impl RefreshToken {
    pub(super) fn generate(ctx: &Ctx, session: Uuid) -> Self {
        let mut bytes = Zeroizing::new([0; LENGTH]);
        bytes[..ID].copy_from_slice(session.as_bytes());
        ctx.entropy.fill(&mut bytes[ID..ID + RANDOM]);
        let tag: [u8; TAG] = ctx.vault.tag(Purpose::RefreshTag, &[&bytes[..ID + RANDOM]]);
        bytes[ID + RANDOM..].copy_from_slice(&tag);
        Self(bytes)
    }

    /// Parses a token and checks its tag, without any access to a store.
    fn parse(ctx: &Ctx, text: &str) -> Option<Self> {
        let bytes = vault::decode::<LENGTH>(text)?;
        let (body, tag) = bytes.split_last_chunk::<TAG>()?;
        ctx.vault.tag_matches(Purpose::RefreshTag, &[body], *tag).then_some(Self(bytes))
    }

    fn session(&self) -> Uuid {
        let mut id = [0; ID];
        id.copy_from_slice(&self.0[..ID]);
        Uuid::from_bytes(id)
    }

    pub(super) fn hash(&self) -> Digest {
        vault::sha256(&*self.0)
    }

    /// The token as text, for the client.
    pub fn reveal(&self) -> SecretString {
        vault::encode(&*self.0).into()
    }
}

/// The outcome of a refresh.
pub enum Outcome {
    /// The session is still open.
    Refreshed(Box<Refreshed>),
    /// Signed out, expired, reused, or not issued by us. Callers cannot tell these apart.
    Ended,
    /// A rate limit refused the call.
    Wait(Wait),
}

/// A session that goes on.
pub struct Refreshed {
    /// The session and its user.
    pub signed_in: SignedIn,
    /// The methods that opened it.
    pub methods: Vec<Method>,
    /// Its new token.
    pub token: RefreshToken,
}

/// Replaces a refresh token of a session of this client, or of the API without one. Two statements and one limiter call;
/// more only after a race.
pub async fn refresh(ctx: &Ctx, origin: &Origin, token: &str, client: Option<&str>) -> Result<Outcome> {
    let Some(token) = RefreshToken::parse(ctx, token) else {
        return Ok(Outcome::Ended);
    };
    let now = ctx.now();
    if let Some(wait) = rate_limit::take(ctx, origin, Rule::RefreshSession, token.session().to_string(), now).await? {
        return Ok(Outcome::Wait(wait));
    }
    let presented = token.hash();
    // Retry once after losing a race against another tab: the row then has the winner's token.
    for _ in 0..2 {
        let Some((signed_in, methods)) = find_with_methods(ctx, token.session()).await? else {
            return Ok(Outcome::Ended);
        };
        let session = &signed_in.session;
        if session.client_id.as_deref() != client {
            return Ok(Outcome::Ended);
        }
        let is_current = session.refresh_hash == presented;
        if !is_live(&signed_in, now) {
            // Otherwise a thief could sign the session out, and keep those that were opened from it.
            if !is_current && !is_in_grace(session, &presented, now) {
                end_reused(ctx, origin, session, now).await?;
            }
            return Ok(Outcome::Ended);
        }
        if is_current {
            if let Some((session, token)) = rotate(ctx, &signed_in.session, &token, now).await? {
                let signed_in = SignedIn { session, ..signed_in };
                return Ok(Outcome::Refreshed(Box::new(Refreshed { signed_in, methods, token })));
            }
        } else if let Some(token) = successor_in_grace(&signed_in.session, &token, now) {
            return Ok(Outcome::Refreshed(Box::new(Refreshed { signed_in, methods, token })));
        } else {
            end_reused(ctx, origin, &signed_in.session, now).await?;
            return Ok(Outcome::Ended);
        }
    }
    Err(Error::Unavailable("the session was refreshed elsewhere twice during this refresh".into()))
}

/// Ends the session of a refresh token, so that a client without an access token can sign out. Every token ever issued
/// for the session works. `None` if the session is already over or the token is not ours.
pub async fn sign_out(ctx: &Ctx, origin: &Origin, token: &str) -> Result<Option<sessions::Model>> {
    match RefreshToken::parse(ctx, token) {
        Some(token) => end_of(ctx, origin, &token, EndReason::SignedOut).await,
        None => Ok(None),
    }
}

/// Ends the session of a refresh token that a browser replaces with one of the session `by`. Two statements, unless both
/// tokens are of that session.
pub async fn replace(ctx: &Ctx, origin: &Origin, token: &str, by: Uuid) -> Result<()> {
    match RefreshToken::parse(ctx, token).filter(|token| token.session() != by) {
        Some(token) => end_of(ctx, origin, &token, EndReason::Replaced).await.map(drop),
        None => Ok(()),
    }
}

async fn end_of(
    ctx: &Ctx,
    origin: &Origin,
    token: &RefreshToken,
    reason: EndReason,
) -> Result<Option<sessions::Model>> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let which = sessions::Column::Id.eq(token.session()).into();
    let Some(session) = end_where(&*work, which, reason, now).await?.into_iter().next() else {
        return Ok(None);
    };
    let presented = token.hash();
    let is_recent = session.refresh_hash == presented || session.previous_hash.as_ref() == Some(&presented);
    let kind = match (is_recent, reason) {
        (false, _) => Kind::RefreshTokenReused,
        (true, EndReason::SignedOut) => Kind::SignedOut,
        (true, _) => Kind::SessionEnded,
    };
    record_ends(ctx, &work, now, kind, origin, std::slice::from_ref(&session)).await?;
    work.commit(ctx).await?;
    if !is_recent {
        end_reused(ctx, origin, &session, now).await?;
    }
    Ok(Some(session))
}

/// Replaces the token unless a concurrent refresh already did; `None` in that case.
async fn rotate(
    ctx: &Ctx,
    session: &sessions::Model,
    old: &RefreshToken,
    now: DateTime<Utc>,
) -> Result<Option<(sessions::Model, RefreshToken)>> {
    let next = RefreshToken::generate(ctx, session.id);
    let sealed = vault::seal_for_holder(&*old.0, session.id.as_bytes(), &*next.0, &*ctx.entropy)?;
    let idle_expires_at = (now + ctx.settings.tokens.refresh_idle).min(session.expires_at);
    let rotated = sessions::Entity::update_many()
        .col_expr(sessions::Column::RefreshHash, Expr::value(next.hash()))
        .col_expr(sessions::Column::PreviousHash, Expr::value(old.hash()))
        .col_expr(sessions::Column::RotatedAt, Expr::value(now))
        .col_expr(sessions::Column::Successor, Expr::value(sealed))
        .col_expr(sessions::Column::IdleExpiresAt, Expr::value(idle_expires_at))
        .col_expr(sessions::Column::LastSeenAt, Expr::value(now))
        .filter(sessions::Column::Id.eq(session.id))
        .filter(sessions::Column::RefreshHash.eq(old.hash()))
        .filter(sessions::Column::EndedAt.is_null())
        .exec_with_returning(ctx.db.write())
        .await?
        .into_iter()
        .next();
    Ok(rotated.map(|session| (session, next)))
}

/// Whether a token was the current one until a moment ago.
fn is_in_grace(session: &sessions::Model, presented: &Digest, now: DateTime<Utc>) -> bool {
    session.previous_hash.as_ref() == Some(presented) && session.rotated_at.is_some_and(|at| now - at <= GRACE)
}

fn successor_in_grace(session: &sessions::Model, token: &RefreshToken, now: DateTime<Utc>) -> Option<RefreshToken> {
    if !is_in_grace(session, &token.hash(), now) {
        return None;
    }
    let plain = vault::open_as_holder(&*token.0, session.id.as_bytes(), session.successor.as_deref()?)?;
    <[u8; LENGTH]>::try_from(plain.as_slice()).ok().map(|bytes| RefreshToken(Zeroizing::new(bytes)))
}

/// Ends a session after an outdated token was presented: the token was copied, and we cannot tell who has the copy, nor
/// who opened sessions from it.
async fn end_reused(ctx: &Ctx, origin: &Origin, session: &sessions::Model, now: DateTime<Utc>) -> Result<()> {
    let work = Work::begin(ctx).await?;
    let which = (session.user_id, session.id);
    let ended = for_client::end_with_children(&work, which, EndReason::TokenReused, now).await?;
    record_ends(ctx, &work, now, Kind::RefreshTokenReused, origin, &ended).await?;
    work.commit(ctx).await
}
