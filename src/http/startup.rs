//! Responds to requests before startup completes, so that services can start in any order. Liveness probes succeed,
//! readiness probes fail, and API callers are asked to try again.

use std::{io, os::fd::AsFd, sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    http::StatusCode,
    middleware::from_fn_with_state,
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

use super::server::memory::Pool;
use crate::{
    graphql::error::Code,
    http::{
        Caps, Tls, health, middleware,
        response::{Refusal, RequestId, accept::MediaType},
        server,
    },
    observability::metrics::Metrics,
    settings::Settings,
};

/// How long API callers wait for startup before they get an error.
const STARTUP_GRACE: Duration = Duration::from_secs(3);
/// How long requests to this module may continue after startup completes.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves both listeners during startup.
pub struct WaitingRoom {
    router: Router,
    trusted: Vec<IpNet>,
}

impl WaitingRoom {
    /// Uses the same headers and CORS rules as the real server.
    pub fn new(settings: &Settings) -> Self {
        let router = Router::new()
            .route("/health", get(health::health))
            .route("/ready", get(not_ready))
            .fallback(not_yet)
            .method_not_allowed_fallback(not_yet)
            .layer(middleware::cors(settings))
            .layer(from_fn_with_state(settings.is_https(), middleware::wrap_early));
        Self { router, trusted: settings.trusted_proxies.clone() }
    }

    /// Runs `start`, and responds on both listeners until `start` completes, successfully or not.
    pub async fn while_starting<T>(
        &self,
        (public, tls): (&TcpListener, Option<&Arc<Tls>>),
        ops: &TcpListener,
        start: impl Future<Output = T>,
    ) -> io::Result<T> {
        let (started, when_started) = watch::channel(false);
        let (public, ops) = (clone_listener(public)?, clone_listener(ops)?);
        let (caps, metrics, responses) = (Caps::default(), Metrics::default(), Pool::new(usize::MAX));
        let context =
            server::ListenerContext { caps: &caps, trusted: &self.trusted, metrics: &metrics, responses: &responses };
        let stop_signal = |mut when_started: watch::Receiver<bool>| async move {
            drop(when_started.wait_for(|started| *started).await);
        };
        let response =
            |listener, tls, stop_signal| server::run(listener, tls, self.router.clone(), context, stop_signal);
        let public = async {
            // Don't respond on the public listener at once, because a proxy may already send traffic here. If startup
            // is fast, the real server responds to the waiting callers.
            tokio::select! {
                () = sleep(STARTUP_GRACE) => {}
                () = stop_signal(when_started.clone()) => return,
            }
            response(public, tls, stop_signal(when_started.clone())).await;
        };
        let ops = response(ops, None, stop_signal(when_started.clone()));
        let answering = async { tokio::join!(public, ops) };
        let mut answering = std::pin::pin!(answering);
        let outcome = tokio::select! {
            outcome = start => outcome,
            // The listeners run until `started` is set, so they cannot end first.
            _ = &mut answering => std::future::pending().await,
        };
        started.send_replace(true);
        drop(timeout(DRAIN_TIMEOUT, answering).await);
        Ok(outcome)
    }
}

/// Creates a second handle to the same listener, so that it can be closed without closing the listener itself.
fn clone_listener(listener: &TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.as_fd().try_clone_to_owned()?.into())
}

async fn not_ready() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "starting", "parts": [] }))).into_response()
}

async fn not_yet(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::Unavailable, "The server is starting. Try again in a few seconds.").respond(&id, MediaType::Json)
}
