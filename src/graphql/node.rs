//! `node`: any object by its id. Interfaces expose `id` alone, and every kind is found the way its own field finds it,
//! so nothing is reachable here that is not reachable there.

use async_graphql::{Context, ID, Interface, Object};

use super::{
    device::Device,
    error::ApiError,
    parts,
    relay::{self, Kind},
    session::Session,
    user::User,
};
use crate::domain::{device, session};

/// Anything with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque and typed; see `node`."))]
pub(super) enum Node {
    User(User),
    Session(Session),
    Device(Device),
}

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// One object by its id: yourself, or one of your sessions or devices. What is hidden from you is `NOT_FOUND`.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "An id that this API gave.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        Some(find(ctx, &id).await)
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Node, ApiError> {
    let (domain, viewer) = parts(ctx);
    let (kind, id) = relay::decode(id)?;
    let person = viewer.person()?;
    match kind {
        Kind::User => Ok(Node::User(User::from(person.own_user(id)?))),
        Kind::Session => {
            let session = session::find_own(domain, person, id).await?;
            Ok(Node::Session(Session::new(session, person.user(), Some(person.session().id))))
        }
        Kind::Device => Ok(Node::Device(device::find(domain, person, id).await?.into())),
    }
}
