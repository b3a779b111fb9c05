//! The `email_changes` table: changes of address that the holder of the old one can still undo.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_changes")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose address.
    pub user_id: Uuid,
    /// The address before.
    pub old_email: String,
    /// The address after.
    pub new_email: String,
    /// SHA-256 of the token in the notice to the old address.
    #[sea_orm(unique)]
    pub token_hash: Digest,
    /// When the address changed.
    pub created_at: DateTimeUtc,
    /// Until when it can be undone.
    pub expires_at: DateTimeUtc,
    /// When it was undone.
    pub undone_at: Option<DateTimeUtc>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
