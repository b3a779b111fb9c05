//! `POST /token`: a client exchanges an authorization code or a refresh token for tokens (RFC 6749, 4.1.3 and 6). Bodies
//! are form-encoded. All errors of this handler have the shape of RFC 6749, 5.2, also a rate limit or an outage.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use uuid::Uuid;

use crate::{
    domain::{
        Ctx, Wait,
        access::Origin,
        client::{
            self,
            code::{self, Presented, Redeemed},
            params::Params,
        },
        session::refresh::{self, Refreshed},
        token,
    },
    error::Result,
    graphql::error::{ApiError, Code},
    http::{
        Server, admitted, body,
        caller::{self, Bearer, meter::Meter},
        request_outcome::RequestOutcome,
        response::{Refusal, RequestId},
    },
    settings::clients::Client,
};

/// An error response.
struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
    retry_after: Option<i64>,
}

impl Refused {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into(), retry_after: None }
    }

    fn wait(wait: &Wait) -> Self {
        Refusal::wait(wait).into()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let error = match refusal.code() {
            Code::RateLimited | Code::Unavailable => "temporarily_unavailable",
            Code::Internal => "server_error",
            _ => "invalid_request",
        };
        let (status, retry_after) = (refusal.status(), refusal.seconds());
        Self { status, error, description: refusal.message().to_owned(), retry_after }
    }
}

/// The tokens of a response.
struct Granted {
    access_token: SecretString,
    refresh_token: SecretString,
    expires_in: i64,
    user: Uuid,
    session: Uuid,
}

/// A response, and the client that it is for, if it is known.
struct Exchanged {
    client: Option<Client>,
    outcome: std::result::Result<Granted, Refused>,
}

impl From<Refusal> for Exchanged {
    fn from(refusal: Refusal) -> Self {
        Self { client: None, outcome: Err(refusal.into()) }
    }
}

/// Handles `POST /token`.
pub(in crate::http) async fn post(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut record = RequestOutcome::of("token");
    let read = async {
        let origin = caller::origin(&parts, &RequestId::of(&parts).0);
        Meter::of(&server.ctx, &origin, &Bearer::None).charge(&server.ctx).await?;
        body::check_form(&parts.headers)?;
        let body = body::read(body).await?;
        let wrong = |_| Refusal::new(Code::BadRequest, "The body is not UTF-8.");
        let params = Params::parse(std::str::from_utf8(&body).map_err(wrong)?);
        let work = {
            let (server, headers) = (Arc::clone(&server), parts.headers.contains_key(header::AUTHORIZATION));
            async move { server.api.admit(Box::pin(exchange(&server.ctx, &origin, &params, headers))).await }
        };
        admitted::run(&server, work).await?.map_err(|error| Refusal::from(ApiError::from(error)))
    };
    let Exchanged { client, outcome } = read.await.unwrap_or_else(Exchanged::from);
    let mut response = match outcome {
        Ok(granted) => {
            (record.user, record.session) = (Some(granted.user), Some(granted.session));
            grant(&granted)
        }
        Err(refused) => {
            record.record_result(refused.error);
            refuse(&refused)
        }
    };
    share(&server, client.as_ref(), &parts, &mut response);
    record.attach_to(&mut response);
    response
}

async fn exchange(ctx: &Ctx, origin: &Origin, params: &Params, has_authorization: bool) -> Result<Exchanged> {
    let unknown =
        |description: &str| Ok(Exchanged { client: None, outcome: Err(Refused::new("invalid_client", description)) });
    if has_authorization {
        let why = "Clients have no secret. Send `client_id` in the body, and no `Authorization` header.";
        let refused = Refused { status: StatusCode::UNAUTHORIZED, ..Refused::new("invalid_client", why) };
        return Ok(Exchanged { client: None, outcome: Err(refused) });
    }
    let Some(id) = params.get("client_id") else { return unknown("`client_id` is missing.") };
    let Some(client) = client::find(ctx, id).await? else { return unknown("This client is not registered.") };
    let outcome = if params.repeat() {
        Err(Refused::new("invalid_request", "A parameter was sent twice."))
    } else {
        match params.get("grant_type") {
            Some("authorization_code") => by_code(ctx, origin, &client, params).await?,
            Some("refresh_token") => by_refresh_token(ctx, origin, &client, params).await?,
            Some(_) => {
                let known = "`grant_type` must be `authorization_code` or `refresh_token`.";
                Err(Refused::new("unsupported_grant_type", known))
            }
            None => Err(missing("grant_type")),
        }
    };
    Ok(Exchanged { client: Some(client), outcome })
}

