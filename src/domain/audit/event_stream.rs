//! Loads events for live subscribers. The bus carries only ids, so their content always comes from the database.

use chrono::TimeDelta;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use crate::{
    db::entity::audit_events,
    domain::{
        Ctx,
        audit::{ADDRESS_LABEL, list::Filter},
    },
    error::Result,
};

/// Maximum age of an event for live delivery.
const NEWS: TimeDelta = TimeDelta::minutes(10);

/// Recent events with these ids, oldest first. One statement.
pub async fn news(ctx: &Ctx, ids: &[Uuid]) -> Result<Vec<audit_events::Model>> {
    let rows = audit_events::Entity::find()
        .filter(audit_events::Column::Id.is_in(ids.iter().copied()))
        .filter(audit_events::Column::At.gt(ctx.now() - NEWS))
        .order_by_asc(audit_events::Column::Id);
    Ok(rows.all(ctx.db.read()).await?)
}

impl Filter {
    /// Whether a list with this filter would contain the event.
    pub fn fits(&self, event: &audit_events::Model) -> bool {
        let Self { kinds, actor, subject, place, session, labels, from, before } = self;
        let label = event.detail[ADDRESS_LABEL].as_str();
        kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| kind.as_str() == event.kind))
            && (actor.is_none() || *actor == event.actor_id)
            && (subject.is_none() || *subject == event.subject_id)
            && (session.is_none() || *session == event.session_id)
            && place.is_none_or(|place| place.contains(event))
            && labels.as_ref().is_none_or(|labels| labels.iter().any(|known| Some(known.as_str()) == label))
            && from.is_none_or(|from| event.at >= from)
            && before.is_none_or(|before| event.at < before)
    }
}
