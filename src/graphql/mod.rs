//! The GraphQL schema: roots, limits, export. Resolvers parse ids, make one domain call and map its outcome; they decide
//! nothing. Development and production are two schemas, for what is not in a schema cannot be reached through it.

mod device;
pub mod error;
mod inbox;
mod relay;
mod session;
mod sign_in;
mod user;

use std::sync::Arc;

use async_graphql::{
    Context, EmptySubscription, ID, Interface, MergedObject, Object, Request, Response, SDLExportOptions, Schema,
    SchemaBuilder,
};

use chrono::{DateTime, Utc};

use crate::domain::{Ctx, policy::Viewer, session as sessions};
use device::Device;
use error::{ApiError, Problem};
use session::Session;
use user::User;

/// How deep an operation may go.
const DEPTH: usize = 15;
/// How many fields an operation may ask for, lists counted by their page size: a full page with all that a session has
/// is about 1,800.
const COMPLEXITY: usize = 2_000;
/// How many directives a field may carry.
const DIRECTIVES: usize = 4;

const DATE_TIME: &str = "A moment in UTC as RFC 3339 writes it, such as `2026-11-21T08:14:50.876797+00:00`.";

/// Anything with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque and typed; see `node`."))]
enum Node {
    User(User),
    Session(Session),
    Device(Device),
}

/// Questions. Nothing here changes anything.
#[derive(Default)]
struct CoreQuery;

#[Object]
impl CoreQuery {
    /// The person who is signed in; `null` when no token was sent.
    async fn me(&self, ctx: &Context<'_>) -> Option<User> {
        let viewer = ctx.data_unchecked::<Viewer>();
        viewer.signed_in.as_ref().map(User::from)
    }

    /// One object by its id: yourself, or one of your sessions or devices. What is hidden from you is `NOT_FOUND`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An id that this API gave.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        Some(find_node(ctx, &id).await)
    }
}

async fn find_node(ctx: &Context<'_>, id: &ID) -> Result<Node, ApiError> {
    let (domain, viewer) = parts(ctx);
    let (kind, id) = relay::decode(id)?;
    let person = viewer.person()?;
    match kind {
        relay::Kind::User => Ok(Node::User(User::from(person.own_user(id)?))),
        relay::Kind::Session => {
            let session = sessions::find_own(domain, person, id).await?;
            Ok(Node::Session(Session::new(session, person.user(), Some(person.session().id))))
        }
        relay::Kind::Device => Ok(Node::Device(crate::domain::device::find(domain, person, id).await?.into())),
    }
}

/// What every resolver starts from.
fn parts<'a>(ctx: &Context<'a>) -> (&'a Ctx, &'a Viewer) {
    (ctx.data_unchecked::<Arc<Ctx>>(), ctx.data_unchecked::<Viewer>())
}

/// Questions.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct Query(CoreQuery);

/// Questions, and the inbox that only development has.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
struct DevelopmentQuery(CoreQuery, inbox::InboxQuery);

/// Changes. A document may hold one of them at its root.
#[derive(MergedObject, Default)]
struct Mutation(sign_in::SignInMutation, session::SessionMutation, device::DeviceMutation);

type ProductionSchema = Schema<Query, Mutation, EmptySubscription>;
type DevelopmentSchema = Schema<DevelopmentQuery, Mutation, EmptySubscription>;

/// The schema that this process serves.
#[derive(Clone)]
pub struct Api(Roots);

#[derive(Clone)]
enum Roots {
    Development(DevelopmentSchema),
    Production(ProductionSchema),
}

impl Api {
    /// The schema for a process: with the inbox where there is one.
    pub fn new(ctx: &Arc<Ctx>) -> Self {
        Self(if ctx.inbox.is_some() {
            Roots::Development(development().data(Arc::clone(ctx)).finish())
        } else {
            Roots::Production(production().data(Arc::clone(ctx)).finish())
        })
    }

    /// Runs a request that the edge has already checked.
    pub async fn execute(&self, request: Request) -> Response {
        match &self.0 {
            Roots::Development(schema) => schema.execute(request).await,
            Roots::Production(schema) => schema.execute(request).await,
        }
    }
}

fn development() -> SchemaBuilder<DevelopmentQuery, Mutation, EmptySubscription> {
    limits(Schema::build(DevelopmentQuery::default(), Mutation::default(), EmptySubscription))
}

fn production() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    limits(Schema::build(Query::default(), Mutation::default(), EmptySubscription))
}

fn limits<Q, M>(builder: SchemaBuilder<Q, M, EmptySubscription>) -> SchemaBuilder<Q, M, EmptySubscription>
where
    Q: async_graphql::ObjectType + 'static,
    M: async_graphql::ObjectType + 'static,
{
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
    if development {
        self::development().finish().sdl_with_options(options)
    } else {
        production().finish().sdl_with_options(options)
    }
}
