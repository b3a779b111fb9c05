//! Challenges: the rows behind one-time codes, and the guessing budget that is their sum. Every try is counted here,
//! committed, before anything is compared. Nothing here knows a code, only its keyed hash.

use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use uuid::Uuid;

use crate::{
    db::{
        self,
        entity::{Role, UserStatus, email_codes},
    },
    domain::{
        Ctx, Result, Wait, device,
        limits::{DEVICE_WRONG_TRIES, Limits},
        policy::Origin,
        vault::{self, Purpose},
    },
};

const DAY: TimeDelta = TimeDelta::days(1);
const MONTH: TimeDelta = TimeDelta::days(30);

/// HMAC of an address: who budgets and limits are kept by.
pub(super) fn address_key(ctx: &Ctx, email: &str) -> Vec<u8> {
    ctx.vault.mac(Purpose::Address, &[email.as_bytes()]).to_vec()
}

/// Whose budget wrong tries are charged to: the known device's own, or the address's.
pub(super) fn budget_key(ctx: &Ctx, address_key: &[u8], device: Option<Uuid>) -> Vec<u8> {
    match device {
        Some(device) => ctx.vault.mac(Purpose::Address, &[b"device", device.as_bytes()]).to_vec(),
        None => address_key.to_vec(),
    }
}

/// What `login` needs to know of an address, all in one statement that is the same for every address.
#[derive(Debug, FromQueryResult)]
pub(super) struct Standing {
    /// The account's status, if there is one.
    pub status: Option<UserStatus>,
    /// The account's role, if there is one.
    pub role: Option<Role>,
    /// The presented device, if it is known for this very account.
    pub device_id: Option<Uuid>,
    /// The challenge to resend for, if it is live and of this address.
    pub challenge_id: Option<Uuid>,
    /// The address's sign-in link, if it has one that works.
    pub link_id: Option<Uuid>,
    /// Units of the address's budget that the last day used.
    pub day_units: i64,
    /// The same for the last thirty days.
    pub month_units: i64,
}

/// Looks an address up: account, device, challenge to resend for, budget. One statement.
pub(super) async fn standing(
    ctx: &Ctx,
    email: &str,
    address_key: &[u8],
    device_hash: Option<Vec<u8>>,
    handle_hash: Option<Vec<u8>>,
    now: DateTime<Utc>,
) -> Result<Standing> {
    let spent =
        "(SELECT CAST(COALESCE(SUM(units), 0) AS BIGINT) FROM email_codes WHERE budget_key = $4 AND attempted_at > ";
    let sql = format!(
        "SELECT u.status, u.role, d.id AS device_id, c.id AS challenge_id, l.id AS link_id, \
         {spent} $5) AS day_units, {spent} $6) AS month_units \
         FROM (SELECT 1 AS one) AS base \
         LEFT JOIN users u ON u.email = $1 \
         LEFT JOIN devices d ON d.user_id = u.id AND d.token_hash = $2 AND d.expires_at > $7 \
         LEFT JOIN email_codes c ON c.handle_hash = $3 AND c.address_key = $4 AND c.purpose = 'sign_in' \
         AND c.consumed_at IS NULL AND c.attempts < $8 AND c.expires_at > $7 \
         LEFT JOIN sign_in_links l ON l.address_key = $4 AND l.consumed_at IS NULL AND l.expires_at > $7"
    );
    let values = [
        email.into(),
        device_hash.into(),
        handle_hash.into(),
        address_key.to_vec().into(),
        (now - day(&ctx.settings.limits)).into(),
        (now - month(&ctx.settings.limits)).into(),
        now.into(),
        tries(&ctx.settings.limits).into(),
    ];
    let row = Standing::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).one(ctx.db.read()).await?;
    row.ok_or_else(|| crate::domain::Error::Internal("a select without a condition gave no row".into()))
}

