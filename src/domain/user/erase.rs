//! Erasing people who were deleted for so long that nobody restores them any more. Their rows, sessions and devices go;
//! the audit trail keeps that something happened, and not to whom.

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

/// So many in one transaction.
const BATCH: u32 = 200;

/// Erases whoever was deleted before this moment; how many.
pub async fn erase_deleted(ctx: &Ctx, deleted_before: DateTime<Utc>) -> Result<u64> {
    let mut erased = 0;
    for _ in 0..batch::BATCHES {
        let people = erase_some(ctx, deleted_before).await?;
        erased += people as u64;
        if people < BATCH as usize {
            return Ok(erased);
        }
    }
    batch::log_limit_reached("erase people", erased);
    Ok(erased)
}

async fn erase_some(ctx: &Ctx, deleted_before: DateTime<Utc>) -> Result<usize> {
    let now = ctx.now();
    let work = Work::begin(ctx).await?;
    // The condition stands twice: whoever is restored between the choice and the deletion stays.
    let sql = format!(
        "DELETE FROM users WHERE status = 'DELETED' AND deleted_at <= $1 AND id IN (\
         SELECT id FROM users WHERE deleted_at <= $1 ORDER BY deleted_at LIMIT {BATCH}) RETURNING id, email"
    );
    let rows = work.query_all_raw(db::statement(ctx.db.backend(), &sql, [deleted_before.into()])).await?;
    let erased = |row: &QueryResult| Ok(Erased { id: row.try_get("", "id")?, email: row.try_get("", "email")? });
    let people = rows.iter().map(erased).collect::<Result<Vec<_>, DbErr>>()?;
    if people.is_empty() {
        return Ok(0);
    }
    audit::forget_people(ctx, &*work, &people).await?;
    let event = |person: &Erased| Event {
        kind: Kind::UserErased,
        origin: None,
        actor: None,
        subject: Some(person.id),
        detail: json!({}),
        email: None,
    };
    audit::record(ctx, &work, now, &people.iter().map(event).collect::<Vec<_>>()).await?;
    work.commit(ctx).await?;
    Ok(people.len())
}
