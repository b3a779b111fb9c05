//! Liveness and readiness checks. A response names the failing part. The reason is only logged, because the endpoints
//! are public.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Mutex;

use super::Server;
use crate::{
    domain::Ctx,
    error::{Error, Result},
};

/// The parts that must all be healthy for the server to be ready.
const PARTS: [&str; 3] = ["database", "limiter", "migrations"];
/// How long a result is cached. The endpoint is public, and each check costs queries.
const CACHE_TIME: Duration = Duration::from_secs(1);
/// Timeout for checking one part.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The last result and its time. A check holds the lock, so that concurrent callers wait for the check and share its
/// result. Only health probes and metrics use this lock, so API requests never wait for it.
pub(super) type LastOutcome = Arc<Mutex<Option<(Instant, Outcome)>>>;

#[derive(Clone, Default)]
pub(super) struct Outcome(Vec<Part>);

#[derive(Clone, Serialize)]
struct Part {
    name: &'static str,
    ok: bool,
    #[serde(rename = "latencyMs")]
    latency: f64,
}

impl Outcome {
    /// Whether a part is healthy. A part that was not checked is not.
    fn is_healthy(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.name == name && part.ok)
    }
}

/// Responds to liveness probes. Any response means that the process is alive.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// Responds to readiness probes. The server is ready if the database and the limiter respond and no migrations are
/// pending. During shutdown, the server is never ready.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let outcome = outcome(&server).await;
    let (status, state) = match (server.is_draining(), PARTS.iter().all(|name| outcome.is_healthy(name))) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, true) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (status, Json(json!({ "status": state, "parts": outcome.0 })))
}

/// Returns whether each required part is healthy, for the metrics.
pub(super) async fn parts(server: &Server) -> Vec<(&'static str, bool)> {
    let outcome = outcome(server).await;
    PARTS.map(|name| (name, outcome.is_healthy(name))).into()
}

/// Returns the cached result if it is less than a second old. Otherwise checks all parts.
async fn outcome(server: &Server) -> Outcome {
    let mut last = Arc::clone(&server.last_outcome).lock_owned().await;
    if let Some((at, outcome)) = &*last
        && at.elapsed() < CACHE_TIME
    {
        return outcome.clone();
    }
    let ctx = Arc::clone(&server.ctx);
    // Check in a separate task, so that a caller that disconnects does not cancel the check for the others.
    let measuring = tokio::spawn(async move {
        let outcome = measure(&ctx).await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    });
    measuring.await.unwrap_or_else(|error| {
        tracing::error!(%error, "the readiness check failed");
        Outcome::default()
    })
}

async fn measure(ctx: &Ctx) -> Outcome {
    let (database, limiter, migrations) = tokio::join!(
        timed("database", async { ctx.db.ping().await }),
        timed("limiter", limiter(ctx)),
        timed("migrations", migrations(ctx)),
    );
    Outcome(vec![database, limiter, migrations])
}

async fn limiter(ctx: &Ctx) -> Result<()> {
    ctx.limiter.ping().await.map_err(|error| Error::Unavailable(error.to_string()))
}

async fn migrations(ctx: &Ctx) -> Result<()> {
    if crate::domain::schema_is_current(ctx).await? {
        Ok(())
    } else {
        Err(Error::Internal("the database schema is not current".into()))
    }
}

async fn timed(name: &'static str, check: impl Future<Output = Result<()>>) -> Part {
    let start = Instant::now();
    let outcome = tokio::time::timeout(CHECK_TIMEOUT, check).await;
    let ok = match outcome {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(part = name, %error, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!(part = name, "not ready: no response within two seconds");
            false
        }
    };
    Part { name, ok, latency: start.elapsed().as_secs_f64() * 1000.0 }
}
