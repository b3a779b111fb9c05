//! The `password_tries` table: wrong passwords, which spend a budget.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// One counted attempt. A right password takes its row away again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "password_tries")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Keyed hash of the address, or of the known device.
    pub budget_key: Digest,
    /// When it was counted.
    pub at: DateTimeUtc,
    /// Whether this attempt used up the budget and a notice was sent.
    pub noticed: bool,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
