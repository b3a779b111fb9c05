//! The roots, what bounds an operation, and the schema that a process serves. Development and production are two
//! schemas, for what is not in a schema cannot be reached through it. An application of yours merges the roots with its
//! own and serves them the same way.

use std::sync::Arc;

use async_graphql::{
    EmptySubscription, MergedObject, ObjectType, Request, Response, SDLExportOptions, Schema, SchemaBuilder,
    SubscriptionType,
};
use chrono::{DateTime, Utc};
use futures_util::{future::BoxFuture, stream::BoxStream};

use super::{
    device::DeviceMutation,
    error::Problem,
    inbox::InboxQuery,
    node::{Node, NodeQuery},
    session::SessionMutation,
    sign_in::SignInMutation,
    user::UserQuery,
};
use crate::domain::Ctx;

/// How deep an operation may go.
const DEPTH: usize = 15;
/// How many fields an operation may ask for, lists counted by their page size: a full page with all that a session has
/// is about 1,800.
const COMPLEXITY: usize = 2_000;
/// How many directives a field may carry.
const DIRECTIVES: usize = 4;

const DATE_TIME: &str = "A moment in UTC as RFC 3339 writes it, such as `2026-11-21T08:14:50.876797+00:00`.";

/// Questions. Nothing here changes anything.
#[derive(MergedObject, Default)]
pub struct Query(UserQuery, NodeQuery);

/// Questions, and the inbox that only development has.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct DevelopmentQuery(Query, InboxQuery);

/// Changes. A document may hold one of them at its root.
#[derive(MergedObject, Default)]
pub struct Mutation(SignInMutation, SessionMutation, DeviceMutation);

/// What is told as it happens.
pub type Subscription = EmptySubscription;

/// A schema that the edge can serve, whatever its roots are.
#[derive(Clone)]
pub struct Api(Arc<dyn Run>);

trait Run: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
}

impl<Q, M, S> Run for Schema<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    fn execute(&self, request: Request) -> BoxFuture<'static, Response> {
        let schema = self.clone();
        Box::pin(async move { Self::execute(&schema, request).await })
    }

    fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.execute_stream(request)
    }
}

impl Api {
    /// Doorcode's own schema for a process: with the inbox where there is one.
    pub fn new(ctx: &Arc<Ctx>) -> Self {
        if ctx.inbox.is_some() {
            Self::of(Schema::build(DevelopmentQuery::default(), Mutation::default(), Subscription::default()), ctx)
        } else {
            Self::of(Schema::build(Query::default(), Mutation::default(), Subscription::default()), ctx)
        }
    }

    /// A schema whose roots contain Doorcode's, bounded like Doorcode's own.
    pub fn of<Q, M, S>(builder: SchemaBuilder<Q, M, S>, ctx: &Arc<Ctx>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        Self(Arc::new(complete(builder).data(Arc::clone(ctx)).finish()))
    }

    /// Runs a question or a change that the edge has already checked.
    pub async fn execute(&self, request: Request) -> Response {
        self.0.execute(request).await
    }

    /// Runs a subscription that the edge has already checked.
    pub fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        self.0.stream(request)
    }
}

/// What every schema has beside its roots.
fn complete<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S> {
    builder
        .register_output_type::<Problem>()
        .register_output_type::<Node>()
        .override_output_type_description::<DateTime<Utc>>(DATE_TIME)
        .limit_depth(DEPTH)
        .limit_complexity(COMPLEXITY)
        .limit_directives(DIRECTIVES)
        .disable_suggestions()
}

/// The schema as text: production's, which is what `schema.graphql` holds, or development's with the inbox.
pub fn sdl(development: bool) -> String {
    let options = SDLExportOptions::new().prefer_single_line_descriptions();
    let (mutation, subscription) = (Mutation::default(), Subscription::default());
    if development {
        let roots = Schema::build(DevelopmentQuery::default(), mutation, subscription);
        complete(roots).finish().sdl_with_options(options)
    } else {
        complete(Schema::build(Query::default(), mutation, subscription)).finish().sdl_with_options(options)
    }
}
