//! What a change came to, told to the edge by the name of its type, which a client need not have asked for. It changes
//! nothing of the answer.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry,
};

use super::error::ApiError;

/// Where the name is told.
#[derive(Clone, Default)]
pub(crate) struct Report(Arc<OnceLock<Cow<'static, str>>>);

impl Report {
    /// What was told; nothing when the operation was no change of ours, or failed.
    pub(crate) fn told(&self) -> Option<Cow<'static, str>> {
        self.0.get().cloned()
    }
}

/// An outcome on its way out.
pub(super) struct Outcome<T>(T);

/// What every mutation gives.
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
            // A document has one change, so nobody told before.
            drop(report.0.set(self.introspection_type_name()));
        }
        self.0.resolve(ctx, field).await
    }
}
