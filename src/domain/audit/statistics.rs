//! Numbers of audit events by kind, for each hour or day. They are read from an index that has every column they need.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sea_orm::{ConnectionTrait, DbBackend};

use super::Kind;
use crate::{
    domain::{
        Ctx,
        access::Manager,
        range_query::{Union, aside, within_years},
    },
    error::{Error, Result},
};

/// The length of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

impl Interval {
    const fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }

    /// Maximum length of a range.
    const fn longest(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::days(31),
            Self::Day => TimeDelta::days(400),
        }
    }

    /// The start of the interval that contains a time.
    fn start(self, at: DateTime<Utc>) -> DateTime<Utc> {
        let past = at.timestamp().rem_euclid(self.length().num_seconds());
        DateTime::from_timestamp(at.timestamp() - past, 0).unwrap_or(at)
    }

    /// SQL for the start of an interval. SQLite stores times as text, in UTC.
    const fn sql(self, backend: DbBackend) -> &'static str {
        match (backend, self) {
            (DbBackend::Postgres, Self::Hour) => "date_trunc('hour', at AT TIME ZONE 'UTC')",
            (DbBackend::Postgres, Self::Day) => "date_trunc('day', at AT TIME ZONE 'UTC')",
            (_, Self::Hour) => "substr(at, 1, 13)",
            (_, Self::Day) => "substr(at, 1, 10)",
        }
    }
}

/// What to count.
pub struct Wanted {
    /// The start of the range.
    pub from: DateTime<Utc>,
    /// The end of the range.
    pub before: DateTime<Utc>,
    /// The length of each interval.
    pub interval: Interval,
    /// Any of these kinds.
    pub kinds: Option<Vec<Kind>>,
}

/// Numbers of events by kind.
pub struct Statistics {
    /// The start of each interval.
    pub intervals: Vec<DateTime<Utc>>,
    /// The kinds that happened, each with its number of occurrences in every interval.
    pub series: Vec<(Kind, Vec<u64>)>,
}

/// Counts events. The range is widened to whole intervals. One statement.
///
/// # Errors
/// [`Error::Invalid`] if the range is empty or too long.
pub async fn count(ctx: &Ctx, _: Manager<'_>, wanted: &Wanted) -> Result<Statistics> {
    let interval = wanted.interval;
    let (from, before) = (within_years(wanted.from), within_years(wanted.before));
    if before <= from {
        return Err(Error::invalid("before", "`before` must be later than `from`."));
    }
    if before - from > interval.longest() {
        let days = interval.longest().num_days();
        return Err(Error::invalid("before", format!("`before` can be at most {days} days after `from`.")));
    }
    let first = interval.start(from);
    let starts = |count: i32| first.checked_add_signed(interval.length() * count);
    let intervals: Vec<_> = (0..).map_while(starts).take_while(|start| *start < before).collect();
    if wanted.kinds.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Statistics { intervals, series: Vec::new() });
    }
    let end = intervals.last().map_or(before, |last| *last + interval.length());
    let mut counts: BTreeMap<usize, Vec<u64>> = BTreeMap::new();
    for (kind, start, number) in read(ctx, wanted, first, end).await? {
        let kind = Kind::ALL.iter().position(|known| known.as_str() == kind);
        if let (Some(kind), Ok(at)) = (kind, intervals.binary_search(&start)) {
            counts.entry(kind).or_insert_with(|| vec![0; intervals.len()])[at] += number;
        }
    }
    let series = counts.into_iter().map(|(kind, counts)| (Kind::ALL[kind], counts)).collect();
    Ok(Statistics { intervals, series })
}

/// The numbers of occurrences by kind and interval.
async fn read(
    ctx: &Ctx,
    wanted: &Wanted,
    first: DateTime<Utc>,
    end: DateTime<Utc>,
) -> Result<Vec<(String, DateTime<Utc>, u64)>> {
    let mut union = Union::new(ctx);
    let backend = union.backend();
    let (first, end, start) = (union.bind(first), union.bind(end), wanted.interval.sql(backend));
    let is = |kind: &Kind| format!("kind = '{}'", kind.as_str());
    let any = |kinds: &Vec<Kind>| aside(kinds.iter().map(is).collect::<Vec<_>>().join(" OR "));
    let kinds = wanted.kinds.as_ref().map(any).unwrap_or_default();
    let shown = if backend == DbBackend::Postgres { "to_char(start, 'YYYY-MM-DD\"T\"HH24')" } else { "start" };
    let sql = format!(
        "SELECT kind, {shown} AS start, number FROM (\
         SELECT kind, {start} AS start, CAST(SUM(count) AS BIGINT) AS number FROM audit_events \
         WHERE at >= {first} AND at < {end}{kinds} GROUP BY 1, 2) AS counts"
    );
    let rows = ctx.db.read().query_all_raw(union.statement(&sql)).await?;
    rows.iter()
        .map(|row| {
            let start: String = row.try_get("", "start")?;
            let number: i64 = row.try_get("", "number")?;
            Ok((row.try_get("", "kind")?, parse(&start)?, number.unsigned_abs()))
        })
        .collect()
}

/// Parses the start of an interval: a day, or a day and an hour.
fn parse(text: &str) -> Result<DateTime<Utc>> {
    let (day, hour) = text.split_once(['T', ' ']).unwrap_or((text, "00"));
    let parsed = NaiveDateTime::parse_from_str(&format!("{day} {hour}:00"), "%Y-%m-%d %H:%M");
    Ok(parsed.map_err(|_| Error::Internal(format!("unexpected time in the audit trail: {text}")))?.and_utc())
}
