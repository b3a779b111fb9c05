//! Counts tries: every one is counted and committed before anything is compared, against its challenge and against the
//! budget that it costs. Nothing here compares.

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

/// A challenge somebody aims a code at.
#[derive(Clone, Copy)]
pub(in crate::domain) struct Aim<'a> {
    /// What for.
    pub purpose: Purpose,
    /// SHA-256 of its handle.
    pub handle_hash: &'a Digest,
}

/// What counting a try came to.
pub(in crate::domain) enum Counted {
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
pub(in crate::domain) struct Try {
    /// The challenge after counting.
    pub challenge: email_codes::Model,
    /// Units that the try cost, given back if it was right.
    pub cost: i32,
}

/// Counts a try against the challenge and against its budgets, in a transaction of its own, before any comparison. A try
/// for a change of address costs two budgets: the address's, which many accounts could guess at, and that of the person who
/// tries, who could guess at many addresses. Every challenge that shares one is locked in one order, so that concurrent
/// tries against several of them cannot overdraw it. Two statements, three while secrets rotate.
pub(in crate::domain) async fn count_try(
    ctx: &Ctx,
    origin: &Origin,
    aim: Aim<'_>,
    now: DateTime<Utc>,
) -> Result<Counted> {
    let work = Work::begin(ctx).await?;
    let names = if ctx.vault.is_rotating() { names(ctx, &*work, aim).await? } else { Vec::new() };
    let ledger = lock_ledger(ctx, &*work, aim, &names, now).await?;
    let Some(aimed) = ledger.iter().find(|entry| entry.is_aimed_at(aim) && entry.is_live(ctx, now)) else {
        return Ok(Counted::Dead);
    };
    let cost = if aimed.earlier_expires_at.is_some_and(|at| at > now) { 2 } else { 1 };
    let budget = Budget::of(&ctx.settings.limits, aimed.device_id);
    let of_address = spent(&ledger, |entry| entry.budget_key == aimed.budget_key || names.contains(&entry.budget_key));
    let of_person = spent(&ledger, |entry| entry.user_id.is_some() && entry.user_id == aimed.user_id);
    let spent_until = [of_address, of_person].iter().filter_map(|ledger| budget.spent_until(ledger, cost, now)).max();
    if let Some(free_at) = spent_until {
        if let Some(device) = aimed.device_id {
            device::distrust(ctx, &work, origin, device).await?;
            work.commit(ctx).await?;
            return Ok(Counted::Dead);
        }
        let key = vault::label(&aimed.budget_key);
        return Ok(Counted::Spent { wait: Wait { now, retry_at: free_at }, key });
    }
    let counted = count(ctx, &*work, aim, &names, Charge { budget, cost }, now).await?;
    work.commit(ctx).await?;
    Ok(counted.map_or(Counted::Dead, |challenge| Counted::Yes(Box::new(Try { challenge, cost }))))
}

/// What a try would cost, and of what.
struct Charge {
    budget: Budget,
    cost: i32,
}

/// While secrets rotate: every name of the budget that a challenge is charged to. Replicas differ in which is the newest,
/// so rows of one budget may stand under several. None when there is no such challenge.
async fn names(ctx: &Ctx, db: &impl ConnectionTrait, aim: Aim<'_>) -> Result<Vec<Digest>> {
    let aimed = email_codes::Entity::find().filter(email_codes::Column::HandleHash.eq(aim.handle_hash.clone()));
    let Some(aimed) = aimed.one(db).await? else { return Ok(Vec::new()) };
    let key = budget_key(ctx, &address_key(ctx, &aimed.email), aimed.device_id);
    Ok(key.all().cloned().collect())
}

/// The guarded count itself. The budgets are asked once more, by a statement that begins after the locks were taken: a
/// challenge that was made and tried while we waited for them is in no ledger of ours.
async fn count(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    aim: Aim<'_>,
    names: &[Digest],
    charge: Charge,
    now: DateTime<Utc>,
) -> Result<Option<email_codes::Model>> {
    let Charge { budget, cost } = charge;
    let shared = if names.is_empty() {
        "= email_codes.budget_key".to_owned()
    } else {
        format!("IN ({})", db::numbered(10, names.len()))
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
    let values = values.into_iter().chain(names.iter().map(|name| name.clone().into()));
    let statement = db::statement(ctx.db.backend(), &sql, values);
    Ok(email_codes::Entity::find().from_raw_sql(statement).one(db).await?)
}

/// One challenge's part of a budget.
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

/// The aimed challenge and all that share a budget with it: those that cost something in the last thirty days, and those
/// that could cost something now. Without names the budget's is looked up.
async fn lock_ledger(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    aim: Aim<'_>,
    names: &[Digest],
    now: DateTime<Utc>,
) -> Result<Vec<Entry>> {
    let lock = for_update(ctx);
    let mut whose = if names.is_empty() {
        "budget_key = (SELECT budget_key FROM email_codes WHERE handle_hash = $1)".to_owned()
    } else {
        format!("budget_key IN ({})", db::numbered(4, names.len()))
    };
    let person = aim.purpose.user_id();
    if person.is_some() {
        whose = format!("({whose} OR user_id = {})", db::numbered(4 + names.len(), 1));
    }
    let sql = format!(
        "SELECT handle_hash, purpose, user_id, budget_key, device_id, attempts, consumed_at, expires_at, earlier_expires_at, units, \
         attempted_at FROM email_codes \
         WHERE {whose} \
         AND (handle_hash = $1 OR (units > 0 AND attempted_at > $2) OR (consumed_at IS NULL AND expires_at > $3)) \
         ORDER BY id{lock}"
    );
    let values = [aim.handle_hash.clone().into(), (now - month(&ctx.settings.limits)).into(), now.into()];
    let values = values.into_iter().chain(names.iter().map(|name| name.clone().into()));
    let values = values.chain(person.map(Into::into));
    Ok(Entry::find_by_statement(db::statement(ctx.db.backend(), &sql, values)).all(db).await?)
}

fn spent(ledger: &[Entry], is_of: impl Fn(&Entry) -> bool) -> Vec<Spent> {
    let theirs = ledger.iter().filter(|entry| is_of(entry));
    theirs.filter_map(|entry| Some(Spent { at: entry.attempted_at?, units: entry.units })).collect()
}
