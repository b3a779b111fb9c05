//! The table `analysis_results`: one row for each analysis that succeeded. A result never changes.

use std::{cmp::Reverse, collections::HashMap, time::Duration};

use async_graphql::SimpleObject;
use chrono::NaiveDate;
use doorcode::{
    db,
    domain::{Check, Ctx, access::Actor},
    error::{Error, Result},
    graphql::Batch,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, FromJsonQueryResult, FromQueryResult, entity::prelude::*};
use serde::{Deserialize, Serialize};

use crate::{
    Author,
    values::{self, Severity},
};

/// Something that was found in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, SimpleObject)]
pub struct Finding {
    /// The name of the file.
    pub file: String,
    /// The line, from 1. Null if the finding is about the whole file.
    pub line: Option<i32>,
    /// How serious it is.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: String,
    /// Why it matters and what to do.
    pub detail: String,
}

/// Maximum number of findings in a file, and in an analysis. Further ones are left out.
pub const MAX_FINDINGS: usize = 200;

/// Keeps the most severe findings of an analysis, in their order.
pub fn most_severe(findings: Vec<Finding>) -> Vec<Finding> {
    if findings.len() <= MAX_FINDINGS {
        return findings;
    }
    let mut numbered: Vec<_> = findings.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, finding)| Reverse(finding.severity));
    numbered.truncate(MAX_FINDINGS);
    numbered.sort_by_key(|(number, _)| *number);
    numbered.into_iter().map(|(_, finding)| finding).collect()
}

impl Finding {
    /// Checks what a model wrote about a file with this many lines. `None` if it cannot be right.
    pub fn checked(self, file: &str, lines: usize) -> Option<Self> {
        let is_line = |line: i32| usize::try_from(line).is_ok_and(|line| (1..=lines.max(1)).contains(&line));
        let plain = |text: &str, most: usize| {
            let plain = text.trim().chars().map(|char| if char.is_control() && char != '\n' { ' ' } else { char });
            plain.take(most).collect::<String>()
        };
        let (title, detail) = (plain(&self.title, 200), plain(&self.detail, 2_000));
        let is_right = self.line.is_none_or(is_line) && !title.is_empty();
        is_right.then(|| Self { file: file.to_owned(), title, detail, ..self })
    }
}

/// Findings in a JSON column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Findings(pub Vec<Finding>);

/// A result.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, Serialize, Deserialize)]
#[sea_orm(table_name = "analysis_results")]
pub struct Model {
    /// The analysis. The key allows one result.
    #[sea_orm(primary_key, auto_increment = false)]
    pub analysis_id: Uuid,
    /// The owner of the analysis.
    pub owner_id: Uuid,
    /// The day in UTC, for the usage by day.
    pub day: NaiveDate,
    /// What was found, by file.
    pub findings: Findings,
    /// The number of tokens that were sent, in all attempts.
    pub tokens_in: i64,
    /// The number of tokens in the answers, in all attempts.
    pub tokens_out: i64,
    /// The model that answered.
    pub model: String,
    /// The cost in millionths of a dollar, of all attempts.
    pub cost: i64,
    /// The time of the result.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}

/// Stores a result, in the transaction that ends its analysis.
pub(crate) async fn insert(tx: &DatabaseTransaction, result: Model) -> Result<()> {
    db::insert(tx, result).await
}

/// How long a result stays in the cache. A deleted one is in there for this long too, but cannot be read, because the
/// analysis is read first.
const CACHED: Duration = Duration::from_mins(10);

/// Loads the result of an analysis. Only [`crate::analysis::Own`] makes a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Of(pub(crate) Uuid);

impl Batch for Of {
    type Value = Model;

