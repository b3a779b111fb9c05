//! The `api_keys` table: keys with which programs act for a user.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// An API key.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// UUID v7. It is part of the key.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Owner.
    pub user_id: Uuid,
    /// Name, for people.
    pub name: String,
    /// SHA-256 of the whole key.
    pub key_hash: Digest,
    /// SHA-256 of the key before the latest rotation.
    pub previous_hash: Option<Digest>,
    /// When the previous key stops working.
    pub previous_until: Option<DateTimeUtc>,
    /// Names of scopes, separated by spaces.
    pub scopes: String,
    /// Creation.
    pub created_at: DateTimeUtc,
    /// Expiry, if it has one.
    pub expires_at: Option<DateTimeUtc>,
    /// Latest use, to the minute.
    pub last_used_at: Option<DateTimeUtc>,
    /// Revocation.
    pub revoked_at: Option<DateTimeUtc>,
}

impl Model {
    /// The names of the scopes.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scopes.split_ascii_whitespace()
    }

    /// Whether the key has a scope. Its owner's role may not allow it.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes().any(|name| name == scope)
    }
}

/// Tables joined with this one.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
    #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
    User,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
