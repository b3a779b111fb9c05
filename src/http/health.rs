//! Whether the process lives, and whether it can serve. Says which part is not well, never why: that is in the log.

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

/// What must be well.
const PARTS: [&str; 3] = ["database", "limiter", "migrations"];
/// For how long one outcome is everybody's. Anybody may ask, and a measurement costs statements and a round trip.
const SHARED: Duration = Duration::from_secs(1);
/// A part that takes longer is not well.
const LONGEST: Duration = Duration::from_secs(2);

/// The last outcome and when it came. The lock is held while a new one is measured, so that whoever asks meanwhile
/// waits for that one; only this path takes it, and no request of the API ever waits here.
pub(super) type LastOutcome = Arc<Mutex<Option<(Instant, Outcome)>>>;

/// How the parts are that could be looked at.
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
    /// A part that nobody looked at is not well.
    fn is_well(&self, name: &str) -> bool {
        self.0.iter().any(|part| part.name == name && part.ok)
    }
}

/// Alive: it answers.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok" }))
}

/// Able to serve: database, limiter and schema are as they must be. That a stop began is told at once.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let outcome = outcome(&server).await;
    let (status, state) = match (server.is_draining(), PARTS.iter().all(|name| outcome.is_well(name))) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "stopping"),
        (false, true) => (StatusCode::OK, "ready"),
        (false, false) => (StatusCode::SERVICE_UNAVAILABLE, "not ready"),
    };
    (status, Json(json!({ "status": state, "parts": outcome.0 })))
}

/// Every part that must be well and whether it is well, for the metrics.
pub(super) async fn parts(server: &Server) -> Vec<(&'static str, bool)> {
    let outcome = outcome(server).await;
    PARTS.map(|name| (name, outcome.is_well(name))).into()
}

/// The last outcome while it is fresh, else a new one.
async fn outcome(server: &Server) -> Outcome {
    let mut last = Arc::clone(&server.last_outcome).lock_owned().await;
    if let Some((at, outcome)) = &*last
        && at.elapsed() < SHARED
    {
        return outcome.clone();
    }
    let ctx = Arc::clone(&server.ctx);
    // In a task of its own: a caller who hangs up would take the measurement along, and the next one begin another.
    let measuring = tokio::spawn(async move {
        let outcome = measure(&ctx).await;
        *last = Some((Instant::now(), outcome.clone()));
        outcome
    });
    measuring.await.unwrap_or_else(|error| {
        tracing::error!(%error, "readiness could not be measured");
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
        Err(Error::Internal("the schema is not current".into()))
    }
}

async fn timed(name: &'static str, check: impl Future<Output = Result<()>>) -> Part {
    let start = Instant::now();
    let outcome = tokio::time::timeout(LONGEST, check).await;
    let ok = match outcome {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(part = name, %error, "not ready");
            false
        }
        Err(_) => {
            tracing::warn!(part = name, "not ready: no answer within two seconds");
            false
        }
    };
    Part { name, ok, latency: start.elapsed().as_secs_f64() * 1000.0 }
}
