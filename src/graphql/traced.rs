//! Creates trace spans for root resolvers. Other resolvers need no span: they read nothing, or read batches, which have
//! their own spans.

use std::sync::Arc;

use async_graphql::{
    ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo},
};
use async_trait::async_trait;
use tracing::Instrument;

use crate::observability::spans;

/// The schema extension that creates the spans.
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
