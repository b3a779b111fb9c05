//! `GET /metrics`, on the operations listener alone: what was counted, and what must be looked up for it, each part within
//! a bound. What cannot be looked up now keeps its last value; readiness, which is among it, tells of the trouble.

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

/// A part that takes longer is left out.
const LONGEST: Duration = Duration::from_secs(2);
/// Sessions are many, so their number is that of the last minute.
const SESSIONS_EVERY: Duration = Duration::from_mins(1);
/// More than this are not counted.
const MOST_SESSIONS: u64 = 1_000_000;

/// When sessions were counted last, whatever came of it.
pub(super) type Counted = Mutex<Option<Instant>>;

pub(super) async fn metrics(State(server): State<Arc<Server>>) -> Response {
    let ctx = &server.ctx;
    let (ready, outbox, sessions) = tokio::join!(
        health::parts(&server),
        in_time("outbox", outbox::waiting(ctx)),
        in_time("sessions", count_sessions(&server))
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
            tracing::error!(%error, "the metrics could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn in_time<T>(part: &'static str, look: impl Future<Output = Result<T>>) -> Option<T> {
    match timeout(LONGEST, look).await {
        Ok(Ok(value)) => Some(value),
        Ok(Err(error)) => {
            tracing::warn!(part, %error, "a metric could not be looked up");
            None
        }
        Err(_) => {
            tracing::warn!(part, "a metric could not be looked up in time");
            None
        }
    }
}

/// Nothing when it is too early to count again, or somebody does.
async fn count_sessions(server: &Server) -> Result<Option<u64>> {
    let Ok(mut last) = server.sessions_counted.try_lock() else { return Ok(None) };
    if last.is_some_and(|at| at.elapsed() < SESSIONS_EVERY) {
        return Ok(None);
    }
    *last = Some(Instant::now());
    session::count_live(&server.ctx, MOST_SESSIONS).await.map(Some)
}
