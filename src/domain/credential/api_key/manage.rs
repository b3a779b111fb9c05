//! Creates, rotates and revokes API keys. Creating and rotating need a recent sign-in, because a key outlives the
//! session. No function here takes an API key as the caller.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

use super::{count_live, is_live, live_of, token};
use crate::{
    db::{
        self,
        entity::{UserStatus, api_keys, users},
    },
    domain::{
        Check, Ctx, Wait,
        access::{Grant, Member, ReadAccess, Recent, Scope, Shell, Viewer},
        audit::{self, Event, Kind},
        mail::message::Message,
        rate_limit,
        session::{EndReason, disown},
        transaction::Work,
        user::{lock::lock_own, name::Name, notice},
    },
    error::{Error, Result},
    limits::{API_KEYS, Rule},
};

/// Maximum time for which the key before a rotation keeps working.
pub const MAX_OVERLAP: TimeDelta = TimeDelta::days(7);
/// Maximum lifetime of a key with an expiry, in years.
const MAX_YEARS: i64 = 100;

/// A key with its secret, which is shown once.
pub struct Created {
    /// The text of the key.
    pub secret: SecretString,
    /// The stored key.
    pub key: api_keys::Model,
}

/// What a new key may do, checked.
pub struct NewKey {
    name: Name,
    scopes: String,
    expires_at: Option<DateTime<Utc>>,
}

impl NewKey {
    /// Checks the values of a new key.
    ///
    /// # Errors
    /// [`Error::Invalid`] with all flaws.
    pub fn check(ctx: &Ctx, name: &str, scopes: &[String], expires_at: Option<DateTime<Utc>>) -> Result<Self> {
        let mut check = Check::default();
        let name = check.field("name", Name::parse(name));
        let scopes = check.field("scopes", canonical(ctx, scopes));
        let now = ctx.now();
        let is_valid = expires_at.is_none_or(|at| at > now && at - now <= TimeDelta::days(365 * MAX_YEARS));
        let wrong = || format!("Choose a time in the future, at most {MAX_YEARS} years from now.");
        let expiry = if is_valid { Ok(expires_at) } else { Err(wrong()) };
        let expires_at = check.field("expiresAt", expiry);
        let new = name.zip(scopes).zip(expires_at);
        check.finish(new.map(|((name, scopes), expires_at)| Self { name, scopes, expires_at }))
    }
}

/// All scopes of this server, each once: Doorcode's, then the application's.
pub fn all_scopes(ctx: &Ctx) -> Vec<Scope> {
    let mut scopes = Scope::ALL.to_vec();
    // Several grants of an application can have one scope.
    for Grant { scope, .. } in ctx.grants {
        if !scopes.iter().any(|known| known.name == scope.name) {
            scopes.push(*scope);
        }
    }
    scopes
}

/// The stored form: each scope once, in the order of [`all_scopes`].
fn canonical(ctx: &Ctx, scopes: &[String]) -> Result<String, String> {
    let known: Vec<_> = all_scopes(ctx).into_iter().map(|scope| scope.name).collect();
    if !scopes.iter().all(|scope| known.contains(&scope.as_str())) {
        return Err(format!("The scopes of this server are: {}.", known.join(", ")));
    }
    let chosen: Vec<_> = known.into_iter().filter(|name| scopes.iter().any(|scope| scope == name)).collect();
    Ok(chosen.join(" "))
}

/// Creates a key of the caller and mails a notice. Six statements and one limiter call.
pub async fn create(ctx: &Ctx, member: Recent<Member<'_>>, new: NewKey) -> Result<Result<Created, Wait>> {
    let now = ctx.now();
    if let Some(wait) = charge(ctx, *member, now).await? {
        return Ok(Err(wait));
    }
    let work = Work::begin(ctx).await?;
    let user = lock_own(&work, *member).await?;
    let created = insert(ctx, &work, &user, new, now).await?;
    let detail = json!({ "apiKey": created.key.id, "name": created.key.name, "scopes": created.key.scopes });
    audit::record(ctx, &work, now, &[Event::own(Kind::ApiKeyCreated, **member, detail)]).await?;
    let message = Message::ApiKeyCreated(disown::link(ctx, member.session(), now));
    notice::queue(ctx, &*work, &user, message, Some(member.origin()), now).await?;
    work.commit(ctx).await?;
    ctx.outbox_filled.notify_one();
    Ok(Ok(created))
}

