//! Records the name of a mutation's result type, such as `EmailTaken`, as the outcome in the access log and the
//! metrics. The name is recorded even if the client does not select `__typename`.

use std::{
    borrow::Cow,
    sync::{Arc, OnceLock},
};

use async_graphql::{
    ContextSelectionSet, OutputType, Positioned, ServerResult, Value, parser::types::Field, registry::Registry,
};

use super::error::ApiError;

/// Stores the name of the result type. The HTTP handler adds it to the request data and reads it after the operation.
#[derive(Clone, Default)]
pub(crate) struct Report(Arc<OnceLock<Cow<'static, str>>>);

impl Report {
    /// Returns the name. `None` if the operation failed, or was not one of Doorcode's mutations.
    pub(crate) fn told(&self) -> Option<Cow<'static, str>> {
        self.0.get().cloned()
    }
}

/// The result of a mutation. When it is resolved, the name of its type is stored in the [`Report`].
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
            // An operation contains only one mutation, so the name is not set yet.
            drop(report.0.set(self.introspection_type_name()));
        }
        self.0.resolve(ctx, field).await
    }
}
