//! Counts wrong passwords. Every attempt is counted and committed before the password is compared; the count of a right
//! one is deleted again. Each account has a budget, and each known device one of its own.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use crate::{
    db::{self, entity::password_tries},
    domain::{
        Ctx, Wait,
        access::Origin,
        batch, device,
        sign_in::{
            budget::{Budget, Spent},
            challenge::{self, Counted},
        },
        transaction::Work,
        vault::{self, Digest, Macs},
    },
    error::Result,
};

/// Minimum time between two notices about a used-up budget.
const NOTICE_PAUSE: TimeDelta = TimeDelta::days(1);

/// The attempts of a budget since a time, which follows: the start of a subselect.
const SPENT: &str = "(SELECT COUNT(*) FROM password_tries t WHERE t.budget_key = $2 AND t.at >";

/// A counted attempt. The password may be compared now.
pub(in crate::domain) struct Try {
    pub id: Uuid,
    /// The budget it was charged to.
    key: Digest,
    budget: Budget,
}

/// Counts an attempt with the password of an address, before it is compared. Locks the budget, so that concurrent
/// attempts cannot overdraw it. Two statements on PostgreSQL, one on SQLite; one more during secret rotation or if it
/// is refused.
pub(in crate::domain) async fn count(
    ctx: &Ctx,
    origin: &Origin,
    email: &str,
    device_id: Option<Uuid>,
    now: DateTime<Utc>,
) -> Result<Counted<Try>> {
    let keys = challenge::budget_key(ctx, &challenge::address_key(ctx, email), device_id);
    let budget = Budget::of_passwords(&ctx.settings.limits, device_id);
    let work = Work::begin(ctx).await?;
    lock(ctx, &work, keys.all()).await?;
    carry(ctx, &work, &keys).await?;
    let id = ctx.new_id(now);
    if insert(ctx, &work, id, &keys.newest, budget, now).await? {
        work.commit(ctx).await?;
        return Ok(Counted::Yes(Box::new(Try { id, key: keys.newest, budget })));
    }
    if let Some(device) = device_id {
        device::distrust(ctx, &work, origin, device).await?;
        work.commit(ctx).await?;
        return Ok(Counted::Dead);
    }
    let ledger = ledger(&work, &keys.newest, now - budget.longest()).await?;
    let retry_at = budget.spent_until(&ledger, 1, now).unwrap_or(now);
    Ok(Counted::Spent { wait: Wait { now, retry_at }, key: vault::label(&keys.newest) })
}

/// Takes back the count of a right password. One statement.
pub(in crate::domain) async fn take_back(db: &impl ConnectionTrait, attempt: &Try) -> Result<()> {
    password_tries::Entity::delete_by_id(attempt.id).exec(db).await?;
    Ok(())
}

/// Whether a wrong password used up its budget, for the first time in a day. Marks the attempt, so that the owner gets
/// one notice a day. One statement; two more on PostgreSQL if the attempt was marked.
pub(in crate::domain) async fn is_last_of_budget(
    ctx: &Ctx,
    work: &Work,
    attempt: &Try,
    now: DateTime<Utc>,
) -> Result<bool> {
    use password_tries::Column;
    let [(day_most, day), (month_most, month)] = attempt.budget.0;
    let sql = format!(
        "UPDATE password_tries SET noticed = $3 WHERE id = $1 AND ({SPENT} $4) >= $5 OR {SPENT} $6) >= $7) \
         AND NOT EXISTS (SELECT 1 FROM password_tries t WHERE t.budget_key = $2 AND t.noticed = $3 AND t.at > $8)"
    );
    let values = [
        attempt.id.into(),
        attempt.key.clone().into(),
        true.into(),
        (now - day).into(),
        i64::from(day_most).into(),
        (now - month).into(),
        i64::from(month_most).into(),
        (now - NOTICE_PAUSE).into(),
    ];
    let marked = work.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?.rows_affected() == 1;
    if !marked || ctx.db.backend() != DbBackend::Postgres {
        return Ok(marked);
    }
    // The last attempts of a budget may mark themselves at the same time. The next to get the lock sees the first.
    lock(ctx, work, [&attempt.key]).await?;
    let others = password_tries::Entity::find()
        .filter(Column::BudgetKey.eq(attempt.key.clone()))
        .filter(Column::Noticed.eq(true))
        .filter(Column::At.gt(now - NOTICE_PAUSE))
        .filter(Column::Id.ne(attempt.id));
    Ok(others.count(&**work).await? == 0)
}

/// Serializes attempts on one budget. SQLite has one writer and needs no lock.
async fn lock(ctx: &Ctx, work: &Work, keys: impl IntoIterator<Item = &Digest>) -> Result<()> {
    if ctx.db.backend() != DbBackend::Postgres {
        return Ok(());
    }
    // In one order, as replicas that rotate secrets disagree about the newest.
    let number = |key: &Digest| i64::from_be_bytes(std::array::from_fn(|at| key.as_bytes()[at]));
    let mut locks: Vec<_> = keys.into_iter().map(number).collect();
    locks.sort_unstable();
    for key in locks {
        work.execute_raw(db::statement(DbBackend::Postgres, "SELECT pg_advisory_xact_lock($1)", [key.into()])).await?;
    }
    Ok(())
}

/// During secret rotation, moves what was counted under an older secret to the newest one.
async fn carry(ctx: &Ctx, work: &Work, keys: &Macs) -> Result<()> {
    if keys.older.is_empty() {
        return Ok(());
    }
    let older = db::numbered(2, keys.older.len());
    let sql = format!("UPDATE password_tries SET budget_key = $1 WHERE budget_key IN ({older})");
    let values = keys.all().map(|key| key.clone().into());
    work.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?;
    Ok(())
}

/// Inserts the attempt if both windows have room.
async fn insert(ctx: &Ctx, work: &Work, id: Uuid, key: &Digest, budget: Budget, now: DateTime<Utc>) -> Result<bool> {
    let [(day_most, day), (month_most, month)] = budget.0;
    let sql = format!(
        "INSERT INTO password_tries (id, budget_key, at, noticed) SELECT $1, $2, $3, $8 \
         WHERE {SPENT} $4) < $5 AND {SPENT} $6) < $7"
    );
    let values = [
        id.into(),
        key.clone().into(),
        now.into(),
        (now - day).into(),
        i64::from(day_most).into(),
        (now - month).into(),
        i64::from(month_most).into(),
        false.into(),
    ];
    Ok(work.execute_raw(db::statement(ctx.db.backend(), &sql, values)).await?.rows_affected() == 1)
}

async fn ledger(work: &Work, key: &Digest, since: DateTime<Utc>) -> Result<Vec<Spent>> {
    use password_tries::Column;
    let times: Vec<DateTime<Utc>> = password_tries::Entity::find()
        .select_only()
        .column(Column::At)
        .filter(Column::BudgetKey.eq(key.clone()))
        .filter(Column::At.gt(since))
        .into_tuple()
        .all(&**work)
        .await?;
    Ok(times.into_iter().map(|at| Spent { at, units: 1 }).collect())
}

/// Deletes attempts that no budget counts any more.
pub(in crate::domain) async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    let limits = &ctx.settings.limits;
    let longest = [Budget::of_passwords(limits, None), Budget::of_passwords(limits, Some(Uuid::nil()))]
        .into_iter()
        .map(Budget::longest)
        .max()
        .unwrap_or_default();
    let old = "SELECT id FROM password_tries WHERE at < $1 ORDER BY at";
    batch::run(ctx, "DELETE FROM password_tries", old, &[(now - longest).into()]).await
}
