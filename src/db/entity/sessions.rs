//! The `sessions` table.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// UUID v7; `sid` in tokens.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Owner.
    pub user_id: Uuid,
    /// Device of the sign-in.
    pub device_id: Option<Uuid>,
    /// Time of the sign-in, `auth_time` in tokens.
    pub created_at: DateTimeUtc,
    /// Time of the latest request, to the minute.
    pub last_seen_at: DateTimeUtc,
    /// Idle expiry, extended by refreshing.
    pub idle_expires_at: DateTimeUtc,
    /// Absolute expiry.
    pub expires_at: DateTimeUtc,
    /// When it ended.
    pub ended_at: Option<DateTimeUtc>,
    /// Why it ended.
    pub end_reason: Option<String>,
    /// User agent of the sign-in.
    pub user_agent: Option<String>,
    /// IP address of the sign-in.
    pub ip_address: Option<String>,
    /// SHA-256 of the current refresh token.
    pub refresh_hash: Digest,
    /// SHA-256 of the previous refresh token.
    pub previous_hash: Option<Digest>,
    /// When the previous token was replaced.
    pub rotated_at: Option<DateTimeUtc>,
    /// The current refresh token, sealed under a key derived from the previous one; erased after the grace period.
    pub successor: Option<Vec<u8>>,
    /// Whether the user asked to stay signed in.
    pub remembered: bool,
    /// The application that the user signed in to, if it is another one.
    pub client_id: Option<String>,
    /// When the owner said that they did not sign in.
    pub disowned_at: Option<DateTimeUtc>,
    /// The session of the pages that a client's session was opened from. It may be gone.
    pub parent_id: Option<Uuid>,
}

/// Tables that sessions are joined with.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Owner.
    #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
    User,
    /// The proofs that opened it.
    #[sea_orm(has_many = "super::authentications::Entity")]
    Authentications,
}

impl Related<super::authentications::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Authentications.def()
    }
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
