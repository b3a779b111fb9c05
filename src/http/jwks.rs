//! The public keys for verifying access tokens.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::Server;

/// Returns the keys, cacheable for five minutes. A new key is published more than five minutes before it first signs a
/// token, so caches know the key by then.
pub(super) async fn get(State(server): State<Arc<Server>>) -> Response {
    let mut response = axum::Json(server.ctx.keyring.jwks()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    response
}
