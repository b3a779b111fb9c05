//! The `Node` interface and the `node` field. `node` looks up each type with the same permissions as the fields for
//! that type.

use async_graphql::{Context, ID, Interface, Object};

use super::{
    account::{api_key::ApiKey, device::Device, session::Session},
    admin::audit::AuditEvent,
    error::ApiError,
    parts,
    relay::{self, Kind},
    user::User,
};
use crate::domain::{access::SignedIn, audit, credential::api_key, device, session, user};

/// An object with a globally unique ID.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "The ID of the object, for `node`."))]
pub(super) enum Node {
    User(User),
    Session(Session),
    Device(Device),
    AuditEvent(AuditEvent),
    ApiKey(ApiKey),
}

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Looks up an object by its ID: one of your own objects, or any object if you have the role MANAGER. Fails with
    /// `NOT_FOUND` if the object doesn't exist or you have no access to it.
    async fn node(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ID of the object, as returned by this API.")] id: ID,
    ) -> Option<Result<Node, ApiError>> {
        Some(find(ctx, &id).await)
    }
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Node, ApiError> {
    let (domain, viewer) = parts(ctx);
    let (kind, id) = relay::decode(id)?;
    Ok(match kind {
        Kind::User => Node::User(User::seen(user::find_seen(domain, viewer, id, "node").await?, viewer)),
        Kind::Session => {
            let (SignedIn { user, session }, access) = session::find_seen(domain, viewer, id, "node").await?;
            Node::Session(Session::new(session, User::seen((user, access), viewer)))
        }
        Kind::Device => Node::Device(device::find_seen(domain, viewer, id, "node").await?.into()),
        Kind::ApiKey => Node::ApiKey(api_key::find_seen(domain, viewer, id, "node").await?.into()),
        Kind::AuditEvent => Node::AuditEvent(audit::list::find_seen(domain, viewer, id, "node").await?.into()),
    })
}
