//! The HTTP server: its routes, and the middleware that all requests pass.

mod access_log;
mod admitted;
mod body;
mod caller;
mod graphql;
mod health;
mod host;
mod jwks;
mod metrics;
mod middleware;
mod networks;
mod oauth;
mod pages;
mod request_outcome;
mod response;
mod serve;
mod server;
mod startup;
mod state;
mod tally;

use std::sync::Arc;

use axum::{
    Extension, Router,
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};

use crate::{domain::credential::api_key, graphql::error::Code, settings::Settings};
pub use graphql::websocket::SocketCaps;
pub use networks::Shares;
use response::{Refusal, RequestId, accept::MediaType};
pub use serve::serve;
pub use server::{Caps, tls::Tls};
pub use startup::WaitingRoom;
pub use state::Server;

/// The routes of the public listener.
///
/// | path | what |
/// | --- | --- |
/// | `/graphql` | the API: `POST`, or a WebSocket upgrade |
/// | `/`, `/sign-in`, `/register`, `/reset`, `/account` | sign-in and account |
/// | `/admin` | the console for administrators, if enabled |
/// | `/authorize`, `/pages/authorize` | sign-in to other applications: the page, and the answer of the user |
/// | `/token` | tokens for other applications: `POST` |
/// | `/pages/session` | the session of the pages in a cookie: `POST` and `DELETE`, only from our own pages |
/// | `/graphiql`, `/inbox` | `GraphiQL` and the development inbox, if enabled |
/// | `/theme/colours.css`, `/theme/logo` | the colours and the logo of the operator, if set |
/// | `/assets/…`, `/favicon.svg`, `/favicon.ico` | the files of the pages |
/// | `/.well-known/oauth-authorization-server` | what other applications need to know |
/// | `/.well-known/jwks.json` | the public keys of the access tokens |
/// | `/.well-known/change-password` | a redirect to the form for a new password, if passwords are enabled |
/// | `/health`, `/ready` | probes, also on the operations listener |
pub fn router(server: &Arc<Server>) -> Router {
    let settings = &server.ctx.settings;
    let api = Router::new()
        .route("/graphql", post(graphql::handle).fallback(graphql::other))
        .route("/.well-known/jwks.json", get(jwks::get))
        .layer(middleware::cors(settings));
    let hosts = from_fn_with_state(host::Hosts::of(settings), host::check);
    // Health probes may use any name of this machine, so the host check does not apply to their routes.
    let pages = pages::router(settings, &api_key::manage::all_scopes(&server.ctx), server.ctx.inbox.is_some());
    let pages = pages.merge(pages::requests(server));
    let public = api.merge(oauth(settings)).merge(pages).layer(hosts).merge(probes());
    with_middleware(public, server)
}

/// The endpoints for other applications. The metadata of an issuer with a path are where RFC 8414 puts them.
fn oauth(settings: &Settings) -> Router<Arc<Server>> {
    let path = settings.public_url.path().trim_end_matches('/');
    let router = Router::new().route("/token", post(oauth::token::post)).route(METADATA, get(oauth::metadata));
    if path.is_empty() { router } else { router.route(&format!("{METADATA}{path}"), get(oauth::metadata)) }
}

const METADATA: &str = "/.well-known/oauth-authorization-server";

/// The routes of the operations listener.
pub fn ops_router(server: &Arc<Server>) -> Router {
    with_middleware(probes().route("/metrics", get(metrics::metrics)), server)
}

fn probes() -> Router<Arc<Server>> {
    Router::new().route("/health", get(health::health)).route("/ready", get(health::ready))
}

fn with_middleware(routes: Router<Arc<Server>>, server: &Arc<Server>) -> Router {
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(server), middleware::wrap))
        .with_state(Arc::clone(server))
}

async fn not_found(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::NotFound, "Not found.").respond(&id, MediaType::Json)
}

async fn method_not_allowed(Extension(id): Extension<RequestId>) -> Response {
    Refusal::new(Code::MethodNotAllowed, "This method isn't supported here.").respond(&id, MediaType::Json)
}
