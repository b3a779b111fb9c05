//! The root types, and the schema that a process serves. Development and production have separate schemas, so the
//! schema of a production server contains no development fields. An application merges Doorcode's root types with its
//! own.

use std::sync::Arc;

use async_graphql::{
    MergedObject, MergedSubscription, Name, ObjectType, OutputType, Request, Response, SDLExportOptions, Schema,
    SchemaBuilder, SubscriptionType, ValidationMode, Value,
    parser::types::{Field, Selection, SelectionSet},
};
use chrono::{DateTime, Utc};
use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{
    account::{
        api_key::ApiKeyMutation, device::DeviceMutation, password::PasswordMutation, profile::ProfileMutation,
        session::SessionMutation,
    },
    admin::{
        AdminMutation,
        audit::{AuditQuery, StatisticsQuery},
        mail::MailQuery,
        people::PeopleQuery,
    },
    admission::{Admission, TimedOut},
    document::{Documents, LargeBody},
    federation::{FederationQuery, Keys},
    inbox::InboxQuery,
    key_access::{self, Denied},
    live::LiveSubscription,
    loader,
    node::{Node, NodeQuery},
    problem::Problem,
    registration::RegistrationMutation,
    scalar::DATE_TIME,
    sign_in::SignInMutation,
    sign_in_options::SignInQuery,
    traced::Roots,
    user::UserQuery,
};
use crate::{
    domain::{Ctx, access::Viewer},
    error::Error,
    observability::spans,
};

/// The description of the schema, in Markdown.
const DESCRIPTION: &str = include_str!("description.md");

/// Read operations.
#[derive(MergedObject, Default)]
#[graphql(name = "DoorcodeQuery")]
struct Query(UserQuery, PeopleQuery, AuditQuery, StatisticsQuery, MailQuery, NodeQuery, SignInQuery);

/// Read operations.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct ProductionQuery(Query);

/// Read operations, with the inbox of development servers.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct DevelopmentQuery(Query, InboxQuery);

/// Read operations.
// `F` has the fields of an application, or those of a subgraph. The latter differ between the schema that executes
// operations and the schema that is only exported (see `federation`).
#[derive(MergedObject)]
#[graphql(name = "Query")]
struct ProductionWith<F: ObjectType>(Query, F);

/// Read operations, with the inbox of development servers.
#[derive(MergedObject)]
#[graphql(name = "Query")]
struct DevelopmentWith<F: ObjectType>(Query, InboxQuery, F);

/// Write operations.
#[derive(MergedObject, Default)]
#[graphql(name = "DoorcodeMutation")]
struct Mutation(
    SignInMutation,
    RegistrationMutation,
    SessionMutation,
    PasswordMutation,
    DeviceMutation,
    ApiKeyMutation,
    ProfileMutation,
    AdminMutation,
);

/// Write operations. An operation can have one root field.
#[derive(MergedObject, Default)]
#[graphql(name = "Mutation")]
struct MutationRoot(Mutation);

/// Write operations, with those of an application. An operation can have one root field.
#[derive(MergedObject)]
#[graphql(name = "Mutation")]
struct MutationWith<M: ObjectType>(Mutation, M);

/// Events as they happen.
#[derive(MergedSubscription, Default)]
#[graphql(name = "DoorcodeSubscription")]
struct Subscription(LiveSubscription);

/// Events as they happen, over a WebSocket (`graphql-transport-ws`) or with `Accept: text/event-stream`.
#[derive(MergedSubscription, Default)]
#[graphql(name = "Subscription")]
struct SubscriptionRoot(Subscription);

/// Events as they happen, with those of an application.
#[derive(MergedSubscription)]
#[graphql(name = "Subscription")]
struct SubscriptionWith<S: SubscriptionType>(Subscription, S);

/// A schema that the HTTP server can serve, with any root types.
#[derive(Clone)]
pub struct Api {
    schema: Arc<dyn Run>,
    /// `None` if the schema is only exported and executes nothing.
    ctx: Option<Arc<Ctx>>,
    admission: Admission,
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
    /// Creates Doorcode's own schema, with the inbox in development, and the subgraph fields if federation is on.
    pub fn new(ctx: &Arc<Ctx>) -> Self {
        let inbox = ctx.inbox.is_some();
        if ctx.settings.federation { subgraph(inbox, ctx) } else { own(inbox, Some(ctx)) }
    }

