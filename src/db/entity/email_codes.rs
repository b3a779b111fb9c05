//! The `email_codes` table: emailed one-time codes, one row per challenge.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A challenge with at most two live codes.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "email_codes")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the challenge handle.
    #[sea_orm(unique)]
    pub handle_hash: Digest,
    /// What a correct code allows, such as `sign_in`.
    pub purpose: String,
    /// HMAC of the canonical address.
    pub address_key: Digest,
    /// The guessing budget for wrong tries: the address's or a known device's.
    pub budget_key: Digest,
    /// Canonical address; empty once the codes have expired.
    pub email: String,
    /// The known device of the request.
    pub device_id: Option<Uuid>,
    /// Whether the code is a fixed test code.
    pub fixed: bool,
    /// HMAC of the newest code.
    pub code_hash: Digest,
    /// HMAC of the previous code.
    pub earlier_hash: Option<Digest>,
    /// Expiry of the previous code.
    pub earlier_expires_at: Option<DateTimeUtc>,
    /// Expiry of the newest code.
    pub expires_at: DateTimeUtc,
    /// Number of tries, counted before each comparison.
    pub attempts: i32,
    /// Units charged to the budget. A wrong try costs one unit per live code.
    pub units: i32,
    /// Time of the latest try.
    pub attempted_at: Option<DateTimeUtc>,
    /// Creation time.
    pub created_at: DateTimeUtc,
    /// When a correct code was used.
    pub consumed_at: Option<DateTimeUtc>,
    /// The requesting user, for a purpose that requires a session.
    pub user_id: Option<Uuid>,
    /// Requested language.
    pub locale: Option<String>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
