//! `me` and `refresh` of the floor.

use std::{sync::PoisonError, time::Duration};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use axum::{Json, extract::State, http::HeaderMap};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, Header, Validation};
use serde::{Deserialize, Serialize};
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Answer, Failure, Floor, Shared, decode, encode, id, now, random, sha256,
    sign_in::{Charge, limit},
};

/// Columns of S2: those of the session come first.
const LAST_SEEN: usize = 4;
const IDLE_EXPIRES: usize = 5;
const EXPIRES: usize = 6;
const ENDED: usize = 7;
const USER_ID: usize = 18;
const EMAIL: usize = 19;
const ROLE: usize = 21;
const STATUS: usize = 22;

#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: Uuid,
    auth_time: i64,
    amr: Vec<String>,
    role: String,
}

#[derive(Serialize)]
pub(super) struct Me {
    id: Uuid,
    email: String,
    role: String,
}

#[derive(Deserialize)]
pub(super) struct Refresh {
    #[serde(rename = "refreshToken")]
    token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Tokens {
    pub(super) access_token: String,
    pub(super) refresh_token: String,
}

/// One statement; at most once a minute and session a second one.
pub(super) async fn me(State(floor): State<Shared>, headers: HeaderMap) -> Answer<Me> {
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let claims = floor.verify(bearer.ok_or(Failure(None))?)?;
    let now = now();
    let connection = floor.pool.take().await?;
    let rows = connection.client.query(&connection.s2, &[&claims.sid, &1_i64]).await?;
    let row = rows.first().ok_or(Failure(None))?;
    let role: String = row.get(ROLE);
    if !is_live(row, now) || row.get::<_, Uuid>(USER_ID) != claims.sub || role != claims.role {
        return Err(Failure(None));
    }
    let seen_before = now - TimeDelta::minutes(1);
    if row.get::<_, DateTime<Utc>>(LAST_SEEN) <= seen_before {
        connection.client.execute(&connection.s7, &[&now, &claims.sid, &seen_before]).await?;
    }
    Ok(Json(Me { id: claims.sub, email: row.get(EMAIL), role }))
}

/// Two statements and one call of the limiter.
pub(super) async fn refresh(State(floor): State<Shared>, Json(input): Json<Refresh>) -> Answer<Tokens> {
    let old = decode(&input.token)?;
    let (body, tag) = old.split_last_chunk::<16>().ok_or(Failure(None))?;
    if floor.mac(&[body])[..16] != *tag || body.len() != 48 {
        return Err(Failure(None));
    }
    let session = Uuid::from_slice(&body[..16])?;
    let now = now();
    let charge = Charge::new("refresh.session", session.to_string(), Duration::from_mins(1));
    limit(&floor, &[charge], now).await?;
    let connection = floor.pool.take().await?;
    let rows = connection.client.query(&connection.s2_proofs, &[&session]).await?;
    let row = rows.first().filter(|row| is_live(row, now)).ok_or(Failure(None))?;
    let presented = sha256(&old);
    let (next, hash) = refresh_token(&floor, session)?;
    let successor = seal(&presented, next.as_bytes())?;
    let idle = (now + TimeDelta::days(7)).min(row.get(EXPIRES));
    let rotated =
        connection.client.query(&connection.s5, &[&hash, &presented, &now, &successor, &idle, &session]).await?;
    if rotated.is_empty() {
        return Err(Failure(None));
    }
    drop(connection);
    let access_token = floor.sign(row.get(USER_ID), session, row.get(ROLE), now)?;
    Ok(Json(Tokens { access_token, refresh_token: next }))
}

fn is_live(row: &Row, now: DateTime<Utc>) -> bool {
    row.get::<_, &str>(STATUS) == "ACTIVE"
        && row.get::<_, Option<DateTime<Utc>>>(ENDED).is_none()
        && row.get::<_, DateTime<Utc>>(IDLE_EXPIRES) > now
        && row.get::<_, DateTime<Utc>>(EXPIRES) > now
}

/// A refresh token and its hash.
pub(super) fn refresh_token(floor: &Floor, session: Uuid) -> Result<(String, Vec<u8>), Failure> {
    let mut bytes = [session.as_bytes().as_slice(), &random::<32>()?].concat();
    let tag = floor.mac(&[&bytes]);
    bytes.extend_from_slice(&tag[..16]);
    Ok((encode(&bytes), sha256(&bytes)))
}

/// Encrypts with a key of 32 bytes.
pub(super) fn seal(key: &[u8], plain: &[u8]) -> Result<Vec<u8>, Failure> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key)?);
    let nonce = random::<12>()?;
    let mut sealed = plain.to_vec();
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

impl Floor {
    pub(super) fn sign(&self, user: Uuid, session: Uuid, role: String, now: DateTime<Utc>) -> Result<String, Failure> {
        let seconds = now.timestamp();
        let claims = Claims {
            iss: "http://localhost:4000".to_owned(),
            aud: "http://localhost:4000".to_owned(),
            sub: user,
            sid: session,
            exp: seconds + 3_600,
            iat: seconds,
            nbf: seconds,
            jti: id(),
            auth_time: seconds,
            amr: vec!["otp".to_owned()],
            role,
        };
        let header = Header { typ: Some("at+jwt".to_owned()), ..Header::new(Algorithm::EdDSA) };
        Ok(jsonwebtoken::encode(&header, &claims, &self.encoding)?)
    }

    /// Checks a signature once, and the expiry on every request.
    fn verify(&self, token: &str) -> Result<Claims, Failure> {
        let mut hash = [0; 32];
        hash.copy_from_slice(&sha256(token.as_bytes()));
        let known = self.verified.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        let claims = if let Some(claims) = known {
            claims
        } else {
            let mut validation = Validation::new(Algorithm::EdDSA);
            validation.set_audience(&["http://localhost:4000"]);
            let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &validation)?.claims;
            self.remember(hash, claims.clone());
            claims
        };
        if claims.exp <= now().timestamp() { Err(Failure(None)) } else { Ok(claims) }
    }
}
