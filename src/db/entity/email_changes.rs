//! The `email_changes` table: email address changes that can still be undone from the old address.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// An email address change.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_changes")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// User.
    pub user_id: Uuid,
    /// Old address.
    pub old_email: String,
    /// New address.
    pub new_email: String,
    /// SHA-256 of the token in the notice to the old address.
    #[sea_orm(unique)]
    pub token_hash: Digest,
    /// When the address changed.
    pub created_at: DateTimeUtc,
    /// Deadline for undoing it.
    pub expires_at: DateTimeUtc,
    /// When it was undone.
    pub undone_at: Option<DateTimeUtc>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
