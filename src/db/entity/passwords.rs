//! The `passwords` table: at most one row per user.

use sea_orm::entity::prelude::*;

/// A password as a sealed hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "passwords")]
pub struct Model {
    /// The user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The PHC string, sealed under the server secret and bound to the user.
    pub sealed: Vec<u8>,
    /// Goes up whenever the user gets another password. A sign-in counts only for the version that it compared.
    pub version: i32,
    /// When the user first had a password.
    pub created_at: DateTimeUtc,
    /// When the password was set.
    pub changed_at: DateTimeUtc,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