type Outcome = std::result::Result<Granted, Refused>;

async fn by_code(ctx: &Ctx, origin: &Origin, client: &Client, params: &Params) -> Result<Outcome> {
    let Some(code) = params.get("code") else { return Ok(Err(missing("code"))) };
    let Some(redirect_uri) = params.get("redirect_uri") else { return Ok(Err(missing("redirect_uri"))) };
    let Some(verifier) = params.get("code_verifier") else { return Ok(Err(missing("code_verifier"))) };
    Ok(match code::redeem(ctx, origin, Presented { client, code, redirect_uri, verifier }).await? {
        Redeemed::Opened(opened) => Ok(tokens(ctx, client, &opened)?),
        Redeemed::Refused => {
            let why = "The code is unknown, expired or used, or was made for another client, redirect URI or verifier.";
            Err(Refused::new("invalid_grant", why))
        }
        Redeemed::Wait(wait) => Err(Refused::wait(&wait)),
    })
}

async fn by_refresh_token(ctx: &Ctx, origin: &Origin, client: &Client, params: &Params) -> Result<Outcome> {
    let Some(token) = params.get("refresh_token") else { return Ok(Err(missing("refresh_token"))) };
    Ok(match refresh::refresh(ctx, origin, token, Some(&client.id)).await? {
        refresh::Outcome::Refreshed(refreshed) => Ok(tokens(ctx, client, &refreshed)?),
        refresh::Outcome::Ended => Err(Refused::new("invalid_grant", "The session is over.")),
        refresh::Outcome::Wait(wait) => Err(Refused::wait(&wait)),
    })
}

fn missing(parameter: &str) -> Refused {
    Refused::new("invalid_request", format!("`{parameter}` is missing."))
}

fn tokens(ctx: &Ctx, client: &Client, session: &Refreshed) -> Result<Granted> {
    let now = ctx.now();
    let Refreshed { signed_in, methods, token: refresh_token } = session;
    let audience = client.audience.as_deref().unwrap_or(&ctx.settings.tokens.audience);
    let (access_token, expires_at) = token::sign_for(ctx, signed_in, methods, audience, now)?;
    Ok(Granted {
        access_token,
        refresh_token: refresh_token.reveal(),
        expires_in: (expires_at - now).num_seconds(),
        user: signed_in.user.id,
        session: signed_in.session.id,
    })
}

fn grant(granted: &Granted) -> Response {
    let body = json!({
        "access_token": granted.access_token.expose_secret(),
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "refresh_token": granted.refresh_token.expose_secret(),
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

fn refuse(refused: &Refused) -> Response {
    let body = json!({ "error": refused.error, "error_description": refused.description });
    let mut response = (refused.status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
    if refused.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    }
    if let Some(seconds) = refused.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Lets a page of the client read the response, and pages of the origins in the settings. A preflight is not answered,
/// because a form-encoded request needs none.
fn share(server: &Server, client: Option<&Client>, parts: &Parts, response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    let Some(value) = parts.headers.get(header::ORIGIN) else { return };
    let is_known = |origin: &str| {
        client.is_some_and(|client| client.has_origin(origin)) || server.ctx.settings.cors_origins.allow(origin)
    };
    if value.to_str().is_ok_and(is_known) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("date, retry-after"));
    }
}
