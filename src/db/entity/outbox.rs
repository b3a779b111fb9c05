//! The `outbox` table: mail waiting to be sent.

use super::MailState;
use sea_orm::entity::prelude::*;

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// UUID v7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Which template.
    pub kind: String,
    /// Where it stands.
    pub state: MailState,
    /// Recipient and content under the server secret; erased when the mail is done.
    pub sealed: Option<Vec<u8>>,
    /// Tries so far.
    pub attempts: i32,
    /// When it was queued.
    pub created_at: DateTimeUtc,
    /// Not before this moment.
    pub next_attempt_at: DateTimeUtc,
    /// A worker has it until then.
    pub claimed_until: Option<DateTimeUtc>,
    /// Never sent after this moment.
    pub expires_at: DateTimeUtc,
    /// When it was sent or given up.
    pub finished_at: Option<DateTimeUtc>,
    /// What the next hop said last.
    pub last_error: Option<String>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
