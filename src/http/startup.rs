//! What is answered before there is anything to serve with: alive, not ready, come back. So nobody has to start things
//! in an order, and whoever asks meanwhile is neither kept waiting nor refused without a word.

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
        response::{MediaType, Refusal, RequestId},
        server,
    },
    observability::metrics::Metrics,
    settings::Settings,
};

/// How long callers of the API wait for the start before they are told of it.
const MOMENT: Duration = Duration::from_secs(3);
/// How long what was asked last before the start may take.
const LAST: Duration = Duration::from_secs(1);

/// Where callers wait.
pub struct WaitingRoom {
    router: Router,
    trusted: Vec<IpNet>,
}

impl WaitingRoom {
    /// One whose answers look like those of the server that starts.
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

    /// Answers on both listeners until `start` is done, whatever comes of it.
    pub async fn while_starting<T>(
        &self,
        (public, tls): (&TcpListener, Option<&Arc<Tls>>),
        ops: &TcpListener,
        start: impl Future<Output = T>,
    ) -> io::Result<T> {
        let (started, when_started) = watch::channel(false);
        let (public, ops) = (another(public)?, another(ops)?);
        let (caps, metrics, answers) = (Caps::default(), Metrics::default(), Pool::new(usize::MAX));
        let ground = server::Ground { caps: &caps, trusted: &self.trusted, metrics: &metrics, answers: &answers };
        let told = |mut when_started: watch::Receiver<bool>| async move {
            drop(when_started.wait_for(|started| *started).await);
        };
        let answer = |listener, tls, told| server::run(listener, tls, self.router.clone(), ground, told);
        let public = async {
            // Whoever calls in the moment that a start takes is served by what starts: a proxy has sent them here already.
            tokio::select! {
                () = sleep(MOMENT) => {}
                () = told(when_started.clone()) => return,
            }
            answer(public, tls, told(when_started.clone())).await;
        };
        let ops = answer(ops, None, told(when_started.clone()));
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
}

/// Another handle to the same listener, which can be closed without closing that.
fn another(listener: &TcpListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.as_fd().try_clone_to_owned()?.into())
}

async fn not_ready() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "starting", "parts": [] }))).into_response()
}

async fn not_yet(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::Unavailable, "This server is starting. Try again in a few seconds.").answer(&id, MediaType::Json)
}
