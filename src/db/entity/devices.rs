//! The `devices` table: browsers with an earlier sign-in.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A known device.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "devices")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Owner.
    pub user_id: Uuid,
    /// SHA-256 of the device token.
    pub token_hash: Digest,
    /// First sign-in.
    pub created_at: DateTimeUtc,
    /// Latest sign-in.
    pub last_used_at: DateTimeUtc,
    /// Expiry.
    pub expires_at: DateTimeUtc,
    /// User agent at the latest sign-in.
    pub user_agent: Option<String>,
    /// IP address at the latest sign-in.
    pub ip_address: Option<String>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
