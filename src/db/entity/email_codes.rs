//! The `email_codes` table: one-time codes by e-mail: one row a challenge.

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
    /// What a right code allows, such as `sign_in`.
    pub purpose: String,
    /// HMAC of the canonical address.
    pub address_key: Digest,
    /// Whose guessing budget wrong tries are charged to: the address's or a known device's.
    pub budget_key: Digest,
    /// Canonical address as typed; empty once the codes are dead.
    pub email: String,
    /// The known device that asked.
    pub device_id: Option<Uuid>,
    /// Whether the code is a fixed test code.
    pub fixed: bool,
    /// Keyed hash of the newest code.
    pub code_hash: Digest,
    /// Keyed hash of the code before it.
    pub earlier_hash: Option<Digest>,
    /// When the code before it dies.
    pub earlier_expires_at: Option<DateTimeUtc>,
    /// When the newest code dies.
    pub expires_at: DateTimeUtc,
    /// Tries counted so far, each before its comparison.
    pub attempts: i32,
    /// Units charged to the budget: a wrong try costs as many as codes were live.
    pub units: i32,
    /// Latest counted try.
    pub attempted_at: Option<DateTimeUtc>,
    /// When the challenge was made.
    pub created_at: DateTimeUtc,
    /// When a right code was used.
    pub consumed_at: Option<DateTimeUtc>,
    /// The person who asked, when the code is for something that only they may do.
    pub user_id: Option<Uuid>,
    /// The language that was asked for.
    pub locale: Option<String>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
