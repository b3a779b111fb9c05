//! The `sign_in_links` table: sign-in links: at most one an address.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A link that signs in the browser that presses its button.
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
    /// The token sealed, so that a later mail can carry the same link.
    pub sealed: Vec<u8>,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it dies.
    pub expires_at: DateTimeUtc,
    /// When it was used.
    pub consumed_at: Option<DateTimeUtc>,
    /// Whether a mail carried it. The link of a decoy lies in nobody's mailbox.
    pub mailed: bool,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
