//! `POST /graphql`: reads the body, identifies and charges the caller, parses and checks the document, executes the
//! operation and sends the response. All checks run in this order before the operation is executed.

mod call;
mod incoming;
pub(super) mod recent_documents;
pub(super) mod sse;
pub(super) mod trusted_documents;
pub(super) mod turns;
pub(super) mod websocket;

use std::{net::IpAddr, sync::Arc};

use async_graphql::{Request, parser::types::OperationType};
use axum::{
    Extension,
    body::{Body, HttpBody as _},
    extract::{self, State},
    http::{HeaderMap, Method, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tracing::Instrument;
use url::form_urlencoded;

use self::{
    call::{Call, DocumentRef},
    incoming::{Incoming, receive},
};
use super::{
    Server, admitted, body,
    caller::{self, Bearer, BearerPolicy, meter::Meter},
    request_outcome::{self, RequestOutcome},
    response::{
        MAX_RESPONSE, Refusal, RequestId,
        accept::{MediaType, accepts_html},
        executed,
    },
};
use crate::{
    domain::{
        access::{Origin, Viewer},
        audit,
    },
    error::Error,
    graphql::{
        document::{Document, Operation},
        error::{ApiError, Code},
    },
    observability::spans,
    settings::{DocumentId, Mode, Settings, document_id, parse_id},
};
pub(super) use incoming::LargeBodies;

/// Handles a `POST` request. Every error becomes a GraphQL error response.
pub(super) async fn handle(State(server): State<Arc<Server>>, request: extract::Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = RequestId::of(&parts);
    let accept = accept(&parts.headers);
    let media = MediaType::negotiate(accept.as_deref());
    let events = sse::is_wanted(accept.as_deref());
    let mut record = RequestOutcome::default();
    let mut response = match respond(&server, &parts, body, &id, (media, events), &mut record).await {
        Ok(response) => response,
        Err(refusal) => {
            record.record_refusal(refusal.code());
            refusal.respond(&id, media.unwrap_or(MediaType::Json))
        }
    };
    record.attach_to(&mut response);
    response
}

/// Handles every method except `POST` on `/graphql`, such as the `GET` that opens a WebSocket. In development, browsers
/// are redirected to `GraphiQL`.
pub(super) async fn other(server: State<Arc<Server>>, id: Extension<RequestId>, request: extract::Request) -> Response {
    if is_for_graphiql(&server.ctx.settings, &request) {
        return Redirect::to("/graphiql").into_response();
    }
    websocket::handle(server, id, request).await
}

fn is_for_graphiql(settings: &Settings, request: &extract::Request) -> bool {
    let has_graphiql = settings.mode == Mode::Development && settings.graphiql;
    let is_plain_get = request.method() == Method::GET && !request.headers().contains_key(header::UPGRADE);
    let query = request.uri().query().unwrap_or_default();
    let has_document = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "query");
    has_graphiql && is_plain_get && !has_document && accept(request.headers()).is_some_and(|it| accepts_html(&it))
}

/// Returns the `Accept` header. If there are several, joins them to one list.
fn accept(headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(header::ACCEPT).iter();
    let lists: Vec<_> = values.map(|value| value.to_str().unwrap_or_default()).collect();
    (!lists.is_empty()).then(|| lists.join(","))
}

async fn respond(
    server: &Arc<Server>,
    parts: &Parts,
    body: Body,
    id: &RequestId,
    (media, events): (Option<MediaType>, bool),
    record: &mut RequestOutcome,
) -> Result<Response, Refusal> {
    body::check_json(&parts.headers)?;
    let not_acceptable =
        || Refusal::new(Code::NotAcceptable, "Accept `application/graphql-response+json` or `application/json`.");
    if media.is_none() && !events {
        return Err(not_acceptable());
    }
    let Incoming { call, caller, _large } = receive(server, parts, body, id, record).await?;
    let Checked { request, operation } = server.check(call, caller.has_token(), caller.origin.ip).await?;
    record.record_operation(&server.api, &operation);
    let streams = events && operation.kind == OperationType::Subscription;
    let media = if streams { MediaType::Json } else { media.ok_or_else(not_acceptable)? };
    let span = spans::operation(request_outcome::kind(&operation), &record.operation(), record.name.as_deref());
    let policy = BearerPolicy::of(&operation);
    let (viewer, meter) = caller.sign_in(server, policy).instrument(span.clone()).await?;
    record.record_viewer(&viewer);
    let request = server.within_scopes(&viewer, request).await?;
    if operation.kind == OperationType::Subscription && !streams {
        return Err(Refusal::new(Code::ValidationFailed, "Subscribe over a WebSocket, or accept `text/event-stream`."));
    }
    if streams {
        let handle = parts.extensions.get().cloned();
        return sse::open(server, handle, id, viewer, request);
    }
    let reservation = server.unread.reserve(&viewer)?;
    let mut request = request.data(viewer).data(record.report.clone());
    if let Some(language) = caller::language::accepted(&parts.headers) {
        request = request.data(language);
    }
    let cost = (server.ctx.settings.mode == Mode::Development).then_some(operation.cost);
    let api = server.api.clone();
    let execution = async move { api.execute(request).await };
    let response = admitted::run(server, execution).instrument(span.clone()).await?;
    let response = executed(response, id, (media, cost), record);
    spans::came_to(&span, &record.outcome());
    let length = response.as_ref().map_or(MAX_RESPONSE as u64, |response| response.body().size_hint().lower());
    let weighed = meter.charge_bytes(&server.ctx, length).await;
    let response = response?;
    weighed?;
    reservation.hold_until_read(response)
}

fn invalid_call() -> Refusal {
    let message = "Send one JSON object with `query`, and `variables` and `operationName` where needed.";
    Refusal::new(Code::BadRequest, message)
}

/// A call whose document passed all checks.
pub(super) struct Checked {
    /// The request to execute. It has no [`Viewer`] yet.
    pub request: Request,
    pub operation: Operation,
}

impl Server {
    /// Finds the trusted document that a call names, or parses and validates the call's own document. Then prepares the
    /// named operation. Without an access token, a document may contain only one operation.
    pub(super) async fn check(
        self: &Arc<Self>,
        call: Call,
        has_token: bool,
        client: IpAddr,
    ) -> Result<Checked, Refusal> {
        let text_id = call.document.text_id();
        if let Some(document) = self.known(&call.document, text_id)
            && document.is_small()
            && call.has_few_variables()
        {
            return self.prepare(&call, &document, has_token);
        }
        let turn = self.turns.take(client).await?;
        let server = Arc::clone(self);
        let work = move || {
            let _turn = turn;
            let document = server.document(&call.document)?;
            if let (Some(id), None) = (text_id, &server.trusted) {
                server.recent.insert(id, &document);
            }
            server.prepare(&call, &document, has_token)
        };
        let failed = |_| Err(Refusal::new(Code::Internal, "Something went wrong on our side."));
        tokio::task::spawn_blocking(work).await.unwrap_or_else(failed)
    }

    /// Finds a document that was validated before: a trusted or a recent one.
    fn known(&self, named: &DocumentRef, text_id: Option<DocumentId>) -> Option<Arc<Document>> {
        match &self.trusted {
            Some(_) => self.document(named).ok(),
            None => self.recent.find(&text_id?),
        }
    }

    fn prepare(&self, call: &Call, document: &Document, has_token: bool) -> Result<Checked, Refusal> {
        if document.operations() > 1 && !has_token && self.trusted.is_none() {
            return Err(Refusal::document(
                "Without an access token a document may contain one operation. Send one request for each.",
            ));
        }
        let documents = self.api.documents();
        let (name, variables) = (call.operation_name.as_deref(), call.variables.as_deref());
        let (executable, operation) = documents.prepare(document, name, variables)?;
        let mut request = Request::new(String::new());
        request.set_parsed_query(executable);
        Ok(Checked { request, operation })
    }

    /// Refuses an operation with a field that the caller's API key or application may not use. A refusal is recorded.
    pub(super) async fn within_scopes(&self, viewer: &Viewer, mut request: Request) -> Result<Request, Refusal> {
        let Some(actor) = viewer.identified().ok().filter(|_| viewer.is_limited()) else { return Ok(request) };
        let Err(denied) = self.api.check_scopes(viewer, &mut request) else { return Ok(request) };
        let recorded = self.ctx.db.in_time(audit::record_denial(&self.ctx, actor, &denied.field)).await;
        recorded.map_err(ApiError::from)?;
        Err(denied.error.into())
    }

    fn document(&self, named: &DocumentRef) -> Result<Arc<Document>, Refusal> {
        match (&self.trusted, named) {
            (Some(trusted), DocumentRef::Text(text)) => trusted.find(document_id(text)),
            (Some(trusted), DocumentRef::Id(id)) => trusted.named(id),
            (Some(trusted), DocumentRef::Both { text, id }) if parse_id(id) == Some(document_id(text)) => {
                trusted.named(id)
            }
            (Some(_), DocumentRef::Both { .. }) => {
                Err(Refusal::new(Code::BadRequest, "The document id is not the SHA-256 hash of `query`."))
            }
            (None, DocumentRef::Text(text) | DocumentRef::Both { text, .. }) => {
                Ok(Arc::new(self.api.documents().read(text)?))
            }
            (None, DocumentRef::Id(_)) => {
                Err(Refusal::new(Code::BadRequest, "This server does not store documents. Send the full `query`."))
            }
        }
    }
}

/// An identified caller, who has been charged for one operation. The document has not been read yet.
struct IdentifiedCaller {
    origin: Origin,
    bearer: Result<Bearer, Error>,
    meter: Meter,
}

async fn identify(
    server: &Server,
    parts: &Parts,
    id: &RequestId,
    record: &mut RequestOutcome,
) -> Result<IdentifiedCaller, Refusal> {
    let ctx = &*server.ctx;
    let origin = caller::origin(parts, &id.0);
    let mut bearer = caller::bearer(ctx, &parts.headers).await;
    record.session = bearer.as_ref().ok().and_then(Bearer::session);
    let mut meter = Meter::of(ctx, &origin, bearer.as_ref().unwrap_or(&Bearer::None));
    meter.charge(ctx).await?;
    if let Ok(Bearer::Presented(key)) = &bearer {
        bearer = caller::key(ctx, key).await;
        meter.charge_key(ctx, &origin, bearer.as_ref().unwrap_or(&Bearer::Bad)).await?;
    }
    Ok(IdentifiedCaller { origin, bearer, meter })
}

impl IdentifiedCaller {
    fn has_token(&self) -> bool {
        self.bearer.as_ref().is_ok_and(Bearer::is_valid)
    }

    /// Looks up the session as `policy` requires, which depends on the operation.
    async fn sign_in(self, server: &Server, policy: BearerPolicy) -> Result<(Viewer, Meter), Refusal> {
        let Self { origin, bearer, meter } = self;
        let bearer = if policy == BearerPolicy::Ignored { Bearer::None } else { bearer.map_err(ApiError::from)? };
        let principal = caller::principal(&server.ctx, bearer, policy).await.map_err(|error| {
            let mut refused = ApiError::from(error);
            if refused.code == Code::Unauthenticated {
                refused.message =
                    "The access token or API key is no longer valid. Refresh the token or sign in again.".into();
            }
            refused
        })?;
        Ok((Viewer::new(origin, principal), meter))
    }
}
