//! The `outbox` table: queued mail.

use super::MailState;
use sea_orm::entity::prelude::*;

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Kind of letter.
    pub kind: String,
    /// State.
    pub state: MailState,
    /// Recipient and content, sealed with the server secret; erased when the mail is finished.
    pub sealed: Option<Vec<u8>>,
    /// Number of attempts.
    pub attempts: i32,
    /// When it was queued.
    pub created_at: DateTimeUtc,
    /// Earliest time of the next attempt.
    pub next_attempt_at: DateTimeUtc,
    /// Claimed by a worker until this time.
    pub claimed_until: Option<DateTimeUtc>,
    /// Expiry; never sent after this time.
    pub expires_at: DateTimeUtc,
    /// When it was sent or failed.
    pub finished_at: Option<DateTimeUtc>,
    /// Latest error.
    pub last_error: Option<String>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