/// Creates a key of any active user from the command line. No notice is mailed.
pub async fn create_from_shell(ctx: &Ctx, _: Shell, user_id: Uuid, new: NewKey) -> Result<Created> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let user = users::Entity::find_by_id(user_id).lock_exclusive().one(&*work).await?;
    let user = user.filter(|user| user.status == UserStatus::Active).ok_or(Error::NotFound)?;
    let created = insert(ctx, &work, &user, new, now).await?;
    let detail = json!({ "apiKey": created.key.id, "name": created.key.name, "scopes": created.key.scopes });
    record_from_shell(ctx, &work, Kind::ApiKeyCreated, user.id, detail, now).await?;
    work.commit(ctx).await?;
    Ok(created)
}

async fn charge(ctx: &Ctx, member: Member<'_>, now: DateTime<Utc>) -> Result<Option<Wait>> {
    rate_limit::take(ctx, member.origin(), Rule::ApiKeyPerson, member.user().id.to_string(), now).await
}

/// Stores a key of a user whose row is locked, so that the number of keys is exact.
async fn insert(ctx: &Ctx, work: &Work, user: &users::Model, new: NewKey, now: DateTime<Utc>) -> Result<Created> {
    if count_live(&**work, user.id, now).await? >= API_KEYS {
        return Err(Error::invalid("name", format!("A user can have {API_KEYS} API keys. Revoke one first.")));
    }
    let id = ctx.new_id(now);
    let (secret, key_hash) = token::generate(&*ctx.entropy, id);
    let key = api_keys::Model {
        id,
        user_id: user.id,
        name: new.name.as_str().to_owned(),
        key_hash,
        previous_hash: None,
        previous_until: None,
        scopes: new.scopes,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    };
    db::insert(&**work, key.clone()).await?;
    Ok(Created { secret, key })
}

/// Gives one of the caller's keys a new secret. The old one works for `overlap` more, but not the one before it.
/// Five statements and one limiter call.
pub async fn rotate(
    ctx: &Ctx,
    member: Recent<Member<'_>>,
    id: Uuid,
    overlap: TimeDelta,
) -> Result<Result<Created, Wait>> {
    let now = ctx.now();
    check_overlap(overlap)?;
    if let Some(wait) = charge(ctx, *member, now).await? {
        return Ok(Err(wait));
    }
    let work = Work::begin(ctx).await?;
    let user = lock_own(&work, *member).await?;
    let created = renew(ctx, &work, id, Some(user.id), overlap, now).await?;
    let detail = json!({ "apiKey": id, "overlapSeconds": overlap.num_seconds() });
    audit::record(ctx, &work, now, &[Event::own(Kind::ApiKeyRotated, **member, detail)]).await?;
    work.commit(ctx).await?;
    Ok(Ok(created))
}

/// The same from the command line, for a key of any user.
pub async fn rotate_from_shell(ctx: &Ctx, _: Shell, id: Uuid, overlap: TimeDelta) -> Result<Created> {
    let now = ctx.now();
    check_overlap(overlap)?;
    let work = Work::begin(ctx).await?;
    let created = renew(ctx, &work, id, None, overlap, now).await?;
    let detail = json!({ "apiKey": id, "overlapSeconds": overlap.num_seconds() });
    record_from_shell(ctx, &work, Kind::ApiKeyRotated, created.key.user_id, detail, now).await?;
    work.commit(ctx).await?;
    Ok(created)
}

fn check_overlap(overlap: TimeDelta) -> Result<()> {
    if (TimeDelta::zero()..=MAX_OVERLAP).contains(&overlap) {
        return Ok(());
    }
    let most = MAX_OVERLAP.num_seconds();
    Err(Error::invalid("overlapSeconds", format!("`overlapSeconds` can be 0 to {most}.")))
}

