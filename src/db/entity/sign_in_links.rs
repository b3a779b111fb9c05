//! The `sign_in_links` table: at most one link per address.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A sign-in link.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sign_in_links")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// HMAC of the canonical address.
    #[sea_orm(unique)]
    pub address_key: Digest,
    /// Canonical address.
    pub email: String,
    /// SHA-256 of the token.
    #[sea_orm(unique)]
    pub token_hash: Digest,
    /// The sealed token, so that a later mail can send the same link.
    pub sealed: Vec<u8>,
    /// Creation time.
    pub created_at: DateTimeUtc,
    /// Expiry.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub consumed_at: Option<DateTimeUtc>,
    /// Whether it was mailed. A decoy's link is in no mailbox.
    pub mailed: bool,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
