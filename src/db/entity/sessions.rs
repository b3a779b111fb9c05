//! The `sessions` table: sign-ins that last until they end.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// UUID v7; `sid` in tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// The device it was opened from.
    pub device_id: Option<Uuid>,
    /// The code or link that opened it. Unique: a second session from one code cannot be written.
    #[sea_orm(unique)]
    pub credential_id: Uuid,
    /// How the person proved themselves: `otp` or `link`.
    pub method: String,
    /// When it was opened, which is `auth_time` in tokens.
    pub created_at: DateTimeUtc,
    /// Latest request, to the minute.
    pub last_seen_at: DateTimeUtc,
    /// When it ends unless refreshed before.
    pub idle_expires_at: DateTimeUtc,
    /// When it ends whatever happens.
    pub expires_at: DateTimeUtc,
    /// When it ended.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it ended.
    pub end_reason: Option<String>,
    /// Browser that opened it.
    pub user_agent: Option<String>,
    /// Address that opened it.
    pub ip_address: Option<String>,
    /// SHA-256 of the live refresh token.
    pub refresh_hash: Digest,
    /// SHA-256 of its immediate predecessor.
    pub previous_hash: Option<Digest>,
    /// When the predecessor was replaced.
    pub rotated_at: Option<DateTimeUtc>,
    /// The live refresh token sealed under a key that only its predecessor gives; erased after the grace.
    pub successor: Option<Vec<u8>>,
}

/// What a session is looked up with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Whose it is.
    #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
    User,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
