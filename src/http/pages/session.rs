//! `/pages/session`: the session of the pages, one for each browser. A cookie that scripts cannot read holds its refresh
//! token, and nothing except these two handlers reads that cookie.
//!
//! | request | response |
//! | --- | --- |
//! | `POST` with `{"refreshToken": "…"}`, right after a sign-in | 200 with [`PageSession`]; sets the cookie |
//! | `POST` with `{}`, after a reload and before the access token expires | 200 with [`PageSession`]; sets the cookie |
//! | `POST` without a session, or when it has ended | 204; clears the cookie |
//! | `DELETE`, to sign out | 204; ends the session and clears the cookie |
//!
//! Requests need `X-Doorcode: 1`, and `POST` needs `Content-Type: application/json`. Errors have the shape of GraphQL
//! errors: 403 `FORBIDDEN`, 429 `RATE_LIMITED` with `Retry-After`, 503 `UNAVAILABLE`. A fault leaves the cookie as it
//! is, except at `DELETE`. Each `POST` replaces the token in the cookie; for ten seconds the earlier cookie gets the same
//! new one. So a page should send `POST` with `keepalive: true`: if the tab closes and the browser misses the new cookie,
//! the earlier one ends the session later.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    cookie::{Sent, SessionCookie},
    guard,
};
use crate::{
    domain::{
        Ctx, Wait,
        access::Origin,
        session::refresh::{self, Refreshed},
        token,
    },
    error::Result,
    graphql::error::{ApiError, Code},
    http::{
        Server, admitted, body,
        caller::{self, Bearer, meter::Meter},
        request_outcome::RequestOutcome,
        response::{Refusal, RequestId, accept::MediaType},
    },
};

/// The body of `POST`.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Handover {
    /// The refresh token of a sign-in. Without it, the cookie is used.
    refresh_token: Option<String>,
}

/// The session in a response. It has no refresh token: that is in the cookie.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageSession {
    access_token: String,
    token_type: &'static str,
    /// The time at which the access token expires.
    expires_at: DateTime<Utc>,
    /// The time at which the session ends unless it is refreshed.
    refresh_expires_at: DateTime<Utc>,
    /// Whether the session outlives the browser.
    remembered: bool,
    #[serde(skip)]
    cookie: Option<HeaderValue>,
    #[serde(skip)]
    user: Uuid,
    #[serde(skip)]
    session: Uuid,
}

/// The result of `POST`.
enum Opened {
    Session(Box<PageSession>),
    /// There is no session, or it has ended.
    Nobody,
    Wait(Wait),
}

/// Gives the page a new access token. Either the body has the refresh token of a sign-in, which moves into the cookie,
/// or the cookie has it already. In both cases the token is replaced, so the value in the cookie is one that no script
/// has ever seen. Without a session the response is 204.
pub(super) async fn open(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let cookie = SessionCookie::of(&server.ctx.settings);
    let mut record = RequestOutcome::of("openPageSession");
    let opened = async {
        let origin = admit(&server, &parts).await?;
        body::check_json(&parts.headers)?;
        let body = body::read(body).await?;
        let Handover { refresh_token } = handover(&body)?;
        let handed = refresh_token.map(SecretString::from);
        let (token, replaced) = match (handed, kept(&cookie, &parts.headers)?) {
            (Some(token), replaced) => (token, replaced),
            (None, Some(token)) => (token, None),
            (None, None) => return Ok(Opened::Nobody),
        };
        let work = {
            let server = Arc::clone(&server);
            async move { server.api.admit(Box::pin(exchange(&server.ctx, &origin, &token, replaced))).await }
        };
        admitted::run(&server, work).await?.map_err(|error| ApiError::from(error).into())
    };
    let mut response = match opened.await {
        Ok(Opened::Session(mut opened)) => {
            (record.user, record.session) = (Some(opened.user), Some(opened.session));
            let cookie = opened.cookie.take();
            with_cookie(Json(opened).into_response(), cookie)
        }
        Ok(Opened::Nobody) => {
            record.record_result("SessionEnded");
            let sent = parts.headers.contains_key(header::COOKIE);
            with_cookie(StatusCode::NO_CONTENT.into_response(), cookie.clear().filter(|_| sent))
        }
        Ok(Opened::Wait(wait)) => refuse(Refusal::wait(&wait), &parts, &mut record),
        Err(refusal) => refuse(refusal, &parts, &mut record),
    };
    record.attach_to(&mut response);
    response
}

