//! The `devices` table: browsers that have signed in before.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A known device.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// SHA-256 of the device token.
    pub token_hash: Digest,
    /// First sign-in.
    pub created_at: DateTimeUtc,
    /// Latest sign-in.
    pub last_used_at: DateTimeUtc,
    /// When it is forgotten by itself.
    pub expires_at: DateTimeUtc,
    /// Browser at the latest sign-in.
    pub user_agent: Option<String>,
    /// Address at the latest sign-in.
    pub ip_address: Option<String>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
