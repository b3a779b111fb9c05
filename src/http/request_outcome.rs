//! What came of a request, for the line in the log, the metrics and the trace. It is noted on the way and read at the
//! end, by whoever wraps the answer. No word of it that becomes a label is a client's.

use std::borrow::Cow;

use async_graphql::{ServerError, Value, parser::types::OperationType};
use axum::response::Response;
use uuid::Uuid;

use crate::{
    domain::{access::Viewer, user::name::hides_or_turns},
    graphql::{Api, document::Operation, error::Code, outcome_label::Report},
};

/// What a line has of a method, of a path and of an operation's name, which may be as long as a request.
const LONGEST_TEXT: usize = 128;

/// What is known of a request so far. A clone is another handle to what resolvers report.
#[derive(Clone, Default)]
pub(super) struct RequestOutcome {
    /// What the client calls its operation, as it may stand in a log.
    pub name: Option<String>,
    /// What we call it: the name of a change, or what kind it is.
    operation: Option<Cow<'static, str>>,
    outcome: Option<Cow<'static, str>>,
    pub user: Option<Uuid>,
    /// The session that the access token names, even if the request was refused before anybody looked it up.
    pub session: Option<Uuid>,
    /// Where resolvers tell what came of a change.
    pub report: Report,
}

impl RequestOutcome {
    /// Notes which operation it is. A change that the schema does not have is only that it was one.
    pub(super) fn note(&mut self, api: &Api, operation: &Operation) {
        self.name = operation.name.as_deref().map(loggable);
        let change = operation.mutation().filter(|name| api.documents().has_mutation(name));
        self.operation = Some(change.map_or(kind(operation).into(), |name| name.to_owned().into()));
    }

    /// Notes who asks.
    pub(super) fn by(&mut self, viewer: &Viewer) {
        let signed_in = viewer.signed_in.as_ref();
        self.user = signed_in.map(|signed_in| signed_in.user.id);
        self.session = signed_in.map(|signed_in| signed_in.session.id);
    }

    /// Notes that it was refused, or failed as a whole.
    pub(super) fn refuse(&mut self, code: Code) {
        self.outcome = Some(code.as_str().into());
    }

    /// Notes what an execution came to: its first error, what the change told, or that all went well.
    pub(super) fn executed(&mut self, errors: &[ServerError]) {
        let error = errors.first().map(|error| {
            let code = Code::ALL.into_iter().find(|code| is_of(error, *code));
            code.map_or("OTHER", Code::as_str).into()
        });
        self.outcome = error.or_else(|| self.report.told());
    }

    /// What the operation is called, once it is known.
    pub(super) fn operation(&self) -> Cow<'static, str> {
        self.operation.clone().unwrap_or("unknown".into())
    }

    /// What it came to.
    pub(super) fn outcome(&self) -> Cow<'static, str> {
        self.outcome.clone().unwrap_or("ok".into())
    }

    /// Lets it travel with the answer.
    pub(super) fn onto(self, answer: &mut Response) {
        answer.extensions_mut().insert(self);
    }
}

fn is_of(error: &ServerError, code: Code) -> bool {
    let own = error.extensions.as_ref().and_then(|extensions| extensions.get("code"));
    matches!(own, Some(Value::String(own)) if own == code.as_str())
}

/// What kind of operation it is.
pub(super) fn kind(operation: &Operation) -> &'static str {
    match operation.kind {
        OperationType::Query => "query",
        OperationType::Mutation => "mutation",
        OperationType::Subscription => "subscription",
    }
}

/// A text as it may stand in a log: short, and without anything that a terminal obeys.
pub(super) fn loggable(text: &str) -> String {
    text.chars().take(LONGEST_TEXT).map(|c| if hides_or_turns(c) { '?' } else { c }).collect()
}
