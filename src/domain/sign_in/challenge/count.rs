//! Counts attempts against their challenge and its budgets. Every attempt is counted and committed before its code is
//! compared. This file compares no codes.

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter};
use uuid::Uuid;

use super::{Purpose, address_key, budget_key, for_update, tries};
use crate::{
    db::{self, entity::email_codes},
    domain::{
        Ctx, Wait,
        access::Origin,
        device,
        sign_in::budget::{Budget, Spent, month},
        transaction::Work,
        vault::{self, Digest},
    },
    error::Result,
};

/// The challenge that an attempt is for.
#[derive(Clone, Copy)]
pub(in crate::domain) struct Aim<'a> {
    pub purpose: Purpose,
    pub handle_hash: &'a Digest,
}

pub(in crate::domain) enum Counted {
    /// Counted and committed: the code may be compared now.
    Yes(Box<Try>),
    /// The challenge is expired, used, out of attempts or unknown. Nothing was counted.
    Dead,
    /// The budget is spent. Nothing was counted, and the code must not be compared.
    Spent {
        /// When the budget has room again.
        wait: Wait,
        /// The pseudonym of the budget, for the audit trail.
        key: String,
    },
}

/// A counted attempt.
pub(in crate::domain) struct Try {
    /// The challenge after counting.
    pub challenge: email_codes::Model,
    /// The units that the attempt cost; a right attempt gets them back.
    pub cost: i32,
}

/// Counts an attempt against the challenge and its budgets, in a separate transaction, before the code is compared.
///
/// An attempt at an email change costs two budgets: the address's, because many accounts could guess at one address,
/// and the user's, because one user could guess at many addresses. All challenges that share a budget are locked in a
/// fixed order, so that concurrent attempts cannot overdraw it. Two statements, three during secret rotation.
pub(in crate::domain) async fn count_try(
    ctx: &Ctx,
    origin: &Origin,
    aim: Aim<'_>,
    now: DateTime<Utc>,
) -> Result<Counted> {
    let work = Work::begin(ctx).await?;
    let keys = if ctx.vault.is_rotating() { budget_keys(ctx, &*work, aim).await? } else { Vec::new() };
    let ledger = lock_ledger(ctx, &*work, aim, &keys, now).await?;
    let Some(aimed) = ledger.iter().find(|entry| entry.is_aimed_at(aim) && entry.is_live(ctx, now)) else {
        return Ok(Counted::Dead);
    };
    let cost = if aimed.earlier_expires_at.is_some_and(|at| at > now) { 2 } else { 1 };
    let budget = Budget::of(&ctx.settings.limits, aimed.device_id);
    let by_address = spent(&ledger, |entry| entry.budget_key == aimed.budget_key || keys.contains(&entry.budget_key));
    let by_user = spent(&ledger, |entry| entry.user_id.is_some() && entry.user_id == aimed.user_id);
    let spent_until = [by_address, by_user].iter().filter_map(|ledger| budget.spent_until(ledger, cost, now)).max();
    if let Some(free_at) = spent_until {
        if let Some(device) = aimed.device_id {
            device::distrust(ctx, &work, origin, device).await?;
            work.commit(ctx).await?;
            return Ok(Counted::Dead);
        }
        let key = vault::label(&aimed.budget_key);
        return Ok(Counted::Spent { wait: Wait { now, retry_at: free_at }, key });
    }
    let counted = count(ctx, &*work, aim, &keys, Charge { budget, cost }, now).await?;
    work.commit(ctx).await?;
    Ok(counted.map_or(Counted::Dead, |challenge| Counted::Yes(Box::new(Try { challenge, cost }))))
}

/// The cost of an attempt and the budget it is charged to.
struct Charge {
    budget: Budget,
    cost: i32,
}

/// During secret rotation, returns all keys of the budget that a challenge is charged to. Replicas may disagree about
/// the newest secret, so the rows of one budget may have different keys. Empty if the challenge does not exist.
async fn budget_keys(ctx: &Ctx, db: &impl ConnectionTrait, aim: Aim<'_>) -> Result<Vec<Digest>> {
    let aimed = email_codes::Entity::find().filter(email_codes::Column::HandleHash.eq(aim.handle_hash.clone()));
    let Some(aimed) = aimed.one(db).await? else { return Ok(Vec::new()) };
    let key = budget_key(ctx, &address_key(ctx, &aimed.email), aimed.device_id);
    Ok(key.all().cloned().collect())
}