    /// A single result comes from the cache if it is there.
    async fn load(ctx: &Ctx, keys: &[Self]) -> Result<HashMap<Self, Model>> {
        let single = if let [Self(id)] = keys { Some(format!("result:{id}")) } else { None };
        if let Some(key) = &single
            && let Some(bytes) = ctx.cache.get(key).await
            && let Ok(row) = serde_json::from_slice::<Model>(&bytes)
        {
            return Ok(HashMap::from([(Self(row.analysis_id), row)]));
        }
        let of = Column::AnalysisId.is_in(keys.iter().map(|key| key.0));
        let rows = Entity::find().filter(of).all(ctx.db.read()).await?;
        if let (Some(key), [row]) = (single, &rows[..])
            && let Ok(bytes) = serde_json::to_vec(row)
        {
            ctx.cache.set(&key, bytes.into(), CACHED).await;
        }
        Ok(rows.into_iter().map(|row| (Self(row.analysis_id), row)).collect())
    }
}

/// What a day's analyses used, with attempts that failed.
#[derive(Clone, Debug, PartialEq, Eq, FromQueryResult)]
pub struct Usage {
    /// The day in UTC.
    pub day: NaiveDate,
    /// The number of analyses that succeeded.
    pub analyses: i64,
    /// The number of tokens that were sent.
    pub tokens_in: i64,
    /// The number of tokens in the answers.
    pub tokens_out: i64,
    /// The cost in millionths of a dollar.
    pub cost: i64,
}

/// The caller's usage on each of the latest days with any, oldest first. An analysis counts on the last day on which it
/// used something. One statement.
pub async fn usage(ctx: &Ctx, actor: Actor<'_>, days: i32) -> Result<Vec<Usage>> {
    let mut check = Check::default();
    let days = values::number(&mut check, "days", days, (1, 366));
    check.done()?;
    let back = chrono::Days::new(u64::try_from(days.unwrap_or_default()).unwrap_or_default());
    let after = ctx.now().date_naive().checked_sub_days(back).ok_or(Error::NotFound)?;
    // A sum of integers is a decimal number on PostgreSQL, unless it is cast.
    let sql = "SELECT used_on AS day, COUNT(CASE WHEN status = 'SUCCEEDED' THEN 1 END) AS analyses, \
        CAST(SUM(tokens_in) AS bigint) AS tokens_in, CAST(SUM(tokens_out) AS bigint) AS tokens_out, \
        CAST(SUM(cost) AS bigint) AS cost \
        FROM analyses WHERE owner_id = $1 AND used_on > $2 GROUP BY used_on ORDER BY used_on";
    let statement = db::statement(ctx.db.backend(), sql, [actor.user().id.into(), after.into()]);
    Ok(Usage::find_by_statement(statement).all(ctx.db.read()).await?)
}

/// The number of tokens that the user's analyses have used today, in UTC. One statement.
pub(crate) async fn used_today(ctx: &Ctx, author: Author<'_>) -> Result<i64> {
    let sql = "SELECT CAST(COALESCE(SUM(tokens_in + tokens_out), 0) AS bigint) AS tokens \
        FROM analyses WHERE owner_id = $1 AND used_on = $2";
    let values = [author.actor().user().id.into(), ctx.now().date_naive().into()];
    let row = ctx.db.write().query_one_raw(db::statement(ctx.db.backend(), sql, values)).await?;
    Ok(row.map(|row| row.try_get::<i64>("", "tokens")).transpose()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_findings_are_kept_in_their_order() {
        let finding = |line: i32| {
            let severity = if line % 2 == 0 { Severity::High } else { Severity::Low };
            Finding { file: "a".into(), line: Some(line), severity, title: "x".into(), detail: String::new() }
        };
        let lines = |most: i32| -> Vec<_> {
            most_severe((1..=most).map(finding).collect()).into_iter().filter_map(|finding| finding.line).collect()
        };
        assert_eq!(lines(200), (1..=200).collect::<Vec<_>>());
        let kept = lines(300);
        assert_eq!(kept.len(), MAX_FINDINGS);
        assert!(kept.is_sorted() && (2..=300).step_by(2).all(|line| kept.contains(&line)), "{kept:?}");
        assert_eq!(kept.iter().filter(|line| *line % 2 == 1).max(), Some(&99), "the first of equal ones");
    }
}
