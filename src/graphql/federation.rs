//! The subgraph fields of Apollo Federation 2: `_service` and `_entities`. The GraphQL library generates the subgraph
//! schema. This module resolves the fields, because with the library's resolvers one failed entity would fail the whole
//! list, and the length of the list would have no limit. Permissions are the same as for `user`.

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

/// Maximum number of representations in one call. A gateway sends one for each user on a page, and a page has at most
/// this many users.
const MAX_REPRESENTATIONS: usize = 100;

/// Declares the entity keys, in the exported schema only. In a schema that executes operations, the keys would enable
/// the library's resolvers.
#[derive(Default)]
pub(super) struct Keys;

#[Object]
impl Keys {
    #[graphql(entity)]
    async fn find_user_by_id(&self, #[expect(unused, reason = "only declares the key")] id: ID) -> Option<User> {
        None
    }
}

/// The fields that a gateway queries. The specification defines their names.
pub(super) struct FederationQuery {
    sdl: String,
}

impl FederationQuery {
    /// Creates the fields with the subgraph schema.
    pub(super) fn new(sdl: String) -> Self {
        Self { sdl }
    }
}

/// For gateways: this subgraph.
#[derive(SimpleObject)]
#[graphql(name = "_Service")]
struct Service<'a> {
    /// The schema with the directives of Apollo Federation 2.
    // The schema is long. Its cost is so high that an operation can select it only once, even with aliases.
    sdl: &'a str,
}

/// For gateways: an entity.
#[derive(Union)]
#[graphql(name = "_Entity")]
enum Entity {
    User(User),
}

struct Representation(Value);

/// For gateways: the type and key of an entity, such as `{ "__typename": "User", "id": "…" }`.
#[Scalar(name = "_Any", specified_by_url = "https://www.apollographql.com/docs/federation/subgraph-spec")]
impl ScalarType for Representation {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        // Accept any value here, so that an invalid representation fails alone and not the whole list.
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl Representation {
    /// Returns the ID of the user in this representation. Does not check permissions.
    fn user_id(&self) -> Result<Uuid, ApiError> {
        let text = |name| match &self.0 {
            Value::Object(parts) => parts.get(name),
            _ => None,
        };
        match (text("__typename"), text("id")) {
            (Some(Value::String(kind)), Some(Value::String(id))) if kind == "User" => {
                relay::decode_field(Kind::User, "representations", &ID(id.clone()))
            }
            _ => Err(ApiError::input("representations", "A representation needs the `__typename` User and an `id`.")),
        }
    }
}

#[Object]
impl FederationQuery {
    /// For gateways: describes this subgraph.
    #[graphql(name = "_service")]
    async fn service(&self) -> Service<'_> {
        Service { sdl: &self.sdl }
    }

    /// For gateways: looks up users by their IDs, with the permissions of `user`.
    #[graphql(name = "_entities")]
    async fn entities(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The users to look up (maximum 100).")] representations: Vec<Representation>,
    ) -> Result<Vec<Option<Result<Entity, ApiError>>>, ApiError> {
        if representations.len() > MAX_REPRESENTATIONS {
            let message = format!("`representations` can have at most {MAX_REPRESENTATIONS} items.");
            return Err(ApiError::input("representations", message));
        }
        let ids: Vec<_> = representations.iter().map(Representation::user_id).collect();
        let (domain, viewer) = parts(ctx);
        let known: Vec<_> = ids.iter().flatten().copied().collect();
        let mut all_access = ReadAccess::require_each(domain, viewer, &known, "_entities").await?.into_iter();
        // `all_access` has one result for each valid ID, in the same order.
        let all_access =
            ids.into_iter().map(|id| id.and_then(|_| Ok(all_access.next().unwrap_or(Err(Error::NotFound))?)));
        let requested: Vec<_> = all_access.collect();
        let found = join_all(requested.into_iter().map(|access| find(ctx, viewer, access))).await;
        Ok(found.into_iter().map(|found| Some(found.map(Entity::User))).collect())
    }
}

/// Loads one user. The data loader reads all users of a request with one statement.
async fn find(ctx: &Context<'_>, viewer: &Viewer, access: Result<ReadAccess, ApiError>) -> Result<User, ApiError> {
    let user = loader::load(ctx, loader::Known(access?)).await?;
    Ok(User::seen(user.ok_or(Error::NotFound)?, viewer))
}
