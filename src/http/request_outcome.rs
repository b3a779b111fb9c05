//! The outcome of a request, for the access log, metrics and trace. Handlers record the outcome, and `access_log` reads
//! it when the request ends. Values that become metric labels never come from the client.

use std::borrow::Cow;

use async_graphql::{ServerError, Value, parser::types::OperationType};
use axum::response::Response;
use uuid::Uuid;

use crate::{
    domain::{access::Viewer, user::name::hides_or_turns},
    graphql::{Api, document::Operation, error::Code, outcome_label::Report},
};

/// Maximum length of a method, path or operation name in the log, in characters.
const MAX_TEXT: usize = 128;

/// What handlers have recorded about a request so far. Clones share `report`.
#[derive(Clone, Default)]
pub(super) struct RequestOutcome {
    /// The operation name that the client chose, made safe to log.
    pub name: Option<String>,
    /// The metric label: the root field of a mutation, or `query` or `subscription`.
    operation: Option<Cow<'static, str>>,
    outcome: Option<Cow<'static, str>>,
    pub user: Option<Uuid>,
    /// The session that the access token names. Set even if the request was refused before the session was looked up.
    pub session: Option<Uuid>,
    /// The API key, once it is looked up.
    pub api_key: Option<Uuid>,
    /// Resolvers report the outcome of a mutation here.
    pub report: Report,
}

impl RequestOutcome {
    /// The outcome of an endpoint outside GraphQL, with this metric label.
    pub(super) fn of(operation: &'static str) -> Self {
        Self { operation: Some(operation.into()), ..Self::default() }
    }

    /// Records the operation. A mutation that is not in the schema is recorded as "mutation".
    pub(super) fn record_operation(&mut self, api: &Api, operation: &Operation) {
        self.name = operation.name.as_deref().map(loggable);
        let change = operation.mutation().filter(|name| api.documents().has_mutation(name));
        self.operation = Some(change.map_or(kind(operation).into(), |name| name.to_owned().into()));
    }

    /// Records the user, and the session or API key.
    pub(super) fn record_viewer(&mut self, viewer: &Viewer) {
        self.user = viewer.user().map(|user| user.id);
        self.session = viewer.session().map(|signed_in| signed_in.session.id);
        self.api_key = viewer.key().map(|holder| holder.key.id);
    }

    /// Records that the request was refused or failed as a whole.
    pub(super) fn record_refusal(&mut self, code: Code) {
        self.outcome = Some(code.as_str().into());
    }

    /// Records an expected outcome other than success.
    pub(super) fn record_result(&mut self, outcome: &'static str) {
        self.outcome = Some(outcome.into());
    }

    /// Records the outcome of an executed operation: the code of its first error, or the result type of its mutation,
    /// or success.
    pub(super) fn executed(&mut self, errors: &[ServerError]) {
        let error = errors.first().map(|error| {
            let code = Code::ALL.into_iter().find(|code| is_of(error, *code));
            code.map_or("OTHER", Code::as_str).into()
        });
        self.outcome = error.or_else(|| self.report.told());
    }

    pub(super) fn operation(&self) -> Cow<'static, str> {
        self.operation.clone().unwrap_or("unknown".into())
    }

    pub(super) fn outcome(&self) -> Cow<'static, str> {
        self.outcome.clone().unwrap_or("ok".into())
    }

    /// Attaches the outcome to the response, where the access log finds it.
    pub(super) fn attach_to(self, response: &mut Response) {
        response.extensions_mut().insert(self);
    }
}

fn is_of(error: &ServerError, code: Code) -> bool {
    let own = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(own, Some(Value::String(own)) if own == code.as_str())
}

pub(super) fn kind(operation: &Operation) -> &'static str {
    match operation.kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// Makes text safe to log: truncates it, and replaces control characters and invisible characters.
pub(super) fn loggable(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if hides_or_turns(c) { '?' } else { c }).collect()
}