/// Ends the session in the cookie and clears the cookie, even if the session could not be ended.
pub(super) async fn end(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let cookie = SessionCookie::of(&server.ctx.settings);
    let mut record = RequestOutcome::of("endPageSession");
    let origin = match admit(&server, &parts).await {
        Ok(origin) => origin,
        Err(refusal) => return refuse(refusal, &parts, &mut record),
    };
    let ended = async {
        let Some(token) = kept(&cookie, &parts.headers)? else { return Ok(()) };
        let work = {
            let server = Arc::clone(&server);
            async move {
                let ended = refresh::sign_out(&server.ctx, &origin, token.expose_secret());
                server.api.admit(Box::pin(ended)).await
            }
        };
        admitted::run(&server, work).await?.map(drop).map_err(|error| ApiError::from(error).into())
    };
    let response = match ended.await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refuse(refusal, &parts, &mut record),
    };
    let mut response = with_cookie(response, cookie.clear());
    record.attach_to(&mut response);
    response
}

/// Checks that one of our pages sent the request, and charges its network. Returns where it comes from.
async fn admit(server: &Server, parts: &Parts) -> Result<Origin, Refusal> {
    guard::check(&server.ctx.settings, &parts.headers)?;
    let origin = caller::origin(parts, &RequestId::of(parts).0);
    Meter::of(&server.ctx, &origin, &Bearer::None).charge(&server.ctx).await?;
    Ok(origin)
}

fn handover(body: &Bytes) -> Result<Handover, Refusal> {
    let wrong = |_| Refusal::new(Code::BadRequest, "Send one JSON object with `refreshToken`, or an empty object.");
    serde_json::from_slice(body).map_err(wrong)
}

fn kept(cookie: &SessionCookie, headers: &HeaderMap) -> Result<Option<SecretString>, Refusal> {
    match cookie.read(headers) {
        Sent::None => Ok(None),
        Sent::Token(token) => Ok(Some(token)),
        Sent::Several => {
            let message =
                "The browser sent the session cookie twice. Delete the cookies of this site and sign in again.";
            Err(Refusal::new(Code::BadRequest, message))
        }
    }
}

/// Replaces the refresh token and signs an access token. Two statements and one limiter call. If the browser held
/// another session, two more statements end that one: nothing could use it any longer.
async fn exchange(ctx: &Ctx, origin: &Origin, token: &SecretString, replaced: Option<SecretString>) -> Result<Opened> {
    let refreshed = refresh::refresh(ctx, origin, token.expose_secret(), None).await?;
    let Refreshed { signed_in, methods, token } = match refreshed {
        refresh::Outcome::Refreshed(refreshed) => *refreshed,
        refresh::Outcome::Ended => return Ok(Opened::Nobody),
        refresh::Outcome::Wait(wait) => return Ok(Opened::Wait(wait)),
    };
    let session = &signed_in.session;
    if let Some(replaced) = replaced {
        refresh::replace(ctx, origin, replaced.expose_secret(), session.id).await?;
    }
    let now = ctx.now();
    let (access_token, expires_at) = token::sign(ctx, &signed_in, &methods, now)?;
    let lasts = session.remembered.then(|| session.idle_expires_at - now);
    let page_session = PageSession {
        access_token: access_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_at,
        refresh_expires_at: session.idle_expires_at,
        remembered: session.remembered,
        cookie: SessionCookie::of(&ctx.settings).set(&token.reveal(), lasts),
        user: signed_in.user.id,
        session: session.id,
    };
    Ok(Opened::Session(Box::new(page_session)))
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    if let Some(cookie) = cookie {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

pub(super) fn refuse(refusal: Refusal, parts: &Parts, record: &mut RequestOutcome) -> Response {
    record.record_refusal(refusal.code());
    refusal.respond(&RequestId::of(parts), MediaType::Json)
}