/// Counts the attempt in one conditional update. It checks the budgets again, because it starts after the locks were
/// taken: the ledger misses challenges that were created and tried during the wait for the locks.
async fn count(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    aim: Aim<'_>,
    keys: &[Digest],
    charge: Charge,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    let Charge { budget, cost } = charge;
    let shared = if keys.is_empty() {
        "= email_codes.budget_key".to_owned()
    } else {
        format!("IN ({})", db::numbered(10, keys.len()))
    };
    let has_room = |whose: &str| {
        let spent =
            format!("(SELECT COALESCE(SUM(b.units), 0) FROM email_codes b WHERE b.{whose} AND b.attempted_at >");
        format!("AND {spent} $5) <= $6 AND {spent} $7) <= $8")
    };
    let mut guards = has_room(&format!("budget_key {shared}"));
    if aim.purpose.user_id().is_some() {
        guards = format!("{guards} {}", has_room("user_id = email_codes.user_id"));
    }
    let sql = format!(
        "UPDATE email_codes SET attempts = attempts + 1, units = units + $3, attempted_at = $2 \
         WHERE handle_hash = $1 AND purpose = $9 AND attempts < $4 AND consumed_at IS NULL \
         AND expires_at > $2 {guards} RETURNING *"
    );
    let [(day_most, day), (month_most, month)] = budget.0;
    let values = [
        aim.handle_hash.clone().into(),
        now.into(),
        cost.into(),
        tries(&ctx.settings.limits).into(),
        (now - day).into(),
        (i64::from(day_most) - i64::from(cost)).into(),
        (now - month).into(),
        (i64::from(month_most) - i64::from(cost)).into(),
        aim.purpose.as_str().into(),
    ];
    let values = values.into_iter().chain(keys.iter().map(|key| key.clone().into()));
    let statement = db::statement(ctx.db.backend(), &sql, values);
    Ok(email_codes::Entity::find().from_raw_sql(statement).one(db).await?)
}

/// A challenge with its part of a budget.
#[derive(Debug, FromQueryResult)]
struct Entry {
    handle_hash: Digest,
    purpose: String,
    user_id: Option<Uuid>,
    budget_key: Digest,
    device_id: Option<Uuid>,
    attempts: i32,
    consumed_at: Option<DateTime<Utc>>,
    expires_at: DateTime<Utc>,
    earlier_expires_at: Option<DateTime<Utc>>,
    units: i32,
    attempted_at: Option<DateTime<Utc>>,
}

impl Entry {
    fn is_aimed_at(&self, aim: Aim<'_>) -> bool {
        self.handle_hash == *aim.handle_hash
            && self.purpose == aim.purpose.as_str()
            && self.user_id == aim.purpose.user_id()
    }

    fn is_live(&self, ctx: &Ctx, now: DateTime<Utc>) -> bool {
        self.consumed_at.is_none() && self.expires_at > now && self.attempts < tries(&ctx.settings.limits)
    }
}

/// Locks and returns the challenge and all others that share a budget with it: those that cost units within the longer
/// window, and those that can still cost some. If `keys` is empty, the challenge's own budget key is used.
async fn lock_ledger(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    aim: Aim<'_>,
    keys: &[Digest],
    now: DateTime<Utc>,
) -> Result<Vec<Entry>> {
    let lock = for_update(ctx);
    let mut shares_budget = if keys.is_empty() {
        "budget_key = (SELECT budget_key FROM email_codes WHERE handle_hash = $1)".to_owned()
    } else {
        format!("budget_key IN ({})", db::numbered(4, keys.len()))
    };
    let user_id = aim.purpose.user_id();
    if user_id.is_some() {
        shares_budget = format!("({shares_budget} OR user_id = {})", db::numbered(4 + keys.len(), 1));
    }
    let sql = format!(
        "SELECT handle_hash, purpose, user_id, budget_key, device_id, attempts, consumed_at, expires_at, earlier_expires_at, units, \
         attempted_at FROM email_codes \
         WHERE {shares_budget} \
         AND (handle_hash = $1 OR (units > 0 AND attempted_at > $2) OR (consumed_at IS NULL AND expires_at > $3)) \
         ORDER BY id{lock}"
    );
    let values = [aim.handle_hash.clone().into(), (now - month(&ctx.settings.limits)).into(), now.into()];
    let values = values.into_iter().chain(keys.iter().map(|key| key.clone().into()));
    let values = values.chain(user_id.map(Into::into));
    Ok(Entry::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).all(db).await?)
}

fn spent(ledger: &[Entry], is_charged: impl Fn(&Entry) -> bool) -> Vec<Spent> {
    let charged = ledger.iter().filter(|entry| is_charged(entry));
    charged.filter_map(|entry| Some(Spent { at: entry.attempted_at?, units: entry.units })).collect()
}
