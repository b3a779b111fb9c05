//! The `audit_events` table: what happened, append-only.

use sea_orm::entity::prelude::*;

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// UUID v7, so that the order of ids is the order of time.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// When.
    pub at: DateTimeUtc,
    /// What.
    pub kind: String,
    /// Who did it. No foreign key: the trail outlives people.
    pub actor_id: Option<Uuid>,
    /// Whom it is about.
    pub subject_id: Option<Uuid>,
    /// Client address.
    pub ip_address: Option<String>,
    /// Client software.
    pub user_agent: Option<String>,
    /// The request, as in the answer's `x-request-id`.
    pub request_id: Option<String>,
    /// More, never a secret.
    pub detail: Json,
    /// How often, for refusals that share a row.
    pub count: i32,
    /// Rule, key and window of refusals that share a row.
    #[sea_orm(unique)]
    pub refusal_key: Option<String>,
}

/// Relations are joined by hand where a query needs them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
