//! Follows the audit trail by polling: the newest events first, then new ones. It reads the table, so it sees the
//! events of every process and needs only the database.
//!
//! Transactions commit in a different order than their ids, so each poll overlaps the previous one by a short time and
//! skips events already returned.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::list::{self, Filter, first_id};
use crate::{
    db::entity::audit_events,
    domain::{Ctx, access::Overseer, range_query::Slice},
    error::Result,
};

/// Maximum delay of an event behind a later id: the duration of a transaction plus the clock difference of two
/// replicas.
const LATE: TimeDelta = TimeDelta::seconds(10);
/// Events per statement.
const PAGE: u64 = 1_000;

/// Position of a poller in the trail.
pub struct Tail {
    overseer: Overseer,
    filter: Filter,
    /// Polling starts after this id.
    from: Uuid,
    /// Ids after `from` that were already returned.
    given: BTreeSet<Uuid>,
}

impl Tail {
    /// Returns the newest `most` matching events, oldest first, and the tail that continues after them.
    pub async fn begin(
        ctx: &Ctx,
        overseer: impl Into<Overseer>,
        filter: Filter,
        most: u64,
    ) -> Result<(Vec<audit_events::Model>, Self)> {
        let overseer = overseer.into();
        let newest = |most| Slice { most, older_than: None, newer_than: None, oldest_first: false };
        let latest = list::list(ctx, overseer, &Filter::default(), newest(1)).await?;
        let latest = latest.first().map_or(ctx.now(), |(event, _)| made_at(event.id));
        let from = first_id(latest.min(ctx.now()) - LATE);
        let mut tail = Self { overseer, filter, from, given: BTreeSet::new() };
        // Mark past events beyond `most` as returned, so that they do not appear as new. Keep this order: an event
        // committed in between is then either among the newest or new.
        let past = tail.look(ctx).await?;
        let mut events = list::list(ctx, overseer, &tail.filter, newest(most)).await?;
        events.reverse();
        let events: Vec<_> = events.into_iter().map(|(event, _)| event).collect();
        tail.given.extend(past.iter().chain(&events).map(|event| event.id).filter(|id| *id > from));
        Ok((events, tail))
    }

    /// New events since the last call. One statement per page of events.
    pub async fn next(&mut self, ctx: &Ctx) -> Result<Vec<audit_events::Model>> {
        let news = self.look(ctx).await?;
        self.given.extend(news.iter().map(|event| event.id));
        if let Some(latest) = self.given.last() {
            let from = first_id(made_at(*latest).min(ctx.now()) - LATE);
            self.from = from.max(self.from);
            self.given = self.given.split_off(&self.from);
        }
        Ok(news)
    }

    /// Events not returned yet, oldest first.
    async fn look(&self, ctx: &Ctx) -> Result<Vec<audit_events::Model>> {
        let mut news = Vec::new();
        let mut after = self.from;
        loop {
            let slice = Slice { most: PAGE, older_than: None, newer_than: Some(after), oldest_first: true };
            let page = list::list(ctx, self.overseer, &self.filter, slice).await?;
            let is_last = (page.len() as u64) < PAGE;
            if let Some((event, _)) = page.last() {
                after = event.id;
            }
            let page = page.into_iter().map(|(event, _)| event);
            news.extend(page.filter(|event| !self.given.contains(&event.id)));
            if is_last {
                return Ok(news);
            }
        }
    }
}

/// The creation time of an id, in milliseconds.
fn made_at(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
