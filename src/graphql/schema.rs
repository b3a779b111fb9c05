//! The roots, what bounds an operation, and the schema that a process serves. Development and production are two
//! schemas, for what is not in a schema cannot be reached through it. An application of yours merges the roots with its
//! own and serves them the same way.

use std::sync::Arc;

use async_graphql::{
    MergedObject, MergedSubscription, ObjectType, Request, Response, SDLExportOptions, Schema, SchemaBuilder,
    SubscriptionType, ValidationMode,
};
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{
    account::{device::DeviceMutation, profile::ProfileMutation, session::SessionMutation},
    admin::{AdminMutation, audit::AuditQuery, people::PeopleQuery},
    admission::{Admission, TimedOut},
    document::Documents,
    error::Problem,
    federation::{FederationQuery, Keys},
    inbox::InboxQuery,
    live::LiveSubscription,
    loader,
    node::{Node, NodeQuery},
    sign_in::SignInMutation,
    traced::Roots,
    user::UserQuery,
};
use crate::{domain::Ctx, observability::spans};

const DATE_TIME: &str = "A moment in UTC as RFC 3339 writes it, such as `2026-11-21T08:14:50.876797+00:00`.";

/// Questions. Nothing here changes anything. An application merges this into its own root.
#[derive(MergedObject, Default)]
#[graphql(name = "DoorcodeQuery")]
pub struct Query(UserQuery, PeopleQuery, AuditQuery, NodeQuery);

/// Questions. Nothing here changes anything.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct ProductionQuery(Query);

/// Questions, and the inbox that only development has.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct DevelopmentQuery(Query, InboxQuery);

/// Questions. Nothing here changes anything.
// What a gateway asks is another part where the schema is only written down; see `federation`.
#[derive(MergedObject)]
#[graphql(name = "Query")]
struct ProductionSubgraph<F: ObjectType>(Query, F);

/// Questions, and the inbox that only development has.
#[derive(MergedObject)]
#[graphql(name = "Query")]
struct DevelopmentSubgraph<F: ObjectType>(Query, InboxQuery, F);

/// Changes. An application merges this into its own root.
#[derive(MergedObject, Default)]
#[graphql(name = "DoorcodeMutation")]
pub struct Mutation(SignInMutation, SessionMutation, DeviceMutation, ProfileMutation, AdminMutation);

/// Changes. A document may hold one of them at its root.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
struct MutationRoot(Mutation);

/// What is told as it happens. An application merges this into its own root.
#[derive(MergedSubscription, Default)]
#[graphql(name = "DoorcodeSubscription")]
pub struct Subscription(LiveSubscription);

/// What is told as it happens.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
struct SubscriptionRoot(Subscription);

/// A schema that the edge can serve, whatever its roots are.
#[derive(Clone)]
pub struct Api {
    schema: Arc<dyn Run>,
    /// Not there in a schema that can only be read.
    ctx: Option<Arc<Ctx>>,
    under_way: Admission,
    documents: Arc<Documents>,
}

trait Run: Send + Sync {
    fn execute(&self, request: Request) -> BoxFuture<'static, Response>;
    fn stream(&self, request: Request) -> BoxStream<'static, Response>;
    fn sdl(&self, options: SDLExportOptions) -> String;
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

    fn sdl(&self, options: SDLExportOptions) -> String {
        self.sdl_with_options(options)
    }
}

impl Api {
    /// Doorcode's own schema for a process: with the inbox where there is one, and with what a gateway asks where one
    /// is said to be.
    pub fn new(ctx: &Arc<Ctx>) -> Self {
        let inbox = ctx.inbox.is_some();
        if ctx.settings.federation { subgraph(inbox, ctx) } else { own(inbox, Some(ctx)) }
    }

    /// A schema whose roots contain Doorcode's, bounded like Doorcode's own.
    pub fn of<Q, M, S>(builder: SchemaBuilder<Q, M, S>, ctx: &Arc<Ctx>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        finish(builder, Some(ctx))
    }

    /// How its documents are read.
    pub(crate) fn documents(&self) -> &Arc<Documents> {
        &self.documents
    }

    /// Runs a question or a change that the edge has already checked; an error when there was no time to.
    pub async fn execute(&self, request: Request) -> Result<Response, TimedOut> {
        let (request, turns) = loader::give(request, self.ctx.as_ref());
        let mut answers = turns.take(stream::once(self.schema.execute(request)));
        self.under_way.run(async { answers.next().await.unwrap_or_default() }).await
    }

    /// Runs a subscription that the edge has already checked.
    pub fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        let (request, turns) = loader::give(request, self.ctx.as_ref());
        turns.take(self.schema.stream(request)).boxed()
    }
}

/// Doorcode's own schema, with the inbox of development or without; without a domain it can only be read.
fn own(inbox: bool, ctx: Option<&Arc<Ctx>>) -> Api {
    if inbox {
        finish(of_query(DevelopmentQuery::default()), ctx)
    } else {
        finish(of_query(ProductionQuery::default()), ctx)
    }
}

/// Doorcode's own schema as a subgraph.
fn subgraph(inbox: bool, ctx: &Arc<Ctx>) -> Api {
    let federation = FederationQuery::new(subgraph_sdl(inbox));
    if inbox {
        finish(of_query(DevelopmentSubgraph(Query::default(), InboxQuery, federation)), Some(ctx))
    } else {
        finish(of_query(ProductionSubgraph(Query::default(), federation)), Some(ctx))
    }
}

fn of_query<Q: ObjectType + 'static>(query: Q) -> SchemaBuilder<Q, MutationRoot, SubscriptionRoot> {
    Schema::build(query, MutationRoot::default(), SubscriptionRoot::default())
}

/// Gives a schema what every one has beside its roots.
fn finish<Q, M, S>(builder: SchemaBuilder<Q, M, S>, ctx: Option<&Arc<Ctx>>) -> Api
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let under_way = Admission::default();
    let builder = bounded(builder).data(under_way.clone());
    let builder = if let Some(ctx) = ctx { builder.data(Arc::clone(ctx)) } else { builder };
    let builder = if spans::is_on() { builder.extension(Roots) } else { builder };
    let schema = builder.finish();
    let is_open = ctx.is_none_or(|ctx| ctx.settings.introspection);
    let documents = Arc::new(Documents::new(&schema.sdl(), is_open));
    Api { schema: Arc::new(schema), ctx: ctx.cloned(), under_way, documents }
}

/// The types that no field gives by itself. Documents come validated and with their cost known, so the library checks
/// neither.
fn bounded<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S>
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    builder
        .register_output_type::<Problem>()
        .register_output_type::<Node>()
        .override_output_type_description::<DateTime<Utc>>(DATE_TIME)
        .validation_mode(ValidationMode::Fast)
        .disable_suggestions()
}

/// The schema as text: production's, which is what `schema.graphql` holds, or development's with the inbox.
pub fn sdl(development: bool) -> String {
    own(development, None).schema.sdl(text())
}

/// The schema as a subgraph of Apollo Federation 2, for whoever composes a supergraph: production's or development's.
/// Without subscriptions, which a gateway does not pass on.
pub fn subgraph_sdl(development: bool) -> String {
    let api = if development {
        finish(of_query(DevelopmentSubgraph(Query::default(), InboxQuery, Keys)), None)
    } else {
        finish(of_query(ProductionSubgraph(Query::default(), Keys)), None)
    };
    api.schema.sdl(text().federation())
}

fn text() -> SDLExportOptions {
    SDLExportOptions::new().prefer_single_line_descriptions()
}