/// Writes a new challenge. One statement.
pub(super) async fn insert(db: &impl ConnectionTrait, challenge: email_codes::Model) -> Result<()> {
    db::insert(db, challenge).await?;
    Ok(())
}

/// A code about to be written, as its keyed hash.
pub(super) struct NewCode {
    /// Keyed hash.
    pub hash: Vec<u8>,
    /// Whether it is a fixed test code.
    pub fixed: bool,
}

/// Gives a live challenge a new code beside the one it has, which stays good until it expires. Tries are shared and
/// never reset. `None` when the challenge died meanwhile.
pub(super) async fn add_code(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    id: Uuid,
    code: NewCode,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    use email_codes::Column;
    let changed = email_codes::Entity::update_many()
        .col_expr(Column::EarlierHash, Expr::col(Column::CodeHash))
        .col_expr(Column::EarlierExpiresAt, Expr::col(Column::ExpiresAt))
        .col_expr(Column::CodeHash, Expr::value(code.hash))
        .col_expr(Column::Fixed, Expr::col(Column::Fixed).or(code.fixed))
        .col_expr(Column::ExpiresAt, Expr::value(now + ctx.settings.limits.code_ttl))
        .filter(Column::Id.eq(id))
        .filter(is_live(ctx, now))
        .exec_with_returning(db)
        .await?;
    Ok(changed.into_iter().next())
}

fn is_live(ctx: &Ctx, now: DateTime<Utc>) -> sea_orm::Condition {
    use email_codes::Column;
    sea_orm::Condition::all()
        .add(Column::ConsumedAt.is_null())
        .add(Column::Attempts.lt(tries(&ctx.settings.limits)))
        .add(Column::ExpiresAt.gt(now))
}

/// What counting a try came to.
pub(super) enum Counted {
    /// Counted and committed: now it may be compared.
    Yes(Box<Try>),
    /// The challenge is expired, used, used up or unknown: nothing was counted.
    Dead,
    /// The account's budget is spent: nothing was counted, nothing may be compared.
    Spent {
        /// Until when.
        wait: Wait,
        /// Whose budget, for the audit trail.
        key: String,
    },
}

/// A counted try.
pub(super) struct Try {
    /// The challenge after counting.
    pub challenge: email_codes::Model,
    /// Units that the try cost, given back if it was right.
    pub cost: i32,
}

/// Counts a try against the challenge and against the budget, in a transaction of its own, before any comparison.
/// Every challenge that shares the budget is locked in one order, so that concurrent tries against several of them
/// cannot overdraw it. Two statements.
pub(super) async fn count_try(ctx: &Ctx, origin: &Origin, handle_hash: &[u8], now: DateTime<Utc>) -> Result<Counted> {
    let tx = ctx.db.begin().await?;
    let ledger = lock_ledger(ctx, &tx, handle_hash, now).await?;
    let Some(aimed) = ledger.iter().find(|entry| entry.handle_hash == handle_hash && entry.is_live(ctx, now)) else {
        return Ok(Counted::Dead);
    };
    let cost = if aimed.earlier_expires_at.is_some_and(|at| at > now) { 2 } else { 1 };
    let budget = Budget::of(&ctx.settings.limits, aimed.device_id);
    if let Some(free_at) = budget.spent_until(&ledger, cost, now) {
        if let Some(device) = aimed.device_id {
            device::distrust(ctx, &tx, origin, device).await?;
            tx.commit().await?;
            return Ok(Counted::Dead);
        }
        let key = vault::encode(&aimed.budget_key[..16]);
        return Ok(Counted::Spent { wait: Wait { now, retry_at: free_at }, key });
    }
    let counted = count(ctx, &tx, handle_hash, budget, cost, now).await?;
    tx.commit().await?;
    Ok(counted.map_or(Counted::Dead, |challenge| Counted::Yes(Box::new(Try { challenge, cost }))))
}

