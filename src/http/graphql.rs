//! `POST /graphql`: bytes, JSON, guard, viewer, execution, answer. Everything that can be refused is refused here, in
//! that order, before anything is executed or counted.

use std::{sync::Arc, time::Duration};

use async_graphql::{Request, Variables, parser::types::OperationType};
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header, request::Parts},
    response::Response,
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use tokio::time::timeout;
use tracing::Instrument;

use super::{
    Server,
    answer::{MediaType, Refusal, RequestId, executed},
    guard, stream,
    viewer::{self, Bearer, Need},
};
use crate::{
    domain::{
        Ctx,
        policy::{Origin, Viewer, network},
    },
    graphql::error::{ApiError, Code},
    ports::{Charge, Verdict},
};

pub(super) const LARGEST_BODY: usize = 16 * 1024;
/// A body that takes longer is somebody holding a connection.
const BODY_TIME: Duration = Duration::from_secs(10);

/// Handles one request. Always answers, in one shape.
pub(super) async fn handle(State(server): State<Arc<Server>>, request: axum::extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get::<RequestId>().cloned().unwrap_or_else(|| RequestId(String::new()));
    let accept = accept(&parts.headers);
    let media = MediaType::negotiate(accept.as_deref());
    let events = stream::is_wanted(accept.as_deref());
    match answer(&server, &parts, body, &id, media, events).await {
        Ok(answer) => answer,
        Err(refusal) => refusal.answer(&id, media.unwrap_or(MediaType::Json)),
    }
}

/// What the client accepts; several headers are one list.
fn accept(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::ACCEPT).iter();
    let lists: Vec<_> = values.map(|value| value.to_str().unwrap_or_default()).collect();
    (!lists.is_empty()).then(|| lists.join(","))
}

async fn answer(
    server: &Arc<Server>,
    parts: &Parts,
    body: Body,
    id: &RequestId,
    media: Option<MediaType>,
    events: bool,
) -> Result<Response, Refusal> {
    check_headers(&parts.headers)?;
    let not_acceptable =
        || Refusal::new(Code::NotAcceptable, "Accept `application/graphql-response+json` or `application/json`.");
    if media.is_none() && !events {
        return Err(not_acceptable());
    }
    let call = Call::read(&read_body(body).await?)?;
    let Checked { request, operation } = call.check(server.ctx.settings.introspection)?;
    let listens = events && operation.kind == OperationType::Subscription;
    let media = if listens { MediaType::Json } else { media.ok_or_else(not_acceptable)? };
    let viewer = identify(server, parts, id, Need::of(operation.mutation())).await?;
    if listens {
        let tie = parts.extensions.get().cloned();
        return stream::open(server, tie, id, viewer, request);
    }
    executed(execute(server, request.data(viewer), id).await?, id, media)
}

/// Runs in a task of its own: a client that hangs up cuts off the answer, never the work. Otherwise anybody could have
/// an allowance charged and the mail that it was charged for rolled back.
async fn execute(server: &Server, request: Request, id: &RequestId) -> Result<async_graphql::Response, Refusal> {
    let api = server.api.clone();
    let execution = async move { api.execute(request).await };
    match tokio::spawn(execution.in_current_span()).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(_)) => {
            tracing::error!(request_id = id.0, "an operation ran out of time");
            Err(Refusal::new(
                Code::Unavailable,
                "This took too long, or too much is under way. Try again in a few seconds.",
            ))
        }
        Err(_) => {
            tracing::error!(request_id = id.0, "a resolver panicked");
            Err(Refusal::new(Code::Internal, "Something went wrong on our side."))
        }
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (first, second) = (types.next(), types.next());
    let is_json = first.and_then(|value| value.to_str().ok()).is_some_and(is_json_in_utf8);
    if !is_json || second.is_some() {
        return Err(Refusal::new(Code::UnsupportedMediaType, "Send `Content-Type: application/json`."));
    }
    let plain = |value: &header::HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"identity");
    if !headers.get_all(header::CONTENT_ENCODING).iter().all(plain) {
        return Err(Refusal::new(Code::UnsupportedMediaType, "Send the body uncompressed."));
    }
    Ok(())
}

fn is_json_in_utf8(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    let in_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    is_json && in_utf8
}

