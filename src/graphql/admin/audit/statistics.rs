//! The `auditStatistics` query.

use async_graphql::{Context, Enum, Object, SimpleObject};
use chrono::{DateTime, Utc};

use super::AuditKind;
use crate::{
    domain::{
        access::{Manager, scope},
        audit::statistics::{self, Interval, Statistics, Wanted},
    },
    graphql::{error::ApiError, parts},
};

/// The length of an interval.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "Interval")]
enum AuditInterval {
    /// An hour.
    Hour,
    /// A day, in UTC.
    Day,
}

/// Numbers of audit events over time.
#[derive(SimpleObject)]
struct AuditStatistics {
    /// The start of each interval, oldest first.
    intervals: Vec<DateTime<Utc>>,
    /// The kinds that happened in the range, in the order of the enum.
    series: Vec<AuditSeries>,
}

/// Numbers of audit events of one kind.
#[derive(SimpleObject)]
struct AuditSeries {
    /// The kind of event.
    kind: AuditKind,
    /// The number of occurrences in the whole range.
    total: i32,
    /// The number of occurrences in each interval, in the order of `intervals`.
    counts: Vec<i32>,
}

impl From<Statistics> for AuditStatistics {
    fn from(Statistics { intervals, series }: Statistics) -> Self {
        let number = |number: u64| i32::try_from(number).unwrap_or(i32::MAX);
        let series = series.into_iter().map(|(kind, counts)| AuditSeries {
            kind: kind.into(),
            total: number(counts.iter().sum()),
            counts: counts.into_iter().map(number).collect(),
        });
        Self { intervals, series: series.collect() }
    }
}

#[derive(Default)]
pub(crate) struct StatisticsQuery;

#[Object]
impl StatisticsQuery {
    /// Counts audit events by kind, for each hour or day of a time range. An event whose `count` is above 1 counts that
    /// many times. Requires the role MANAGER.
    async fn audit_statistics(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "The start of the range. The first interval is the one that contains it, and counts as a whole."
        )]
        from: DateTime<Utc>,
        #[graphql(
            desc = "The end of the range, at most 31 days after `from` for hours and 400 for days. The last interval \
                    counts as a whole, too."
        )]
        before: DateTime<Utc>,
        #[graphql(desc = "The length of an interval. Days are in UTC.", default_with = "AuditInterval::Hour")]
        interval: AuditInterval,
        #[graphql(desc = "Only events of these kinds.")] kinds: Option<Vec<AuditKind>>,
    ) -> Result<AuditStatistics, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, scope::AUDIT_READ, "auditStatistics").await?;
        let kinds = kinds.map(|kinds| kinds.into_iter().map(Into::into).collect());
        let wanted = Wanted { from, before, interval: interval.into(), kinds };
        Ok(statistics::count(domain, manager, &wanted).await?.into())
    }
}