    /// Merges the root types of an application with Doorcode's. The names `Query`, `Mutation` and `Subscription` are those
    /// of the merged types: use others, such as `NotesQuery`. An application without mutations or subscriptions passes
    /// [`async_graphql::EmptyMutation`] or [`async_graphql::EmptySubscription`]. The limits are the same as for
    /// Doorcode's own schema.
    pub fn merged<Q, M, S>(query: Q, mutation: M, subscription: S, ctx: &Arc<Ctx>) -> Self
    where
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        Self::merged_with::<Problem, Q, M, S>(query, mutation, subscription, ctx)
    }

    /// Does the same as [`Api::merged`], and adds the interface `I`, which no field returns. For the problems of an
    /// application, which are members of unions.
    pub fn merged_with<I, Q, M, S>(query: Q, mutation: M, subscription: S, ctx: &Arc<Ctx>) -> Self
    where
        I: OutputType,
        Q: ObjectType + 'static,
        M: ObjectType + 'static,
        S: SubscriptionType + 'static,
    {
        let mutation = MutationWith(Mutation::default(), mutation);
        let subscription = SubscriptionWith(Subscription::default(), subscription);
        if ctx.inbox.is_some() {
            let query = DevelopmentWith(Query::default(), InboxQuery, query);
            finish(Schema::build(query, mutation, subscription).register_output_type::<I>(), Some(ctx))
        } else {
            let query = ProductionWith(Query::default(), query);
            finish(Schema::build(query, mutation, subscription).register_output_type::<I>(), Some(ctx))
        }
    }

    /// Accepts a body of up to `bytes` for one mutation of an application, for example to upload text. Other operations
    /// keep the limit of 16 KiB. Everything outside strings keeps it too, and so do callers without a valid access token
    /// or API key. Every 64 KiB of a large body counts as one operation.
    ///
    /// # Panics
    ///
    /// If the API was cloned before.
    #[must_use]
    pub fn with_large_body(mut self, mutation: &'static str, bytes: usize) -> Self {
        let documents = Arc::get_mut(&mut self.documents);
        assert!(documents.is_some(), "set the large body before the API is cloned");
        if let Some(documents) = documents {
            documents.accept(LargeBody { mutation, bytes });
        }
        self
    }

    /// Returns the schema in the schema definition language.
    pub fn sdl(&self) -> String {
        self.schema.sdl(export_options())
    }

    /// Returns the parser and validator for documents.
    pub(crate) fn documents(&self) -> &Arc<Documents> {
        &self.documents
    }

    /// Checks that a caller that is limited by its scopes may use all fields of a request.
    pub(crate) fn check_scopes(&self, viewer: &Viewer, request: &mut Request) -> Result<(), Denied> {
        let grants = self.ctx.as_ref().map_or(&[][..], |ctx| ctx.grants);
        match request.parsed_query() {
            Ok(document) => key_access::check(&self.documents, grants, viewer, document),
            Err(_) => Err(Denied { field: String::new(), error: Error::InsufficientScope.into() }),
        }
    }

    /// Executes a query or mutation from a validated document.
    ///
    /// # Errors
    ///
    /// If the operation gets no slot or does not finish in time.
    pub async fn execute(&self, mut request: Request) -> Result<Response, TimedOut> {
        let fields = description_fields(&mut request);
        let (request, batches) = loader::attach(request, self.ctx.as_ref());
        let mut responses = batches.drive(stream::once(self.schema.execute(request)));
        let mut response = self.admission.run(async { responses.next().await.unwrap_or_default() }).await?;
        describe(&mut response, &fields);
        Ok(response)
    }

    /// Runs other work in the slot of an operation, within the time limit of one.
    pub(crate) async fn admit<T>(&self, work: impl Future<Output = T>) -> Result<T, TimedOut> {
        self.admission.run(work).await
    }

    /// Executes a subscription from a validated document.
    pub fn stream(&self, request: Request) -> BoxStream<'static, Response> {
        let (request, batches) = loader::attach(request, self.ctx.as_ref());
        batches.drive(self.schema.stream(request)).boxed()
    }
}

/// Returns where a request selects `__schema { description }`: the response keys of both fields, once per selection.
fn description_fields(request: &mut Request) -> Vec<(Name, Name)> {
    let Ok(document) = request.parsed_query() else { return Vec::new() };
    let roots = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let key = |field: &Field| field.response_key().node.clone();
    roots
        .flat_map(|root| fields(root, "__schema"))
        .flat_map(|schema| {
            fields(&schema.selection_set.node, "description").map(move |field| (key(schema), key(field)))
        })
        .collect()
}

