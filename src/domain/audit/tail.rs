//! The audit trail as it grows, for whoever has the time to look again and again: what is there, then what comes. It
//! asks the table, so it hears of every process that writes there and needs nothing beside the database.
//!
//! Events show when they are committed, and that is not the order of their ids. So each look goes back a little behind
//! the latest event, and nothing is given twice.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::list::{self, Filter, first_id};
use crate::{
    db::entity::audit_events,
    domain::{Ctx, access::Overseer, range_query::Slice},
    error::Result,
};

/// An event may show so much later than one with a later id: as long as a transaction takes, and as much as the clocks
/// of two replicas differ.
const LATE: TimeDelta = TimeDelta::seconds(10);
/// Events that are read with one statement.
const PAGE: u64 = 1_000;

/// Where somebody who looks again and again has come to.
pub struct Tail {
    overseer: Overseer,
    filter: Filter,
    /// What shows later than this id is looked at.
    from: Uuid,
    /// What was given, of that.
    given: BTreeSet<Uuid>,
}

impl Tail {
    /// The newest events that fit, at most so many, the newest last; and what goes on after them.
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
        // What nobody wants to see of the past, because it is more than `most`, is not to come up as news. In this
        // order: what is committed in between is either among the newest or news.
        let past = tail.look(ctx).await?;
        let mut events = list::list(ctx, overseer, &tail.filter, newest(most)).await?;
        events.reverse();
        let events: Vec<_> = events.into_iter().map(|(event, _)| event).collect();
        tail.given.extend(past.iter().chain(&events).map(|event| event.id).filter(|id| *id > from));
        Ok((events, tail))
    }

    /// What came since the last look. One statement, unless there is much of it.
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

    /// What shows and was not given yet, the newest last.
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

/// When an id was made, to the millisecond.
fn made_at(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or_default();
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}
