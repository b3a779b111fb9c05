//! Parts of lists: which one is wanted, and statements that read several parts at once. Every part is a range of an
//! index with a limit of its own, so that what a statement costs depends on what it gives and never on the table.

use std::collections::HashMap;

use chrono::{DateTime, Datelike, SubsecRound, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, IdenStatic, QueryResult, QuerySelect, QueryTrait, Select,
    Statement, Value,
};
use uuid::Uuid;

use super::Ctx;
use crate::{db, error::Result};

/// So many parts go into one statement; SQLite takes 500 at most.
const PARTS: usize = 100;

/// A part of a list in the order of ids, latest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slice {
    /// At most so many.
    pub most: u64,
    /// Only those made before this one.
    pub older_than: Option<Uuid>,
    /// Only those made after this one.
    pub newer_than: Option<Uuid>,
    /// Taken from the other end of the list, and in its order.
    pub oldest_first: bool,
}

impl Slice {
    /// The end of a part's statement, which begins with its own conditions: `… AND id < $1 ORDER BY id DESC LIMIT $2`.
    pub(super) fn tail(&self, union: &mut Union) -> String {
        let bound = |(id, comparison): (Option<Uuid>, _)| Some(format!(" AND id {comparison} {}", union.bind(id?)));
        let bounds: String = [(self.older_than, "<"), (self.newer_than, ">")].into_iter().filter_map(bound).collect();
        format!("{bounds} ORDER BY id {} LIMIT {}", self.direction(), union.limit(self.most))
    }

    pub(super) fn direction(&self) -> &'static str {
        if self.oldest_first { "ASC" } else { "DESC" }
    }
}

/// A statement made of parts, with their values.
pub(super) struct Union {
    backend: DbBackend,
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Union {
    pub(super) fn new(ctx: &Ctx) -> Self {
        Self { backend: ctx.db.backend(), parts: Vec::new(), values: Vec::new() }
    }

    /// The database that the statement is for.
    pub(super) fn backend(&self) -> DbBackend {
        self.backend
    }

    /// Notes a value, and gives its placeholder. The same value has one placeholder, however often it is noted.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> String {
        let value = value.into();
        let known = self.values.iter().position(|known| *known == value);
        let number = known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        format!("${}", number + 1)
    }

    /// Notes a limit, and gives its placeholder.
    pub(super) fn limit(&mut self, most: u64) -> String {
        self.bind(i64::try_from(most).unwrap_or(i64::MAX))
    }

    pub(super) fn part(&mut self, sql: String) {
        self.parts.push(sql);
    }

    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The sum of parts that count. One statement, or none when nothing is asked for.
    pub(super) async fn sum(mut self, ctx: &Ctx) -> Result<u64> {
        if self.is_empty() {
            return Ok(0);
        }
        let sql = format!("SELECT CAST(SUM(number) AS BIGINT) AS number FROM ({}) AS counts", self.table());
        let row = ctx.db.read().query_one_raw(self.statement(&sql)).await?;
        let number: Option<i64> = row.map(|row| row.try_get("", "number")).transpose()?;
        Ok(number.unwrap_or_default().unsigned_abs())
    }

    /// All parts as one table, for a statement around them. In a subquery each, for only there they may have an order
    /// and a limit of their own in both databases.
    pub(super) fn table(&mut self) -> String {
        let parts = std::mem::take(&mut self.parts);
        let parts: Vec<_> = parts.iter().map(|part| format!("SELECT * FROM ({part}) AS slice")).collect();
        parts.join(" UNION ALL ")
    }

    /// A statement with the values noted so far.
    pub(super) fn statement(self, sql: &str) -> Statement {
        db::statement(self.backend, sql, self.values)
    }
}

/// A condition that the index is chosen by.
#[expect(clippy::needless_pass_by_value, reason = "it takes the place of `aside`")]
pub(super) fn and(condition: String) -> String {
    format!(" AND {condition}")
}

/// A condition that is looked at row by row, on the way along an index that is chosen for something else. Neither
/// database looks inside: SQLite would choose between indexes by chance, PostgreSQL would believe that hardly any row
/// fits and sort all that might.
#[expect(clippy::needless_pass_by_value, reason = "it takes the place of `and`")]
pub(super) fn aside(condition: String) -> String {
    format!(" AND CASE WHEN {condition} THEN TRUE ELSE FALSE END")
}

/// Reads a part for every key with one statement, and gives the rows of each in the order of the keys. `part` writes a
/// part's `SELECT`, which must give a column `part` with the number that it gets.
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

/// Counts the rows of a question for every value of a column.
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

/// A moment as both databases can hold and compare it.
pub(super) fn within_years(at: DateTime<Utc>) -> DateTime<Utc> {
    if at.year() < 1 {
        DateTime::UNIX_EPOCH.with_year(1).unwrap_or_default()
    } else if at.year() > 9_999 {
        DateTime::UNIX_EPOCH.with_year(9_999).unwrap_or_default()
    } else {
        at.trunc_subsecs(6)
    }
}
