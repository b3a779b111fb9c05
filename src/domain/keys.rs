//! Signing keys: made, sealed, stored, rotated. A private key leaves this file only as a handle that signs, and is
//! never printed. A key never changes its algorithm.

use std::{collections::HashMap, sync::Arc, time::Duration};

use aws_lc_rs::{
    encoding::AsDer,
    rsa,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryOrder, sea_query::Expr};
use serde_json::{Value as Json, json};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{
    Ctx,
    audit::{self, Event, Kind},
    transaction::Work,
    vault::{self, Purpose},
};
use crate::{
    db::{self, entity::signing_keys},
    error::{Error, Result},
    settings::TokenAlgorithm,
};

/// A key is published this long before it signs, so that every cache of the JWKS has it by then.
const PUBLISHED_BEFORE: Duration = Duration::from_mins(10);

/// A key ready for use.
#[derive(Clone)]
pub struct SigningKey {
    /// Also `kid`.
    pub id: Uuid,
    /// Fixed for the key.
    pub algorithm: Algorithm,
    /// When it begins to sign.
    pub signs_from: DateTime<Utc>,
    /// When nothing signed with it can be alive any more.
    pub retires_at: Option<DateTime<Utc>>,
    /// As published; none for HS256.
    pub public_jwk: Option<Json>,
    /// Signs.
    pub(super) encoding: EncodingKey,
    /// Verifies.
    pub(super) decoding: DecodingKey,
}

/// The setting as the token crate names it.
pub fn algorithm(setting: TokenAlgorithm) -> Algorithm {
    match setting {
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Hs256 => Algorithm::HS256,
    }
}

/// The keys of a process, by their ids.
pub(super) type Keys = HashMap<Uuid, Arc<SigningKey>>;

/// Every key whose tokens may still be alive. One that was opened before stays open, even when a process with a newer
/// secret has sealed it anew; one that no server secret opens is left out, loudly.
pub(super) async fn live(ctx: &Ctx, opened: &Keys, now: DateTime<Utc>) -> Result<Keys> {
    live_in(ctx, ctx.db.read(), opened, now).await
}

async fn live_in(ctx: &Ctx, db: &impl ConnectionTrait, opened: &Keys, now: DateTime<Utc>) -> Result<Keys> {
    let mut keys = Keys::new();
    for row in signing_keys::Entity::find().all(db).await? {
        let key = match opened.get(&row.id) {
            Some(key) => Some(SigningKey { retires_at: row.retires_at, ..SigningKey::clone(key) }),
            None if row.retires_at.is_none_or(|at| at > now) => open(ctx, row),
            None => None,
        };
        keys.extend(key.filter(|key| key.retires_at.is_none_or(|at| at > now)).map(|key| (key.id, Arc::new(key))));
    }
    Ok(keys)
}

/// The stored keys, newest first.
pub async fn list(ctx: &Ctx) -> Result<Vec<signing_keys::Model>> {
    let newest_first = signing_keys::Entity::find().order_by_desc(signing_keys::Column::SignsFrom);
    Ok(newest_first.all(ctx.db.read()).await?)
}

/// Makes the first key, or the next one when the algorithm was changed. Of processes that start together one makes it.
pub async fn ensure(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    let is_there = |keys: Keys| {
        let newest = keys.into_values().max_by_key(|key| key.signs_from);
        newest.is_some_and(|key| key.algorithm == algorithm(ctx.settings.tokens.algorithm))
    };
    if is_there(live(ctx, &Keys::new(), now).await?) {
        return Ok(());
    }
    let work = begin_alone(ctx).await?;
    if !is_there(live_in(ctx, &*work, &Keys::new(), now).await?) {
        add(ctx, &work, now).await?;
        work.commit(ctx).await?;
    }
    Ok(())
}

/// Makes the next key. It signs at once when there is none, else after every verifier had time to learn it; the keys
/// before it retire when the last token that they can sign is dead.
pub async fn rotate(ctx: &Ctx) -> Result<signing_keys::Model> {
    let work = begin_alone(ctx).await?;
    let row = add(ctx, &work, ctx.now()).await?;
    work.commit(ctx).await?;
    Ok(row)
}

