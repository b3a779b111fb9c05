//! Lists of people, page by page, for whoever may read people. A page begins where the one before ended, by value and
//! not by number, so nobody is missed or met twice while others come and go.
//!
//! Every list is the merge of a few index ranges, one for each role and status that is wanted, each in the order of the
//! list and with its limit. So a page costs the same at the start and at the end, among a thousand and ten million.
//! When a filter is on something else than the order, those who fit it are read and sorted, if they are few or if it is
//! a prefix; otherwise it is looked at row by row on the way.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, EntityTrait, FromQueryResult, Iterable, QueryFilter, QueryResult,
    QueryTrait, Value,
};
use uuid::Uuid;

use super::{name, role_name, status_name};
use crate::{
    db::entity::{Role, UserStatus, users},
    domain::{
        Check, Ctx,
        access::{Overseer, ReadAccess},
        range_query::{self, Union, within_years},
    },
    error::Result,
};

/// So few people are read and sorted for a filter that is not in the order of the list.
const FEW: u64 = 5_000;

/// What people are sorted by; each is a column with an index of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// When the account was made.
    CreatedAt,
    /// The address.
    Email,
    /// The name in lower case; whoever has none comes first.
    Name,
    /// The latest sign-in; whoever never signed in comes first.
    LastSignInAt,
}

/// The order of a list. People who are alike in it are in the order of their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what.
    pub by: By,
    /// The largest first.
    pub descending: bool,
}

/// What a person is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    /// For moments.
    Moment(DateTime<Utc>),
    /// For text, which is sorted by its bytes.
    Text(String),
}

impl Key {
    /// Of a moment, in microseconds since 1970; none beyond what both databases know.
    pub fn moment(micros: i64) -> Option<Self> {
        DateTime::from_timestamp_micros(micros).filter(|at| within_years(*at) == *at).map(Self::Moment)
    }

    /// Of a text; none when no row could have it.
    pub fn text(text: String) -> Option<Self> {
        (!text.chars().any(char::is_control)).then_some(Self::Text(text))
    }
}

/// Where somebody stands in a list, or where somebody would.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// What they are sorted by.
    pub key: Key,
    /// Who.
    pub id: Uuid,
}

/// Which people. All that is given must fit.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The address begins so.
    pub email: Option<String>,
    /// The name begins so, in whatever case.
    pub name: Option<String>,
    /// With any of these roles.
    pub roles: Option<Vec<Role>>,
    /// With any of these statuses.
    pub statuses: Option<Vec<UserStatus>>,
    /// Made at this moment or later.
    pub created_from: Option<DateTime<Utc>>,
    /// Made before this moment.
    pub created_before: Option<DateTime<Utc>>,
}

/// Which part of a list.
#[derive(Clone, Debug)]
pub struct Part {
    /// At most so many.
    pub most: u64,
    /// Only those after this place in the list.
    pub after: Option<Position>,
    /// Only those before this place in the list.
    pub before: Option<Position>,
    /// Taken from the end of the list, last first.
    pub backward: bool,
}

impl By {
    /// The place of a person in a list sorted by this.
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

    /// As its index has it, in either database; see the migration.
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
    /// The filter in the form that rows are in: prefixes in lower case without blanks around them, moments within what
    /// both databases know. Refuses what is no prefix of anything.
    pub fn canonical(self) -> Result<Self> {
        let mut check = Check::default();
        let email = self.email.map(|prefix| canonical_prefix(&prefix.to_ascii_lowercase(), LONGEST_EMAIL));
        let email = email.and_then(|prefix| check.field("emailPrefix", prefix));
        let name = self.name.map(|prefix| canonical_prefix(&name::key(&prefix), LONGEST_NAME));
        let name = name.and_then(|prefix| check.field("namePrefix", prefix));
        check.done()?;
        let created_from = self.created_from.map(within_years);
        let created_before = self.created_before.map(within_years);
        Ok(Self { email, name, created_from, created_before, ..self })
    }

    /// What it leaves of a list sorted by one thing, if it says anything about that.
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

    /// Everything else than the order that it says something about.
    fn others(&self, than: By) -> Vec<(By, Bounds)> {
        let all = [By::Email, By::Name, By::CreatedAt].into_iter().filter(|by| *by != than);
        all.filter_map(|by| Some((by, self.range(by)?))).collect()
    }

    /// The pairs of role and status that are wanted, each of which is a range of its own in every index.
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

/// The first text after all that begin so; none when there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The range of characters leaves out what cannot stand in text.
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// A range of an index: from a place, that one included, to another, that one not.
#[derive(Clone, Debug, Default)]
struct Bounds {
    from: Option<Position>,
    to: Option<Position>,
}

impl Bounds {
    /// What is in both.
    fn and(self, other: Self) -> Self {
        let from = self.from.max(other.from);
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { from, to }
    }

    /// What lies between the cursors of a page, whichever way the list goes.
    fn of(part: &Part, order: Order) -> Self {
        let (low, high) = if order.descending { (&part.before, &part.after) } else { (&part.after, &part.before) };
        let behind =
            |place: &Position| Position { id: Uuid::from_u128(place.id.as_u128().saturating_add(1)), ..place.clone() };
        Self { from: low.as_ref().map(behind), to: high.clone() }
    }