async fn read_body(body: Body) -> Result<Bytes, Refusal> {
    match timeout(BODY_TIME, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Refusal::new(Code::DocumentTooLarge, format!("A request has at most {LARGEST_BODY} bytes.")))
        }
        Ok(Err(_)) => Err(Refusal::new(Code::BadRequest, "The body broke off.")),
        Err(_) => Err(Refusal::new(Code::Timeout, "The body came too slowly.")),
    }
}

/// A request of GraphQL over HTTP.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Call {
    query: String,
    operation_name: Option<String>,
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(rename = "extensions")]
    _extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

impl Call {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        // serde would take an array for a struct; the contract does not.
        let is_object = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let call = is_object.then(|| serde_json::from_slice(body).ok()).flatten();
        call.ok_or_else(|| {
            Refusal::new(
                Code::BadRequest,
                "Send one JSON object with `query`, and `variables` and `operationName` where needed.",
            )
        })
    }
}

/// A call about whose document nothing can be refused any more.
pub(super) struct Checked {
    /// Ready to run, as soon as it says for whom.
    pub request: Request,
    pub operation: guard::document::Operation,
}

impl Call {
    /// Both passes of the guard, with the parser between them.
    pub(super) fn check(self, introspection: bool) -> Result<Checked, Refusal> {
        guard::text::check(&self.query).map_err(|unfit| match unfit {
            guard::text::Unfit::OpenString => Refusal::new(Code::ParseFailed, guard::text::explain(unfit)),
            _ => Refusal::document(guard::text::explain(unfit)),
        })?;
        let document = async_graphql::parser::parse_query(&self.query)
            .map_err(|error| Refusal::new(Code::ParseFailed, format!("This is not GraphQL. {}", position(&error))))?;
        let mut variables =
            Variables::from_json(self.variables.map_or(serde_json::Value::Null, serde_json::Value::Object));
        let operation = guard::document::check(&document, self.operation_name.as_deref(), &mut variables)?;
        if operation.introspects && !introspection {
            return Err(Refusal::new(Code::ValidationFailed, "Introspection is off; see the published schema."));
        }
        let mut request = Request::new(String::new()).variables(variables);
        if let Some(name) = &operation.name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(document);
        Ok(Checked { request, operation })
    }
}

/// Where a document stops being GraphQL, without echoing it.
fn position(error: &async_graphql::parser::Error) -> String {
    let first = error.positions().next();
    first.map_or_else(String::new, |at| format!("See line {}, column {}.", at.line, at.column))
}

/// Who asks, charged for one operation.
async fn identify(server: &Server, parts: &Parts, id: &RequestId, need: Need) -> Result<Viewer, Refusal> {
    let ctx = &*server.ctx;
    let origin = viewer::origin(ctx, parts, &id.0);
    let bearer = if need == Need::Ignored {
        Bearer::None
    } else {
        viewer::bearer(ctx, &parts.headers).await.map_err(ApiError::from)?
    };
    charge(ctx, &origin, &bearer).await?;
    let signed_in = viewer::signed_in(ctx, &bearer, need).await.map_err(|error| {
        let mut refused = ApiError::from(error);
        if refused.code == Code::Unauthenticated {
            refused.message = "This access token is not valid any more. Refresh it or sign in again.".into();
        }
        refused
    })?;
    Ok(Viewer { origin, signed_in })
}

/// `api.caller`, counted by each process for itself: it bounds work, not guesses, and costs no round trip.
pub(super) async fn charge(ctx: &Ctx, origin: &Origin, bearer: &Bearer) -> Result<(), Refusal> {
    let quota = ctx.settings.limits.api_caller;
    let key = match bearer {
        Bearer::Claims(claims) => claims.sid.to_string(),
        _ => network(origin.ip, 64),
    };
    let charge = Charge { rule: "api.caller", key, limit: quota.count, window: quota.window, cooldown: None };
    let now = ctx.now();
    match ctx.local_limiter.take(&[charge], now).await {
        Ok(Verdict::Admitted { .. }) => Ok(()),
        Ok(Verdict::Refused { retry_at, .. }) => {
            let seconds = (retry_at - now).num_seconds() + 1;
            Err(Refusal::new(Code::RateLimited, "Too many requests.").retry_after(seconds))
        }
        Err(error) => Err(ApiError::from(crate::domain::Error::Unavailable(error.to_string())).into()),
    }
}
