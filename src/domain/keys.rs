//! Creates, encrypts, stores and rotates signing keys. A private key leaves this file only as a handle that signs, and
//! is never printed. A key never changes its algorithm.

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

/// How long a key is published before it signs, so that every JWKS cache has it by then.
const PUBLISHED_BEFORE: Duration = Duration::from_mins(10);

/// A decrypted key, ready to sign and verify.
#[derive(Clone)]
pub struct SigningKey {
    /// The key's id, also its `kid`.
    pub id: Uuid,
    /// The algorithm of the key.
    pub algorithm: Algorithm,
    /// When the key starts to sign.
    pub signs_from: DateTime<Utc>,
    /// When the last token it signed has expired; `None` for the newest key.
    pub retires_at: Option<DateTime<Utc>>,
    /// The published public key; `None` for HS256.
    pub public_jwk: Option<Json>,
    pub(super) encoding: EncodingKey,
    pub(super) decoding: DecodingKey,
}

impl SigningKey {
    /// Whether all tokens that it signed have expired.
    pub(super) fn is_retired(&self, now: DateTime<Utc>) -> bool {
        self.retires_at.is_some_and(|at| at <= now)
    }
}

/// Converts the setting to the token crate's type.
pub fn algorithm(setting: TokenAlgorithm) -> Algorithm {
    match setting {
        TokenAlgorithm::EdDsa => Algorithm::EdDSA,
        TokenAlgorithm::Es256 => Algorithm::ES256,
        TokenAlgorithm::Rs256 => Algorithm::RS256,
        TokenAlgorithm::Hs256 => Algorithm::HS256,
    }
}

pub(super) type Keys = HashMap<Uuid, Arc<SigningKey>>;

/// Loads every key whose tokens may still be valid. A key in `opened` stays usable even if a process with a newer
/// server secret has re-encrypted it. A key that no server secret decrypts is logged and left out.
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
        keys.extend(key.filter(|key| !key.is_retired(now)).map(|key| (key.id, Arc::new(key))));
    }
    Ok(keys)
}

/// Lists the stored keys, newest first.
pub async fn list(ctx: &Ctx) -> Result<Vec<signing_keys::Model>> {
    let newest_first = signing_keys::Entity::find().order_by_desc(signing_keys::Column::SignsFrom);
    Ok(newest_first.all(ctx.db.read()).await?)
}

/// Creates a key if there is none or the configured algorithm changed. If several processes start together, only one
/// of them creates it.
pub async fn ensure(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    let has_key = |keys: Keys| {
        let newest = keys.into_values().max_by_key(|key| key.signs_from);
        newest.is_some_and(|key| key.algorithm == algorithm(ctx.settings.tokens.algorithm))
    };
    if has_key(live(ctx, &Keys::new(), now).await?) {
        return Ok(());
    }
    let work = begin_exclusive(ctx).await?;
    if !has_key(live_in(ctx, &*work, &Keys::new(), now).await?) {
        add(ctx, &work, now).await?;
        work.commit(ctx).await?;
    }
    Ok(())
}

/// Creates the next key. It signs after verifiers had time to fetch it, or at once if it is the only key. Older keys
/// retire when the last token they can sign has expired.
pub async fn rotate(ctx: &Ctx) -> Result<signing_keys::Model> {
    let work = begin_exclusive(ctx).await?;
    let row = add(ctx, &work, ctx.now()).await?;
    work.commit(ctx).await?;
    Ok(row)
}

/// Begins a transaction during which no other transaction can add keys; readers are not blocked. SQLite needs no lock
/// because it has a single writer.
async fn begin_exclusive(ctx: &Ctx) -> Result<Work> {
    let work = Work::begin(ctx).await?;
    if ctx.db.backend() == DbBackend::Postgres {
        work.execute_unprepared("LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    Ok(work)
}

async fn add(ctx: &Ctx, work: &Work, now: DateTime<Utc>) -> Result<signing_keys::Model> {
    let usable = live_in(ctx, &**work, &Keys::new(), now).await?;
    let signs_from = if usable.is_empty() { now } else { now + PUBLISHED_BEFORE };
    let row = create(ctx, now, signs_from)?;
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

/// During secret rotation, re-encrypts under the newest secret the keys that only an older one decrypts, so that the
/// older secret can be removed. Safe to run in several processes at once: only one update per key succeeds.
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

/// Deletes retired keys.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<()> {
    signing_keys::Entity::delete_many().filter(signing_keys::Column::RetiresAt.lte(now)).exec(ctx.db.write()).await?;
    Ok(())
}

fn create(ctx: &Ctx, now: DateTime<Utc>, signs_from: DateTime<Utc>) -> Result<signing_keys::Model> {
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

/// Generates a private key and its public key as a JWK. The library uses its own randomness for key pairs, so tests
/// with seeded randomness cannot reproduce them.
fn generate(ctx: &Ctx, algorithm: Algorithm) -> Result<(Zeroizing<Vec<u8>>, Option<Json>)> {
    let failed = |_| Error::Internal("cannot generate a signing key".into());
    match algorithm {
        Algorithm::EdDSA => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": vault::encode(pair.public_key().as_ref()) });
            Ok((Zeroizing::new(pair.to_pkcs8().map_err(failed)?.as_ref().to_vec()), Some(jwk)))
        }
        Algorithm::ES256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            // An uncompressed point: a format byte, then the x and y coordinates.
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
    let (encoding, decoding) = handles(algorithm, &private, row.public_jwk.as_ref())?;
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

fn handles(algorithm: Algorithm, private: &[u8], public: Option<&Json>) -> Option<(EncodingKey, DecodingKey)> {
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

/// Wraps a PKCS#8 key in PEM, the only form in which the token crate accepts PKCS#8 for RSA.
fn pem(private: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(private));
    Zeroizing::new(format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", *body))
}
