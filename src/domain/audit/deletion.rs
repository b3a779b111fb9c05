//! Finds out from the audit trail who deleted an account.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::Kind;
use crate::{db::entity::audit_events, error::Result};

/// Whether the latest deletion was done by the account's owner.
pub async fn was_own(db: &impl ConnectionTrait, user_id: Uuid) -> Result<bool> {
    let latest = audit_events::Entity::find()
        .filter(audit_events::Column::SubjectId.eq(user_id))
        .filter(audit_events::Column::Kind.eq(Kind::UserDeleted.as_str()))
        .order_by_desc(audit_events::Column::Id)
        .one(db)
        .await?;
    Ok(latest.is_some_and(|event| event.actor_id == Some(user_id)))
}
