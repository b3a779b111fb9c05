//! `login` and `verify` of the floor, for a user whose device is known.

use std::time::Duration;

use axum::{Json, extract::State, http::HeaderMap};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    Answer, Failure, Floor, Shared, decode, encode, id, mail, now, random,
    session::{Tokens, refresh_token, seal},
    sha256,
};

/// The script of Doorcode's limiter.
pub(super) const LIMITER: &str = include_str!("../../../src/adapter/limiter/limiter.lua");

/// The address that audit events get.
const IP: &str = "127.0.0.1";
const MINUTE: Duration = Duration::from_mins(1);
const QUARTER: Duration = Duration::from_mins(15);
const DAY: Duration = Duration::from_hours(24);

/// One unit of a limit that is never reached.
pub(super) struct Charge {
    key: String,
    window: i64,
}

impl Charge {
    pub(super) fn new(rule: &str, key: impl std::fmt::Display, window: Duration) -> Self {
        let key = format!("floor:limit:{{{rule}:{key}}}");
        Self { key, window: i64::try_from(window.as_micros()).unwrap_or(i64::MAX) }
    }
}

/// Charges all limits in one round trip.
pub(super) async fn limit(floor: &Floor, charges: &[Charge], now: DateTime<Utc>) -> Result<(), Failure> {
    let mut pipeline = redis::pipe();
    for Charge { key, window } in charges {
        let granule = window / 256 + 1;
        let life = (window + granule) / 1_000 + 180_000;
        let numbers = [now.timestamp_micros(), 1_000_000_000, *window, 0, granule, 120_000_000, life, 1];
        pipeline.cmd("EVALSHA").arg(&floor.limiter).arg(1).arg(key).arg("take").arg(&numbers);
    }
    let answers: Vec<Vec<i64>> = pipeline.query_async(&mut floor.redis.clone()).await?;
    if answers.iter().all(|answer| answer.first() == Some(&1)) { Ok(()) } else { Err(Failure(None)) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Login {
    email: String,
    device_token: Option<String>,
}

#[derive(Serialize)]
pub(super) struct Challenge {
    challenge: String,
}

fn agent(headers: &HeaderMap) -> Option<&str> {
    headers.get("user-agent").and_then(|value| value.to_str().ok())
}

/// Four statements, one transaction and one call of the limiter.
pub(super) async fn login(
    State(floor): State<Shared>,
    headers: HeaderMap,
    Json(input): Json<Login>,
) -> Answer<Challenge> {
    let (now, email) = (now(), input.email.as_str());
    let address = floor.mac(&[b"address", email.as_bytes()]);
    let device = input.device_token.as_deref().map(decode).transpose()?.map(|token| sha256(&token));
    let connection = floor.pool.take().await?;
    let (day, month) = (now - TimeDelta::days(1), now - TimeDelta::days(30));
    let none = (None::<Vec<u8>>, None::<Uuid>);
    let found = connection
        .client
        .query_one(
            &connection.c1,
            &[&email, &device, &none.0, &day, &month, &now, &3_i32, &none.1, &"sign_in", &address],
        )
        .await?;
    drop(connection);
    let device: Option<Uuid> = found.get("device_id");
    let mut charges = match device {
        Some(device) => vec![
            Charge::new("send.pair", format!("device:{device}"), QUARTER),
            Charge::new("send.account", found.get::<_, Uuid>("device_user_id"), DAY),
        ],
        None => vec![
            Charge::new("send.pair", format!("{email}@{IP}"), QUARTER),
            Charge::new("send.address", email, QUARTER),
            Charge::new("send.address.day", email, DAY),
        ],
    };
    charges.push(Charge::new("send.network", IP, QUARTER));
    charges.push(Charge::new("send.instance", "all", DAY));
    limit(&floor, &charges, now).await?;

    let handle = random::<16>()?;
    let code = mail::draw_code()?;
    let code_hash = floor.mac(&[&handle, email.as_bytes(), code.as_bytes()]);
    let budget = device.map_or_else(|| address.clone(), |device| floor.mac(&[b"device", device.as_bytes()]));
    let sealed = seal(&floor.outbox, json!({ "to": email, "code": code }).to_string().as_bytes())?;
    let (challenge, letter, event) = (id(), id(), id());
    let expires = now + TimeDelta::minutes(5);
    let detail = json!({ "challenge": challenge, "address": encode(&address[..16]) });
    let request = id().simple().to_string();
    let connection = floor.pool.take().await?;
    let client = &connection.client;
    client.batch_execute("BEGIN").await?;
    client
        .execute(
            &connection.c2,
            &[&challenge, &sha256(&handle), &address, &budget, &email, &device, &code_hash, &expires, &now],
        )
        .await?;
    client.execute(&connection.m1, &[&letter, &sealed, &now, &expires]).await?;
    let nobody = None::<Uuid>;
    client
        .execute(&connection.a1, &[&event, &now, &"CODE_REQUESTED", &nobody, &IP, &agent(&headers), &request, &detail])
        .await?;
    client.batch_execute("COMMIT").await?;
    floor.mail.notify_one();
    Ok(Json(Challenge { challenge: encode(&handle) }))
}

#[derive(Deserialize)]
pub(super) struct Verify {
    challenge: String,
    code: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SignedIn {
    tokens: Tokens,
    device_token: String,
    user: Uuid,
    email: String,
}

/// What the counting transaction learned.
struct Counted {
    challenge: Uuid,
    email: String,
    device: Option<Uuid>,
    code_hash: Vec<u8>,
}

/// Eight statements, two transactions and one call of the limiter.
pub(super) async fn verify(
    State(floor): State<Shared>,
    headers: HeaderMap,
    Json(input): Json<Verify>,
) -> Answer<SignedIn> {
    let now = now();
    limit(&floor, &[Charge::new("verify.all", IP, MINUTE)], now).await?;
    let handle = decode(&input.challenge)?;
    let counted = count(&floor, &sha256(&handle), now).await?;
    let expected = floor.mac(&[&handle, counted.email.as_bytes(), input.code.as_bytes()]);
    aws_lc_rs::constant_time::verify_slices_are_equal(&expected, &counted.code_hash)?;
    sign_in(&floor, &counted, agent(&headers), now).await
}

/// Counts the attempt in a transaction of its own, before the code is compared.
async fn count(floor: &Floor, handle: &[u8], now: DateTime<Utc>) -> Result<Counted, Failure> {
    let (day, month) = (now - TimeDelta::days(1), now - TimeDelta::days(30));
    let connection = floor.pool.take().await?;
    let client = &connection.client;
    client.batch_execute("BEGIN").await?;
    client.query(&connection.c3, &[&handle, &month, &now]).await?;
    let row =
        client.query_opt(&connection.c4, &[&handle, &now, &1_i32, &3_i32, &day, &19_i64, &month, &99_i64]).await?;
    client.batch_execute("COMMIT").await?;
    let row = row.ok_or(Failure(None))?;
    Ok(Counted {
        challenge: row.get("id"),
        email: row.get("email"),
        device: row.get("device_id"),
        code_hash: row.get("code_hash"),
    })
}

async fn sign_in(floor: &Floor, counted: &Counted, agent: Option<&str>, now: DateTime<Utc>) -> Answer<SignedIn> {
    let token = random::<32>()?;
    let (token_hash, expires) = (sha256(&token), now + TimeDelta::days(180));
    let (session, name) = (id(), None::<String>);
    let (refresh_token, refresh_hash) = refresh_token(floor, session)?;
    let (idle, end) = (now + TimeDelta::days(7), now + TimeDelta::days(30));
    let connection = floor.pool.take().await?;
    let client = &connection.client;
    client.batch_execute("BEGIN").await?;
    client.execute(&connection.c5, &[&now, &1_i32, &counted.challenge]).await?;
    let user = client.query_one(&connection.u1, &[&id(), &counted.email, &"USER", &now, &name, &name, &""]).await?;
    let user_id: Uuid = user.get("id");
    let device = counted.device.unwrap_or_else(id);
    let remember = if counted.device.is_some() { &connection.d1_known } else { &connection.d1_new };
    client.execute(remember, &[&token_hash, &now, &expires, &agent, &IP, &device, &user_id]).await?;
    client
        .execute(&connection.s1, &[&session, &user_id, &device, &now, &idle, &end, &agent, &IP, &refresh_hash])
        .await?;
    client.execute(&connection.s1_proof, &[&counted.challenge, &session, &now]).await?;
    let detail = json!({ "session": session, "device": device, "method": "otp" });
    let request = id().simple().to_string();
    client.execute(&connection.a1, &[&id(), &now, &"SIGNED_IN", &user_id, &IP, &agent, &request, &detail]).await?;
    client.batch_execute("COMMIT").await?;
    drop(connection);
    let access_token = floor.sign(user_id, session, user.get("role"), now)?;
    let tokens = Tokens { access_token, refresh_token };
    Ok(Json(SignedIn { tokens, device_token: encode(&token), user: user_id, email: counted.email.clone() }))
}
