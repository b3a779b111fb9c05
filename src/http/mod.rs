//! The HTTP side: the router and its layers, the listeners, the stop. The way of a GraphQL request is in `graphql`,
//! who asks in `viewer`, what people look at in `pages`.

mod account;
mod answer;
mod backpressure;
mod body;
mod documents;
mod edge;
mod graphql;
mod health;
mod host;
mod line;
mod listener;
mod memory;
mod meter;
mod metrics;
mod networks;
mod pages;
mod sampling;
mod socket;
mod starting;
mod stream;
mod tls;
mod viewer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Extension, Router,
    extract::State,
    http::{HeaderValue, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::watch, time::sleep};

use crate::{
    domain::Ctx,
    graphql::{Api, error::Code},
};
use answer::{MediaType, Refusal, RequestId};
use backpressure::UnreadCaps;
pub use listener::Caps;
pub use networks::Shares;
use sampling::LeftOut;
pub use socket::SocketCaps;
pub use starting::WaitingRoom;
pub use tls::Tls;

/// The log is told of a flood that ended within this.
const BETWEEN_SUMMARIES: Duration = Duration::from_secs(10);

/// What the handlers share.
pub struct Server {
    ctx: Arc<Ctx>,
    api: Api,
    /// What may run, where not everything may.
    trusted: Option<documents::Trusted>,
    turns: graphql::Turns,
    https: bool,
    draining: AtomicBool,
    sockets: socket::Room,
    /// Answers that are yet to be read.
    unread: backpressure::Unread,
    sampler: sampling::Sampler,
    last_outcome: health::LastOutcome,
    sessions_counted: metrics::Counted,
}

impl Server {
    /// A server over the domain.
    pub fn new(ctx: Arc<Ctx>) -> Arc<Self> {
        Self::with(ctx, SocketCaps::default())
    }

    /// With other bounds on sockets.
    pub fn with(ctx: Arc<Ctx>, caps: SocketCaps) -> Arc<Self> {
        let api = Api::new(&ctx);
        Self::build(ctx, api, caps)
    }

    /// With the API of an application that merged Doorcode's roots with its own.
    pub fn of(ctx: Arc<Ctx>, api: Api) -> Arc<Self> {
        Self::build(ctx, api, SocketCaps::default())
    }

    fn build(ctx: Arc<Ctx>, api: Api, caps: SocketCaps) -> Arc<Self> {
        let https = ctx.settings.is_https();
        let sockets = socket::Room::new(caps);
        let trusted = ctx.settings.documents.as_deref().map(|list| documents::Trusted::new(list, api.documents()));
        let draining = AtomicBool::new(false);
        let unread = backpressure::Unread::new(UnreadCaps::default());
        let sampler = sampling::Sampler::default();
        let (last_outcome, sessions_counted) = (Arc::default(), metrics::Counted::default());
        let turns = graphql::Turns::default();
        Arc::new(Self {
            ctx,
            api,
            trusted,
            turns,
            https,
            draining,
            sockets,
            unread,
            sampler,
            last_outcome,
            sessions_counted,
        })
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Everything that the public listener answers.
pub fn router(server: &Arc<Server>) -> Router {
    let settings = &server.ctx.settings;
    let pages =
        pages::Pages { brand: settings.brand.clone(), graphiql: settings.graphiql, inbox: server.ctx.inbox.is_some() };
    let shared = Router::new()
        .route("/graphql", post(graphql::handle).fallback(socket::handle))
        .route("/.well-known/jwks.json", get(jwks))
        .layer(edge::cors(settings));
    let hosts = middleware::from_fn_with_state(host::Hosts::of(settings), host::check);
    // Probes come under whatever name the machine has.
    dressed(shared.merge(pages::router(pages)).layer(hosts).merge(probes()), server)
}

/// Everything that the operations listener answers.
pub fn ops_router(server: &Arc<Server>) -> Router {
    dressed(probes().route("/metrics", get(metrics::metrics)), server)
}

fn probes() -> Router<Arc<Server>> {
    Router::new().route("/health", get(health::health)).route("/ready", get(health::ready))
}

fn dressed(routes: Router<Arc<Server>>, server: &Arc<Server>) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(Arc::clone(server), edge::wrap))
        .with_state(Arc::clone(server))
}

async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::NotFound, "There is nothing here.").answer(&id, MediaType::Json)
}

async fn method_not_allowed(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::MethodNotAllowed, "This method does not work here.").answer(&id, MediaType::Json)
}

/// The public keys. Caches may keep them for as long as a new key is published before it signs.
async fn jwks(State(server): State<Arc<Server>>) -> Response {
    let mut answer = axum::Json(server.ctx.keyring.jwks()).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    answer
}

/// Serves both listeners until `stop` says so. Readiness goes first, then the public listener finishes what it took;
/// the operations listener answers until that is done. Only the public one speaks TLS.
pub async fn serve(
    caps: Caps,
    tls: Option<Arc<Tls>>,
    server: Arc<Server>,
    public: TcpListener,
    ops: TcpListener,
    mut stop: watch::Receiver<bool>,
) {
    let ground = listener::Ground {
        caps: &caps,
        trusted: &server.ctx.settings.trusted_proxies,
        metrics: &server.ctx.metrics,
        answers: server.unread.all(),
    };
    let (drained, mut when_drained) = watch::channel(false);
    let told = async {
        // An error means that whoever would tell us is gone, which is a stop as well.
        drop(stop.wait_for(|stop| *stop).await);
        server.draining.store(true, Ordering::Relaxed);
    };
    let public = async {
        listener::run(public, tls.as_ref(), router(&server), ground, told).await;
        drained.send_replace(true);
    };
    let ops = listener::run(ops, None, ops_router(&server), ground, async move {
        drop(when_drained.wait_for(|drained| *drained).await);
    });
    let tell = async {
        loop {
            sleep(BETWEEN_SUMMARIES).await;
            server.sampler.turn(server.ctx.now()).into_iter().for_each(LeftOut::log);
        }
    };
    tokio::select! {
        _ = async { tokio::join!(public, ops) } => {}
        () = tell => {}
    }
    server.sampler.end().into_iter().for_each(LeftOut::log);
}