/// The guarded count itself. The budget is asked once more, by a statement that begins after the locks were taken: a
/// challenge that was made and tried while we waited for them is in no ledger of ours.
async fn count(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    handle_hash: &[u8],
    budget: Budget,
    cost: i32,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    let spent = "(SELECT COALESCE(SUM(b.units), 0) FROM email_codes b \
         WHERE b.budget_key = email_codes.budget_key AND b.attempted_at > ";
    let sql = format!(
        "UPDATE email_codes SET attempts = attempts + 1, units = units + $3, attempted_at = $2 \
         WHERE handle_hash = $1 AND purpose = 'sign_in' AND attempts < $4 AND consumed_at IS NULL \
         AND expires_at > $2 AND {spent} $5) <= $6 AND {spent} $7) <= $8 RETURNING *"
    );
    let [(day_most, day), (month_most, month)] = budget.0;
    let values = [
        handle_hash.to_vec().into(),
        now.into(),
        cost.into(),
        tries(&ctx.settings.limits).into(),
        (now - day).into(),
        (i64::from(day_most) - i64::from(cost)).into(),
        (now - month).into(),
        (i64::from(month_most) - i64::from(cost)).into(),
    ];
    let statement = db::statement(ctx.db.backend(), &sql, values);
    Ok(email_codes::Entity::find().from_raw_sql(statement).one(db).await?)
}

/// Uses the challenge up: the guarded statement that only one of any number of right tries passes. The right try's
/// units go back to the budget, for only wrong ones cost. One statement.
pub(super) async fn consume(db: &impl ConnectionTrait, attempt: &Try, now: DateTime<Utc>) -> Result<bool> {
    use email_codes::Column;
    let consumed = email_codes::Entity::update_many()
        .col_expr(Column::ConsumedAt, Expr::value(now))
        .col_expr(Column::Units, Expr::col(Column::Units).sub(attempt.cost))
        .filter(Column::Id.eq(attempt.challenge.id))
        .filter(Column::ConsumedAt.is_null())
        .exec(db)
        .await?;
    Ok(consumed.rows_affected == 1)
}

/// One challenge's part of a budget.
#[derive(Debug, FromQueryResult)]
struct Entry {
    handle_hash: Vec<u8>,
    budget_key: Vec<u8>,
    device_id: Option<Uuid>,
    attempts: i32,
    consumed_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    earlier_expires_at: Option<DateTime<Utc>>,
    units: i32,
    attempted_at: Option<DateTime<Utc>>,
}

impl Entry {
    fn is_live(&self, ctx: &Ctx, now: DateTime<Utc>) -> bool {
        self.consumed_at.is_none() && self.expires_at > now && self.attempts < tries(&ctx.settings.limits)
    }
}

/// The aimed challenge and all that share its budget: those that cost something in the last thirty days, and those
/// that could cost something now. SQLite has one writer and needs no lock.
async fn lock_ledger(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    handle_hash: &[u8],
    now: DateTime<Utc>,
) -> Result<Vec<Entry>> {
    let lock = if ctx.db.backend() == DbBackend::Postgres { " FOR UPDATE" } else { "" };
    let sql = format!(
        "SELECT handle_hash, budget_key, device_id, attempts, consumed_at, expires_at, earlier_expires_at, units, \
         attempted_at FROM email_codes \
         WHERE budget_key = (SELECT budget_key FROM email_codes WHERE handle_hash = $1) \
         AND (handle_hash = $1 OR (units > 0 AND attempted_at > $2) OR (consumed_at IS NULL AND expires_at > $3)) \
         ORDER BY id{lock}"
    );
    let values = [handle_hash.to_vec().into(), (now - month(&ctx.settings.limits)).into(), now.into()];
    Ok(Entry::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).all(db).await?)
}

/// How many units fit into which windows.
#[derive(Clone, Copy)]
struct Budget([(u32, TimeDelta); 2]);

