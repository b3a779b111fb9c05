//! Whether the process lives, and whether it can serve. Says which part is not well, never why: that is in the log.

use std::{sync::Arc, time::Instant};

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use serde_json::json;

use super::Server;
use crate::domain::{Ctx, Error, Result};

/// Alive: it answers.
pub(super) async fn health() -> impl IntoResponse {
    Json(json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// Able to serve: database, limiter and schema are as they must be.
pub(super) async fn ready(State(server): State<Arc<Server>>) -> impl IntoResponse {
    let ctx = &*server.ctx;
    let (database, limiter, migrations) = tokio::join!(
        timed("database", async { ctx.db.ping().await }),
        timed("limiter", limiter(ctx)),
        timed("migrations", migrations(ctx)),
    );
    let draining = server.is_draining();
    let all_well = !draining && [&database, &limiter, &migrations].iter().all(|part| part["ok"] == true);
    let status = if all_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let state = match (draining, all_well) {
        (true, _) => "stopping",
        (_, true) => "ready",
        _ => "not ready",
    };
    (status, Json(json!({ "status": state, "parts": [database, limiter, migrations] })))
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

async fn timed(name: &str, check: impl Future<Output = Result<()>>) -> serde_json::Value {
    let start = Instant::now();
    let outcome = tokio::time::timeout(std::time::Duration::from_secs(2), check).await;
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
    json!({ "name": name, "ok": ok, "latencyMs": start.elapsed().as_secs_f64() * 1000.0 })
}