fn fields<'a>(set: &'a SelectionSet, name: &'static str) -> impl Iterator<Item = &'a Field> {
    set.items.iter().filter_map(move |selection| match &selection.node {
        Selection::Field(field) if field.node.name.node == name => Some(&field.node),
        _ => None,
    })
}

/// Puts the description of the schema into a response. The library returns a fixed text there, and has no setting for
/// this text.
fn describe(response: &mut Response, fields: &[(Name, Name)]) {
    let Value::Object(data) = &mut response.data else { return };
    for (schema, description) in fields {
        if let Some(Value::Object(schema)) = data.get_mut(schema) {
            schema.insert(description.clone(), Value::String(DESCRIPTION.trim_end().to_owned()));
        }
    }
}

/// Creates Doorcode's own schema. Without `ctx`, the schema can only be exported.
fn own(inbox: bool, ctx: Option<&Arc<Ctx>>) -> Api {
    if inbox {
        finish(of_query(DevelopmentQuery::default()), ctx)
    } else {
        finish(of_query(ProductionQuery::default()), ctx)
    }
}

/// Creates Doorcode's own schema as a subgraph.
fn subgraph(inbox: bool, ctx: &Arc<Ctx>) -> Api {
    let federation = FederationQuery::new(subgraph_sdl(inbox));
    if inbox {
        finish(of_query(DevelopmentWith(Query::default(), InboxQuery, federation)), Some(ctx))
    } else {
        finish(of_query(ProductionWith(Query::default(), federation)), Some(ctx))
    }
}

fn of_query<Q: ObjectType + 'static>(query: Q) -> SchemaBuilder<Q, MutationRoot, SubscriptionRoot> {
    Schema::build(query, MutationRoot::default(), SubscriptionRoot::default())
}

/// Adds to a schema what does not depend on its root types: extensions, request data and limits.
fn finish<Q, M, S>(builder: SchemaBuilder<Q, M, S>, ctx: Option<&Arc<Ctx>>) -> Api
where
    Q: ObjectType + 'static,
    M: ObjectType + 'static,
    S: SubscriptionType + 'static,
{
    let admission = Admission::default();
    let builder = configured(builder).data(admission.clone());
    let builder = if let Some(ctx) = ctx { builder.data(Arc::clone(ctx)) } else { builder };
    let builder = if spans::is_on() { builder.extension(Roots) } else { builder };
    let schema = builder.finish();
    let introspection = ctx.is_none_or(|ctx| ctx.settings.introspection);
    let documents = Arc::new(Documents::new(&schema.sdl(), introspection));
    Api { schema: Arc::new(schema), ctx: ctx.cloned(), admission, documents }
}

/// Registers the interfaces, so that the schema contains them even if no field returns them. Turns off the library's
/// own checks, because `document` validates documents and computes their cost.
fn configured<Q, M, S>(builder: SchemaBuilder<Q, M, S>) -> SchemaBuilder<Q, M, S>
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

/// Returns the production schema (as in `schema.graphql`) or the development schema, in the schema definition language.
pub fn sdl(development: bool) -> String {
    // The library cannot add a description to the schema, and puts the schema definition last. Move the definition to
    // the top and add the description.
    let sdl = own(development, None).schema.sdl(export_options());
    let (types, roots) = sdl.rsplit_once("schema {").unwrap_or((&sdl, ""));
    format!("\"\"\"\n{}\n\"\"\"\nschema {{{}\n\n{}", DESCRIPTION.trim_end(), roots.trim_end(), types)
}

/// Returns the schema as a subgraph of Apollo Federation 2, to compose a supergraph. A subgraph has no subscriptions,
/// because gateways do not forward them. It has no schema description, because it only extends the supergraph's schema.
pub fn subgraph_sdl(development: bool) -> String {
    let api = if development {
        finish(of_query(DevelopmentWith(Query::default(), InboxQuery, Keys)), None)
    } else {
        finish(of_query(ProductionWith(Query::default(), Keys)), None)
    };
    api.schema.sdl(export_options().federation())
}

fn export_options() -> SDLExportOptions {
    SDLExportOptions::new().prefer_single_line_descriptions().include_specified_by()
}
