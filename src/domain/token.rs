//! Signs and verifies access tokens. The signing keys are stored encrypted in the database and cached in memory by
//! `kid`. A valid token is not enough: every request also looks up its session. The token header is trusted only to
//! choose the key.

mod verified;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use tokio::sync::Mutex;
use uuid::Uuid;

use self::verified::{Fingerprint, VerifiedTokens};
use super::{
    Ctx,
    access::SignedIn,
    keys::{self, SigningKey},
};
use crate::{
    db::entity::Method,
    error::{Error, Result},
    observability::metrics::Metrics,
};

/// Maximum length of a token in bytes; longer ones are rejected without parsing.
const LONGEST: usize = 2048;
/// Tolerated clock skew in seconds.
const LEEWAY: i64 = 5;
/// Minimum time between two database reads for an unknown `kid`.
const RELOAD_PAUSE: Duration = Duration::from_secs(5);

/// The claims of an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The user's id.
    pub sub: Uuid,
    /// The session's id.
    pub sid: Uuid,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: Uuid,
    auth_time: i64,
    amr: Vec<String>,
    /// The user's role when the token was signed. A token with an outdated role is rejected.
    pub role: String,
    /// The application that the session belongs to, if it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
}

impl Claims {
    fn are_timely(&self, now: DateTime<Utc>) -> bool {
        let seconds = now.timestamp();
        self.exp > seconds - LEEWAY && self.nbf <= seconds + LEEWAY && self.iat <= seconds + LEEWAY
    }
}

/// In-memory cache of the signing keys, and of tokens that they have verified.
pub struct Keyring {
    keys: RwLock<Keys>,
    verified: VerifiedTokens,
    /// Held during a reload for an unknown `kid`; whether the latest reload failed.
    reload_failed: Mutex<bool>,
    /// Number of reloads for an unknown `kid`.
    reloads: AtomicU64,
}

#[derive(Clone, Default)]
struct Keys {
    by_id: Arc<keys::Keys>,
    loaded_at: Option<DateTime<Utc>>,
}

impl Keyring {
    /// Creates an empty keyring.
    pub fn new(metrics: &Metrics) -> Self {
        Self {
            keys: RwLock::default(),
            verified: VerifiedTokens::new(metrics),
            reload_failed: Mutex::default(),
            reloads: AtomicU64::default(),
        }
    }

