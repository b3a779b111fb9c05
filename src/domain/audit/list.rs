//! Lists the audit trail, newest first. Callers pass a type from `access` that proves what they may see. Pages are
//! ranges of ids, which are in chronological order.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryResult};
use uuid::Uuid;

use super::{Kind, network::Place};
use crate::{
    db::entity::audit_events,
    domain::{
        Ctx,
        access::{Manager, Overseer, ReadAccess, Viewer},
        range_query::{self, Slice, Union},
        user,
    },
    error::{Error, Result},
};

/// An event and the viewer's access to its subject.
pub type Seen = (audit_events::Model, ReadAccess);

/// Filter for events. All given conditions must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these kinds.
    pub kinds: Option<Vec<Kind>>,
    /// Actor.
    pub actor: Option<Uuid>,
    /// Subject.
    pub subject: Option<Uuid>,
    /// Address or network of the client.
    pub place: Option<Place>,
    /// Session that the event is about, or in which it was caused.
    pub session: Option<Uuid>,
    /// The hashes of an email address, from [`labels`].
    pub labels: Option<Vec<String>>,
    /// Earliest time, inclusive.
    pub from: Option<DateTime<Utc>>,
    /// Latest time, exclusive.
    pub before: Option<DateTime<Utc>>,
}

impl Filter {
    /// The users named by the filter.
    fn people(&self) -> impl Iterator<Item = Uuid> {
        [self.subject, self.actor].into_iter().flatten()
    }

    /// Whether it selects by what a manager does not see in events about deleted users.
    fn selects_by_origin(&self) -> bool {
        self.place.is_some() || self.session.is_some()
    }

    /// Whether an index range depends on what it asks for, other than a kind or a time.
    fn selects_by_value(&self) -> bool {
        self.people().next().is_some() || self.selects_by_origin() || self.labels.is_some()
    }

    /// The users who must be visible to the viewer if this filter selects the event.
    pub fn people_behind(&self, event: &audit_events::Model) -> impl Iterator<Item = Uuid> {
        self.people().chain(event.subject_id.filter(|_| self.selects_by_origin()))
    }

    /// The filter with times that both databases support.
    #[must_use]
    pub fn canonical(self) -> Self {
        Self {
            from: self.from.map(range_query::within_years),
            before: self.before.map(range_query::within_years),
            ..self
        }
    }
}

/// The hashes of an email address by which [`Filter`] finds its events. Only administrators see them.
pub async fn labels(ctx: &Ctx, manager: Manager<'_>, email: &str, field: &'static str) -> Result<Vec<String>> {
    manager.require_labels(ctx, field).await?;
    Ok(ctx.vault.address_labels(email).collect())
}

/// Maximum difference between an event's id and its time. Ids keep increasing when the clock is set back, so an id may
/// be later than its event.
const IDS_AHEAD: TimeDelta = TimeDelta::minutes(10);

/// A page of the trail. One statement.
pub async fn list(ctx: &Ctx, overseer: impl Into<Overseer>, filter: &Filter, slice: Slice) -> Result<Vec<Seen>> {
    let overseer = overseer.into();
    let mut union = Union::new(ctx).with_known_limits(!filter.selects_by_value());
    for condition in conditions(&mut union, overseer, filter, slice.older_than) {
        let tail = slice.tail(&mut union);
        union.part(format!("SELECT * FROM audit_events WHERE {condition}{tail}"));
    }
    if union.is_empty() {
        return Ok(Vec::new());
    }
    let (events, most) = (union.table(), union.limit(slice.most));
    let sql = format!("SELECT * FROM ({events}) AS events ORDER BY id {} LIMIT {most}", slice.direction());
    let seen = |event: QueryResult| {
        let event = audit_events::Model::from_query_result(&event, "")?;
        let access = overseer.access_to(event.subject_id.unwrap_or_default());
        Ok((event, access))
    };
    ctx.db.read().query_all_raw(union.statement(&sql)).await?.into_iter().map(seen).collect()
}

/// Number of matching events. One statement.
pub async fn count(ctx: &Ctx, manager: Manager<'_>, filter: &Filter) -> Result<u64> {
    let mut union = Union::new(ctx);
    for condition in conditions(&mut union, manager.into(), filter, None) {
        union.part(format!("SELECT COUNT(*) AS number FROM audit_events WHERE {condition}"));
    }
    union.sum(ctx).await
}