/// A transaction that nobody else can add keys beside. SQLite has one writer anyway; readers go on.
async fn begin_alone(ctx: &Ctx) -> Result<Work> {
    let work = Work::begin(ctx).await?;
    if ctx.db.backend() == DbBackend::Postgres {
        work.execute_unprepared("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    Ok(work)
}

async fn add(ctx: &Ctx, work: &Work, now: DateTime<Utc>) -> Result<signing_keys::Model> {
    let usable = live_in(ctx, &**work, &Keys::new(), now).await?;
    let signs_from = if usable.is_empty() { now } else { now + PUBLISHED_BEFORE };
    let row = make(ctx, now, signs_from)?;
    let retires_at = signs_from + ctx.settings.tokens.access_ttl + Duration::from_mins(1);
    signing_keys::Entity::update_many()
        .col_expr(signing_keys::Column::RetiresAt, Expr::value(retires_at))
        .filter(signing_keys::Column::RetiresAt.is_null())
        .exec(&**work)
        .await?;
    db::insert(&**work, row.clone()).await?;
    let detail = json!({ "kid": row.id, "algorithm": row.algorithm, "signsFrom": row.signs_from });
    let event = Event { kind: Kind::KeyRotated, origin: None, actor: None, subject: None, detail, email: None };
    audit::record(ctx, work, now, &[event]).await?;
    Ok(row)
}

/// While secrets rotate: seals under the newest one the keys that only an older one opens, so that it can go. Whoever
/// does it at the same time does the same, and one of them wins.
pub async fn reseal(ctx: &Ctx) -> Result<()> {
    if !ctx.vault.is_rotating() {
        return Ok(());
    }
    for row in signing_keys::Entity::find().all(ctx.db.read()).await? {
        let resealed = ctx.vault.reseal(Purpose::SigningKey, row.id.as_bytes(), &row.sealed, &*ctx.entropy)?;
        let Some(resealed) = resealed else { continue };
        signing_keys::Entity::update_many()
            .col_expr(signing_keys::Column::Sealed, Expr::value(resealed))
            .filter(signing_keys::Column::Id.eq(row.id))
            .filter(signing_keys::Column::Sealed.eq(row.sealed))
            .exec(ctx.db.write())
            .await?;
    }
    Ok(())
}

/// Deletes keys that nothing alive was signed with.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<()> {
    signing_keys::Entity::delete_many().filter(signing_keys::Column::RetiresAt.lte(now)).exec(ctx.db.write()).await?;
    Ok(())
}

fn make(ctx: &Ctx, now: DateTime<Utc>, signs_from: DateTime<Utc>) -> Result<signing_keys::Model> {
    let id = ctx.new_id(now);
    let algorithm = algorithm(ctx.settings.tokens.algorithm);
    let (private, public) = generate(ctx, algorithm)?;
    let public_jwk = public.map(|mut jwk| {
        jwk["kid"] = json!(id);
        jwk["use"] = json!("sig");
        jwk["alg"] = json!(algorithm);
        jwk
    });
    Ok(signing_keys::Model {
        id,
        algorithm: format!("{algorithm:?}"),
        sealed: ctx.vault.seal(Purpose::SigningKey, id.as_bytes(), &private, &*ctx.entropy)?,
        public_jwk,
        created_at: now,
        signs_from,
        retires_at: None,
    })
}

/// A private key and its public half as a JWK. The library draws its own randomness for key pairs: keys are the one
/// thing that is not repeatable under a seeded source.
fn generate(ctx: &Ctx, algorithm: Algorithm) -> Result<(Zeroizing<Vec<u8>>, Option<Json>)> {
    let failed = |_| Error::Internal("making a signing key failed".into());
    match algorithm {
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": vault::encode(pair.public_key().as_ref()) });
            Ok((Zeroizing::new(pair.to_pkcs8().map_err(failed)?.as_ref().to_vec()), Some(jwk)))
        }
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            // An uncompressed point: one byte that says so, then the two coordinates.
            let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
            let jwk = json!({ "kty": "EC", "crv": "P-256", "x": vault::encode(x), "y": vault::encode(y) });
            Ok((Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()), Some(jwk)))
        }
        Algorithm::RS256 => {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa3072).map_err(failed)?;
            let public = pair.public_key();
            let (n, e) = (public.modulus(), public.exponent());
            let jwk = json!({
                "kty": "RSA",
                "n": vault::encode(n.big_endian_without_leading_zero()),
                "e": vault::encode(e.big_endian_without_leading_zero()),
            });
            let der = pair.as_der().map_err(failed)?;
            Ok((Zeroizing::new(der.as_ref().to_vec()), Some(jwk)))
        }
        _ => Ok((Zeroizing::new(vault::random::<32>(&*ctx.entropy).to_vec()), None)),
    }
}

pub(crate) fn open(ctx: &Ctx, row: signing_keys::Model) -> Option<SigningKey> {
    let Some((private, algorithm)) = ctx
        .vault
        .open(Purpose::SigningKey, row.id.as_bytes(), &row.sealed)
        .zip(row.algorithm.parse::<Algorithm>().ok())
    else {
        tracing::error!(kid = %row.id, "no server secret opens this signing key: tokens signed with it are refused");
        return None;
    };
    let (encoding, decoding) = halves(algorithm, &private, row.public_jwk.as_ref())?;
    Some(SigningKey {
        id: row.id,
        algorithm,
        signs_from: row.signs_from,
        retires_at: row.retires_at,
        public_jwk: row.public_jwk,
        encoding,
        decoding,
    })
}

fn halves(algorithm: Algorithm, private: &[u8], public: Option<&Json>) -> Option<(EncodingKey, DecodingKey)> {
    let encoding = match algorithm {
        Algorithm::EdDSA => EncodingKey::from_ed_der(private),
        Algorithm::ES256 => EncodingKey::from_ec_der(private),
        Algorithm::RS256 => EncodingKey::from_rsa_pem(pem(private).as_bytes()).ok()?,
        Algorithm::HS256 => return Some((EncodingKey::from_secret(private), DecodingKey::from_secret(private))),
        _ => return None,
    };
    let jwk = serde_json::from_value(public?.clone()).ok()?;
    Some((encoding, DecodingKey::from_jwk(&jwk).ok()?))
}

/// The token crate takes an RSA key in the sealed form, PKCS#8, only by way of this; it checks nothing else of it.
fn pem(private: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(private));
    Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body))
}