impl Budget {
    /// A known device has one of its own, and nobody else can spend it.
    fn of(limits: &Limits, device: Option<Uuid>) -> Self {
        if device.is_some() {
            return Self([(DEVICE_WRONG_TRIES, MONTH); 2]);
        }
        Self([(limits.guess_account.count, day(limits)), (limits.guess_account_month.count, month(limits))])
    }

    /// When there is room for `cost` again, if there is none now.
    fn spent_until(&self, ledger: &[Entry], cost: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.0.iter().filter_map(|(most, window)| full_until(ledger, *most, *window, cost, now)).max()
    }
}

fn full_until(ledger: &[Entry], most: u32, window: TimeDelta, cost: i32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let mut spent: Vec<_> = ledger
        .iter()
        .filter_map(|entry| Some((entry.attempted_at? + window, i64::from(entry.units))))
        .filter(|(until, units)| *until > now && *units > 0)
        .collect();
    spent.sort_unstable();
    let mut over = spent.iter().map(|(_, units)| units).sum::<i64>() + i64::from(cost) - i64::from(most);
    if over <= 0 {
        return None;
    }
    // Units leave the window in the order of time; the budget is open again once enough have left.
    let free_at = spent.iter().find(|(_, units)| {
        over -= units;
        over <= 0
    });
    Some(free_at.map_or(now + window, |(until, _)| *until))
}

fn tries(limits: &Limits) -> i32 {
    i32::try_from(limits.code_tries).unwrap_or(i32::MAX)
}

fn day(limits: &Limits) -> TimeDelta {
    TimeDelta::from_std(limits.guess_account.window).unwrap_or(DAY)
}

fn month(limits: &Limits) -> TimeDelta {
    TimeDelta::from_std(limits.guess_account_month.window).unwrap_or(MONTH)
}

/// Deletes dead challenges that no budget needs, and takes the address out of those that one does.
pub async fn purge(ctx: &Ctx, now: DateTime<Utc>) -> Result<u64> {
    use email_codes::Column;
    let gone = email_codes::Entity::delete_many()
        .filter(Column::ExpiresAt.lt(now - DAY))
        .filter(
            sea_orm::Condition::any()
                .add(Column::Units.eq(0))
                .add(Column::AttemptedAt.lt(now - month(&ctx.settings.limits).max(MONTH))),
        )
        .exec(ctx.db.write())
        .await?;
    email_codes::Entity::update_many()
        .col_expr(Column::Email, Expr::value(""))
        .filter(Column::ExpiresAt.lt(now - DAY))
        .filter(Column::Email.ne(""))
        .exec(ctx.db.write())
        .await?;
    Ok(gone.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(now: DateTime<Utc>, minutes_ago: i64, units: i32) -> Entry {
        Entry {
            handle_hash: vec![],
            budget_key: vec![],
            device_id: None,
            attempts: 0,
            consumed_at: None,
            expires_at: now,
            earlier_expires_at: None,
            units,
            attempted_at: Some(now - TimeDelta::minutes(minutes_ago)),
        }
    }

    #[test]
    fn a_spent_budget_opens_when_enough_units_have_left_the_window() {
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let ledger = [entry(now, 60, 2), entry(now, 30, 3), entry(now, 10, 3)];
        assert_eq!(full_until(&ledger, 9, DAY, 1, now), None);
        assert_eq!(full_until(&ledger, 8, DAY, 1, now), Some(now - TimeDelta::minutes(60) + DAY));
        assert_eq!(full_until(&ledger, 6, DAY, 1, now), Some(now - TimeDelta::minutes(30) + DAY));
        assert_eq!(full_until(&ledger, 8, TimeDelta::minutes(20), 1, now), None);
    }

    #[test]
    fn a_try_against_two_live_codes_needs_two_units() {
        let now = Utc.timestamp_opt(1_800_000_000, 0).unwrap();
        let ledger = [entry(now, 60, 19)];
        assert!(full_until(&ledger, 20, DAY, 1, now).is_none());
        assert!(full_until(&ledger, 20, DAY, 2, now).is_some());
    }

    use chrono::TimeZone;
}
