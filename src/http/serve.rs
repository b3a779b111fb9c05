//! Runs the public listener and the operations listener until shutdown.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch, time::sleep};

use super::{Caps, Server, Tls, access_log::sampling::Skipped, ops_router, router, server as listener};

/// How often to log the number of requests that the access log left out.
const SUMMARY_INTERVAL: Duration = Duration::from_secs(10);

/// Serves both listeners until `stop` becomes true. Shutdown has three steps: readiness fails, the public listener
/// finishes its requests, and the operations listener stops. Only the public listener uses TLS.
pub async fn serve(
    caps: Caps,
    tls: Option<Arc<Tls>>,
    server: Arc<Server>,
    public: TcpListener,
    ops: TcpListener,
    mut stop: watch::Receiver<bool>,
) {
    let context = listener::ListenerContext {
        caps: &caps,
        trusted: &server.ctx.settings.trusted_proxies,
        metrics: &server.ctx.metrics,
        responses: server.unread.all(),
    };
    let (drained, mut when_drained) = watch::channel(false);
    let stop_signal = async {
        // If the sender of `stop` is dropped, stop too.
        drop(stop.wait_for(|stop| *stop).await);
        server.draining.store(true, Ordering::Relaxed);
    };
    let public = async {
        listener::run(public, tls.as_ref(), router(&server), context, stop_signal).await;
        drained.send_replace(true);
    };
    let ops = listener::run(ops, None, ops_router(&server), context, async move {
        drop(when_drained.wait_for(|drained| *drained).await);
    });
    let summaries = async {
        loop {
            sleep(SUMMARY_INTERVAL).await;
            server.sampler.rotate(server.ctx.now()).into_iter().for_each(Skipped::log);
        }
    };
    tokio::select! {
        _ = async { tokio::join!(public, ops) } => {}
        () = summaries => {}
    }
    server.sampler.end().into_iter().for_each(Skipped::log);
}
