//! The `users` table: people.

use super::{Role, UserStatus};
use sea_orm::entity::prelude::*;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Canonical address.
    #[sea_orm(unique)]
    pub email: String,
    /// What the person wants to be called.
    pub name: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// When the account was made.
    pub created_at: DateTimeUtc,
    /// When it last changed.
    pub updated_at: DateTimeUtc,
    /// The last completed sign-in.
    pub last_sign_in_at: Option<DateTimeUtc>,
    /// Goes up with every change by a person, so that two of them cannot overwrite each other.
    pub version: i32,
    /// The name in lower case, which lists search and sort by; empty without a name.
    pub name_key: String,
    /// The language of their mails: the one that they chose, or first asked for.
    pub locale: Option<String>,
    /// When the account was deleted; erased for good some time after.
    pub deleted_at: Option<DateTimeUtc>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
