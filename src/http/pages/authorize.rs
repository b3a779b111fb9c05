//! `GET /authorize`: the page on which a user signs in to another application. It is the page of `sign-in` with the
//! request of the application in it, and stores nothing: each tab has its own request in its URL. The answer of the user
//! is a `POST` of the page to `/pages/authorize`, with an access token and the account that the page shows. So a cookie
//! alone approves nothing, and nobody approves as a user whom they did not see.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    HARDENING, PAGE_POLICY,
    assets::Files,
    guard,
    session::refuse,
    shell::{self, PageFacts, Script},
    theme::Look,
};
use crate::{
    domain::{
        Ctx, Wait,
        access::{Origin, Viewer},
        client::{
            code::{self, Approval},
            request::{self, Refused},
        },
        mail::template::Locale,
    },
    error::Result,
    graphql::error::{ApiError, Code},
    http::{
        Server, admitted, body,
        caller::{self, Bearer, BearerPolicy, language, meter::Meter},
        middleware::DENY_ALL_POLICY,
        request_outcome::RequestOutcome,
        response::{Refusal, RequestId},
    },
};

/// Maximum length of a `login_hint`, which is an email address.
const LONGEST_HINT: usize = 254;

/// Shows the page, or sends the browser back with an error.
pub(super) async fn show(server: Arc<Server>, page: Arc<(Files, Look)>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let mut record = RequestOutcome::of("authorize");
    let mut locale = language::accepted(&parts.headers);
    let (status, asked, seconds) = match read(&server, &parts).await {
        Ok(Ok(asked)) => {
            locale = asked.ui_locales.iter().find_map(|tag| Locale::of_tag(tag)).or(locale);
            (StatusCode::OK, shown(&server.ctx, asked), None)
        }
        Ok(Err(Refused::Unknown)) => {
            record.record_result("UnknownClient");
            (StatusCode::BAD_REQUEST, json!({ "problem": "UNKNOWN" }), None)
        }
        Ok(Err(Refused::Redirect(url))) => {
            record.record_result("Refused");
            let mut response = redirect(&url);
            record.attach_to(&mut response);
            return response;
        }
        Err(refusal) => {
            record.record_refusal(refusal.code());
            (refusal.status(), json!({ "problem": "BUSY" }), refusal.seconds())
        }
    };
    let inbox = server.ctx.inbox.is_some();
    let locale = locale.unwrap_or(Locale::En);
    let (files, look) = &*page;
    let facts = PageFacts { settings: &server.ctx.settings, look, scopes: &[], inbox, asked: Some(&asked) };
    let html = shell::render(&facts, files, Script::Page, locale);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::VARY, "accept-language"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
    ];
    let mut response = (status, HARDENING, headers, html).into_response();
    if let Some(seconds) = seconds {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    record.attach_to(&mut response);
    response
}

async fn read(server: &Arc<Server>, parts: &Parts) -> Result<Result<request::Request, Refused>, Refusal> {
    let origin = caller::origin(parts, &RequestId::of(parts).0);
    Meter::of(&server.ctx, &origin, &Bearer::None).charge(&server.ctx).await?;
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let work = {
        let server = Arc::clone(server);
        async move { server.api.admit(Box::pin(request::read(&server.ctx, &query))).await }
    };
    admitted::run(server, work).await?.map_err(|error| ApiError::from(error).into())
}

/// What `web/src/shell.ts` reads as `authorize`.
fn shown(ctx: &Ctx, asked: request::Request) -> Value {
    json!({
        "client": { "name": asked.client.name, "logo": asked.client.logo },
        "loginHint": asked.login_hint.filter(|hint| hint.len() <= LONGEST_HINT),
        "needsSignIn": asked.needs_sign_in,
        // The time of the server, to tell a sign-in for this request from an earlier one.
        "at": ctx.now().timestamp(),
    })
}

fn redirect(url: &str) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store"), (header::CONTENT_SECURITY_POLICY, DENY_ALL_POLICY)];
    let mut response = (StatusCode::SEE_OTHER, HARDENING, headers).into_response();
    if let Ok(location) = HeaderValue::from_str(url) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// The body of `POST /pages/authorize`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Answer {
    /// The query of the page.
    query: String,
    /// What the user chose.
    approve: bool,
    /// The id of the user whose address the page shows, as in `sub`. Another tab may have signed another user in since.
    account: Option<Uuid>,
}

enum Answered {
    Redirect(SecretString),
    /// The client or the redirect URI is unknown, or something else is wrong that the page would have shown.
    Invalid,
    SignInAgain,
    OtherAccount,
    Wait(Wait),
}

/// Takes the answer of the user. Returns the URL that leads back to the application.
pub(super) async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut record = RequestOutcome::of("authorize");
    let answered = async {
        guard::check(&server.ctx.settings, &parts.headers)?;
        let origin = caller::origin(&parts, &RequestId::of(&parts).0);
        let bearer = caller::bearer(&server.ctx, &parts.headers).await.map_err(ApiError::from)?;
        record.session = bearer.session();
        Meter::of(&server.ctx, &origin, &bearer).charge(&server.ctx).await?;
        body::check_json(&parts.headers)?;
        let wrong = |_| Refusal::new(Code::BadRequest, "Send one JSON object with `query`, `approve` and `account`.");
        let answer: Answer = serde_json::from_slice(&body::read(body).await?).map_err(wrong)?;
        let work = {
            let server = Arc::clone(&server);
            async move { server.api.admit(Box::pin(decide(&server.ctx, origin, bearer, answer))).await }
        };
        admitted::run(&server, work).await?.map_err(|error| Refusal::from(ApiError::from(error)))
    };
    let mut response = match answered.await {
        Ok(Answered::Redirect(url)) => Json(json!({ "redirect": url.expose_secret() })).into_response(),
        Ok(Answered::Invalid) => {
            refuse(Refusal::new(Code::BadRequest, "This request cannot be approved."), &parts, &mut record)
        }
        Ok(Answered::SignInAgain) => {
            let refusal = Refusal::new(Code::ReauthenticationRequired, "The application asks for a new sign-in.");
            refuse(refusal, &parts, &mut record)
        }
        Ok(Answered::OtherAccount) => {
            refuse(Refusal::new(Code::Conflict, "Another user is signed in now."), &parts, &mut record)
        }
        Ok(Answered::Wait(wait)) => refuse(Refusal::wait(&wait), &parts, &mut record),
        Err(refusal) => refuse(refusal, &parts, &mut record),
    };
    record.attach_to(&mut response);
    response
}

async fn decide(ctx: &Ctx, origin: Origin, bearer: Bearer, answer: Answer) -> Result<Answered> {
    let Ok(asked) = request::read(ctx, &answer.query).await? else { return Ok(Answered::Invalid) };
    if !answer.approve {
        return Ok(Answered::Redirect(asked.denied(ctx)?.into()));
    }
    let principal = caller::principal(ctx, bearer, BearerPolicy::Strict).await?;
    let viewer = Viewer::new(origin, principal);
    let person = viewer.person()?;
    if answer.account != Some(person.user().id) {
        return Ok(Answered::OtherAccount);
    }
    Ok(match code::approve(ctx, person, &asked).await? {
        Approval::Redirect(url) => Answered::Redirect(url),
        Approval::SignInAgain => Answered::SignInAgain,
        Approval::Wait(wait) => Answered::Wait(wait),
    })
}