/// Conditions for each part of the union: one index range per subject, actor or kind, or one for all events. The
/// remaining conditions are checked per row and must not influence the choice of an index.
fn conditions(union: &mut Union, overseer: Overseer, filter: &Filter, older_than: Option<Uuid>) -> Vec<String> {
    let (mut range, mut rest) = (vec!["TRUE".to_owned()], Vec::new());
    if !overseer.sees_deleted() {
        // The list does not show a hidden user's identity, so the filter must not select by that user.
        range.extend(filter.people().map(|person| user::list::is_undeleted(&union.bind(person))));
        if filter.selects_by_origin() {
            rest.push(format!("(subject_id IS NULL OR {})", user::list::is_undeleted("audit_events.subject_id")));
        }
    }
    if let Some(from) = filter.from {
        range.push(format!("id >= {}", union.bind(first_id(from))));
        rest.push(format!("at >= {}", union.bind(from)));
    }
    if let Some(before) = filter.before {
        // Skip the bound if the page starts at an older event anyway.
        let id = first_id(before + IDS_AHEAD);
        if older_than.is_none_or(|older| id < older) {
            range.push(format!("id < {}", union.bind(id)));
        }
        rest.push(format!("at < {}", union.bind(before)));
    }
    let mut choices = choices(union, filter).into_iter();
    let starts = choices.next().unwrap_or_else(|| vec!["TRUE".to_owned()]);
    rest.extend(choices.map(|any| if any.is_empty() { "FALSE".to_owned() } else { format!("({})", any.join(" OR ")) }));
    let rest = if rest.is_empty() { String::new() } else { range_query::aside(rest.join(" AND ")) };
    let range = range.join(" AND ");
    starts.iter().map(|start| format!("{start} AND {range}{rest}")).collect()
}

/// What the filter selects, with one condition for each index range. The first one usually matches the fewest events.
fn choices(union: &mut Union, filter: &Filter) -> Vec<Vec<String>> {
    let mut choices = Vec::new();
    choices.extend(filter.session.map(|session| vec![format!("session_id = {}", union.bind(session))]));
    choices.extend(filter.labels.as_ref().map(|labels| {
        // Both conditions are needed for the index `audit_events_address_id_idx`, which is partial.
        let is = |label: &String| {
            format!("detail ->> 'address' = {} AND detail ->> 'address' IS NOT NULL", union.bind(label.clone()))
        };
        labels.iter().map(is).collect()
    }));
    choices.extend(filter.place.map(|place| {
        let (column, value) = place.stored();
        vec![format!("{column} = {}", union.bind(value))]
    }));
    choices.extend(filter.subject.map(|subject| vec![format!("subject_id = {}", union.bind(subject))]));
    choices.extend(filter.actor.map(|actor| vec![format!("actor_id = {}", union.bind(actor))]));
    choices.extend(filter.kinds.as_ref().map(|kinds| {
        let wanted = Kind::ALL.iter().filter(|kind| kinds.contains(kind));
        wanted.map(|kind| format!("kind = '{}'", kind.as_str())).collect()
    }));
    choices
}

/// The lowest id of a moment.
pub(super) fn first_id(at: DateTime<Utc>) -> Uuid {
    let millis = u64::try_from(at.timestamp_millis()).unwrap_or_default();
    Uuid::from_u128(u128::from(millis) << 80)
}

/// A page of the events about each user. One statement per hundred users.
pub async fn list_about(ctx: &Ctx, wanted: &[(ReadAccess, Slice)]) -> Result<Vec<Vec<Seen>>> {
    let part = |union: &mut Union, number, (access, slice): &(ReadAccess, Slice)| {
        let (subject, tail) = (union.bind(access.user_id()), slice.tail(union));
        format!("SELECT {number} AS part, audit_events.* FROM audit_events WHERE subject_id = {subject}{tail}")
    };
    let row = |row: &_| audit_events::Model::from_query_result(row, "");
    let lists = range_query::read_each(ctx, wanted, part, row).await?;
    let seen = |(events, (access, _)): (Vec<_>, &(ReadAccess, Slice))| {
        events.into_iter().map(|event| (event, *access)).collect()
    };
    Ok(lists.into_iter().zip(wanted).map(seen).collect())
}

/// Removes from the details of an event what the viewer may not see: the hash of an email address.
pub fn hide_label((mut event, access): Seen) -> Seen {
    if let Some(detail) = event.detail.as_object_mut().filter(|_| !access.shows_labels()) {
        detail.remove(super::ADDRESS_LABEL);
    }
    (event, access)
}

/// The newest events about a user, as that user may see them.
pub async fn newest_of(ctx: &Ctx, access: ReadAccess, most: u64) -> Result<Vec<audit_events::Model>> {
    let newest = Slice { most, older_than: None, newer_than: None, oldest_first: false };
    let events = list_about(ctx, &[(access, newest)]).await?.pop().unwrap_or_default();
    Ok(events.into_iter().map(|seen| hide_label(seen).0).collect())
}

/// Number of events about each user; users without events are omitted. One statement.
pub async fn count_about(ctx: &Ctx, people: &[ReadAccess]) -> Result<HashMap<Uuid, u64>> {
    let subject = audit_events::Column::SubjectId;
    let about = audit_events::Entity::find().filter(subject.is_in(people.iter().map(|access| access.user_id())));
    range_query::count_each(ctx, about, subject).await
}

/// One event, for managers and its subject.
pub async fn find_seen(ctx: &Ctx, viewer: &Viewer, id: Uuid, field: &'static str) -> Result<Seen> {
    viewer.identified()?;
    let event = audit_events::Entity::find_by_id(id).one(ctx.db.read()).await?;
    // Check even without a subject, so that an unknown id and another user's event give the same error.
    let subject = event.as_ref().and_then(|event| event.subject_id).unwrap_or_default();
    let access = ReadAccess::require_trail(ctx, viewer, subject, field).await?;
    event.map(|event| (event, access)).ok_or(Error::NotFound)
}
