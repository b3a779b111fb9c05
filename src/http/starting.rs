//! What is answered before there is anything to serve with: alive, not ready, come back. So nobody has to start things
//! in an order, and whoever asks meanwhile is neither kept waiting nor refused without a word.

use std::{io, os::fd::AsFd, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ipnet::IpNet;
use serde_json::json;
use tokio::{
    net::TcpListener,
    sync::watch,
    time::{sleep, timeout},
};

use super::{
    Caps, Tls,
    answer::{MediaType, Refusal, RequestId},
    health, listener,
};
use crate::{graphql::error::Code, metrics::Metrics};

/// How long callers of the API wait for the start before they are told of it.
const MOMENT: Duration = Duration::from_secs(3);
/// How long what was asked last before the start may take.
const LAST: Duration = Duration::from_secs(1);

/// Answers on both listeners until `start` is done, whatever comes of it.
pub async fn while_starting<T>(
    (public, tls): (&TcpListener, Option<Tls>),
    ops: &TcpListener,
    trusted: &[IpNet],
    start: impl Future<Output = T>,
) -> io::Result<T> {
    let (started, when_started) = watch::channel(false);
    let (public, ops, tls) = (another(public)?, another(ops)?, tls.map(Arc::new));
    let (caps, metrics) = (Caps::default(), Metrics::default());
    let told = |mut when_started: watch::Receiver<bool>| async move {
        drop(when_started.wait_for(|started| *started).await);
    };
    let public = async {
        // Whoever calls in the moment that a start takes is served by what starts: a proxy has sent them here already.
        tokio::select! {
            () = sleep(MOMENT) => {}
            () = told(when_started.clone()) => return,
        }
        let started = told(when_started.clone());
        listener::run(public, tls.as_ref(), router(), (&caps, trusted), &metrics, started).await;
    };
    let ops = listener::run(ops, None, router(), (&caps, trusted), &metrics, told(when_started.clone()));
    let answering = async { tokio::join!(public, ops) };
    let mut answering = std::pin::pin!(answering);
    let outcome = tokio::select! {
        outcome = start => outcome,
        // They end when they are told to, and that is later.
        _ = &mut answering => std::future::pending().await,
    };
    started.send_replace(true);
    drop(timeout(LAST, answering).await);
    Ok(outcome)
}

/// Another handle to the same listener, which can be closed without closing that.
fn another(listener: &TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.as_fd().try_clone_to_owned()?.into())
}

fn router() -> Router {
    Router::new().route("/health", get(health::health)).route("/ready", get(not_ready)).fallback(not_yet)
}

async fn not_ready() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "starting", "parts": [] }))).into_response()
}

async fn not_yet() -> Response {
    let refusal = Refusal::new(Code::Unavailable, "This server is starting. Try again in a few seconds.");
    let mut answer = refusal.answer(&RequestId("starting".to_owned()), MediaType::Json);
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    answer
}