/// Replaces the secret of a live key, only of this user if there is one.
async fn renew(
    ctx: &Ctx,
    work: &Work,
    id: Uuid,
    owner: Option<Uuid>,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Created> {
    let key = api_keys::Entity::find_by_id(id).lock_exclusive().one(&**work).await?;
    let is_theirs = |key: &api_keys::Model| owner.is_none_or(|owner| key.user_id == owner);
    let key = key.filter(|key| is_theirs(key) && is_live(key, now)).ok_or(Error::NotFound)?;
    let (secret, key_hash) = token::generate(&*ctx.entropy, id);
    let previous = (overlap > TimeDelta::zero()).then_some((key.key_hash, now + overlap));
    let (previous_hash, previous_until) = previous.unzip();
    let key = api_keys::Model { key_hash, previous_hash, previous_until, ..key };
    api_keys::Entity::update_many()
        .col_expr(api_keys::Column::KeyHash, Expr::value(key.key_hash.clone()))
        .col_expr(api_keys::Column::PreviousHash, Expr::value(key.previous_hash.clone()))
        .col_expr(api_keys::Column::PreviousUntil, Expr::value(key.previous_until))
        .filter(api_keys::Column::Id.eq(id))
        .exec(&**work)
        .await?;
    Ok(Created { secret, key })
}

/// Revokes a key, and the one before its latest rotation: one of the caller's, or any key as an administrator. A revoked
/// key is returned again, so that the call is idempotent.
pub async fn revoke(ctx: &Ctx, viewer: &Viewer, id: Uuid) -> Result<api_keys::Model> {
    let person = viewer.person()?;
    let is_theirs = |key: &api_keys::Model| viewer.access_to(key.user_id).is_some_and(ReadAccess::shows_credentials);
    let key = api_keys::Entity::find_by_id(id).one(ctx.db.read()).await?.filter(is_theirs).ok_or(Error::NotFound)?;
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let Some(revoked) = revoke_where(&*work, api_keys::Column::Id.eq(id), now).await?.pop() else {
        return Ok(key);
    };
    let detail = json!({ "apiKeys": [id] });
    let event = Event { subject: Some(revoked.user_id), ..Event::own(Kind::ApiKeyRevoked, person, detail) };
    audit::record(ctx, &work, now, &[event]).await?;
    work.commit(ctx).await?;
    Ok(revoked)
}

/// The same from the command line.
pub async fn revoke_from_shell(ctx: &Ctx, _: Shell, id: Uuid) -> Result<api_keys::Model> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    let Some(revoked) = revoke_where(&*work, api_keys::Column::Id.eq(id), now).await?.pop() else {
        return api_keys::Entity::find_by_id(id).one(&*work).await?.ok_or(Error::NotFound);
    };
    record_from_shell(ctx, &work, Kind::ApiKeyRevoked, revoked.user_id, json!({ "apiKeys": [id] }), now).await?;
    work.commit(ctx).await?;
    Ok(revoked)
}

/// Revokes all keys of a user whose account is taken back, and records it. At most two statements.
pub(in crate::domain) async fn revoke_all(
    ctx: &Ctx,
    work: &Work,
    user: &users::Model,
    reason: EndReason,
    now: DateTime<Utc>,
) -> Result<()> {
    let revoked = revoke_where(&**work, live_of(user.id, now), now).await?;
    if revoked.is_empty() {
        return Ok(());
    }
    let ids: Vec<_> = revoked.iter().map(|key| key.id).collect();
    let detail = json!({ "apiKeys": ids, "reason": reason.as_str() });
    let (kind, subject, email) = (Kind::ApiKeyRevoked, Some(user.id), Some(user.email.as_str()));
    audit::record(ctx, work, now, &[Event { kind, origin: None, actor: None, subject, detail, email }]).await
}

async fn revoke_where(
    db: &impl ConnectionTrait,
    which: impl sea_orm::sea_query::IntoCondition,
    now: DateTime<Utc>,
) -> Result<Vec<api_keys::Model>> {
    let revoked = api_keys::Entity::update_many()
        .col_expr(api_keys::Column::RevokedAt, Expr::value(now))
        .filter(which)
        .filter(api_keys::Column::RevokedAt.is_null())
        .exec_with_returning(db)
        .await?;
    Ok(revoked)
}

async fn record_from_shell(
    ctx: &Ctx,
    work: &Work,
    kind: Kind,
    subject: Uuid,
    detail: serde_json::Value,
    now: DateTime<Utc>,
) -> Result<()> {
    let event = Event { kind, origin: None, actor: None, subject: Some(subject), detail, email: None };
    audit::record(ctx, work, now, &[event]).await
}
