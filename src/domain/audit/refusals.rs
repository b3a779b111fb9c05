//! Counts refusals in memory. The first refusal per key and window is written at once; housekeeping adds the rest, so
//! repeated refusals cost no writes. A crash loses the counts of the last seconds.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, EntityTrait, IntoActiveModel,
    sea_query::{Expr, ExprTrait, OnConflict},
};

use crate::{
    db::entity::audit_events::{Column, Entity, Model},
    domain::Ctx,
    error::Result,
};

/// Maximum number of keys in memory. A forgotten key is written again at its next refusal.
const MOST: usize = 10_000;
/// Maximum rows per statement.
const ROWS: usize = 500;

/// Refusals in the current windows, by key. The order is that of both databases, so that replicas writing at the same
/// time cannot deadlock.
#[derive(Default)]
pub struct Refusals(Mutex<BTreeMap<String, Refusal>>);

struct Refusal {
    /// The first refusal; its `count` holds the refusals not written yet.
    row: Model,
    until: DateTime<Utc>,
}

impl Refusals {
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Refusal>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a refusal of a known key. For a new key it returns false, and the caller calls [`begin`].
    pub(super) fn is_counted(&self, key: &str) -> bool {
        count(&mut self.known(), key)
    }

    /// Starts to count a key. Returns whether it is new.
    fn is_first(&self, key: &str, row: &Model, until: DateTime<Utc>) -> bool {
        let mut known = self.known();
        if count(&mut known, key) {
            return false;
        }
        if known.len() >= MOST {
            make_room(&mut known);
        }
        known.insert(key.to_owned(), Refusal { row: Model { count: 0, ..row.clone() }, until });
        true
    }

    /// Adds to the unwritten count.
    fn add(&self, key: &str, count: i32) {
        if let Some(refusal) = self.known().get_mut(key) {
            refusal.row.count += count;
        }
    }

    /// The unwritten counts. Drops windows that have ended and are written.
    fn unwritten(&self, now: DateTime<Utc>) -> Vec<Model> {
        let mut known = self.known();
        known.retain(|_, refusal| refusal.row.count > 0 || now < refusal.until);
        known.values().filter(|refusal| refusal.row.count > 0).map(|refusal| refusal.row.clone()).collect()
    }
}

fn count(known: &mut BTreeMap<String, Refusal>, key: &str) -> bool {
    let refusal = known.get_mut(key);
    refusal.map(|refusal| refusal.row.count += 1).is_some()
}

/// Drops half of the keys, the oldest first and those without unwritten counts before others. Dropping half at once
/// keeps the cost per new key low.
fn make_room(known: &mut BTreeMap<String, Refusal>) {
    let mut ages: Vec<_> = known.values().map(|refusal| (refusal.row.count > 0, refusal.row.id)).collect();
    let (_, middle, _) = ages.select_nth_unstable(MOST / 2);
    let middle = *middle;
    known.retain(|_, refusal| (refusal.row.count > 0, refusal.row.id) >= middle);
}

/// Counts a refusal. Only the first per key is written as `row` and published.
pub(super) async fn begin(ctx: &Ctx, key: String, row: Model, until: DateTime<Utc>) -> Result<()> {
    let row = Model { refusal_key: Some(key.clone()), ..row };
    if !ctx.refusals.is_first(&key, &row, until) {
        return Ok(());
    }
    let written = write(ctx, vec![row]).await;
    if written.is_err() {
        ctx.refusals.add(&key, 1);
    }
    written
}

/// Writes the counts since the last call.
pub async fn write_counts(ctx: &Ctx) -> Result<()> {
    let now = ctx.now();
    for rows in ctx.refusals.unwritten(now).chunks(ROWS) {
        // Insert as new rows in case the first row is gone.
        let fresh = rows.iter().map(|row| Model { id: ctx.new_id(now), at: now, ..row.clone() });
        write(ctx, fresh.collect()).await?;
        for row in rows {
            ctx.refusals.add(row.refusal_key.as_deref().unwrap_or_default(), -row.count);
        }
    }
    Ok(())
}

/// Upserts one row per key, in which the counts of all replicas add up.
async fn write(ctx: &Ctx, rows: Vec<Model>) -> Result<()> {
    let count = Expr::col((Entity, Column::Count)).add(Expr::col(("excluded", Column::Count)));
    let ids = Entity::insert_many(rows.iter().map(|row| row.clone().into_active_model().reset_all()))
        .on_conflict(OnConflict::column(Column::RefusalKey).value(Column::Count, count).to_owned())
        .exec_with_returning_keys(ctx.db.write())
        .await?;
    let news: Vec<_> = rows.iter().filter(|row| ids.contains(&row.id)).collect();
    for row in &news {
        ctx.metrics.happened(&row.kind);
    }
    ctx.live.announce(news.iter().map(|row| row.id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(at: DateTime<Utc>) -> Model {
        Model {
            id: uuid::Uuid::from_u128(u128::from(at.timestamp().unsigned_abs())),
            at,
            kind: "LIMIT_REFUSED".into(),
            actor_id: None,
            subject_id: None,
            ip_address: None,
            network: None,
            session_id: None,
            user_agent: None,
            request_id: None,
            detail: serde_json::json!({}),
            count: 1,
            refusal_key: None,
        }
    }

    fn second(number: usize) -> DateTime<Utc> {
        DateTime::from_timestamp(i64::try_from(number).unwrap(), 0).unwrap()
    }

    #[test]
    fn the_number_of_keys_is_bounded_and_the_oldest_written_ones_go_first() {
        let refusals = Refusals::default();
        let refuse = |number: usize| refusals.is_first(&number.to_string(), &row(second(number)), second(2 * MOST));
        assert!((0..MOST).all(refuse));
        assert!(!refuse(0), "this key now has an unwritten count");
        assert!((MOST..MOST + 5).all(refuse));
        assert_eq!(refusals.known().len(), MOST / 2 + 5);
        assert!(!refuse(0), "a key with an unwritten count is kept");
        assert!(!refuse(MOST - 1), "later keys are kept");
        assert!((1..6).all(refuse), "the oldest keys were dropped");
    }

    #[test]
    fn an_ended_window_is_dropped_once_its_count_is_written() {
        let refusals = Refusals::default();
        let refuse = || refusals.is_first("key", &row(second(0)), second(60));
        assert!(refuse());
        assert!(!refuse());
        assert_eq!(refusals.unwritten(second(61)).len(), 1, "its count is not written yet");
        refusals.add("key", -1);
        assert!(refusals.unwritten(second(59)).is_empty());
        assert!(!refuse(), "the window lasts");
        refusals.add("key", -1);
        assert!(refusals.unwritten(second(60)).is_empty());
        assert!(refuse());
    }
}
