//! `GET /metrics`, on the operations listener only. Each query for a gauge has a timeout. If a query fails, the gauge
//! keeps its last value.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::{sync::Mutex, time::timeout};

use super::{Server, health};
use crate::{
    domain::{mail::outbox, session},
    error::Result,
    observability::{
        self,
        metrics::{CONTENT_TYPE, Observed},
    },
};

/// Timeout for one query.
const QUERY_TIMEOUT: Duration = Duration::from_secs(2);
/// Minimum time between two counts of the sessions, which are expensive to count.
const COUNT_INTERVAL: Duration = Duration::from_mins(1);
/// Counting sessions stops at this number.
const MAX_SESSIONS: u64 = 1_000_000;

/// When the last attempt to count sessions began.
pub(super) type LastCount = Mutex<Option<Instant>>;

pub(super) async fn metrics(State(server): State<Arc<Server>>) -> Response {
    let ctx = &server.ctx;
    let (ready, outbox, sessions) = tokio::join!(
        health::parts(&server),
        with_timeout("outbox", outbox::waiting(ctx)),
        with_timeout("sessions", count_sessions(&server))
    );
    let key_age = ctx.keyring.age(ctx.now());
    let observed = Observed {
        outbox,
        sessions: sessions.flatten(),
        key_age,
        pools: ctx.db.pools(),
        ready,
        panics: observability::panics(),
    };
    match ctx.metrics.text(observed) {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "cannot render metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn with_timeout<T>(part: &'static str, query: impl Future<Output = Result<T>>) -> Option<T> {
    match timeout(QUERY_TIMEOUT, query).await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::warn!(part, %error, "cannot read a metric");
            None
        }
        Err(_) => {
            tracing::warn!(part, "timed out reading a metric");
            None
        }
    }
}

/// Counts open sessions. Returns `None` if the last count is less than a minute old, or if another request is counting.
async fn count_sessions(server: &Server) -> Result<Option<u64>> {
    let Ok(mut last) = server.sessions_counted.try_lock() else { return Ok(None) };
    if last.is_some_and(|at| at.elapsed() < COUNT_INTERVAL) {
        return Ok(None);
    }
    *last = Some(Instant::now());
    session::count_live(&server.ctx, MAX_SESSIONS).await.map(Some)
}
