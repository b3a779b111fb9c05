//! Lists users page by page, for callers who may read users. Pagination uses keyset cursors, so no user is skipped or
//! repeated while others are added or removed.
//!
//! Every list is a merge of index ranges: one range for each requested pair of role and status, each sorted and
//! limited. So a page costs the same at the start and the end of a list of any size. If a filter is on a column other
//! than the sort column, the matching rows are read and sorted if they are few or the filter is a prefix. Otherwise the
//! filter is checked row by row. A search that matches many users walks the newest first, whatever order was requested.

mod lead;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryResult,
    QueryTrait, Value,
};
use uuid::Uuid;

use self::lead::Lead;
use super::{name, role_name, search::Term, status_name};
use crate::{
    db::entity::{Role, UserStatus, users},
    domain::{
        Check, Ctx,
        access::{Overseer, ReadAccess},
        range_query::{self, Union, within_years},
    },
    error::Result,
};

/// The sort column; each has an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The time the account was created.
    CreatedAt,
    /// The email address.
    Email,
    /// The name in lowercase; users without a name come first.
    Name,
    /// The time of the last sign-in; users who never signed in come first.
    LastSignInAt,
}

/// The order of a list. Ties are sorted by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The sort column.
    pub by: By,
    /// Whether the largest value comes first.
    pub descending: bool,
}

impl Order {
    /// The newest accounts first.
    pub const NEWEST: Self = Self { by: By::CreatedAt, descending: true };
}

/// The value of the sort column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// A point in time.
    Moment(DateTime<Utc>),
    /// Text, sorted by its bytes.
    Text(String),
}

impl Key {
    /// Creates a key from microseconds since 1970; `None` outside the range that both databases support.
    pub fn moment(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).filter(|at| within_years(*at) == *at).map(Self::Moment)
    }

    /// Creates a key from text; `None` for text that no row can contain.
    pub fn text(text: String) -> Option<Self> {
        (!text.chars().any(char::is_control)).then_some(Self::Text(text))
    }
}

/// A position in a list, whether or not a user is there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The value of the sort column.
    pub key: Key,
    /// The user's id.
    pub id: Uuid,
}

/// A filter on users. All given conditions must match.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Prefix of the email address.
    pub email: Option<String>,
    /// Prefix of the name, ignoring case.
    pub name: Option<String>,
    /// Part of the email address or name.
    pub search: Option<Term>,
    /// Any of these roles.
    pub roles: Option<Vec<Role>>,
    /// Any of these statuses.
    pub statuses: Option<Vec<UserStatus>>,
    /// Created at or after this time.
    pub created_from: Option<DateTime<Utc>>,
    /// Created before this time.
    pub created_before: Option<DateTime<Utc>>,
}

/// The part of a list to return.
#[derive(Clone, Debug)]
pub struct Part {
    /// Maximum number of users.
    pub most: u64,
    /// Only users after this position.
    pub after: Option<Position>,
    /// Only users before this position.
    pub before: Option<Position>,
    /// Whether to read from the end of the list, last user first.
    pub backward: bool,
}

impl By {
    /// The user's position in a list sorted by this column.
    pub fn place(self, user: &users::Model) -> Position {
        let key = match self {
            Self::CreatedAt => Key::Moment(user.created_at),
            Self::Email => Key::Text(user.email.clone()),
            Self::Name => Key::Text(user.name_key.clone()),
            Self::LastSignInAt => Key::Moment(user.last_sign_in_at.unwrap_or_default()),
        };
        Position { key, id: user.id }
    }

    const fn is_text(self) -> bool {
        matches!(self, Self::Email | Self::Name)
    }

    /// The indexed SQL expression; see the migration.
    const fn column(self, backend: DbBackend) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Email => "email",
            Self::Name => "name_key",
            Self::LastSignInAt if matches!(backend, DbBackend::Sqlite) => "last_sign_in_key",
            Self::LastSignInAt => "COALESCE(last_sign_in_at, TIMESTAMPTZ '1970-01-01 00:00:00+00')",
        }
    }
}

impl Filter {
    /// Normalizes the filter: prefixes are trimmed and in lowercase, times are limited to the range that both databases
    /// support. Adds a search term, if there is one. Fails with [`crate::error::Error::Invalid`] for what no row can
    /// have.
    pub fn canonical(self, search: Option<&str>) -> Result<Self> {
        let mut check = Check::default();
        let search = search.and_then(|text| check.field("filter.search", Term::parse(text)));
        let email = self.email.map(|prefix| canonical_prefix(&prefix.to_ascii_lowercase(), LONGEST_EMAIL));
        let email = email.and_then(|prefix| check.field("emailPrefix", prefix));
        let name = self.name.map(|prefix| canonical_prefix(&name::key(&prefix), LONGEST_NAME));
        let name = name.and_then(|prefix| check.field("namePrefix", prefix));
        check.done()?;
        let created_from = self.created_from.map(within_years);
        let created_before = self.created_before.map(within_years);
        Ok(Self { email, name, search, created_from, created_before, ..self })
    }

