//! Makes the resolvers at the root of an operation parts of its trace, where traces are collected. What lies below them
//! reads nothing, or reads in batches, which are parts of the trace as well.

use std::sync::Arc;

use async_graphql::{
    ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
};
use async_trait::async_trait;
use tracing::Instrument;

use crate::observability::spans;

/// To be given to a schema.
pub(super) struct Roots;

impl ExtensionFactory for Roots {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_trait]
impl Extension for Roots {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        if info.path_node.parent.is_some() {
            return next.run(ctx, info).await;
        }
        let span = spans::resolver(info.parent_type, info.name);
        next.run(ctx, info).instrument(span).await
    }
}
