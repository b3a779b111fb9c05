//! `node`: any object by its id. Interfaces expose `id` alone, and every kind is found the way its own field finds it,
//! so nothing is reachable here that is not reachable there.

use async_graphql::{Context, ID, Interface, Object};

use super::{
    account::{device::Device, session::Session},
    admin::audit::AuditEvent,
    error::ApiError,
    parts,
    relay::{self, Kind},
    user::User,
};
use crate::domain::{access::SignedIn, audit, device, session, user};

/// Anything with an id of its own.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "ID", desc = "Opaque and typed; see `node`."))]
pub(super) enum Node {
    User(User),
    Session(Session),
    Device(Device),
    AuditEvent(AuditEvent),
}

#[derive(Default)]
pub(super) struct NodeQuery;

#[Object]
impl NodeQuery {
    /// One object by its id: yourself or what is yours, or anything of anybody for a MANAGER. What is hidden from you
    /// is `NOT_FOUND`.
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
    Ok(match kind {
        Kind::User => Node::User(User::seen(user::find_seen(domain, viewer, id, "node").await?, viewer)),
        Kind::Session => {
            let (SignedIn { user, session }, access) = session::find_seen(domain, viewer, id, "node").await?;
            Node::Session(Session::new(session, User::seen((user, access), viewer)))
        }
        Kind::Device => Node::Device(device::find_seen(domain, viewer, id, "node").await?.into()),
        Kind::AuditEvent => Node::AuditEvent(audit::list::find_seen(domain, viewer, id, "node").await?.into()),
    })
}