    /// The range of the filter on one column; `None` if the filter does not restrict it.
    fn range(&self, by: By) -> Option<Bounds> {
        let text = |prefix: &Option<String>| {
            let prefix = prefix.as_deref().filter(|prefix| !prefix.is_empty())?;
            let start = |text: String| Position { key: Key::Text(text), id: Uuid::nil() };
            Some(Bounds { from: Some(start(prefix.to_owned())), to: after_prefix(prefix).map(start) })
        };
        let moment = |at| Position { key: Key::Moment(at), id: Uuid::nil() };
        match by {
            By::Email => text(&self.email),
            By::Name => text(&self.name),
            By::CreatedAt if self.created_from.is_none() && self.created_before.is_none() => None,
            By::CreatedAt => Some(Bounds { from: self.created_from.map(moment), to: self.created_before.map(moment) }),
            By::LastSignInAt => None,
        }
    }

    /// The ranges of the filter on all columns except the sort column.
    fn others(&self, than: By) -> Vec<(By, Bounds)> {
        let all = [By::Email, By::Name, By::CreatedAt].into_iter().filter(|by| *by != than);
        all.filter_map(|by| Some((by, self.range(by)?))).collect()
    }

    /// SQL conditions for the requested pairs of role and status. Each pair is a separate range in every index.
    fn pairs(&self, overseer: Overseer) -> Vec<String> {
        let is_wanted = |role: &Role| self.roles.as_ref().is_none_or(|roles| roles.contains(role));
        let roles: Vec<_> = Role::iter().filter(is_wanted).collect();
        let is_wanted = |status: &UserStatus| self.statuses.as_ref().is_none_or(|statuses| statuses.contains(status));
        let is_shown = |status: &UserStatus| *status != UserStatus::Deleted || overseer.sees_deleted();
        let statuses = UserStatus::iter().filter(|status| is_wanted(status) && is_shown(status));
        statuses
            .flat_map(|status| {
                let pair =
                    move |role: &Role| format!("role = '{}' AND status = '{}'", role_name(*role), status_name(status));
                roles.iter().map(pair).collect::<Vec<_>>()
            })
            .collect()
    }
}

const LONGEST_EMAIL: usize = 254;
const LONGEST_NAME: usize = 100;

fn canonical_prefix(prefix: &str, longest: usize) -> Result<String, String> {
    let prefix = prefix.trim();
    if prefix.chars().take(longest + 1).count() > longest {
        return Err(format!("A prefix can have at most {longest} characters."));
    }
    if prefix.chars().any(char::is_control) {
        return Err("A prefix must be one line of visible characters.".into());
    }
    Ok(prefix.to_owned())
}

/// The smallest text greater than every text with this prefix; `None` if there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // A range of `char` skips surrogates, which are not valid in text.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// A half-open index range: `from` is included, `to` is not.
#[derive(Clone, Debug, Default)]
struct Bounds {
    from: Option<Position>,
    to: Option<Position>,
}

impl Bounds {
    /// The intersection of both ranges.
    fn and(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { from, to }
    }

    /// The range between the cursors of a page, in the order of the index.
    fn of(part: &Part, order: Order) -> Self {
        let (low, high) = if order.descending { (&part.before, &part.after) } else { (&part.after, &part.before) };
        let behind =
            |place: &Position| Position { id: Uuid::from_u128(place.id.as_u128().saturating_add(1)), ..place.clone() };
        Self { from: low.as_ref().map(behind), to: high.clone() }
    }

    /// At most one comparison for each end. With two, the planner might start the index scan at the wider one.
    fn sql(&self, union: &mut Union, column: &str) -> Option<String> {
        let end = |(place, comparison): (&Option<Position>, _)| {
            let Position { key, id } = place.as_ref()?;
            let key: Value = match key {
                Key::Moment(at) => (*at).into(),
                Key::Text(text) => text.clone().into(),
            };
            Some(format!("({column}, id) {comparison} ({}, {})", union.bind(key), union.bind(*id)))
        };
        let ends: Vec<_> = [(&self.from, ">="), (&self.to, "<")].into_iter().filter_map(end).collect();
        (!ends.is_empty()).then(|| ends.join(" AND "))
    }
}

/// A part of a list.
pub struct Listing {
    /// The users, each with what the caller may read of them.
    pub users: Vec<(users::Model, ReadAccess)>,
    /// The order they are in: the requested one, or the newest first for a search that matches many users.
    pub order: Order,
}

