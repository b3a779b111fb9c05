//! Pages of lists, and statements that read several of them. Every part is an index range with a limit, so the cost of
//! a statement depends on its result and not on the size of the table.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, QueryResult, QuerySelect, QueryTrait, Select,
    Statement, Value,
};
use uuid::Uuid;

use super::Ctx;
use crate::{db, error::Result};

/// Maximum parts per statement; SQLite allows 500.
const PARTS: usize = 100;

/// A page of a list ordered by id, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// Maximum number of rows.
    pub most: u64,
    /// Only rows created before this one.
    pub older_than: Option<Uuid>,
    /// Only rows created after this one.
    pub newer_than: Option<Uuid>,
    /// Start at the oldest row, oldest first.
    pub oldest_first: bool,
}

impl Slice {
    /// The end of a part's SQL, after its own conditions: `… AND id < $1 ORDER BY id DESC LIMIT $2`.
    pub(super) fn tail(&self, union: &mut Union) -> String {
        let bound = |(id, comparison): (Option<Uuid>, _)| Some(format!(" AND id {comparison} {}", union.bind(id?)));
        let bounds: String = [(self.older_than, "<"), (self.newer_than, ">")].into_iter().filter_map(bound).collect();
        format!("{bounds} ORDER BY id {} LIMIT {}", self.direction(), union.limit(self.most))
    }

    pub(super) fn direction(&self) -> &'static str {
        if self.oldest_first { "ASC" } else { "DESC" }
    }
}

/// A union of parts and their bound values.
pub(super) struct Union {
    backend: DbBackend,
    parts: Vec<String>,
    values: Vec<Value>,
    has_known_limits: bool,
}

impl Union {
    pub(super) fn new(ctx: &Ctx) -> Self {
        Self { backend: ctx.db.backend(), parts: Vec::new(), values: Vec::new(), has_known_limits: false }
    }

    /// Writes limits into the SQL instead of binding them. PostgreSQL then plans the statement once instead of for
    /// every execution, because it knows how few rows each part has. Not for parts that choose their rows by a bound
    /// value: a plan made without that value could walk another index.
    pub(super) fn with_known_limits(mut self, known: bool) -> Self {
        self.has_known_limits = known;
        self
    }

    /// The database that the statement is for.
    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Binds a value and returns its placeholder. Equal values share a placeholder.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        let value = value.into();
        let known = self.values.iter().position(|known| *known == value);
        let number = known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        format!("${}", number + 1)
    }

    /// A limit as SQL.
    pub(super) fn limit(&mut self, most: u64) -> String {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        if self.has_known_limits { most.to_string() } else { self.bind(most) }
    }

    pub(super) fn part(&mut self, sql: String) {
        self.parts.push(sql);
    }

    /// Whether there are no parts.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The sum of counting parts. One statement, or none without parts.
    pub(super) async fn sum(mut self, ctx: &Ctx) -> Result<u64> {
        if self.is_empty() {
            return Ok(0);
        }
        let sql = format!("SELECT CAST(SUM(number) AS BIGINT) AS number FROM ({}) AS counts", self.table());
        let row = ctx.db.read().query_one_raw(self.statement(&sql)).await?;
        let number: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?;
        Ok(number.unwrap_or_default().unsigned_abs())
    }

    /// All parts as one table. Each part is a subquery, because both databases allow `ORDER BY` and `LIMIT` only there.
    pub(super) fn table(&mut self) -> String {
        let parts = std::mem::take(&mut self.parts);
        let parts: Vec<_> = parts.iter().map(|part| format!("SELECT * FROM ({part}) AS slice")).collect();
        parts.join(" UNION ALL ")
    }

    /// A statement with the values bound so far.
    pub(super) fn statement(self, sql: &str) -> Statement {
        db::statement(self.backend, sql, self.values)
    }
}

/// A condition that may determine the index.
#[expect(clippy::needless_pass_by_value, reason = "same signature as `aside`")]
pub(super) fn and(condition: String) -> String {
    format!(" AND {condition}")
}

/// A condition that is checked per row and hidden from the planner. Otherwise SQLite might pick a wrong index, and
/// PostgreSQL might underestimate the matching rows and sort them all.
#[expect(clippy::needless_pass_by_value, reason = "same signature as `and`")]
pub(super) fn aside(condition: String) -> String {
    format!(" AND CASE WHEN {condition} THEN TRUE ELSE FALSE END")
}

/// Reads one part per key and returns their rows in the order of the keys. `part` writes a part's `SELECT`, which must
/// return the given number as the column `part`.
pub(super) async fn read_each<K, T>(
    ctx: &Ctx,
    keys: &[K],
    part: impl Fn(&mut Union, usize, &K) -> String,
    row: impl Fn(&QueryResult) -> Result<T, sea_orm::DbErr>,
) -> Result<Vec<Vec<T>>> {
    let mut lists: Vec<_> = keys.iter().map(|_| Vec::new()).collect();
    for (keys, lists) in keys.chunks(PARTS).zip(lists.chunks_mut(PARTS)) {
        let mut union = Union::new(ctx);
        for (number, key) in keys.iter().enumerate() {
            let sql = part(&mut union, number, key);
            union.part(sql);
        }
        let sql = union.table();
        for found in ctx.db.read().query_all_raw(union.statement(&sql)).await? {
            let number: i32 = found.try_get("", "part")?;
            let list = usize::try_from(number).ok().and_then(|number| lists.get_mut(number));
            if let Some(list) = list {
                list.push(row(&found)?);
            }
        }
    }
    Ok(lists)
}

/// Counts rows per value of a column.
pub(super) async fn count_each<E: EntityTrait>(
    ctx: &Ctx,
    rows: Select<E>,
    of: E::Column,
) -> Result<HashMap<Uuid, u64>> {
    let counts = rows.select_only().column(of).column_as(of.count(), "number").group_by(of);
    let count = |row: QueryResult| {
        let number: i64 = row.try_get("", "number")?;
        Ok((row.try_get("", of.as_str())?, number.unsigned_abs()))
    };
    ctx.db.read().query_all_raw(counts.build(ctx.db.backend())).await?.into_iter().map(count).collect()
}

/// Limits a time to what both databases can store and compare.
pub(super) fn within_years(at: DateTime<Utc>) -> DateTime<Utc> {
    if at.year() < 1 {
        DateTime::UNIX_EPOCH.with_year(1).unwrap_or_default()
    } else if at.year() > 9_999 {
        DateTime::UNIX_EPOCH.with_year(9_999).unwrap_or_default()
    } else {
        at.trunc_subsecs(6)
    }
}