    fn current(&self) -> Keys {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn get(&self, kid: Uuid) -> Option<Arc<SigningKey>> {
        self.current().by_id.get(&kid).cloned()
    }

    fn replace(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }

    /// The key that signs at `now`. If no key is due yet because this clock lags, the first key signs.
    fn signing(&self, now: DateTime<Utc>) -> Option<Arc<SigningKey>> {
        let keys = self.current().by_id;
        let due = keys.values().filter(|key| key.signs_from <= now).max_by_key(|key| key.signs_from);
        due.or_else(|| keys.values().min_by_key(|key| key.signs_from)).cloned()
    }

    /// How long the current signing key has been in use.
    pub fn age(&self, now: DateTime<Utc>) -> Option<Duration> {
        self.signing(now).map(|key| (now - key.signs_from).to_std().unwrap_or_default())
    }

    /// The public keys as a JSON Web Key Set, newest first.
    pub fn jwks(&self) -> Json {
        let mut keys: Vec<_> = self.current().by_id.values().cloned().collect();
        keys.sort_by_key(|key| std::cmp::Reverse(key.id));
        let public: Vec<Json> = keys.into_iter().filter_map(|key| key.public_jwk.clone()).collect();
        serde_json::json!({ "keys": public })
    }
}

/// Reloads the keys from the database: at startup, every minute, and when a token names an unknown key.
pub async fn reload(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    let by_id = keys::live(ctx, &ctx.keyring.current().by_id, now).await?;
    ctx.keyring.replace(Keys { by_id: Arc::new(by_id), loaded_at: Some(now) });
    Ok(())
}

/// Creates a key for the configured algorithm if there is none, then loads all keys.
pub async fn prepare(ctx: &Ctx) -> Result<()> {
    keys::ensure(ctx).await?;
    keys::reseal(ctx).await?;
    reload(ctx).await
}

/// Signs an access token for a session. Returns the token and its expiry time.
pub fn sign(
    ctx: &Ctx,
    signed_in: &SignedIn,
    methods: &[Method],
    now: DateTime<Utc>,
) -> Result<(SecretString, DateTime<Utc>)> {
    sign_for(ctx, signed_in, methods, &ctx.settings.tokens.audience, now)
}

/// The same for an audience of a client.
pub fn sign_for(
    ctx: &Ctx,
    signed_in: &SignedIn,
    methods: &[Method],
    audience: &str,
    now: DateTime<Utc>,
) -> Result<(SecretString, DateTime<Utc>)> {
    let key = ctx.keyring.signing(now).ok_or_else(|| Error::Internal("there is no signing key".into()))?;
    let session = &signed_in.session;
    let expires_at = (now + ctx.settings.tokens.access_ttl).min(session.idle_expires_at).min(session.expires_at);
    let claims = Claims {
        iss: ctx.settings.issuer().to_owned(),
        aud: audience.to_owned(),
        sub: signed_in.user.id,
        sid: signed_in.session.id,
        exp: expires_at.timestamp(),
        iat: now.timestamp(),
        nbf: now.timestamp(),
        jti: ctx.new_id(now),
        auth_time: signed_in.session.created_at.timestamp(),
        amr: methods.iter().map(|method| method.amr()).collect(),
        role: super::user::role_name(signed_in.user.role),
        client_id: session.client_id.clone(),
    };
    let header = Header { typ: Some("at+jwt".into()), kid: Some(key.id.to_string()), ..Header::new(key.algorithm) };
    let token = jsonwebtoken::encode(&header, &claims, &key.encoding)
        .map_err(|error| Error::Internal(format!("signing failed: {error}")))?;
    Ok((token.into(), expires_at))
}

/// Verifies a token's signature, issuer, audience and validity period, and returns its claims.
///
/// # Errors
/// [`Error::Unauthenticated`] for every invalid token; a database error if an unknown key cannot be looked up.
pub async fn verify(ctx: &Ctx, token: &str) -> Result<Arc<Claims>> {
    if token.len() > LONGEST {
        return Err(Error::Unauthenticated);
    }
    let now = ctx.now();
    let fingerprint = Fingerprint::of(token);
    if let Some((kid, claims)) = ctx.keyring.verified.get(&fingerprint)
        && ctx.keyring.get(kid).is_some_and(|key| !key.is_retired(now))
    {
        return if claims.are_timely(now) { Ok(claims) } else { Err(Error::Unauthenticated) };
    }
    let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Unauthenticated)?;
    let typed = header.typ.as_deref().is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"));
    if !typed || header.crit.is_some() {
        return Err(Error::Unauthenticated);
    }
    let kid = header.kid.as_deref().and_then(|kid| Uuid::try_parse(kid).ok()).ok_or(Error::Unauthenticated)?;
    let key = find_key(ctx, kid, now).await?;
    if header.alg != key.algorithm || key.is_retired(now) {
        return Err(Error::Unauthenticated);
    }
    let claims = jsonwebtoken::decode::<Claims>(token, &key.decoding, &signature_only(key.algorithm))
        .map_err(|_| Error::Unauthenticated)?
        .claims;
    let is_ours = claims.iss == ctx.settings.issuer() && claims.aud == ctx.settings.tokens.audience;
    if !is_ours || !claims.are_timely(now) {
        return Err(Error::Unauthenticated);
    }
    let claims = Arc::new(claims);
    ctx.keyring.verified.insert(fingerprint, (kid, Arc::clone(&claims)));
    Ok(claims)
}

async fn find_key(ctx: &Ctx, kid: Uuid, now: DateTime<Utc>) -> Result<Arc<SigningKey>> {
    let ring = &ctx.keyring;
    if let Some(key) = ring.get(kid) {
        return Ok(key);
    }
    let before = ring.reloads.load(Ordering::SeqCst);
    let mut failed = ring.reload_failed.lock().await;
    if ring.reloads.load(Ordering::SeqCst) != before {
        // Another request reloaded while this one waited: share its result, so that a burst costs one reload.
        if *failed {
            return Err(Error::Unavailable("the signing keys could not be read".into()));
        }
    } else if ring.current().loaded_at.is_none_or(|at| now >= at + RELOAD_PAUSE || now < at) {
        let reloaded = reload(ctx).await;
        *failed = reloaded.is_err();
        ring.reloads.fetch_add(1, Ordering::SeqCst);
        reloaded?;
    }
    drop(failed);
    ring.get(kid).ok_or(Error::Unauthenticated)
}

/// The crate checks only the signature. [`verify`] checks the claims because it has to use our clock. All claims
/// except `client_id` are required: a missing or mistyped one fails to deserialize.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
