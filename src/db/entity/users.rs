//! The `users` table.

use super::{Role, UserStatus};
use sea_orm::entity::prelude::*;

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Canonical address.
    #[sea_orm(unique)]
    pub email: String,
    /// Display name.
    pub name: Option<String>,
    /// Role.
    pub role: Role,
    /// Status.
    pub status: UserStatus,
    /// Creation time.
    pub created_at: DateTimeUtc,
    /// Time of the last change.
    pub updated_at: DateTimeUtc,
    /// Time of the last sign-in.
    pub last_sign_in_at: Option<DateTimeUtc>,
    /// Incremented by every change, for optimistic locking.
    pub version: i32,
    /// Lower-case name for searching and sorting; empty without a name.
    pub name_key: String,
    /// Language of mails: chosen by the user, or from their first request.
    pub locale: Option<String>,
    /// When the account was deleted; it is permanently erased some time later.
    pub deleted_at: Option<DateTimeUtc>,
    /// The id in the system that the user was imported from.
    pub external_id: Option<String>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
