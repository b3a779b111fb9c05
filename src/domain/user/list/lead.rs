//! Chooses the index that a list of users is read by: that of the sort column, or that of a filter or search with few
//! matches, which are then sorted.

use sea_orm::ConnectionTrait;

use super::{Bounds, By, Filter, Order, Part};
use crate::{
    domain::{
        Ctx,
        range_query::{self, Union},
        user::search::{self, Term},
    },
    error::{Error, Result},
};

/// Maximum number of matches that are read and sorted for a search or a filter on a column other than the sort column.
const MAX_SORTED: u64 = 5_000;

/// The index that a list is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// The range of a column.
    Range(By),
    /// The index of the search.
    Search,
}

/// Chooses the index to read by, and the order: the requested one, unless a search matches too many users to sort.
pub(super) async fn choose(
    ctx: &Ctx,
    filter: &Filter,
    pairs: &[String],
    order: Order,
    part: &Part,
) -> Result<(Lead, Order)> {
    let ranges = filter.others(order.by);
    if let Some(lead) = narrowest(ctx, filter.search.as_ref(), pairs, &ranges).await? {
        return Ok((lead, order));
    }
    let requested = order;
    let order = if filter.search.is_some() { Order::NEWEST } else { requested };
    let cursor = part.after.as_ref().map(|_| "after").or(part.before.as_ref().map(|_| "before"));
    if let Some(field) = cursor.filter(|_| order != requested) {
        let wrong = "More users match the search by now, so they come newest first. Start again without a cursor.";
        return Err(Error::invalid(field, wrong));
    }
    // Names and email addresses correlate: in a list sorted by one, all matches for a prefix of the other may be
    // at the very end. So read the rows with the prefix, even if there are many.
    let prefix = || filter.others(order.by).into_iter().map(|(by, _)| by).find(|by| by.is_text());
    let by = if filter.range(order.by).is_none() { prefix() } else { None };
    Ok((Lead::Range(by.unwrap_or(order.by)), order))
}

/// The search or the column whose range has the fewest users, if all of them can be read (at most [`MAX_SORTED`]). One
/// statement; none if there is neither a search nor a range.
async fn narrowest(
    ctx: &Ctx,
    search: Option<&Term>,
    pairs: &[String],
    ranges: &[(By, Bounds)],
) -> Result<Option<Lead>> {
    let mut union = Union::new(ctx);
    let (mut leads, mut counts) = (Vec::new(), Vec::new());
    let most = union.limit(MAX_SORTED + 1);
    if let Some(term) = search {
        leads.push(Lead::Search);
        counts.push(term.count(&mut union, &most));
    }
    for (by, bounds) in ranges {
        let column = by.column(ctx.db.backend());
        for pair in pairs {
            let bounds = bounds.sql(&mut union, column).map(range_query::and).unwrap_or_default();
            // Sort by the index. Otherwise PostgreSQL may choose a sequential scan because of the limit.
            union.part(format!("SELECT id FROM users WHERE {pair}{bounds} ORDER BY {column}, id LIMIT {most}"));
        }
        let table = union.table();
        leads.push(Lead::Range(*by));
        counts.push(format!("(SELECT COUNT(*) FROM (SELECT 1 FROM ({table}) AS people LIMIT {most}) AS found)"));
    }
    if counts.is_empty() {
        return Ok(None);
    }
    let counts = counts.iter().enumerate().map(|(number, count)| format!("{count} AS n{number}"));
    let statement = union.statement(&format!("SELECT {}", counts.collect::<Vec<_>>().join(", ")));
    let Some(row) = ctx.db.read().query_one_raw(statement).await? else {
        return Ok(None);
    };
    let (mut least, mut fewest) = (None, MAX_SORTED + 1);
    for (number, lead) in leads.into_iter().enumerate() {
        let count: Option<i64> = row.try_get("", &format!("n{number}"))?;
        let count = count.ok_or(search::UNAVAILABLE)?.unsigned_abs();
        if count < fewest {
            (least, fewest) = (Some(lead), count);
        }
    }
    Ok(least)
}
