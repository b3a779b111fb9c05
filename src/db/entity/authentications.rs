//! The `authentications` table: the proofs of a session.

use super::Method;
use sea_orm::entity::prelude::*;

/// One proof that a user gave for a session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authentications")]
pub struct Model {
    /// The code, link or attempt that was used up. Unique, so that one proof never opens two sessions.
    #[sea_orm(primary_key, auto_increment = false)]
    pub proof_id: Uuid,
    /// The session it opened.
    pub session_id: Uuid,
    /// How the user signed in.
    pub method: Method,
    /// When.
    pub at: DateTimeUtc,
}

/// Tables joined with this one.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The session.
    #[sea_orm(belongs_to = "super::sessions::Entity", from = "Column::SessionId", to = "super::sessions::Column::Id")]
    Session,
}

impl Related<super::sessions::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Session.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
