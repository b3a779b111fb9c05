//! OAuth 2.1 for other applications: the metadata of the server here, `POST /token` in `token.rs`. `GET /authorize` is
//! one of the pages.

pub(super) mod token;

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::Server;
use crate::domain::mail::template::Locale;

/// The metadata of the server (RFC 8414). It is public, so every web page may read it.
pub(super) async fn metadata(State(server): State<Arc<Server>>) -> Response {
    let issuer = server.ctx.settings.issuer();
    let metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": Locale::ALL.map(Locale::as_str),
    });
    let headers = [
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
    ];
    (headers, Json(metadata)).into_response()
}
