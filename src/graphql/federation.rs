//! Doorcode as a subgraph of Apollo Federation 2: what a gateway asks, which is for the schema and for people by their
//! ids. The library writes the subgraph's schema, and would answer too; but it fails a whole list for one entity,
//! counts nothing, and speaks in words of its own. So it never gets to answer here, and nobody is shown here whom
//! `user` does not show.

use async_graphql::{Context, ID, Object, Scalar, ScalarType, SimpleObject, Union, Value};
use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    error::ApiError,
    loader, parts,
    relay::{self, Kind},
    user::User,
};
use crate::{
    domain::access::{ReadAccess, Viewer},
    error::{Error, Result},
};

/// So many entities in one field: as many as the longest page that a gateway could want to complete.
const MOST: usize = 100;

/// The keys by which a gateway finds things: for the schema's text alone. In a schema that runs they would make the
/// library answer.
#[derive(Default)]
pub(super) struct Keys;

#[Object]
impl Keys {
    #[graphql(entity)]
    async fn find_user_by_id(&self, #[expect(unused, reason = "only its name counts")] id: ID) -> Option<User> {
        None
    }
}

/// What a gateway asks. Its names are the specification's.
pub(super) struct FederationQuery {
    sdl: String,
}

impl FederationQuery {
    /// With the schema that gateways are told.
    pub(super) fn new(sdl: String) -> Self {
        Self { sdl }
    }
}

/// For a gateway: this subgraph.
#[derive(SimpleObject)]
#[graphql(name = "_Service")]
struct Service<'a> {
    /// The schema, with the directives of Apollo Federation 2.
    // It is long, and one operation could ask for it under a thousand names: once is all that fits.
    sdl: &'a str,
}

/// For a gateway: whatever it can find by a key.
#[derive(Union)]
#[graphql(name = "_Entity")]
enum Entity {
    User(User),
}

/// For a gateway: the type and the key of an entity, such as `{ "__typename": "User", "id": "…" }`.
struct Representation(Value);

/// For a gateway: the type and the key of an entity, such as `{ "__typename": "User", "id": "…" }`.
#[Scalar(name = "_Any")]
impl ScalarType for Representation {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        // What is none fails in its place of the list, as whatever is not found does.
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl Representation {
    /// The person that it stands for, whoever may see them.
    fn user_id(&self) -> Result<Uuid, ApiError> {
        let text = |name| match &self.0 {
            Value::Object(parts) => parts.get(name),
            _ => None,
        };
        match (text("__typename"), text("id")) {
            (Some(Value::String(kind)), Some(Value::String(id))) if kind == "User" => {
                relay::decode_field(Kind::User, "representations", &ID(id.clone()))
            }
            _ => Err(ApiError::input("representations", "Here are people alone: `__typename` is User, `id` an id.")),
        }
    }
}

#[Object]
impl FederationQuery {
    /// For a gateway: this subgraph.
    #[graphql(name = "_service")]
    async fn service(&self) -> Service<'_> {
        Service { sdl: &self.sdl }
    }

    /// For a gateway: people by their ids, at most 100, each as `user` would find them.
    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which.")] representations: Vec<Representation>,
    ) -> Result<Vec<Option<Result<Entity, ApiError>>>, ApiError> {
        if representations.len() > MOST {
            return Err(ApiError::input("representations", format!("At most {MOST} at once.")));
        }
        let ids: Vec<_> = representations.iter().map(Representation::user_id).collect();
        let (domain, viewer) = parts(ctx);
        let known: Vec<_> = ids.iter().flatten().copied().collect();
        let mut all_access = ReadAccess::require_each(domain, viewer, &known, "_entities").await?.into_iter();
        // One entry for each id that could be read, in the same order.
        let all_access =
            ids.into_iter().map(|id| id.and_then(|_| Ok(all_access.next().unwrap_or(Err(Error::NotFound))?)));
        let people: Vec<_> = all_access.collect();
        let found = join_all(people.into_iter().map(|access| find(ctx, viewer, access))).await;
        Ok(found.into_iter().map(|found| Some(found.map(Entity::User))).collect())
    }
}

/// All that are asked for together are read together.
async fn find(ctx: &Context<'_>, viewer: &Viewer, access: Result<ReadAccess, ApiError>) -> Result<User, ApiError> {
    let person = loader::load(ctx, loader::Known(access?)).await?;
    Ok(User::seen(person.ok_or(Error::NotFound)?, viewer))
}