/// Lists users that a manager or the shell may read. One statement, or two with a search or a filter on a column other
/// than the sort column. Fails with [`crate::error::Error::Unsupported`] for a search without its index.
pub async fn list(
    ctx: &Ctx,
    overseer: impl Into<Overseer>,
    filter: &Filter,
    order: Order,
    part: &Part,
) -> Result<Listing> {
    let overseer = overseer.into();
    let pairs = filter.pairs(overseer);
    if pairs.is_empty() {
        return Ok(Listing { users: Vec::new(), order });
    }
    let (lead, order) = lead::choose(ctx, filter, &pairs, order, part).await?;
    let mut ranges = filter.others(order.by);
    ranges.push((order.by, Bounds::of(part, order).and(filter.range(order.by).unwrap_or_default())));

    let backend = ctx.db.backend();
    let mut union = Union::new(ctx).with_known_limits(filter.search.is_none() && ranges.len() == 1);
    let direction = if order.descending == part.backward { "ASC" } else { "DESC" };
    let key = order.by.column(backend);
    let sort = format!(" ORDER BY {key} {direction}, id {direction} LIMIT {}", union.limit(part.most));
    // Without a limit, PostgreSQL might use the outer order as a reason to scan the whole table in that order. Any
    // limit prevents it.
    let end = if lead == Lead::Range(order.by) { sort.clone() } else { format!(" LIMIT {}", union.limit(u64::MAX)) };
    let sources = match (&filter.search, lead) {
        (Some(term), Lead::Search) => vec![term.found(&mut union) + &range_query::aside(any_of(&pairs))],
        (search, _) => {
            let search = search.as_ref().map(|term| range_query::aside(term.is_in_row(&mut union)));
            let search = search.unwrap_or_default();
            pairs.iter().map(|pair| format!("users WHERE {pair}{search}")).collect()
        }
    };
    for source in sources {
        let mut sql = format!("SELECT users.* FROM {source}");
        for (by, bounds) in &ranges {
            let condition = bounds.sql(&mut union, by.column(backend));
            let leads = lead == Lead::Range(*by);
            sql += &condition.map(if leads { range_query::and } else { range_query::aside }).unwrap_or_default();
        }
        union.part(sql + &end);
    }
    let table = union.table();
    let statement = union.statement(&format!("SELECT * FROM ({table}) AS people{sort}"));
    let with_access = |row: QueryResult| {
        let user = users::Model::from_query_result(&row, "")?;
        let access = overseer.access_to(user.id);
        Ok((user, access))
    };
    let users = ctx.db.read().query_all_raw(statement).await?.into_iter().map(with_access);
    Ok(Listing { users: users.collect::<Result<_>>()?, order })
}

fn any_of(pairs: &[String]) -> String {
    format!("({})", pairs.join(" OR "))
}

/// Counts the users that match a filter. One statement, whose cost grows with the count.
pub async fn count(ctx: &Ctx, overseer: impl Into<Overseer>, filter: &Filter) -> Result<u64> {
    let ranges: Vec<_> =
        [By::Email, By::Name, By::CreatedAt].into_iter().filter_map(|by| Some((by, filter.range(by)?))).collect();
    let backend = ctx.db.backend();
    let mut union = Union::new(ctx);
    let pairs = filter.pairs(overseer.into());
    let sources: Vec<_> = match &filter.search {
        Some(_) if pairs.is_empty() => Vec::new(),
        Some(term) => vec![term.found(&mut union) + &range_query::and(any_of(&pairs))],
        None => pairs.iter().map(|pair| format!("users WHERE {pair}")).collect(),
    };
    for source in sources {
        let mut sql = format!("SELECT COUNT(*) AS number FROM {source}");
        for (by, bounds) in &ranges {
            sql += &bounds.sql(&mut union, by.column(backend)).map(range_query::and).unwrap_or_default();
        }
        union.part(sql);
    }
    union.sum(ctx).await
}

/// The SQL condition that a user with this id exists and is not deleted.
pub(in crate::domain) fn is_undeleted(id: &str) -> String {
    format!("EXISTS (SELECT 1 FROM users WHERE users.id = {id} AND users.status <> 'DELETED')")
}

/// Finds several users and leaves out those that are missing or hidden. One statement.
pub async fn find_each(ctx: &Ctx, wanted: &[ReadAccess]) -> Result<Vec<(ReadAccess, users::Model)>> {
    let ids = wanted.iter().map(|access| access.user_id());
    let found = users::Entity::find().filter(users::Column::Id.is_in(ids)).build(ctx.db.backend());
    let found = ctx.db.read().query_all_raw(found).await?;
    let by_id = |row: &QueryResult| users::Model::from_query_result(row, "").map(|user| (user.id, user));
    let found: HashMap<_, _> = found.iter().map(by_id).collect::<Result<_, _>>()?;
    let visible = |access: &ReadAccess| {
        let user = found.get(&access.user_id()).filter(|user| access.shows(user))?;
        Some((*access, user.clone()))
    };
    Ok(wanted.iter().filter_map(visible).collect())
}
