//! The `audit_events` table, append-only.

use sea_orm::entity::prelude::*;

/// An audit event.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit_events")]
pub struct Model {
    /// UUID v7, so ids are in chronological order.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Time of the event.
    pub at: DateTimeUtc,
    /// Kind of the event.
    pub kind: String,
    /// User who acted. No foreign key: events outlive users.
    pub actor_id: Option<Uuid>,
    /// User whom the event is about.
    pub subject_id: Option<Uuid>,
    /// Client IP address.
    pub ip_address: Option<String>,
    /// Network of the IP address, as `domain/audit/network.rs` writes it.
    pub network: Option<String>,
    /// Session that the event is about, or else in which it was caused.
    pub session_id: Option<Uuid>,
    /// Client user agent.
    pub user_agent: Option<String>,
    /// Request id, as in the `x-request-id` response header.
    pub request_id: Option<String>,
    /// Details, never a secret.
    pub detail: Json,
    /// Number of occurrences, for refusals that share a row.
    pub count: i32,
    /// Rule, key and window, for refusals that share a row.
    #[sea_orm(unique)]
    pub refusal_key: Option<String>,
}

/// Relations are joined explicitly in queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
