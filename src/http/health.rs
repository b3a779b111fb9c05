//! Liveness and readiness. Responses name the failing part; the reason is only in the log.

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

/// Parts that must be healthy for readiness.
const PARTS: [&str; 3] = ["database", "limiter", "migrations"];
/// How long a result is cached. The endpoint is public, and each check costs queries.
const CACHE_TIME: Duration = Duration::from_secs(1);
/// Timeout for checking one part.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

/// The last result and its time. Holding the lock while checking makes concurrent callers share one check. Only
/// probes and metrics take it, never API requests.
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
    /// A part that was not checked counts as unhealthy.
    fn is_healthy(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.name == name && part.ok)
    }
}

/// Liveness: the process responds.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// Readiness: database, limiter and schema are usable. During shutdown it fails at once.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let outcome = outcome(&server).await;
    let (status, state) = match (server.is_draining(), PARTS.iter().all(|name| outcome.is_healthy(name))) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, true) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (status, Json(json!({ "status": state, "parts": outcome.0 })))
}

/// The health of each required part, for the metrics.
pub(super) async fn parts(server: &Server) -> Vec<(&'static str, bool)> {
    let outcome = outcome(server).await;
    PARTS.map(|name| (name, outcome.is_healthy(name))).into()
}

/// The cached result if it is fresh, otherwise a new one.
async fn outcome(server: &Server) -> Outcome {
    let mut last = Arc::clone(&server.last_outcome).lock_owned().await;
    if let Some((at, outcome)) = &*last
        && at.elapsed() < CACHE_TIME
    {
        return outcome.clone();
    }
    let ctx = Arc::clone(&server.ctx);
    // A separate task, so that a caller that disconnects does not cancel the check.
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
