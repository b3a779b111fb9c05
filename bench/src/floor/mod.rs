//! The floor: what `me`, a sign-in by code and a refresh cost at least. Hand-written handlers send the same SQL
//! statements in the same transactions, make the same Redis calls, commit as often and sign the same tokens, without
//! GraphQL and without an ORM. It has none of the checks that make a service safe to run: never use it for anything
//! else.

mod mail;
mod session;
mod sign_in;
mod store;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac, rand,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use axum::{
    Router,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SubsecRound as _, Utc};
use jsonwebtoken::{DecodingKey, EncodingKey};
use redis::aio::MultiplexedConnection;
use tokio::{net::TcpListener, sync::Notify};
use uuid::Uuid;

use self::store::Pool;

/// Connections to PostgreSQL: the default of Doorcode.
const CONNECTIONS: usize = 20;
/// Maximum number of verified tokens that are remembered.
const TOKENS: usize = 100_000;

/// Where the floor listens and which servers it uses.
#[derive(clap::Args)]
pub(crate) struct Settings {
    #[arg(long)]
    pub(crate) listen: SocketAddr,
    #[arg(long, env = "DATABASE_URL")]
    pub(crate) database: String,
    #[arg(long, env = "REDIS_URL")]
    pub(crate) redis: String,
    /// Port of the mail catcher that speaks TLS.
    #[arg(long)]
    pub(crate) smtp: SocketAddr,
    /// Certificate of the mail catcher.
    #[arg(long)]
    pub(crate) authority: std::path::PathBuf,
}

struct Floor {
    pool: Arc<Pool>,
    redis: MultiplexedConnection,
    limiter: String,
    mac: hmac::Key,
    /// Key of the letters in the outbox.
    outbox: [u8; 32],
    encoding: EncodingKey,
    decoding: DecodingKey,
    /// Claims of verified tokens by the SHA-256 of the token.
    verified: Mutex<HashMap<[u8; 32], session::Claims>>,
    mail: Arc<Notify>,
}

type Shared = Arc<Floor>;

/// Every failure is a 500 or, without a cause, a 401.
struct Failure(Option<anyhow::Error>);

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(Some(error.into()))
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self.0 {
            Some(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        }
    }
}

type Answer<T> = Result<axum::Json<T>, Failure>;

/// Runs the floor until it is killed.
pub(crate) async fn serve(settings: Settings) -> Result<()> {
    let pool = Arc::new(Pool::open(&settings.database, CONNECTIONS).await?);
    let redis = redis::Client::open(settings.redis.as_str())?.get_multiplexed_async_connection().await?;
    let limiter = redis::cmd("SCRIPT").arg("LOAD").arg(sign_in::LIMITER).query_async(&mut redis.clone()).await?;
    let pair = Ed25519KeyPair::generate().context("cannot generate a key")?;
    let mail = Arc::new(Notify::new());
    let outbox = random::<32>()?;
    let sender = mail::Sender::new(&settings, Arc::clone(&pool), Arc::clone(&mail), &outbox).await?;
    tokio::spawn(async move {
        if let Err(error) = sender.run().await {
            eprintln!("the floor stops sending mail: {error:#}");
        }
    });
    let floor = Floor {
        pool,
        redis,
        limiter,
        mac: hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?),
        outbox,
        encoding: EncodingKey::from_ed_der(pair.to_pkcs8().context("cannot write the key")?.as_ref()),
        decoding: DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(pair.public_key().as_ref()))?,
        verified: Mutex::default(),
        mail,
    };
    let router = Router::new()
        .route("/me", get(session::me))
        .route("/refresh", post(session::refresh))
        .route("/login", post(sign_in::login))
        .route("/verify", post(sign_in::verify))
        .with_state(Arc::new(floor));
    let listener = TcpListener::bind(settings.listen).await?;
    axum::serve(axum::serve::ListenerExt::tap_io(listener, |stream| drop(stream.set_nodelay(true))), router).await?;
    Ok(())
}

impl Floor {
    fn mac(&self, parts: &[&[u8]]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.mac);
        for part in parts {
            context.update(part);
        }
        context.sign().as_ref().to_vec()
    }

    fn remember(&self, hash: [u8; 32], claims: session::Claims) {
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.len() < TOKENS {
            verified.insert(hash, claims);
        }
    }
}

fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

fn id() -> Uuid {
    Uuid::now_v7()
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).context("the system provides no randomness")?;
    Ok(bytes)
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Result<Vec<u8>, Failure> {
    Ok(URL_SAFE_NO_PAD.decode(text)?)
}
