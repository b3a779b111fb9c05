//! The `users` list, with its filters, orders and cursors. `domain::user::list` contains the database queries.

use async_graphql::{Context, Enum, InputObject, Object};
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    domain::{
        access::{Manager, scope},
        user::list::{self, By, Filter, Key, Listing, Order, Part, Position},
    },
    graphql::{
        error::ApiError,
        parts,
        relay::{self, Connection, Listed, Page},
        user::{Role, User, UserStatus},
    },
};

/// A filter for users. A user must match all given fields. These filters are fast with millions of users: roles and
/// statuses in any order, a prefix in the order of its own field, and a search or other filter that matches at most
/// 5,000 users. Other filters can take too long and fail with `UNAVAILABLE`.
#[derive(InputObject)]
struct UserFilter {
    /// The start of the email address. Ignores case and has no wildcards.
    email_prefix: Option<String>,
    /// The start of the display name. Ignores case and has no wildcards.
    name_prefix: Option<String>,
    /// Part of the address or name, ignoring case: 3 to 254 characters, without wildcards. A term that matches more
    /// than 5,000 users returns the newest first, whatever `orderBy` says. `UNAVAILABLE` if PostgreSQL does not have
    /// the extension `pg_trgm`: `doorcode doctor` says how to add it.
    search: Option<String>,
    /// Only users with one of these roles.
    roles: Option<Vec<Role>>,
    /// Only users with one of these statuses. Only the role ADMIN sees DELETED users.
    statuses: Option<Vec<UserStatus>>,
    /// Only users created at or after this time.
    created_from: Option<DateTime<Utc>>,
    /// Only users created before this time.
    created_before: Option<DateTime<Utc>>,
}

impl From<UserFilter> for Filter {
    fn from(filter: UserFilter) -> Self {
        Self {
            email: filter.email_prefix,
            name: filter.name_prefix,
            search: None,
            roles: filter.roles.map(|roles| roles.into_iter().map(Into::into).collect()),
            statuses: filter.statuses.map(|statuses| statuses.into_iter().map(Into::into).collect()),
            created_from: filter.created_from,
            created_before: filter.created_before,
        }
    }
}

/// A field to sort users by. Text sorts by code point. Users with equal values sort by age.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "By")]
enum UserOrderField {
    /// The time at which the account was created.
    CreatedAt,
    /// The email address.
    Email,
    /// The display name in lower case. Users without a name sort first in ascending order.
    Name,
    /// The time of the latest sign-in. Users who never signed in sort first in ascending order.
    LastSignInAt,
}

/// The direction of an order.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
enum OrderDirection {
    /// Ascending: A to Z, oldest first.
    Asc,
    /// Descending: Z to A, newest first.
    Desc,
}

/// An order for users.
#[derive(InputObject)]
struct UserOrder {
    /// The field to sort by.
    field: UserOrderField,
    /// The direction of the order.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

/// Returns the requested order. By default, a filter with a single prefix orders by the field of that prefix, and any
/// other list starts with the newest user.
fn order_of(order: Option<&UserOrder>, filter: &Filter) -> Order {
    let prefix_alone = match (&filter.email, &filter.name, &filter.search) {
        (Some(_), None, None) => Some(By::Email),
        (None, Some(_), None) => Some(By::Name),
        _ => None,
    };
    match (order, prefix_alone) {
        (Some(order), _) => Order { by: order.field.into(), descending: order.direction == OrderDirection::Desc },
        (None, Some(by)) => Order { by, descending: false },
        (None, None) => Order::NEWEST,
    }
}

/// Returns the letter of an order. Cursors contain this letter, so that a cursor is valid for one order only.
const fn letter(order: Order) -> u8 {
    let letter = match order.by {
        By::CreatedAt => b'c',
        By::Email => b'e',
        By::Name => b'n',
        By::LastSignInAt => b'l',
    };
    if order.descending { letter.to_ascii_uppercase() } else { letter }
}

fn cursor(order: Order, Position { key, id }: &Position) -> String {
    let key = match key {
        Key::Moment(at) => at.timestamp_micros().to_be_bytes().to_vec(),
        Key::Text(text) => text.clone().into_bytes(),
    };
    relay::pack(&[&[letter(order)], id.as_bytes().as_slice(), &key].concat())
}

fn position(order: Order, cursor: &str) -> Option<Position> {
    let bytes = relay::unpack(cursor)?;
    let (first, rest) = bytes.split_first()?;
    let (id, key) = rest.split_at_checked(16)?;
    let key = match order.by {
        _ if *first != letter(order) => return None,
        By::CreatedAt | By::LastSignInAt => Key::moment(i64::from_be_bytes(key.try_into().ok()?)),
        By::Email | By::Name => Key::text(String::from_utf8(key.to_vec()).ok()?),
    };
    Some(Position { key: key?, id: Uuid::from_slice(id).ok()? })
}

impl Listed for User {
    const NAME: &'static str = "User";
    type List = Filter;

