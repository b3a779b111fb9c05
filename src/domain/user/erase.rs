//! Erases users some time after their deletion, with their sessions and devices. The audit trail keeps their events but
//! no longer says whom they concern.

use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, QueryResult};
use serde_json::json;

use crate::{
    db,
    domain::{
        Ctx,
        audit::{self, Erased, Event, Kind},
        batch,
        transaction::Work,
    },
    error::Result,
};

/// Maximum number of users erased in one transaction.
const BATCH: u32 = 200;

/// Erases users deleted before `deleted_before`. Returns how many.
pub async fn erase_deleted(ctx: &Ctx, deleted_before: DateTime<Utc>) -> Result<u64> {
    let mut erased = 0;
    for _ in 0..batch::BATCHES {
        let users = erase_batch(ctx, deleted_before).await?;
        erased += users as u64;
        if users < BATCH as usize {
            return Ok(erased);
        }
    }
    batch::log_limit_reached("erase people", erased);
    Ok(erased)
}

async fn erase_batch(ctx: &Ctx, deleted_before: DateTime<Utc>) -> Result<usize> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    // The outer condition repeats the inner one, so that a user restored between the two steps is not erased.
    let sql = format!(
        "DELETE FROM users WHERE status = 'DELETED' AND deleted_at <= $1 AND id IN (\
         SELECT id FROM users WHERE deleted_at <= $1 ORDER BY deleted_at LIMIT {BATCH}) RETURNING id, email"
    );
    let rows = work.query_all_raw(db::statement(ctx.db.backend(), &sql, [deleted_before.into()])).await?;
    let erased = |row: &QueryResult| Ok(Erased { id: row.try_get("", "id")?, email: row.try_get("", "email")? });
    let users = rows.iter().map(erased).collect::<Result<Vec<_>, DbErr>>()?;
    if users.is_empty() {
        return Ok(0);
    }
    audit::forget_people(ctx, &*work, &users).await?;
    let event = |user: &Erased| Event {
        kind: Kind::UserErased,
        origin: None,
        actor: None,
        subject: Some(user.id),
        detail: json!({}),
        email: None,
    };
    audit::record(ctx, &work, now, &users.iter().map(event).collect::<Vec<_>>()).await?;
    work.commit(ctx).await?;
    Ok(users.len())
}