    /// One comparison for each end: two on the same column would leave it to chance which of them the index begins at.
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

/// A part of the list of all people whom a manager or the shell sees. One statement; two when the filter is on something else than
/// the order.
pub async fn list(
    ctx: &Ctx,
    overseer: impl Into<Overseer>,
    filter: &Filter,
    order: Order,
    part: &Part,
) -> Result<Vec<(users::Model, ReadAccess)>> {
    let overseer = overseer.into();
    let pairs = filter.pairs(overseer);
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    let mut ranges = filter.others(order.by);
    let lead = match few(ctx, &pairs, &ranges).await? {
        Some(by) => by,
        // Names and addresses go together: in the order of one, those with some prefix of the other may stand at the
        // end of everybody. So what is read is what has the prefix, even if that is many.
        None if filter.range(order.by).is_none() => {
            ranges.iter().map(|(by, _)| *by).find(|by| by.is_text()).unwrap_or(order.by)
        }
        None => order.by,
    };
    ranges.push((order.by, Bounds::of(part, order).and(filter.range(order.by).unwrap_or_default())));

    let backend = ctx.db.backend();
    let mut union = Union::new(ctx);
    let direction = if order.descending == part.backward { "ASC" } else { "DESC" };
    let key = order.by.column(backend);
    let sort = format!(" ORDER BY {key} {direction}, id {direction} LIMIT {}", union.limit(part.most));
    // Behind a limit, even this one, PostgreSQL does not look at the order outside, which it might take for a reason to
    // walk the whole table in that order.
    let end = if lead == order.by { sort.clone() } else { format!(" LIMIT {}", union.limit(u64::MAX)) };
    for pair in &pairs {
        let mut sql = format!("SELECT * FROM users WHERE {pair}");
        for (by, bounds) in &ranges {
            let condition = bounds.sql(&mut union, by.column(backend));
            sql += &condition.map(if *by == lead { range_query::and } else { range_query::aside }).unwrap_or_default();
        }
        union.part(sql + &end);
    }
    let people = union.table();
    let statement = union.statement(&format!("SELECT * FROM ({people}) AS people{sort}"));
    let seen = |person: QueryResult| {
        let user = users::Model::from_query_result(&person, "")?;
        let access = overseer.access_to(user.id);
        Ok((user, access))
    };
    ctx.db.read().query_all_raw(statement).await?.into_iter().map(seen).collect()
}

/// How many people fit a filter. One statement; what it costs grows with the answer.
pub async fn count(ctx: &Ctx, overseer: impl Into<Overseer>, filter: &Filter) -> Result<u64> {
    let ranges: Vec<_> =
        [By::Email, By::Name, By::CreatedAt].into_iter().filter_map(|by| Some((by, filter.range(by)?))).collect();
    let backend = ctx.db.backend();
    let mut union = Union::new(ctx);
    for pair in filter.pairs(overseer.into()) {
        let mut sql = format!("SELECT COUNT(*) AS number FROM users WHERE {pair}");
        for (by, bounds) in &ranges {
            sql += &bounds.sql(&mut union, by.column(backend)).map(range_query::and).unwrap_or_default();
        }
        union.part(sql);
    }
    union.sum(ctx).await
}

/// The range with the fewest people, if they are few enough to read all of them; none when no range was given, without
/// a statement.
async fn few(ctx: &Ctx, pairs: &[String], ranges: &[(By, Bounds)]) -> Result<Option<By>> {
    let mut least = None;
    if ranges.is_empty() {
        return Ok(least);
    }
    let mut union = Union::new(ctx);
    let mut counts = Vec::new();
    for (number, (by, bounds)) in ranges.iter().enumerate() {
        let (column, most) = (by.column(ctx.db.backend()), union.limit(FEW + 1));
        for pair in pairs {
            let bounds = bounds.sql(&mut union, column).map(range_query::and).unwrap_or_default();
            // In the order of the index, or PostgreSQL takes a limit for a reason to read the table from its start.
            union.part(format!("SELECT id FROM users WHERE {pair}{bounds} ORDER BY {column}, id LIMIT {most}"));
        }
        let people = union.table();
        counts.push(format!(
            "(SELECT COUNT(*) FROM (SELECT 1 FROM ({people}) AS people LIMIT {most}) AS found) AS n{number}"
        ));
    }
    let statement = union.statement(&format!("SELECT {}", counts.join(", ")));
    let Some(row) = ctx.db.read().query_one_raw(statement).await? else {
        return Ok(least);
    };
    let mut fewest = FEW + 1;
    for (number, (by, _)) in ranges.iter().enumerate() {
        let count: i64 = row.try_get("", &format!("n{number}"))?;
        if count.unsigned_abs() < fewest {
            (least, fewest) = (Some(*by), count.unsigned_abs());
        }
    }
    Ok(least)
}

/// The SQL condition that a person with this id exists and is not deleted.
pub(in crate::domain) fn is_undeleted(id: &str) -> String {
    format!("EXISTS (SELECT 1 FROM users WHERE users.id = {id} AND users.status <> 'DELETED')")
}

/// These people, as far as they are there and shown to whoever brings the proofs. One statement.
pub async fn find_each(ctx: &Ctx, people: &[ReadAccess]) -> Result<Vec<(ReadAccess, users::Model)>> {
    let ids = people.iter().map(|access| access.user_id());
    let found = users::Entity::find().filter(users::Column::Id.is_in(ids)).build(ctx.db.backend());
    let found = ctx.db.read().query_all_raw(found).await?;
    let person = |row: &QueryResult| users::Model::from_query_result(row, "").map(|user| (user.id, user));
    let found: HashMap<_, _> = found.iter().map(person).collect::<Result<_, _>>()?;
    let shown = |access: &ReadAccess| {
        let user = found.get(&access.user_id()).filter(|user| access.shows(user))?;
        Some((*access, user.clone()))
    };
    Ok(people.iter().filter_map(shown).collect())
}
