//! The axum extractor and the tower layer.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::Body,
    extract::{FromRef, FromRequestParts, OptionalFromRequestParts, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use tower::{Layer, Service};

use crate::{Claims, Verifier, VerifyError};

/// Why a request was refused, as a response: 401 with `WWW-Authenticate`, or 503 with `Retry-After`.
#[derive(Debug)]
pub enum Rejection {
    /// The request has no access token.
    Missing,
    /// The access token was not accepted.
    Refused(VerifyError),
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let (status, name, value, text) = match self {
            Self::Missing => (
                StatusCode::UNAUTHORIZED,
                header::WWW_AUTHENTICATE,
                "Bearer",
                "Send an access token as `Authorization: Bearer …`.".to_owned(),
            ),
            Self::Refused(error @ VerifyError::Invalid(_)) => (
                StatusCode::UNAUTHORIZED,
                header::WWW_AUTHENTICATE,
                "Bearer error=\"invalid_token\"",
                error.to_string(),
            ),
            // The caller cannot do anything about it, and need not know where the keys are.
            Self::Refused(VerifyError::Keys { .. }) => (
                StatusCode::SERVICE_UNAVAILABLE,
                header::RETRY_AFTER,
                "5",
                "Sign-in is unavailable. Try again in a few seconds.".to_owned(),
            ),
        };
        (status, [(name, HeaderValue::from_static(value))], text).into_response()
    }
}

/// The bearer token of a request. `None` without an `Authorization` header.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Rejection> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let token = value.to_str().ok().and_then(|text| text.split_once(' '));
    match token {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && values.next().is_none() => {
            Ok(Some(token.trim_matches(' ')))
        }
        _ => Err(Rejection::Refused(VerifyError::Invalid("not one bearer token"))),
    }
}

impl Verifier {
    /// A layer that refuses requests without a valid access token. Handlers below it read the claims with the extractor
    /// [`Claims`], which verifies nothing twice.
    #[must_use]
    pub fn layer(&self) -> VerifyLayer {
        VerifyLayer(self.clone())
    }

    async fn admit(&self, headers: &HeaderMap) -> Result<Option<Claims>, Rejection> {
        match bearer(headers)? {
            Some(token) => self.verify(token).await.map(Some).map_err(Rejection::Refused),
            None => Ok(None),
        }
    }
}

impl<S> FromRequestParts<S> for Claims
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Rejection> {
        <Self as OptionalFromRequestParts<S>>::from_request_parts(parts, state).await?.ok_or(Rejection::Missing)
    }
}

impl<S> OptionalFromRequestParts<S> for Claims
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Rejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Rejection> {
        let verifier = Verifier::from_ref(state);
        match parts.extensions.get::<Admitted>() {
            Some(Admitted { by, claims }) if Arc::ptr_eq(&by.0, &verifier.0) => Ok(Some(claims.clone())),
            _ => verifier.admit(&parts.headers).await,
        }
    }
}

/// What the layer leaves in a request. Another verifier may ask for another audience, so it does not count there.
#[derive(Clone)]
struct Admitted {
    by: Verifier,
    claims: Claims,
}

/// See [`Verifier::layer`].
#[derive(Clone, Debug)]
pub struct VerifyLayer(Verifier);

impl<S> Layer<S> for VerifyLayer {
    type Service = VerifyService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        VerifyService { verifier: self.0.clone(), inner }
    }
}

/// The service of [`VerifyLayer`].
#[derive(Clone, Debug)]
pub struct VerifyService<S> {
    verifier: Verifier,
    inner: S,
}

impl<S> Service<Request> for VerifyService<S>
where
    S: Service<Request, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let verifier = self.verifier.clone();
        // The service that is ready, not its clone, has to take the request.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            match verifier.admit(request.headers()).await {
                Ok(Some(claims)) => {
                    request.extensions_mut().insert(Admitted { by: verifier, claims });
                    inner.call(request).await
                }
                Ok(None) => Ok(Rejection::Missing.into_response()),
                Err(rejection) => Ok(rejection.into_response()),
            }
        })
    }
}
