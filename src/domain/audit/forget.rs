//! Removes personal data from events: client addresses after their retention, and what identifies erased users.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter,
    sea_query::{self, Expr},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    db::entity::audit_events,
    domain::{Ctx, batch},
    error::Result,
};

/// Removes client data from events older than its retention: IP address, user agent, and the refusal key, which may
/// contain an address.
pub async fn forget_addresses(ctx: &Ctx, before: DateTime<Utc>) -> Result<()> {
    let change = "UPDATE audit_events SET ip_address = NULL, network = NULL, user_agent = NULL, refusal_key = NULL";
    let old = "SELECT id FROM audit_events WHERE at < $1 \
               AND (ip_address IS NOT NULL OR user_agent IS NOT NULL OR refusal_key IS NOT NULL) ORDER BY at";
    batch::run(ctx, change, old, &[before.into()]).await?;
    Ok(())
}

/// A user being erased.
pub struct Erased {
    /// User id.
    pub id: Uuid,
    /// Email address.
    pub email: String,
}

/// Removes personal data of erased users. Kind, time and user id stay; the id no longer identifies anyone. Events about
/// them lose origin and detail. Events by them about others lose only the origin. Events before sign-in have no user
/// but the label of an address: they lose origin and detail. An event about another user with such a label (a wanted
/// address) loses only the detail.
pub async fn forget_people(ctx: &Ctx, db: &impl ConnectionTrait, people: &[Erased]) -> Result<()> {
    use audit_events::Column;
    let without_origin = || {
        audit_events::Entity::update_many()
            .col_expr(Column::IpAddress, Expr::value(Option::<String>::None))
            .col_expr(Column::Network, Expr::value(Option::<String>::None))
            .col_expr(Column::SessionId, Expr::value(Option::<Uuid>::None))
            .col_expr(Column::UserAgent, Expr::value(Option::<String>::None))
            .col_expr(Column::RequestId, Expr::value(Option::<String>::None))
            .col_expr(Column::RefusalKey, Expr::value(Option::<String>::None))
    };
    let erased = || Expr::value(json!({ "erased": true }));
    let ids: Vec<_> = people.iter().map(|person| person.id).collect();
    let by = |column: Column| column.is_in(ids.iter().copied());
    without_origin().col_expr(Column::Detail, erased()).filter(by(Column::SubjectId)).exec(db).await?;
    without_origin().filter(by(Column::ActorId)).exec(db).await?;

    let labels: Vec<_> = people.iter().flat_map(|person| ctx.vault.address_labels(&person.email)).collect();
    // Must match the expression of `audit_events_address_id_idx`.
    let labelled = || sea_query::ExprTrait::is_in(Expr::cust("detail ->> 'address'"), labels.iter().cloned());
    let anonymous = without_origin().filter(labelled()).filter(Column::SubjectId.is_null());
    anonymous.col_expr(Column::Detail, erased()).exec(db).await?;
    audit_events::Entity::update_many().col_expr(Column::Detail, erased()).filter(labelled()).exec(db).await?;
    Ok(())
}
