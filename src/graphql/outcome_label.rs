//! The result type of a mutation, as a label for the access log and metrics. Recorded whether or not the client selects
//! `__typename`.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry,
};

use super::error::ApiError;

/// Receives the name of the result type. Part of the request data.
#[derive(Clone, Default)]
pub(crate) struct Report(Arc<OnceLock<Cow<'static, str>>>);

impl Report {
    /// The name, unless the operation was not a mutation of Doorcode, or failed.
    pub(crate) fn told(&self) -> Option<Cow<'static, str>> {
        self.0.get().cloned()
    }
}

/// The result of a mutation, which reports its type.
pub(super) struct Outcome<T>(T);

/// The return type of every mutation.
pub(super) type Reported<T> = Result<Outcome<T>, ApiError>;

impl<T> From<T> for Outcome<T> {
    fn from(outcome: T) -> Self {
        Self(outcome)
    }
}

impl<T: OutputType> OutputType for Outcome<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        if let Some(report) = ctx.data_opt::<Report>() {
            // An operation has one mutation, so the label is not set yet.
            drop(report.0.set(self.introspection_type_name()));
        }
        self.0.resolve(ctx, field).await
    }
}
