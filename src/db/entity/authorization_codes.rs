//! The `authorization_codes` table: what a client exchanges for a session of its own.

use crate::db::digest::Digest;
use sea_orm::entity::prelude::*;

/// An authorization code.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "authorization_codes")]
pub struct Model {
    /// UUID v7. It is part of the code.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the whole code.
    pub code_hash: Digest,
    /// The client that it was made for.
    pub client_id: String,
    /// The redirect URI of the request, with its port.
    pub redirect_uri: String,
    /// SHA-256 of the code verifier.
    pub challenge: Digest,
    /// The session in which the user approved the request.
    pub session_id: Uuid,
    /// Approval.
    pub created_at: DateTimeUtc,
    /// Expiry.
    pub expires_at: DateTimeUtc,
    /// The first attempt to use it, successful or not.
    pub used_at: Option<DateTimeUtc>,
    /// The session that the first attempt opened, unless it was refused.
    pub opened_session_id: Option<Uuid>,
}

/// Joined with nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