    async fn count(ctx: &Context<'_>, filter: &Filter) -> Result<u64, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, scope::PEOPLE_READ, "users").await?;
        Ok(list::count(domain, manager, filter).await?)
    }
}

#[derive(Default)]
pub(crate) struct PeopleQuery;

#[Object]
impl PeopleQuery {
    /// Lists users. Requires the role MANAGER. While users sign up, later pages neither repeat nor skip a user.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a list")]
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number of items to return from the start (default 20, maximum 100).")] first: Option<i32>,
        #[graphql(desc = "Only items after this cursor, which must be from the same order.")] after: Option<String>,
        #[graphql(desc = "The number of items to return from the end (maximum 100). Can't be combined with `first`.")]
        last: Option<i32>,
        #[graphql(desc = "Only items before this cursor, which must be from the same order.")] before: Option<String>,
        #[graphql(desc = "Only users who match this filter.")] mut filter: Option<UserFilter>,
        #[graphql(
            desc = "The order of the list (default: newest first; with a single prefix and no search, by the field of that prefix)."
        )]
        order_by: Option<UserOrder>,
    ) -> Result<Connection<User>, ApiError> {
        let (domain, viewer) = parts(ctx);
        let manager = Manager::require(domain, viewer, scope::PEOPLE_READ, "users").await?;
        let search = filter.as_mut().and_then(|filter| filter.search.take());
        let filter = filter.map(Filter::from).unwrap_or_default().canonical(search.as_deref())?;
        let mut order = order_of(order_by.as_ref(), &filter);
        // A search that matches many users came in another order than requested, and continues in that.
        let continues =
            |cursor: &Option<String>| cursor.as_ref().is_some_and(|text| position(Order::NEWEST, text).is_some());
        if filter.search.is_some() && (continues(&after) || continues(&before)) {
            order = Order::NEWEST;
        }
        let page = Page::new(first, after.as_deref(), last, before.as_deref(), |text| position(order, text))?;
        let part = Part {
            most: page.fetch(),
            after: page.after.clone(),
            before: page.before.clone(),
            backward: page.backward,
        };
        let Listing { users, order } = list::list(domain, manager, &filter, order, &part).await?;
        let cursor = |(user, _): &(_, _)| cursor(order, &order.by.place(user));
        Ok(Connection::new(&page, users, cursor, |seen| User::seen(seen, viewer), filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_round_trips_in_its_own_order_only() {
        let id = Uuid::from_u128(7);
        for descending in [false, true] {
            for by in [By::CreatedAt, By::Email, By::Name, By::LastSignInAt] {
                let key = match by {
                    By::CreatedAt | By::LastSignInAt => Key::moment(1_795_000_000_123_456),
                    By::Email | By::Name => Key::text("é".repeat(200)),
                };
                let (order, expected) = (Order { by, descending }, Position { key: key.unwrap(), id });
                let text = cursor(order, &expected);
                assert_eq!(position(order, &text), Some(expected));
                assert_eq!(position(Order { descending: !descending, ..order }, &text), None);
                assert_eq!(position(order, &text.to_lowercase()), None);
                assert_eq!(position(order, &relay::cursor(id)), None);
            }
        }
    }

    #[test]
    fn forged_cursors_are_refused() {
        let order = Order { by: By::Name, descending: false };
        let with = |key: &[u8]| relay::pack(&[b"n".as_slice(), &[7; 16], key].concat());
        assert!(position(order, &with(b"ada")).is_some());
        for key in [b"a\0".as_slice(), b"\xff", &[b'a'; 900]] {
            assert_eq!(position(order, &with(key)), None, "{key:?}");
        }
        let order = Order { by: By::CreatedAt, descending: false };
        for key in [i64::MAX, i64::MIN] {
            let text = relay::pack(&[b"c".as_slice(), &[7; 16], &key.to_be_bytes()].concat());
            assert_eq!(position(order, &text), None);
        }
    }
}
